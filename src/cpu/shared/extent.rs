//! How large values are over some columns, and how well they are known.

use crate::program::Clamp;

/// Bounds on values of one sign.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Extent {
    /// The least magnitude that is not 0; ∞ if there is none.
    pub least: f64,
    /// The greatest magnitude.
    pub greatest: f64,
    /// Whether some may be exactly 0.
    pub zero: bool,
    /// Whether they are below 0.
    pub negative: bool,
    /// Relative error, in units of 2^-53.
    pub roundings: f64,
}

/// What bounds make of values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Clamped {
    /// They stay as they are.
    Inside(Extent),
    /// All become this bound.
    At(f64),
}

/// Roundings of a constant, and of a sum or a product with it.
const CONSTANT_ROUNDINGS: f64 = 3.0;

/// Products below this may have lost digits.
const LEAST: f64 = 1e-280;

impl Extent {
    /// Of one number, rounded a few times.
    #[inline(always)]
    pub fn of(value: f64) -> Self {
        let zero = value == 0.0;
        let least = if zero { f64::INFINITY } else { value.abs() };
        Self { least, greatest: value.abs(), zero, negative: value < 0.0, roundings: CONSTANT_ROUNDINGS }
    }

    /// Whether all values are one.
    #[inline(always)]
    pub fn is_flat(&self) -> bool {
        if self.zero { self.greatest == 0.0 } else { self.least == self.greatest }
    }

    /// Of both, over more columns.
    #[inline(always)]
    pub fn or(self, other: Self) -> Self {
        Self {
            least: self.least.min(other.least),
            greatest: self.greatest.max(other.greatest),
            zero: self.zero | other.zero,
            negative: self.negative | other.negative,
            roundings: self.roundings.max(other.roundings),
        }
    }

    /// Of the products with another's values.
    #[inline(always)]
    pub fn times(self, other: Self) -> Self {
        let least = self.least * other.least;
        // A greatest product of 0 would say that all are exactly 0.
        let (at_least, lost) = if least < LEAST { (LEAST, f64::INFINITY) } else { (0.0, 0.0) };
        let greatest = self.greatest * other.greatest;
        Self {
            least,
            // A NaN stays one.
            greatest: if greatest < at_least { at_least } else { greatest },
            zero: self.zero | other.zero,
            negative: self.negative != other.negative,
            roundings: self.roundings + other.roundings + 1.0 + lost,
        }
    }

    /// Of the sums with another's values; nothing where some may cancel.
    #[inline(always)]
    pub fn plus(self, other: Self) -> Option<Self> {
        // Also false for NaN, which a number beyond what `f64` can tell is decoded to.
        let known = self.greatest + other.greatest < f64::INFINITY;
        if !known {
            return None;
        }
        if self.greatest == 0.0 {
            return Some(other);
        }
        if other.greatest == 0.0 {
            return Some(self);
        }
        let roundings = self.roundings.max(other.roundings) + 1.0;
        let (mine, others) = (self.at_least(), other.at_least());
        if self.negative == other.negative {
            let least = match (self.zero, other.zero) {
                (true, true) => self.least.min(other.least),
                _ => mine + others,
            };
            let greatest = self.greatest + other.greatest;
            return Some(Self { least, greatest, zero: self.zero & other.zero, negative: self.negative, roundings });
        }
        let (larger, smaller, from) = if mine > other.greatest { (self, other, mine) } else { (other, self, others) };
        let least = from - smaller.greatest;
        let certain = least > 0.0;
        let magnified = (larger.greatest + smaller.greatest) / least;
        certain.then_some(Self {
            least,
            greatest: larger.greatest,
            zero: false,
            negative: larger.negative,
            roundings: roundings * magnified,
        })
    }

    /// What bounds make of the values: themselves or one of the bounds; nothing where they are on both sides of one.
    #[inline(always)]
    pub fn clamped(self, clamp: &Clamp) -> Option<Clamped> {
        let (near, far) = (self.at_least(), self.greatest);
        let (low, high) = if self.negative { (-far, -near) } else { (near, far) };
        if clamp.lower <= low && high <= clamp.upper {
            // Where one was misjudged, its bound is as close to it as its error is large.
            Some(Clamped::Inside(Self { roundings: 2.0 * self.roundings, ..self }))
        } else if high < clamp.lower {
            Some(Clamped::At(clamp.lower))
        } else if low > clamp.upper {
            Some(Clamped::At(clamp.upper))
        } else {
            None
        }
    }

    /// The least magnitude, that of 0 included.
    #[inline(always)]
    fn at_least(self) -> f64 {
        if self.zero { 0.0 } else { self.least }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shapes(least: f64, greatest: f64, zero: bool) -> Extent {
        Extent { least, greatest, zero, negative: false, roundings: 4.0 }
    }

    #[test]
    fn only_one_value_is_flat() {
        let flat = |least: f64, greatest: f64, zero: bool| shapes(least, greatest, zero).is_flat();
        assert!(flat(0.5, 0.5, false) && flat(f64::INFINITY, 0.0, true));
        assert!(!flat(0.5, 0.5, true) && !flat(0.25, 0.5, false) && !flat(0.25, 0.5, true));
    }

    #[test]
    fn sums_of_one_sign_keep_their_accuracy() {
        let sum = shapes(0.25, 1.0, true).plus(Extent::of(0.5)).unwrap();
        assert_eq!((sum.least, sum.greatest, sum.zero, sum.roundings), (0.5, 1.5, false, 5.0));
        let sum = shapes(0.25, 1.0, true).plus(shapes(0.125, 2.0, true)).unwrap();
        assert_eq!((sum.least, sum.greatest, sum.zero), (0.125, 3.0, true));
        assert_eq!(shapes(0.25, 1.0, true).plus(Extent::of(0.0)), Some(shapes(0.25, 1.0, true)));
    }

    #[test]
    fn what_cancels_is_known_less_well_or_not_at_all() {
        let sum = shapes(0.25, 1.0, false).plus(Extent::of(-0.125)).unwrap();
        assert_eq!((sum.least, sum.negative, sum.roundings), (0.125, false, 5.0 * 1.125 / 0.125));
        let sum = shapes(0.25, 1.0, true).plus(Extent::of(-2.0)).unwrap();
        assert_eq!((sum.least, sum.greatest, sum.negative), (1.0, 2.0, true));
        for other in [-0.25, -0.5, -1.0, f64::NAN] {
            assert_eq!(shapes(0.25, 1.0, false).plus(Extent::of(other)), None, "{other}");
        }
        assert_eq!(shapes(0.25, 1.0, true).plus(Extent::of(-0.125)), None);
    }

    #[test]
    fn bounds_leave_values_or_take_their_place() {
        let clamped = |lower: f64, upper: f64| shapes(0.25, 1.0, false).clamped(&Clamp { lower, upper });
        assert!(matches!(clamped(0.25, 1.0), Some(Clamped::Inside(_))));
        assert_eq!((clamped(1.5, 2.0), clamped(-1.0, 0.2)), (Some(Clamped::At(1.5)), Some(Clamped::At(0.2))));
        assert_eq!((clamped(0.5, 2.0), clamped(0.0, 0.5)), (None, None));
        let negative = Extent { negative: true, zero: true, ..shapes(0.25, 1.0, true) };
        assert_eq!(negative.clamped(&Clamp { lower: 0.5, upper: 2.0 }), Some(Clamped::At(0.5)));
    }

    #[test]
    fn products_add_their_errors_and_their_signs() {
        let product = shapes(0.25, 1.0, true).times(Extent::of(-2.0));
        assert_eq!((product.least, product.greatest, product.zero, product.negative), (0.5, 2.0, true, true));
        assert_eq!(product.roundings, 4.0 + CONSTANT_ROUNDINGS + 1.0);
        let lost = Extent::of(1e-200).times(Extent::of(1e-200)).plus(Extent::of(0.0)).unwrap();
        assert_eq!((lost.roundings, lost.greatest), (f64::INFINITY, LEAST), "it is not known to be 0");
        let nothing = shapes(0.25, 1.0, true).times(Extent::of(0.0));
        assert_eq!((nothing.least, nothing.greatest, nothing.zero), (f64::INFINITY, 0.0, true));
    }
}
