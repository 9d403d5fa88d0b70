//! Exact sums of `f64`, for the times of clocks: comparisons with segment boundaries must be exact.
//!
//! An expansion is an unevaluated sum of nonoverlapping doubles. Sums and products of expansions are exact, as in
//! Shewchuk, *Adaptive Precision Floating-Point Arithmetic and Fast Robust Geometric Predicates* (1997).

use std::cmp::Ordering;

use crate::double_double::DoubleDouble;

/// The most components: 848 bits. Each nested clock adds about four components.
const MOST: usize = 16;

/// An exact sum of doubles, barring overflow and underflow; beyond 848 bits the smallest components are dropped.
#[derive(Clone, Copy, Debug, Default)]
pub struct Expansion {
    /// Components in ascending order of magnitude, none of them 0.
    ///
    /// An array with a count: a vector of bounded length is not `Copy`, as the times of schedules are.
    parts: [f64; MOST],
    count: usize,
}

impl Expansion {
    /// Zero.
    pub const ZERO: Self = Self { parts: [0.0; MOST], count: 0 };

    fn parts(&self) -> &[f64] {
        &self.parts[..self.count]
    }

    /// Appends a component larger than the existing ones.
    fn push(&mut self, part: f64) {
        if part == 0.0 {
            return;
        }
        if self.count == MOST {
            self.parts.copy_within(1.., 0);
            self.count -= 1;
        }
        self.parts[self.count] = part;
        self.count += 1;
    }

    /// The sum with a double.
    fn plus_double(&self, number: f64) -> Self {
        let mut sum = Self::ZERO;
        let mut carried = number;
        for &part in self.parts() {
            let both = DoubleDouble::exact_sum(carried, part);
            sum.push(both.low());
            carried = both.high();
        }
        sum.push(carried);
        sum
    }

    /// The same sum with the fewest components.
    fn compressed(&self) -> Self {
        let Some((&largest, rest)) = self.parts().split_last() else { return *self };
        let mut falling = Self::ZERO;
        let mut carried = largest;
        for &part in rest.iter().rev() {
            let both = DoubleDouble::exact_sum(carried, part);
            if both.low() != 0.0 {
                falling.push(both.high());
                carried = both.low();
            } else {
                carried = both.high();
            }
        }
        let mut sum = Self::ZERO;
        for &part in falling.parts().iter().rev() {
            let both = DoubleDouble::exact_sum(part, carried);
            sum.push(both.low());
            carried = both.high();
        }
        sum.push(carried);
        sum
    }

    /// The sum of two.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        other.parts().iter().fold(*self, |sum, &part| sum.plus_double(part)).compressed()
    }

    /// The difference of two.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        other.parts().iter().fold(*self, |sum, &part| sum.plus_double(-part)).compressed()
    }

    /// The product of two.
    #[must_use]
    pub fn times(&self, other: &Self) -> Self {
        let mut sum = Self::ZERO;
        for &a in self.parts() {
            for &b in other.parts() {
                let product = DoubleDouble::exact_product(a, b);
                sum = sum.plus_double(product.low()).plus_double(product.high());
            }
        }
        sum.compressed()
    }

    /// The sum rounded to its four largest components, about 212 bits: enough for repeated operations.
    #[must_use]
    pub fn shortened(&self) -> Self {
        let parts = self.parts();
        let mut sum = Self::ZERO;
        parts[parts.len().saturating_sub(4)..].iter().for_each(|&part| sum.push(part));
        sum
    }

    /// The sum rounded to about 106 bits.
    #[must_use]
    pub fn rounded(&self) -> DoubleDouble {
        self.parts().iter().fold(DoubleDouble::ZERO, |sum, &part| sum + part)
    }

    /// The sign, as the comparison with 0.
    #[must_use]
    pub fn sign(&self) -> Ordering {
        self.parts().last().map_or(Ordering::Equal, |largest| largest.total_cmp(&0.0))
    }

    /// The quotient of two rounded to about 106 bits.
    #[must_use]
    pub fn over(&self, divisor: &Self) -> DoubleDouble {
        self.rounded() / divisor.rounded()
    }

    /// The quotient and the remainder of division by `unit > 0`, for a value of at least 0; `None` for quotients from
    /// 2^100 on.
    #[must_use]
    pub fn divided(&self, unit: &Self) -> Option<(u128, Self)> {
        let quotient = self.over(unit);
        if quotient.high() >= 1.2e30 {
            return None;
        }
        // The rounded quotient may be off by one near an integer.
        let whole = quotient.high().max(0.0).floor();
        let mut count = (whole as u128).saturating_add_signed((quotient - whole).high().floor() as i128);
        let mut left = self.minus(&unit.times(&count.into()));
        while left.sign().is_lt() && count > 0 {
            (count, left) = (count - 1, left.plus(unit));
        }
        while left.minus(unit).sign().is_ge() {
            (count, left) = (count + 1, left.minus(unit));
        }
        Some((count, left))
    }
}

impl PartialEq for Expansion {
    fn eq(&self, other: &Self) -> bool {
        self.minus(other).sign().is_eq()
    }
}

impl PartialOrd for Expansion {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.minus(other).sign())
    }
}

impl From<f64> for Expansion {
    fn from(number: f64) -> Self {
        Self::ZERO.plus_double(number)
    }
}

impl From<DoubleDouble> for Expansion {
    fn from(number: DoubleDouble) -> Self {
        Self::from(number.low()).plus_double(number.high())
    }
}

impl From<u64> for Expansion {
    fn from(number: u64) -> Self {
        DoubleDouble::from(number).into()
    }
}

impl From<u128> for Expansion {
    fn from(number: u128) -> Self {
        let word = |shift: u32| f64::from((number >> shift) as u32) * f64::from(shift).exp2();
        [0, 32, 64, 96].into_iter().fold(Self::ZERO, |sum, shift| sum.plus_double(word(shift)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_doubles_lose_is_kept() {
        let tenth = Expansion::from(0.1);
        let sum = tenth.plus(&Expansion::from(1e30)).plus(&Expansion::from(1e-30)).minus(&Expansion::from(1e30));
        assert_eq!(sum.minus(&tenth), Expansion::from(1e-30));
        assert_eq!(sum.minus(&Expansion::from(1e-30)), tenth);
        assert_eq!(Expansion::from(u64::MAX).plus(&Expansion::from(1_u64)).rounded().high(), 2f64.powi(64));
        assert_eq!(
            Expansion::from(u128::MAX).plus(&Expansion::from(1_u64)).rounded(),
            DoubleDouble::from(2f64.powi(128))
        );
    }

    proptest! {
        #[test]
        fn products_and_quotients_are_exact(a in any::<u64>(), b in 1_u64.., c in any::<u64>()) {
            let product = u128::from(a) * u128::from(b) + u128::from(c);
            let exact = Expansion::from(a).times(&b.into()).plus(&c.into());
            prop_assert_eq!(exact.minus(&product.into()).sign(), Ordering::Equal);
            let (count, left) = exact.divided(&b.into()).unwrap_or_default();
            if product / u128::from(b) < 1 << 99 {
                prop_assert_eq!(count, product / u128::from(b));
                prop_assert_eq!(left, Expansion::from(product % u128::from(b)));
            }
        }

        #[test]
        fn distributes(a in -1e9..1e9, b in 1e-9..1e9, c in -1e-9..1e9) {
            let [a, b, c] = [a, b, c].map(Expansion::from);
            prop_assert_eq!(a.plus(&b).times(&c).times(&c), a.times(&c.times(&c)).plus(&c.times(&b).times(&c)));
        }
    }
}
