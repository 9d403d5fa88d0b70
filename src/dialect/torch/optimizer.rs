//! The optimizer that a scheduler drives: its arguments stand beside the scheduler's own.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::dialect::arguments::refused;
use crate::error::SpecError;
use crate::schedule::Schedule;

/// The optimizers, as far as schedulers tell them apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(super) enum Algorithm {
    #[default]
    SGD,
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
    ASGD,
    LBFGS,
    Rprop,
}

/// The type of the learning rate, where it is a tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum TensorType {
    Float32,
    Float64,
}

/// What schedulers need of the optimizer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Optimizer {
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
        use Algorithm::{ASGD, Adadelta, Adafactor, Adagrad, LBFGS, Rprop};
        match self.algorithm {
            ASGD | Adadelta | Adafactor | Adagrad | LBFGS | Rprop => refused(
                "optimizer",
                format!("{:?} has neither momentum nor betas to cycle: add cycle_momentum = false", self.algorithm),
            ),
            _ => Ok(()),
        }
    }

    /// The step at which the scheduler begins.
    pub(super) fn first_step(&self) -> Result<u64, SpecError> {
        u64::try_from(self.last_epoch + 1).or_else(|_| {
            refused(
                "last_epoch",
                format!("{} is before the start: -1 begins there, N goes on after step N", self.last_epoch),
            )
        })
    }
}

/// How a scheduler acts, whatever optimizer it drives.
pub(super) trait Scheduler {
    /// The learning rate from an optimizer with `base`.
    fn rate(&self, base: f64) -> Result<Schedule, SpecError>;

    /// The momentum that moves beside it.
    fn momentum(&self) -> Result<Option<Schedule>, SpecError> {
        Ok(None)
    }
}

/// A scheduler's arguments, with the optimizer's beside them.
macro_rules! scheduler {
    ($(#[$attribute:meta])* $name:ident { $($(#[$of_field:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$attribute])*
        #[derive(Clone, Debug, serde::Deserialize, schemars::JsonSchema)]
        #[serde(deny_unknown_fields)]
        #[expect(non_snake_case, reason = "arguments are named as the library names them")]
        pub(in crate::dialect) struct $name {
            $($(#[$of_field])* $field: $type,)*
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
            pub(super) fn optimizer(&self) -> crate::dialect::torch::Optimizer {
                // The values are correctly rounded to every type, so a tensor's does not matter.
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

pub(super) fn from_the_start() -> i64 {
    -1
}

pub(super) use scheduler;
