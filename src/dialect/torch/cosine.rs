//! Cosine annealing.

use super::optimizer::Scheduler;
use super::{Foreign, Shape, Translation, scheduler};
use crate::dialect::arguments::require;
use crate::error::SpecError;
use crate::schedule::{Cosine, Cycle, CycleMode, Schedule};

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

impl Scheduler for CosineAnnealingLR {
    fn rate(&self, base: f64) -> Result<Schedule, SpecError> {
        require("T_max", self.T_max, self.T_max > 0, "at least 1: PyTorch divides by it")?;
        let of = Box::new(Cosine { start: base, end: self.eta_min, steps: self.T_max }.into());
        Ok(Cycle { of, mode: CycleMode::Reflect }.into())
    }
}

impl Foreign for CosineAnnealingLR {
    const SHAPE: Shape = Shape::Cosine;
    const BITES: &'static str = "climbs back up after `T_max`, to the base at 2·`T_max`";

    fn translate(&self) -> Result<Translation, SpecError> {
        Ok(self.rate(self.optimizer().base()?)?.into())
    }
}
