//! Warmup, stable, decay.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Family, Time, check, formula};
use crate::curve::Curve;
use crate::double_double::{DoubleDouble, Extended};
use crate::error::{LowerError, SpecError};
use crate::program::{Program, Segment};

/// The curve of a decay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DecayShape {
    /// A straight line.
    #[default]
    Linear,
    /// Half a cosine.
    Cosine,
    /// A constant ratio per step; needs both ends other than 0 and of one sign.
    Exponential,
    /// `1 − √t`: steep at first (Hägele et al. 2024).
    OneMinusSqrt,
}

/// Warmup, stable phase, decay.
///
/// **Formula.** Linear `start → peak` over `warmup_steps`, `peak` for `stable_steps`, then `peak → end`
/// over `decay_steps` along `shape`.
///
/// **Parameters.** `peak`, `start` (default 0), `end` (default 0): any finite numbers. `warmup_steps`,
/// `stable_steps`, `decay_steps`: lengths, each may be 0. `shape`: `linear` (default), `cosine`,
/// `exponential` or `one_minus_sqrt`.
///
/// **Behaviour.** `start` at 0 (`peak` without a warmup), `peak` at `warmup_steps`, `end` from the end of the
/// decay on. A part of length 0 is omitted; without a decay, `peak` is held.
///
/// **Source.** Hu et al. 2024 (MiniCPM, arXiv 2404.06395), Hägele et al. 2024 (arXiv 2405.18392).
/// Twins: transformers `warmup_stable_decay`, megatron `WSD`, timm `WSDLRScheduler`.
///
/// ```
/// use lrgrid::schedule::{DecayShape, Schedule, Wsd};
///
/// let schedule = Schedule::from(Wsd {
///     peak: 1.0, warmup_steps: 2, stable_steps: 4, decay_steps: 4, start: 0.0, end: 0.0,
///     shape: DecayShape::OneMinusSqrt,
/// });
/// assert_eq!([0, 1, 2, 6, 7, 10, 11].map(|s| schedule.value(s)), [0.0, 0.5, 1.0, 1.0, 0.5, 0.0, 0.0]);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Wsd {
    /// The value that is held.
    pub peak: f64,
    /// Steps of warmup.
    pub warmup_steps: u64,
    /// Steps at the peak.
    pub stable_steps: u64,
    /// Steps of decay.
    pub decay_steps: u64,
    /// Value at step 0.
    #[serde(default)]
    pub start: f64,
    /// Value after the decay.
    #[serde(default)]
    pub end: f64,
    /// The curve of the decay.
    #[serde(default)]
    pub shape: DecayShape,
}

/// `from·(to/from)^(s/length)`: a transition of constant ratio, lowered.
pub(super) fn geometric_move(start: u64, length: u64, from: f64, to: f64) -> Segment {
    let octaves = (Extended::from(to) / Extended::from(from)).log2();
    Segment {
        base: DoubleDouble::ZERO,
        amplitude: from.into(),
        rate: octaves / DoubleDouble::from(length),
        ..Segment::rising(start, length, 0.0, 1.0, Curve::Exponential)
    }
}

/// The same transition as a formula, computed from the nearer end.
pub(super) fn geometric_between(from: f64, to: f64, t: DoubleDouble, left: DoubleDouble) -> Extended {
    if t <= left {
        (Extended::from(to) / Extended::from(from)).powf(t) * Extended::from(from)
    } else {
        (Extended::from(from) / Extended::from(to)).powf(left) * Extended::from(to)
    }
}

/// Whether there is a transition of constant ratio between two values.
pub(super) fn check_geometric(field: &str, from: f64, to: f64) -> Result<(), SpecError> {
    if !to.is_finite() {
        return Err(SpecError::new(field, format!("an exponential from {from} to {to}: its end is beyond f64")));
    }
    if from * to.signum() > 0.0 && to != 0.0 {
        return Ok(());
    }
    Err(SpecError::new(
        field,
        format!("an exponential from {from} to {to} does not exist: both must be above 0, or both below"),
    ))
}

impl Wsd {
    fn decay_start(&self) -> u64 {
        self.warmup_steps + self.stable_steps
    }
}

impl Family for Wsd {
    fn validate(&self) -> Result<(), SpecError> {
        check::finite("peak", self.peak)?;
        check::finite("start", self.start)?;
        check::finite("end", self.end)?;
        check::length_or_zero("warmup_steps", self.warmup_steps)?;
        check::length_or_zero("stable_steps", self.stable_steps)?;
        check::length_or_zero("decay_steps", self.decay_steps)?;
        check::length_or_zero("decay_steps", self.decay_start() + self.decay_steps)?;
        if self.shape == DecayShape::Exponential && self.decay_steps > 0 {
            check_geometric("end", self.peak, self.end)?;
        }
        Ok(())
    }

    fn value(&self, time: Time) -> Extended {
        if !time.reached(self.warmup_steps) {
            return formula::between(
                self.start,
                self.peak,
                || time.progress(self.warmup_steps),
                || time.remaining(self.warmup_steps),
            );
        }
        if !time.reached(self.decay_start()) || self.decay_steps == 0 {
            return self.peak.into();
        }
        let since = time.since(self.decay_start());
        let (t, left) = (since.progress(self.decay_steps), since.remaining(self.decay_steps));
        match self.shape {
            DecayShape::Linear => formula::between(self.peak, self.end, || t, || left),
            DecayShape::Cosine => {
                formula::between(self.peak, self.end, || formula::half_cosine(t), || formula::half_cosine(left))
            }
            DecayShape::Exponential => geometric_between(self.peak, self.end, t, left),
            // 1 − √t = (1 − t)/(1 + √t)
            DecayShape::OneMinusSqrt => formula::between(self.peak, self.end, || t.sqrt(), || left / (t.sqrt() + 1.0)),
        }
    }

    fn length(&self) -> Option<u64> {
        Some(self.decay_start() + self.decay_steps)
    }

    fn lower(&self) -> Result<Program, LowerError> {
        let (start, length) = (self.decay_start(), self.decay_steps);
        let mut segments = Vec::with_capacity(3);
        if self.warmup_steps > 0 {
            segments.push(Segment::transition(0, self.warmup_steps, self.start, self.peak, Curve::Linear));
        }
        if self.stable_steps > 0 || length == 0 {
            segments.push(Segment::hold(self.warmup_steps, self.peak));
        }
        if length > 0 {
            segments.push(match self.shape {
                DecayShape::Linear => Segment::transition(start, length, self.peak, self.end, Curve::Linear),
                DecayShape::Cosine => Segment::transition(start, length, self.peak, self.end, Curve::Cosine),
                DecayShape::Exponential => geometric_move(start, length, self.peak, self.end),
                DecayShape::OneMinusSqrt if self.peak.abs() > self.end.abs() => {
                    Segment::falling(start, length, self.peak, self.end, Curve::Power { exponent: 1.0, warp: 0.5 })
                }
                DecayShape::OneMinusSqrt => {
                    Segment::rising(start, length, self.peak, self.end, Curve::Power { exponent: 0.5, warp: 1.0 })
                }
            });
        }
        Ok(Program::of(segments))
    }

    fn scaled(&self, factor: f64) -> Option<Self> {
        Some(Self { peak: self.peak * factor, start: self.start * factor, end: self.end * factor, ..self.clone() })
    }

    fn examples() -> Vec<Self> {
        let make = |warmup_steps, stable_steps, decay_steps, start, end, shape| Self {
            peak: 6e-4,
            warmup_steps,
            stable_steps,
            decay_steps,
            start,
            end,
            shape,
        };
        vec![
            make(1000, 80_000, 19_000, 0.0, 0.0, DecayShape::Linear),
            make(100, 700, 200, 1e-6, 6e-5, DecayShape::Cosine),
            make(0, 800, 200, 0.0, 6e-6, DecayShape::Exponential),
            make(100, 0, 200_000, 0.0, 0.0, DecayShape::OneMinusSqrt),
            make(100, 10, 200, 0.0, 1e-3, DecayShape::OneMinusSqrt),
            make(10, 0, 0, 0.0, 0.0, DecayShape::Linear),
            make(0, 0, 1, 0.0, 0.0, DecayShape::Cosine),
        ]
    }
}
