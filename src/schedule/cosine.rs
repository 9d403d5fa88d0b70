//! Half a cosine, plain and bent by a power.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Family, Time, check, formula};
use crate::curve::Curve;
use crate::double_double::{DoubleDouble, Extended};
use crate::error::{LowerError, SpecError};
use crate::program::{Program, Segment};

/// Half a cosine from `start` to `end`.
///
/// **Formula.** `end + ½(start − end)(1 + cos πt)`, `t = min(s/steps, 1)`.
///
/// **Parameters.** `start`, `end`: any finite numbers. `steps`: length in steps, at least 1.
///
/// **Behaviour.** `start` at 0, `end` at `steps` and beyond, both exactly. Past the end the value is
/// held; wrap it in `cycle` with mode `reflect` for the wave that some libraries return there.
///
/// **Source.** Loshchilov & Hutter 2017 (arXiv 1608.03983). Twins: torch `CosineAnnealingLR`, optax
/// `cosine_decay_schedule`, transformers `cosine`.
///
/// ```
/// use lrgrid::schedule::{Cosine, Schedule};
///
/// let schedule = Schedule::from(Cosine { start: 1.0, end: 0.0, steps: 2 });
/// assert_eq!([0, 1, 2, 3].map(|s| schedule.value(s)), [1.0, 0.5, 0.0, 0.0]);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cosine {
    /// Value at step 0.
    pub start: f64,
    /// Value from the last step on.
    pub end: f64,
    /// Length in steps.
    pub steps: u64,
}

impl Family for Cosine {
    fn validate(&self) -> Result<(), SpecError> {
        check::finite("start", self.start)?;
        check::finite("end", self.end)?;
        check::length("steps", self.steps)
    }

    fn value(&self, time: Time) -> Extended {
        // ½(1 + cos πt) = sin²(π(1 − t)/2), which is accurate to the last step.
        let falling = || formula::half_cosine(time.remaining(self.steps));
        let rising = || formula::half_cosine(time.progress(self.steps));
        formula::between(self.start, self.end, rising, falling)
    }

    fn length(&self) -> Option<u64> {
        Some(self.steps)
    }

    fn lower(&self) -> Result<Program, LowerError> {
        Ok(Program::of(vec![Segment::transition(0, self.steps, self.start, self.end, Curve::Cosine)]))
    }

    fn scaled(&self, factor: f64) -> Option<Self> {
        Some(Self { start: self.start * factor, end: self.end * factor, ..self.clone() })
    }

    fn examples() -> Vec<Self> {
        let make = |start, end, steps| Self { start, end, steps };
        vec![
            make(3e-4, 3e-5, 100_000),
            make(1e-3, 0.0, 1_000_000),
            make(0.0, 0.1, 500),
            make(1.0, 0.0, 1),
            make(3e-4, 3e-5, 15_000_000_000_000),
        ]
    }
}

/// The variants of "cosine power".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CosinePowerForm {
    /// `end + (start − end)·(½(1 + cos πt))^power`: begins at `start`.
    #[default]
    Normalized,
    /// `end + ½(start − end)(1 + cos πt)^power`: begins at `end + (start − end)·2^(power − 1)`.
    Unnormalized,
    /// `end + (start − end)·(p^(c + 1) − p)/(p² − p)`, `c = ½(1 + cos πt)`, `p = power`.
    Exponential,
}

/// Half a cosine bent by a power, or by an exponential.
///
/// **Formula.** As [`CosinePowerForm`] says, with `t = min(s/steps, 1)`.
///
/// **Parameters.** `start`, `end`: any finite numbers. `steps`: length in steps, at least 1. `power`:
/// greater than 0; at least 1 for the exponential form, where 1 is the plain cosine. `form`:
/// `normalized` (default), `unnormalized` or `exponential`.
///
/// **Behaviour.** `start` at 0 (but see the unnormalized form), `end` at `steps` and beyond.
///
/// **Source.** Exponential form: Hundt et al. 2019 (arXiv 1903.09900), sharpDARTS. Normalized form:
/// optax `cosine_decay_schedule` with `exponent`. The unnormalized one is printed in surveys.
///
/// ```
/// use lrgrid::schedule::{CosinePower, CosinePowerForm, Schedule};
///
/// let schedule = Schedule::from(CosinePower {
///     start: 1.0, end: 0.0, steps: 2, power: 3.0, form: CosinePowerForm::Normalized,
/// });
/// assert_eq!([0, 1, 2, 3].map(|s| schedule.value(s)), [1.0, 0.125, 0.0, 0.0]);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CosinePower {
    /// Value at step 0, apart from the unnormalized form's factor.
    pub start: f64,
    /// Value from the last step on.
    pub end: f64,
    /// Length in steps.
    pub steps: u64,
    /// The power of the half cosine, or the exponential's order.
    pub power: f64,
    /// The formula.
    #[serde(default)]
    pub form: CosinePowerForm,
}

impl CosinePower {
    /// Whether the curve is an exponential; the exponential form of order 1 is its limit, the plain cosine.
    fn is_exponential(&self) -> bool {
        self.form == CosinePowerForm::Exponential && self.power != 1.0
    }

    /// The lowered exponential form, with its base at the smaller end, where values do not cancel.
    fn lower_exponential(&self) -> Vec<Segment> {
        let order = DoubleDouble::from(self.power);
        let (octaves, share) = (order.log2(), DoubleDouble::ONE / (order - 1.0));
        if self.start.abs() > self.end.abs() {
            let curve = Curve::CosineExponential { octaves };
            let fall = Segment::falling(0, self.steps, self.start, self.end, curve);
            return vec![Segment { amplitude: fall.amplitude * share, ..fall }];
        }
        let rise = Segment::rising(0, self.steps, self.start, self.end, Curve::CosineExponential { octaves: -octaves });
        // Without rounding, base plus amplitude would be `end`.
        vec![Segment { amplitude: -rise.amplitude * share * order, ..rise }, Segment::hold(self.steps, self.end)]
    }
}

impl Family for CosinePower {
    fn validate(&self) -> Result<(), SpecError> {
        check::finite("start", self.start)?;
        check::finite("end", self.end)?;
        check::length("steps", self.steps)?;
        match self.form {
            CosinePowerForm::Exponential => {
                let order = (1.0..=1e250).contains(&self.power);
                check::number("power", self.power, order, "at least 1 and at most 1e250 for the exponential form")
            }
            CosinePowerForm::Unnormalized => {
                check::number("power", self.power, self.power > 0.0 && self.power <= 1000.0, "above 0 and at most 1000")
            }
            CosinePowerForm::Normalized => check::positive("power", self.power),
        }
    }

    fn value(&self, time: Time) -> Extended {
        let half_cosine = formula::half_cosine(time.remaining(self.steps));
        let power = DoubleDouble::from(self.power);
        if time.reached(self.steps) {
            return self.end.into();
        }
        if self.is_exponential() {
            // (p^(c+1) − p)/(p² − p) with the common factor p cancelled, and one less that as p/(p − 1)·(1 − p^(c−1)).
            let power_m1 = |c: DoubleDouble| Extended::from(power.log2() * c).exp2_m1() / Extended::from(power - 1.0);
            let of_end = || -power_m1(-formula::half_cosine(time.progress(self.steps))) * Extended::from(power);
            return formula::between(self.start, self.end, of_end, || power_m1(half_cosine));
        }
        let shape = match self.form {
            CosinePowerForm::Normalized => Extended::from(half_cosine).powf(power),
            CosinePowerForm::Unnormalized => Extended::from(half_cosine * 2.0).powf(power) * Extended::from(0.5),
            CosinePowerForm::Exponential => half_cosine.into(),
        };
        formula::between(self.start, self.end, || Extended::ONE - shape, || shape)
    }

    fn length(&self) -> Option<u64> {
        Some(self.steps)
    }

    fn lower(&self) -> Result<Program, LowerError> {
        if self.is_exponential() {
            return Ok(Program::of(self.lower_exponential()));
        }
        let power = Curve::CosinePower { exponent: self.power, warp: 1.0 };
        let (curve, height) = match self.form {
            CosinePowerForm::Normalized => (power, DoubleDouble::ONE),
            CosinePowerForm::Unnormalized => (power, DoubleDouble::exact_sum(self.power, -1.0).exp2()),
            CosinePowerForm::Exponential => (Curve::Cosine, DoubleDouble::ONE),
        };
        let mut segment = Segment::falling(0, self.steps, self.start, self.end, curve);
        segment.amplitude = segment.amplitude * height;
        Ok(Program::of(vec![segment]))
    }

    fn scaled(&self, factor: f64) -> Option<Self> {
        Some(Self { start: self.start * factor, end: self.end * factor, ..self.clone() })
    }

    fn examples() -> Vec<Self> {
        use CosinePowerForm::{Exponential, Normalized, Unnormalized};
        let make = |start, end, steps, power, form| Self { start, end, steps, power, form };
        vec![
            make(0.1, 1e-4, 30_000, 2.0, Normalized),
            make(0.1, 0.0, 10_000, 0.7, Normalized),
            make(0.025, 1e-3, 5000, 2.5, Unnormalized),
            make(0.2, 1e-4, 600, 10.0, Exponential),
            make(0.0, 0.2, 600, 10.0, Exponential),
            make(0.2, 0.0, 100_000, 1.0, Exponential),
            make(0.2, 0.0, 100_000, 1.000_001, Exponential),
        ]
    }
}
