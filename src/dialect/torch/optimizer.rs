//! The optimizer that a scheduler drives; its arguments are given beside the scheduler's.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::factor::Factor;
use crate::dialect::arguments::refused;
use crate::dialect::pieces::constant;
use crate::error::SpecError;
use crate::program::MAX_STEP;
use crate::schedule::{Schedule, Sequence};

/// The optimizers, as far as schedulers tell them apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(in crate::dialect) enum Algorithm {
    #[default]
    #[serde(rename = "SGD")]
    Sgd,
    RMSprop,
    Muon,
    Adam,
    AdamW,
    Adamax,
    NAdam,
    RAdam,
    SparseAdam,
    Adagrad,
    Adadelta,
    Adafactor,
    #[serde(rename = "ASGD")]
    Asgd,
    #[serde(rename = "LBFGS")]
    Lbfgs,
    Rprop,
}

/// The type of the learning rate, where it is a tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::dialect) enum TensorType {
    Float32,
    Float64,
}

/// What schedulers need of the optimizer.
#[derive(Clone, Copy, Debug)]
pub(in crate::dialect) struct Optimizer {
    pub(super) lr: Option<f64>,
    pub(super) algorithm: Algorithm,
    pub(super) last_epoch: i64,
}

impl Optimizer {
    /// The learning rate it was made with.
    pub(super) fn base(&self) -> Result<f64, SpecError> {
        self.lr.map_or_else(|| refused("lr", "missing: the learning rate that the optimizer is made with"), Ok)
    }

    /// Refuses an optimizer without a momentum to cycle.
    pub(super) fn check_momentum(&self) -> Result<(), SpecError> {
        use Algorithm::{Adadelta, Adafactor, Adagrad, Asgd, Lbfgs, Rprop};
        match self.algorithm {
            Adadelta | Adafactor | Adagrad | Asgd | Lbfgs | Rprop => refused(
                "optimizer",
                format!("{:?} has neither momentum nor betas to cycle: add cycle_momentum = false", self.algorithm),
            ),
            _ => Ok(()),
        }
    }

    /// The first step that a scheduler runs: 0, or the one after `last_epoch`.
    pub(super) fn first_step(&self) -> Result<u64, SpecError> {
        if self.last_epoch >= MAX_STEP as i64 {
            return refused("last_epoch", format!("{} is beyond the largest step, {MAX_STEP}", self.last_epoch));
        }
        u64::try_from(self.last_epoch + 1).or_else(|_| {
            let message = format!("{} is before the start: -1 begins there, N goes on after step N", self.last_epoch);
            refused("last_epoch", message)
        })
    }
}

/// How a scheduler acts, whatever optimizer it drives.
pub(super) trait Scheduler {
    /// What it is given beside its own arguments.
    fn optimizer(&self) -> Optimizer;

    /// The learning rate from an optimizer made with `base`.
    fn rate(&self, base: f64) -> Result<Schedule, SpecError>;

    /// The momentum that moves beside it.
    fn momentum(&self) -> Result<Option<Schedule>, SpecError> {
        Ok(None)
    }

    /// The learning rate from `first` on, on a clock that starts there: what `last_epoch` makes of a fresh
    /// optimizer, whose learning rate is still `base`.
    fn resumed(&self, base: f64, first: u64) -> Result<Schedule, SpecError>;

    /// The learning rate from one that another scheduler has made `initial`, after this one took `base`.
    fn rate_from(&self, initial: f64, base: f64) -> Result<Schedule, SpecError> {
        let _ = base;
        self.rate(initial)
    }

    /// The learning rate where a SequentialLR hands over to it; `before` was the last one.
    fn taken_over(&self, base: f64, before: f64) -> Result<Schedule, SpecError> {
        let _ = before;
        self.rate(base)
    }

    /// What `initial_lr` is once it is made, where it overwrites it.
    fn overwrites_base(&self, first: bool) -> Option<f64> {
        let _ = first;
        None
    }

    /// Whether making it sets aside what schedulers made before it have done to the learning rate.
    fn starts_over(&self) -> bool {
        false
    }

    /// How it acts on a learning rate that others move too, from an optimizer made with `base`.
    fn factors(&self, base: f64) -> Result<Factor, SpecError>;

    /// How it acts where a SequentialLR hands over to it.
    fn factors_taken_over(&self, base: f64) -> Result<Factor, SpecError> {
        self.factors(base)
    }
}

/// The whole schedule of a scheduler that stands alone.
pub(super) fn alone(scheduler: &dyn Scheduler) -> Result<Schedule, SpecError> {
    let optimizer = scheduler.optimizer();
    let first = optimizer.first_step()?;
    if first == 0 {
        return scheduler.rate(scheduler.overwrites_base(true).map_or_else(|| optimizer.base(), Ok)?);
    }
    let base = optimizer.base()?;
    // Before its first step, the optimizer has the learning rate that it was created with.
    let pieces = vec![constant(base), scheduler.resumed(base, first)?];
    Ok(Sequence { pieces, boundaries: Some(vec![first]) }.into())
}

/// A scheduler's arguments, with the optimizer's beside them.
macro_rules! scheduler {
    ($(#[$attribute:meta])* $name:ident { $($(#[$of_field:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$attribute])*
        #[derive(Clone, Debug, serde::Deserialize, schemars::JsonSchema)]
        #[serde(deny_unknown_fields)]
        #[allow(non_snake_case, reason = "arguments are named as the library names them")]
        pub(in crate::dialect) struct $name {
            $($(#[$of_field])* pub(super) $field: $type,)*
            /// The index of the last step that was run, to go on from there with a fresh optimizer.
            #[serde(default = "crate::dialect::torch::optimizer::from_the_start", alias = "resume_last_epoch")]
            last_epoch: i64,
            /// The learning rate that the optimizer is made with.
            #[serde(default)]
            lr: Option<f64>,
            /// The optimizer.
            #[serde(default)]
            optimizer: crate::dialect::torch::optimizer::Algorithm,
            /// The type of a learning rate that is a tensor; values are computed exactly whatever it is.
            #[serde(default)]
            lr_tensor_dtype: Option<crate::dialect::torch::optimizer::TensorType>,
        }

        impl $name {
            fn made_with(&self) -> crate::dialect::torch::Optimizer {
                // Values are correctly rounded to every type, so the tensor's type has no effect.
                let _ = self.lr_tensor_dtype;
                crate::dialect::torch::Optimizer {
                    lr: self.lr,
                    algorithm: self.optimizer,
                    last_epoch: self.last_epoch,
                }
            }
        }
    };
}

/// What every scheduler is to the framework.
macro_rules! foreign {
    ($name:ident $shape:ident $bites:literal) => {
        crate::dialect::torch::foreign!($name $shape $bites Ok);
    };
    ($name:ident $shape:ident $bites:literal $prepared:path) => {
        impl crate::dialect::Foreign for $name {
            const SHAPE: crate::dialect::Shape = crate::dialect::Shape::$shape;
            const BITES: &'static str = $bites;

            fn translate(&self) -> Result<crate::dialect::Translation, crate::error::SpecError> {
                let call = $prepared(self)?;
                Ok(crate::dialect::Translation {
                    schedule: crate::dialect::torch::optimizer::alone(std::borrow::Borrow::<Self>::borrow(&call))?,
                    momentum: crate::dialect::torch::Scheduler::momentum(std::borrow::Borrow::<Self>::borrow(&call))?,
                })
            }
        }
    };
}

pub(in crate::dialect) fn from_the_start() -> i64 {
    -1
}

pub(super) use {foreign, scheduler};
