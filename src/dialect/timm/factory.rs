//! `create_scheduler_v2`, which creates any of the schedulers from the arguments of a training script.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::cyclic::{Curve, Decay};
use super::stepped::{milestones, steps};
use super::wsd::{DecayFn, Plan, StableFn};
use super::{Base, Foreign, Shape, Translation, check_noise, constant};
use crate::dialect::arguments::{Length, Numbers, refused, require};
use crate::dialect::defaults::{one, tenth, yes};
use crate::error::SpecError;
use crate::program::MAX_STEP;
use crate::schedule::Schedule;

/// `sched`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Sched {
    #[default]
    Cosine,
    Tanh,
    Step,
    Constant,
    Multistep,
    Plateau,
    Poly,
    Wsd,
    Rsqrt,
    None,
}

/// A scheduler by name.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::dialect) struct CreateSchedulerV2 {
    /// The learning rate that the optimizer is made with.
    lr: f64,
    /// Which scheduler.
    #[serde(default)]
    sched: Sched,
    /// Epochs of the schedule, without the cooldown, and without a warmup that is a prefix.
    #[serde(default = "three_hundred")]
    num_epochs: u64,
    /// Epochs between drops (90), or of the decay of `wsd` and `rsqrt` (0.2: a share, where it is below 1).
    #[serde(default)]
    decay_epochs: Option<Length>,
    /// The epochs of `multistep`'s drops.
    #[serde(default = "default_milestones")]
    decay_milestones: Vec<u64>,
    /// Epochs at the lowest rate after the schedule, which are no part of it.
    #[serde(default)]
    #[expect(dead_code, reason = "it only makes the training longer")]
    cooldown_epochs: u64,
    /// Epochs without improvement, for `plateau`.
    #[serde(default)]
    #[expect(dead_code, reason = "for plateau, which is no schedule")]
    patience_epochs: Option<u64>,
    /// The factor of each drop, and `poly`'s power.
    #[serde(default = "tenth")]
    decay_rate: f64,
    /// The lowest rate.
    #[serde(default)]
    min_lr: f64,
    /// The rate at step 0, where there is a warmup.
    #[serde(default = "hundred_thousandth")]
    warmup_lr: f64,
    /// Epochs of warmup.
    #[serde(default)]
    warmup_epochs: u64,
    /// Whether the warmup comes before the schedule, or covers its beginning.
    #[serde(default)]
    warmup_prefix: bool,
    /// Where noise begins and ends: not supported.
    #[serde(default)]
    noise: Option<Numbers>,
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
    /// Growth of the cycles.
    #[serde(default = "one")]
    cycle_mul: f64,
    /// Factor on the peak from cycle to cycle.
    #[serde(default = "tenth")]
    cycle_decay: f64,
    /// The number of cycles.
    #[serde(default = "one_cycle")]
    cycle_limit: u64,
    /// The power that bends time.
    #[serde(default = "one")]
    k_decay: f64,
    /// The look of `wsd`'s decay (1-sqrt) and of `rsqrt`'s (linear).
    #[serde(default)]
    decay_fn: Option<DecayFn>,
    /// `rsqrt`'s timescale in epochs; those of the warmup by default.
    #[serde(default)]
    stable_timescale: Option<f64>,
    /// The direction of the metric, for `plateau`.
    #[serde(default)]
    #[expect(dead_code, reason = "for plateau, which is no schedule")]
    plateau_mode: Option<String>,
    /// Whether steps are epochs, or updates.
    #[serde(default = "yes")]
    step_on_epochs: bool,
    /// Updates of an epoch, where steps are updates.
    #[serde(default)]
    updates_per_epoch: u64,
}

fn three_hundred() -> u64 {
    300
}

fn default_milestones() -> Vec<u64> {
    vec![90, 180, 270]
}

fn hundred_thousandth() -> f64 {
    1e-5
}

fn one_cycle() -> u64 {
    1
}

impl CreateSchedulerV2 {
    /// Steps of an epoch.
    fn unit(&self) -> Result<u64, SpecError> {
        if self.step_on_epochs {
            return Ok(1);
        }
        let updates = self.updates_per_epoch;
        require("updates_per_epoch", updates, updates > 0, "at least 1 where steps are updates")?;
        Ok(updates)
    }

    fn in_steps(&self, argument: &str, epochs: u64) -> Result<u64, SpecError> {
        let steps = epochs.checked_mul(self.unit()?).filter(|&steps| steps <= MAX_STEP);
        steps.map_or_else(|| refused(argument, format!("{epochs} epochs are beyond 2^53 - 1 steps")), Ok)
    }

    fn decay(&self, base: Base, curve: Curve) -> Result<Schedule, SpecError> {
        let decay = Decay {
            curve,
            base,
            lr_min: self.min_lr,
            t_initial: self.in_steps("num_epochs", self.num_epochs)?,
            cycle_mul: self.cycle_mul,
            cycle_decay: self.cycle_decay,
            cycle_limit: self.cycle_limit,
        };
        decay.translated().map_err(|error| self.renamed(error))
    }

    /// An error about a scheduler's argument, under the name it has here.
    fn renamed(&self, error: SpecError) -> SpecError {
        let path = match error.path.as_str() {
            "t_initial" => "num_epochs",
            "lr_min" => "min_lr",
            "warmup_lr_init" => "warmup_lr",
            "power" => "decay_rate",
            "decay_t" => "decay_epochs",
            other => other,
        };
        SpecError::new(path, error.message)
    }

    /// A stable phase and a decay, with the warmup before them within the epochs.
    fn stable_then_decay(&self, base: Base) -> Result<Schedule, SpecError> {
        let unit = self.unit()?;
        let all = self.in_steps("num_epochs", self.num_epochs)?;
        let t_initial = if self.warmup_prefix { all } else { all.saturating_sub(base.warmup) };
        let epochs = self.decay_epochs.map_or(0.2, |Length(epochs)| epochs);
        let share = epochs > 0.0 && epochs < 1.0;
        let decay = if share { epochs * t_initial as f64 } else { epochs * unit as f64 }.round_ties_even();
        let room = format!("such that the decay has 1 to {t_initial} steps, not {decay}");
        require("decay_epochs", epochs, decay >= 1.0 && decay <= t_initial as f64, &room)?;
        let rsqrt = self.sched == Sched::Rsqrt;
        let plan = Plan {
            base: Base { prefix: true, ..base },
            t_initial,
            decay_t: decay as u64,
            lr_min: self.min_lr,
            stable_fn: if rsqrt { StableFn::Rsqrt } else { StableFn::Constant },
            stable_timescale: self.stable_timescale.map(|epochs| epochs * unit as f64),
            stable_power: 0.5,
            decay_fn: self.decay_fn.unwrap_or(if rsqrt { DecayFn::Linear } else { DecayFn::OneMinusSqrt }),
            decay_power: 0.5,
            decay_ratio: 0.1,
        };
        plan.translated().map_err(|error| self.renamed(error))
    }
}

impl Foreign for CreateSchedulerV2 {
    const SHAPE: Shape = Shape::Wsd;
    const ALSO: &'static [Shape] = &[Shape::Cosine, Shape::Polynomial, Shape::Step, Shape::MultiStep, Shape::Tanh];
    const BITES: &'static str = "`decay_rate`, 0.1, is `poly`'s power; `warmup_lr` is 1e-5 and `cycle_decay` 0.1 by \
                                 default; with `wsd` the warmup is taken off the epochs";

    fn translate(&self) -> Result<Translation, SpecError> {
        let warmup = self.in_steps("warmup_epochs", self.warmup_epochs)?;
        let base = Base { lr: self.lr, warmup, init: self.warmup_lr, prefix: self.warmup_prefix };
        if self.sched != Sched::None {
            check_noise("noise", self.noise.as_ref())?;
        }
        Ok(match self.sched {
            Sched::Cosine => self.decay(base, Curve::Cosine { k: self.k_decay })?,
            Sched::Tanh => self.decay(base, Curve::Tanh { lower: -7.0, upper: 3.0 })?,
            Sched::Poly => self.decay(base, Curve::Poly { k: self.k_decay, power: self.decay_rate })?,
            Sched::Step => {
                let distance = self.decay_epochs.map_or(90.0, |Length(epochs)| epochs) * self.unit()? as f64;
                steps(&base, distance, self.decay_rate, "decay_epochs")?
            }
            Sched::Constant => base.warmed_up(constant(self.lr)),
            Sched::Multistep => {
                let at = self.decay_milestones.iter().map(|&epoch| self.in_steps("decay_milestones", epoch));
                milestones(&base, &at.collect::<Result<Vec<_>, _>>()?, self.decay_rate)
            }
            Sched::Wsd | Sched::Rsqrt => self.stable_then_decay(base)?,
            Sched::None => constant(self.lr),
            Sched::Plateau => return refused("sched", "plateau follows a metric, and is no schedule of the step"),
        }
        .into())
    }
}
