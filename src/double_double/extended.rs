//! Double-double numbers with a separate exponent, for products of curves with intermediate results beyond `f64`.

use std::cmp::Ordering;
use std::ops::{Add, Div, Mul, Neg, Sub};

use super::DoubleDouble;
use super::functions::LOG2_E;

/// The largest magnitude of an exponent; larger exponents saturate.
const MOST: i64 = 1 << 60;

/// The difference of exponents from which a sum equals its larger term.
const FAR_APART: i64 = 240;

/// `mantissa · 2^exponent` with `|mantissa|` in [1, 2), or 0: about 106 bits without overflow.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Extended {
    mantissa: DoubleDouble,
    exponent: i64,
}

impl Extended {
    /// Zero.
    pub const ZERO: Self = Self { mantissa: DoubleDouble::ZERO, exponent: 0 };
    /// One.
    pub const ONE: Self = Self { mantissa: DoubleDouble::ONE, exponent: 0 };

    fn new(mantissa: DoubleDouble, exponent: i64) -> Self {
        if mantissa.high == 0.0 {
            return Self::ZERO;
        }
        if mantissa.high.is_nan() {
            // The largest exponent, so that no sum absorbs it.
            return Self { mantissa, exponent: MOST };
        }
        let lift = mantissa.exponent();
        let exponent = exponent.saturating_add(lift.into()).clamp(-MOST, MOST);
        Self { mantissa: mantissa.scaled_by_power_of_two(-lift), exponent }
    }

    /// 2^octaves.
    #[must_use]
    pub fn exp2(octaves: DoubleDouble) -> Self {
        let whole = octaves.high.round();
        if whole.abs() >= MOST as f64 {
            return Self { mantissa: DoubleDouble::ONE, exponent: if whole > 0.0 { MOST } else { -MOST } };
        }
        let fraction = DoubleDouble::exact_sum(octaves.high - whole, octaves.low);
        Self::new(fraction.small_exp2_m1() + DoubleDouble::ONE, whole as i64)
    }

    /// 2^self − 1 without cancellation near zero.
    #[must_use]
    pub fn exp2_m1(self) -> Self {
        if self.exponent < -FAR_APART {
            return self * Self::from(DoubleDouble::LN_2);
        }
        let octaves = self.rounded();
        if octaves.high.abs() <= 0.5 { octaves.small_exp2_m1().into() } else { Self::exp2(octaves) - Self::ONE }
    }

    /// log2(1 + self) without cancellation near zero; self above −1.
    #[must_use]
    pub fn log2_1p(self) -> Self {
        if self.exponent < -FAR_APART {
            return self * Self::from(LOG2_E);
        }
        if self.exponent > FAR_APART {
            return self.log2().into();
        }
        self.rounded().log2_1p().into()
    }

    /// log2(self) for a positive value.
    #[must_use]
    pub fn log2(self) -> DoubleDouble {
        // For a value just below 1, the logarithm of its mantissa near 2 would cancel with the exponent −1.
        let above = self.mantissa.high > std::f64::consts::SQRT_2;
        let mantissa = if above { self.mantissa * 0.5 } else { self.mantissa };
        mantissa.log2() + (self.exponent + i64::from(above)) as f64
    }

    /// self^exponent for self ≥ 0; 0^0 is 1, and 0 to a negative power is beyond every `f64`.
    #[must_use]
    pub fn powf(self, exponent: DoubleDouble) -> Self {
        if exponent.high == 0.0 || self == Self::ONE {
            return Self::ONE;
        }
        if self.mantissa.high == 0.0 {
            return if exponent.high > 0.0 { self } else { Self { mantissa: DoubleDouble::ONE, exponent: MOST } };
        }
        if exponent == DoubleDouble::ONE {
            return self;
        }
        Self::exp2(self.log2() * exponent)
    }

    /// The value rounded to about 106 bits; infinite beyond the range of `f64`.
    #[must_use]
    pub fn rounded(self) -> DoubleDouble {
        let rounded = self.mantissa.scaled_by_power_of_two(self.exponent.clamp(-2400, 2400) as i32);
        // A value that underflows to 0 keeps its sign, as in every narrower type.
        if rounded.high == 0.0 && self.mantissa.high < 0.0 { DoubleDouble { high: -0.0, low: 0.0 } } else { rounded }
    }

    /// The value rounded to the nearest `f64`.
    #[must_use]
    pub fn high(self) -> f64 {
        self.rounded().high
    }

    /// The absolute value.
    #[must_use]
    pub fn abs(self) -> Self {
        Self { mantissa: self.mantissa.abs(), ..self }
    }
}

impl From<DoubleDouble> for Extended {
    fn from(number: DoubleDouble) -> Self {
        Self::new(number, 0)
    }
}

impl From<f64> for Extended {
    fn from(number: f64) -> Self {
        DoubleDouble::from(number).into()
    }
}

impl Neg for Extended {
    type Output = Self;
    fn neg(self) -> Self {
        Self { mantissa: -self.mantissa, ..self }
    }
}

impl Add for Extended {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        let (large, small) = match () {
            () if self.mantissa.high == 0.0 => return other,
            () if other.mantissa.high == 0.0 => return self,
            () if self.exponent >= other.exponent => (self, other),
            () => (other, self),
        };
        let apart = large.exponent - small.exponent;
        if apart > FAR_APART {
            return large;
        }
        Self::new(large.mantissa + small.mantissa.scaled_by_power_of_two(-apart as i32), large.exponent)
    }
}

impl Sub for Extended {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Mul for Extended {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        Self::new(self.mantissa * other.mantissa, self.exponent + other.exponent)
    }
}

impl Div for Extended {
    type Output = Self;
    fn div(self, other: Self) -> Self {
        Self::new(self.mantissa / other.mantissa, self.exponent - other.exponent)
    }
}

impl PartialOrd for Extended {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (*self - *other).mantissa.high.partial_cmp(&0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_leave_the_range_of_f64_and_come_back() {
        let growth = Extended::exp2(5000.0.into());
        assert_eq!((growth * Extended::exp2((-5001.5).into())).rounded(), Extended::exp2((-1.5).into()).rounded());
        assert_eq!((growth * Extended::ZERO).high(), 0.0);
        assert!((growth + Extended::from(f64::NAN) * Extended::exp2((-900.0).into())).high().is_nan());
        assert_eq!((growth - growth).high(), 0.0);
        assert_eq!(
            (growth.high(), (-growth).high(), (Extended::ONE / growth).high()),
            (f64::INFINITY, f64::NEG_INFINITY, 0.0)
        );
        assert!(
            growth > Extended::from(f64::MAX) && -growth < Extended::ZERO && Extended::ONE / growth > Extended::ZERO
        );
    }

    #[test]
    fn agrees_with_double_doubles_within_their_range() {
        let before_one = Extended::from(DoubleDouble::exact_sum(1.0, -1e-17));
        assert_eq!(before_one.log2(), DoubleDouble::exact_sum(1.0, -1e-17).log2());
        for x in [0.0, 1e-12, 0.3, 0.75, 1.0, 37.2, 1e9] {
            let (wide, plain) = (Extended::from(x), DoubleDouble::from(x));
            let close = |a: DoubleDouble, b: DoubleDouble| (a - b).high().abs() <= 1e-29 * b.high().abs();
            assert!(close(wide.log2_1p().rounded(), plain.log2_1p()), "log2_1p {x}");
            assert!(close((-wide).exp2_m1().rounded(), (-plain).exp2_m1()), "exp2_m1 {x}");
            assert!(close(wide.powf(0.25.into()).rounded(), plain.powf(0.25.into())), "powf {x}");
            assert!(close((wide + Extended::from(0.1)).rounded(), plain + 0.1), "add {x}");
        }
        assert_eq!(Extended::from(1e-300).powf(4.0.into()).high(), 0.0);
        assert_eq!(Extended::from(1e-300).powf(4.0.into()).powf(0.25.into()).high(), 1e-300);
    }
}
