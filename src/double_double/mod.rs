//! Double-double arithmetic: a value as the unevaluated sum of two `f64`, about 106 bits.
//!
//! Formulas of schedules cancel (`1 + cos x` near π), and `rate^(s/d)` magnifies the rounding error of its exponent by
//! a factor of hundreds; with 106 bits neither affects the last bit of an `f64`. The reference computes its formulas in
//! this type, and the CPU engine falls back to it where rounding is ambiguous.
//!
//! Sums and products follow Joldeș, Muller and Popescu, *Tight and rigorous error bounds for basic
//! building blocks of double-word arithmetic* (2017).

mod expansion;
mod extended;
mod functions;

use std::cmp::Ordering;
use std::ops::{Add, Div, Mul, Neg, Sub};

pub use expansion::Expansion;
pub use extended::Extended;

/// The unevaluated sum `high + low`, with `high` the sum rounded to `f64`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct DoubleDouble {
    /// The sum rounded to nearest.
    high: f64,
    /// The rounding error: at most half a unit in the last place of `high`.
    low: f64,
}

/// 2^exponent, for exponents of normal numbers.
#[inline(always)]
pub(crate) const fn power_of_two(exponent: i32) -> f64 {
    f64::from_bits(((1023 + exponent) as u64) << 52)
}

impl DoubleDouble {
    /// Zero.
    pub const ZERO: Self = Self { high: 0.0, low: 0.0 };
    /// The natural logarithm of 2.
    pub const LN_2: Self = Self { high: std::f64::consts::LN_2, low: 2.3190468138462996e-17 };
    /// One.
    pub const ONE: Self = Self { high: 1.0, low: 0.0 };

    /// `high + low`, for parts that satisfy the type's invariant.
    #[inline]
    #[must_use]
    pub const fn from_parts(high: f64, low: f64) -> Self {
        Self { high, low }
    }

    /// The value rounded to the nearest `f64`.
    #[inline]
    #[must_use]
    pub const fn high(self) -> f64 {
        self.high
    }

    /// The error of rounding to `f64`: the exact value minus [`DoubleDouble::high`].
    #[inline]
    #[must_use]
    pub const fn low(self) -> f64 {
        self.low
    }

    /// The value rounded to `f64` to odd (with a sticky last bit): rounding the result to at most 51 bits is correct.
    #[must_use]
    pub fn to_odd(self) -> f64 {
        if self.low == 0.0 || self.high == 0.0 || !self.high.is_finite() {
            return self.high;
        }
        let towards_zero = (self.high > 0.0) != (self.low > 0.0);
        f64::from_bits((self.high.to_bits() - u64::from(towards_zero)) | 1)
    }

    /// The exact sum of two `f64`.
    #[inline]
    #[must_use]
    pub fn exact_sum(a: f64, b: f64) -> Self {
        let high = a + b;
        if !high.is_finite() {
            return Self { high, low: 0.0 };
        }
        let b_rounded = high - a;
        Self { high, low: (a - (high - b_rounded)) + (b - b_rounded) }
    }

    /// The exact product of two `f64`, barring underflow.
    #[inline]
    #[must_use]
    pub fn exact_product(a: f64, b: f64) -> Self {
        let high = a * b;
        if !high.is_finite() {
            return Self { high, low: 0.0 };
        }
        Self { high, low: a.mul_add(b, -high) }
    }

    /// The sum of two parts, of which `a` is the larger in magnitude or zero.
    #[inline]
    fn renormalized(a: f64, b: f64) -> Self {
        let high = a + b;
        if !high.is_finite() {
            return Self { high, low: 0.0 };
        }
        Self { high, low: b - (high - a) }
    }

    /// An integer, exact up to 2^106.
    #[inline]
    #[must_use]
    pub fn from_u128(n: u128) -> Self {
        if let Ok(n) = u64::try_from(n) {
            return Self::from(n);
        }
        let high = n as f64;
        // The difference overflows for values near 2^128, far past any step: saturate.
        let low = if (high as u128) <= n { (n - high as u128) as f64 } else { -((high as u128 - n) as f64) };
        Self::exact_sum(high, low)
    }

    /// One over an integer.
    #[must_use]
    pub fn one_over(n: u64) -> Self {
        Self::ONE / Self::from(n)
    }

    /// Whether both parts are finite.
    #[must_use]
    pub fn is_finite(self) -> bool {
        self.high.is_finite() && self.low.is_finite()
    }

    /// The absolute value.
    #[must_use]
    pub fn abs(self) -> Self {
        if self.high < 0.0 { -self } else { self }
    }

    /// `self · 2^power`, exact unless it underflows.
    #[must_use]
    pub fn scaled_by_power_of_two(self, power: i32) -> Self {
        // Two factors, because 2^power itself may lie outside the range of f64.
        let first = power.clamp(-1000, 1000);
        let second = (power - first).clamp(-1000, 1000);
        let (a, b) = (power_of_two(first), power_of_two(second));
        let high = self.high * a * b;
        if !high.is_finite() {
            return Self { high, low: 0.0 };
        }
        Self::renormalized(high, self.low * a * b)
    }

    /// The product of any number of values, without intermediate overflow or underflow.
    #[must_use]
    pub fn product(factors: impl Iterator<Item = Self>) -> Self {
        let mut exponents = 0_i32;
        let mantissas = factors.fold(Self::ONE, |product, factor| {
            let exponent = factor.exponent();
            exponents = exponents.saturating_add(exponent);
            product * factor.scaled_by_power_of_two(-exponent)
        });
        mantissas.scaled_by_power_of_two(exponents)
    }

    /// The exponent of the power of two at or below the magnitude; 0 for zero, infinity and NaN.
    fn exponent(self) -> i32 {
        if self.high == 0.0 || !self.high.is_finite() {
            return 0;
        }
        // A subnormal number has no exponent field: scale it first.
        let lift = if self.high.abs() < f64::MIN_POSITIVE { 64 } else { 0 };
        let lifted = self.scaled_by_power_of_two(lift).high;
        ((lifted.to_bits() >> 52) & 0x7ff) as i32 - 1023 - lift
    }
}

impl From<f64> for DoubleDouble {
    #[inline]
    fn from(value: f64) -> Self {
        Self { high: value, low: 0.0 }
    }
}

impl From<u64> for DoubleDouble {
    #[inline]
    fn from(n: u64) -> Self {
        // The two halves are exact, so their sum is.
        Self::exact_sum((n >> 32) as f64 * 4_294_967_296.0, (n & 0xffff_ffff) as f64)
    }
}

impl From<DoubleDouble> for f64 {
    #[inline]
    fn from(value: DoubleDouble) -> Self {
        value.high
    }
}

impl Neg for DoubleDouble {
    type Output = Self;
    #[inline]
    fn neg(self) -> Self {
        Self { high: -self.high, low: -self.low }
    }
}

impl Add for DoubleDouble {
    type Output = Self;
    #[inline]
    fn add(self, other: Self) -> Self {
        let high = Self::exact_sum(self.high, other.high);
        let low = Self::exact_sum(self.low, other.low);
        let first = Self::renormalized(high.high, high.low + low.high);
        Self::renormalized(first.high, first.low + low.low)
    }
}

impl Mul for DoubleDouble {
    type Output = Self;
    #[inline]
    fn mul(self, other: Self) -> Self {
        let product = Self::exact_product(self.high, other.high);
        if !product.high.is_finite() {
            return product;
        }
        let cross = self.high.mul_add(other.low, self.low * other.high);
        Self::renormalized(product.high, product.low + cross)
    }
}

impl Div for DoubleDouble {
    type Output = Self;
    fn div(self, other: Self) -> Self {
        let first = self.high / other.high;
        if !first.is_finite() || first == 0.0 {
            return Self { high: first, low: 0.0 };
        }
        if self.low == 0.0 && other.low == 0.0 {
            // The remainder of two f64 is an f64.
            let remainder = first.mul_add(-other.high, self.high);
            return Self::renormalized(first, remainder / other.high);
        }
        let remainder = self - other * first;
        let second = remainder.high / other.high;
        let rest = remainder - other * second;
        Self::renormalized(first, second) + rest.high / other.high
    }
}

impl Sub for DoubleDouble {
    type Output = Self;
    #[inline]
    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

macro_rules! with_f64 {
    ($($operation:ident $method:ident),*) => {$(
        impl $operation<f64> for DoubleDouble {
            type Output = Self;
            #[inline]
            fn $method(self, other: f64) -> Self {
                self.$method(Self::from(other))
            }
        }
    )*};
}
with_f64!(Add add, Sub sub, Mul mul, Div div);

impl PartialOrd for DoubleDouble {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match self.high.partial_cmp(&other.high) {
            Some(Ordering::Equal) => self.low.partial_cmp(&other.low),
            unequal => unequal,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Worst relative error allowed against the 400-bit values of `tests/data/double_double.tsv`.
    const TOLERANCE: f64 = 1.3e-30;

    #[test]
    fn agrees_with_400_bit_values() {
        let mut worst: std::collections::BTreeMap<&str, f64> = Default::default();
        for line in include_str!("../../tests/data/double_double.tsv").lines() {
            let mut columns = line.split('\t');
            let name = columns.next().unwrap();
            let mut number = || columns.next().unwrap().parse::<f64>().unwrap();
            let (a, b) = (DoubleDouble::from(number()), DoubleDouble::from(number()));
            let want = DoubleDouble::exact_sum(number(), number());
            let got = match name {
                "exp2" => a.exp2(),
                "exp2_m1" => a.exp2_m1(),
                "log2" => a.log2(),
                "log2_1p" => a.log2_1p(),
                "sin_half_pi" => a.sin_half_pi(),
                "sqrt" => a.sqrt(),
                "powf" => a.powf(b),
                "divide" => a / b,
                "multiply" => a * b,
                "add" => a + b,
                other => panic!("unknown function {other}"),
            };
            let error = ((got - want).high / want.high).abs();
            let entry = worst.entry(name).or_default();
            *entry = entry.max(error);
        }
        assert_eq!(worst.len(), 10, "every function is in the table");
        for (name, error) in worst {
            // Conditioning: x^b magnifies the error of log2 x by b·log2 x.
            let allowed = if name == "powf" || name == "exp2" { TOLERANCE * 300.0 } else { TOLERANCE };
            assert!(error <= allowed, "{name}: {error:e} relative");
        }
    }

    #[test]
    fn overflow_is_infinite_and_not_nan() {
        let infinity = DoubleDouble::from(2000.0).exp2();
        for value in [infinity * 1e-3, infinity * infinity, infinity + 1.0, DoubleDouble::from(1e300) * 1e300] {
            assert_eq!(value, DoubleDouble::from(f64::INFINITY));
        }
    }

    #[test]
    fn products_do_not_overflow_on_the_way() {
        let product = |factors: &[f64]| DoubleDouble::product(factors.iter().map(|&factor| factor.into())).high();
        assert_eq!(product(&[1e200, 1e200, 1e-300]), 1e200 * (1e200 * 1e-300));
        assert_eq!(product(&[2e-200, 2e-200, 1e300]), 2e-200 * (2e-200 * 1e300));
        assert_eq!(product(&[1e200, 1e200]), f64::INFINITY);
        assert_eq!(product(&[5e-324, -2.0]), -1e-323);
        assert_eq!(product(&[0.0, 3.0]), 0.0);
    }

    #[test]
    fn integers_are_exact() {
        for n in [0, 1, (1 << 53) - 1, (1 << 53) + 1, u64::MAX] {
            assert_eq!(DoubleDouble::from(n), DoubleDouble::from_u128(u128::from(n)));
            assert_eq!(DoubleDouble::from(n) - DoubleDouble::from(n.saturating_sub(1)), DoubleDouble::from(n.min(1)));
        }
    }
}
