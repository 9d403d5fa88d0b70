//! A schedule that ends.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Family, Schedule, Time, check, lower_within};
use crate::double_double::Extended;
use crate::error::{LowerError, SpecError};
use crate::program::Program;

/// A schedule that ends: steps after its last one are an error and have no value.
///
/// **Formula.** `of`, up to step `last`.
///
/// **Parameters.** `last`: the last step that has a value. `of`: a schedule.
///
/// **Behaviour.** As `of`; evaluating a step beyond `last` is an error.
///
/// **Source.** Twins: torch `OneCycleLR`, which raises an error one step past its end.
///
/// ```
/// use lrgrid::schedule::{Linear, Schedule, Until};
/// use lrgrid::{Evaluate, Reference, Spec, Steps};
///
/// let of = Box::new(Linear { start: 1.0, end: 0.0, steps: 4 }.into());
/// let batch = Spec::from(Schedule::from(Until { last: 4, of })).compile()?;
/// assert_eq!(Reference.evaluate::<f64>(&batch, &Steps::range(0..5))?, [1.0, 0.75, 0.5, 0.25, 0.0]);
/// assert!(Reference.evaluate::<f64>(&batch, &Steps::range(0..6)).is_err());
/// # Ok::<(), lrgrid::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Until {
    /// The last step that has a value.
    pub last: u64,
    /// The schedule.
    pub of: Box<Schedule>,
}

/// The earlier of two ends.
pub(super) fn earlier(a: Option<u64>, b: Option<u64>) -> Option<u64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

impl Family for Until {
    fn validate(&self) -> Result<(), SpecError> {
        check::length_or_zero("last", self.last)?;
        self.of.validate().map_err(|error| error.within("of"))
    }

    fn value(&self, time: Time) -> Extended {
        self.of.extended(time)
    }

    fn length(&self) -> Option<u64> {
        Some(self.of.length().map_or(self.last + 1, |length| length.min(self.last + 1)))
    }

    fn parts(&self) -> Vec<&Schedule> {
        vec![&self.of]
    }

    fn last_step(&self) -> Option<u64> {
        earlier(Some(self.last), self.of.last_step())
    }

    fn lower(&self) -> Result<Program, LowerError> {
        lower_within(&self.of, "of")
    }

    fn scaled(&self, factor: f64) -> Option<Self> {
        Some(Self { last: self.last, of: Box::new(self.of.scaled(factor)?) })
    }

    fn examples() -> Vec<Self> {
        use super::{Exponential, Linear};
        let growth = Exponential { start: 1e-7, decay_rate: 1.02, decay_steps: 10, staircase: false };
        vec![
            Self { last: 99, of: Box::new(Linear { start: 1e-3, end: 0.0, steps: 99 }.into()) },
            Self { last: 0, of: Box::new(growth.clone().into()) },
            Self { last: (1 << 53) - 1, of: Box::new(growth.into()) },
        ]
    }
}
