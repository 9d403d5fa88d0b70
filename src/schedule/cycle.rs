//! A schedule repeated or reflected.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Family, Schedule, Time, check};
use crate::double_double::DoubleDouble;
use crate::error::{LowerError, SpecError};
use crate::program::{Program, Repetition};

/// How a cycle goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CycleMode {
    /// From the start again.
    #[default]
    Restart,
    /// Backwards, then forwards again: no jump.
    Reflect,
}

/// A schedule repeated or reflected for ever.
///
/// **Formula.** `of` at `s mod length`, or, reflected, at `length − |length − s mod 2·length|`.
///
/// **Parameters.** `of`: a schedule with a length of its own, at least 1. `mode`: `restart` (default) or
/// `reflect`.
///
/// **Behaviour.** Restarting, the last value is never reached: step `length` is the first step again.
/// Reflecting, it is met once per turn.
///
/// **Source.** Reflected cosine is the wave of torch's and burn's `CosineAnnealingLR` past `T_max`.
///
/// ```
/// use lrgrid::schedule::{Cycle, CycleMode, Linear, Schedule};
///
/// let of = Box::new(Linear { start: 1.0, end: 0.0, steps: 4 }.into());
/// let schedule = Schedule::from(Cycle { of, mode: CycleMode::Reflect });
/// assert_eq!([0, 3, 4, 5, 8, 9].map(|s| schedule.value(s)), [1.0, 0.25, 0.0, 0.25, 1.0, 0.75]);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cycle {
    /// The schedule.
    pub of: Box<Schedule>,
    /// Restart or reflect.
    #[serde(default)]
    pub mode: CycleMode,
}

impl Cycle {
    /// The length of one way; at least 1 once validated.
    fn period(&self) -> u64 {
        self.of.length().unwrap_or(1).max(1)
    }
}

impl Family for Cycle {
    fn validate(&self) -> Result<(), SpecError> {
        self.of.validate().map_err(|error| error.within("of"))?;
        match self.of.length() {
            Some(length) => check::length("of", length),
            None => Err(SpecError::new("of", format!("a `{}` has no length of its own to repeat", self.of.kind()))),
        }
    }

    fn value(&self, time: Time) -> DoubleDouble {
        let period = self.period();
        let (way, within) = time.cycles(period);
        match self.mode {
            CycleMode::Reflect if way % 2 == 1 => self.of.exact(within.until(period)),
            _ => self.of.exact(within),
        }
    }

    fn length(&self) -> Option<u64> {
        None
    }

    fn parts(&self) -> Vec<&Schedule> {
        vec![&self.of]
    }

    fn last_step(&self) -> Option<u64> {
        // A reflection reaches the last of the cycle's steps, a restart the one before.
        let reached = self.period() - u64::from(self.mode == CycleMode::Restart);
        self.of.last_step().filter(|&last| last < reached)
    }

    fn lower(&self) -> Result<Program, LowerError> {
        let period = self.period();
        self.of.lower()?.repeated(match self.mode {
            CycleMode::Restart => Repetition::Restart { period },
            CycleMode::Reflect => Repetition::Reflect { period },
        })
    }

    fn scaled(&self, factor: f64) -> Option<Self> {
        Some(Self { of: Box::new(self.of.scaled(factor)?), mode: self.mode })
    }

    fn examples() -> Vec<Self> {
        use super::{Cosine, Linear, OneCycle, Product, Sequence, Wsd};
        let make = |of: Schedule, mode| Self { of: Box::new(of), mode };
        let cosine = || Cosine { start: 1e-3, end: 1e-5, steps: 100 }.into();
        let inner = make(Linear { start: 1.0, end: 0.0, steps: 10 }.into(), CycleMode::Restart);
        let wsd = Wsd::examples().swap_remove(1);
        vec![
            make(cosine(), CycleMode::Restart),
            make(cosine(), CycleMode::Reflect),
            make(wsd.into(), CycleMode::Reflect),
            make(OneCycle::examples().swap_remove(1).into(), CycleMode::Restart),
            make(
                Product { factors: vec![cosine(), Linear { start: 1.0, end: 0.5, steps: 100 }.into()] }.into(),
                CycleMode::Reflect,
            ),
            make(
                Sequence { pieces: vec![inner.into(), cosine()], boundaries: Some(vec![47]) }.into(),
                CycleMode::Restart,
            ),
        ]
    }
}
