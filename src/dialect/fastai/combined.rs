//! Annealers in sequence.

use schemars::JsonSchema;
use serde::Deserialize;

use super::training::{Annealer, Training, two_phases};
use super::{FastAi, Foreign, Shape, Translation};
use crate::dialect::arguments::require;
use crate::error::SpecError;

/// Schedules one after another, each over its share of the training.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::dialect) struct CombineScheds {
    /// The shares.
    pcts: Vec<f64>,
    /// `SchedLin`, `SchedCos`, `SchedNo`, `SchedExp` or `SchedPoly`, each a table of name and args.
    scheds: Vec<FastAi>,
    /// Epochs of the whole; not fastai's, which asks the training.
    #[serde(default = "one")]
    n_epoch: u64,
    /// Batches of an epoch; not fastai's, which asks the data loader.
    #[serde(default)]
    batches_per_epoch: Option<u64>,
}

fn one() -> u64 {
    1
}

impl Foreign for CombineScheds {
    const SHAPE: Shape = Shape::Sequence;
    const BITES: &'static str = "the shares must add up to exactly 1 in floating point: 0.6, 0.3, 0.1 do not";

    fn translate(&self) -> Result<Translation, SpecError> {
        let numbered = self.scheds.iter().enumerate();
        let annealers = numbered
            .map(|(index, scheduler)| scheduler.annealer().map_err(|error| error.within(&format!("scheds[{index}]"))));
        let annealers: Vec<Annealer> = annealers.collect::<Result<_, _>>()?;
        let training = Training::new(self.n_epoch, self.batches_per_epoch)?;
        Ok(training.trained(training.combined(&self.pcts, &annealers)?, 0)?.into())
    }
}

/// Two half cosines.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::dialect) struct CombinedCos {
    /// The share of the first.
    pct: f64,
    /// First value.
    start: f64,
    /// Value between the two.
    middle: f64,
    /// Last value.
    end: f64,
    /// Epochs of the whole; not fastai's, which asks the training.
    #[serde(default = "one")]
    n_epoch: u64,
    /// Batches of an epoch; not fastai's, which asks the data loader.
    #[serde(default)]
    batches_per_epoch: Option<u64>,
}

impl Foreign for CombinedCos {
    const SHAPE: Shape = Shape::Piecewise;
    const BITES: &'static str = "";

    fn translate(&self) -> Result<Translation, SpecError> {
        require("pct", self.pct, (0.0..=1.0).contains(&self.pct), "from 0 to 1")?;
        let training = Training::new(self.n_epoch, self.batches_per_epoch)?;
        Ok(two_phases(training, self.pct, [self.start, self.middle, self.end], 0)?.into())
    }
}
