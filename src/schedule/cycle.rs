//! A schedule repeated or reflected.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Family, Schedule, Time, check, lower_within};
use crate::double_double::Extended;
use crate::error::{LowerError, SpecError};
use crate::program::{Program, Repetition};

/// The kind of repetition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CycleMode {
    /// Restarts after each cycle.
    #[default]
    Restart,
    /// Runs backwards and forwards in turn, without a jump.
    Reflect,
    /// Restarts one step later, after the last value.
    RestartAfter,
}

/// A schedule that is repeated or reflected indefinitely.
///
/// **Formula.** `of` at `s mod length`, or, reflected, at `length − |length − s mod 2·length|`, or, restarting
/// after the last value, at `1 + (s − 1) mod length` (and at 0 for step 0).
///
/// **Parameters.** `of`: a schedule with a length of its own, at least 1. `mode`: `restart` (default),
/// `reflect` or `restart_after`.
///
/// **Behaviour.** Restarting, the last value is never reached: step `length` is the first step again.
/// Reflecting, it is met once per turn. With `restart_after` it is met at the end of each cycle, and the
/// first value only at step 0.
///
/// **Source.** Reflected cosine is the wave of torch's and burn's `CosineAnnealingLR` past `T_max`;
/// `restart_after` the saw of keras `PolynomialDecay` with `cycle`.
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
    /// The kind of repetition.
    #[serde(default)]
    pub mode: CycleMode,
}

impl Cycle {
    /// The length of one direction; at least 1 after validation.
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

    fn value(&self, time: Time) -> Extended {
        let period = self.period();
        let (way, within) = time.cycles(period);
        match self.mode {
            CycleMode::Reflect if way % 2 == 1 => self.of.extended(within.until(period)),
            CycleMode::RestartAfter if way > 0 && within.not_past(0) => self.of.extended(Time::step(period)),
            _ => self.of.extended(within),
        }
    }

    fn length(&self) -> Option<u64> {
        None
    }

    fn parts(&self) -> Vec<&Schedule> {
        vec![&self.of]
    }

    fn last_step(&self) -> Option<u64> {
        // A reflection reaches the cycle's end, a restart only the step before.
        let reached = self.period() - u64::from(self.mode == CycleMode::Restart);
        self.of.last_step().filter(|&last| last < reached)
    }

    fn turns_between_steps(&self) -> bool {
        // The first step after a boundary that lies between two steps.
        self.mode == CycleMode::RestartAfter || self.of.turns_between_steps()
    }

    fn lower(&self) -> Result<Program, LowerError> {
        let (body, period) = (lower_within(&self.of, "of")?, self.period());
        match self.mode {
            CycleMode::Restart => body.repeated(Repetition::Restart { period }),
            CycleMode::Reflect => body.repeated(Repetition::Reflect { period }),
            CycleMode::RestartAfter => {
                let first = Program::hold(body.exact(0));
                let saw = body.skip(1)?.repeated(Repetition::Restart { period })?;
                Program::sequence(vec![(0, first), (1, saw)])
            }
        }
    }

    fn scaled(&self, factor: f64) -> Option<Self> {
        // The value before the cycles is computed, and its rounding depends on the scale.
        if self.mode == CycleMode::RestartAfter {
            return None;
        }
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
            make(cosine(), CycleMode::RestartAfter),
            make(Linear { start: 1.0, end: 0.0, steps: 1 }.into(), CycleMode::RestartAfter),
            make(OneCycle::examples().swap_remove(1).into(), CycleMode::RestartAfter),
            make(
                Sequence { pieces: vec![inner.into(), cosine()], boundaries: Some(vec![47]) }.into(),
                CycleMode::Restart,
            ),
        ]
    }
}
