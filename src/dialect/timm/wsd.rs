//! Warmup, stable phase, decay.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Base, Foreign, Shape, Translation, constant, scheduler};
use crate::dialect::arguments::require;
use crate::dialect::defaults::{half, tenth};
use crate::error::SpecError;
use crate::program::MAX_STEP;
use crate::schedule::{
    Clamp, DecayShape, InversePower, KDecay, KDecayForm, NormalizedExponential, Product, Scale, Schedule, Sequence, Wsd,
};

/// `stable_fn`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum StableFn {
    #[default]
    Constant,
    Rsqrt,
    Power,
}

/// `decay_fn`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(super) enum DecayFn {
    #[serde(rename = "linear")]
    Linear,
    #[default]
    #[serde(rename = "1-sqrt")]
    OneMinusSqrt,
    #[serde(rename = "cosine")]
    Cosine,
    #[serde(rename = "power")]
    Power,
    #[serde(rename = "exp")]
    Exp,
}

/// The arguments of the schedule, for `WSDLRScheduler` and `create_scheduler_v2`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    pub(super) base: Base,
    pub(super) t_initial: u64,
    pub(super) decay_t: u64,
    pub(super) lr_min: f64,
    pub(super) stable_fn: StableFn,
    pub(super) stable_timescale: Option<f64>,
    pub(super) stable_power: f64,
    pub(super) decay_fn: DecayFn,
    pub(super) decay_power: f64,
    pub(super) decay_ratio: f64,
}

impl Plan {
    fn check(&self) -> Result<(), SpecError> {
        let all = self.t_initial;
        require("t_initial", all, (1..=MAX_STEP).contains(&all), "at least 1")?;
        let within = format!("from 1 to `t_initial`, {all}");
        require("decay_t", self.decay_t, (1..=all).contains(&self.decay_t), &within)?;
        require("lr_min", self.lr_min, self.lr_min >= 0.0, "at least 0")?;
        let ratio = self.decay_ratio;
        require("decay_ratio", ratio, ratio > 0.0 && ratio < 1.0, "above 0 and below 1")?;
        require("decay_power", self.decay_power, self.decay_power > 0.0, "above 0")?;
        require("stable_power", self.stable_power, self.stable_power > 0.0, "above 0")
    }

    /// The decay from `start` to `end`, after the phases before it.
    fn fall(&self, start: f64, end: f64) -> Schedule {
        let (stable_steps, decay_steps) = (self.t_initial - self.decay_t, self.decay_t);
        let wsd = |shape| Wsd { peak: start, warmup_steps: 0, stable_steps, decay_steps, start, end, shape }.into();
        let fall: Schedule = match self.decay_fn {
            DecayFn::Linear => return wsd(DecayShape::Linear),
            DecayFn::OneMinusSqrt => return wsd(DecayShape::OneMinusSqrt),
            DecayFn::Cosine => return wsd(DecayShape::Cosine),
            DecayFn::Power => {
                let (steps, k, form) = (decay_steps, self.decay_power, KDecayForm::Polynomial);
                KDecay { start, end, steps, k, form, power: 1.0 }.into()
            }
            DecayFn::Exp => NormalizedExponential { start, end, steps: decay_steps, ratio: self.decay_ratio }.into(),
        };
        match stable_steps {
            0 => fall,
            steps => Sequence { pieces: vec![constant(start), fall], boundaries: Some(vec![steps]) }.into(),
        }
    }

    /// The exponent of the stable phase, where it decays too.
    fn stable_power(&self) -> Option<f64> {
        match self.stable_fn {
            StableFn::Constant => None,
            StableFn::Rsqrt => Some(0.5),
            StableFn::Power => Some(self.stable_power),
        }
    }

    pub(super) fn translated(&self) -> Result<Schedule, SpecError> {
        self.check()?;
        let (lr, lr_min) = (self.base.lr, self.lr_min);
        let Some(power) = self.stable_power() else {
            return Ok(self.base.warmed_up(self.fall(lr.max(lr_min), lr_min)));
        };
        let timescale = self.stable_timescale.unwrap_or(self.base.warmup as f64);
        require("stable_timescale", timescale, timescale > 0.0, "above 0; it defaults to the length of the warmup")?;
        let stable: Schedule = InversePower { start: lr, timescale, power, staircase: false }.into();
        // The part above the lowest rate, times a decay from 1 to 0.
        if lr_min == 0.0 && lr >= 0.0 {
            return Ok(self.base.warmed_up(Product { factors: vec![stable, self.fall(1.0, 0.0)] }.into()));
        }
        let above = Scale { by: 1.0, of: Box::new(stable), offset: -lr_min };
        let above = Clamp { min: Some(0.0), max: None, of: Box::new(above.into()) };
        let of = Product { factors: vec![above.into(), self.fall(1.0, 0.0)] };
        Ok(self.base.warmed_up(Scale { by: 1.0, of: Box::new(of.into()), offset: lr_min }.into()))
    }
}

scheduler! {
    /// Warmup, stable, decay.
    WSDLRScheduler {
        /// Steps after the warmup.
        t_initial: u64,
        /// The last of them, in which the rate falls.
        decay_t: u64,
        /// The rate at the end.
        #[serde(default)]
        lr_min: f64,
        /// The look of the stable phase, which goes on during the decay.
        #[serde(default)]
        stable_fn: StableFn,
        /// Steps after which the stable phase is at 2 to the power of its exponent; those of the warmup by default.
        #[serde(default)]
        stable_timescale: Option<f64>,
        /// The exponent of the stable phase, for `power`.
        #[serde(default = "half")]
        stable_power: f64,
        /// The look of the decay.
        #[serde(default)]
        decay_fn: DecayFn,
        /// The exponent of the decay, for `power`.
        #[serde(default = "half")]
        decay_power: f64,
        /// What would be left after the decay, for `exp`.
        #[serde(default = "tenth")]
        decay_ratio: f64,
    }
}

impl Foreign for WSDLRScheduler {
    const SHAPE: Shape = Shape::Wsd;
    const BITES: &'static str = "`t_initial` is without the warmup; `exp` is moved to end at `lr_min`; a stable phase \
                                 that decays goes on during the decay";

    fn translate(&self) -> Result<Translation, SpecError> {
        let plan = Plan {
            base: self.base(true)?,
            t_initial: self.t_initial,
            decay_t: self.decay_t,
            lr_min: self.lr_min,
            stable_fn: self.stable_fn,
            stable_timescale: self.stable_timescale,
            stable_power: self.stable_power,
            decay_fn: self.decay_fn,
            decay_power: self.decay_power,
            decay_ratio: self.decay_ratio,
        };
        Ok(plan.translated()?.into())
    }
}
