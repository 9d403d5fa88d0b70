//! Straight lines, and powers of the remaining fraction.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Family, Time, check, defaults, formula};
use crate::curve::Curve;
use crate::double_double::Extended;
use crate::error::{LowerError, SpecError};
use crate::program::{Program, Segment};

/// A straight line from `start` to `end`.
///
/// **Formula.** `start + (end − start)·t`, `t = min(s/steps, 1)`.
///
/// **Parameters.** `start`, `end`: any finite numbers. `steps`: length in steps, at least 1.
///
/// **Behaviour.** `start` at 0, `end` at `steps` and beyond, both exactly.
///
/// **Source.** Twins: torch `LinearLR`, optax `linear_schedule`, transformers `linear`. The printed
/// linear warmup and linear decay are this with `start < end` and `start > end`.
///
/// ```
/// use lrgrid::schedule::{Linear, Schedule};
///
/// let schedule = Schedule::from(Linear { start: 0.0, end: 1e-3, steps: 4 });
/// assert_eq!([0, 1, 4, 5].map(|s| schedule.value(s)), [0.0, 2.5e-4, 1e-3, 1e-3]);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Linear {
    /// Value at step 0.
    pub start: f64,
    /// Value from the last step on.
    pub end: f64,
    /// Length in steps.
    pub steps: u64,
}

impl Family for Linear {
    fn validate(&self) -> Result<(), SpecError> {
        check::finite("start", self.start)?;
        check::finite("end", self.end)?;
        check::length("steps", self.steps)
    }

    fn value(&self, time: Time) -> Extended {
        formula::between(self.start, self.end, || time.progress(self.steps), || time.remaining(self.steps))
    }

    fn length(&self) -> Option<u64> {
        Some(self.steps)
    }

    fn lower(&self) -> Result<Program, LowerError> {
        Ok(Program::of(vec![Segment::transition(0, self.steps, self.start, self.end, Curve::Linear)]))
    }

    fn scaled(&self, factor: f64) -> Option<Self> {
        Some(Self { start: self.start * factor, end: self.end * factor, ..self.clone() })
    }

    fn examples() -> Vec<Self> {
        let make = |start, end, steps| Self { start, end, steps };
        vec![
            make(0.0, 1e-3, 1000),
            make(1e-3, 1e-5, 100_000),
            make(3e-4, 0.0, 1),
            make(-1.0, 1.0, 777),
            make(6e-4, 0.0, 15_000_000_000_000),
        ]
    }
}

/// A decay by a power of the remaining fraction.
///
/// **Formula.** `end + (start − end)·(1 − t)^power`, `t = min(s/steps, 1)`.
///
/// **Parameters.** `start`, `end`: any finite numbers. `steps`: length in steps, at least 1. `power`:
/// greater than 0; 1 (the default) is a straight line, 2 a parabola that is flat at the end, ½ a square
/// root that is steep at the end.
///
/// **Behaviour.** `start` at 0, `end` at `steps` and beyond, both exactly.
///
/// **Source.** DeepLab's "poly" policy (Chen et al. 2016). Twins: torch `PolynomialLR`, optax
/// `polynomial_schedule`, keras `PolynomialDecay`. The formula often printed for 1cycle,
/// `max·(1 − step/total)^power`, is this with `end` 0.
///
/// ```
/// use lrgrid::schedule::{Polynomial, Schedule};
///
/// let schedule = Schedule::from(Polynomial { start: 1.0, end: 0.0, steps: 10, power: 2.0 });
/// assert_eq!([0, 5, 10, 11].map(|s| schedule.value(s)), [1.0, 0.25, 0.0, 0.0]);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Polynomial {
    /// Value at step 0.
    pub start: f64,
    /// Value from the last step on.
    pub end: f64,
    /// Length in steps.
    pub steps: u64,
    /// The power of the remaining fraction.
    #[serde(default = "defaults::one")]
    pub power: f64,
}

impl Family for Polynomial {
    fn validate(&self) -> Result<(), SpecError> {
        check::finite("start", self.start)?;
        check::finite("end", self.end)?;
        check::length("steps", self.steps)?;
        check::positive("power", self.power)
    }

    fn value(&self, time: Time) -> Extended {
        let (t, left) = (time.progress(self.steps), time.remaining(self.steps));
        let of_start = || Extended::from(left).powf(self.power.into());
        let of_end = || Extended::from(formula::complement_power(left, t, self.power));
        formula::between(self.start, self.end, of_end, of_start)
    }

    fn length(&self) -> Option<u64> {
        Some(self.steps)
    }

    fn lower(&self) -> Result<Program, LowerError> {
        let segment = if self.start.abs() > self.end.abs() {
            let curve = Curve::Power { exponent: self.power, warp: 1.0 };
            Segment::falling(0, self.steps, self.start, self.end, curve)
        } else {
            let curve = Curve::Power { exponent: 1.0, warp: self.power };
            Segment::rising(0, self.steps, self.start, self.end, curve)
        };
        Ok(Program::of(vec![segment]))
    }

    fn scaled(&self, factor: f64) -> Option<Self> {
        Some(Self { start: self.start * factor, end: self.end * factor, ..self.clone() })
    }

    fn examples() -> Vec<Self> {
        let make = |start, end, steps, power| Self { start, end, steps, power };
        vec![
            make(1e-3, 1e-5, 10_000, 2.0),
            make(1e-3, 0.0, 90_000, 0.9),
            make(0.0, 0.1, 5000, 3.0),
            make(5e-4, 1e-7, 1_000_000, 0.5),
            make(0.1, 0.0, 1, 1.0),
        ]
    }
}
