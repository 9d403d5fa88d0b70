//! Schedules given by boundaries and scales.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, Visitor};

use super::{Foreign, Shape, Translation};
use crate::dialect::arguments::require;
use crate::dialect::pieces::{constant, scaled_at};
use crate::error::SpecError;
use crate::schedule::{Interpolation, Knot, PiecewiseInterpolate, Schedule};

/// The factor at each boundary, by its step.
#[derive(Clone, Debug, Default, JsonSchema)]
pub(super) struct Scales(#[schemars(with = "BTreeMap<String, f64>")] pub(super) BTreeMap<i64, f64>);

impl<'de> Deserialize<'de> for Scales {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Written;
        impl<'de> Visitor<'de> for Written {
            type Value = Scales;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table of scales by step")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scales, A::Error> {
                let mut scales = BTreeMap::new();
                while let Some(key) = map.next_key::<String>()? {
                    let step = key.trim().parse().map_err(|_| {
                        de::Error::custom(format!("the boundary \"{key}\" is not a step: write a whole number"))
                    })?;
                    scales.insert(step, map.next_value()?);
                }
                Ok(Scales(scales))
            }
        }
        deserializer.deserialize_map(Written)
    }
}

impl Scales {
    fn check(&self) -> Result<(), SpecError> {
        let path = |step| format!("boundaries_and_scales.{step}");
        self.0.iter().try_for_each(|(step, &scale)| require(&path(step), scale, scale >= 0.0, "at least 0"))
    }
}

/// A value that is multiplied at boundaries.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::dialect) struct PiecewiseConstantSchedule {
    /// The value at the start.
    init_value: f64,
    /// The factor at each boundary, by its step.
    #[serde(default)]
    boundaries_and_scales: Option<Scales>,
}

impl Foreign for PiecewiseConstantSchedule {
    const SHAPE: Shape = Shape::MultiStep;
    const BITES: &'static str = "scales multiply what was there before; a scale holds from its boundary's own step on";

    fn translate(&self) -> Result<Translation, SpecError> {
        let Some(scales) = &self.boundaries_and_scales else { return Ok(constant(self.init_value).into()) };
        scales.check()?;
        let scales = scales.0.iter().map(|(&step, &scale)| (u64::try_from(step).unwrap_or(0), scale));
        Ok(scaled_at(self.init_value, scales).into())
    }
}

/// `interpolate_type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum InterpolateType {
    Linear,
    Cosine,
}

/// Lines or half cosines from boundary to boundary.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::dialect) struct PiecewiseInterpolateSchedule {
    /// How it moves.
    interpolate_type: InterpolateType,
    /// The value at the start.
    init_value: f64,
    /// The factor from each boundary to the next, by its step.
    #[serde(default)]
    boundaries_and_scales: Option<Scales>,
}

/// `piecewise_interpolate_schedule`: through `init` at 0 and its running product with the scales.
pub(super) fn interpolated(interpolation: Interpolation, init: f64, scales: &Scales) -> Result<Schedule, SpecError> {
    scales.check()?;
    let mut points = vec![Knot(0.0, init)];
    let mut value = init;
    for (&step, &scale) in &scales.0 {
        value *= scale;
        // A part that ends before step 0, or is empty, has no values.
        if points.last().is_some_and(|last| step as f64 <= last.0) {
            points.pop();
        }
        points.push(Knot(step as f64, value));
    }
    Ok(if points.len() == 1 { constant(value) } else { PiecewiseInterpolate { points, interpolation }.into() })
}

impl Foreign for PiecewiseInterpolateSchedule {
    const SHAPE: Shape = Shape::Piecewise;
    const BITES: &'static str = "scales multiply what was there before";

    fn translate(&self) -> Result<Translation, SpecError> {
        let interpolation = match self.interpolate_type {
            InterpolateType::Linear => Interpolation::Linear,
            InterpolateType::Cosine => Interpolation::Cosine,
        };
        let none = Scales::default();
        let scales = self.boundaries_and_scales.as_ref().unwrap_or(&none);
        interpolated(interpolation, self.init_value, scales).map(Translation::from)
    }
}
