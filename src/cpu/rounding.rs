//! Rounding an approximation once, and knowing when it is too close to call (Ziv's test).
//!
//! An approximation `v` with `|v − exact| ≤ slack` decides the rounded value unless a midpoint between
//! two neighbours of the element type lies within `slack` of it.

use half::{bf16, f16};

use super::working::{Window, Working};
use crate::element::Element;

/// Values that the kernel rounds at a time: many enough that the compiler keeps its loops, and so
/// vectorises them at full width instead of unrolling them.
pub const LANES: usize = 64;

/// Bits after the first of an `f64`.
const F64_FRACTION: u32 = 52;

/// What is known of the values of a block, all of one sign.
#[derive(Clone, Copy, Debug)]
pub struct Tolerance {
    /// Absolute bound on the error.
    pub slack: f64,
    /// No magnitude is less.
    pub least: f64,
    /// No magnitude is greater.
    pub greatest: f64,
    /// Whether the values are below zero.
    pub negative: bool,
}

/// An element type that values are rounded to.
pub trait Rounded: Element {
    /// Bits after the first.
    const FRACTION: u32;
    /// The least and the greatest exponent of normal numbers.
    const EXPONENTS: (i32, i32);
    /// Whether an `f64` approximation can decide the value at all.
    const FROM_F64: bool = true;
    /// Whether it has 16 bits, so few that `f32` lanes decide nearly every value.
    const IS_NARROW: bool = false;
    /// Whether [`Rounded::rounded_normal`] is right for 0 too.
    const ZERO_IS_NORMAL: bool = false;
    /// The same values as doubles, where they are.
    fn as_doubles(_values: &mut [Self]) -> Option<&mut [f64]> {
        None
    }

    /// The same values as singles, where they are.
    #[inline(always)]
    fn as_singles(_values: &mut [Self]) -> Option<&mut [f32]> {
        None
    }

    /// The bits of the same values, where they are narrow.
    #[inline(always)]
    fn as_narrow(_values: &mut [Self]) -> Option<&mut [u16]> {
        None
    }

    /// What leaving out the last terms of a piece may add to its error, relative to its least value: small
    /// beside the distance of midpoints, so that few values are too close to call.
    const LARGEST_REMAINDER: f64;
    /// What the lanes of a long block compute in.
    type Working: Working;

    /// Rounds a lane's value of the normal range that is not close to a midpoint.
    fn from_working(value: Self::Working, negative: bool) -> Self;

    /// Rounds an approximation with `|value| < 2^900`; also whether it is too close to call.
    fn rounded(value: f64, slack: f64) -> (Self, bool);

    /// Rounds a value of the normal range that is not close to a midpoint.
    fn rounded_normal(value: f64, negative: bool) -> Self;

    /// The window for [`Rounded::round_lanes`].
    #[inline(always)]
    fn window(tolerance: &Tolerance) -> Option<Window> {
        Window::new::<Self, f64>(tolerance, 2.0)
    }

    /// Rounds many, with [`Rounded::window`]; whether any is too close to call.
    #[inline(always)]
    fn round_lanes(
        values: &[f64; LANES],
        tolerance: &Tolerance,
        window: Option<&Window>,
        out: &mut [Self; LANES],
    ) -> bool {
        let Some(window) = window else {
            let mut close = false;
            // What underflows may be less than its own error: its sign is that of the others.
            let (underflown, _) = <Self as Rounded>::rounded(if tolerance.negative { -0.0 } else { 0.0 }, 0.0);
            for (slot, value) in out.iter_mut().zip(values) {
                let (rounded, close_one) = <Self as Rounded>::rounded(*value, tolerance.slack);
                *slot = if rounded == underflown && *value != 0.0 { underflown } else { rounded };
                close |= close_one;
            }
            return close;
        };
        let mut close = false;
        for (slot, value) in out.iter_mut().zip(values) {
            *slot = Self::rounded_normal(*value, tolerance.negative);
            close |= value.is_close(window);
        }
        close
    }
}

/// Rounds an approximation, or nothing where it is too close to call.
pub fn round_certain<T: Rounded>(value: f64, slack: f64) -> Option<T> {
    // Beyond this the arithmetic below could overflow; NaN fails the comparison too.
    let usable = T::FROM_F64 && value.abs() < 1e250 && slack < value.abs();
    if !usable {
        return None;
    }
    let (rounded, close) = T::rounded(value, slack);
    (!close).then_some(rounded)
}

/// The bit pattern (without sign) of a magnitude rounded to `FRACTION` bits after the first, exponents
/// from `MINIMUM_EXPONENT` up; also whether a midpoint lies within `slack`.
///
/// Adding a power of two 2^(52 − FRACTION) times larger leaves the rounded magnitude, counted in units
/// of its last place, in the low bits of the sum: normal and subnormal numbers alike.
#[inline(always)]
fn pattern<const FRACTION: u32, const MINIMUM_EXPONENT: i32>(magnitude: f64, slack: f64) -> (u64, bool) {
    const EXPONENT_MASK: u64 = 0x7ff << 52;
    let smallest = f64::from_bits(((1023 + MINIMUM_EXPONENT) as u64) << 52);
    let lift = f64::from_bits((1023 + 52 - FRACTION as u64) << 52);
    let half_unit = f64::from_bits((1023 - FRACTION as u64 - 1) << 52);
    let power = f64::from_bits(magnitude.to_bits() & EXPONENT_MASK);
    let power = if power < smallest { smallest } else { power };
    let lifted = power * lift;
    let sum = magnitude + lifted;
    let dropped = (magnitude - (sum - lifted)).abs();
    let units = sum.to_bits() & ((1 << (FRACTION + 2)) - 1);
    let exponent_field = (power.to_bits() - smallest.to_bits()) >> (52 - FRACTION);
    // A carry out of the fraction runs into the exponent, as it should. What is not a number is not certain either.
    let certain = dropped + slack < power * half_unit;
    (exponent_field.wrapping_add(units), !certain)
}

/// The 16 bits of a normal number: the fraction cut to `FRACTION` bits and the exponent shifted.
///
/// Rounds halves up, which no caller sees: a half is too close to call.
#[inline(always)]
fn half_width<const FRACTION: u32, const BIAS: u64>(value: f64, negative: bool) -> u16 {
    let rounded = (value.to_bits() + (1 << (F64_FRACTION - FRACTION - 1))) >> (F64_FRACTION - FRACTION);
    let bias = ((1023 - BIAS) << FRACTION) as u16;
    let sign = if negative { 1 << 15 } else { 0 };
    // The upper bits, sign and all, fall off; what is left is below the sign.
    (rounded as u16).wrapping_sub(bias) & 0x7fff | sign
}

impl Rounded for f64 {
    const FRACTION: u32 = 51;
    const EXPONENTS: (i32, i32) = (-1022, 1023);
    const FROM_F64: bool = false;
    const LARGEST_REMAINDER: f64 = 0.0;
    type Working = f64;
    fn as_doubles(values: &mut [Self]) -> Option<&mut [f64]> {
        Some(values)
    }
    #[inline(always)]
    fn from_working(value: f64, _negative: bool) -> Self {
        value
    }
    #[inline(always)]
    fn rounded(value: f64, _slack: f64) -> (Self, bool) {
        (value, true)
    }
    #[inline(always)]
    fn rounded_normal(value: f64, _negative: bool) -> Self {
        value
    }
}

impl Rounded for f32 {
    const ZERO_IS_NORMAL: bool = true;
    const FRACTION: u32 = 23;
    const EXPONENTS: (i32, i32) = (-126, 127);
    const LARGEST_REMAINDER: f64 = 1.0 / (1u64 << 37) as f64;
    type Working = f64;
    #[inline(always)]
    fn as_singles(values: &mut [Self]) -> Option<&mut [f32]> {
        Some(values)
    }
    #[inline(always)]
    fn from_working(value: f64, _negative: bool) -> Self {
        value as Self
    }
    #[inline(always)]
    fn rounded(value: f64, slack: f64) -> (Self, bool) {
        let (bits, close) = pattern::<23, -126>(value.abs(), slack);
        let sign = (value.to_bits() >> 32) as u32 & (1 << 31);
        (Self::from_bits(bits.min(0x7f80_0000) as u32 | sign), close)
    }
    #[inline(always)]
    fn rounded_normal(value: f64, _negative: bool) -> Self {
        value as Self
    }
}

impl Rounded for f16 {
    const IS_NARROW: bool = true;
    const FRACTION: u32 = 10;
    const EXPONENTS: (i32, i32) = (-14, 15);
    const LARGEST_REMAINDER: f64 = 1.0 / (1u64 << 26) as f64;
    type Working = f32;
    #[inline(always)]
    fn as_narrow(values: &mut [Self]) -> Option<&mut [u16]> {
        Some(bytemuck::cast_slice_mut(values))
    }
    #[inline(always)]
    fn from_working(value: f32, negative: bool) -> Self {
        let rounded = (value.to_bits() + (1 << 12)) >> 13;
        Self::from_bits((rounded as u16).wrapping_sub(112 << 10) & 0x7fff | if negative { 1 << 15 } else { 0 })
    }
    #[inline(always)]
    fn rounded(value: f64, slack: f64) -> (Self, bool) {
        let (bits, close) = pattern::<10, -14>(value.abs(), slack);
        let sign = (value.to_bits() >> 48) as u16 & (1 << 15);
        (Self::from_bits(bits.min(0x7c00) as u16 | sign), close)
    }
    #[inline(always)]
    fn rounded_normal(value: f64, negative: bool) -> Self {
        Self::from_bits(half_width::<10, 15>(value, negative))
    }
}

impl Rounded for bf16 {
    const IS_NARROW: bool = true;
    const FRACTION: u32 = 7;
    const EXPONENTS: (i32, i32) = (-126, 127);
    const LARGEST_REMAINDER: f64 = 1.0 / (1u64 << 26) as f64;
    type Working = f32;
    #[inline(always)]
    fn as_narrow(values: &mut [Self]) -> Option<&mut [u16]> {
        Some(bytemuck::cast_slice_mut(values))
    }
    #[inline(always)]
    fn from_working(value: f32, _negative: bool) -> Self {
        Self::from_bits(((value.to_bits() + (1 << 15)) >> 16) as u16)
    }
    #[inline(always)]
    fn rounded(value: f64, slack: f64) -> (Self, bool) {
        let (bits, close) = pattern::<7, -126>(value.abs(), slack);
        let sign = (value.to_bits() >> 48) as u16 & (1 << 15);
        (Self::from_bits(bits.min(0x7f80) as u16 | sign), close)
    }
    #[inline(always)]
    fn rounded_normal(value: f64, negative: bool) -> Self {
        Self::from_bits(half_width::<7, 127>(value, negative))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::double_double::DoubleDouble;

    /// Values around every kind of boundary: midpoints, binades, the subnormal range, overflow.
    fn awkward() -> Vec<f64> {
        let mut values = vec![0.0, 1e-300, 65503.9, 65519.99, 65520.0, 65520.01, 3.4028235e38, 3.4028236e38, 1e40];
        for exponent in [-150, -149, -140, -134, -133, -127, -126, -25, -24, -20, -15, -14, -1, 0, 1, 15, 16, 127] {
            for fraction in [7, 10, 23] {
                let power = 2f64.powi(exponent);
                for tie in [1.0, 3.0, 2.0, 2f64.powi(fraction + 1) - 1.0] {
                    let value = power * (1.0 + tie * 2f64.powi(-fraction - 1));
                    values.extend([value.next_down(), value, value.next_up(), value * (1.0 + 1e-9)]);
                }
                values.extend([power.next_down(), power, power * 0.5, power * 0.75]);
            }
        }
        values.iter().flat_map(|value| [*value, -value]).collect()
    }

    fn patterns_round_like_the_definition<T: Rounded>() {
        for value in awkward() {
            let (rounded, _) = T::rounded(value, 0.0);
            let (got, want) = (rounded.to_f64().to_bits(), T::from_f64(value).to_f64().to_bits());
            assert_eq!(got, want, "{value:e} as {}", T::DTYPE.name());
            let slack = value.abs() * 1e-12;
            let decided = T::from_f64(value - slack) == T::from_f64(value + slack);
            if slack > 0.0 && round_certain::<T>(value, slack).is_some() {
                assert!(decided, "{value:e} as {} was not certain", T::DTYPE.name());
            }
        }
    }

    #[test]
    fn every_type_rounds_like_its_definition() {
        patterns_round_like_the_definition::<f32>();
        patterns_round_like_the_definition::<f16>();
        patterns_round_like_the_definition::<bf16>();
    }

    #[test]
    fn the_low_part_breaks_ties_and_only_ties() {
        let tie = 1.0 + 2f64.powi(-24);
        let above = 1.0 + 2f32.powi(-23);
        for (high, low, want) in [
            (tie, 0.0, 1.0),
            (tie, 1e-20, above),
            (tie, -1e-20, 1.0),
            (tie.next_down(), 1e-20, 1.0),
            (tie.next_up(), -1e-20, above),
            (-tie, 1e-20, -1.0),
            (-tie, -1e-20, -above),
        ] {
            assert_eq!(f32::from_exact(DoubleDouble::from_parts(high, low)), want, "{high} {low}");
        }
        assert_eq!(f64::from_exact(DoubleDouble::from_parts(1.0, 1e-20)), 1.0);
    }

    fn lanes_agree_with_single_values<T: Rounded>() {
        let slack = 2f64.powi(-44);
        let midpoint = 1.0 + 2f64.powi(-(T::FRACTION as i32) - 1);
        for sign in [1.0, -1.0] {
            let tolerance = Tolerance { slack, least: 1.0, greatest: 2.0, negative: sign < 0.0 };
            let window = T::window(&tolerance).expect("a normal range");
            let mut told = 0;
            for n in 0..4000_u64 {
                let value = sign * (midpoint + (n as f64 - 2000.0) * 2f64.powi(-52));
                let mut out = [T::zeroed(); LANES];
                let close = T::round_lanes(&[value; LANES], &tolerance, Some(&window), &mut out);
                told += u32::from(close);
                assert!(close || round_certain::<T>(value, slack) == Some(out[0]), "{n}");
                assert!(close || out[0] == T::from_f64(value), "{n}");
            }
            assert!((1000..2100).contains(&told), "{told} of 4000 are within 2^-44 of a midpoint, or four times that");
        }
        for (least, greatest) in [(2f64.powi(T::EXPONENTS.0), 1.0), (1.0, 2f64.powi(T::EXPONENTS.1) * 1.01)] {
            assert!(T::window(&Tolerance { slack: 0.0, least, greatest, negative: false }).is_none());
        }
    }

    #[test]
    fn lanes_and_single_values_agree_on_what_is_close() {
        lanes_agree_with_single_values::<f32>();
        lanes_agree_with_single_values::<f16>();
        lanes_agree_with_single_values::<bf16>();
    }
}
