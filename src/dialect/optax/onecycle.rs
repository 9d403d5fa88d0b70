//! The 1cycle policy.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::piecewise::{Scales, interpolated};
use super::{Foreign, Shape, Translation};
use crate::dialect::arguments::{Whole, require};
use crate::dialect::defaults::{ten_thousand, twenty_five};
use crate::error::SpecError;
use crate::schedule::Interpolation;

/// What both forms of the policy have.
struct Cycle {
    transition_steps: Whole,
    div_factor: f64,
    final_div_factor: f64,
}

impl Cycle {
    fn check(&self) -> Result<(), SpecError> {
        let (steps, least) = (self.transition_steps.0, "at least 1");
        require("transition_steps", steps, steps > 0, least)?;
        let above = "greater than 0: scales are at least 0, and nothing is divided by 0";
        require("div_factor", self.div_factor, self.div_factor > 0.0, above)?;
        require("final_div_factor", self.final_div_factor, self.final_div_factor > 0.0, above)
    }

    /// The step at a share of the whole, cut off as Python does.
    fn step_at(&self, share: f64) -> i64 {
        (share * self.transition_steps.0 as f64) as i64
    }

    /// Boundaries given twice keep the scale given last.
    fn scales(&self, of_shares: &[(f64, f64)], last: f64) -> Scales {
        let mut scales: BTreeMap<i64, f64> = BTreeMap::new();
        for &(share, scale) in of_shares {
            scales.insert(self.step_at(share), scale);
        }
        scales.insert(self.transition_steps.0, last);
        Scales(scales)
    }
}

fn three_tenths() -> f64 {
    0.3
}

fn default_pct_final() -> f64 {
    0.85
}

const COLLIDING: &str =
    "`final_div_factor` divides the initial value; phases that round to the same step silently lose one of them";

/// Up to a peak, down to the start, and on to almost nothing, in lines.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::dialect) struct LinearOnecycleSchedule {
    /// Steps of the whole cycle.
    transition_steps: Whole,
    /// The maximum.
    peak_value: f64,
    /// Share of the steps at which the maximum is reached.
    #[serde(default = "three_tenths")]
    pct_start: f64,
    /// Share of the steps at which the initial value is reached again.
    #[serde(default = "default_pct_final")]
    pct_final: f64,
    /// Maximum over initial value.
    #[serde(default = "twenty_five")]
    div_factor: f64,
    /// Initial over final value.
    #[serde(default = "ten_thousand")]
    final_div_factor: f64,
}

impl Foreign for LinearOnecycleSchedule {
    const SHAPE: Shape = Shape::OneCycle;
    const BITES: &'static str = COLLIDING;

    fn translate(&self) -> Result<Translation, SpecError> {
        let Self { transition_steps, div_factor, final_div_factor, .. } = *self;
        let cycle = Cycle { transition_steps, div_factor, final_div_factor };
        cycle.check()?;
        let shares = [(self.pct_start, div_factor), (self.pct_final, 1.0 / div_factor)];
        let scales = cycle.scales(&shares, 1.0 / final_div_factor);
        interpolated(Interpolation::Linear, self.peak_value / div_factor, &scales).map(Translation::from)
    }
}

/// Up to a peak and down to almost nothing, in half cosines.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::dialect) struct CosineOnecycleSchedule {
    /// Steps of the whole cycle.
    transition_steps: Whole,
    /// The maximum.
    peak_value: f64,
    /// Share of the steps at which the maximum is reached.
    #[serde(default = "three_tenths")]
    pct_start: f64,
    /// Maximum over initial value.
    #[serde(default = "twenty_five")]
    div_factor: f64,
    /// Initial over final value.
    #[serde(default = "ten_thousand")]
    final_div_factor: f64,
}

impl Foreign for CosineOnecycleSchedule {
    const SHAPE: Shape = Shape::OneCycle;
    const BITES: &'static str = COLLIDING;

    fn translate(&self) -> Result<Translation, SpecError> {
        let Self { transition_steps, div_factor, final_div_factor, .. } = *self;
        let cycle = Cycle { transition_steps, div_factor, final_div_factor };
        cycle.check()?;
        let scales = cycle.scales(&[(self.pct_start, div_factor)], 1.0 / (div_factor * final_div_factor));
        interpolated(Interpolation::Cosine, self.peak_value / div_factor, &scales).map(Translation::from)
    }
}
