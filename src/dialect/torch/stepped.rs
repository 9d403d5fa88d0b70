//! Schedulers that multiply the learning rate by a factor, step by step.

use super::optimizer::Scheduler;
use super::{Foreign, Shape, Translation, scheduler};
use crate::dialect::arguments::require;
use crate::error::SpecError;
use crate::schedule::{Exponential, Schedule, Step};

scheduler! {
    /// Decays the learning rate by `gamma` every `step_size` steps.
    StepLR {
        /// Steps between drops.
        step_size: u64,
        /// The factor of each drop.
        #[serde(default = "tenth")]
        gamma: f64,
    }
}

fn tenth() -> f64 {
    0.1
}

impl Scheduler for StepLR {
    fn rate(&self, base: f64) -> Result<Schedule, SpecError> {
        require("step_size", self.step_size, self.step_size > 0, "at least 1: PyTorch divides by it")?;
        Ok(Step { start: base, decay_rate: self.gamma, step_size: self.step_size }.into())
    }
}

impl Foreign for StepLR {
    const SHAPE: Shape = Shape::Step;
    const BITES: &'static str = "";

    fn translate(&self) -> Result<Translation, SpecError> {
        Ok(self.rate(self.optimizer().base()?)?.into())
    }
}

scheduler! {
    /// Decays the learning rate by `gamma` every step.
    ExponentialLR {
        /// The factor per step.
        gamma: f64,
    }
}

impl Scheduler for ExponentialLR {
    fn rate(&self, base: f64) -> Result<Schedule, SpecError> {
        Ok(Exponential { start: base, decay_rate: self.gamma, decay_steps: 1, staircase: false }.into())
    }
}

impl Foreign for ExponentialLR {
    const SHAPE: Shape = Shape::Exponential;
    const BITES: &'static str = "";

    fn translate(&self) -> Result<Translation, SpecError> {
        Ok(self.rate(self.optimizer().base()?)?.into())
    }
}
