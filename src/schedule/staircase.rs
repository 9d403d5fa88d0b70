//! Drops at regular steps and at milestones.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::exponential::geometric;
use super::{Family, Time, check, formula};
use crate::double_double::{DoubleDouble, Extended};
use crate::error::{LowerError, SpecError};
use crate::program::{MAX_SEGMENTS, Program, Segment, growth, scaled};

/// A drop by the same factor every `step_size` steps.
///
/// **Formula.** `start·decay_rate^⌊s/step_size⌋`.
///
/// **Parameters.** `start`: any finite number. `decay_rate`: greater than 0. `step_size`: steps between
/// drops, at least 1.
///
/// **Behaviour.** `start` at 0; the first drop is at step `step_size`; it never ends.
///
/// **Source.** Twins: torch `StepLR`, composer `StepScheduler`, timm `StepLRScheduler`.
///
/// ```
/// use lrgrid::schedule::{Schedule, Step};
///
/// let schedule = Schedule::from(Step { start: 1.0, decay_rate: 0.5, step_size: 10 });
/// assert_eq!([0, 9, 10, 20].map(|s| schedule.value(s)), [1.0, 1.0, 0.5, 0.25]);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Value at step 0.
    pub start: f64,
    /// The factor of each drop.
    pub decay_rate: f64,
    /// Steps between drops.
    pub step_size: u64,
}

impl Family for Step {
    fn validate(&self) -> Result<(), SpecError> {
        check::finite("start", self.start)?;
        check::positive("decay_rate", self.decay_rate)?;
        check::length("step_size", self.step_size)
    }

    fn value(&self, time: Time) -> Extended {
        let drops = DoubleDouble::from_u128(time.cycles(self.step_size).0);
        formula::power(self.decay_rate, drops) * Extended::from(self.start)
    }

    fn length(&self) -> Option<u64> {
        None
    }

    fn lower(&self) -> Result<Program, LowerError> {
        let octaves = DoubleDouble::from(self.decay_rate).log2();
        Ok(Program::of(vec![geometric(self.start, octaves, Some(self.step_size))]))
    }

    fn scaled(&self, factor: f64) -> Option<Self> {
        Some(Self { start: self.start * factor, ..self.clone() })
    }

    fn examples() -> Vec<Self> {
        let make = |start, decay_rate, step_size| Self { start, decay_rate, step_size };
        vec![make(0.1, 0.1, 30), make(0.1, 0.97, 2), make(1e-3, 0.5, 1 << 40), make(0.4, 0.9, 1)]
    }
}

/// A drop by the same factor at each milestone.
///
/// **Formula.** `start·decay_rate^(number of milestones ≤ s)`.
///
/// **Parameters.** `start`: any finite number. `decay_rate`: greater than 0. `milestones`: steps in
/// strictly rising order, at most 4095.
///
/// **Behaviour.** `start` at 0 (unless 0 is a milestone); a drop takes effect at the milestone's step; the last value
/// is held.
///
/// **Source.** He et al. 2015 (arXiv 1512.03385). Twins: torch `MultiStepLR`, composer
/// `MultiStepScheduler`. timm drops one step earlier, Keras one later.
///
/// ```
/// use lrgrid::schedule::{MultiStep, Schedule};
///
/// let schedule = Schedule::from(MultiStep { start: 1.0, decay_rate: 0.5, milestones: vec![30, 60] });
/// assert_eq!([0, 29, 30, 60, 1000].map(|s| schedule.value(s)), [1.0, 1.0, 0.5, 0.25, 0.25]);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MultiStep {
    /// Value before the first milestone.
    pub start: f64,
    /// The factor of each drop.
    pub decay_rate: f64,
    /// The steps at which it drops.
    pub milestones: Vec<u64>,
}

impl Family for MultiStep {
    fn validate(&self) -> Result<(), SpecError> {
        check::finite("start", self.start)?;
        check::positive("decay_rate", self.decay_rate)?;
        check::rising("milestones", &self.milestones)
    }

    fn value(&self, time: Time) -> Extended {
        let passed = self.milestones.iter().filter(|&&milestone| time.reached(milestone)).count();
        formula::power(self.decay_rate, (passed as u64).into()) * Extended::from(self.start)
    }

    fn length(&self) -> Option<u64> {
        self.milestones.last().copied().or(Some(0))
    }

    fn lower(&self) -> Result<Program, LowerError> {
        if self.milestones.len() >= MAX_SEGMENTS {
            let needed = self.milestones.len() as u64 + 1;
            return Err(LowerError::TooManySegments { needed, limit: MAX_SEGMENTS });
        }
        let octaves = DoubleDouble::from(self.decay_rate).log2();
        let value = |drops: u64| match self.start {
            0.0 => DoubleDouble::ZERO,
            start => scaled(growth(octaves * DoubleDouble::from(drops)), start.into()),
        };
        let pieces = std::iter::once(0).chain(self.milestones.iter().copied()).zip(0..);
        let mut segments: Vec<Segment> = Vec::with_capacity(self.milestones.len() + 1);
        for (start, drops) in pieces {
            // With a milestone at 0, the first value never occurs.
            if segments.last().is_some_and(|last| last.start == start) {
                segments.pop();
            }
            segments.push(Segment::hold(start, value(drops)));
        }
        Ok(Program::of(segments))
    }

    fn scaled(&self, factor: f64) -> Option<Self> {
        Some(Self { start: self.start * factor, ..self.clone() })
    }

    fn examples() -> Vec<Self> {
        let make = |start, decay_rate, milestones: &[u64]| Self { start, decay_rate, milestones: milestones.into() };
        vec![
            make(0.1, 0.1, &[30, 60, 90]),
            make(0.1, 0.2, &[0, 5, 6, 1 << 53 >> 1]),
            make(0.02, 1.5, &[]),
            make(0.3, 0.316_227_766, &[1000, 30_000]),
        ]
    }
}
