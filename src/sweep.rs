//! Sweeps: axes, and the points that a grid or a zip makes of them.

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
    axes: Vec<Vec<f64>>,
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
        let len = if zipped { zip_len(&names, &mut axes)? } else { grid_len(&axes)? };
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
        if self.zipped {
            return self.axes.iter().map(|axis| axis[index % axis.len()]).collect();
        }
        let mut rest = index;
        let mut point: Vec<f64> = Vec::with_capacity(self.axes.len());
        for axis in self.axes.iter().rev() {
            point.push(axis[rest % axis.len()]);
            rest /= axis.len();
        }
        point.reverse();
        point
    }
}

fn grid_len(axes: &[Vec<f64>]) -> Result<usize, SpecError> {
    let product = axes.iter().map(|axis| axis.len() as u128).fold(1_u128, u128::saturating_mul);
    if product > MAX_SCHEDULES as u128 {
        let message =
            format!("the grid has {product} points, more than the limit of {MAX_SCHEDULES}: use fewer per axis");
        return Err(SpecError::new("parameters", message));
    }
    Ok(product as usize)
}

fn zip_len(names: &[String], axes: &mut [Vec<f64>]) -> Result<usize, SpecError> {
    let len = axes.iter().map(Vec::len).max().unwrap_or(1);
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
    fn axis(&self) -> Result<Vec<f64>, SpecError> {
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
            (Some(values), ..) => values.clone(),
            (_, Some(value), _) => vec![value],
            (.., Some(range)) => range.axis().map_err(|error| error.within("range"))?,
            _ => self.between()?,
        };
        if axis.is_empty() {
            return Err(SpecError::new("", "no values: at least one is needed"));
        }
        match axis.iter().find(|value| !value.is_finite()) {
            Some(value) => Err(SpecError::new("", format!("{value} is not a finite number"))),
            None => Ok(axis),
        }
    }

    fn between(&self) -> Result<Vec<f64>, SpecError> {
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
                    Ok(axis)
                }
            },
            Distribution::LogUniformValues if min <= 0.0 => {
                Err(SpecError::new("min", format!("{min} must be above 0 for log_uniform_values")))
            }
            Distribution::Uniform | Distribution::LogUniformValues => {
                let Some(count) = self.points()? else {
                    return Err(SpecError::new("count", "missing: how many points the grid has on this axis"));
                };
                Ok((0..count).map(|index| self.spread(distribution, min, max, index, count)).collect())
            }
        }
    }

    /// The value of one point on an evenly or geometrically spaced axis; both ends exact.
    fn spread(&self, distribution: Distribution, min: f64, max: f64, index: u64, count: u64) -> f64 {
        match index {
            0 => min,
            _ if index + 1 == count => max,
            _ if distribution == Distribution::Uniform => min + (max - min) * share(index, count),
            _ => min * ((max / min).ln() * share(index, count)).exp(),
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

fn spaced(start: f64, step: f64, count: f64) -> Result<Vec<f64>, SpecError> {
    if count > MAX_SCHEDULES as f64 {
        return Err(SpecError::new(
            "",
            format!("{count} values, more than the limit of {MAX_SCHEDULES}: use larger steps"),
        ));
    }
    Ok((0..count as u64).map(|index| start + step * index as f64).collect())
}

impl Range {
    fn axis(self) -> Result<Vec<f64>, SpecError> {
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
