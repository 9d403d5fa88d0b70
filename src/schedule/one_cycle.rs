//! The 1cycle policy.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Family, Time, check, formula};
use crate::curve::Curve;
use crate::double_double::Extended;
use crate::error::{LowerError, SpecError};
use crate::program::{Program, Segment};

/// The curve of a 1cycle's transitions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Anneal {
    /// Half a cosine.
    #[default]
    Cosine,
    /// A straight line.
    Linear,
}

/// A rise to a maximum, then a decay to almost 0.
///
/// **Formula.** `initial → max` over `up = round(pct_start·steps)` steps, then `max → final` over the
/// rest; in three phases `initial → max` and `max → initial` over `up` steps each, then `initial → final`.
/// Each transition is half a cosine or a straight line.
///
/// **Parameters.** `max`, `initial`, `final`: any finite numbers. `steps`: length in steps, at least 1.
/// `pct_start`: fraction of the steps spent rising, in \[0, 1\], at most ½ in three phases (default 0.3).
/// `anneal`: `cosine` (default) or `linear`. `three_phase`: default false.
///
/// **Behaviour.** `initial` at 0, `max` at `up`, `final` at `steps` and beyond, all exactly. A
/// transition of 0 steps is omitted, so with `up` 0 the schedule begins at `max`.
///
/// **Source.** Smith & Topin 2018 (arXiv 1708.07120). Twins: torch `OneCycleLR` (which ends one step
/// earlier), optax `cosine_onecycle_schedule`, fastai `fit_one_cycle`.
///
/// ```
/// use lrgrid::schedule::{Anneal, OneCycle, Schedule};
///
/// let schedule = Schedule::from(OneCycle {
///     max: 1.0, initial: 0.5, r#final: 0.0, steps: 10, pct_start: 0.4, anneal: Anneal::Linear, three_phase: false,
/// });
/// assert_eq!([0, 2, 4, 7, 10, 11].map(|s| schedule.value(s)), [0.5, 0.75, 1.0, 0.5, 0.0, 0.0]);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OneCycle {
    /// The maximum.
    pub max: f64,
    /// Value at step 0.
    pub initial: f64,
    /// Value from the last step on.
    pub r#final: f64,
    /// Length in steps.
    pub steps: u64,
    /// Fraction of the steps spent rising.
    #[serde(default = "default_pct_start")]
    pub pct_start: f64,
    /// Cosine or linear.
    #[serde(default)]
    pub anneal: Anneal,
    /// Whether a third phase begins at `initial` before the decay to `final`.
    #[serde(default)]
    pub three_phase: bool,
}

fn default_pct_start() -> f64 {
    0.3
}

impl OneCycle {
    fn rise(&self) -> u64 {
        // Two phases of this length must fit into the three phases, regardless of rounding.
        let most = if self.three_phase { self.steps / 2 } else { self.steps };
        ((self.pct_start * self.steps as f64).round() as u64).min(most)
    }

    /// The transitions as (start, end, from, to); empty ones are omitted.
    fn moves(&self) -> Vec<(u64, u64, f64, f64)> {
        let (up, all) = (self.rise(), self.steps);
        let mut moves = vec![(0, up, self.initial, self.max)];
        if self.three_phase {
            moves.extend([(up, 2 * up, self.max, self.initial), (2 * up, all, self.initial, self.r#final)]);
        } else {
            moves.push((up, all, self.max, self.r#final));
        }
        moves.retain(|(start, end, ..)| start < end);
        moves
    }
}

impl Family for OneCycle {
    fn validate(&self) -> Result<(), SpecError> {
        check::finite("max", self.max)?;
        check::finite("initial", self.initial)?;
        check::finite("final", self.r#final)?;
        check::length("steps", self.steps)?;
        let (most, range) = if self.three_phase { (0.5, "in 0 to 0.5 for three phases") } else { (1.0, "in 0 to 1") };
        check::number("pct_start", self.pct_start, (0.0..=most).contains(&self.pct_start), range)
    }

    fn value(&self, time: Time) -> Extended {
        let moves = self.moves();
        let Some(&(start, end, from, to)) = moves.iter().find(|(_, end, ..)| !time.reached(*end)) else {
            return moves.last().map_or(self.r#final, |last| last.3).into();
        };
        let (since, length) = (time.since(start), end - start);
        let (t, left) = (since.progress(length), since.remaining(length));
        match self.anneal {
            Anneal::Linear => formula::between(from, to, || t, || left),
            Anneal::Cosine => formula::between(from, to, || formula::half_cosine(t), || formula::half_cosine(left)),
        }
    }

    fn length(&self) -> Option<u64> {
        Some(self.steps)
    }

    fn lower(&self) -> Result<Program, LowerError> {
        let curve = match self.anneal {
            Anneal::Cosine => Curve::Cosine,
            Anneal::Linear => Curve::Linear,
        };
        let segment = |(start, end, from, to)| Segment::transition(start, end - start, from, to, curve);
        Ok(Program::of(self.moves().into_iter().map(segment).collect()))
    }

    fn scaled(&self, factor: f64) -> Option<Self> {
        Some(Self {
            max: self.max * factor,
            initial: self.initial * factor,
            r#final: self.r#final * factor,
            ..self.clone()
        })
    }

    fn examples() -> Vec<Self> {
        let make = |max, initial, r#final, steps, pct_start, anneal, three_phase| Self {
            max,
            initial,
            r#final,
            steps,
            pct_start,
            anneal,
            three_phase,
        };
        vec![
            make(0.1, 0.004, 4e-7, 10_000, 0.3, Anneal::Cosine, false),
            make(0.1, 0.01, 1e-5, 1001, 0.45, Anneal::Linear, true),
            make(1e-3, 4e-5, 0.0, 1 << 30, 0.25, Anneal::Cosine, true),
            make(1e-3, 0.0, 0.0, 7, 0.0, Anneal::Linear, false),
            make(1e-3, 1e-4, 0.0, 7, 1.0, Anneal::Cosine, false),
            make(1e-3, 1e-4, 1e-6, 1, 0.5, Anneal::Cosine, true),
        ]
    }
}
