//! Schedule time: whole steps, or a fraction of an epoch kept as a ratio so that boundaries stay exact.

use crate::double_double::DoubleDouble;

/// A point in time: `numerator / denominator` units of a schedule's lengths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Time {
    numerator: u128,
    denominator: u64,
}

impl Time {
    /// A whole step.
    #[must_use]
    pub fn step(step: u64) -> Self {
        Self { numerator: step.into(), denominator: 1 }
    }

    /// The fraction of an epoch of `steps_per_epoch ≥ 1` steps.
    #[must_use]
    pub fn within_epoch(step: u64, steps_per_epoch: u64) -> Self {
        Self { numerator: step.into(), denominator: steps_per_epoch.max(1) }
    }

    fn scaled(self, units: u64) -> u128 {
        u128::from(units) * u128::from(self.denominator)
    }

    /// Whether this is at or after `boundary`.
    #[must_use]
    pub fn reached(self, boundary: u64) -> bool {
        self.numerator >= self.scaled(boundary)
    }

    /// Whether this is at or before `boundary`.
    #[must_use]
    pub fn not_past(self, boundary: u64) -> bool {
        self.numerator <= self.scaled(boundary)
    }

    /// Time since `start`; 0 before it.
    #[must_use]
    pub fn since(self, start: u64) -> Self {
        Self { numerator: self.numerator.saturating_sub(self.scaled(start)), ..self }
    }

    /// Time after `steps` more.
    #[must_use]
    pub fn plus(self, steps: u64) -> Self {
        Self { numerator: self.numerator + self.scaled(steps), ..self }
    }

    /// Time left until `end`; 0 after it.
    #[must_use]
    pub fn until(self, end: u64) -> Self {
        Self { numerator: self.scaled(end).saturating_sub(self.numerator), ..self }
    }

    /// How many whole `period ≥ 1` have passed, and the time within the current one.
    #[must_use]
    pub fn cycles(self, period: u64) -> (u64, Self) {
        let period = self.scaled(period.max(1));
        ((self.numerator / period) as u64, Self { numerator: self.numerator % period, ..self })
    }

    /// This time as a number.
    #[must_use]
    pub fn value(self) -> DoubleDouble {
        DoubleDouble::from_u128(self.numerator) / DoubleDouble::from(self.denominator)
    }

    /// This time over a length, at most 1: the `t` of the formulas.
    #[must_use]
    pub fn progress(self, length: u64) -> DoubleDouble {
        if self.reached(length) { DoubleDouble::ONE } else { self.over(length) }
    }

    /// What is left of a length, from 1 to 0: `1 − t` without cancellation.
    #[must_use]
    pub fn remaining(self, length: u64) -> DoubleDouble {
        self.until(length).over(length)
    }

    /// This time over a length, unbounded.
    #[must_use]
    pub fn over(self, length: u64) -> DoubleDouble {
        DoubleDouble::from_u128(self.numerator) / DoubleDouble::from_u128(self.scaled(length.max(1)))
    }
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
                assert_eq!(at.cycles(5).0, epoch / 5);
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
