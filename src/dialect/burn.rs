//! Burn's `burn::lr_scheduler`, as of 0.22.1.

use schemars::JsonSchema;
use serde::Deserialize;

use super::arguments::{refused, require};
use super::pieces::{constant, drops};
use super::{Foreign, Shape, Translation, library};
use crate::dialect::defaults::tenth;
use crate::error::SpecError;
use crate::schedule::{Cosine, Cycle, CycleMode, Linear, Product, Scale, Schedule, Sequence, Sum};

library! {
    Burn "burn" aliases [] "Burn 0.22.1, burn::lr_scheduler"
    "Constant" Constant,
    "Linear" LinearLr,
    "CosineAnnealing" | "Cosine" CosineAnnealing,
    "Exponential" Exponential,
    "Noam" Noam,
    "Step" Step,
    "Composed" Composed,
    "Sequential" Sequential,
}

/// An initial learning rate is above 0 and at most 1.
fn check_initial(lr: f64) -> Result<(), SpecError> {
    require("initial_lr", lr, lr > 0.0 && lr <= 1.0, "greater than 0 and at most 1")
}

/// A length is at least 1.
fn check_length(argument: &str, length: u64) -> Result<(), SpecError> {
    require(argument, length, length > 0, "at least 1")
}

/// The same value at every step.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::dialect) struct Constant {
    /// The learning rate.
    lr: f64,
}

impl Foreign for Constant {
    const SHAPE: Shape = Shape::Constant;
    const BITES: &'static str = "";

    fn translate(&self) -> Result<Translation, SpecError> {
        Ok(constant(self.lr).into())
    }
}

/// A straight line.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::dialect) struct LinearLr {
    /// The learning rate at the start, above 0 and at most 1.
    initial_lr: f64,
    /// The learning rate at the end, from 0 to 1.
    final_lr: f64,
    /// Steps from one to the other.
    num_iters: u64,
}

impl Foreign for LinearLr {
    const SHAPE: Shape = Shape::Linear;
    const BITES: &'static str = "cannot start at 0, so a warmup starts a little above";

    fn translate(&self) -> Result<Translation, SpecError> {
        let end = self.final_lr;
        check_initial(self.initial_lr)?;
        require("final_lr", end, (0.0..=1.0).contains(&end), "from 0 to 1")?;
        check_length("num_iters", self.num_iters)?;
        Ok(Schedule::from(Linear { start: self.initial_lr, end, steps: self.num_iters }).into())
    }
}

/// Half a cosine down to `min_lr`, and up again.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::dialect) struct CosineAnnealing {
    /// The learning rate at the start, above 0 and at most 1.
    initial_lr: f64,
    /// The least learning rate, from 0 to `initial_lr`.
    #[serde(default)]
    min_lr: f64,
    /// Steps down.
    num_iters: u64,
}

impl Foreign for CosineAnnealing {
    const SHAPE: Shape = Shape::Cosine;
    const BITES: &'static str = "climbs back up after `num_iters`; before 0.22 it started again there";

    fn translate(&self) -> Result<Translation, SpecError> {
        let (start, end) = (self.initial_lr, self.min_lr);
        check_initial(start)?;
        require("min_lr", end, (0.0..=start).contains(&end), "from 0 to `initial_lr`")?;
        check_length("num_iters", self.num_iters)?;
        let of = Box::new(Cosine { start, end, steps: self.num_iters }.into());
        Ok(Cycle { of, mode: CycleMode::Reflect }.into())
    }
}

/// A constant ratio per step.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::dialect) struct Exponential {
    /// The learning rate at the start, above 0 and at most 1.
    initial_lr: f64,
    /// The factor per step, above 0 and at most 1.
    gamma: f64,
}

impl Foreign for Exponential {
    const SHAPE: Shape = Shape::Exponential;
    const BITES: &'static str = "";

    fn translate(&self) -> Result<Translation, SpecError> {
        let (start, gamma) = (self.initial_lr, self.gamma);
        check_initial(start)?;
        require("gamma", gamma, gamma > 0.0 && gamma <= 1.0, "greater than 0 and at most 1")?;
        let decay = crate::schedule::Exponential { start, decay_rate: gamma, decay_steps: 1, staircase: false };
        Ok(decay.into())
    }
}

/// The Transformer's warmup and root decay.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::dialect) struct Noam {
    /// Factor on the whole.
    factor: f64,
    /// Steps of warmup.
    #[serde(default = "default_warmup_steps")]
    warmup_steps: u64,
    /// Width of the model.
    #[serde(default = "default_model_size")]
    model_size: u64,
}

fn default_warmup_steps() -> u64 {
    4000
}

fn default_model_size() -> u64 {
    512
}

impl Foreign for Noam {
    const SHAPE: Shape = Shape::InverseSqrt;
    const BITES: &'static str = "the first value is one warmup step's worth, not 0; the peak is at `warmup_steps` − 1";

    fn translate(&self) -> Result<Translation, SpecError> {
        check_length("warmup_steps", self.warmup_steps)?;
        check_length("model_size", self.model_size)?;
        let (model_dim, scale) = (self.model_size as f64, self.factor);
        Ok(crate::schedule::Noam { model_dim, warmup_steps: self.warmup_steps, scale }.into())
    }
}

/// A drop by the same factor every `step_size` steps.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::dialect) struct Step {
    /// The learning rate at the start.
    initial_lr: f64,
    /// Steps between drops.
    step_size: u64,
    /// The factor of each drop.
    #[serde(default = "tenth")]
    gamma: f64,
}

impl Foreign for Step {
    const SHAPE: Shape = Shape::Step;
    const BITES: &'static str = "Burn panics after 2^31 steps; here it goes on";

    fn translate(&self) -> Result<Translation, SpecError> {
        check_length("step_size", self.step_size)?;
        Ok(drops(self.initial_lr, self.gamma, self.step_size).into())
    }
}

/// `reduction`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
enum Reduction {
    /// The mean.
    Avg,
    /// The sum.
    Sum,
    /// The product.
    #[default]
    Prod,
}

/// Schedules at the same time.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::dialect) struct Composed {
    /// The schedules.
    #[serde(default)]
    schedulers: Vec<Burn>,
    /// What is made of them.
    #[serde(default)]
    reduction: Reduction,
}

/// The schedules within another.
fn children(schedulers: &[Burn]) -> Result<Vec<Schedule>, SpecError> {
    let child = |(index, child): (usize, &Burn)| match child.translate() {
        Ok(translation) => Ok(translation.schedule),
        Err(error) => Err(error.within(&format!("schedulers[{index}]"))),
    };
    schedulers.iter().enumerate().map(child).collect()
}

impl Foreign for Composed {
    const SHAPE: Shape = Shape::Product;
    const BITES: &'static str = "the product by default; of nothing it is 1, the sum and the mean are 0";

    fn translate(&self) -> Result<Translation, SpecError> {
        let schedules = children(&self.schedulers)?;
        Ok(match (self.reduction, schedules.is_empty()) {
            (Reduction::Prod, true) => constant(1.0).into(),
            (Reduction::Avg | Reduction::Sum, true) => constant(0.0).into(),
            (Reduction::Prod, false) => Product { factors: schedules }.into(),
            (Reduction::Sum, false) => Sum { terms: schedules }.into(),
            (Reduction::Avg, false) => {
                let by = 1.0 / schedules.len() as f64;
                Scale { by, of: Box::new(Sum { terms: schedules }.into()), offset: 0.0 }.into()
            }
        })
    }
}

/// Schedules one after another.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::dialect) struct Sequential {
    /// The schedules.
    schedulers: Vec<Burn>,
    /// The step at which each but the first takes over, rising.
    milestones: Vec<u64>,
}

impl Foreign for Sequential {
    const SHAPE: Shape = Shape::Sequence;
    const BITES: &'static str = "";

    fn translate(&self) -> Result<Translation, SpecError> {
        let (schedules, milestones) = (self.schedulers.len(), &self.milestones);
        if schedules == 0 {
            return refused("schedulers", "an empty list: at least one schedule is needed");
        }
        let found = milestones.len();
        let needed = format!("{} for {schedules} schedules, one less than those", schedules - 1);
        require("milestones", format!("a list of {found}"), found + 1 == schedules, &needed)?;
        let pairs = std::iter::once(&0).chain(milestones).zip(milestones);
        for (index, (before, milestone)) in pairs.enumerate() {
            let rising = format!("greater than {before}: milestones rise strictly, from at least 1");
            require(&format!("milestones[{index}]"), milestone, milestone > before, &rising)?;
        }
        let pieces = children(&self.schedulers)?;
        Ok(Sequence { pieces, boundaries: Some(milestones.clone()) }.into())
    }
}
