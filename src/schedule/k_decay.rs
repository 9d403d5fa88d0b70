//! k-decay: a decay whose time is bent by a power.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Family, Time, check, defaults, formula};
use crate::curve::Curve;
use crate::double_double::{DoubleDouble, Extended};
use crate::error::{LowerError, SpecError};
use crate::program::{Program, Segment};

/// Which decay is bent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KDecayForm {
    /// Half a cosine.
    #[default]
    Cosine,
    /// A power of the remaining fraction.
    Polynomial,
}

/// A decay whose time is bent by a power: with a larger k it stays high for longer.
///
/// **Formula.** `end + ½(start − end)(1 + cos(π·t^k))`, or `end + (start − end)·(1 − t^k)^power` for the
/// polynomial form, `t = min(s/steps, 1)`.
///
/// **Parameters.** `start`, `end`: any finite numbers. `steps`: length in steps, at least 1. `k`: greater
/// than 0; 1 is the plain decay. `form`: `cosine` (default) or `polynomial`. `power`: greater than 0, for
/// the polynomial form (default 1).
///
/// **Behaviour.** `start` at 0, `end` at `steps` and beyond, both exactly.
///
/// **Source.** Zhang & Li 2020 (arXiv 2004.05909). Twins: timm `CosineLRScheduler` and
/// `PolyLRScheduler` with `k_decay`.
///
/// ```
/// use lrgrid::schedule::{KDecay, KDecayForm, Schedule};
///
/// let schedule = Schedule::from(KDecay {
///     start: 1.0, end: 0.0, steps: 2, k: 2.0, form: KDecayForm::Polynomial, power: 1.0,
/// });
/// assert_eq!([0, 1, 2, 3].map(|s| schedule.value(s)), [1.0, 0.75, 0.0, 0.0]);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KDecay {
    /// Value at step 0.
    pub start: f64,
    /// Value from the last step on.
    pub end: f64,
    /// Length in steps.
    pub steps: u64,
    /// The power that bends time.
    pub k: f64,
    /// The decay whose time is bent.
    #[serde(default)]
    pub form: KDecayForm,
    /// The power of the polynomial form.
    #[serde(default = "defaults::one")]
    pub power: f64,
}

impl Family for KDecay {
    fn validate(&self) -> Result<(), SpecError> {
        check::finite("start", self.start)?;
        check::finite("end", self.end)?;
        check::length("steps", self.steps)?;
        check::positive("k", self.k)?;
        check::positive("power", self.power)
    }

    fn value(&self, time: Time) -> Extended {
        let left = formula::complement_power(time.progress(self.steps), time.remaining(self.steps), self.k);
        let shape = match self.form {
            KDecayForm::Cosine => formula::half_cosine(left).into(),
            KDecayForm::Polynomial => Extended::from(left).powf(self.power.into()),
        };
        Extended::from(DoubleDouble::exact_sum(self.start, -self.end)) * shape + Extended::from(self.end)
    }

    fn length(&self) -> Option<u64> {
        Some(self.steps)
    }

    fn lower(&self) -> Result<Program, LowerError> {
        let curve = match self.form {
            KDecayForm::Cosine => Curve::CosinePower { exponent: 1.0, warp: self.k },
            KDecayForm::Polynomial => Curve::Power { exponent: self.power, warp: self.k },
        };
        Ok(Program::of(vec![Segment::falling(0, self.steps, self.start, self.end, curve)]))
    }

    fn scaled(&self, factor: f64) -> Option<Self> {
        Some(Self { start: self.start * factor, end: self.end * factor, ..self.clone() })
    }

    fn examples() -> Vec<Self> {
        use KDecayForm::{Cosine, Polynomial};
        let make = |start, end, steps, k, form, power| Self { start, end, steps, k, form, power };
        vec![
            make(1e-3, 0.0, 10_000, 1.5, Cosine, 1.0),
            make(1e-3, 1e-6, 3000, 0.5, Cosine, 1.0),
            make(0.1, 0.0, 5000, 2.0, Polynomial, 1.0),
            make(0.1, 1e-4, 5000, 3.0, Polynomial, 0.5),
            make(0.1, 0.0, 1, 4.0, Polynomial, 2.0),
        ]
    }
}
