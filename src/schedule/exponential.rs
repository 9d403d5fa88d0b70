//! A constant ratio per step.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Family, Time, check, defaults, formula};
use crate::curve::Curve;
use crate::double_double::{DoubleDouble, Extended};
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

/// The lowered form of geometric schedules: `start·rate^k`, where k counts steps, or quanta of `stair` steps.
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

    fn value(&self, time: Time) -> Extended {
        let exponent = if self.staircase {
            DoubleDouble::from_u128(time.cycles(self.decay_steps).0)
        } else {
            time.over(self.decay_steps)
        };
        formula::power(self.decay_rate, exponent) * Extended::from(self.start)
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

/// A constant ratio per step, scaled and shifted so that it ends at a given value.
///
/// **Formula.** `end + (start − end)·(ratio^t − ratio)/(1 − ratio)`, `t = min(s/steps, 1)`.
///
/// **Parameters.** `start`, `end`: any finite numbers. `steps`: length in steps, at least 1. `ratio`: the
/// final over the initial value of the unscaled exponential, from 1e-290 to 1, exclusive: the smaller, the steeper
/// at first.
///
/// **Behaviour.** `start` at 0, `end` at `steps` and beyond, both exactly; unlike `exponential`, `end` may be 0.
///
/// **Source.** Twins: megatron's `WSD` with `lr_wsd_decay_style` exponential (a ratio of ½), timm
/// `WSDLRScheduler` with `decay_fn` exp.
///
/// ```
/// use lrgrid::schedule::{NormalizedExponential, Schedule};
///
/// let schedule = Schedule::from(NormalizedExponential { start: 1.0, end: 0.0, steps: 2, ratio: 0.25 });
/// assert_eq!([0, 1, 2, 3].map(|s| schedule.value(s)), [1.0, 1.0 / 3.0, 0.0, 0.0]);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NormalizedExponential {
    /// Value at step 0.
    pub start: f64,
    /// Value from the last step on.
    pub end: f64,
    /// Length in steps.
    pub steps: u64,
    /// Final over initial value of the unscaled exponential.
    pub ratio: f64,
}

impl NormalizedExponential {
    /// The octaves by which the exponential falls.
    fn octaves(&self) -> DoubleDouble {
        -DoubleDouble::from(self.ratio).log2()
    }

    /// `1 − ratio`.
    fn share(&self) -> DoubleDouble {
        DoubleDouble::exact_sum(1.0, -self.ratio)
    }
}

impl Family for NormalizedExponential {
    fn validate(&self) -> Result<(), SpecError> {
        check::finite("start", self.start)?;
        check::finite("end", self.end)?;
        check::length("steps", self.steps)?;
        check::number("ratio", self.ratio, self.ratio >= 1e-290 && self.ratio < 1.0, "at least 1e-290 and below 1")
    }

    fn value(&self, time: Time) -> Extended {
        if time.reached(self.steps) {
            return self.end.into();
        }
        // Each end's weight is computed from its own side, without cancellation.
        let exp2_m1 = |octaves: DoubleDouble| Extended::from(octaves).exp2_m1() / Extended::from(self.share());
        let of_end = || -exp2_m1(-(self.octaves() * time.progress(self.steps)));
        let of_start = || exp2_m1(self.octaves() * time.remaining(self.steps)) * Extended::from(self.ratio);
        formula::between(self.start, self.end, of_end, of_start)
    }

    fn length(&self) -> Option<u64> {
        Some(self.steps)
    }

    fn lower(&self) -> Result<Program, LowerError> {
        let rate = self.octaves() / DoubleDouble::from(self.steps);
        let span = DoubleDouble::exact_sum(self.start, -self.end);
        // An amplitude that underflows becomes NaN, which is rejected as out of range.
        let of_span = |part: f64| match span * (DoubleDouble::from(part) / self.share()) {
            lost if lost == DoubleDouble::ZERO && span != lost => f64::NAN.into(),
            share => share,
        };
        let (start, end, curve) = (self.start, self.end, Curve::ExponentialMinusOne);
        if start.abs() > end.abs() {
            let fall = Segment::falling(0, self.steps, start, end, curve);
            return Ok(Program::of(vec![Segment { rate, amplitude: of_span(self.ratio), ..fall }]));
        }
        let rise = Segment::rising(0, self.steps, start, end, curve);
        let rise = Segment { rate: -rate, amplitude: -of_span(1.0), ..rise };
        // Without rounding, base plus amplitude would be `end`.
        Ok(Program::of(vec![rise, Segment::hold(self.steps, end)]))
    }

    fn scaled(&self, factor: f64) -> Option<Self> {
        Some(Self { start: self.start * factor, end: self.end * factor, ..self.clone() })
    }

    fn examples() -> Vec<Self> {
        let make = |start, end, steps, ratio| Self { start, end, steps, ratio };
        vec![
            make(0.1, 0.01, 300, 0.5),
            make(6e-4, 0.0, 20_000, 0.1),
            make(0.1, 0.0, 50, 1e-6),
            make(0.0, 1e-3, 1000, 0.01),
            make(1e-3, 1e-4, 1, 0.999),
        ]
    }
}
