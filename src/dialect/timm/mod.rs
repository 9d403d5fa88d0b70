//! timm's `timm.scheduler`, as of 1.0.31.
//!
//! The value at step `s` is the rate that `step(s)` sets, or `step_update(s)` if `t_in_epochs` is false.

mod cyclic;
mod factory;
mod stepped;
mod wsd;

use super::arguments::{Numbers, refused, require};
use super::pieces::{ahead, constant};
use super::{Foreign, Shape, Translation, library};
use crate::error::SpecError;
use crate::schedule::{Linear, Schedule, Sequence, Until, Warmup, WarmupShape};
use cyclic::{CosineLRScheduler, PolyLRScheduler, TanhLRScheduler};
use factory::CreateSchedulerV2;
use stepped::{MultiStepLRScheduler, StepLRScheduler};
use wsd::WSDLRScheduler;

library! {
    Timm "timm" aliases ["pytorch-image-models"] "timm 1.0.31, timm.scheduler and create_scheduler_v2"
    "CosineLRScheduler" CosineLRScheduler,
    "TanhLRScheduler" TanhLRScheduler,
    "PolyLRScheduler" PolyLRScheduler,
    "StepLRScheduler" StepLRScheduler,
    "MultiStepLRScheduler" MultiStepLRScheduler,
    "WSDLRScheduler" WSDLRScheduler,
    "create_scheduler_v2" CreateSchedulerV2,
}

/// What all schedulers have.
#[derive(Clone, Copy, Debug)]
struct Base {
    lr: f64,
    warmup: u64,
    init: f64,
    prefix: bool,
}

impl Base {
    /// A line up to the rate, then the body: on its own clock with a prefix, else on one that has run all along.
    fn warmed_up(&self, body: Schedule) -> Schedule {
        let Self { lr, warmup: steps, init: start, prefix } = *self;
        if steps == 0 {
            return body;
        }
        let rise = Linear { start, end: lr, steps };
        if !prefix && body.last_step().is_some_and(|last| last < steps) {
            // The remaining part of the schedule has passed.
            return Until { last: steps - 1, of: Box::new(rise.into()) }.into();
        }
        let then = if prefix { body } else { ahead(steps as f64, body) };
        if then.value(0) == lr {
            let shape = WarmupShape::Linear;
            return Warmup { steps, start, shape, then: Box::new(then), overlay: false }.into();
        }
        // The line ends at the rate even if the body continues from another value.
        Sequence { pieces: vec![rise.into(), then], boundaries: Some(vec![steps]) }.into()
    }
}

/// Refuses noise, which is torch's random numbers.
fn check_noise(argument: &str, noise: Option<&Numbers>) -> Result<(), SpecError> {
    match noise {
        None => Ok(()),
        Some(_) => refused(argument, "noise is drawn from torch's random numbers, and is no schedule: leave it out"),
    }
}

/// Refuses an optimizer without what timm needs.
fn check_initialize(initialize: bool) -> Result<(), SpecError> {
    require("initialize", initialize, initialize, "true: a new optimizer has no `initial_lr`")
}

/// A scheduler's arguments, with those that all have.
macro_rules! scheduler {
    ($(#[$attribute:meta])* $name:ident { $($(#[$of_field:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$attribute])*
        #[derive(Clone, Debug, serde::Deserialize, schemars::JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub(in crate::dialect) struct $name {
            $($(#[$of_field])* $field: $type,)*
            /// The learning rate that the optimizer is made with.
            lr: f64,
            /// Steps of warmup.
            #[serde(default)]
            warmup_t: u64,
            /// The rate at step 0, where there is a warmup.
            #[serde(default)]
            warmup_lr_init: f64,
            /// Whether steps are epochs or updates: which of timm's two methods is called.
            #[serde(default = "crate::dialect::defaults::yes")]
            #[expect(dead_code, reason = "steps are whatever is counted")]
            t_in_epochs: bool,
            /// Where noise begins and ends: not supported.
            #[serde(default)]
            noise_range_t: Option<crate::dialect::arguments::Numbers>,
            /// The most noise.
            #[serde(default)]
            #[expect(dead_code, reason = "there is no noise")]
            noise_pct: Option<f64>,
            /// The spread of noise.
            #[serde(default)]
            #[expect(dead_code, reason = "there is no noise")]
            noise_std: Option<f64>,
            /// The seed of noise.
            #[serde(default)]
            #[expect(dead_code, reason = "there is no noise")]
            noise_seed: Option<u64>,
            /// Whether the optimizer's rate is taken for the first; anything else needs a used optimizer.
            #[serde(default = "crate::dialect::defaults::yes")]
            initialize: bool,
        }

        impl $name {
            /// What all schedulers have, with or without a prefix.
            fn base(&self, prefix: bool) -> Result<crate::dialect::timm::Base, crate::error::SpecError> {
                crate::dialect::timm::check_noise("noise_range_t", self.noise_range_t.as_ref())?;
                crate::dialect::timm::check_initialize(self.initialize)?;
                let (lr, warmup, init) = (self.lr, self.warmup_t, self.warmup_lr_init);
                Ok(crate::dialect::timm::Base { lr, warmup, init, prefix })
            }
        }
    };
}

use scheduler;
