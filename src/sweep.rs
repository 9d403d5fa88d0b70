//! Sweeps: axes, and the points that a grid or a zip makes of them.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::SpecError;

/// The most schedules one sweep may have.
pub const MAX_SCHEDULES: usize = 1 << 25;

/// How the axes combine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Every combination; the last parameter varies fastest.
    #[default]
    Grid,
    /// The first values together, then the second, and so on.
    Zip,
    /// Independent draws. Not in this version.
    #[schemars(skip)]
    Random,
    /// A low-discrepancy sequence. Not in this version.
    #[schemars(skip)]
    Sobol,
}

/// How the values between `min` and `max` are spaced. The names are those of W&B sweeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Distribution {
    /// Evenly, both ends included.
    Uniform,
    /// Evenly in the logarithm, both ends included.
    LogUniformValues,
    /// Multiples of `q` from `min`, below or at `max`.
    QUniform,
    /// Whole numbers, both ends included.
    IntUniform,
}

/// Evenly spaced values, the end excluded.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Range {
    /// The first value.
    pub start: f64,
    /// The end, which is not a value.
    pub end: f64,
    /// The distance of two values; not 0.
    pub step: f64,
}

/// One swept parameter as a spec writes it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// Exactly these values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<Vec<f64>>,
    /// One value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// The least value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// The greatest value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// How values lie between `min` and `max`; by default `int_uniform` for whole bounds without a `count`, else `uniform`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distribution: Option<Distribution>,
    /// Points on a grid axis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// The quantum of `q_uniform`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub q: Option<f64>,
    /// Evenly spaced values, the end excluded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<Range>,
}

/// The points of a sweep, each computable from its index.
///
/// ```
/// use lrgrid::Spec;
///
/// let spec = Spec::from_toml(r#"
///     schedule = { kind = "linear", start = "$peak", end = 0, steps = "$steps" }
///     [sweep.parameters]
///     peak = { values = [1e-3, 1e-4] }
///     steps = { min = 10, max = 12 }
/// "#)?;
/// assert_eq!(spec.len(), 6);
/// assert_eq!(spec.parameter_names(), ["peak", "steps"]);
/// assert_eq!(spec.point(4), [1e-4, 11.0]);
/// # Ok::<(), lrgrid::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sweep {
    names: Vec<String>,
    axes: Vec<Axis>,
    zipped: bool,
    len: usize,
}

impl Sweep {
    /// No sweep: one point without parameters.
    #[must_use]
    pub fn single() -> Self {
        Self { len: 1, ..Self::default() }
    }

    /// Lays out the axes.
    pub(crate) fn new(method: Method, parameters: Vec<(String, Parameter)>) -> Result<Self, SpecError> {
        if matches!(method, Method::Random | Method::Sobol) {
            return Err(SpecError::new(
                "method",
                "random and sobol sweeps are not in this version: use \"grid\" or \"zip\"",
            ));
        }
        let zipped = method == Method::Zip;
        let (mut names, mut axes) = (Vec::new(), Vec::new());
        for (name, parameter) in parameters {
            let axis = parameter.axis().map_err(|error| error.within(&format!("parameters.{name}")))?;
            names.push(name);
            axes.push(axis);
        }
        let len = if zipped { zip_len(&names, &axes)? } else { grid_len(&axes)? };
        Ok(Self { names, axes, zipped, len })
    }

    /// Number of points: 1 without parameters.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no points; a sweep always has one.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Names of the parameters, in order of declaration.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The values of the parameters at point `index < len()`, in the same order.
    #[must_use]
    pub fn point(&self, index: usize) -> Vec<f64> {
        let mut point = vec![0.0; self.axes.len()];
        self.point_into(index, &mut point);
        point
    }

    /// As [`Sweep::point`], into as many numbers as there are parameters.
    pub(crate) fn point_into(&self, index: usize, point: &mut [f64]) {
        let mut rest = index;
        for (axis, value) in self.axes.iter().zip(point).rev() {
            *value = axis.value(rest % axis.len());
            if !self.zipped {
                rest /= axis.len();
            }
        }
    }

    /// The one parameter that changes from each point to the next, and for how many points.
    pub(crate) fn fastest(&self) -> Option<(usize, usize)> {
        let last = self.axes.len().checked_sub(1).filter(|&last| last == 0 || !self.zipped)?;
        Some((last, self.axes[last].len()))
    }
}

/// The values of one parameter: those listed are kept, and shared; the others are computed from their index.
#[derive(Clone, Debug, PartialEq)]
enum Axis {
    Listed(Arc<[f64]>),
    Spaced {
        start: f64,
        step: f64,
        count: u64,
    },
    Even {
        min: f64,
        max: f64,
        count: u64,
    },
    /// Evenly in the logarithm; `span` is that of `max / min`.
    Geometric {
        min: f64,
        max: f64,
        span: f64,
        count: u64,
    },
}

impl Axis {
    fn len(&self) -> usize {
        match self {
            Self::Listed(values) => values.len(),
            // At most MAX_SCHEDULES.
            Self::Spaced { count, .. } | Self::Even { count, .. } | Self::Geometric { count, .. } => *count as usize,
        }
    }

    /// The value at `index < len()`; the ends are exact.
    fn value(&self, index: usize) -> f64 {
        let place = index as u64;
        match *self {
            Self::Listed(ref values) => values[index],
            Self::Spaced { start, step, .. } => start + step * place as f64,
            Self::Even { min, .. } | Self::Geometric { min, .. } if place == 0 => min,
            Self::Even { max, count, .. } | Self::Geometric { max, count, .. } if place + 1 == count => max,
            Self::Even { min, max, count } => min + (max - min) * share(place, count),
            Self::Geometric { min, span, count, .. } => min * (span * share(place, count)).exp(),
        }
    }

    /// A value that is not finite, if there is one.
    fn not_finite(&self) -> Option<f64> {
        let wrong = |index: usize| Some(self.value(index)).filter(|value| !value.is_finite());
        match self {
            Self::Listed(values) => (0..values.len()).find_map(wrong),
            // They rise or fall throughout, so the values beside the ends are the most extreme.
            _ => [0, 1, self.len().saturating_sub(2), self.len() - 1]
                .into_iter()
                .filter(|&i| i < self.len())
                .find_map(wrong),
        }
    }
}

fn grid_len(axes: &[Axis]) -> Result<usize, SpecError> {
    let product = axes.iter().map(|axis| axis.len() as u128).fold(1_u128, u128::saturating_mul);
    if product > MAX_SCHEDULES as u128 {
        let message =
            format!("the grid has {product} points, more than the limit of {MAX_SCHEDULES}: use fewer per axis");
        return Err(SpecError::new("parameters", message));
    }
    Ok(product as usize)
}

fn zip_len(names: &[String], axes: &[Axis]) -> Result<usize, SpecError> {
    let len = axes.iter().map(Axis::len).max().unwrap_or(1);
    for (name, axis) in names.iter().zip(axes) {
        // A single value goes with every point.
        if axis.len() != len && axis.len() != 1 {
            let message =
                format!("{} values, but another axis of the zip has {len}: make them equal, or give one", axis.len());
            return Err(SpecError::new(format!("parameters.{name}"), message));
        }
    }
    Ok(len)
}

impl Parameter {
    /// The values on the axis.
    fn axis(&self) -> Result<Axis, SpecError> {
        let ways = [self.values.is_some(), self.value.is_some(), self.min.or(self.max).is_some(), self.range.is_some()];
        if ways.iter().filter(|&&way| way).count() != 1 {
            return Err(SpecError::new("", "give exactly one of `values`, `value`, `min` with `max`, or `range`"));
        }
        let bounded = self.min.or(self.max).is_some();
        for (field, given) in
            [("distribution", self.distribution.is_some()), ("count", self.count.is_some()), ("q", self.q.is_some())]
        {
            if given && !bounded {
                return Err(SpecError::new(field, "goes with `min` and `max` only: leave it out"));
            }
        }
        let axis = match (&self.values, self.value, self.range) {
            (Some(values), ..) => Axis::Listed(values.as_slice().into()),
            (_, Some(value), _) => Axis::Listed([value].into()),
            (.., Some(range)) => range.axis().map_err(|error| error.within("range"))?,
            _ => self.between()?,
        };
        if axis.len() == 0 {
            return Err(SpecError::new("", "no values: at least one is needed"));
        }
        match axis.not_finite() {
            Some(value) => Err(SpecError::new("", format!("{value} is not a finite number"))),
            None => Ok(axis),
        }
    }

    fn between(&self) -> Result<Axis, SpecError> {
        let (Some(min), Some(max)) = (self.min, self.max) else {
            let missing = if self.min.is_none() { "min" } else { "max" };
            return Err(SpecError::new(missing, "missing: `min` and `max` go together"));
        };
        if !min.is_finite() || !max.is_finite() || min > max {
            return Err(SpecError::new("min", format!("{min} to {max} is not a range: `min` must be at most `max`")));
        }
        let whole = min.fract() == 0.0 && max.fract() == 0.0;
        let default = if whole && self.count.is_none() { Distribution::IntUniform } else { Distribution::Uniform };
        let distribution = self.distribution.unwrap_or(default);
        match distribution {
            Distribution::QUniform => {
                let Some(q) = self.q.filter(|q| *q > 0.0) else {
                    return Err(SpecError::new("q", "q_uniform needs a `q` above 0"));
                };
                spaced(min, q, ((max - min) / q + 1e-9).floor() + 1.0)
            }
            Distribution::IntUniform if !whole => {
                Err(SpecError::new("min", format!("int_uniform from {min} to {max}: both must be whole numbers")))
            }
            Distribution::IntUniform => match self.points()? {
                None => spaced(min, 1.0, max - min + 1.0),
                Some(count) => {
                    let mut axis: Vec<f64> =
                        (0..count).map(|i| (min + (max - min) * share(i, count)).round()).collect();
                    axis.dedup();
                    Ok(Axis::Listed(axis.into()))
                }
            },
            Distribution::LogUniformValues if min <= 0.0 => {
                Err(SpecError::new("min", format!("{min} must be above 0 for log_uniform_values")))
            }
            Distribution::Uniform | Distribution::LogUniformValues => {
                let Some(count) = self.points()? else {
                    return Err(SpecError::new("count", "missing: how many points the grid has on this axis"));
                };
                Ok(match distribution {
                    Distribution::LogUniformValues => Axis::Geometric { min, max, span: (max / min).ln(), count },
                    _ => Axis::Even { min, max, count },
                })
            }
        }
    }

    fn points(&self) -> Result<Option<u64>, SpecError> {
        match self.count {
            Some(count) if count == 0 || count > MAX_SCHEDULES as u64 => {
                Err(SpecError::new("count", format!("{count} points: from 1 to {MAX_SCHEDULES} are allowed")))
            }
            count => Ok(count),
        }
    }
}

/// How far along an axis a point lies, from 0 to 1.
fn share(index: u64, count: u64) -> f64 {
    if count < 2 { 0.0 } else { index as f64 / (count - 1) as f64 }
}

fn spaced(start: f64, step: f64, count: f64) -> Result<Axis, SpecError> {
    if count > MAX_SCHEDULES as f64 {
        return Err(SpecError::new(
            "",
            format!("{count} values, more than the limit of {MAX_SCHEDULES}: use larger steps"),
        ));
    }
    Ok(Axis::Spaced { start, step, count: count as u64 })
}

impl Range {
    fn axis(self) -> Result<Axis, SpecError> {
        if !(self.start.is_finite() && self.end.is_finite() && self.step.is_finite()) || self.step == 0.0 {
            return Err(SpecError::new("step", "start, end and step must be finite, and the step not 0"));
        }
        // A count that is whole but for rounding is meant whole: range(0, 0.3, 0.1) has three values.
        let count = ((self.end - self.start) / self.step - 1e-9).ceil();
        if count < 1.0 {
            let message = format!("from {} to {} in steps of {} has no values", self.start, self.end, self.step);
            return Err(SpecError::new("", message));
        }
        spaced(self.start, self.step, count)
    }
}

/// Every `$name` in a document, in order of appearance.
pub(crate) fn names_used(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => {
            if let Some(name) = text.strip_prefix('$')
                && !found.iter().any(|known| known == name)
            {
                found.push(name.to_owned());
            }
        }
        Value::Array(items) => items.iter().for_each(|item| names_used(item, found)),
        Value::Object(map) => map.values().for_each(|item| names_used(item, found)),
        _ => {}
    }
}
