//! Reflected exponential.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Family, Time, check};
use crate::curve::Curve;
use crate::double_double::{DoubleDouble, Extended};
use crate::error::{LowerError, SpecError};
use crate::program::{Program, Segment};

/// A reflected exponential: slow at first, fast at the end.
///
/// **Formula.** `end + (start − end)·(1 − t)/(½ + ½(1 − t))`, `t = min(s/steps, 1)`.
///
/// **Parameters.** `start`, `end` (default 0): any finite numbers. `steps`: length in steps, at least 1.
///
/// **Behaviour.** `start` at 0, `end` at `steps` and beyond, both exactly.
///
/// **Source.** Chen, Wolfe & Kyrillidis 2022 (REX, arXiv 2107.04197).
///
/// ```
/// use lrgrid::schedule::{Rex, Schedule};
///
/// let schedule = Schedule::from(Rex { start: 3.0, end: 0.0, steps: 2 });
/// assert_eq!([0, 1, 2, 3].map(|s| schedule.value(s)), [3.0, 2.0, 0.0, 0.0]);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rex {
    /// Value at step 0.
    pub start: f64,
    /// Value from the last step on.
    #[serde(default)]
    pub end: f64,
    /// Length in steps.
    pub steps: u64,
}

impl Family for Rex {
    fn validate(&self) -> Result<(), SpecError> {
        check::finite("start", self.start)?;
        check::finite("end", self.end)?;
        check::length("steps", self.steps)
    }

    fn value(&self, time: Time) -> Extended {
        let left = time.remaining(self.steps);
        let shape = left / (left * 0.5 + 0.5);
        (DoubleDouble::exact_sum(self.start, -self.end) * shape + self.end).into()
    }

    fn length(&self) -> Option<u64> {
        Some(self.steps)
    }

    fn lower(&self) -> Result<Program, LowerError> {
        // (1 − t)/(½ + ½(1 − t)) = 2·w/(1 + w) with w = 1 − t.
        let mut segment = Segment::falling(0, self.steps, self.start, self.end, Curve::Rational { rising: true });
        segment.amplitude = segment.amplitude * 2.0;
        Ok(Program::of(vec![segment]))
    }

    fn scaled(&self, factor: f64) -> Option<Self> {
        Some(Self { start: self.start * factor, end: self.end * factor, ..self.clone() })
    }

    fn examples() -> Vec<Self> {
        let make = |start, end, steps| Self { start, end, steps };
        vec![make(1e-3, 0.0, 10_000), make(0.1, 1e-5, 777), make(0.3, 0.0, 1)]
    }
}
