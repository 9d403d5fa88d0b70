//! Types with a warmup and cosines.

use super::arguments::{step_from, warmed_up};
use super::wave::wave;
use super::{Foreign, Shape, Translation, scheduler};
use crate::dialect::arguments::{refused, require};
use crate::dialect::defaults::{half, one};
use crate::dialect::pieces::{constant, one_after_another};
use crate::error::SpecError;
use crate::program::MAX_SEGMENTS;
use crate::schedule::{self, Clamp, Cycle, CycleMode, Interpolation, Knot, PiecewiseInterpolate, Schedule};

scheduler! {
    /// A line up, and a cosine.
    Cosine
    /// What `cosine` adds.
    CosineArguments {
        /// Waves of the cosine; ½ falls to 0 once.
        #[serde(default = "half")]
        num_cycles: f64,
    }
}

impl Foreign for Cosine {
    const SHAPE: Shape = Shape::Cosine;
    const BITES: &'static str = "climbs back up after `num_training_steps`, which count the warmup too";

    fn translate(&self) -> Result<Translation, SpecError> {
        let (base, kwargs) = (self.base(), self.kwargs()?);
        let (rate, left) = (base.rate()?, base.left()?);
        Ok(warmed_up(rate, base.warmup()?, |ahead| wave(rate, 0.0, left, kwargs.num_cycles, ahead)).into())
    }
}

scheduler! {
    /// A line up, and half cosines that start again.
    CosineWithRestarts
    /// What `cosine_with_restarts` adds.
    CosineWithRestartsArguments {
        /// Half cosines.
        #[serde(default = "one")]
        num_cycles: f64,
    }
}

/// Half cosines from `top` to 0, `cycles` of them in `length` steps, `ahead` steps into it at 0, and then 0.
///
/// A cycle begins at the step where the quotient in `f64`, as Transformers computes it, has reached its number.
fn half_cosines(top: f64, length: f64, cycles: f64, ahead: f64) -> Result<Schedule, SpecError> {
    let end = step_from(length - ahead);
    let number = |step: u64| (cycles * ((step as f64 + ahead) / length)).floor();
    if cycles == 0.0 {
        return Ok(one_after_another(vec![(0, constant(top)), (end, constant(0.0))]));
    }
    if cycles > MAX_SEGMENTS as f64 {
        return refused("num_cycles", format!("{cycles} are more than the limit of {MAX_SEGMENTS}"));
    }
    let period = length / cycles;
    let mut starts = Vec::new();
    for cycle in 0..cycles.ceil() as u64 {
        let near = step_from(cycle as f64 * period - ahead);
        let begins = |step: &u64| number(*step) >= cycle as f64;
        starts.push((near.saturating_sub(1)..=near + 1).find(begins).unwrap_or(near));
    }
    let even = ahead == 0.0
        && period.fract() == 0.0
        && starts.iter().zip(0..).all(|(&start, cycle)| start == cycle * period as u64);
    if even {
        let of = Box::new(schedule::Cosine { start: top, end: 0.0, steps: period as u64 }.into());
        let cosines = Cycle { of, mode: CycleMode::Restart };
        return Ok(one_after_another(vec![(0, cosines.into()), (end, constant(0.0))]));
    }
    let piece = |(&start, cycle): (&u64, u64)| {
        let at = |cycle: u64| cycle as f64 * period - ahead - start as f64;
        let points = vec![Knot(at(cycle).min(0.0), top), Knot(at(cycle + 1), 0.0)];
        (start, PiecewiseInterpolate { points, interpolation: Interpolation::Cosine }.into())
    };
    let mut pieces: Vec<(u64, Schedule)> = starts.iter().zip(0..).map(piece).collect();
    pieces.push((end, constant(0.0)));
    Ok(one_after_another(pieces))
}

impl Foreign for CosineWithRestarts {
    const SHAPE: Shape = Shape::CosineRestarts;
    const BITES: &'static str = "cycles of equal length; 0 after `num_training_steps`";

    fn translate(&self) -> Result<Translation, SpecError> {
        let (base, kwargs) = (self.base(), self.kwargs()?);
        let (rate, left, cycles) = (base.rate()?, base.left()?, kwargs.num_cycles);
        let within = |error: SpecError| error.within("scheduler_specific_kwargs");
        require("num_cycles", cycles, cycles >= 0.0, "at least 0").map_err(within)?;
        let warmup = base.warmup()?;
        let ahead = step_from(warmup) as f64 - warmup;
        let cosines = half_cosines(rate, left, cycles, ahead).map_err(within)?;
        Ok(warmed_up(rate, warmup, |_| cosines).into())
    }
}

/// The value that a cosine falls to, from a value or a share of the rate, of which exactly one is given.
fn least(rate: f64, min_lr: Option<f64>, min_lr_rate: Option<f64>) -> Result<f64, SpecError> {
    let found = match (min_lr, min_lr_rate) {
        (Some(_), Some(_)) => refused("min_lr", "given beside `min_lr_rate`: give one of them"),
        (None, None) => refused("min_lr", "missing: give `min_lr` or `min_lr_rate`"),
        (Some(_), None) if rate == 0.0 => refused("min_lr", "is divided by `lr`, 0: give `min_lr_rate`"),
        (Some(least), None) => Ok(least),
        (None, Some(share)) => Ok(share * rate),
    };
    found.map_err(|error| error.within("scheduler_specific_kwargs"))
}

/// Transformers lets no factor fall below 0.
pub(super) fn at_least_zero(least: f64, of: Schedule) -> Schedule {
    if least >= 0.0 { of } else { Clamp { min: Some(0.0), max: None, of: Box::new(of) }.into() }
}

scheduler! {
    /// A line up, and a cosine down to a least value.
    CosineWithMinLr
    /// What `cosine_with_min_lr` adds.
    CosineWithMinLrArguments {
        /// Waves of the cosine; ½ falls to the least value once.
        #[serde(default = "half")]
        num_cycles: f64,
        /// The least value.
        #[serde(default)]
        min_lr: Option<f64>,
        /// The least value as a share of `lr`, instead of `min_lr`.
        #[serde(default)]
        min_lr_rate: Option<f64>,
    }
}

impl Foreign for CosineWithMinLr {
    const SHAPE: Shape = Shape::Cosine;
    const BITES: &'static str = "climbs back up after `num_training_steps`; the warmup starts at 0 all the same";

    fn translate(&self) -> Result<Translation, SpecError> {
        let (base, kwargs) = (self.base(), self.kwargs()?);
        let (rate, left) = (base.rate()?, base.left()?);
        let least = least(rate, kwargs.min_lr, kwargs.min_lr_rate)?;
        let wave = |ahead| at_least_zero(least, wave(rate, least, left, kwargs.num_cycles, ahead));
        Ok(warmed_up(rate, base.warmup()?, wave).into())
    }
}

scheduler! {
    /// A line up from the first step on, and a cosine down to a least value.
    CosineWarmupWithMinLr
    /// What `cosine_warmup_with_min_lr` adds.
    CosineWarmupWithMinLrArguments {
        /// Waves of the cosine; ½ falls to the least value once.
        #[serde(default = "half")]
        num_cycles: f64,
        /// The least value.
        #[serde(default)]
        min_lr: Option<f64>,
        /// The least value as a share of `lr`, instead of `min_lr`.
        #[serde(default)]
        min_lr_rate: Option<f64>,
        /// The warmup's first value as a share of `lr`; one step's worth by default.
        #[serde(default)]
        warmup_lr_rate: Option<f64>,
    }
}

impl Foreign for CosineWarmupWithMinLr {
    const SHAPE: Shape = Shape::Cosine;
    const BITES: &'static str = "one step ahead of the other types: the warmup's first value is not 0, and the \
                                 least value is reached at `num_training_steps` − 1";

    fn translate(&self) -> Result<Translation, SpecError> {
        let (base, kwargs) = (self.base(), self.kwargs()?);
        let (rate, warmup, left) = (base.rate()?, base.warmup()?, base.left()?);
        let least = least(rate, kwargs.min_lr, kwargs.min_lr_rate)?;
        // One step after the end of the warmup, so that the warmup is complete.
        let beyond = warmup.max(1.0) + 1.0;
        let points = match kwargs.warmup_lr_rate {
            None => vec![Knot(-1.0, 0.0), Knot(beyond - 1.0, rate * (beyond / warmup.max(1.0)))],
            Some(share) => {
                let slope = (1.0 - share) / (warmup - 1.0).max(1.0);
                vec![Knot(0.0, rate * share), Knot(beyond, rate * (share + slope * beyond))]
            }
        };
        let ramp = PiecewiseInterpolate { points, interpolation: Interpolation::Linear };
        let start = step_from(warmup);
        let ahead = start as f64 - warmup + 1.0;
        let then = at_least_zero(least, wave(rate, least, left, kwargs.num_cycles, ahead));
        Ok(one_after_another(vec![(0, ramp.into()), (start, then)]).into())
    }
}
