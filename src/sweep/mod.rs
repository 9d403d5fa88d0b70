//! Sweeps: the points that a method generates from parameters. Any point is computable from its index alone.

mod axis;
mod distribution;
mod law;
mod parameter;
mod random;
mod sobol;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use distribution::Distribution;
pub use parameter::{Parameter, Range};

use crate::error::SpecError;
use axis::{Axis, Draw};
use random::{Random, stream};

/// The most schedules one sweep may have.
pub const MAX_SCHEDULES: usize = 1 << 25;

/// How the parameters combine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Every combination; the last parameter varies fastest.
    #[default]
    Grid,
    /// The first values together, then the second, and so on.
    Zip,
    /// `count` independent draws.
    Random,
    /// `count` points of a scrambled Sobol sequence, which fills the space evenly: best a power of two.
    Sobol,
}

impl Method {
    /// Every method.
    pub const ALL: [Self; 4] = [Self::Grid, Self::Zip, Self::Random, Self::Sobol];

    /// The name in specs and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Grid => "grid",
            Self::Zip => "zip",
            Self::Random => "random",
            Self::Sobol => "sobol",
        }
    }

    /// Whether values are drawn from distributions, as many as `count` says.
    #[must_use]
    pub const fn is_drawn(self) -> bool {
        matches!(self, Self::Random | Self::Sobol)
    }
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
#[derive(Clone, Debug, PartialEq)]
pub struct Sweep {
    names: Vec<String>,
    values: Values,
    method: Method,
    seed: u64,
    len: usize,
}

/// The source of the parameters' values.
#[derive(Clone, Debug, PartialEq)]
enum Values {
    Axes(Vec<Axis>),
    Draws(Vec<Draw>),
}

impl Sweep {
    /// No sweep: one point without parameters.
    #[must_use]
    pub fn single() -> Self {
        Self { names: Vec::new(), values: Values::Axes(Vec::new()), method: Method::Grid, seed: 0, len: 1 }
    }

    /// Lays out the axes of a grid or a zip.
    pub(crate) fn on_axes(method: Method, parameters: Vec<(String, Parameter)>) -> Result<Self, SpecError> {
        let (mut names, mut axes) = (Vec::new(), Vec::new());
        for (name, parameter) in parameters {
            let axis = parameter.axis(method).map_err(|error| error.within(&format!("parameters.{name}")))?;
            names.push(name);
            axes.push(axis);
        }
        let len = if method == Method::Zip { zip_len(&names, &axes)? } else { grid_len(&axes)? };
        Ok(Self { names, values: Values::Axes(axes), method, seed: 0, len })
    }

    /// Draws `count` points, random or of a Sobol sequence.
    pub(crate) fn drawn(
        method: Method,
        count: u64,
        seed: u64,
        parameters: Vec<(String, Parameter)>,
    ) -> Result<Self, SpecError> {
        if count == 0 || count > MAX_SCHEDULES as u64 {
            return Err(SpecError::new("count", format!("{count} points: from 1 to {MAX_SCHEDULES} are allowed")));
        }
        let random = Random::new(seed);
        let (mut names, mut draws) = (Vec::new(), Vec::new());
        for (name, parameter) in parameters {
            let law = parameter.drawn(method).map_err(|error| error.within(&format!("parameters.{name}")))?;
            draws.push(Draw { law, random, stream: stream(&name), dimension: None });
            names.push(name);
        }
        if method == Method::Sobol {
            if draws.len() > sobol::MAX_DIMENSIONS {
                let (many, most) = (draws.len(), sobol::MAX_DIMENSIONS);
                let message = format!("{many} parameters, more than the {most} of a Sobol sequence: use random");
                return Err(SpecError::new("parameters", message));
            }
            let scrambles: Vec<u32> = draws.iter().map(|draw| random.whole(draw.stream)).collect();
            for (draw, dimension) in draws.iter_mut().zip(sobol::dimensions(&scrambles)) {
                draw.dimension = Some(dimension);
            }
        }
        Ok(Self { names, values: Values::Draws(draws), method, seed, len: count as usize })
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

    /// How the parameters combine.
    #[must_use]
    pub fn method(&self) -> Method {
        self.method
    }

    /// The seed of a random or Sobol sweep.
    #[must_use]
    pub fn seed(&self) -> Option<u64> {
        self.method.is_drawn().then_some(self.seed)
    }

    /// Names of the parameters, in order of declaration.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The values of the parameters at point `index < len()`, in the same order.
    #[must_use]
    pub fn point(&self, index: usize) -> Vec<f64> {
        let mut point = vec![0.0; self.names.len()];
        self.point_into(index, &mut point);
        point
    }

    /// As [`Sweep::point`], into a slice with one number per parameter.
    pub(crate) fn point_into(&self, index: usize, point: &mut [f64]) {
        match &self.values {
            Values::Axes(axes) => {
                let mut rest = index;
                for (axis, value) in axes.iter().zip(point).rev() {
                    *value = axis.value(rest % axis.len());
                    if self.method != Method::Zip {
                        rest /= axis.len();
                    }
                }
            }
            Values::Draws(draws) => draws.iter().zip(point).for_each(|(draw, value)| *value = draw.value(index)),
        }
    }

    /// The index of the only parameter that changes between consecutive points, and the number of points for which it
    /// does.
    pub(crate) fn fastest(&self) -> Option<(usize, usize)> {
        let last = self.names.len().checked_sub(1)?;
        match &self.values {
            Values::Axes(axes) if last == 0 || self.method == Method::Grid => Some((last, axes[last].len())),
            Values::Draws(_) if last == 0 => Some((last, self.len)),
            _ => None,
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
        // A single value is used for every point.
        if axis.len() != len && axis.len() != 1 {
            let message =
                format!("{} values, but another axis of the zip has {len}: make them equal, or give one", axis.len());
            return Err(SpecError::new(format!("parameters.{name}"), message));
        }
    }
    Ok(len)
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
