//! Inverse decays: by time, by its square root, by a power of it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Family, Time, check, defaults};
use crate::curve::Curve;
use crate::double_double::{DoubleDouble, Extended};
use crate::error::{LowerError, SpecError};
use crate::program::{FOREVER, MAX_STEP, Program, Segment, scaled};

/// A segment without end, with a phase that counts up from `origin`.
fn endless(start: u64, origin: u64, rate: DoubleDouble, height: DoubleDouble, curve: Curve) -> Segment {
    Segment {
        start,
        length: FOREVER,
        quantum: None,
        origin,
        lead: 0,
        reversed: false,
        rate,
        base: DoubleDouble::ZERO,
        amplitude: height,
        curve,
    }
}

const INVERSE_ROOT: Curve = Curve::Power { exponent: -0.5, warp: 1.0 };

/// An inverse square root decay.
///
/// **Formula.** `start·√timescale / √max(s + shift, timescale)`.
///
/// **Parameters.** `start`: any finite number. `timescale`: steps before the decay sets in, at least 1
/// (default 1). `shift`: steps by which the clock is ahead (default 0).
///
/// **Behaviour.** `start` until `timescale − shift`, then falling without end. With the defaults, step 0 counts as step
/// 1, and the value is `start/√s`.
///
/// **Source.** Raffel et al. 2020 (T5, arXiv 1910.10683). Twins: transformers `inverse_sqrt`, fairseq
/// `inverse_sqrt` after its warmup.
///
/// ```
/// use lrgrid::schedule::{InverseSqrt, Schedule};
///
/// let schedule = Schedule::from(InverseSqrt { start: 1.0, timescale: 4, shift: 0 });
/// assert_eq!([0, 4, 16, 64].map(|s| schedule.value(s)), [1.0, 1.0, 0.5, 0.25]);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InverseSqrt {
    /// Value until the decay sets in.
    pub start: f64,
    /// Steps before the decay sets in.
    #[serde(default = "defaults::one_step")]
    pub timescale: u64,
    /// Steps by which the clock is ahead.
    #[serde(default)]
    pub shift: u64,
}

impl Family for InverseSqrt {
    fn validate(&self) -> Result<(), SpecError> {
        check::finite("start", self.start)?;
        check::length("timescale", self.timescale)?;
        check::length_or_zero("shift", self.shift)
    }

    fn value(&self, time: Time) -> Extended {
        let shifted = time.plus(self.shift);
        if !shifted.reached(self.timescale) {
            return self.start.into();
        }
        ((DoubleDouble::from(self.timescale) / shifted.value()).sqrt() * self.start).into()
    }

    fn length(&self) -> Option<u64> {
        None
    }

    fn lower(&self) -> Result<Program, LowerError> {
        let rate = DoubleDouble::ONE / DoubleDouble::from(self.timescale);
        let plateau = self.timescale.saturating_sub(self.shift);
        let mut segments = Vec::with_capacity(2);
        if plateau > 0 {
            segments.push(Segment::hold(0, self.start));
        }
        segments.push(endless(plateau, plateau + self.shift, rate, self.start.into(), INVERSE_ROOT));
        Ok(Program::of(segments))
    }

    fn scaled(&self, factor: f64) -> Option<Self> {
        Some(Self { start: self.start * factor, ..self.clone() })
    }

    fn examples() -> Vec<Self> {
        let make = |start, timescale, shift| Self { start, timescale, shift };
        vec![make(0.01, 1, 0), make(5e-4, 4000, 0), make(1e-3, 10_000, 2500), make(1e-3, 100, 100), make(1e-3, 3, 90)]
    }
}

/// An inverse time decay.
///
/// **Formula.** `start / (1 + decay_rate·s/decay_steps)`, the quotient floored if `staircase`.
///
/// **Parameters.** `start`: any finite number. `decay_rate`: at least 0. `decay_steps`: steps per unit
/// of decay, at least 1 (default 1). `staircase`: whether the value falls in stairs (default false).
///
/// **Behaviour.** `start` at 0; it never ends.
///
/// **Source.** Twins: keras `InverseTimeDecay`, thinc `decaying`.
///
/// ```
/// use lrgrid::schedule::{InverseTime, Schedule};
///
/// let schedule = Schedule::from(InverseTime { start: 1.0, decay_rate: 1.0, decay_steps: 10, staircase: false });
/// assert_eq!([0, 10, 30].map(|s| schedule.value(s)), [1.0, 0.5, 0.25]);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InverseTime {
    /// Value at step 0.
    pub start: f64,
    /// Decay per `decay_steps`.
    pub decay_rate: f64,
    /// Steps per unit of decay.
    #[serde(default = "defaults::one_step")]
    pub decay_steps: u64,
    /// Whether the value falls in stairs.
    #[serde(default)]
    pub staircase: bool,
}

impl Family for InverseTime {
    fn validate(&self) -> Result<(), SpecError> {
        check::finite("start", self.start)?;
        check::number("decay_rate", self.decay_rate, self.decay_rate >= 0.0, "at least 0")?;
        check::length("decay_steps", self.decay_steps)
    }

    fn value(&self, time: Time) -> Extended {
        let units = if self.staircase {
            DoubleDouble::from_u128(time.cycles(self.decay_steps).0)
        } else {
            time.over(self.decay_steps)
        };
        Extended::from(self.start) / (Extended::from(units) * Extended::from(self.decay_rate) + Extended::ONE)
    }

    fn length(&self) -> Option<u64> {
        None
    }

    fn lower(&self) -> Result<Program, LowerError> {
        let per_unit = DoubleDouble::from(self.decay_rate);
        let per_count = if self.staircase { per_unit } else { per_unit / DoubleDouble::from(self.decay_steps) };
        let falling = Curve::Rational { rising: false };
        let mut segment = endless(0, 0, per_count, self.start.into(), falling);
        segment.quantum = self.staircase.then_some(self.decay_steps);
        Ok(Program::of(vec![segment]))
    }

    fn scaled(&self, factor: f64) -> Option<Self> {
        Some(Self { start: self.start * factor, ..self.clone() })
    }

    fn examples() -> Vec<Self> {
        let make = |start, decay_rate, decay_steps, staircase| Self { start, decay_rate, decay_steps, staircase };
        vec![
            make(0.1, 0.5, 1000, false),
            make(0.1, 1e-4, 1, false),
            make(1e-3, 0.75, 50, true),
            make(0.1, 0.0, 1, false),
        ]
    }
}

/// The Transformer's linear warmup and inverse-root decay.
///
/// **Formula.** `scale·model_dim^−½·min(n^−½, n·warmup_steps^−3/2)`, `n = s + 1`.
///
/// **Parameters.** `model_dim`: width of the model, greater than 0. `warmup_steps`: steps of warmup,
/// at least 1. `scale`: any finite number (default 1).
///
/// **Behaviour.** The first warmup step's value at 0 (never 0), the peak at step `warmup_steps − 1`, falling without
/// end afterwards.
///
/// **Source.** Vaswani et al. 2017 (arXiv 1706.03762). Twins: burn `NoamLrScheduler`.
///
/// ```
/// use lrgrid::schedule::{Noam, Schedule};
///
/// let schedule = Schedule::from(Noam { model_dim: 4.0, warmup_steps: 4, scale: 1.0 });
/// assert_eq!([0, 1, 3, 15].map(|s| schedule.value(s)), [0.0625, 0.125, 0.25, 0.125]);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Noam {
    /// Width of the model.
    pub model_dim: f64,
    /// Steps of warmup.
    pub warmup_steps: u64,
    /// Factor of all values.
    #[serde(default = "defaults::one")]
    pub scale: f64,
}

impl Noam {
    /// `model_dim^−½`.
    fn root(&self) -> DoubleDouble {
        DoubleDouble::ONE / DoubleDouble::from(self.model_dim).sqrt()
    }
}

impl Family for Noam {
    fn validate(&self) -> Result<(), SpecError> {
        check::positive("model_dim", self.model_dim)?;
        check::length("warmup_steps", self.warmup_steps)?;
        check::finite("scale", self.scale)
    }

    fn value(&self, time: Time) -> Extended {
        let n = time.plus(1);
        let warmup = DoubleDouble::from(self.warmup_steps);
        if n.not_past(self.warmup_steps) {
            Extended::from(self.root() * n.value() / (warmup * warmup.sqrt())) * Extended::from(self.scale)
        } else {
            Extended::from(self.root() / n.value().sqrt()) * Extended::from(self.scale)
        }
    }

    fn length(&self) -> Option<u64> {
        None
    }

    fn lower(&self) -> Result<Program, LowerError> {
        let warmup = DoubleDouble::from(self.warmup_steps);
        let last = self.warmup_steps - 1;
        let mut segments = Vec::with_capacity(2);
        if last > 0 {
            let slope = scaled(self.scale.into(), self.root() / (warmup * warmup.sqrt()));
            segments.push(endless(0, 1, DoubleDouble::ONE, slope, Curve::Linear));
        }
        segments.push(endless(
            last,
            self.warmup_steps,
            DoubleDouble::ONE,
            scaled(self.scale.into(), self.root()),
            INVERSE_ROOT,
        ));
        Ok(Program::of(segments))
    }

    fn scaled(&self, factor: f64) -> Option<Self> {
        Some(Self { scale: self.scale * factor, ..self.clone() })
    }

    fn examples() -> Vec<Self> {
        let make = |model_dim, warmup_steps, scale| Self { model_dim, warmup_steps, scale };
        vec![make(512.0, 4000, 1.0), make(1024.0, 16_000, 2.0), make(64.0, 1, 0.5)]
    }
}

/// An inverse power decay.
///
/// **Formula.** `start·(1 + s/timescale)^−power`, the quotient floored if `staircase`.
///
/// **Parameters.** `start`: any finite number. `timescale`: steps after which `1 + s/timescale` is 2, from
/// 0.001 to 2^53, whole for a staircase. `power`: greater than 0 (default 1). `staircase`: whether the value falls
/// in stairs (default false).
///
/// **Behaviour.** `start` at 0; it never ends.
///
/// **Source.** Shen et al. 2024 (Power scheduler, arXiv 2408.13359); with power ½ the inverse root of Zhai
/// et al. 2022 (arXiv 2106.04560). Twins: timm `WSDLRScheduler` with `stable_fn` power or rsqrt; the peaks of
/// keras `PolynomialDecay` with `cycle`.
///
/// ```
/// use lrgrid::schedule::{InversePower, Schedule};
///
/// let schedule = Schedule::from(InversePower { start: 1.0, timescale: 10.0, power: 2.0, staircase: false });
/// assert_eq!([0, 10, 30].map(|s| schedule.value(s)), [1.0, 0.25, 0.0625]);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InversePower {
    /// Value at step 0.
    pub start: f64,
    /// Steps after which `1 + s/timescale` is 2.
    pub timescale: f64,
    /// The exponent.
    #[serde(default = "defaults::one")]
    pub power: f64,
    /// Whether the value falls in stairs.
    #[serde(default)]
    pub staircase: bool,
}

impl Family for InversePower {
    fn validate(&self) -> Result<(), SpecError> {
        check::finite("start", self.start)?;
        let (timescale, range) = (self.timescale, (1e-3..=MAX_STEP as f64).contains(&self.timescale));
        check::number("timescale", timescale, range, "from 0.001 to 2^53")?;
        let whole = !self.staircase || timescale.fract() == 0.0;
        check::number("timescale", timescale, whole, "a whole number of steps for a staircase")?;
        check::positive("power", self.power)
    }

    fn value(&self, time: Time) -> Extended {
        let units = if self.staircase {
            DoubleDouble::from_u128(time.cycles(self.timescale as u64).0)
        } else {
            time.value() / self.timescale
        };
        Extended::from(units + 1.0).powf(DoubleDouble::from(-self.power)) * Extended::from(self.start)
    }

    fn length(&self) -> Option<u64> {
        None
    }

    fn lower(&self) -> Result<Program, LowerError> {
        let curve = Curve::Power { exponent: -self.power, warp: 1.0 };
        Ok(Program::of(vec![if self.staircase {
            let quantum = Some(self.timescale as u64);
            Segment { quantum, ..endless(0, 1, DoubleDouble::ONE, self.start.into(), curve) }
        } else {
            let rate = DoubleDouble::ONE / DoubleDouble::from(self.timescale);
            // A timescale of 0.001 or more is a multiple of 2^-64.
            endless(0, 0, rate, self.start.into(), curve).counting_from(self.timescale.into())?
        }]))
    }

    fn scaled(&self, factor: f64) -> Option<Self> {
        Some(Self { start: self.start * factor, ..self.clone() })
    }

    fn examples() -> Vec<Self> {
        let make = |start, timescale, power, staircase| Self { start, timescale, power, staircase };
        vec![
            make(0.1, 20.0, 0.5, false),
            make(1e-3, 777.125, 0.3, false),
            make(1e-3, 1.0, 2.0, false),
            make(0.5, 40.0, 1.5, true),
        ]
    }
}
