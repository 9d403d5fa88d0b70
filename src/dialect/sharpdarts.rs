//! sharpDARTS' `cosine_power_annealing`, as of 6f593d4.

use schemars::JsonSchema;
use serde::Deserialize;

use super::arguments::{refused, require};
use super::pieces::ahead;
use super::{Foreign, Shape, Translation, library};
use crate::dialect::defaults::{ten_thousandth, tenth, yes};
use crate::double_double::DoubleDouble;
use crate::error::SpecError;
use crate::program::MAX_STEP;
use crate::schedule::{Cosine, CosinePower, CosinePowerForm, Cycle, CycleMode, Linear, Schedule, Sequence, Until};

library! {
    SharpDarts "sharpdarts" aliases [] "sharpDARTS, cosine_power_annealing: an array of rates, one an epoch"
    "cosine_power_annealing" CosinePowerAnnealing,
}

/// Half a cosine bent by an exponential.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CosinePowerAnnealing {
    /// Number of epochs; `max_epoch` where it is left out.
    #[serde(default)]
    epochs: Option<u64>,
    /// The maximum.
    #[serde(default = "tenth")]
    max_lr: f64,
    /// The minimum.
    #[serde(default = "ten_thousandth")]
    min_lr: f64,
    /// The base of the exponential; 1 is a plain cosine.
    #[serde(default = "ten")]
    exponent_order: f64,
    /// The epoch at which the cosine ends; `epochs` where it is left out.
    #[serde(default)]
    max_epoch: Option<u64>,
    /// Epochs of warmup.
    #[serde(default)]
    warmup_epochs: Option<u64>,
    /// Whether more than the rates is returned.
    #[serde(default)]
    #[expect(dead_code, reason = "the rates are the same")]
    return_intermediates: bool,
    /// The epoch of step 0, where the rate is not to start again.
    #[serde(default = "one")]
    start_epoch: u64,
    /// Whether the rate starts again, whatever `start_epoch` says.
    #[serde(default = "yes")]
    restart_lr: bool,
}

fn ten() -> f64 {
    10.0
}

fn one() -> u64 {
    1
}

impl CosinePowerAnnealing {
    /// The curve between 0 and 1 at an epoch.
    fn height(&self, epoch: u64, end: u64) -> DoubleDouble {
        let within = epoch % (2 * end);
        let left = end.abs_diff(within.min(2 * end));
        let sine = (DoubleDouble::from(left) / DoubleDouble::from(end)).sin_half_pi();
        let order = DoubleDouble::from(self.exponent_order);
        match self.exponent_order {
            1.0 => sine * sine,
            _ => (order.log2() * sine * sine).exp2_m1() / (order - 1.0),
        }
    }

    /// The rates by epoch, where the cosine ends at `end`, the grid has `lowest` and `highest` of its heights,
    /// and `further` epochs or more are asked for.
    fn curve(&self, end: u64, lowest: DoubleDouble, highest: DoubleDouble, further: u64) -> Schedule {
        let by = DoubleDouble::exact_sum(self.max_lr, -self.min_lr) / (highest - lowest);
        let start = ((DoubleDouble::ONE - lowest) * by + self.min_lr).high();
        let floor = (lowest * by * -1.0 + self.min_lr).high();
        let half: Schedule = match self.exponent_order {
            1.0 => Cosine { start, end: floor, steps: end }.into(),
            power => CosinePower { start, end: floor, steps: end, power, form: CosinePowerForm::Exponential }.into(),
        };
        match further > end {
            true => Cycle { of: Box::new(half), mode: CycleMode::Reflect }.into(),
            false => half,
        }
    }
}

impl Foreign for CosinePowerAnnealing {
    const SHAPE: Shape = Shape::CosinePower;
    const BITES: &'static str = "an array: nothing past its end; the first epoch is counted as 1, and is exactly \
                                 `max_lr` whatever the formula says; `warmup_epochs` W rises over W + 1 epochs";

    fn translate(&self) -> Result<Translation, SpecError> {
        let Some(epochs) = self.epochs.or(self.max_epoch) else {
            return refused("epochs", "missing: give `epochs`, `max_epoch` or both");
        };
        let (end, warmup) = (self.max_epoch.unwrap_or(epochs), self.warmup_epochs.unwrap_or(0));
        for (argument, epochs) in [("epochs", epochs), ("max_epoch", end)] {
            require(argument, epochs, (1..=MAX_STEP / 4).contains(&epochs), "at least 1 and at most 2^51")?;
        }
        let order = self.exponent_order;
        require("exponent_order", order, order >= 1.0, "at least 1: 1 is a plain cosine")?;
        let skipped = if self.restart_lr { 0 } else { self.start_epoch.max(1) - 1 };
        require("start_epoch", self.start_epoch, skipped < epochs, "at most the number of epochs: nothing is left")?;
        let rates = if warmup == 0 {
            // Values fall until `end`, and rise again until the epoch before twice `end`.
            let lowest = if epochs >= end { DoubleDouble::ZERO } else { self.height(epochs, end) };
            let highest = if epochs >= 2 * end { DoubleDouble::ONE } else { self.height(1, end) };
            require("epochs", epochs, highest > lowest, "more than one: sharpDARTS divides by the range of its rates")?;
            ahead((1 + skipped) as f64, self.curve(end, lowest, highest, epochs))
        } else {
            require("warmup_epochs", warmup, warmup < epochs, &format!("below the number of epochs, {epochs}"))?;
            require("warmup_epochs", warmup, warmup != end, "other than `max_epoch`: sharpDARTS divides by the rest")?;
            // The cosine is shifted and even, so epoch `warmup` is at its maximum.
            let (end, furthest) = (end.abs_diff(warmup), (epochs - warmup).max(warmup - 1));
            let lowest = if furthest >= end { DoubleDouble::ZERO } else { self.height(furthest, end) };
            let curve = self.curve(end, lowest, DoubleDouble::ONE, epochs - warmup);
            let rise = ahead(1.0, Linear { start: self.min_lr, end: self.max_lr, steps: warmup + 1 }.into());
            ahead(
                skipped as f64,
                Sequence { pieces: vec![rise, ahead(2.0, curve)], boundaries: Some(vec![warmup + 1]) }.into(),
            )
        };
        Ok(Until { last: epochs - 1 - skipped, of: Box::new(rates) }.into())
    }
}
