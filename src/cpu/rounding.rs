//! Rounding an approximation once, and knowing when it is too close to call (Ziv's test).
//!
//! An approximation `v` with `|v − exact| ≤ slack` decides the rounded value unless a midpoint between
//! two neighbours of the element type lies within `slack` of it.

use half::{bf16, f16};

use crate::double_double::DoubleDouble;
use crate::element::Element;

/// Values that the kernel rounds at a time.
pub const LANES: usize = 32;

/// The bits of an `f64` that do not fit an `f32`.
const F32_DROPPED_BITS: u32 = 29;

/// How far from the truth the values of a block may be.
#[derive(Clone, Copy, Debug)]
pub struct Tolerance {
    /// Absolute bound on the error.
    slack: f64,
    /// Bit pattern, modulo the dropped bits, of the first `f64` too close to an `f32` midpoint.
    pattern_first: u64,
    /// How many patterns are too close; 0 where patterns do not tell, as in the subnormal range.
    pattern_count: u64,
}

impl Tolerance {
    /// For values of one sign with `least ≤ |value| ≤ greatest`, known to within `slack < least`.
    pub fn new(slack: f64, least: f64, greatest: f64) -> Self {
        let in_normal_range = least >= f64::from(f32::MIN_POSITIVE) * 2.0 && greatest <= f64::from(f32::MAX) / 2.0;
        // A unit in the last place is at least 2^-53 of the value; one more pays for rounding here.
        let units = slack / least * (1u64 << 53) as f64 + 2.0;
        let midpoint = 1 << (F32_DROPPED_BITS - 1);
        if !in_normal_range || units >= f64::from(midpoint) / 2.0 {
            return Self { slack, pattern_first: 0, pattern_count: 0 };
        }
        let units = units as u64;
        Self { slack, pattern_first: midpoint as u64 - units, pattern_count: 2 * units + 1 }
    }

    /// Absolute bound on the error.
    pub fn slack(&self) -> f64 {
        self.slack
    }
}

/// An element type that values are rounded to.
pub trait Rounded: Element {
    /// Whether an `f64` approximation can decide the value at all.
    const FROM_F64: bool = true;

    /// Rounds an approximation with `|value| < 2^900`; also whether it is too close to call.
    fn rounded(value: f64, slack: f64) -> (Self, bool);

    /// Rounds many; whether any is too close to call.
    #[inline(always)]
    fn round_lanes(values: &[f64; LANES], tolerance: &Tolerance, out: &mut [Self; LANES]) -> bool {
        let mut close = false;
        for (slot, value) in out.iter_mut().zip(values) {
            let (rounded, close_one) = Self::rounded(*value, tolerance.slack);
            *slot = rounded;
            close |= close_one;
        }
        close
    }

    /// Rounds a value known to 100 bits.
    fn round_exact(value: DoubleDouble) -> Self {
        Self::from_f64(rounded_to_odd(value))
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

/// The value as an `f64` whose last bit is sticky, so that rounding it again is right for up to 51 bits.
fn rounded_to_odd(value: DoubleDouble) -> f64 {
    let (high, low) = (value.high(), value.low());
    if low == 0.0 || high == 0.0 || !high.is_finite() {
        return high;
    }
    let towards_zero = (high > 0.0) != (low > 0.0);
    f64::from_bits((high.to_bits() - u64::from(towards_zero)) | 1)
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
    // A carry out of the fraction runs into the exponent, as it should.
    (exponent_field + units, dropped + slack >= power * half_unit)
}

impl Rounded for f64 {
    const FROM_F64: bool = false;
    #[inline(always)]
    fn rounded(value: f64, _slack: f64) -> (Self, bool) {
        (value, true)
    }
    fn round_exact(value: DoubleDouble) -> Self {
        value.high()
    }
}

impl Rounded for f32 {
    #[inline(always)]
    fn rounded(value: f64, slack: f64) -> (Self, bool) {
        let (bits, close) = pattern::<23, -126>(value.abs(), slack);
        let sign = (value.to_bits() >> 32) as u32 & (1 << 31);
        (Self::from_bits(bits.min(0x7f80_0000) as u32 | sign), close)
    }

    #[inline(always)]
    fn round_lanes(values: &[f64; LANES], tolerance: &Tolerance, out: &mut [Self; LANES]) -> bool {
        if tolerance.pattern_count == 0 {
            let mut close = false;
            for (slot, value) in out.iter_mut().zip(values) {
                let (rounded, close_one) = Self::rounded(*value, tolerance.slack);
                *slot = rounded;
                close |= close_one;
            }
            return close;
        }
        let mut close = 0;
        for (slot, value) in out.iter_mut().zip(values) {
            *slot = *value as Self;
            let distance = value.to_bits().wrapping_sub(tolerance.pattern_first) & ((1 << F32_DROPPED_BITS) - 1);
            // Negative, so the top bit is set, where the pattern is one of the close ones.
            close |= distance.wrapping_sub(tolerance.pattern_count);
        }
        close >> 63 != 0
    }
}

impl Rounded for f16 {
    #[inline(always)]
    fn rounded(value: f64, slack: f64) -> (Self, bool) {
        let (bits, close) = pattern::<10, -14>(value.abs(), slack);
        let sign = (value.to_bits() >> 48) as u16 & (1 << 15);
        (Self::from_bits(bits.min(0x7c00) as u16 | sign), close)
    }
}

impl Rounded for bf16 {
    #[inline(always)]
    fn rounded(value: f64, slack: f64) -> (Self, bool) {
        let (bits, close) = pattern::<7, -126>(value.abs(), slack);
        let sign = (value.to_bits() >> 48) as u16 & (1 << 15);
        (Self::from_bits(bits.min(0x7f80) as u16 | sign), close)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            assert_eq!(f32::round_exact(DoubleDouble::from_parts(high, low)), want, "{high} {low}");
        }
        assert_eq!(f64::round_exact(DoubleDouble::from_parts(1.0, 1e-20)), 1.0);
    }

    #[test]
    fn lanes_and_single_values_agree_on_what_is_close() {
        let slack = 2f64.powi(-44);
        let tolerance = Tolerance::new(slack, 1.0, 2.0);
        assert!(tolerance.pattern_count > 0);
        for n in 0..4000_u64 {
            let value = 1.0 + 2f64.powi(-24) + (n as f64 - 2000.0) * 2f64.powi(-52);
            let mut out = [0f32; LANES];
            let close = f32::round_lanes(&[value; LANES], &tolerance, &mut out);
            assert!(close || round_certain::<f32>(value, slack) == Some(out[0]), "{n}");
            assert_eq!(out[0], value as f32);
        }
    }
}
