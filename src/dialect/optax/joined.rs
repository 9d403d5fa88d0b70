//! Schedules joined at boundaries, and those that optax defines by joining.

use schemars::JsonSchema;
use serde::Deserialize;

use super::decay::{cosine_decay, exponential_decay, line};
use super::{Foreign, Optax, Shape, Translation};
use crate::dialect::arguments::{Whole, refused};
use crate::dialect::defaults::one;
use crate::dialect::pieces::{ahead, one_after_another};
use crate::error::SpecError;
use crate::schedule::Schedule;

/// `join_schedules`: the last schedule whose boundary is reached, counting from there. Boundaries need not rise,
/// and schedules beyond the last boundary are dropped.
fn joined(schedules: Vec<Schedule>, boundaries: &[i64]) -> Schedule {
    let starts = std::iter::once(&0).chain(boundaries);
    let pieces = schedules.into_iter().zip(starts).map(|(schedule, &boundary)| match u64::try_from(boundary) {
        Ok(start) => (start, schedule),
        Err(_) => (0, ahead(boundary.unsigned_abs() as f64, schedule)),
    });
    one_after_another(pieces.collect())
}

/// One schedule after another.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::dialect) struct JoinSchedules {
    /// The schedules.
    schedules: Vec<Optax>,
    /// The step at which each but the first takes over.
    boundaries: Vec<Whole>,
}

impl Foreign for JoinSchedules {
    const SHAPE: Shape = Shape::Sequence;
    const BITES: &'static str = "with too few boundaries the last schedules are dropped; a later boundary wins";

    fn translate(&self) -> Result<Translation, SpecError> {
        if self.schedules.is_empty() {
            return refused("schedules", "an empty list: at least one schedule is needed");
        }
        let schedules = self.schedules.iter().enumerate().map(|(index, schedule)| {
            let translated = schedule.translate().map_err(|error| error.within(&format!("schedules[{index}]")))?;
            Ok(translated.schedule)
        });
        let boundaries: Vec<i64> = self.boundaries.iter().map(|boundary| boundary.0).collect();
        Ok(joined(schedules.collect::<Result<_, _>>()?, &boundaries).into())
    }
}

/// A line up to a value that is held.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::dialect) struct WarmupConstantSchedule {
    /// The value at the start.
    init_value: f64,
    /// The value that is held.
    peak_value: f64,
    /// Steps up.
    warmup_steps: Whole,
}

impl Foreign for WarmupConstantSchedule {
    const SHAPE: Shape = Shape::Linear;
    const BITES: &'static str = "`warmup_steps` 0 holds `init_value` for ever, not `peak_value`";

    fn translate(&self) -> Result<Translation, SpecError> {
        Ok(line(self.init_value, self.peak_value, self.warmup_steps).into())
    }
}

/// A line up and half a cosine down.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::dialect) struct WarmupCosineDecaySchedule {
    /// The value at the start.
    init_value: f64,
    /// The value after the warmup.
    peak_value: f64,
    /// Steps up.
    warmup_steps: Whole,
    /// Steps of the whole, warmup included.
    decay_steps: Whole,
    /// The value at the end.
    #[serde(default)]
    end_value: f64,
    /// The power of the half cosine.
    #[serde(default = "one")]
    exponent: f64,
}

impl WarmupCosineDecaySchedule {
    fn schedule(&self) -> Result<Schedule, SpecError> {
        let (peak, warmup) = (self.peak_value, self.warmup_steps);
        let left = self.decay_steps.0 - warmup.0;
        if left <= 0 {
            let message = format!(
                "{} steps leave nothing after a warmup of {}: it counts the warmup too",
                self.decay_steps.0, warmup.0
            );
            return refused("decay_steps", message);
        }
        // optax takes the end as a fraction of the peak, which is undefined for a peak of 0.
        let end = if peak == 0.0 { 0.0 } else { self.end_value };
        let decay = cosine_decay(peak, end, Whole(left), self.exponent)?;
        Ok(joined(vec![line(self.init_value, peak, warmup), decay], &[warmup.0]))
    }
}

impl Foreign for WarmupCosineDecaySchedule {
    const SHAPE: Shape = Shape::Cosine;
    const BITES: &'static str = "`decay_steps` counts the warmup too; with `peak_value` 0 `end_value` is ignored";

    fn translate(&self) -> Result<Translation, SpecError> {
        self.schedule().map(Translation::from)
    }
}

/// A line up and a constant ratio down.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::dialect) struct WarmupExponentialDecaySchedule {
    /// The value at the start.
    init_value: f64,
    /// The value after the warmup.
    peak_value: f64,
    /// Steps up.
    warmup_steps: Whole,
    /// Steps per factor; with none it stays at `peak_value`.
    transition_steps: Whole,
    /// The factor; with 0 it stays at `peak_value`.
    decay_rate: f64,
    /// Steps after the warmup at which it begins to move.
    #[serde(default)]
    transition_begin: Whole,
    /// Whether it moves in stairs.
    #[serde(default)]
    staircase: bool,
    /// Where it stops: the least value for a decay, the greatest for a growth.
    #[serde(default)]
    end_value: Option<f64>,
}

impl Foreign for WarmupExponentialDecaySchedule {
    const SHAPE: Shape = Shape::Exponential;
    const BITES: &'static str = "`transition_steps` and `transition_begin` count from the end of the warmup";

    fn translate(&self) -> Result<Translation, SpecError> {
        let decay = exponential_decay(
            self.peak_value,
            (self.transition_steps, self.decay_rate),
            (self.transition_begin, self.staircase, self.end_value),
        )?;
        let warmup = line(self.init_value, self.peak_value, self.warmup_steps);
        Ok(joined(vec![warmup, decay], &[self.warmup_steps.0]).into())
    }
}

/// Warmups and cosines one after another.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::dialect) struct SgdrSchedule {
    /// The arguments of `warmup_cosine_decay_schedule` for each cycle.
    cosine_kwargs: Vec<WarmupCosineDecaySchedule>,
}

impl Foreign for SgdrSchedule {
    const SHAPE: Shape = Shape::CosineRestarts;
    const BITES: &'static str = "each cycle's `decay_steps` counts its warmup too";

    fn translate(&self) -> Result<Translation, SpecError> {
        if self.cosine_kwargs.is_empty() {
            return refused("cosine_kwargs", "an empty list: at least one cycle is needed");
        }
        let (mut cycles, mut boundaries, mut step) = (Vec::new(), Vec::new(), 0_i64);
        for (index, cycle) in self.cosine_kwargs.iter().enumerate() {
            cycles.push(cycle.schedule().map_err(|error| error.within(&format!("cosine_kwargs[{index}]")))?);
            step = step.saturating_add(cycle.decay_steps.0);
            boundaries.push(step);
        }
        Ok(joined(cycles, &boundaries).into())
    }
}
