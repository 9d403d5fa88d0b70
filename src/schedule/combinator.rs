//! Products, sums, scaling, clamping and delays of schedules.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::until::earlier;
use super::{Family, Schedule, Time, check, later, lower_within};
use crate::double_double::Extended;
use crate::error::{LowerError, SpecError};
use crate::program::{Clamp as Bounds, Program, Segment};

fn validate_within(schedule: &Schedule, field: &str) -> Result<(), SpecError> {
    schedule.validate().map_err(|error| error.within(field))
}

/// Checks simultaneous schedules.
fn validate_all(schedules: &[Schedule], field: &str) -> Result<(), SpecError> {
    if schedules.is_empty() {
        return Err(SpecError::new(field, "an empty list: at least one schedule is needed"));
    }
    let mut schedules = schedules.iter().enumerate();
    schedules.try_for_each(|(index, schedule)| validate_within(schedule, &format!("{field}[{index}]")))
}

/// The lowered forms of simultaneous schedules.
fn lowered_at_once(schedules: &[Schedule], field: &str) -> impl Iterator<Item = Result<Program, LowerError>> {
    schedules.iter().enumerate().map(move |(index, schedule)| lower_within(schedule, &format!("{field}[{index}]")))
}

/// The length of the longest of simultaneous schedules; `None` if one never ends.
fn longest(schedules: &[Schedule]) -> Option<u64> {
    schedules.iter().map(Schedule::length).try_fold(0, |longest, length| Some(length?.max(longest)))
}

/// The product of schedules.
///
/// **Formula.** `Π factors`.
///
/// **Parameters.** `factors`: at least one schedule, at most four that are not constant.
///
/// **Behaviour.** The product of the factors' values. A factor that is itself a product with an offset (such as a
/// decaying `cosine_restarts`) cannot be multiplied further.
///
/// **Source.** Twins: torch `ChainedScheduler` of multiplicative schedules, burn `ComposedLrScheduler`.
///
/// ```
/// use lrgrid::schedule::{Linear, Product, Schedule, Step};
///
/// let schedule = Schedule::from(Product { factors: vec![
///     Linear { start: 0.0, end: 1.0, steps: 4 }.into(),
///     Step { start: 2.0, decay_rate: 0.5, step_size: 10 }.into(),
/// ] });
/// assert_eq!([0, 2, 4, 10].map(|s| schedule.value(s)), [0.0, 1.0, 2.0, 1.0]);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Product {
    /// The factors.
    pub factors: Vec<Schedule>,
}

impl Family for Product {
    fn validate(&self) -> Result<(), SpecError> {
        validate_all(&self.factors, "factors")
    }

    fn value(&self, time: Time) -> Extended {
        self.factors.iter().fold(Extended::ONE, |product, factor| product * factor.extended(time))
    }

    fn length(&self) -> Option<u64> {
        longest(&self.factors)
    }

    fn parts(&self) -> Vec<&Schedule> {
        self.factors.iter().collect()
    }

    fn last_step(&self) -> Option<u64> {
        self.factors.iter().map(Schedule::last_step).fold(None, earlier)
    }

    fn lower(&self) -> Result<Program, LowerError> {
        let mut factors = lowered_at_once(&self.factors, "factors");
        let Some(first) = factors.next() else { return Ok(Program::hold(1.0)) };
        factors.try_fold(first?, |product, factor| product.multiply(&factor?))
    }

    fn scaled(&self, factor: f64) -> Option<Self> {
        // Scaling one factor is enough.
        let (first, rest) = self.factors.split_first()?;
        Some(Self { factors: std::iter::once(first.scaled(factor)?).chain(rest.iter().cloned()).collect() })
    }

    fn examples() -> Vec<Self> {
        use super::{Cosine, Cyclic, CyclicMode, Exponential, Linear, MultiStep};
        let cyclic = Cyclic {
            base: 0.1,
            max: 1.0,
            step_size_up: 20,
            step_size_down: None,
            mode: CyclicMode::Triangular,
            gamma: 1.0,
        };
        vec![
            Self {
                factors: vec![
                    Linear { start: 0.0, end: 1.0, steps: 100 }.into(),
                    Exponential { start: 1e-3, decay_rate: 0.99, decay_steps: 10, staircase: false }.into(),
                ],
            },
            Self {
                factors: vec![
                    cyclic.into(),
                    Cosine { start: 1.0, end: 0.1, steps: 1000 }.into(),
                    MultiStep { start: 0.5, decay_rate: 0.1, milestones: vec![300, 600] }.into(),
                ],
            },
        ]
    }
}

/// The sum of schedules.
///
/// **Formula.** `Σ terms`.
///
/// **Parameters.** `terms`: at least one schedule, at most four that are not constant.
///
/// **Behaviour.** The sum of the terms' values. A term that is a product of several curves, or a clamped one, cannot be
/// added to another curve.
///
/// **Source.** Twins: burn `ComposedLrScheduler`; scaled by one over their number, the mean of schedules.
///
/// ```
/// use lrgrid::schedule::{Linear, Schedule, Step, Sum};
///
/// let schedule = Schedule::from(Sum { terms: vec![
///     Linear { start: 0.0, end: 1.0, steps: 4 }.into(),
///     Step { start: 2.0, decay_rate: 0.5, step_size: 10 }.into(),
/// ] });
/// assert_eq!([0, 2, 4, 10].map(|s| schedule.value(s)), [2.0, 2.5, 3.0, 2.0]);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sum {
    /// The terms.
    pub terms: Vec<Schedule>,
}

impl Family for Sum {
    fn validate(&self) -> Result<(), SpecError> {
        validate_all(&self.terms, "terms")
    }

    fn value(&self, time: Time) -> Extended {
        self.terms.iter().fold(Extended::ZERO, |sum, term| sum + term.extended(time))
    }

    fn length(&self) -> Option<u64> {
        longest(&self.terms)
    }

    fn parts(&self) -> Vec<&Schedule> {
        self.terms.iter().collect()
    }

    fn last_step(&self) -> Option<u64> {
        self.terms.iter().map(Schedule::last_step).fold(None, earlier)
    }

    fn lower(&self) -> Result<Program, LowerError> {
        let mut terms = lowered_at_once(&self.terms, "terms");
        let Some(first) = terms.next() else { return Ok(Program::hold(0.0)) };
        terms.try_fold(first?, |sum, term| sum.add(&term?))
    }

    fn scaled(&self, _: f64) -> Option<Self> {
        // Lowering adds a constant term, and the rounding of the sum depends on the scale.
        None
    }

    fn examples() -> Vec<Self> {
        use super::{Constant, Cosine, Cycle, CycleMode, Exponential, Linear, Sequence, Step};
        let cosine = || Cosine { start: 0.1, end: 1e-3, steps: 100 };
        let wave = Cycle { of: Box::new(cosine().into()), mode: CycleMode::Reflect };
        let steps = Sequence {
            pieces: vec![cosine().into(), Step { start: 1e-3, decay_rate: 0.5, step_size: 30 }.into()],
            boundaries: None,
        };
        let decay = || Exponential { start: 1e-2, decay_rate: 0.9, decay_steps: 100, staircase: false }.into();
        vec![
            Self { terms: vec![wave.into(), Linear { start: 1e-3, end: 0.1, steps: 250 }.into()] },
            Self { terms: vec![Constant { value: 1e-4 }.into(), decay()] },
            Self { terms: vec![steps.into(), decay(), Linear { start: 1e-2, end: 0.0, steps: 77 }.into()] },
        ]
    }
}

/// A schedule times a number, plus an offset.
///
/// **Formula.** `by·of + offset`.
///
/// **Parameters.** `by`: any finite number. `of`: a schedule. `offset`: any finite number (default 0).
///
/// **Behaviour.** As `of`.
///
/// **Source.** The linear scaling rule (Goyal et al. 2017, arXiv 1706.02677) is its usual purpose.
///
/// ```
/// use lrgrid::schedule::{Linear, Scale, Schedule};
///
/// let of = Box::new(Linear { start: 1.0, end: 0.0, steps: 4 }.into());
/// let schedule = Schedule::from(Scale { by: 8.0, of, offset: 0.5 });
/// assert_eq!([0, 1, 4].map(|s| schedule.value(s)), [8.5, 6.5, 0.5]);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scale {
    /// The factor.
    pub by: f64,
    /// The schedule.
    pub of: Box<Schedule>,
    /// Added to the product.
    #[serde(default)]
    pub offset: f64,
}

impl Family for Scale {
    fn validate(&self) -> Result<(), SpecError> {
        check::finite("by", self.by)?;
        check::finite("offset", self.offset)?;
        validate_within(&self.of, "of")
    }

    fn value(&self, time: Time) -> Extended {
        self.of.extended(time) * Extended::from(self.by) + Extended::from(self.offset)
    }

    fn length(&self) -> Option<u64> {
        self.of.length()
    }

    fn parts(&self) -> Vec<&Schedule> {
        vec![&self.of]
    }

    fn last_step(&self) -> Option<u64> {
        self.of.last_step()
    }

    fn lower(&self) -> Result<Program, LowerError> {
        Ok(lower_within(&self.of, "of")?.affine(self.by, self.offset))
    }

    fn scaled(&self, factor: f64) -> Option<Self> {
        // The rounding of a sum with an offset depends on the scale.
        (self.offset == 0.0).then(|| Self { by: self.by * factor, ..self.clone() })
    }

    fn examples() -> Vec<Self> {
        use super::{CosineRestarts, Noam};
        let restarts = CosineRestarts { max: 1.0, min: 0.1, period: 100, multiplier: 1.0, decay: 0.9 };
        vec![
            Self {
                by: 0.25,
                of: Box::new(Noam { model_dim: 512.0, warmup_steps: 100, scale: 1.0 }.into()),
                offset: 0.0,
            },
            Self { by: -3e-4, of: Box::new(restarts.into()), offset: 1e-3 },
            Self {
                by: 0.0,
                of: Box::new(Noam { model_dim: 512.0, warmup_steps: 100, scale: 1.0 }.into()),
                offset: 0.0,
            },
        ]
    }
}

/// A schedule clamped to bounds.
///
/// **Formula.** `min(max(of, min), max)`.
///
/// **Parameters.** `min`, `max`: finite numbers, at least one of them, `min ≤ max`. `of`: a schedule.
///
/// **Behaviour.** As `of`, where its values are within the bounds.
///
/// **Source.** Twins: optax `exponential_decay` with `end_value`, fairseq's `min_lr`.
///
/// ```
/// use lrgrid::schedule::{Clamp, Linear, Schedule};
///
/// let of = Box::new(Linear { start: 1.0, end: 0.0, steps: 4 }.into());
/// let schedule = Schedule::from(Clamp { min: Some(0.3), max: None, of });
/// assert_eq!([0, 2, 3, 4].map(|s| schedule.value(s)), [1.0, 0.5, 0.3, 0.3]);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Clamp {
    /// The least value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// The greatest value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// The schedule.
    pub of: Box<Schedule>,
}

impl Clamp {
    fn bounds(&self) -> Bounds {
        Bounds { lower: self.min.unwrap_or(f64::NEG_INFINITY), upper: self.max.unwrap_or(f64::INFINITY) }
    }
}

impl Family for Clamp {
    fn validate(&self) -> Result<(), SpecError> {
        if self.min.is_none() && self.max.is_none() {
            return Err(SpecError::new("", "a clamp without bounds: give `min`, `max` or both"));
        }
        self.min.map_or(Ok(()), |min| check::finite("min", min))?;
        self.max.map_or(Ok(()), |max| check::finite("max", max))?;
        let Bounds { lower, upper } = self.bounds();
        if lower > upper {
            return Err(SpecError::new("min", format!("{lower} is above `max`, {upper}: exchange them")));
        }
        validate_within(&self.of, "of")
    }

    fn value(&self, time: Time) -> Extended {
        let value = self.of.extended(time);
        match (self.min, self.max) {
            (Some(min), _) if value < Extended::from(min) => min.into(),
            (_, Some(max)) if value > Extended::from(max) => max.into(),
            _ => value,
        }
    }

    fn length(&self) -> Option<u64> {
        self.of.length()
    }

    fn parts(&self) -> Vec<&Schedule> {
        vec![&self.of]
    }

    fn last_step(&self) -> Option<u64> {
        self.of.last_step()
    }

    fn lower(&self) -> Result<Program, LowerError> {
        Ok(lower_within(&self.of, "of")?.clamp(self.bounds()))
    }

    fn scaled(&self, factor: f64) -> Option<Self> {
        let [min, max] = [self.min, self.max].map(|bound| bound.map(|bound| bound * factor));
        // A negative factor would swap the bounds.
        (factor > 0.0).then(|| Some(Self { min, max, of: Box::new(self.of.scaled(factor)?) }))?
    }

    fn examples() -> Vec<Self> {
        use super::{CosineRestarts, Exponential};
        let decay = || Exponential { start: 1e-2, decay_rate: 0.9, decay_steps: 100, staircase: false }.into();
        let restarts = CosineRestarts { max: 1.0, min: 0.1, period: 100, multiplier: 1.0, decay: 0.9 };
        vec![
            Self { min: Some(1e-5), max: None, of: Box::new(decay()) },
            Self { min: Some(1e-4), max: Some(5e-3), of: Box::new(decay()) },
            Self { min: Some(0.2), max: Some(0.7), of: Box::new(restarts.into()) },
        ]
    }
}

/// A schedule that starts later.
///
/// **Formula.** `of` at `max(s − steps, 0)`.
///
/// **Parameters.** `steps`: the delay, may be 0. `of`: a schedule.
///
/// **Behaviour.** Holds `of`'s first value until `steps`.
///
/// **Source.** Twins: optax' `transition_begin`.
///
/// ```
/// use lrgrid::schedule::{Delay, Linear, Schedule};
///
/// let of = Box::new(Linear { start: 1.0, end: 0.0, steps: 4 }.into());
/// let schedule = Schedule::from(Delay { steps: 10, of });
/// assert_eq!([0, 10, 11, 14].map(|s| schedule.value(s)), [1.0, 1.0, 0.75, 0.0]);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Delay {
    /// The delay in steps.
    pub steps: u64,
    /// The schedule.
    pub of: Box<Schedule>,
}

impl Family for Delay {
    fn validate(&self) -> Result<(), SpecError> {
        check::length_or_zero("steps", self.steps)?;
        validate_within(&self.of, "of")
    }

    fn value(&self, time: Time) -> Extended {
        self.of.extended(time.since(self.steps))
    }

    fn length(&self) -> Option<u64> {
        self.of.length().map(|length| later(self.steps, length))
    }

    fn parts(&self) -> Vec<&Schedule> {
        vec![&self.of]
    }

    fn last_step(&self) -> Option<u64> {
        self.of.last_step().map(|last| later(self.steps, last))
    }

    fn lower(&self) -> Result<Program, LowerError> {
        let body = lower_within(&self.of, "of")?;
        if self.steps == 0 {
            return Ok(body);
        }
        let first = Segment::hold(0, self.of.exact(Time::step(0)));
        body.after(first, self.steps)
    }

    fn scaled(&self, factor: f64) -> Option<Self> {
        Some(Self { steps: self.steps, of: Box::new(self.of.scaled(factor)?) })
    }

    fn examples() -> Vec<Self> {
        use super::{Cosine, Cyclic, CyclicMode};
        let cyclic = Cyclic {
            base: 0.1,
            max: 1.0,
            step_size_up: 20,
            step_size_down: Some(5),
            mode: CyclicMode::ExpRange,
            gamma: 0.99,
        };
        vec![
            Self { steps: 500, of: Box::new(Cosine { start: 1e-3, end: 0.0, steps: 500 }.into()) },
            Self { steps: 33, of: Box::new(cyclic.into()) },
            Self { steps: 0, of: Box::new(Cosine { start: 1e-3, end: 0.0, steps: 500 }.into()) },
        ]
    }
}
