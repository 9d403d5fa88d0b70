//! Exact schedule time: whole steps, fractions of an epoch as ratios, or readings of a clock of another speed.
//! Exactness matters for comparisons with boundaries.

use std::cmp::Ordering;

use crate::double_double::{DoubleDouble, Expansion};

/// A point in time, in units of a schedule's lengths.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Time(Moment);

/// `numerator / denominator`.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "a time lives on the stack, and few are alive at once")]
enum Moment {
    Ratio {
        numerator: u128,
        denominator: u64,
    },
    /// A ratio of exact sums of doubles: the reading of a clock of another speed.
    Real {
        numerator: Expansion,
        denominator: Expansion,
    },
}

use Moment::{Ratio, Real};

impl Time {
    /// A whole step.
    #[must_use]
    pub fn step(step: u64) -> Self {
        Self(Ratio { numerator: step.into(), denominator: 1 })
    }

    /// The time of a step in epochs of `steps_per_epoch ≥ 1` steps, fraction included.
    #[must_use]
    pub fn within_epoch(step: u64, steps_per_epoch: u64) -> Self {
        Self(Ratio { numerator: step.into(), denominator: steps_per_epoch.max(1) })
    }

    /// This time on a clock that reads `(multiplier · time + ahead) / divisor`, with `multiplier` and `divisor` above
    /// 0; 0 if that is negative.
    #[must_use]
    pub fn on_clock(self, multiplier: f64, ahead: f64, divisor: f64) -> Self {
        let (numerator, denominator) = self.real();
        let numerator = numerator.times(&multiplier.into()).plus(&denominator.times(&ahead.into()));
        Self(Real { numerator: at_least_zero(numerator), denominator: denominator.times(&divisor.into()) })
    }

    fn real(self) -> (Expansion, Expansion) {
        match self.0 {
            Ratio { numerator, denominator } => (numerator.into(), denominator.into()),
            Real { numerator, denominator } => (numerator, denominator),
        }
    }

    fn compare(self, boundary: u64) -> Option<Ordering> {
        match self.0 {
            Ratio { numerator, denominator } => numerator.partial_cmp(&scaled(boundary, denominator)),
            Real { numerator, denominator } => numerator.partial_cmp(&denominator.times(&boundary.into())),
        }
    }

    /// Whether this is at or after `boundary`.
    #[must_use]
    pub fn reached(self, boundary: u64) -> bool {
        self.compare(boundary).is_some_and(Ordering::is_ge)
    }

    /// Whether this is at or before `boundary`.
    #[must_use]
    pub fn not_past(self, boundary: u64) -> bool {
        self.compare(boundary).is_some_and(Ordering::is_le)
    }

    /// Time since `start`; 0 before it.
    #[must_use]
    pub fn since(self, start: u64) -> Self {
        Self(match self.0 {
            Ratio { numerator, denominator } => {
                Ratio { numerator: numerator.saturating_sub(scaled(start, denominator)), denominator }
            }
            Real { numerator, denominator } => {
                Real { numerator: at_least_zero(numerator.minus(&denominator.times(&start.into()))), denominator }
            }
        })
    }

    /// Time since a moment that need not be an integer; 0 before it.
    #[must_use]
    pub fn since_moment(self, start: &Expansion) -> Self {
        let (numerator, denominator) = self.real();
        Self(Real { numerator: at_least_zero(numerator.minus(&denominator.times(start))), denominator })
    }

    /// Time until a moment that need not be an integer or below 2^64; 0 after it.
    #[must_use]
    pub fn until_moment(self, end: &Expansion) -> Self {
        let (numerator, denominator) = self.real();
        Self(Real { numerator: at_least_zero(denominator.times(end).minus(&numerator)), denominator })
    }

    /// Whether this is at or after such a moment.
    #[must_use]
    pub fn reached_moment(self, moment: &Expansion) -> bool {
        let (numerator, denominator) = self.real();
        numerator >= denominator.times(moment)
    }

    /// This time over a length that may be beyond 2^64.
    #[must_use]
    pub fn over_moment(self, length: &Expansion) -> DoubleDouble {
        let (numerator, denominator) = self.real();
        numerator.over(&denominator.times(length))
    }

    /// This time in units of `unit` steps, above 0.
    #[must_use]
    pub fn in_units_of(self, unit: &Expansion) -> Self {
        let (numerator, denominator) = self.real();
        Self(Real { numerator, denominator: denominator.times(unit) })
    }

    /// Time after `steps` more.
    #[must_use]
    pub fn plus(self, steps: u64) -> Self {
        Self(match self.0 {
            Ratio { numerator, denominator } => {
                Ratio { numerator: numerator + scaled(steps, denominator), denominator }
            }
            Real { numerator, denominator } => {
                Real { numerator: numerator.plus(&denominator.times(&steps.into())), denominator }
            }
        })
    }

    /// Time until `end`; 0 after it.
    #[must_use]
    pub fn until(self, end: u64) -> Self {
        Self(match self.0 {
            Ratio { numerator, denominator } => {
                Ratio { numerator: scaled(end, denominator).saturating_sub(numerator), denominator }
            }
            Real { numerator, denominator } => {
                Real { numerator: at_least_zero(denominator.times(&end.into()).minus(&numerator)), denominator }
            }
        })
    }

    /// The number of complete periods of `period ≥ 1` steps, and the time within the current one.
    #[must_use]
    pub fn cycles(self, period: u64) -> (u128, Self) {
        let period = period.max(1);
        match self.0 {
            Ratio { numerator, denominator } => {
                let period = scaled(period, denominator);
                (numerator / period, Self(Ratio { numerator: numerator % period, denominator }))
            }
            Real { numerator, denominator } => {
                // Lowering rejects clocks that reach 2^100 by the largest step.
                let (count, left) = numerator.divided(&denominator.times(&period.into())).unwrap_or_default();
                (count, Self(Real { numerator: left, denominator }))
            }
        }
    }

    /// This time as a number.
    #[must_use]
    pub fn value(self) -> DoubleDouble {
        match self.0 {
            Ratio { numerator, denominator } => DoubleDouble::from_u128(numerator) / DoubleDouble::from(denominator),
            Real { numerator, denominator } => numerator.over(&denominator),
        }
    }

    /// This time over a length, at most 1: the `t` of the formulas.
    #[must_use]
    pub fn progress(self, length: u64) -> DoubleDouble {
        if self.reached(length) { DoubleDouble::ONE } else { self.over(length) }
    }

    /// The remaining fraction of a length, from 1 to 0: `1 − t` without cancellation.
    #[must_use]
    pub fn remaining(self, length: u64) -> DoubleDouble {
        self.until(length).over(length)
    }

    /// This time over a length, unbounded.
    #[must_use]
    pub fn over(self, length: u64) -> DoubleDouble {
        let length = length.max(1);
        match self.0 {
            Ratio { numerator, denominator } => {
                DoubleDouble::from_u128(numerator) / DoubleDouble::from_u128(scaled(length, denominator))
            }
            Real { numerator, denominator } => numerator.over(&denominator.times(&length.into())),
        }
    }
}

fn scaled(units: u64, denominator: u64) -> u128 {
    u128::from(units) * u128::from(denominator)
}

fn at_least_zero(number: Expansion) -> Expansion {
    if number.sign().is_lt() { Expansion::ZERO } else { number }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs_reach_their_boundaries_exactly() {
        for per_epoch in [1, 3, 7, 1000] {
            for epoch in 0..50 {
                let at = Time::within_epoch(epoch * per_epoch, per_epoch);
                assert!(at.reached(epoch) && at.not_past(epoch));
                assert_eq!(at.value(), DoubleDouble::from(epoch));
                assert_eq!(at.cycles(5).0, u128::from(epoch / 5));
            }
        }
    }

    #[test]
    fn other_clocks_meet_their_boundaries_exactly() {
        for (multiplier, ahead, divisor) in [(1.0, 0.0, 2.25), (32.0, 0.0, 1.0), (1.0, 0.5, 1.5), (3.0, 2.0, 0.1)] {
            for step in 0..500 {
                let clock = Time::step(step).on_clock(multiplier, ahead, divisor);
                for boundary in 0..100 {
                    let (shown, wanted) =
                        (multiplier * step as f64 + ahead, DoubleDouble::exact_product(divisor, boundary as f64));
                    assert_eq!(clock.reached(boundary), DoubleDouble::from(shown) >= wanted, "{step} {boundary}");
                }
                let (cycles, within) = clock.cycles(7);
                let cycles = cycles as u64;
                assert!(clock.reached(7 * cycles) && !clock.reached(7 * (cycles + 1)) && !within.reached(7));
            }
        }
    }

    #[test]
    fn progress_and_remaining_complement_each_other() {
        let time = Time::step((1 << 53) - 2);
        assert_eq!(time.remaining((1 << 53) - 1).high(), 1.0 / ((1_u64 << 53) - 1) as f64);
        assert_eq!(Time::step(10).progress(4), DoubleDouble::ONE);
        assert_eq!(Time::step(10).remaining(4), DoubleDouble::ZERO);
    }
}
