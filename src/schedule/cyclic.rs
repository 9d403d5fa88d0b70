//! Cyclical learning rates.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::exponential::geometric;
use super::{Family, Time, check, defaults, formula};
use crate::curve::Curve;
use crate::double_double::{DoubleDouble, Extended};
use crate::error::{LowerError, SpecError};
use crate::program::{Clamp, Program, Repetition, Segment, Stage, Track, amplitude};

/// The scaling of the triangles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CyclicMode {
    /// Constant height.
    #[default]
    Triangular,
    /// Half the height after each cycle.
    Triangular2,
    /// Height times `gamma` to the power of the step.
    ExpRange,
}

/// Triangles between two rates.
///
/// **Formula.** `base + (max − base)·x·f`, with `x` rising 0 → 1 over `step_size_up` steps and falling
/// back over `step_size_down`, and `f` = 1, `2^−cycle` or `gamma^s` by `mode`.
///
/// **Parameters.** `base`, `max`: any finite numbers. `step_size_up`: at least 1. `step_size_down`: at
/// least 1 (default `step_size_up`). `mode`: `triangular` (default), `triangular2` or `exp_range`.
/// `gamma`: greater than 0 (default 1), for `exp_range` only.
///
/// **Behaviour.** `base` at 0, `max` (scaled by `f`) at `step_size_up`; repeats indefinitely.
///
/// **Source.** Smith 2017 (arXiv 1506.01186). Twins: torch `CyclicLR`.
///
/// ```
/// use lrgrid::schedule::{Cyclic, CyclicMode, Schedule};
///
/// let schedule = Schedule::from(Cyclic {
///     base: 0.0, max: 1.0, step_size_up: 2, step_size_down: None, mode: CyclicMode::Triangular2, gamma: 1.0,
/// });
/// assert_eq!([0, 1, 2, 3, 4, 6].map(|s| schedule.value(s)), [0.0, 0.5, 1.0, 0.5, 0.0, 0.5]);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cyclic {
    /// The lower rate.
    pub base: f64,
    /// The upper rate.
    pub max: f64,
    /// Steps up.
    pub step_size_up: u64,
    /// Steps down; by default as many as up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_size_down: Option<u64>,
    /// The scaling of the triangles.
    #[serde(default)]
    pub mode: CyclicMode,
    /// The factor per step of `exp_range`.
    #[serde(default = "defaults::one")]
    pub gamma: f64,
}

impl Cyclic {
    fn down(&self) -> u64 {
        self.step_size_down.unwrap_or(self.step_size_up)
    }

    fn period(&self) -> u64 {
        self.step_size_up + self.down()
    }
}

impl Family for Cyclic {
    fn validate(&self) -> Result<(), SpecError> {
        check::finite("base", self.base)?;
        check::finite("max", self.max)?;
        check::length("step_size_up", self.step_size_up)?;
        check::length("step_size_down", self.down())?;
        check::positive("gamma", self.gamma)
    }

    fn value(&self, time: Time) -> Extended {
        let (cycle, within) = time.cycles(self.period());
        let x = if within.reached(self.step_size_up) {
            within.until(self.period()).over(self.down())
        } else {
            within.over(self.step_size_up)
        };
        let factor = match self.mode {
            CyclicMode::Triangular => Extended::ONE,
            CyclicMode::Triangular2 => Extended::exp2(-DoubleDouble::from_u128(cycle)),
            CyclicMode::ExpRange => formula::power(self.gamma, time.value()),
        };
        Extended::from(DoubleDouble::exact_sum(self.max, -self.base) * x) * factor + Extended::from(self.base)
    }

    fn length(&self) -> Option<u64> {
        None
    }

    fn lower(&self) -> Result<Program, LowerError> {
        let mut triangle = Track::of(vec![
            Segment::transition(0, self.step_size_up, 0.0, 1.0, Curve::Linear),
            Segment::transition(self.step_size_up, self.down(), 1.0, 0.0, Curve::Linear),
        ]);
        triangle.repetition = Repetition::Restart { period: self.period() };
        let height = match self.mode {
            CyclicMode::Triangular => None,
            CyclicMode::Triangular2 => Some(geometric(1.0, -DoubleDouble::ONE, Some(self.period()))),
            CyclicMode::ExpRange => Some(geometric(1.0, DoubleDouble::from(self.gamma).log2(), None)),
        };
        let tracks = std::iter::once(triangle).chain(height.map(|segment| Track::of(vec![segment]))).collect();
        Ok(Program::of_stage(Stage {
            start: 0,
            offset: self.base.into(),
            scale: amplitude(self.base.into(), self.max.into()),
            tracks,
            summed: false,
            clamp: Clamp::NONE,
        }))
    }

    fn scaled(&self, factor: f64) -> Option<Self> {
        Some(Self { base: self.base * factor, max: self.max * factor, ..self.clone() })
    }

    fn examples() -> Vec<Self> {
        let make = |base, max, step_size_up, step_size_down, mode, gamma| Self {
            base,
            max,
            step_size_up,
            step_size_down,
            mode,
            gamma,
        };
        vec![
            make(1e-3, 6e-3, 2000, None, CyclicMode::Triangular, 1.0),
            make(0.0, 0.1, 50, Some(80), CyclicMode::Triangular2, 1.0),
            make(1e-4, 1e-2, 300, Some(100), CyclicMode::ExpRange, 0.999_94),
            make(0.0, 1.0, 1, None, CyclicMode::Triangular, 1.0),
        ]
    }
}
