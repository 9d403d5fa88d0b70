//! A row's values from the shapes of its pattern.

use crate::cpu::lanes::multiply_add;
use crate::cpu::rounding::Rounded;
use crate::cpu::working::{Window, Working};
use crate::packed::PackedSegment;
use crate::program::Clamp;

use super::parameters::number;
use super::pattern::{Pattern, Run, StageColumns, VALUE_ROUNDINGS};
use super::steps::{CHUNK, WIDTH};

/// Twice the rounding error of one `f64` operation.
const ROUNDING: f64 = f64::EPSILON;

/// Magnitudes above this are far enough from underflow to be multiplied with their errors.
const LEAST_MAGNITUDE: f64 = 1e-200;

/// Where a segment starts from and how far it goes.
#[derive(Clone, Copy)]
struct Reach {
    base: f64,
    amplitude: f64,
}

impl Reach {
    #[inline(always)]
    fn of(segment: &PackedSegment) -> Self {
        Self { base: number(segment.base), amplitude: number(segment.amplitude) }
    }

    /// The least magnitude (as a sum of magnitudes) of a run's values that are not 0.
    #[inline(always)]
    fn least(self, run: &Run) -> f64 {
        let (base, moved) = (self.base.abs(), self.amplitude.abs() * run.least);
        if base > 0.0 { base } else { moved }
    }

    /// Whether all of a run's values add up without cancelling, and are 0 or normal numbers of the type.
    #[inline(always)]
    fn is_plain<T: Rounded>(self, run: &Run) -> bool {
        let power = |exponent: i32| f64::from_bits(((1023 + exponent) as u64) << 52);
        let greatest = self.base.abs() + self.amplitude.abs() * run.greatest;
        let zero = self.base == 0.0 && self.amplitude == 0.0;
        let normal = self.least(run) >= power(T::EXPONENTS.0 + 1) && greatest <= power(T::EXPONENTS.1);
        // False for a NaN of a number that was not decoded.
        self.base * self.amplitude >= 0.0 && (normal || zero)
    }
}

/// How many lanes are computed for so many columns.
#[inline(always)]
fn lanes(columns: usize) -> usize {
    columns.next_multiple_of(CHUNK)
}

/// Writes a stage's values from its first column's slot on, and some beyond its last; calls for a closer look at the
/// columns marked in the answer, one bit for each.
#[inline(always)]
pub fn fill_stage<T: Rounded, const FUSED: bool>(
    pattern: &Pattern,
    stage: &StageColumns,
    segments: &[PackedSegment],
    out: &mut [T],
) -> u64 {
    if !stage.plain {
        return fill_product::<T, FUSED>(pattern, stage, segments, out);
    }
    let track = pattern.tracks[stage.first];
    let mut close = 0;
    let mut index = track.first;
    while index < track.end {
        let run = &pattern.runs[index];
        let reach = Reach::of(&segments[run.segment]);
        index += 1;
        let Some(window) = run.window.filter(|_| reach.is_plain::<T>(run)) else {
            return fill_product::<T, FUSED>(pattern, stage, segments, out);
        };
        let lanes = lanes(run.to - run.from);
        let shapes = &pattern.shapes[0][run.from..run.from + lanes];
        let out = &mut out[run.from..run.from + lanes];
        if fill_plain::<T, FUSED>(shapes, reach, &window, out) {
            close |= close_columns::<FUSED>(shapes, reach, &window, run);
        }
    }
    close
}

/// Writes `base + amplitude · shape`; whether one of the lanes is too close to call.
#[inline(always)]
fn fill_plain<T: Rounded, const FUSED: bool>(shapes: &[f64], reach: Reach, window: &Window, out: &mut [T]) -> bool {
    let negative = reach.base < 0.0 || reach.amplitude < 0.0;
    let mut close = false;
    for (slot, shape) in out.iter_mut().zip(shapes) {
        let value = multiply_add::<FUSED>(reach.amplitude, *shape, reach.base);
        let rounded = T::rounded_normal(value, negative);
        *slot = if T::ZERO_IS_NORMAL || value != 0.0 { rounded } else { T::zeroed() };
        close |= value.is_close(window);
    }
    close
}

/// The columns of a run that are too close to call.
#[cold]
fn close_columns<const FUSED: bool>(shapes: &[f64], reach: Reach, window: &Window, run: &Run) -> u64 {
    let mut columns = 0;
    for column in run.from..run.to {
        let value = multiply_add::<FUSED>(reach.amplitude, shapes[column - run.from], reach.base);
        columns |= u64::from(value.is_close(window)) << column;
    }
    columns
}

/// Approximations in lanes, as [`Sample`](crate::cpu::sample::Sample) is one.
struct Samples {
    value: [f64; WIDTH],
    magnitude: [f64; WIDTH],
    slack: [f64; WIDTH],
}

impl Samples {
    /// A known number.
    #[inline(always)]
    fn rounded(value: f64) -> Self {
        let magnitude = value.abs();
        Self { value: [value; WIDTH], magnitude: [magnitude; WIDTH], slack: [magnitude * ROUNDING; WIDTH] }
    }

    #[inline(always)]
    fn multiply(&mut self, other: &Self, from: usize, to: usize) {
        for lane in from..to {
            let magnitude = self.magnitude[lane] * other.magnitude[lane];
            let crossed = self.slack[lane] * (other.magnitude[lane] + other.slack[lane])
                + self.magnitude[lane] * other.slack[lane];
            self.value[lane] *= other.value[lane];
            self.magnitude[lane] = magnitude;
            self.slack[lane] = crossed + magnitude * ROUNDING;
        }
    }

    #[inline(always)]
    fn add(&mut self, offset: f64, from: usize, to: usize) {
        for lane in from..to {
            let magnitude = self.magnitude[lane] + offset.abs();
            self.value[lane] += offset;
            self.magnitude[lane] = magnitude;
            self.slack[lane] += offset.abs() * ROUNDING + magnitude * ROUNDING;
        }
    }

    #[inline(always)]
    fn clamp(&mut self, clamp: &Clamp, from: usize, to: usize) {
        for lane in from..to {
            let (value, slack) = (self.value[lane], self.slack[lane]);
            let below = value + slack < clamp.lower;
            let above = value - slack > clamp.upper;
            let least = if value < clamp.lower { clamp.lower } else { value };
            let bounded = if least > clamp.upper { clamp.upper } else { least };
            let decided = below || above;
            self.value[lane] = bounded;
            self.slack[lane] = if decided { 0.0 } else { slack };
            self.magnitude[lane] = if decided { bounded.abs() } else { self.magnitude[lane] };
        }
    }
}

/// As [`fill_stage`], for any stage.
#[inline(always)]
fn fill_product<T: Rounded, const FUSED: bool>(
    pattern: &Pattern,
    stage: &StageColumns,
    segments: &[PackedSegment],
    out: &mut [T],
) -> u64 {
    let (from, to) = (stage.from, stage.from + lanes(stage.to - stage.from));
    let mut product = Samples::rounded(stage.scale);
    let mut least = stage.scale.abs();
    for (index, track) in pattern.tracks[stage.first..stage.end].iter().enumerate() {
        let mut factor = Samples::rounded(0.0);
        let mut least_factor = f64::INFINITY;
        for run in &pattern.runs[track.first..track.end] {
            let reach = Reach::of(&segments[run.segment]);
            let roundings = run.roundings + VALUE_ROUNDINGS;
            for lane in run.from..run.from + lanes(run.to - run.from) {
                let moved = reach.amplitude * pattern.shapes[index][lane];
                factor.value[lane] = reach.base + moved;
                factor.magnitude[lane] = reach.base.abs() + moved.abs();
                factor.slack[lane] = ROUNDING * (2.0 * reach.base.abs() + roundings * moved.abs());
            }
            let zero = reach.base == 0.0 && reach.amplitude == 0.0;
            least_factor = if zero { least_factor } else { least_factor.min(reach.least(run)) };
        }
        if track.clamp != Clamp::NONE {
            factor.clamp(&track.clamp, from, to);
        }
        least *= least_factor.min(1.0);
        product.multiply(&factor, from, to);
    }
    product.add(stage.offset, from, to);
    if stage.clamp != Clamp::NONE {
        product.clamp(&stage.clamp, from, to);
    }
    // Only far from underflow is a 0 without slack a true one. NaN must not pass either.
    let certain = least >= LEAST_MAGNITUDE || stage.scale == 0.0;
    let mut close = [0_u8; WIDTH];
    for lane in from..to {
        let (value, slack) = (product.value[lane], product.slack[lane]);
        let (rounded, close_one) = <T as Rounded>::rounded(value, slack);
        let usable = value.abs() < 1e250 && (slack < value.abs() || (slack == 0.0 && certain));
        out[lane] = rounded;
        close[lane] = u8::from(close_one || !usable);
    }
    let mut columns = 0;
    for lane in from..stage.to {
        columns |= u64::from(close[lane]) << lane;
    }
    columns
}
