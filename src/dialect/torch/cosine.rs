//! Cosine annealing, with and without restarts.

use super::factor::{Factor, Part};
use super::stepped::only_once;
use super::{Optimizer, Scheduler, foreign, scheduler};
use crate::dialect::arguments::{Integer, require};
use crate::dialect::pieces::{ahead, constant};
use crate::error::SpecError;
use crate::schedule::{Cosine, CosineRestarts, Cycle, CycleMode, Schedule, Sequence};

/// How many times a cosine in a chain is followed through 0.
const WINDOWS: u64 = 32;

scheduler! {
    /// Half a cosine down to `eta_min`, and up again.
    CosineAnnealingLR {
        /// Steps down.
        T_max: u64,
        /// The least learning rate.
        #[serde(default)]
        eta_min: f64,
    }
}

foreign!(CosineAnnealingLR Cosine "climbs back up after `T_max`, to the base at 2·`T_max`; with 0 it fails after the first step");

impl CosineAnnealingLR {
    /// The wave between two values.
    fn wave(&self, start: f64, end: f64) -> Result<Schedule, SpecError> {
        require("T_max", self.T_max, self.T_max > 0, "at least 1: PyTorch divides by it")?;
        let of = Box::new(Cosine { start, end, steps: self.T_max }.into());
        Ok(Cycle { of, mode: CycleMode::Reflect }.into())
    }
}

impl Scheduler for CosineAnnealingLR {
    fn optimizer(&self) -> Optimizer {
        self.made_with()
    }

    fn rate(&self, base: f64) -> Result<Schedule, SpecError> {
        if self.T_max == 0 { Ok(only_once(base)) } else { self.wave(base, self.eta_min) }
    }

    fn rate_from(&self, initial: f64, base: f64) -> Result<Schedule, SpecError> {
        if initial == base || self.T_max == 0 {
            return self.rate(initial);
        }
        // After a minimum, the rise follows the scheduler's own base.
        let pieces = vec![self.rate(initial)?, ahead(self.T_max as f64, self.rate(base)?)];
        Ok(Sequence { pieces, boundaries: Some(vec![self.T_max]) }.into())
    }

    fn resumed(&self, base: f64, first: u64) -> Result<Schedule, SpecError> {
        if self.T_max == 0 {
            return self.rate(base);
        }
        // The recursion continues from the base, like a wave of larger amplitude, until it has passed a minimum.
        let (low, half, unit) = (self.eta_min, self.T_max, self.wave(1.0, 0.0)?);
        let turns = first / half;
        let minimum = (turns + 1 + turns % 2) * half - first;
        let (now, next) = (unit.value(first), unit.value(first + 1));
        let (mut pieces, mut boundaries) = (Vec::new(), Vec::new());
        let height = if now == 0.0 {
            // At a minimum it stays at the base; one step later the rise of a wave is added to that.
            pieces.push(constant(base));
            boundaries.push(1);
            (base - low) * (1.0 + 1.0 / next)
        } else {
            (base - low) / now
        };
        pieces.push(ahead(((first + boundaries.len() as u64) % (2 * half)) as f64, self.wave(low + height, low)?));
        boundaries.push(minimum);
        pieces.push(ahead(half as f64, self.rate(base)?));
        Ok(Sequence { pieces, boundaries: Some(boundaries) }.into())
    }

    fn taken_over(&self, base: f64, _: f64) -> Result<Schedule, SpecError> {
        self.wave(base, self.eta_min)
    }

    fn factors(&self, _: f64) -> Result<Factor, SpecError> {
        let (curve, half) = (self.wave(1.0, 0.0)?, self.T_max);
        if self.eta_min != 0.0 {
            return Ok(Factor::Pulls { target: self.eta_min, curve, half_period: Some(half) });
        }
        // It begins again one step after each 0.
        let again = (0..WINDOWS).map(|window| Part {
            start: (2 * window + 1).saturating_mul(half).saturating_add(1),
            curve: ahead(half as f64 + 1.0, curve.clone()),
            goes_on: true,
            again: (window + 1 == WINDOWS).then_some(2 * half),
        });
        Ok(Factor::Curves(std::iter::once(Part::of(curve.clone())).chain(again).collect()))
    }
}

scheduler! {
    /// Cosine annealing that starts again.
    CosineAnnealingWarmRestarts {
        /// Steps of the first cycle.
        T_0: Integer,
        /// Growth of the cycles; whole, at least 1.
        #[serde(default = "one_step")]
        T_mult: Integer,
        /// The least learning rate.
        #[serde(default)]
        eta_min: f64,
    }
}

fn one_step() -> Integer {
    Integer(1)
}

foreign!(CosineAnnealingWarmRestarts CosineRestarts "restarts are counted exactly, as `step()` does; `step(epoch)` misses some");

impl CosineAnnealingWarmRestarts {
    fn cycles(&self, base: f64, period: u64) -> Result<Schedule, SpecError> {
        let (Integer(first), Integer(growth)) = (self.T_0, self.T_mult);
        require("T_0", first, first > 0, "at least 1")?;
        require("T_mult", growth, growth > 0, "at least 1")?;
        let multiplier = growth as f64;
        Ok(CosineRestarts { max: base, min: self.eta_min, period, multiplier, decay: 1.0 }.into())
    }
}

impl Scheduler for CosineAnnealingWarmRestarts {
    fn optimizer(&self) -> Optimizer {
        self.made_with()
    }

    fn rate(&self, base: f64) -> Result<Schedule, SpecError> {
        self.cycles(base, self.T_0.0)
    }

    fn rate_from(&self, _: f64, base: f64) -> Result<Schedule, SpecError> {
        self.rate(base)
    }

    fn resumed(&self, base: f64, first: u64) -> Result<Schedule, SpecError> {
        let (Integer(length), Integer(growth)) = (self.T_0, self.T_mult);
        if first < length {
            return Ok(ahead(first as f64, self.rate(base)?));
        }
        // At any later step, it assumes the second cycle.
        let within = first.checked_rem(length).unwrap_or(0);
        Ok(ahead(within as f64, self.cycles(base, length.saturating_mul(growth))?))
    }

    fn factors(&self, base: f64) -> Result<Factor, SpecError> {
        Ok(Factor::Sets(self.rate(base)?))
    }
}
