//! A constant ratio per step.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Family, Time, check, defaults, formula};
use crate::curve::Curve;
use crate::double_double::DoubleDouble;
use crate::error::{LowerError, SpecError};
use crate::program::{FOREVER, Program, Segment};

/// A constant ratio per step, or per stair.
///
/// **Formula.** `start·decay_rate^(s/decay_steps)`, the exponent floored if `staircase`.
///
/// **Parameters.** `start`: any finite number. `decay_rate`: greater than 0; above 1 it grows, as in a
/// learning-rate range test. `decay_steps`: steps per factor, at least 1 (default 1). `staircase`:
/// whether the value falls in stairs (default false).
///
/// **Behaviour.** `start` at 0; it never ends.
///
/// **Source.** Twins: torch `ExponentialLR`, optax and keras `exponential_decay`. The printed
/// `initial·rate^epoch` is this with `decay_steps` 1.
///
/// ```
/// use lrgrid::schedule::{Exponential, Schedule};
///
/// let schedule = Schedule::from(Exponential { start: 1.0, decay_rate: 0.25, decay_steps: 2, staircase: false });
/// assert_eq!([0, 1, 2, 4].map(|s| schedule.value(s)), [1.0, 0.5, 0.25, 0.0625]);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Exponential {
    /// Value at step 0.
    pub start: f64,
    /// The factor per `decay_steps`.
    pub decay_rate: f64,
    /// Steps per factor.
    #[serde(default = "defaults::one_step")]
    pub decay_steps: u64,
    /// Whether the exponent is floored.
    #[serde(default)]
    pub staircase: bool,
}

/// `start·rate^k`, where k counts steps, or quanta of `stair` steps: what every geometric schedule lowers to.
pub(super) fn geometric(start: f64, octaves_per_count: DoubleDouble, stair: Option<u64>) -> Segment {
    Segment {
        start: 0,
        length: FOREVER,
        quantum: stair,
        origin: 0,
        lead: 0,
        reversed: false,
        rate: octaves_per_count,
        base: DoubleDouble::ZERO,
        amplitude: start.into(),
        curve: Curve::Exponential,
    }
}

impl Family for Exponential {
    fn validate(&self) -> Result<(), SpecError> {
        check::finite("start", self.start)?;
        check::positive("decay_rate", self.decay_rate)?;
        check::length("decay_steps", self.decay_steps)
    }

    fn value(&self, time: Time) -> DoubleDouble {
        let exponent = if self.staircase {
            DoubleDouble::from(time.cycles(self.decay_steps).0)
        } else {
            time.over(self.decay_steps)
        };
        formula::power(self.decay_rate, exponent) * self.start
    }

    fn length(&self) -> Option<u64> {
        None
    }

    fn lower(&self) -> Result<Program, LowerError> {
        let octaves = DoubleDouble::from(self.decay_rate).log2();
        Ok(Program::of(vec![if self.staircase {
            geometric(self.start, octaves, Some(self.decay_steps))
        } else {
            geometric(self.start, octaves / DoubleDouble::from(self.decay_steps), None)
        }]))
    }

    fn scaled(&self, factor: f64) -> Option<Self> {
        Some(Self { start: self.start * factor, ..self.clone() })
    }

    fn examples() -> Vec<Self> {
        let make = |start, decay_rate, decay_steps, staircase| Self { start, decay_rate, decay_steps, staircase };
        vec![
            make(1e-3, 0.999, 1, false),
            make(0.1, 0.96, 2400, false),
            make(0.1, 0.5, 100, true),
            make(1e-7, 1.02, 10, false),
            make(0.05, 1.0, 10, false),
        ]
    }
}
