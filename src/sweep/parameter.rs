//! A swept parameter as written in a spec, and its conversion to an axis or a distribution.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::axis::{Axis, along};
use super::distribution::Distribution;
use super::law::{Law, Shape};
use super::{MAX_SCHEDULES, Method};
use crate::error::SpecError;

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
    /// How likely each of `values` is, in a random or a Sobol sweep; 1 in all. By default all are equally likely.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probabilities: Option<Vec<f64>>,
    /// One value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// The least value, or its natural logarithm for `log_uniform`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// The greatest value, or its natural logarithm for `log_uniform`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// How values are distributed. Between `min` and `max` by default `int_uniform` where both are written as whole
    /// numbers and there is no `count`, else `uniform`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distribution: Option<Distribution>,
    /// Points on a grid axis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// What the values of a `q_…` distribution are multiples of; 1 by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub q: Option<f64>,
    /// The mean of a normal distribution; 0 by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mu: Option<f64>,
    /// The standard deviation of a normal distribution; 1 by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sigma: Option<f64>,
    /// The first shape of a beta distribution.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub a: Option<f64>,
    /// The second shape of a beta distribution.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub b: Option<f64>,
    /// Evenly spaced values, the end excluded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<Range>,
}

impl Parameter {
    /// The keys that are given.
    fn given(&self) -> impl Iterator<Item = &'static str> {
        let keys = [
            ("values", self.values.is_some()),
            ("probabilities", self.probabilities.is_some()),
            ("value", self.value.is_some()),
            ("min", self.min.is_some()),
            ("max", self.max.is_some()),
            ("count", self.count.is_some()),
            ("q", self.q.is_some()),
            ("mu", self.mu.is_some()),
            ("sigma", self.sigma.is_some()),
            ("a", self.a.is_some()),
            ("b", self.b.is_some()),
            ("range", self.range.is_some()),
        ];
        keys.into_iter().filter_map(|(key, given)| given.then_some(key))
    }

    /// The named distribution, or the one implied by the keys; `None` for a range.
    fn distribution(&self, method: Method) -> Result<Option<Distribution>, SpecError> {
        let bounded = self.min.or(self.max).is_some();
        let ways = [self.values.is_some(), self.value.is_some(), bounded, self.range.is_some()];
        let ways = ways.iter().filter(|&&way| way).count();
        if ways > 1 || (ways == 0 && self.distribution.is_none()) {
            let message = "give exactly one of `values`, `value`, `min` with `max`, `range`, or another `distribution`";
            return Err(SpecError::new("", message));
        }
        let distribution = match self.distribution {
            Some(distribution) => Some(distribution),
            None if self.values.is_some() => Some(Distribution::Categorical),
            None if self.value.is_some() => Some(Distribution::Constant),
            None if bounded => {
                let whole = [self.min, self.max].iter().flatten().all(|bound| bound.fract() == 0.0);
                // For drawn values, the spec's reader has already decided by how the bounds are written.
                let int = whole && self.count.is_none() && !method.is_drawn();
                Some(if int { Distribution::IntUniform } else { Distribution::Uniform })
            }
            None => None,
        };
        let (name, keys) = distribution.map_or(("range", &["range"][..]), |one| (one.name(), one.keys()));
        for key in self.given() {
            if !keys.contains(&key) {
                let keys = keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
                return Err(SpecError::new(key, format!("does not go with {name}, which takes {keys}: leave it out")));
            }
        }
        if method.is_drawn() && self.count.is_some() {
            let message = format!("a {} sweep has one `count`, beside `method`: leave this one out", method.name());
            return Err(SpecError::new("count", message));
        }
        if !method.is_drawn() && self.probabilities.is_some() {
            let message = format!("a {} takes every value: leave them out, or use random or sobol", method.name());
            return Err(SpecError::new("probabilities", message));
        }
        Ok(distribution)
    }

    /// The values on the axis of a grid or a zip.
    pub(super) fn axis(&self, method: Method) -> Result<Axis, SpecError> {
        let distribution = self.distribution(method)?;
        let law = self.law(distribution)?;
        let axis = match (law.shape, law.quantum, self.points()?) {
            (Shape::Listed { values, .. }, ..) => Axis::Listed(values),
            (Shape::Spaced { start, step, count }, _, None) => Axis::Spaced { start, step, count },
            (Shape::Spaced { start, step, count: all }, _, Some(count)) => {
                let values = (0..count).map(|i| (along(i, count) * (all - 1) as f64).round());
                distinct(values.map(|place| start + step * place))
            }
            (Shape::Uniform { min, max }, Some(q), None) => spaced(min, q, ((max - min) / q + 1e-9).floor() + 1.0)?,
            (Shape::Uniform { min, max }, None, Some(count)) => Axis::Even { min, max, count },
            (Shape::Geometric { first, last, span }, None, Some(count)) => Axis::Geometric { first, last, span, count },
            (shape, quantum, Some(count)) => match (Axis::Quantiles { law: Law { shape, quantum }, count }, quantum) {
                (axis, None) => axis,
                // Several values may be equal after rounding.
                (axis, Some(_)) => distinct((0..axis.len()).map(|index| axis.value(index))),
            },
            (.., None) => {
                return Err(SpecError::new("count", "missing: how many points the grid has on this axis"));
            }
        };
        match axis.not_finite() {
            Some(value) => Err(SpecError::new("", format!("{value} is not a finite number"))),
            None => Ok(axis),
        }
    }

    /// The distribution of the values in a random or Sobol sweep.
    pub(super) fn drawn(&self, method: Method) -> Result<Law, SpecError> {
        let law = self.law(self.distribution(method)?)?;
        match law.not_finite() {
            Some(value) => Err(SpecError::new("", format!("values reach {value}: they must stay in the range of f64"))),
            None => Ok(law),
        }
    }

    fn law(&self, distribution: Option<Distribution>) -> Result<Law, SpecError> {
        use Distribution as D;
        let Some(distribution) = distribution else {
            return match self.range {
                Some(range) => range.shape().map(Law::of).map_err(|error| error.within("range")),
                None => Err(SpecError::new("range", "missing")),
            };
        };
        let shape = match distribution {
            D::Constant => {
                let value = self.value.ok_or_else(|| SpecError::new("value", "missing: the constant"))?;
                Shape::Listed { values: [value].into(), sums: None }
            }
            D::Categorical => self.listed()?,
            D::IntUniform => {
                let (min, max) = self.bounds()?;
                if min.fract() != 0.0 || max.fract() != 0.0 {
                    let message = format!("int_uniform from {min} to {max}: both must be whole numbers");
                    return Err(SpecError::new("min", message));
                }
                many(max - min + 1.0).map(|count| Shape::Spaced { start: min, step: 1.0, count })?
            }
            D::Uniform | D::QUniform => {
                let (min, max) = self.bounds()?;
                Shape::Uniform { min, max }
            }
            D::LogUniform | D::QLogUniform | D::InvLogUniform => {
                let (min, max) = self.bounds()?;
                if !(min.exp() > 0.0 && max.exp().is_finite()) {
                    let message = format!(
                        "e^{min} to e^{max} are out of range: these are exponents, use log_uniform_values for values"
                    );
                    return Err(SpecError::new("max", message));
                }
                if distribution == D::InvLogUniform {
                    Shape::geometric((-min).exp(), (-max).exp())
                } else {
                    Shape::geometric(min.exp(), max.exp())
                }
            }
            D::LogUniformValues | D::QLogUniformValues | D::InvLogUniformValues => {
                let (min, max) = self.bounds()?;
                if min <= 0.0 {
                    let name = distribution.name();
                    return Err(SpecError::new("min", format!("{min} must be above 0 for {name}")));
                }
                if distribution == D::InvLogUniformValues {
                    Shape::geometric(max, min)
                } else {
                    Shape::geometric(min, max)
                }
            }
            D::Normal | D::QNormal => {
                let (mean, deviation) = self.moments()?;
                Shape::Normal { mean, deviation }
            }
            D::LogNormal | D::QLogNormal => {
                let (mean, deviation) = self.moments()?;
                Shape::LogNormal { mean, deviation }
            }
            D::Beta | D::QBeta => Shape::Beta { a: above_0("a", self.a)?, b: above_0("b", self.b)? },
        };
        let quantum = distribution.is_rounded().then(|| above_0("q", self.q.or(Some(1.0)))).transpose()?;
        Ok(Law { shape, quantum })
    }

    fn listed(&self) -> Result<Shape, SpecError> {
        let values = self.values.as_deref().unwrap_or_default();
        if values.is_empty() {
            return Err(SpecError::new("values", "no values: at least one is needed"));
        }
        let Some(probabilities) = &self.probabilities else {
            return Ok(Shape::Listed { values: values.into(), sums: None });
        };
        let wrong = |message| Err(SpecError::new("probabilities", message));
        if probabilities.len() != values.len() {
            let message = format!("{} for {} values: give one for each", probabilities.len(), values.len());
            return wrong(message);
        }
        if let Some(one) = probabilities.iter().find(|one| one.is_nan() || **one < 0.0) {
            return wrong(format!("{one} is no probability: they are from 0 to 1"));
        }
        let total: f64 = probabilities.iter().sum();
        if (total - 1.0).abs() > 1e-6 {
            return wrong(format!("they add up to {total}, not to 1: divide each by that"));
        }
        let sum = |sum: &mut f64, one: &f64| {
            *sum += one / total;
            Some(*sum)
        };
        Ok(Shape::Listed { values: values.into(), sums: Some(probabilities.iter().scan(0.0, sum).collect()) })
    }

    fn bounds(&self) -> Result<(f64, f64), SpecError> {
        let (Some(min), Some(max)) = (self.min, self.max) else {
            let missing = if self.min.is_none() { "min" } else { "max" };
            return Err(SpecError::new(missing, "missing: `min` and `max` go together"));
        };
        if !min.is_finite() || !max.is_finite() || min > max {
            return Err(SpecError::new("min", format!("{min} to {max} is not a range: `min` must be at most `max`")));
        }
        Ok((min, max))
    }

    /// Mean and standard deviation.
    fn moments(&self) -> Result<(f64, f64), SpecError> {
        let mean = self.mu.unwrap_or(0.0);
        if !mean.is_finite() {
            return Err(SpecError::new("mu", format!("{mean} is not a finite number")));
        }
        Ok((mean, above_0("sigma", self.sigma.or(Some(1.0)))?))
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

fn above_0(key: &str, value: Option<f64>) -> Result<f64, SpecError> {
    match value {
        Some(value) if value > 0.0 && value.is_finite() => Ok(value),
        Some(value) => Err(SpecError::new(key, format!("{value} must be above 0"))),
        None => Err(SpecError::new(key, "missing: it has no default")),
    }
}

fn distinct(values: impl Iterator<Item = f64>) -> Axis {
    let mut values: Vec<f64> = values.collect();
    values.dedup();
    Axis::Listed(values.into())
}

/// Checks a number of values against the limit.
fn many(count: f64) -> Result<u64, SpecError> {
    if count > MAX_SCHEDULES as f64 {
        let message = format!("{count} values, more than the limit of {MAX_SCHEDULES}: use larger steps");
        return Err(SpecError::new("", message));
    }
    Ok(count as u64)
}

fn spaced(start: f64, step: f64, count: f64) -> Result<Axis, SpecError> {
    Ok(Axis::Spaced { start, step, count: many(count)? })
}

impl Range {
    fn shape(self) -> Result<Shape, SpecError> {
        if !(self.start.is_finite() && self.end.is_finite() && self.step.is_finite()) || self.step == 0.0 {
            return Err(SpecError::new("step", "start, end and step must be finite, and the step not 0"));
        }
        // A count within rounding of an integer is that integer: range(0, 0.3, 0.1) has three values.
        let count = ((self.end - self.start) / self.step - 1e-9).ceil();
        if count < 1.0 {
            let message = format!("from {} to {} in steps of {} has no values", self.start, self.end, self.step);
            return Err(SpecError::new("", message));
        }
        Ok(Shape::Spaced { start: self.start, step: self.step, count: many(count)? })
    }
}
