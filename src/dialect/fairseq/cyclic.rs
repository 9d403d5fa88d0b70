//! Cyclic schedulers.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Foreign, Shape, Translation, constant, only, warmed_up};
use crate::dialect::arguments::{Numbers, refused, require};
use crate::dialect::cycles::{cycles, power};
use crate::dialect::defaults::{minus_one, one, tenth};
use crate::error::SpecError;
use crate::program::MAX_STEP;
use crate::schedule::{
    self, Cycle, CycleMode, Cyclic, CyclicMode, PiecewiseLinear, Point, Product, Restarts, Scale, Schedule, Sequence,
    Until,
};

/// A linear warmup, then half cosines that start again.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::dialect) struct Cosine {
    /// The highest rate.
    lr: Numbers,
    /// The lowest rate.
    #[serde(default)]
    min_lr: f64,
    /// Updates of warmup.
    #[serde(default)]
    warmup_updates: u64,
    /// The rate at update 0; below 0 it is `min_lr`.
    #[serde(default = "minus_one")]
    warmup_init_lr: f64,
    /// Growth of the periods.
    #[serde(default = "one")]
    t_mult: f64,
    /// Updates of the first period; what `max_update` leaves after the warmup where it is not above 0.
    #[serde(default = "minus_one")]
    lr_period_updates: f64,
    /// Factor on both rates from period to period.
    #[serde(default = "tenth")]
    lr_shrink: f64,
    /// Updates of warmup and first period.
    #[serde(default)]
    max_update: u64,
}

impl Cosine {
    fn period(&self) -> Result<u64, SpecError> {
        let period = self.lr_period_updates;
        if period > 0.0 {
            let whole = period.fract() == 0.0 && period <= MAX_STEP as f64;
            require("lr_period_updates", period, whole, "a whole number of updates")?;
            return Ok(period as u64);
        }
        let limit = self.max_update;
        require("max_update", limit, limit > 0, "at least 1 where `lr_period_updates` does not give the period")?;
        let above = format!("above `warmup_updates`, {}", self.warmup_updates);
        require("max_update", limit, limit > self.warmup_updates, &above)?;
        Ok(limit - self.warmup_updates)
    }

    /// What follows the warmup.
    fn annealed(&self, max: f64, min: f64) -> Result<Schedule, SpecError> {
        let (period, shrink) = (self.period()?, self.lr_shrink);
        let cosine =
            |height: f64| move |steps| schedule::Cosine { start: max * height, end: min * height, steps }.into();
        if shrink == 0.0 && self.t_mult >= 1.0 {
            // The second period has length 0.
            let pieces = vec![cosine(1.0)(period), constant(0.0)];
            return Ok(Sequence { pieces, boundaries: Some(vec![period]) }.into());
        }
        if self.t_mult == 1.0 {
            return Ok(Restarts { of: Box::new(cosine(1.0)(period)), multiplier: 1.0, decay: shrink }.into());
        }
        let all = cycles(period, self.t_mult, u64::MAX, true).map_err(|error| error.within("t_mult"))?;
        if self.t_mult > 1.0 && !all.missed {
            return Ok(Restarts { of: Box::new(cosine(1.0)(period)), multiplier: self.t_mult, decay: shrink }.into());
        }
        let piece = |cycle: &crate::dialect::cycles::Cycle| cycle.of(period, cosine(power(shrink, cycle.index)));
        let pieces = all.cycles.iter().map(piece).collect();
        let boundaries = all.cycles.iter().skip(1).map(|cycle| cycle.first).collect();
        let of = Sequence { pieces, boundaries: Some(boundaries) }.into();
        Ok(match all.last {
            None => of,
            Some(last) => Until { last, of: Box::new(of) }.into(),
        })
    }
}

impl Foreign for Cosine {
    const SHAPE: Shape = Shape::CosineRestarts;
    const BITES: &'static str = "starts again at 0.1 of both rates after the first period; misses some restarts \
                                 by a step where periods grow";

    fn translate(&self) -> Result<Translation, SpecError> {
        let (max, min) = (only(&self.lr)?, self.min_lr);
        require("lr", max, max > min, &format!("above `min_lr`, {min}"))?;
        require("t_mult", self.t_mult, self.t_mult > 0.0, "above 0: fairseq takes its logarithm")?;
        require("lr_shrink", self.lr_shrink, self.lr_shrink >= 0.0, "at least 0")?;
        let init = if self.warmup_init_lr < 0.0 { min } else { self.warmup_init_lr };
        Ok(warmed_up(self.warmup_updates, init, self.annealed(max, min)?).into())
    }
}

/// Triangles between two rates.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::dialect) struct Triangular {
    /// The lower rate.
    lr: Numbers,
    /// The upper rate.
    max_lr: f64,
    /// Updates of a cycle.
    #[serde(default = "five_thousand")]
    lr_period_updates: f64,
    /// Factor on the upper rate from cycle to cycle.
    #[serde(default = "tenth")]
    lr_shrink: f64,
    /// Whether the lower rate shrinks too.
    #[serde(default)]
    shrink_min: bool,
}

fn five_thousand() -> f64 {
    5000.0
}

impl Foreign for Triangular {
    const SHAPE: Shape = Shape::Cyclic;
    const BITES: &'static str = "an odd period is one update shorter; the top falls to 0.1 of itself each cycle";

    fn translate(&self) -> Result<Translation, SpecError> {
        let (min, max, shrink) = (only(&self.lr)?, self.max_lr, self.lr_shrink);
        require("max_lr", max, max > min, &format!("above `lr`, {min}"))?;
        let half = (self.lr_period_updates / 2.0).floor();
        let range = (1.0..=MAX_STEP as f64 / 2.0).contains(&half);
        require("lr_period_updates", self.lr_period_updates, range, "from 2 to 2^53: fairseq divides by half of it")?;
        let up = half as u64;
        if shrink <= 0.0 {
            return refused("lr_shrink", format!("{shrink} must be above 0: the cycles would turn over or end"));
        }
        let triangle = |low, high| PiecewiseLinear { points: vec![Point(0, low), Point(up, high), Point(2 * up, low)] };
        if shrink == 1.0 {
            let mode = CyclicMode::Triangular;
            return Ok(Cyclic { base: min, max, step_size_up: up, step_size_down: None, mode, gamma: 1.0 }.into());
        }
        if self.shrink_min {
            let of = Box::new(triangle(min, max).into());
            return Ok(Restarts { of, multiplier: 1.0, decay: shrink }.into());
        }
        let tops = schedule::Step { start: max, decay_rate: shrink, step_size: 2 * up };
        let heights = Scale { by: 1.0, of: Box::new(tops.into()), offset: -min };
        let cycle = Cycle { of: Box::new(triangle(0.0, 1.0).into()), mode: CycleMode::Restart };
        let of = Product { factors: vec![cycle.into(), heights.into()] };
        Ok(Scale { by: 1.0, of: Box::new(of.into()), offset: min }.into())
    }
}
