//! Decays along a sigmoid.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Family, Time, check, formula};
use crate::curve::Curve;
use crate::double_double::{DoubleDouble, Extended};
use crate::error::{LowerError, SpecError};
use crate::program::{Program, Segment};

/// `end + (start − end)/(1 + e^x)` for x running from `from` to `to` over `steps`.
fn sigmoid(start: f64, end: f64, x: DoubleDouble) -> Extended {
    let share = |x| Extended::ONE / (formula::exp(x) + Extended::ONE);
    formula::between(start, end, || share(-x), || share(x))
}

/// The lowered form; e^x = 2^(x/ln 2), from the side where the value is small.
fn sigmoid_segment(start: f64, end: f64, steps: u64, from: DoubleDouble, to: DoubleDouble) -> Segment {
    let (base, top, sign) = if start.abs() > end.abs() { (end, start, 1.0) } else { (start, end, -1.0) };
    let octaves = DoubleDouble::from(sign) / DoubleDouble::LN_2;
    let mut segment = Segment::rising(0, steps, base, top, Curve::Logistic { offset: from * octaves });
    segment.rate = (to - from) * octaves / DoubleDouble::from(steps);
    segment
}

/// A decay along a hyperbolic tangent.
///
/// **Formula.** `end + ½(start − end)(1 − tanh(lower·(1 − t) + upper·t))`, `t = min(s/steps, 1)`.
///
/// **Parameters.** `start`, `end`: any finite numbers. `steps`: length in steps, at least 1. `lower`,
/// `upper`: the tangent's argument at the start and the end, `lower < upper` (defaults −6 and 3).
///
/// **Behaviour.** Almost `start` at 0 and almost `end` at `steps`, as close as the tangent comes to its
/// limits; held afterwards.
///
/// **Source.** Hsueh et al. 2019 (HTD, arXiv 1806.01593). Twins: timm `TanhLRScheduler` (−7, 3).
///
/// ```
/// use lrgrid::schedule::{Schedule, Tanh};
///
/// let schedule = Schedule::from(Tanh { start: 1.0, end: 0.0, steps: 100, lower: -5.0, upper: 5.0 });
/// assert_eq!(schedule.value(50), 0.5);
/// assert!(schedule.value(0) > 0.9999 && schedule.value(100) < 1e-4);
/// assert_eq!(schedule.value(101), schedule.value(100));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tanh {
    /// Value that it comes from.
    pub start: f64,
    /// Value that it goes to.
    pub end: f64,
    /// Length in steps.
    pub steps: u64,
    /// The tangent's argument at step 0.
    #[serde(default = "default_lower")]
    pub lower: f64,
    /// The tangent's argument at the end.
    #[serde(default = "default_upper")]
    pub upper: f64,
}

fn default_lower() -> f64 {
    -6.0
}

fn default_upper() -> f64 {
    3.0
}

/// The largest argument of a sigmoid: beyond it the value equals the limit to every digit.
const STEEPEST: f64 = 1000.0;

impl Family for Tanh {
    fn validate(&self) -> Result<(), SpecError> {
        check::finite("start", self.start)?;
        check::finite("end", self.end)?;
        check::length("steps", self.steps)?;
        check::number("lower", self.lower, self.lower.abs() <= STEEPEST, "within ±1000")?;
        let rises = self.upper > self.lower && self.upper <= STEEPEST;
        check::number("upper", self.upper, rises, &format!("above `lower` ({}) and at most 1000", self.lower))
    }

    fn value(&self, time: Time) -> Extended {
        // ½(1 − tanh x) = 1/(1 + e^(2x))
        let x = time.remaining(self.steps) * self.lower + time.progress(self.steps) * self.upper;
        sigmoid(self.start, self.end, x * 2.0)
    }

    fn length(&self) -> Option<u64> {
        Some(self.steps)
    }

    fn lower(&self) -> Result<Program, LowerError> {
        let (from, to) = (DoubleDouble::from(2.0 * self.lower), DoubleDouble::from(2.0 * self.upper));
        Ok(Program::of(vec![sigmoid_segment(self.start, self.end, self.steps, from, to)]))
    }

    fn scaled(&self, factor: f64) -> Option<Self> {
        Some(Self { start: self.start * factor, end: self.end * factor, ..self.clone() })
    }

    fn examples() -> Vec<Self> {
        let make = |start, end, steps, lower, upper| Self { start, end, steps, lower, upper };
        vec![
            make(0.1, 0.0, 10_000, -6.0, 3.0),
            make(0.1, 1e-4, 300, -7.0, 3.0),
            make(0.0, 1e-3, 5000, -20.0, 20.0),
            make(1e-3, 1e-4, 1, -1.0, 1.0),
        ]
    }
}

/// A decay along a sigmoid.
///
/// **Formula.** `end + (start − end)/(1 + e^(steepness·(t − midpoint)))`, `t = min(s/steps, 1)`.
///
/// **Parameters.** `start`, `end`: any finite numbers. `steps`: length in steps, at least 1. `steepness`: greater than
/// 0, at most 1000 (default 10). `midpoint`: the fraction of the steps at half height, in \[0, 1\] (default 0.5).
///
/// **Behaviour.** Almost `start` at 0 and almost `end` at `steps`; held afterwards.
///
/// **Source.** The logistic function (Verhulst 1838) as a decay, "sigmoid decay" in many trainers.
///
/// ```
/// use lrgrid::schedule::{Logistic, Schedule};
///
/// let schedule = Schedule::from(Logistic { start: 1.0, end: 0.5, steps: 100, steepness: 20.0, midpoint: 0.25 });
/// assert_eq!(schedule.value(25), 0.75);
/// assert!(schedule.value(0) > 0.99 && schedule.value(100) < 0.500_001);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Logistic {
    /// Value that it comes from.
    pub start: f64,
    /// Value that it goes to.
    pub end: f64,
    /// Length in steps.
    pub steps: u64,
    /// The steepness at half height.
    #[serde(default = "default_steepness")]
    pub steepness: f64,
    /// Fraction of the steps at half height.
    #[serde(default = "default_midpoint")]
    pub midpoint: f64,
}

fn default_steepness() -> f64 {
    10.0
}

fn default_midpoint() -> f64 {
    0.5
}

impl Family for Logistic {
    fn validate(&self) -> Result<(), SpecError> {
        check::finite("start", self.start)?;
        check::finite("end", self.end)?;
        check::length("steps", self.steps)?;
        let steep = self.steepness > 0.0 && self.steepness <= STEEPEST;
        check::number("steepness", self.steepness, steep, "above 0 and at most 1000")?;
        check::number("midpoint", self.midpoint, (0.0..=1.0).contains(&self.midpoint), "in 0 to 1")
    }

    fn value(&self, time: Time) -> Extended {
        sigmoid(self.start, self.end, (time.progress(self.steps) - self.midpoint) * self.steepness)
    }

    fn length(&self) -> Option<u64> {
        Some(self.steps)
    }

    fn lower(&self) -> Result<Program, LowerError> {
        let steepness = DoubleDouble::from(self.steepness);
        let from = -(steepness * self.midpoint);
        Ok(Program::of(vec![sigmoid_segment(self.start, self.end, self.steps, from, from + steepness)]))
    }

    fn scaled(&self, factor: f64) -> Option<Self> {
        Some(Self { start: self.start * factor, end: self.end * factor, ..self.clone() })
    }

    fn examples() -> Vec<Self> {
        let make = |start, end, steps, steepness, midpoint| Self { start, end, steps, steepness, midpoint };
        vec![make(0.1, 1e-4, 10_000, 10.0, 0.5), make(3e-4, 0.0, 777, 40.0, 0.9), make(0.0, 1e-3, 2000, 12.0, 0.3)]
    }
}
