//! Annealers, alone and as parts of `combine_scheds`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::training::{Annealer, Annealing, Training};
use super::{FastAi, Foreign, Shape, Translation};
use crate::dialect::arguments::refused;
use crate::error::SpecError;

fn one() -> u64 {
    1
}

impl FastAi {
    /// The annealer that this is, if it is one.
    pub(super) fn annealer(&self) -> Result<Annealer, SpecError> {
        match self {
            Self::SchedLin(call) => Ok(call.annealer()),
            Self::SchedCos(call) => Ok(call.annealer()),
            Self::SchedNo(call) => Ok(call.annealer()),
            Self::SchedExp(call) => Ok(call.annealer()),
            Self::SchedPoly(call) => Ok(call.annealer()),
            _ => refused("", "only SchedLin, SchedCos, SchedNo, SchedExp and SchedPoly can be combined"),
        }
    }
}

/// An annealer alone, over the whole training.
macro_rules! annealer {
    ($(#[$attribute:meta])* $name:ident $shape:ident $($field:ident $default:literal)? => $annealing:expr) => {
        $(#[$attribute])*
        #[derive(Clone, Debug, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub(in crate::dialect) struct $name {
            /// First value.
            start: f64,
            /// Last value.
            end: f64,
            $(#[doc = $default] $field: f64,)?
            /// Epochs of the whole; not fastai's, which asks the training.
            #[serde(default = "one")]
            n_epoch: u64,
            /// Batches of an epoch; not fastai's, which asks the data loader.
            #[serde(default)]
            batches_per_epoch: Option<u64>,
        }

        impl $name {
            fn annealer(&self) -> Annealer {
                let annealing: fn(&Self) -> Annealing = $annealing;
                Annealer::new(annealing(self), self.start, self.end)
            }
        }

        impl Foreign for $name {
            const SHAPE: Shape = Shape::$shape;
            const BITES: &'static str = "";

            fn translate(&self) -> Result<Translation, SpecError> {
                let training = Training::new(self.n_epoch, self.batches_per_epoch)?;
                Ok(training.trained(training.combined(&[1.0], &[self.annealer()])?, 0)?.into())
            }
        }
    };
}

annealer! {
    /// A straight line.
    SchedLin Linear => |_| Annealing::Linear
}

annealer! {
    /// Half a cosine.
    SchedCos Cosine => |_| Annealing::Cosine
}

annealer! {
    /// The first value for ever.
    SchedNo Constant => |_| Annealing::None
}

annealer! {
    /// A constant ratio per step.
    SchedExp Exponential => |_| Annealing::Exponential
}

annealer! {
    /// A power of the share that is over.
    SchedPoly Polynomial power "The power." => |call| Annealing::Power(call.power)
}
