//! The distributions by W&B's names, and the keys of a parameter that each takes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a parameter's values are distributed. The names are those of W&B sweeps.
///
/// On a grid the values lie evenly instead: evenly spaced where the distribution has ends, else evenly in probability.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Distribution {
    /// Always `value`.
    Constant,
    /// One of `values`, with `probabilities` where they differ.
    Categorical,
    /// Whole numbers from `min` to `max`, both included.
    IntUniform,
    /// From `min` to `max`; on a grid both included.
    Uniform,
    /// Multiples of `q` (1) from `min` to `max`; on a grid counted from `min`, `max` included if it is one.
    QUniform,
    /// Evenly in the logarithm from e^`min` to e^`max`.
    LogUniform,
    /// Evenly in the logarithm from `min` to `max`; on a grid both included.
    LogUniformValues,
    /// `log_uniform`, rounded to multiples of `q` (1).
    QLogUniform,
    /// `log_uniform_values`, rounded to multiples of `q` (1).
    QLogUniformValues,
    /// As `log_uniform`, of the reciprocal: evenly in the logarithm from e^−`max` to e^−`min`.
    InvLogUniform,
    /// As `log_uniform_values`, of the reciprocal: on a grid it falls from `max` to `min`.
    InvLogUniformValues,
    /// Normal, with mean `mu` (0) and standard deviation `sigma` (1).
    Normal,
    /// `normal`, rounded to multiples of `q` (1).
    QNormal,
    /// Its natural logarithm is normal, with mean `mu` (0) and standard deviation `sigma` (1).
    LogNormal,
    /// `log_normal`, rounded to multiples of `q` (1).
    QLogNormal,
    /// Beta, with the shapes `a` and `b`: between 0 and 1.
    Beta,
    /// `beta`, rounded to multiples of `q` (1).
    QBeta,
}

impl Distribution {
    /// The name in specs.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Constant => "constant",
            Self::Categorical => "categorical",
            Self::IntUniform => "int_uniform",
            Self::Uniform => "uniform",
            Self::QUniform => "q_uniform",
            Self::LogUniform => "log_uniform",
            Self::LogUniformValues => "log_uniform_values",
            Self::QLogUniform => "q_log_uniform",
            Self::QLogUniformValues => "q_log_uniform_values",
            Self::InvLogUniform => "inv_log_uniform",
            Self::InvLogUniformValues => "inv_log_uniform_values",
            Self::Normal => "normal",
            Self::QNormal => "q_normal",
            Self::LogNormal => "log_normal",
            Self::QLogNormal => "q_log_normal",
            Self::Beta => "beta",
            Self::QBeta => "q_beta",
        }
    }

    /// The keys it takes beside `distribution`.
    pub(super) fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Constant => &["value"],
            Self::Categorical => &["values", "probabilities"],
            Self::IntUniform
            | Self::Uniform
            | Self::LogUniform
            | Self::LogUniformValues
            | Self::InvLogUniform
            | Self::InvLogUniformValues => &["min", "max", "count"],
            Self::QUniform | Self::QLogUniform | Self::QLogUniformValues => &["min", "max", "q", "count"],
            Self::Normal | Self::LogNormal => &["mu", "sigma", "count"],
            Self::QNormal | Self::QLogNormal => &["mu", "sigma", "q", "count"],
            Self::Beta => &["a", "b", "count"],
            Self::QBeta => &["a", "b", "q", "count"],
        }
    }

    /// Whether values are rounded to multiples of `q`.
    pub(super) fn is_rounded(self) -> bool {
        self.keys().contains(&"q")
    }
}
