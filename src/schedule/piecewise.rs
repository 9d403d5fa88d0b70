//! Piecewise schedules through listed values or points.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Family, Time, check, formula};
use crate::curve::Curve;
use crate::double_double::Extended;
use crate::error::{LowerError, SpecError};
use crate::program::{MAX_SEGMENTS, Program, Segment};

/// A list of values and the steps where they change.
///
/// **Formula.** `values[number of boundaries ≤ s]`.
///
/// **Parameters.** `values`: finite numbers, one more than boundaries. `boundaries`: steps in strictly
/// rising order, the first at least 1; at most 4095.
///
/// **Behaviour.** `values[0]` at 0; a new value begins at the boundary's step; the last value is held.
///
/// **Source.** Twins: optax `piecewise_constant_schedule`. Keras `PiecewiseConstantDecay` changes one
/// step later.
///
/// ```
/// use lrgrid::schedule::{PiecewiseConstant, Schedule};
///
/// let schedule = Schedule::from(PiecewiseConstant { values: vec![1e-3, 1e-4], boundaries: vec![100] });
/// assert_eq!([0, 99, 100, 101].map(|s| schedule.value(s)), [1e-3, 1e-3, 1e-4, 1e-4]);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PiecewiseConstant {
    /// The values in order.
    pub values: Vec<f64>,
    /// The step at which each further value begins.
    pub boundaries: Vec<u64>,
}

impl Family for PiecewiseConstant {
    fn validate(&self) -> Result<(), SpecError> {
        let (values, boundaries) = (self.values.len(), self.boundaries.len());
        if values != boundaries + 1 {
            return Err(SpecError::new(
                "values",
                format!("{values} values for {boundaries} boundaries: there must be one value more than boundaries"),
            ));
        }
        for (index, &value) in self.values.iter().enumerate() {
            check::finite(&format!("values[{index}]"), value)?;
        }
        if self.boundaries.first() == Some(&0) {
            return Err(SpecError::new(
                "boundaries[0]",
                "0 leaves nothing of the first value: the first must be at least 1",
            ));
        }
        check::rising("boundaries", &self.boundaries)
    }

    fn value(&self, time: Time) -> Extended {
        let passed = self.boundaries.iter().filter(|&&boundary| time.reached(boundary)).count();
        self.values[passed].into()
    }

    fn length(&self) -> Option<u64> {
        self.boundaries.last().copied().or(Some(0))
    }

    fn lower(&self) -> Result<Program, LowerError> {
        if self.values.len() > MAX_SEGMENTS {
            return Err(LowerError::TooManySegments { needed: self.values.len() as u64, limit: MAX_SEGMENTS });
        }
        let starts = std::iter::once(0).chain(self.boundaries.iter().copied());
        Ok(Program::of(starts.zip(&self.values).map(|(start, &value)| Segment::hold(start, value)).collect()))
    }

    fn scaled(&self, factor: f64) -> Option<Self> {
        Some(Self { values: self.values.iter().map(|value| value * factor).collect(), ..self.clone() })
    }

    fn examples() -> Vec<Self> {
        vec![
            Self { values: vec![0.1, 0.01, 0.001], boundaries: vec![100, 200] },
            Self { values: vec![0.0, 1e-38, -3.0], boundaries: vec![1, (1 << 53) - 1] },
            Self { values: vec![0.3], boundaries: vec![] },
        ]
    }
}

/// Straight lines through given points.
///
/// **Formula.** Linear between `[step, value]` points, held before the first and after the last.
///
/// **Parameters.** `points`: at least one `[step, value]`, steps in strictly rising order, at most 4095.
///
/// **Behaviour.** The value at every point is exact.
///
/// **Source.** Twins: optax `piecewise_interpolate_schedule` with `linear`.
///
/// ```
/// use lrgrid::schedule::{PiecewiseLinear, Point, Schedule};
///
/// let points = vec![Point(10, 0.0), Point(20, 1.0), Point(40, 0.5)];
/// let schedule = Schedule::from(PiecewiseLinear { points });
/// assert_eq!([0, 10, 15, 20, 30, 40, 41].map(|s| schedule.value(s)), [0.0, 0.0, 0.5, 1.0, 0.75, 0.5, 0.5]);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PiecewiseLinear {
    /// The points, in order of their steps.
    pub points: Vec<Point>,
}

/// A step and the value there.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Point(
    /// The step.
    pub u64,
    /// The value.
    pub f64,
);

impl Family for PiecewiseLinear {
    fn validate(&self) -> Result<(), SpecError> {
        if self.points.is_empty() {
            return Err(SpecError::new("points", "an empty list: at least one [step, value] is needed"));
        }
        for (index, point) in self.points.iter().enumerate() {
            check::finite(&format!("points[{index}][1]"), point.1)?;
        }
        check::rising("points", &self.points.iter().map(|point| point.0).collect::<Vec<_>>())
    }

    fn value(&self, time: Time) -> Extended {
        let after = self.points.partition_point(|point| time.reached(point.0));
        match (after.checked_sub(1).map(|before| self.points[before]), self.points.get(after)) {
            (Some(Point(start, from)), Some(&Point(end, to))) => {
                let (since, length) = (time.since(start), end - start);
                formula::between(from, to, || since.over(length), || since.remaining(length))
            }
            (Some(Point(_, value)), None) | (None, Some(&Point(_, value))) => value.into(),
            (None, None) => Extended::ZERO,
        }
    }

    fn length(&self) -> Option<u64> {
        self.points.last().map(|point| point.0)
    }

    fn lower(&self) -> Result<Program, LowerError> {
        if self.points.len() >= MAX_SEGMENTS {
            return Err(LowerError::TooManySegments { needed: self.points.len() as u64 + 1, limit: MAX_SEGMENTS });
        }
        let mut segments = Vec::with_capacity(self.points.len() + 1);
        if let Some(&Point(1.., value)) = self.points.first() {
            segments.push(Segment::hold(0, value));
        }
        for pair in self.points.windows(2) {
            let [Point(start, from), Point(end, to)] = [pair[0], pair[1]];
            segments.push(Segment::transition(start, end - start, from, to, Curve::Linear));
        }
        if let Some(&Point(start, value)) = self.points.last() {
            segments.push(Segment::hold(start, value));
        }
        Ok(Program::of(segments))
    }

    fn scaled(&self, factor: f64) -> Option<Self> {
        Some(Self { points: self.points.iter().map(|point| Point(point.0, point.1 * factor)).collect() })
    }

    fn examples() -> Vec<Self> {
        let make = |points: &[(u64, f64)]| Self { points: points.iter().map(|&(s, v)| Point(s, v)).collect() };
        vec![
            make(&[(0, 0.0), (500, 0.4), (2400, 0.0)]),
            make(&[(10, 1e-4), (11, 1e-3), (1 << 40, 1e-8)]),
            make(&[(5, 0.25)]),
            make(&[(0, -1.0), (100, 1.0)]),
        ]
    }
}
