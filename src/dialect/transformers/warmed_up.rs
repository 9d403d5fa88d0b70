//! Types with a warmup and a simple decay.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::arguments::{step_from, warmed_up};
use super::{Base, Foreign, Shape, Translation, scheduler};
use crate::dialect::arguments::{Length, refused, require};
use crate::dialect::defaults::one;
use crate::dialect::pieces::{constant, one_after_another, over};
use crate::error::SpecError;
use crate::schedule::{self, Schedule, Until};

/// The same value at every step.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::dialect) struct Constant {
    /// The learning rate that the optimizer is made with.
    lr: f64,
    /// Not used by this type.
    #[serde(default, rename = "num_warmup_steps")]
    _num_warmup_steps: Option<Length>,
    /// Not used by this type.
    #[serde(default, rename = "num_training_steps")]
    _num_training_steps: Option<Length>,
    /// Not used by this type.
    #[serde(default, rename = "scheduler_specific_kwargs")]
    #[schemars(with = "Option<BTreeMap<String, serde_json::Value>>")]
    _scheduler_specific_kwargs: Option<BTreeMap<String, serde::de::IgnoredAny>>,
}

impl Foreign for Constant {
    const SHAPE: Shape = Shape::Constant;
    const BITES: &'static str = "`num_warmup_steps` and kwargs are not looked at";

    fn translate(&self) -> Result<Translation, SpecError> {
        let base = Base { lr: self.lr, num_warmup_steps: None, num_training_steps: None };
        Ok(constant(base.rate()?).into())
    }
}

/// A line up, and the same value.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::dialect) struct ConstantWithWarmup {
    /// The learning rate that the optimizer is made with.
    lr: f64,
    /// Steps of warmup.
    #[serde(default)]
    num_warmup_steps: Option<Length>,
    /// Not used by this type.
    #[serde(default, rename = "num_training_steps")]
    _num_training_steps: Option<Length>,
    /// Not used by this type.
    #[serde(default, rename = "scheduler_specific_kwargs")]
    #[schemars(with = "Option<BTreeMap<String, serde_json::Value>>")]
    _scheduler_specific_kwargs: Option<BTreeMap<String, serde::de::IgnoredAny>>,
}

impl Foreign for ConstantWithWarmup {
    const SHAPE: Shape = Shape::Linear;
    const BITES: &'static str = "kwargs are not looked at";

    fn translate(&self) -> Result<Translation, SpecError> {
        let base = Base { lr: self.lr, num_warmup_steps: self.num_warmup_steps, num_training_steps: None };
        let rate = base.rate()?;
        Ok(warmed_up(rate, base.warmup()?, |_| constant(rate)).into())
    }
}

scheduler! {
    /// A line up, and a line down to 0.
    Linear
    /// Nothing of its own.
    LinearArguments {}
}

impl Foreign for Linear {
    const SHAPE: Shape = Shape::Linear;
    const BITES: &'static str = "`num_training_steps` counts the warmup too";

    fn translate(&self) -> Result<Translation, SpecError> {
        let base = self.base();
        let (rate, warmup, training) = (base.rate()?, base.warmup()?, base.training()?);
        self.kwargs()?;
        let line = |steps| Schedule::from(schedule::Linear { start: rate, end: 0.0, steps });
        Ok(warmed_up(rate, warmup, |ahead| match training - warmup {
            left if left >= 1.0 => over(left, ahead, line),
            // Less than a step is divided by a whole one.
            left => {
                let at_once = rate * (left - ahead).max(0.0);
                one_after_another(vec![(0, constant(at_once)), (1, constant(0.0))])
            }
        })
        .into())
    }
}

scheduler! {
    /// A line up, and a power of what is left.
    Polynomial
    /// What `polynomial` adds.
    PolynomialArguments {
        /// The learning rate at the end.
        #[serde(default = "default_lr_end")]
        lr_end: f64,
        /// The power.
        #[serde(default = "one")]
        power: f64,
    }
}

fn default_lr_end() -> f64 {
    1e-7
}

/// `of` up to the last step before `start`; refused where there is none.
fn fails_at(start: u64, argument: &str, message: &str, of: impl FnOnce() -> Schedule) -> Result<Schedule, SpecError> {
    match start.checked_sub(1) {
        Some(last) => Ok(Until { last, of: Box::new(of()) }.into()),
        None => refused(argument, message),
    }
}

impl Foreign for Polynomial {
    const SHAPE: Shape = Shape::Polynomial;
    const BITES: &'static str = "`lr_end` is a value, 1e-7 by default and not 0; a warmup as long as the training \
                                 divides by 0 at its end";

    fn translate(&self) -> Result<Translation, SpecError> {
        let (base, kwargs) = (self.base(), self.kwargs()?);
        let (rate, warmup, training) = (base.rate()?, base.warmup()?, base.training()?);
        let PolynomialArguments { lr_end: end, power, .. } = kwargs;
        let within = |error: SpecError| error.within("scheduler_specific_kwargs");
        require("lr_end", end, end < rate, &format!("less than `lr`, {rate}")).map_err(within)?;
        require("power", power, power >= 0.0, "at least 0: below, the end is divided by 0").map_err(within)?;
        let left = training - warmup;
        if left == 0.0 && warmup.fract() == 0.0 {
            let message =
                format!("{training} steps leave nothing after a warmup of {warmup}: Transformers divides by 0");
            let start = step_from(warmup);
            let schedule = fails_at(start, "num_training_steps", &message, || {
                schedule::Linear { start: 0.0, end: rate, steps: warmup as u64 }.into()
            });
            return schedule.map(Translation::from);
        }
        Ok(warmed_up(rate, warmup, |ahead| {
            if left <= 0.0 || left < ahead {
                constant(end)
            } else if power == 0.0 {
                let ended = step_from((left - ahead).floor() + 1.0);
                one_after_another(vec![(0, constant(rate)), (ended, constant(end))])
            } else {
                over(left, ahead, |steps| schedule::Polynomial { start: rate, end, steps, power }.into())
            }
        })
        .into())
    }
}

scheduler! {
    /// A line up, and a decay by the root of time.
    InverseSqrt
    /// What `inverse_sqrt` adds.
    InverseSqrtArguments {
        /// Time scale; the warmup by default, or 10000 without one.
        #[serde(default)]
        timescale: Option<Length>,
    }
}

impl Foreign for InverseSqrt {
    const SHAPE: Shape = Shape::InverseSqrt;
    const BITES: &'static str = "the time scale is the warmup, and 10000 without one; `num_training_steps` is not used";

    fn translate(&self) -> Result<Translation, SpecError> {
        let (base, kwargs) = (self.base(), self.kwargs()?);
        let (start, warmup) = (base.rate()?, base.warmup()?);
        let timescale = match kwargs.timescale {
            Some(Length(timescale)) => timescale,
            None if warmup != 0.0 => warmup,
            None => 10_000.0,
        };
        require("timescale", timescale, timescale >= 0.0, "at least 0")
            .map_err(|error| error.within("scheduler_specific_kwargs"))?;
        if timescale == 0.0 {
            let first = step_from(warmup);
            let whole = warmed_up(start, warmup, |_| constant(start));
            return fails_at(first, "scheduler_specific_kwargs.timescale", "0 is divided by", || whole).map(Into::into);
        }
        Ok(warmed_up(start, warmup, |ahead| {
            over(timescale, ahead, |timescale| schedule::InverseSqrt { start, timescale, shift: timescale }.into())
        })
        .into())
    }
}
