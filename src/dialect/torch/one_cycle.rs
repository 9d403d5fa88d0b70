//! The 1cycle policy.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::factor::Factor;
use super::{Optimizer, Scheduler, foreign, scheduler};
use crate::dialect::arguments::{Float, Integer, refused, require};
use crate::dialect::defaults::{ten_thousand, twenty_five, yes};
use crate::double_double::DoubleDouble;
use crate::error::SpecError;
use crate::program::MAX_STEP;
use crate::schedule::{Interpolation, Knot, PiecewiseInterpolate, Schedule, Until};

/// `anneal_strategy`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum AnnealStrategy {
    #[default]
    Cos,
    Linear,
}

scheduler! {
    /// The 1cycle policy.
    OneCycleLR {
        /// The maximum.
        max_lr: f64,
        /// Steps of the whole cycle.
        #[serde(default)]
        total_steps: Option<Integer>,
        /// Epochs, where `total_steps` is not given.
        #[serde(default)]
        epochs: Option<Integer>,
        /// Steps of an epoch, where `total_steps` is not given.
        #[serde(default)]
        steps_per_epoch: Option<Integer>,
        /// Share of the steps spent rising; a float.
        #[serde(default = "three_tenths")]
        pct_start: Float,
        /// Half cosines or straight lines.
        #[serde(default)]
        anneal_strategy: AnnealStrategy,
        /// Whether momentum is cycled too.
        #[serde(default = "yes")]
        cycle_momentum: bool,
        /// Momentum at the maximum.
        #[serde(default = "default_base_momentum")]
        base_momentum: f64,
        /// Momentum at the start and the end.
        #[serde(default = "default_max_momentum")]
        max_momentum: f64,
        /// Maximum over initial learning rate.
        #[serde(default = "twenty_five")]
        div_factor: f64,
        /// Initial over final learning rate.
        #[serde(default = "ten_thousand")]
        final_div_factor: f64,
        /// Whether it comes back to the initial learning rate first.
        #[serde(default)]
        three_phase: bool,
    }
}

foreign!(OneCycleLR OneCycle "ends at `total_steps` − 1, and phases between steps; `final_div_factor` divides the initial rate");

fn three_tenths() -> Float {
    Float(0.3)
}

fn default_base_momentum() -> f64 {
    0.85
}

fn default_max_momentum() -> f64 {
    0.95
}

/// A phase of the cycle: what it moves between, and when it ends.
struct Phase {
    end: f64,
    from: f64,
    to: f64,
}

impl OneCycleLR {
    fn total(&self) -> Result<u64, SpecError> {
        let total = match (self.total_steps, self.epochs, self.steps_per_epoch) {
            (Some(Integer(total)), ..) => total,
            (None, Some(Integer(epochs)), Some(Integer(steps))) => epochs.saturating_mul(steps),
            _ => return refused("total_steps", "missing: give `total_steps`, or both `epochs` and `steps_per_epoch`"),
        };
        require("total_steps", total, (1..MAX_STEP).contains(&total), "at least 1 and below 2^53 - 1")?;
        Ok(total)
    }

    /// The ends of the phases, as PyTorch rounds them.
    fn ends(&self) -> Result<Vec<f64>, SpecError> {
        let (total, pct) = (self.total()? as f64, self.pct_start.0);
        require("pct_start", pct, (0.0..=1.0).contains(&pct), "from 0 to 1")?;
        let up = pct * total - 1.0;
        if up == 0.0 {
            let message = format!("{pct} of {total} steps is one step: the rise has no length to divide by");
            return refused("pct_start", message);
        }
        Ok(if self.three_phase { vec![up, 2.0 * pct * total - 2.0, total - 1.0] } else { vec![up, total - 1.0] })
    }

    /// Moves through `values` from phase to phase, up to the last step that PyTorch allows.
    fn through(&self, values: &[f64]) -> Result<Schedule, SpecError> {
        let (total, ends) = (self.total()?, self.ends()?);
        let interpolation = match self.anneal_strategy {
            AnnealStrategy::Cos => Interpolation::Cosine,
            AnnealStrategy::Linear => Interpolation::Linear,
        };
        let mut points: Vec<Knot> = vec![Knot(0.0, values[0])];
        let mut start = 0.0;
        for (&end, pair) in ends.iter().zip(values.windows(2)) {
            if end < 0.0 {
                // This phase ends before step 0, at which the next phase is in progress.
                points = vec![Knot(end, pair[1])];
            } else if end > start {
                points.push(Knot(end, pair[1]));
            }
            start = end;
        }
        let phase = Phase { end: total as f64 - 1.0, from: values[values.len() - 2], to: values[values.len() - 1] };
        let before_last = ends[ends.len() - 2];
        let reached = points.last().map_or(0.0, |point| point.0);
        let last = if before_last >= total as f64 {
            // The phase before the last is still in progress.
            total
        } else if before_last == phase.end {
            // PyTorch divides by the length of the last phase at the first step in it.
            total - 1
        } else {
            // One step past the end is allowed, and the curve continues there.
            let p =
                DoubleDouble::exact_sum(total as f64, -before_last) / DoubleDouble::exact_sum(phase.end, -before_last);
            if reached < total as f64 {
                points.push(Knot(total as f64, self.beyond(&phase, p)));
            }
            total
        };
        Ok(Until { last, of: Box::new(PiecewiseInterpolate { points, interpolation }.into()) }.into())
    }

    /// The value where a phase is followed beyond its end.
    fn beyond(&self, phase: &Phase, p: DoubleDouble) -> f64 {
        match self.anneal_strategy {
            AnnealStrategy::Linear => (DoubleDouble::exact_sum(phase.to, -phase.from) * p + phase.from).high(),
            AnnealStrategy::Cos => {
                let cosine = (std::f64::consts::PI * p.high().rem_euclid(2.0)).cos();
                phase.to + (phase.from - phase.to) / 2.0 * (cosine + 1.0)
            }
        }
    }
}

impl Scheduler for OneCycleLR {
    fn optimizer(&self) -> Optimizer {
        self.made_with()
    }

    fn rate(&self, _: f64) -> Result<Schedule, SpecError> {
        let (initial, highest) = (self.max_lr / self.div_factor, self.max_lr);
        let least = initial / self.final_div_factor;
        match self.three_phase {
            true => self.through(&[initial, highest, initial, least]),
            false => self.through(&[initial, highest, least]),
        }
    }

    fn momentum(&self) -> Result<Option<Schedule>, SpecError> {
        if !self.cycle_momentum {
            return Ok(None);
        }
        self.made_with().check_momentum()?;
        let (low, high) = (self.base_momentum, self.max_momentum);
        match self.three_phase {
            true => self.through(&[high, low, high, high]),
            false => self.through(&[high, low, high]),
        }
        .map(Some)
    }

    fn resumed(&self, _: f64, first: u64) -> Result<Schedule, SpecError> {
        let message = format!("{} needs an optimizer that a OneCycleLR has prepared: leave it out", first - 1);
        refused("last_epoch", message)
    }

    fn overwrites_base(&self, _: bool) -> Option<f64> {
        Some(self.max_lr / self.div_factor)
    }

    fn factors(&self, base: f64) -> Result<Factor, SpecError> {
        Ok(Factor::Sets(self.rate(base)?))
    }
}
