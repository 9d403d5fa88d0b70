//! Lines and half cosines through points that may lie between steps.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Family, Time, check, formula};
use crate::curve::Curve;
use crate::double_double::{DoubleDouble, Extended};
use crate::error::{LowerError, SpecError};
use crate::program::{Clock, MAX_SEGMENTS, MAX_STEP, Moved, Program, Segment};

/// The interpolation between points.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Interpolation {
    /// A straight line.
    #[default]
    Linear,
    /// Half a cosine.
    Cosine,
}

/// A time, which need not be an integer step, and the value there.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Knot(
    /// The time in steps; may be negative.
    pub f64,
    /// The value.
    pub f64,
);

/// Lines or half cosines through given points, which may lie between steps.
///
/// **Formula.** Between `[step, value]` points `from + (to − from)·x`, with t from 0 to 1 in between and
/// `x = t` or `½(1 − cos πt)`; held before the first and after the last.
///
/// **Parameters.** `points`: at least one `[step, value]`, steps (any numbers within ±2^53) in strictly
/// rising order, at most 4094. `interpolation`: `linear` (default) or `cosine`.
///
/// **Behaviour.** The value at a point on an integer step is exact; a point between steps is not evaluated itself.
///
/// **Source.** Twins: optax `piecewise_interpolate_schedule`; the phases of torch `OneCycleLR`, which
/// end between steps.
///
/// ```
/// use lrgrid::schedule::{Interpolation, Knot, PiecewiseInterpolate, Schedule};
///
/// let points = vec![Knot(0.0, 0.0), Knot(2.5, 1.0), Knot(4.0, 0.0)];
/// let schedule = Schedule::from(PiecewiseInterpolate { points, interpolation: Interpolation::Linear });
/// assert_eq!([0, 1, 2, 4, 5].map(|s| schedule.value(s)), [0.0, 0.4, 0.8, 0.0, 0.0]);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PiecewiseInterpolate {
    /// The points, in order of their steps.
    pub points: Vec<Knot>,
    /// The interpolation between points.
    #[serde(default)]
    pub interpolation: Interpolation,
}

/// The first step at or after a time.
fn step_from(moment: f64) -> u64 {
    moment.max(0.0).ceil() as u64
}

/// Appends a transition along a curve from one time to another, over the steps `start..end`; its base is the smaller
/// end.
fn push_between(
    (start, end): (u64, u64),
    from: Knot,
    to: Knot,
    curve: Curve,
    out: &mut Vec<Segment>,
) -> Result<(), LowerError> {
    let length = DoubleDouble::exact_sum(to.0, -from.0);
    let curved = Segment::transition(0, 1, from.1, to.1, curve);
    let count = if curved.reversed { (to.0, -(start as f64)) } else { (start as f64, -from.0) };
    let moved = Moved { segment: Segment { rate: DoubleDouble::ONE / length, ..curved }, full: Some(length.into()) };
    moved.push(&Clock::steps(), &DoubleDouble::exact_sum(count.0, count.1).into(), start, end, out)
}

impl Family for PiecewiseInterpolate {
    fn validate(&self) -> Result<(), SpecError> {
        if self.points.is_empty() {
            return Err(SpecError::new("points", "an empty list: at least one [step, value] is needed"));
        }
        for (index, &Knot(step, value)) in self.points.iter().enumerate() {
            let within = step.abs() <= MAX_STEP as f64;
            check::number(&format!("points[{index}][0]"), step, within, &format!("within ±{MAX_STEP}"))?;
            check::finite(&format!("points[{index}][1]"), value)?;
        }
        for (index, pair) in self.points.windows(2).enumerate() {
            if pair[1].0 <= pair[0].0 {
                return Err(SpecError::new(
                    format!("points[{}]", index + 1),
                    format!(
                        "{} does not rise above {} before it: points must be in strictly rising order",
                        pair[1].0, pair[0].0
                    ),
                ));
            }
        }
        Ok(())
    }

    fn value(&self, time: Time) -> Extended {
        let after = self.points.partition_point(|point| time.reached_moment(&point.0.into()));
        match (after.checked_sub(1).map(|before| self.points[before]), self.points.get(after)) {
            (Some(from), Some(&to)) => {
                let length = DoubleDouble::exact_sum(to.0, -from.0).into();
                let t = || time.since_moment(&from.0.into()).over_moment(&length);
                let left = || time.until_moment(&to.0.into()).over_moment(&length);
                match self.interpolation {
                    Interpolation::Linear => formula::between(from.1, to.1, t, left),
                    Interpolation::Cosine => {
                        formula::between(from.1, to.1, || formula::half_cosine(t()), || formula::half_cosine(left()))
                    }
                }
            }
            (Some(Knot(_, value)), None) | (None, Some(&Knot(_, value))) => value.into(),
            (None, None) => Extended::ZERO,
        }
    }

    fn length(&self) -> Option<u64> {
        self.points.last().map(|point| step_from(point.0))
    }

    fn turns_between_steps(&self) -> bool {
        self.points.iter().any(|point| point.0.fract() != 0.0)
    }

    fn lower(&self) -> Result<Program, LowerError> {
        if self.points.len() >= MAX_SEGMENTS - 1 {
            return Err(LowerError::TooManySegments { needed: self.points.len() as u64 + 1, limit: MAX_SEGMENTS });
        }
        let curve = match self.interpolation {
            Interpolation::Linear => Curve::Linear,
            Interpolation::Cosine => Curve::Cosine,
        };
        let mut segments = Vec::with_capacity(self.points.len() + 1);
        if let Some(&first) = self.points.first()
            && first.0 > 0.0
        {
            segments.push(Segment::hold(0, first.1));
        }
        for pair in self.points.windows(2) {
            let (start, end) = (step_from(pair[0].0), step_from(pair[1].0));
            // A transition between two steps has no value at any step.
            if start < end {
                push_between((start, end), pair[0], pair[1], curve, &mut segments)?;
            }
        }
        if let Some(last) = self.points.last() {
            segments.push(Segment::hold(step_from(last.0), last.1));
        }
        Ok(Program::of(segments))
    }

    fn scaled(&self, factor: f64) -> Option<Self> {
        let points = self.points.iter().map(|point| Knot(point.0, point.1 * factor)).collect();
        Some(Self { points, interpolation: self.interpolation })
    }

    fn examples() -> Vec<Self> {
        let make = |points: &[(f64, f64)], interpolation| Self {
            points: points.iter().map(|&(step, value)| Knot(step, value)).collect(),
            interpolation,
        };
        vec![
            make(&[(0.0, 0.004), (29.3, 0.1), (100.0, 4e-7)], Interpolation::Cosine),
            make(&[(0.0, 0.004), (29.3, 0.1), (58.6, 0.004), (100.0, 4e-7)], Interpolation::Linear),
            make(&[(-0.7, 0.01), (0.0, 4e-8), (0.4, 1.0), (0.7, 0.01)], Interpolation::Cosine),
            make(&[(5.5, 0.0), (1e12 + 0.25, 1e-3), (2e12 + 0.125, 0.0)], Interpolation::Cosine),
            make(&[(10.0, 0.25)], Interpolation::Linear),
            make(&[(-1e6, 1.0), (777.777, 0.0)], Interpolation::Cosine),
        ]
    }
}
