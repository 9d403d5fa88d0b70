//! The arguments of `get_scheduler` that are common to all types, and the linear warmup of most.

use crate::dialect::arguments::{Length, Whole, refused, require};
use crate::dialect::pieces::one_after_another;
use crate::error::SpecError;
use crate::program::MAX_STEP;
use crate::schedule::{Interpolation, Knot, Linear, PiecewiseInterpolate, Schedule};

/// The arguments beside the type's own.
#[derive(Clone, Copy, Debug)]
pub(super) struct Base {
    pub(super) lr: f64,
    pub(super) num_warmup_steps: Option<Length>,
    pub(super) num_training_steps: Option<Length>,
}

/// A number of steps that is there, and of a size that can be.
fn given(argument: &str, steps: Option<Length>) -> Result<f64, SpecError> {
    let Some(Length(steps)) = steps else { return refused(argument, "missing: this type needs it") };
    require(argument, steps, steps.abs() <= MAX_STEP as f64, &format!("within ±{MAX_STEP}"))?;
    Ok(steps)
}

impl Base {
    /// The learning rate that the optimizer is made with.
    pub(super) fn rate(&self) -> Result<f64, SpecError> {
        require("lr", self.lr, self.lr >= 0.0, "at least 0")?;
        Ok(self.lr)
    }

    pub(super) fn warmup(&self) -> Result<f64, SpecError> {
        given("num_warmup_steps", self.num_warmup_steps)
    }

    pub(super) fn training(&self) -> Result<f64, SpecError> {
        given("num_training_steps", self.num_training_steps)
    }

    /// The length that warmup and training leave, and at least 1.
    pub(super) fn left(&self) -> Result<f64, SpecError> {
        Ok((self.training()? - self.warmup()?).max(1.0))
    }
}

/// The first step at or after a moment, which may be below 0.
pub(super) fn step_from(moment: f64) -> u64 {
    moment.max(0.0).ceil() as u64
}

/// From 0 to `peak` in a line before `warmup`, and then what `then` makes of the time that the step at which it
/// takes over is past `warmup`.
pub(super) fn warmed_up(peak: f64, warmup: f64, then: impl FnOnce(f64) -> Schedule) -> Schedule {
    let start = step_from(warmup);
    let length = warmup.max(1.0);
    let ramp = if length.fract() == 0.0 {
        Linear { start: 0.0, end: peak, steps: length as u64 }.into()
    } else {
        let points = vec![Knot(0.0, 0.0), Knot(length, peak)];
        PiecewiseInterpolate { points, interpolation: Interpolation::Linear }.into()
    };
    one_after_another(vec![(0, ramp), (start, then(start as f64 - warmup))])
}

/// `last_epoch` on a fresh optimizer can only be −1.
pub(super) fn check_last_epoch(last_epoch: Whole) -> Result<(), SpecError> {
    let condition = "-1: a fresh optimizer has no `initial_lr` to go on from";
    require("last_epoch", last_epoch.0, last_epoch.0 == -1, condition)
        .map_err(|error| error.within("scheduler_specific_kwargs"))
}

pub(super) fn from_the_start() -> Whole {
    Whole(-1)
}

/// A type's arguments: `get_scheduler`'s, and its own in `scheduler_specific_kwargs`.
macro_rules! scheduler {
    (
        $(#[$attribute:meta])* $name:ident
        $(#[$of_kwargs:meta])* $kwargs:ident { $($(#[$of_field:meta])* $field:ident: $type:ty,)* }
    ) => {
        $(#[$attribute])*
        #[derive(Clone, Debug, serde::Deserialize, schemars::JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub(in crate::dialect) struct $name {
            /// The learning rate that the optimizer is made with.
            lr: f64,
            /// Steps of warmup.
            #[serde(default)]
            num_warmup_steps: Option<crate::dialect::arguments::Length>,
            /// Steps of the whole, warmup included.
            #[serde(default)]
            num_training_steps: Option<crate::dialect::arguments::Length>,
            /// The type's own arguments.
            #[serde(default)]
            scheduler_specific_kwargs: Option<$kwargs>,
        }

        $(#[$of_kwargs])*
        #[derive(Clone, Debug, serde::Deserialize, schemars::JsonSchema)]
        #[serde(deny_unknown_fields)]
        struct $kwargs {
            $($(#[$of_field])* $field: $type,)*
            /// The index of the last step that was run; a fresh optimizer has none.
            #[serde(default = "crate::dialect::transformers::arguments::from_the_start")]
            last_epoch: crate::dialect::arguments::Whole,
        }

        impl $name {
            fn base(&self) -> crate::dialect::transformers::Base {
                crate::dialect::transformers::Base {
                    lr: self.lr,
                    num_warmup_steps: self.num_warmup_steps,
                    num_training_steps: self.num_training_steps,
                }
            }

            /// The type's own arguments, with their defaults.
            fn kwargs(&self) -> Result<$kwargs, crate::error::SpecError> {
                let kwargs = match &self.scheduler_specific_kwargs {
                    Some(kwargs) => kwargs.clone(),
                    None => crate::dialect::transformers::arguments::defaults()?,
                };
                crate::dialect::transformers::arguments::check_last_epoch(kwargs.last_epoch)?;
                Ok(kwargs)
            }
        }
    };
}

/// Arguments of which none is given.
pub(super) fn defaults<T: serde::de::DeserializeOwned>() -> Result<T, SpecError> {
    let nothing = serde::de::value::MapDeserializer::new(std::iter::empty::<(&str, f64)>());
    T::deserialize(nothing).map_err(|error: SpecError| error.within("scheduler_specific_kwargs"))
}

pub(super) use scheduler;
