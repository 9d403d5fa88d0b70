//! A row's values, rounded and written.

use crate::cpu::block::LANE_NUMBERS;
use crate::cpu::lanes::multiply_add;
use crate::cpu::rounding::Rounded;
use crate::cpu::simd::{BitRounding, LINE, Simd};
use crate::cpu::working::{Window, Working};
use crate::cpu::writer::Writer;
use crate::double_double::power_of_two;

use super::extent::Extent;
use super::steps::CHUNK;

/// Values that are put together at a time where they are not written at once.
pub const GROUP: usize = LANE_NUMBERS.len();

/// With a larger error too many values would be too close to call.
const MOST_ROUNDINGS: f64 = (1 << 14) as f64;

/// How values of some extent are rounded, and which are too close to call.
#[derive(Clone, Copy, Debug)]
pub struct Rounding {
    /// Where all are 0 or normal numbers of the type.
    window: Option<Window>,
    /// Where they are normal `f32`.
    bits: Option<BitRounding>,
    /// Bound on their error.
    slack: f64,
    negative: bool,
}

impl Rounding {
    /// Nothing where too little is known of the values. `known` is the window for roundings up to a number, where that
    /// was found before.
    #[inline(always)]
    pub fn of<T: Rounded>(extent: &Extent, known: Option<(Window, f64)>) -> Option<Self> {
        let Extent { least, greatest, zero, negative, roundings } = *extent;
        let usable = roundings <= MOST_ROUNDINGS && greatest < 1e250;
        if !usable {
            return None;
        }
        let normal = least >= power_of_two(T::EXPONENTS.0 + 1) && greatest <= power_of_two(T::EXPONENTS.1);
        let window = match known {
            _ if !normal => None,
            Some((window, most)) if roundings <= most => Some(window),
            _ => Window::of_units::<T, f64>(roundings),
        };
        let bits = match &window {
            Some(window) if !zero => Some(window.bit_rounding(negative)),
            _ => None,
        };
        let slack = roundings * (0.5 * f64::EPSILON) * greatest;
        let usable = window.is_some() || slack < least;
        usable.then_some(Self { window, bits, slack, negative })
    }

    /// A value of the extent, and whether it is too close to call.
    #[inline(always)]
    fn round<T: Rounded>(&self, value: f64) -> (T, bool) {
        match &self.window {
            Some(window) => self.round_normal(value, window),
            None => T::rounded(value, self.slack),
        }
    }

    /// The same, where all are 0 or normal numbers.
    #[inline(always)]
    fn round_normal<T: Rounded>(&self, value: f64, window: &Window) -> (T, bool) {
        let rounded = T::rounded_normal(value, self.negative);
        let rounded = if T::ZERO_IS_NORMAL || value != 0.0 { rounded } else { T::zeroed() };
        (rounded, value.is_close(window))
    }

    /// A value of the extent, unless it is too close to call.
    #[inline(always)]
    pub fn certain<T: Rounded>(&self, value: f64) -> Option<T> {
        let (rounded, close) = self.round(value);
        if close { None } else { Some(rounded) }
    }
}

/// A row's values over the columns of a piece: a straight line in what its tracks make.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    /// Added to the product.
    pub intercept: f64,
    /// Multiplies what the tracks make.
    pub slope: f64,
    /// How the values are rounded.
    pub rounding: Rounding,
    /// Where they are written.
    pub writer: Writer,
}

impl Line {
    /// The value where the tracks make this.
    #[inline(always)]
    pub fn at<S: Simd>(&self, made: f64) -> f64 {
        multiply_add::<S>(self.slope, made, self.intercept)
    }

    /// Writes the values where the tracks make the first `count` of these, of which there are some more; whether any is
    /// too close to call. Where `out` is longer, some beyond may be written too.
    #[inline(always)]
    pub fn fill<T: Rounded, S: Simd>(&self, simd: S, made: &[f64], count: usize, out: &mut [T]) -> bool {
        let lanes = count.next_multiple_of(CHUNK);
        if !self.writer.streaming
            && lanes <= out.len()
            && let Some(window) = &self.rounding.window
        {
            return self.fill_lanes::<T, S>(window, &made[..lanes], &mut out[..lanes]);
        }
        if let Some(bits) = self.rounding.bits
            && S::HAS_LINES
            && let Some(out) = T::as_singles(out)
        {
            return self.fill_singles::<S>(simd, bits, made, count, out);
        }
        let lead = self.writer.lead(out).min(count);
        let mut close = false;
        let mut done = 0;
        while done < count {
            let wanted = if done < lead { lead } else { GROUP };
            let group = wanted.min(count - done);
            let mut rounded = [T::zeroed(); GROUP];
            for lane in 0..group {
                let (value, close_one) = self.rounding.round::<T>(self.at::<S>(made[done + lane]));
                rounded[lane] = value;
                close |= close_one;
            }
            let out = &mut out[done..done + group];
            if self.writer.streaming {
                simd.stream(&rounded[..group], out);
            } else {
                out.copy_from_slice(&rounded[..group]);
            }
            done += group;
        }
        close
    }

    /// As [`Line::fill`], where there is room for whole lanes.
    #[inline(always)]
    fn fill_lanes<T: Rounded, S: Simd>(&self, window: &Window, made: &[f64], out: &mut [T]) -> bool {
        let mut close = false;
        for (slot, made) in out.iter_mut().zip(made) {
            let (value, close_one) = self.rounding.round_normal(self.at::<S>(*made), window);
            *slot = value;
            close |= close_one;
        }
        close
    }

    /// As [`Line::fill`], line by line of the cache.
    #[inline(always)]
    fn fill_singles<S: Simd>(&self, simd: S, bits: BitRounding, made: &[f64], count: usize, out: &mut [f32]) -> bool {
        let terms = [self.intercept, self.slope];
        let streaming = self.writer.streaming;
        let mut close = false;
        let mut line = [0.0; LINE];
        let lead = self.writer.lead(out).min(count);
        if lead > 0 {
            close |= simd.polynomial_lines::<2>(&terms, &made[..LINE], bits, false, &mut line);
            out[..lead].copy_from_slice(&line[..lead]);
        }
        // Whole lines, and one more where there is room.
        let whole = lead + (count - lead) / LINE * LINE;
        let spare = !streaming && whole < count && whole + LINE <= out.len();
        let end = if spare { whole + LINE } else { whole };
        close |= simd.polynomial_lines::<2>(&terms, &made[lead..end], bits, streaming, &mut out[lead..end]);
        if end < count {
            close |= simd.polynomial_lines::<2>(&terms, &made[end..end + LINE], bits, false, &mut line);
            out[end..count].copy_from_slice(&line[..count - end]);
        }
        close
    }
}
