//! The learner's `fit_…` methods.

use schemars::JsonSchema;
use serde::Deserialize;

use super::training::{Annealer, Annealing, Training, two_phases};
use super::{Foreign, Shape, Translation};
use crate::dialect::arguments::{refused, require};
use crate::dialect::defaults::twenty_five;
use crate::error::SpecError;

/// Up to a maximum and down to almost nothing, along half cosines.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::dialect) struct FitOneCycle {
    /// Epochs of the whole.
    n_epoch: u64,
    /// The maximum; the learner's own rate by default.
    #[serde(default = "learner_rate")]
    lr_max: f64,
    /// Maximum over first rate.
    #[serde(default = "twenty_five")]
    div: f64,
    /// Maximum over last rate.
    #[serde(default = "hundred_thousand")]
    div_final: f64,
    /// Share of the training spent rising.
    #[serde(default = "quarter")]
    pct_start: f64,
    /// Weight decay: of no effect on the rate.
    #[serde(default)]
    #[expect(dead_code, reason = "it does not move the rate")]
    wd: Option<f64>,
    /// Momentum at the start, at the maximum and at the end.
    #[serde(default = "default_moms")]
    moms: [f64; 3],
    /// Whether the optimizer begins anew: of no effect on the rate.
    #[serde(default)]
    #[expect(dead_code, reason = "it does not move the rate")]
    reset_opt: bool,
    /// The epoch to begin with, whose first batch is step 0.
    #[serde(default)]
    start_epoch: u64,
    /// Batches of an epoch; not fastai's, which asks the data loader.
    #[serde(default)]
    batches_per_epoch: Option<u64>,
}

fn learner_rate() -> f64 {
    1e-3
}

fn hundred_thousand() -> f64 {
    1e5
}

fn quarter() -> f64 {
    0.25
}

fn three_quarters() -> f64 {
    0.75
}

fn default_moms() -> [f64; 3] {
    [0.95, 0.85, 0.95]
}

fn divisor(argument: &str, value: f64) -> Result<(), SpecError> {
    require(argument, value, value != 0.0, "other than 0: fastai divides by it")
}

impl Foreign for FitOneCycle {
    const SHAPE: Shape = Shape::OneCycle;
    const BITES: &'static str = "`div_final` divides the maximum, not the first rate; the last rate is never reached";

    fn translate(&self) -> Result<Translation, SpecError> {
        let (training, lr) = (Training::new(self.n_epoch, self.batches_per_epoch)?, self.lr_max);
        divisor("div", self.div)?;
        divisor("div_final", self.div_final)?;
        let values = [lr / self.div, lr, lr / self.div_final];
        Ok(Translation {
            schedule: two_phases(training, self.pct_start, values, self.start_epoch)?,
            momentum: Some(two_phases(training, self.pct_start, self.moms, self.start_epoch)?),
        })
    }
}

/// A plateau, then half a cosine.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::dialect) struct FitFlatCos {
    /// Epochs of the whole.
    n_epoch: u64,
    /// The rate of the plateau; the learner's own by default.
    #[serde(default = "learner_rate")]
    lr: f64,
    /// First over last rate.
    #[serde(default = "hundred_thousand")]
    div_final: f64,
    /// Share of the training spent on the plateau.
    #[serde(default = "three_quarters")]
    pct_start: f64,
    /// Weight decay: of no effect on the rate.
    #[serde(default)]
    #[expect(dead_code, reason = "it does not move the rate")]
    wd: Option<f64>,
    /// Whether the optimizer begins anew: of no effect on the rate.
    #[serde(default)]
    #[expect(dead_code, reason = "it does not move the rate")]
    reset_opt: bool,
    /// Accepted; fastai does not use it.
    #[serde(default)]
    #[expect(dead_code, reason = "fastai takes it and passes 0 on")]
    start_epoch: u64,
    /// Batches of an epoch; not fastai's, which asks the data loader.
    #[serde(default)]
    batches_per_epoch: Option<u64>,
}

impl Foreign for FitFlatCos {
    const SHAPE: Shape = Shape::Cosine;
    const BITES: &'static str = "flat for `pct_start` first; `start_epoch` is accepted and not used";

    fn translate(&self) -> Result<Translation, SpecError> {
        divisor("div_final", self.div_final)?;
        let training = Training::new(self.n_epoch, self.batches_per_epoch)?;
        Ok(two_phases(training, self.pct_start, [self.lr, self.lr, self.lr / self.div_final], 0)?.into())
    }
}

/// Half cosines to 0 that start again, each longer than the last.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::dialect) struct FitSgdr {
    /// How many cycles.
    n_cycles: u64,
    /// Epochs of the first.
    cycle_len: u64,
    /// The maximum; the learner's own rate by default.
    #[serde(default = "learner_rate")]
    lr_max: f64,
    /// Growth of the cycles.
    #[serde(default = "two")]
    cycle_mult: u64,
    /// Whether the optimizer begins anew: of no effect on the rate.
    #[serde(default)]
    #[expect(dead_code, reason = "it does not move the rate")]
    reset_opt: bool,
    /// Weight decay: of no effect on the rate.
    #[serde(default)]
    #[expect(dead_code, reason = "it does not move the rate")]
    wd: Option<f64>,
    /// The epoch to begin with, whose first batch is step 0.
    #[serde(default)]
    start_epoch: u64,
    /// Batches of an epoch; not fastai's, which asks the data loader.
    #[serde(default)]
    batches_per_epoch: Option<u64>,
}

fn two() -> u64 {
    2
}

impl Foreign for FitSgdr {
    const SHAPE: Shape = Shape::CosineRestarts;
    const BITES: &'static str = "cannot keep its cycles equal; some restarts come a batch late, for boundaries in f32";

    fn translate(&self) -> Result<Translation, SpecError> {
        let (first, growth) = (self.cycle_len, self.cycle_mult);
        require("cycle_mult", growth, growth != 1, "other than 1: fastai divides by cycle_mult - 1")?;
        require("n_cycles", self.n_cycles, (1..=60).contains(&self.n_cycles), "from 1 to 60")?;
        require("cycle_len", first, first > 0, "at least 1")?;
        let grown = |cycle: u64| growth.checked_pow(cycle as u32).and_then(|times| times.checked_mul(first));
        let lengths: Option<Vec<u64>> = (0..self.n_cycles).map(grown).collect();
        let all = lengths.as_ref().and_then(|all| all.iter().try_fold(0_u64, |sum, &length| sum.checked_add(length)));
        let (Some(lengths), Some(n_epoch)) = (lengths, all) else {
            return refused("n_cycles", format!("{} cycles are longer than 2^53 batches", self.n_cycles));
        };
        let training = Training::new(n_epoch, self.batches_per_epoch).map_err(|error| match error.path.as_str() {
            "n_epoch" => SpecError::new("n_cycles", format!("{n_epoch} epochs must have 1 to 2^53 - 1 batches")),
            _ => error,
        })?;
        let shares: Vec<f64> = lengths.iter().map(|&length| length as f64 / n_epoch as f64).collect();
        let annealers = vec![Annealer::new(Annealing::Cosine, self.lr_max, 0.0); shares.len()];
        let combined = training.combined(&shares, &annealers).map_err(|SpecError { message, .. }| {
            SpecError::new("n_cycles", format!("fastai refuses the shares of the cycles: {message}"))
        })?;
        Ok(training.trained(combined, self.start_epoch)?.into())
    }
}
