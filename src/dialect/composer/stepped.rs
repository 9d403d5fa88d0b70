//! Schedulers with drops.

use super::{Duration, Foreign, Shape, Translation, scheduler};
use crate::dialect::defaults::{one, tenth};
use crate::dialect::pieces::{constant, drops, drops_at, one_after_another};
use crate::error::SpecError;

scheduler! {
    /// Decays the learning rate by `gamma` every `step_size`.
    StepScheduler {
        /// Time between drops.
        step_size: Duration,
        /// The factor of each drop.
        #[serde(default = "tenth")]
        gamma: f64,
    }
}

impl Foreign for StepScheduler {
    const SHAPE: Shape = Shape::Step;
    const BITES: &'static str = "";

    fn translate(&self) -> Result<Translation, SpecError> {
        let (state, base) = (self.state(), self.state().base()?);
        Ok(drops(base, self.gamma, state.length("step_size", self.step_size)?).into())
    }
}

scheduler! {
    /// Decays the learning rate by `gamma` at each milestone.
    MultiStepScheduler {
        /// The times at which it drops.
        milestones: Vec<Duration>,
        /// The factor of each drop.
        #[serde(default = "tenth")]
        gamma: f64,
    }
}

impl Foreign for MultiStepScheduler {
    const SHAPE: Shape = Shape::MultiStep;
    const BITES: &'static str = "milestones need not rise, and one that stands twice counts twice";

    fn translate(&self) -> Result<Translation, SpecError> {
        let (state, base) = (self.state(), self.state().base()?);
        let milestones = self.milestones.iter().enumerate();
        let milestones = milestones.map(|(index, &time)| state.batches(&format!("milestones[{index}]"), time));
        Ok(drops_at(base, self.gamma, milestones.collect::<Result<_, _>>()?).into())
    }
}

scheduler! {
    /// A factor for a while.
    ConstantFactor {
        /// The factor.
        #[serde(default = "one")]
        alpha: f64,
        /// For how long.
        #[serde(default = "Duration::whole")]
        t_max: Duration,
    }
}

impl Foreign for ConstantFactor {
    const SHAPE: Shape = Shape::Constant;
    const BITES: &'static str = "after `t_max` the learning rate is the optimizer's own again";

    fn translate(&self) -> Result<Translation, SpecError> {
        let (state, base) = (self.state(), self.state().base()?);
        let end = state.batches("t_max", self.t_max)?;
        if self.alpha == 1.0 {
            return Ok(constant(base).into());
        }
        Ok(one_after_another(vec![(0, constant(base * self.alpha)), (end, constant(base))]).into())
    }
}
