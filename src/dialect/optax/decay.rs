//! Schedules with a single formula.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Foreign, Shape, Translation};
use crate::dialect::arguments::{Whole, require};
use crate::dialect::defaults::one;
use crate::dialect::pieces::constant;
use crate::error::SpecError;
use crate::schedule::{Clamp, Cosine, CosinePower, CosinePowerForm, Delay, Exponential, Linear, Polynomial, Schedule};

/// The same value at every step.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::dialect) struct ConstantSchedule {
    /// The value.
    value: f64,
}

impl Foreign for ConstantSchedule {
    const SHAPE: Shape = Shape::Constant;
    const BITES: &'static str = "";

    fn translate(&self) -> Result<Translation, SpecError> {
        Ok(constant(self.value).into())
    }
}

/// `of` from step `begin` on; optax treats negative steps as 0.
fn beginning_at(begin: Whole, of: Schedule) -> Schedule {
    match begin.positive() {
        Some(steps) => Delay { steps, of: Box::new(of) }.into(),
        None => of,
    }
}

/// `linear_schedule` without `transition_begin`; without steps, it is constant.
pub(super) fn line(init: f64, end: f64, steps: Whole) -> Schedule {
    match steps.positive() {
        Some(steps) => Linear { start: init, end, steps }.into(),
        None => constant(init),
    }
}

/// A straight line.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::dialect) struct LinearSchedule {
    /// The value at the start.
    init_value: f64,
    /// The value at the end.
    end_value: f64,
    /// Steps from one to the other; with none it stays at `init_value`.
    transition_steps: Whole,
    /// The step at which it begins to move.
    #[serde(default)]
    transition_begin: Whole,
}

impl Foreign for LinearSchedule {
    const SHAPE: Shape = Shape::Linear;
    const BITES: &'static str = "`transition_steps` 0 holds `init_value` for ever";

    fn translate(&self) -> Result<Translation, SpecError> {
        let line = line(self.init_value, self.end_value, self.transition_steps);
        Ok(beginning_at(self.transition_begin, line).into())
    }
}

/// A move by a power of what is left.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::dialect) struct PolynomialSchedule {
    /// The value at the start.
    init_value: f64,
    /// The value at the end.
    end_value: f64,
    /// The power.
    power: f64,
    /// Steps from one to the other; with none it stays at `init_value`.
    transition_steps: Whole,
    /// The step at which it begins to move.
    #[serde(default)]
    transition_begin: Whole,
}

impl Foreign for PolynomialSchedule {
    const SHAPE: Shape = Shape::Polynomial;
    const BITES: &'static str = "`transition_steps` 0 holds `init_value` for ever";

    fn translate(&self) -> Result<Translation, SpecError> {
        let Some(steps) = self.transition_steps.positive() else { return Ok(constant(self.init_value).into()) };
        require("power", self.power, self.power >= 0.0, "at least 0: below, the value has no bound at the end")?;
        if self.power == 0.0 {
            return Ok(constant(self.init_value).into());
        }
        let of = Polynomial { start: self.init_value, end: self.end_value, steps, power: self.power };
        Ok(beginning_at(self.transition_begin, of.into()).into())
    }
}

/// Half a cosine down to a share of the initial value.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::dialect) struct CosineDecaySchedule {
    /// The value at the start.
    init_value: f64,
    /// Steps down.
    decay_steps: Whole,
    /// The value at the end, as a share of `init_value`.
    #[serde(default)]
    alpha: f64,
    /// The power of the half cosine.
    #[serde(default = "one")]
    exponent: f64,
}

/// `cosine_decay_schedule` with its end as a value.
pub(super) fn cosine_decay(start: f64, end: f64, decay_steps: Whole, exponent: f64) -> Result<Schedule, SpecError> {
    let Some(steps) = decay_steps.positive() else {
        return Err(SpecError::new("decay_steps", format!("{} steps of decay: at least 1 is needed", decay_steps.0)));
    };
    require("exponent", exponent, exponent >= 0.0, "at least 0: below, the value has no bound at the end")?;
    Ok(if exponent == 1.0 {
        Cosine { start, end, steps }.into()
    } else if exponent == 0.0 {
        constant(start)
    } else {
        CosinePower { start, end, steps, power: exponent, form: CosinePowerForm::Normalized }.into()
    })
}

impl Foreign for CosineDecaySchedule {
    const SHAPE: Shape = Shape::Cosine;
    const BITES: &'static str = "`alpha` is a share of `init_value`, not a value; `exponent` bends the half cosine";

    fn translate(&self) -> Result<Translation, SpecError> {
        cosine_decay(self.init_value, self.init_value * self.alpha, self.decay_steps, self.exponent)
            .map(Translation::from)
    }
}

/// A constant ratio per `transition_steps`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::dialect) struct ExponentialDecay {
    /// The value at the start.
    init_value: f64,
    /// Steps per factor; with none it stays at `init_value`.
    transition_steps: Whole,
    /// The factor; with 0 it stays at `init_value`.
    decay_rate: f64,
    /// The step at which it begins to move.
    #[serde(default)]
    transition_begin: Whole,
    /// Whether it moves in stairs.
    #[serde(default)]
    staircase: bool,
    /// Where it stops: the least value for a decay, the greatest for a growth.
    #[serde(default)]
    end_value: Option<f64>,
}

impl ExponentialDecay {
    pub(super) fn schedule(&self) -> Result<Schedule, SpecError> {
        let (init, rate) = (self.init_value, self.decay_rate);
        let steps = match self.transition_steps.positive() {
            Some(steps) if rate != 0.0 => steps,
            _ => return Ok(constant(init)),
        };
        require("decay_rate", rate, rate > 0.0, "at least 0: a negative number has no real powers between whole ones")?;
        let decay = Exponential { start: init, decay_rate: rate, decay_steps: steps, staircase: self.staircase };
        let of = beginning_at(self.transition_begin, decay.into());
        let Some(end) = self.end_value else { return Ok(of) };
        let (min, max) = if rate < 1.0 { (Some(end), None) } else { (None, Some(end)) };
        Ok(Clamp { min, max, of: Box::new(of) }.into())
    }
}

impl Foreign for ExponentialDecay {
    const SHAPE: Shape = Shape::Exponential;
    const BITES: &'static str = "`decay_rate` 0 holds `init_value`; with `decay_rate` 1 `end_value` is a maximum";

    fn translate(&self) -> Result<Translation, SpecError> {
        self.schedule().map(Translation::from)
    }
}

/// What `warmup_exponential_decay_schedule` asks for after its warmup.
pub(super) fn exponential_decay(
    init_value: f64,
    (transition_steps, decay_rate): (Whole, f64),
    (transition_begin, staircase, end_value): (Whole, bool, Option<f64>),
) -> Result<Schedule, SpecError> {
    ExponentialDecay { init_value, transition_steps, decay_rate, transition_begin, staircase, end_value }.schedule()
}
