//! Types with warmup, stable phase and decay.

use schemars::JsonSchema;
use serde::Deserialize;

use super::arguments::step_from;
use super::cosine::at_least_zero;
use super::wave::wave;
use super::{Foreign, Shape, Translation, scheduler};
use crate::dialect::arguments::{Length, refused, require};
use crate::dialect::defaults::half;
use crate::dialect::pieces::{constant, one_after_another, over};
use crate::error::SpecError;
use crate::program::MAX_STEP;
use crate::schedule::{Cosine, DecayShape, Linear, Polynomial, Schedule, Wsd};

/// `warmup_type` and `decay_type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
enum Course {
    #[serde(rename = "linear")]
    Linear,
    #[serde(rename = "cosine")]
    Cosine,
    #[serde(rename = "1-sqrt")]
    OneMinusSqrt,
}

fn linear() -> Course {
    Course::Linear
}

fn cosine() -> Course {
    Course::Cosine
}

scheduler! {
    /// Up, the same value for a while, and down.
    WarmupStableDecay
    /// What `warmup_stable_decay` adds.
    WarmupStableDecayArguments {
        /// Steps of the decay.
        num_decay_steps: Length,
        /// Steps between warmup and decay; by default what those leave of `num_training_steps`.
        #[serde(default)]
        num_stable_steps: Option<Length>,
        /// The look of the warmup.
        #[serde(default = "linear")]
        warmup_type: Course,
        /// The look of the decay.
        #[serde(default = "cosine")]
        decay_type: Course,
        /// The first and the last value, as a share of `lr`.
        #[serde(default)]
        min_lr_ratio: f64,
        /// Waves of a cosine decay; ½ falls once.
        #[serde(default = "half")]
        num_cycles: f64,
    }
}

/// From `least` to `peak` before `warmup`.
fn warmup(course: Course, least: f64, peak: f64, warmup: f64) -> Schedule {
    over(warmup.max(1.0), 0.0, |steps| match course {
        Course::Linear => Linear { start: least, end: peak, steps }.into(),
        Course::Cosine => Cosine { start: least, end: peak, steps }.into(),
        Course::OneMinusSqrt => Polynomial { start: least, end: peak, steps, power: 0.5 }.into(),
    })
}

/// From `peak` to `least` in `length` steps, `ahead` steps into it at 0.
fn decay(course: Course, (peak, least): (f64, f64), length: f64, ahead: f64, cycles: f64) -> Schedule {
    if course == Course::Cosine && cycles.abs() != 0.5 {
        return wave(peak, least, length, cycles, ahead);
    }
    over(length, ahead, |steps| match course {
        Course::Linear => Linear { start: peak, end: least, steps }.into(),
        Course::Cosine => Cosine { start: peak, end: least, steps }.into(),
        Course::OneMinusSqrt => Wsd {
            peak,
            warmup_steps: 0,
            stable_steps: 0,
            decay_steps: steps,
            start: 0.0,
            end: least,
            shape: DecayShape::OneMinusSqrt,
        }
        .into(),
    })
}

impl Foreign for WarmupStableDecay {
    const SHAPE: Shape = Shape::Wsd;
    const BITES: &'static str = "`min_lr_ratio` lifts the start of the warmup too; the decay is a cosine by default";

    fn translate(&self) -> Result<Translation, SpecError> {
        let (base, kwargs) = (self.base(), self.kwargs()?);
        let (peak, warm) = (base.rate()?, base.warmup()?);
        let Length(length) = kwargs.num_decay_steps;
        let stable = match (kwargs.num_stable_steps, self.num_training_steps) {
            (Some(Length(stable)), _) => stable,
            (None, Some(_)) => base.training()? - warm - length,
            (None, None) => return refused("num_training_steps", "missing: give it, or `num_stable_steps`"),
        };
        let (decay_start, end) = (warm + stable, warm + stable + length);
        let bounded = [length, decay_start, end].into_iter().all(|steps| steps.abs() <= MAX_STEP as f64);
        require("num_decay_steps", length, bounded, &format!("such that the whole stays within ±{MAX_STEP} steps"))
            .map_err(|error| error.within("scheduler_specific_kwargs"))?;
        let least = kwargs.min_lr_ratio * peak;
        let (first, last) = (step_from(warm), step_from(end).max(step_from(warm)));
        let begin = step_from(decay_start).clamp(first, last);
        let ahead = begin as f64 - decay_start;
        let mut pieces = vec![(0, at_least_zero(least, warmup(kwargs.warmup_type, least, peak, warm)))];
        pieces.push((first, constant(peak)));
        if begin < last {
            let decay = decay(kwargs.decay_type, (peak, least), length.max(1.0), ahead, kwargs.num_cycles);
            pieces.push((begin, at_least_zero(least, decay)));
        }
        // After the end, Transformers does not clamp the factor at 0.
        pieces.push((last, constant(least)));
        Ok(one_after_another(pieces).into())
    }
}
