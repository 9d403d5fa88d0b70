//! The anneal of stochastic weight averaging.

use super::factor::Factor;
use super::one_cycle::AnnealStrategy;
use super::{Optimizer, Scheduler, foreign, scheduler};
use crate::error::SpecError;
use crate::schedule::{Constant, Cosine, Linear, Schedule};

scheduler! {
    /// A move to `swa_lr`, held after.
    Swalr {
        /// The learning rate it moves to.
        swa_lr: f64,
        /// Steps of the move; with 0 it jumps at once.
        #[serde(default = "ten")]
        anneal_epochs: u64,
        /// Half a cosine or a straight line.
        #[serde(default)]
        anneal_strategy: AnnealStrategy,
    }
}

foreign!(Swalr Linear "in a SequentialLR it starts from the rate before it, not from the base");

fn ten() -> u64 {
    10
}

impl Swalr {
    fn anneal(&self, start: f64, end: f64) -> Schedule {
        let steps = self.anneal_epochs;
        match self.anneal_strategy {
            _ if steps == 0 => Constant { value: end }.into(),
            AnnealStrategy::Cos => Cosine { start, end, steps }.into(),
            AnnealStrategy::Linear => Linear { start, end, steps }.into(),
        }
    }
}

impl Scheduler for Swalr {
    fn optimizer(&self) -> Optimizer {
        self.made_with()
    }

    fn rate(&self, base: f64) -> Result<Schedule, SpecError> {
        Ok(self.anneal(base, self.swa_lr))
    }

    fn resumed(&self, base: f64, _: u64) -> Result<Schedule, SpecError> {
        // It counts its own calls.
        self.rate(base)
    }

    fn taken_over(&self, _: f64, before: f64) -> Result<Schedule, SpecError> {
        self.rate(before)
    }

    fn factors(&self, _: f64) -> Result<Factor, SpecError> {
        Ok(Factor::Pulls { target: self.swa_lr, curve: self.anneal(1.0, 0.0), half_period: None })
    }
}
