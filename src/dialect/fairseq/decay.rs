//! Schedulers with a warmup and one decay.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Foreign, Shape, Translation, constant, first, only, warmed_up};
use crate::dialect::arguments::{Numbers, require};
use crate::dialect::defaults::{half, minus_one, one};
use crate::dialect::pieces::drops;
use crate::error::SpecError;
use crate::schedule::{Clamp, DecayShape, Linear, Polynomial, Schedule, Sequence, Wsd};

/// A linear warmup and a decay by the root of the number of updates.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::dialect) struct InverseSqrt {
    /// The highest rate.
    lr: Numbers,
    /// Updates of warmup.
    #[serde(default = "four_thousand")]
    warmup_updates: u64,
    /// The rate at update 0; below 0 it is 0.
    #[serde(default = "minus_one")]
    warmup_init_lr: f64,
}

fn four_thousand() -> u64 {
    4000
}

impl Foreign for InverseSqrt {
    const SHAPE: Shape = Shape::InverseSqrt;
    const BITES: &'static str = "cannot do without a warmup: the root is of its length";

    fn translate(&self) -> Result<Translation, SpecError> {
        let (lr, warmup) = (only(&self.lr)?, self.warmup_updates);
        require("warmup_updates", warmup, warmup > 0, "at least 1: fairseq divides by it")?;
        let decay = crate::schedule::InverseSqrt { start: lr, timescale: warmup, shift: warmup };
        let init = if self.warmup_init_lr < 0.0 { 0.0 } else { self.warmup_init_lr };
        Ok(warmed_up(warmup, init, decay.into()).into())
    }
}

/// A linear warmup from 0 and a power of what is left.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::dialect) struct PolynomialDecay {
    /// The highest rate.
    lr: Numbers,
    /// Updates of warmup.
    #[serde(default)]
    warmup_updates: u64,
    /// The epoch from which the list of rates is left alone.
    #[serde(default)]
    force_anneal: Option<u64>,
    /// The rate at the end.
    #[serde(default)]
    end_learning_rate: f64,
    /// The power of what is left.
    #[serde(default = "one")]
    power: f64,
    /// Updates of warmup and decay.
    #[serde(alias = "max_update")]
    total_num_update: u64,
}

impl Foreign for PolynomialDecay {
    const SHAPE: Shape = Shape::Polynomial;
    const BITES: &'static str = "`total_num_update` includes the warmup, which still holds at its last update";

    fn translate(&self) -> Result<Translation, SpecError> {
        let (lr, end, warmup, total) =
            (only(&self.lr)?, self.end_learning_rate, self.warmup_updates, self.total_num_update);
        require("total_num_update", total, total > 0, "at least 1")?;
        let by_epoch = "left out: the rate would depend on where epochs end";
        require("force_anneal", self.force_anneal.unwrap_or(0), self.force_anneal.is_none(), by_epoch)?;
        let power = self.power;
        require("power", power, power >= 0.0, "at least 0: below, the rate would grow without bound")?;
        let Some(steps) = total.checked_sub(warmup).filter(|&steps| steps > 0) else {
            // The warmup runs to its end, even past the end of the decay.
            let pieces = vec![Linear { start: 0.0, end: lr, steps: warmup }.into(), constant(end)];
            return Ok(Sequence { pieces, boundaries: Some(vec![warmup.saturating_add(1)]) }.into());
        };
        let decay: Schedule = if power == 0.0 {
            Sequence { pieces: vec![constant(lr), constant(end)], boundaries: Some(vec![steps]) }.into()
        } else {
            Polynomial { start: lr, end, steps, power }.into()
        };
        Ok(warmed_up(warmup, 0.0, decay).into())
    }
}

/// A linear warmup, a plateau, and an exponential decay.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::dialect) struct TriStage {
    /// The highest rate.
    lr: Numbers,
    /// Updates of warmup.
    #[serde(default)]
    warmup_steps: u64,
    /// Updates of the plateau.
    #[serde(default)]
    hold_steps: u64,
    /// Updates of the decay.
    #[serde(default)]
    decay_steps: u64,
    /// Shares of `max_update` for the three, which go before their lengths.
    #[serde(default)]
    phase_ratio: Option<[f64; 3]>,
    /// First over highest rate.
    #[serde(default = "hundredth")]
    init_lr_scale: f64,
    /// Last over highest rate.
    #[serde(default = "hundredth")]
    final_lr_scale: f64,
    /// Updates of the whole, for `phase_ratio`.
    #[serde(default)]
    max_update: u64,
}

fn hundredth() -> f64 {
    0.01
}

impl TriStage {
    /// The lengths of the stages.
    fn stages(&self) -> Result<[u64; 3], SpecError> {
        let Some(shares) = self.phase_ratio else {
            return Ok([self.warmup_steps, self.hold_steps, self.decay_steps]);
        };
        require("max_update", self.max_update, self.max_update > 0, "at least 1 for `phase_ratio`")?;
        let sum = shares.iter().fold(0.0, |sum, share| sum + share);
        require(
            "phase_ratio",
            format!("a sum of {sum}"),
            sum == 1.0,
            "exactly 1, in floating point and in this order",
        )?;
        if let Some(share) = shares.iter().find(|&&share| share < 0.0) {
            require("phase_ratio", share, false, "at least 0")?;
        }
        Ok(shares.map(|share| (self.max_update as f64 * share) as u64))
    }
}

impl Foreign for TriStage {
    const SHAPE: Shape = Shape::Wsd;
    const BITES: &'static str = "decays exponentially; the shares must add up to exactly 1 in floating point";

    fn translate(&self) -> Result<Translation, SpecError> {
        let (peak, [warmup_steps, stable_steps, decay_steps]) = (only(&self.lr)?, self.stages()?);
        let scale = self.final_lr_scale;
        require("final_lr_scale", scale, scale > 0.0, "above 0: fairseq takes its logarithm")?;
        require("decay_steps", decay_steps, decay_steps > 0, "at least 1: fairseq divides by it")?;
        if peak == 0.0 {
            return Ok(constant(0.0).into());
        }
        let (start, end) = (self.init_lr_scale * peak, scale * peak);
        let shape = DecayShape::Exponential;
        Ok(Wsd { peak, warmup_steps, stable_steps, decay_steps, start, end, shape }.into())
    }
}

/// A linear warmup, then drops at regular updates.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::dialect) struct Step {
    /// The highest rate.
    lr: Numbers,
    /// Updates of warmup.
    #[serde(default)]
    warmup_updates: u64,
    /// The rate at update 0; below 0 it is `min_lr`.
    #[serde(default = "minus_one")]
    warmup_init_lr: f64,
    /// The lowest rate.
    #[serde(default)]
    min_lr: f64,
    /// Updates between drops; the name is fairseq's.
    #[serde(default = "twenty_five_thousand", alias = "lr_decay_period")]
    lr_deacy_period: u64,
    /// The factor of each drop.
    #[serde(default = "half")]
    lr_decay: f64,
}

fn twenty_five_thousand() -> u64 {
    25_000
}

impl Foreign for Step {
    const SHAPE: Shape = Shape::Step;
    const BITES: &'static str = "the argument is called `lr_deacy_period`; never falls below `min_lr`";

    fn translate(&self) -> Result<Translation, SpecError> {
        let (max, min, period, factor) = (first(&self.lr)?, self.min_lr, self.lr_deacy_period, self.lr_decay);
        require("lr_deacy_period", period, period > 0, "at least 1")?;
        require("lr_decay", factor, (0.0..=1.0).contains(&factor), "from 0 to 1")?;
        require("min_lr", min, min >= 0.0, "at least 0")?;
        require("lr", max, max > min, &format!("above `min_lr`, {min}"))?;
        let of = drops(max, factor, period);
        let held = if min == 0.0 { of } else { Clamp { min: Some(min), max: None, of: Box::new(of) }.into() };
        let init = if self.warmup_init_lr < 0.0 { min } else { self.warmup_init_lr };
        Ok(warmed_up(self.warmup_updates, init, held).into())
    }
}
