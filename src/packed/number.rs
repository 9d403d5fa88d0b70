//! A number of the parameter block: sign, exponent and a 64-bit mantissa in three words.
//!
//! It is wider than `f64`, so that `n · rate` keeps its fraction at 2^53 steps, and it consists of integers, so that a
//! shader needs no floating point to read it.

use bytemuck::{Pod, Zeroable};

use crate::double_double::DoubleDouble;

/// The bias that makes exponents positive in [`PackedNumber::head`].
pub const EXPONENT_BIAS: i32 = 16384;

/// The sign's bit in [`PackedNumber::head`].
pub const SIGN_BIT: u32 = 1 << 31;

/// `± 0.mantissa · 2^exponent`, the mantissa's top bit set; all words 0 for zero.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct PackedNumber {
    /// [`SIGN_BIT`], and the exponent plus [`EXPONENT_BIAS`].
    pub head: u32,
    /// Upper half of the mantissa.
    pub high: u32,
    /// Lower half of the mantissa.
    pub low: u32,
}

impl PackedNumber {
    /// Zero.
    pub const ZERO: Self = Self { head: 0, high: 0, low: 0 };

    /// An exponent beyond every finite number's, for infinite bounds.
    const INFINITE_EXPONENT: i32 = 8191;

    /// The exponent of `0.mantissa · 2^exponent`.
    #[must_use]
    pub fn exponent(self) -> i32 {
        (self.head & !SIGN_BIT) as i32 - EXPONENT_BIAS
    }

    /// The whole mantissa.
    #[must_use]
    pub fn mantissa(self) -> u64 {
        u64::from(self.high) << 32 | u64::from(self.low)
    }

    /// The residual `|value| − |self|` of a `value` that rounds to this number, in 2^-64 units in the last place.
    #[must_use]
    pub fn rest(self, value: DoubleDouble) -> i64 {
        let near = DoubleDouble::from(self);
        let outwards = if self.head & SIGN_BIT == 0 { value - near } else { near - value };
        // The residual is at most 2^63; the cast saturates at 2^63 − 1.
        if self.mantissa() == 0 { 0 } else { outwards.scaled_by_power_of_two(128 - self.exponent()).high() as i64 }
    }

    /// This number with a residual added to its magnitude, in 2^-64 units in the last place.
    #[must_use]
    pub fn with_rest(self, rest: i64) -> DoubleDouble {
        let outwards = DoubleDouble::from(rest.unsigned_abs()).scaled_by_power_of_two(self.exponent() - 128);
        let near = DoubleDouble::from(self);
        if (rest < 0) == (self.head & SIGN_BIT == 0) { near - outwards } else { near + outwards }
    }

    fn new(negative: bool, exponent: i32, mantissa: u64) -> Self {
        let head = (exponent + EXPONENT_BIAS) as u32 | if negative { SIGN_BIT } else { 0 };
        Self { head, high: (mantissa >> 32) as u32, low: mantissa as u32 }
    }
}

impl From<DoubleDouble> for PackedNumber {
    /// Rounds to 64 bits; an infinity becomes a number beyond every finite one.
    fn from(value: DoubleDouble) -> Self {
        let (high, negative) = (value.high(), value.high() < 0.0);
        if high == 0.0 || high.is_nan() {
            return Self::ZERO;
        }
        if high.is_infinite() {
            return Self::new(negative, Self::INFINITE_EXPONENT, 1 << 63);
        }
        let (integer, power) = integer_and_power(high.abs());
        let lift = integer.leading_zeros() as i32;
        let (mantissa, exponent) = (integer << lift, power - lift + 64);
        if value.low() == 0.0 {
            return Self::new(negative, exponent, mantissa);
        }
        // The value scaled by 2^40, an integer: `low` is at most half a unit of 53 bits, which is 2^51 here.
        let low = DoubleDouble::from(value.low()).scaled_by_power_of_two(64 - exponent + 40).high().round() as i64;
        let whole = (u128::from(mantissa) << 40).wrapping_add_signed(i128::from(if negative { -low } else { low }));
        let lift = whole.leading_zeros() as i32;
        let (whole, exponent) = (whole << lift, exponent + 24 - lift);
        match ((whole >> 64) as u64).checked_add(whole as u64 >> 63) {
            Some(mantissa) => Self::new(negative, exponent, mantissa),
            None => Self::new(negative, exponent + 1, 1 << 63),
        }
    }
}

impl From<f64> for PackedNumber {
    fn from(value: f64) -> Self {
        DoubleDouble::from(value).into()
    }
}

impl From<PackedNumber> for DoubleDouble {
    fn from(number: PackedNumber) -> Self {
        if number.mantissa() == 0 {
            return Self::ZERO;
        }
        let sign = if number.head & SIGN_BIT == 0 { 1.0 } else { -1.0 };
        if number.exponent() == PackedNumber::INFINITE_EXPONENT {
            return Self::from(sign * f64::INFINITY);
        }
        (Self::from(number.mantissa()) * sign).scaled_by_power_of_two(number.exponent() - 64)
    }
}

/// A positive finite `f64` as `integer · 2^power`.
fn integer_and_power(value: f64) -> (u64, i32) {
    let bits = value.to_bits();
    let (field, fraction) = ((bits >> 52) as i32, bits & ((1 << 52) - 1));
    if field == 0 { (fraction, -1074) } else { (fraction | 1 << 52, field - 1075) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f64_survive_packing() {
        for value in [1.0, -1.0, 3e-4, 1e-38, 5e-324, f64::MIN_POSITIVE, f64::MAX, -0.1, 9.007199254740991e15] {
            assert_eq!(DoubleDouble::from(PackedNumber::from(value)), DoubleDouble::from(value), "{value:e}");
        }
        assert_eq!(f64::from(DoubleDouble::from(PackedNumber::from(f64::NEG_INFINITY))), f64::NEG_INFINITY);
        assert_eq!(PackedNumber::from(-0.0), PackedNumber::ZERO);
    }

    #[test]
    fn double_doubles_keep_64_bits() {
        for n in 1..2000_u64 {
            for value in [DoubleDouble::ONE / DoubleDouble::from(n * n), DoubleDouble::from(n).log2() * -1e-7] {
                let back = DoubleDouble::from(PackedNumber::from(value));
                let error = ((back - value).high() / value.high()).abs();
                assert!(value.high() == 0.0 || error <= 2f64.powi(-64), "{n}: {error:e}");
                let number = PackedNumber::from(value);
                assert_eq!(number.with_rest(number.rest(value)), value, "{n}");
            }
        }
    }

    #[test]
    fn a_mantissa_that_rounds_past_its_top_carries() {
        let just_below_two = DoubleDouble::exact_sum(2.0, -1e-25);
        assert_eq!(DoubleDouble::from(PackedNumber::from(just_below_two)), DoubleDouble::from(2.0));
    }
}
