//! Megatron-core's `OptimizerParamScheduler`, as of 0.16.1.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::arguments::{refused, require};
use super::pieces::{ahead, constant, one_after_another};
use super::{Foreign, Shape, Translation, library};
use crate::dialect::defaults::yes;
use crate::error::SpecError;
use crate::program::MAX_STEP;
use crate::schedule::{
    Clamp, Clock, Cosine, DecayShape, InverseSqrt, Linear, NormalizedExponential, Schedule, Sequence, Until, Warmup,
    WarmupShape, Wsd,
};

library! {
    Megatron "megatron" aliases ["megatron-core", "megatron-lm"] "Megatron-core 0.16, OptimizerParamScheduler"
    "OptimizerParamScheduler"
        | "OptimizerParamScheduler:constant"
        | "OptimizerParamScheduler:linear"
        | "OptimizerParamScheduler:cosine"
        | "OptimizerParamScheduler:inverse-square-root"
        | "OptimizerParamScheduler:WSD" OptimizerParamScheduler,
}

/// `lr_decay_style`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
enum DecayStyle {
    #[serde(rename = "constant")]
    Constant,
    #[serde(rename = "linear")]
    Linear,
    #[serde(rename = "cosine")]
    Cosine,
    #[serde(rename = "inverse-square-root")]
    InverseSquareRoot,
    #[serde(rename = "WSD")]
    Wsd,
}

/// `lr_wsd_decay_style`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum WsdDecayStyle {
    Linear,
    Cosine,
    Exponential,
    MinusSqrt,
}

/// `wd_incr_style`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum IncreaseStyle {
    Constant,
    Linear,
    Cosine,
}

/// A linear warmup, then a decay.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OptimizerParamScheduler {
    /// The rate at step 0, where there is a warmup.
    init_lr: f64,
    /// The rate after the warmup.
    max_lr: f64,
    /// The rate after `lr_decay_steps`.
    min_lr: f64,
    /// Steps (or samples) of warmup.
    lr_warmup_steps: u64,
    /// Steps (or samples) of warmup and decay.
    lr_decay_steps: u64,
    /// The look of the decay.
    lr_decay_style: DecayStyle,
    /// Weight decay at step 0: checked, and of no effect on the rate.
    #[serde(default)]
    start_wd: Option<f64>,
    /// Weight decay at the end: checked, and of no effect on the rate.
    #[serde(default)]
    end_wd: Option<f64>,
    /// Steps in which weight decay rises: of no effect on the rate.
    #[serde(default)]
    wd_incr_steps: Option<u64>,
    /// How weight decay rises: of no effect on the rate.
    #[serde(default)]
    wd_incr_style: Option<IncreaseStyle>,
    /// Whether a checkpoint's values go before these.
    #[serde(default = "yes")]
    use_checkpoint_opt_param_scheduler: bool,
    /// Whether these values go before a checkpoint's.
    #[serde(default)]
    override_opt_param_scheduler: bool,
    /// Steps (or samples) of `WSD`'s decay.
    #[serde(default)]
    wsd_decay_steps: Option<u64>,
    /// The look of `WSD`'s decay.
    #[serde(default)]
    lr_wsd_decay_style: Option<WsdDecayStyle>,
    /// What each update adds to the count: 1 for steps, the batch's size for samples.
    #[serde(default = "one")]
    increment: u64,
}

fn one() -> u64 {
    1
}

impl OptimizerParamScheduler {
    fn check(&self) -> Result<(), SpecError> {
        require("min_lr", self.min_lr, self.min_lr >= 0.0, "at least 0")?;
        require("max_lr", self.max_lr, self.max_lr >= self.min_lr, &format!("at least `min_lr`, {}", self.min_lr))?;
        require("init_lr", self.init_lr, self.init_lr <= self.max_lr, &format!("at most `max_lr`, {}", self.max_lr))?;
        let (warmup, end) = (self.lr_warmup_steps, self.lr_decay_steps);
        require("lr_decay_steps", end, (1..MAX_STEP).contains(&end), "at least 1 and below 2^53 - 1")?;
        let before = format!("below `lr_decay_steps`, {end}, which counts the warmup too");
        require("lr_warmup_steps", warmup, warmup < end, &before)?;
        require("increment", self.increment, self.increment > 0, "at least 1")?;
        self.check_weight_decay()?;
        let both = self.override_opt_param_scheduler && self.use_checkpoint_opt_param_scheduler;
        require("override_opt_param_scheduler", true, !both, "false where the checkpoint's values are used")
    }

    fn check_weight_decay(&self) -> Result<(), SpecError> {
        let start = self.start_wd.unwrap_or(0.0);
        let end = self.end_wd.unwrap_or(start);
        require("start_wd", start, start >= 0.0, "at least 0")?;
        require("end_wd", end, end >= start, &format!("at least `start_wd`, {start}"))?;
        let rises = self.wd_incr_style.is_some_and(|style| style != IncreaseStyle::Constant);
        require("end_wd", end, rises || end == start, "equal to `start_wd` for a constant weight decay")?;
        let divides = self.wd_incr_steps == Some(0) && rises;
        require("wd_incr_steps", 0, !divides, "at least 1 where weight decay rises: Megatron divides by it")
    }

    /// A warmup up to what follows it.
    fn warmed_up(&self, then: Schedule) -> Schedule {
        match self.lr_warmup_steps {
            0 => then,
            steps => {
                let shape = WarmupShape::Linear;
                Warmup { steps, start: self.init_lr, shape, then: Box::new(then), overlay: false }.into()
            }
        }
    }

    /// The rate by the count of steps or samples.
    fn rate(&self) -> Result<Schedule, SpecError> {
        let (max, min, warmup) = (self.max_lr, self.min_lr, self.lr_warmup_steps);
        let steps = self.lr_decay_steps - warmup;
        Ok(self.warmed_up(match self.lr_decay_style {
            DecayStyle::Constant => constant(max),
            DecayStyle::Linear => Linear { start: max, end: min, steps }.into(),
            DecayStyle::Cosine => Cosine { start: max, end: min, steps }.into(),
            DecayStyle::InverseSquareRoot => {
                let root = InverseSqrt { start: max, timescale: warmup.max(1), shift: warmup };
                let held = Clamp { min: Some(min), max: None, of: Box::new(root.into()) };
                Sequence { pieces: vec![held.into(), constant(min)], boundaries: Some(vec![steps + 1]) }.into()
            }
            DecayStyle::Wsd => return self.stable_then_decay(),
        }))
    }

    /// Warmup, stable, decay, where the decay may be longer than what follows the warmup.
    fn stable_then_decay(&self) -> Result<Schedule, SpecError> {
        let (max, min, warmup) = (self.max_lr, self.min_lr, self.lr_warmup_steps);
        let Some(decay) = self.wsd_decay_steps else {
            return refused("wsd_decay_steps", "missing: WSD needs the length of its decay");
        };
        require("wsd_decay_steps", decay, decay <= MAX_STEP, "at most 2^53 - 1")?;
        let left = self.lr_decay_steps - warmup;
        let Some(style) = self.lr_wsd_decay_style.filter(|_| decay > 0) else {
            return self.without_decay(decay);
        };
        let shape = match style {
            WsdDecayStyle::Linear => DecayShape::Linear,
            WsdDecayStyle::Cosine => DecayShape::Cosine,
            WsdDecayStyle::MinusSqrt => DecayShape::OneMinusSqrt,
            WsdDecayStyle::Exponential => {
                let fall = NormalizedExponential { start: max, end: min, steps: decay, ratio: 0.5 };
                return Ok(match left.checked_sub(decay) {
                    None => self.decay_at_once(fall.into(), decay),
                    Some(0) => self.warmed_up(fall.into()),
                    Some(stable) => {
                        let pieces = vec![constant(max), fall.into()];
                        self.warmed_up(Sequence { pieces, boundaries: Some(vec![stable]) }.into())
                    }
                });
            }
        };
        let wsd = Wsd { peak: max, warmup_steps: 0, stable_steps: 0, decay_steps: decay, start: 0.0, end: min, shape };
        Ok(match left.checked_sub(decay) {
            None => self.decay_at_once(wsd.into(), decay),
            Some(stable_steps) if warmup == 0 => Wsd { stable_steps, start: max, ..wsd }.into(),
            Some(stable_steps) => Wsd { stable_steps, warmup_steps: warmup, start: self.init_lr, ..wsd }.into(),
        })
    }

    /// A decay that has begun before the end of the warmup, and takes effect one step after it.
    fn decay_at_once(&self, fall: Schedule, decay: u64) -> Schedule {
        let seen_from = if self.lr_warmup_steps > 0 { self.lr_warmup_steps + 1 } else { 0 };
        let fall = ahead((decay + seen_from).saturating_sub(self.lr_decay_steps) as f64, fall);
        match self.lr_warmup_steps {
            0 => fall,
            steps => {
                let rise = Linear { start: self.init_lr, end: self.max_lr, steps }.into();
                Sequence { pieces: vec![rise, fall], boundaries: Some(vec![seen_from]) }.into()
            }
        }
    }

    /// The rate up to where Megatron finds that the decay has no style; without a length it needs none.
    fn without_decay(&self, decay: u64) -> Result<Schedule, SpecError> {
        if decay == 0 {
            let pieces = vec![self.warmed_up(constant(self.max_lr)), constant(self.min_lr)];
            return Ok(Sequence { pieces, boundaries: Some(vec![self.lr_decay_steps + 1]) }.into());
        }
        let stable_until = self.lr_decay_steps.checked_sub(decay);
        if self.lr_warmup_steps == 0 && stable_until.is_none() {
            return refused("lr_wsd_decay_style", "missing: the decay begins before the first step");
        }
        let stable = stable_until.unwrap_or(0).max(self.lr_warmup_steps);
        if (stable / self.increment + 1).saturating_mul(self.increment) > self.lr_decay_steps {
            // The count goes past the decay without seeing it.
            let pieces = vec![(0, self.warmed_up(constant(self.max_lr))), (stable + 1, constant(self.min_lr))];
            return Ok(one_after_another(pieces));
        }
        Ok(Until { last: stable, of: Box::new(self.warmed_up(constant(self.max_lr))) }.into())
    }
}

impl Foreign for OptimizerParamScheduler {
    const SHAPE: Shape = Shape::Wsd;
    const BITES: &'static str = "`lr_decay_steps` includes the warmup; inverse-square-root drops to `min_lr` after it; \
                                 WSD's exponential is 2·0.5^t − 1; a decay longer than what is left jumps";

    fn translate(&self) -> Result<Translation, SpecError> {
        self.check()?;
        let rate = self.rate()?;
        Ok(match self.increment {
            1 => rate.into(),
            batch => Clock { multiplier: batch as f64, ahead: 0.0, divisor: 1.0, of: Box::new(rate) }.into(),
        })
    }
}
