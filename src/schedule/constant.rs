//! The constant schedule.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Family, Time, check};
use crate::double_double::Extended;
use crate::error::{LowerError, SpecError};
use crate::program::Program;

/// The same value at every step.
///
/// **Formula.** `value`.
///
/// **Parameters.** `value`: any finite number.
///
/// **Behaviour.** Constant.
///
/// **Source.** Plain SGD (Robbins & Monro 1951). Twins: torch `ConstantLR` with factor 1, optax
/// `constant_schedule`, transformers `constant`.
///
/// ```
/// use lrgrid::schedule::{Constant, Schedule};
///
/// let schedule = Schedule::from(Constant { value: 3e-4 });
/// assert_eq!(schedule.value(0), 3e-4);
/// assert_eq!(schedule.value(1 << 50), 3e-4);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Constant {
    /// The value.
    pub value: f64,
}

impl Family for Constant {
    fn validate(&self) -> Result<(), SpecError> {
        check::finite("value", self.value)
    }

    fn value(&self, _: Time) -> Extended {
        self.value.into()
    }

    fn length(&self) -> Option<u64> {
        None
    }

    fn lower(&self) -> Result<Program, LowerError> {
        Ok(Program::hold(self.value))
    }

    fn scaled(&self, factor: f64) -> Option<Self> {
        Some(Self { value: self.value * factor })
    }

    fn examples() -> Vec<Self> {
        [3e-4, 0.0, -1.5, 1e-38].map(|value| Self { value }).into()
    }
}
