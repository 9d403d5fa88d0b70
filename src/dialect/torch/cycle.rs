//! Cyclical learning rates.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::factor::Factor;
use super::{Optimizer, Scheduler, foreign, scheduler};
use crate::dialect::arguments::require;
use crate::dialect::defaults::{one, yes};
use crate::dialect::pieces::{ahead, constant, one_after_another};
use crate::error::SpecError;
use crate::schedule::{Cycle, CycleMode, Cyclic, CyclicMode, Exponential, Linear, Product, Restarts, Scale, Schedule};

/// `scale_mode`, which counts only beside a `scale_fn`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::dialect) enum ScaleMode {
    #[default]
    Cycle,
    Iterations,
}

scheduler! {
    /// Triangles between two rates.
    CyclicLR {
        /// The lower rate.
        base_lr: f64,
        /// The upper rate.
        max_lr: f64,
        /// Steps up.
        #[serde(default = "two_thousand")]
        step_size_up: u64,
        /// Steps down; as many as up where it is left out.
        #[serde(default)]
        step_size_down: Option<u64>,
        /// How the height goes on.
        #[serde(default)]
        mode: CyclicMode,
        /// The factor per step of `exp_range`.
        #[serde(default = "one")]
        gamma: f64,
        /// Goes with a function of one's own only.
        #[serde(default)]
        scale_mode: ScaleMode,
        /// Whether momentum is cycled too.
        #[serde(default = "yes")]
        cycle_momentum: bool,
        /// Momentum at the upper rate.
        #[serde(default = "default_base_momentum")]
        base_momentum: f64,
        /// Momentum at the lower rate.
        #[serde(default = "default_max_momentum")]
        max_momentum: f64,
    }
}

foreign!(CyclicLR Cyclic "the optimizer's own rate is ignored; `triangular2` overflows after 1024 cycles there");

fn two_thousand() -> u64 {
    2000
}

fn default_base_momentum() -> f64 {
    0.8
}

fn default_max_momentum() -> f64 {
    0.9
}

impl CyclicLR {
    /// Triangles between two values.
    fn triangles(&self, base: f64, max: f64) -> Result<Schedule, SpecError> {
        // It has an effect with a custom function only.
        let _ = self.scale_mode;
        let (up, down) = (self.step_size_up, self.step_size_down.unwrap_or(self.step_size_up));
        require("step_size_up", up, up > 0, "at least 1: PyTorch divides by it")?;
        if down > 0 {
            let (step_size_up, step_size_down) = (up, self.step_size_down);
            let (mode, gamma) = (self.mode, self.gamma);
            return Ok(Cyclic { base, max, step_size_up, step_size_down, mode, gamma }.into());
        }
        // A sawtooth, which falls back within one step.
        let tooth = |start, end| Box::new(Linear { start, end, steps: up }.into());
        Ok(match self.mode {
            CyclicMode::Triangular => Cycle { of: tooth(base, max), mode: CycleMode::Restart }.into(),
            CyclicMode::Triangular2 => {
                let of = Restarts { of: tooth(0.0, max - base), multiplier: 1.0, decay: 0.5 };
                Scale { by: 1.0, of: Box::new(of.into()), offset: base }.into()
            }
            CyclicMode::ExpRange => {
                let teeth = Cycle { of: tooth(0.0, max - base), mode: CycleMode::Restart }.into();
                let gamma = Exponential { start: 1.0, decay_rate: self.gamma, decay_steps: 1, staircase: false }.into();
                let of = Product { factors: vec![teeth, gamma] };
                Scale { by: 1.0, of: Box::new(of.into()), offset: base }.into()
            }
        })
    }
}

impl Scheduler for CyclicLR {
    fn optimizer(&self) -> Optimizer {
        self.made_with()
    }

    fn rate(&self, _: f64) -> Result<Schedule, SpecError> {
        self.triangles(self.base_lr, self.max_lr)
    }

    fn momentum(&self) -> Result<Option<Schedule>, SpecError> {
        if !self.cycle_momentum {
            return Ok(None);
        }
        self.made_with().check_momentum()?;
        self.triangles(self.max_momentum, self.base_momentum).map(Some)
    }

    fn resumed(&self, base: f64, first: u64) -> Result<Schedule, SpecError> {
        // The constructor's initial step uses the optimizer's rate as the lower one.
        let at_first = self.triangles(base, self.max_lr)?.value(first);
        let after = ahead(first as f64 + 1.0, self.triangles(self.base_lr, self.max_lr)?);
        Ok(one_after_another(vec![(0, constant(at_first)), (1, after)]))
    }

    fn overwrites_base(&self, first: bool) -> Option<f64> {
        first.then_some(self.base_lr)
    }

    fn factors(&self, base: f64) -> Result<Factor, SpecError> {
        Ok(Factor::Sets(self.rate(base)?))
    }
}
