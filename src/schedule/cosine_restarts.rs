//! Cosine decays that start again.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::clock::growing_cycles;
use super::exponential::geometric;
use super::{Family, Time, check, defaults, formula};
use crate::curve::Curve;
use crate::double_double::{DoubleDouble, Expansion, Extended};
use crate::error::{LowerError, SpecError};
use crate::program::{self, Clamp, MAX_STEP, Moved, Program, Repetition, Segment, Stage, Track, growth, scaled};

/// Cosine decays with restarts, each optionally longer and lower than the last (SGDR).
///
/// **Formula.** In cycle i: `min + ½(max·decay^i − min)(1 + cos πt)`, with t from 0 to 1 over the cycle.
/// Cycle i begins at step `round(period·(1 + multiplier + … + multiplier^(i−1)))`.
///
/// **Parameters.** `max`, `min`: any finite numbers. `period`: steps of the first cycle, at least 1.
/// `multiplier`: growth of the cycles, from 1 to 2^53 (default 1). `decay`: factor on `max` per cycle,
/// greater than 0 (default 1).
///
/// **Behaviour.** `max` at 0 and, times `decay^i`, at each restart; it never ends. Boundaries are
/// computed from integers and never missed.
///
/// **Source.** Loshchilov & Hutter 2017 (arXiv 1608.03983). Twins: torch
/// `CosineAnnealingWarmRestarts`, timm `CosineLRScheduler`, keras `CosineDecayRestarts`.
///
/// ```
/// use lrgrid::schedule::{CosineRestarts, Schedule};
///
/// let schedule = Schedule::from(CosineRestarts { max: 1.0, min: 0.0, period: 2, multiplier: 2.0, decay: 0.5 });
/// assert_eq!([0, 1, 2, 4, 6].map(|s| schedule.value(s)), [1.0, 0.5, 0.5, 0.25, 0.25]);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CosineRestarts {
    /// Value at the start of the first cycle.
    pub max: f64,
    /// Value that each cycle falls to.
    pub min: f64,
    /// Steps of the first cycle.
    pub period: u64,
    /// Growth of the cycles.
    #[serde(default = "defaults::one")]
    pub multiplier: f64,
    /// Factor on `max` per cycle.
    #[serde(default = "defaults::one")]
    pub decay: f64,
}

impl CosineRestarts {
    /// The first step of cycle `index` of growing cycles; exact for integer multipliers up to 2^90.
    fn boundary(&self, index: u64) -> Expansion {
        // period·(m^i − 1)/(m − 1): the geometric series, rounded to an integer step.
        let multiplier = DoubleDouble::from(self.multiplier);
        let growth = (multiplier.log2() * DoubleDouble::from(index)).exp2_m1();
        let sum = growth / (multiplier - 1.0) * DoubleDouble::from(self.period);
        let whole = sum.high().round();
        // `low` may move the rounded value across a half, or by several steps.
        let rest = ((sum - whole).high() + 0.5).floor();
        Expansion::from(whole).plus(&rest.into())
    }

    /// The growing cycle of `time`.
    fn growing_cycle(&self, time: Time) -> u64 {
        let (mut low, mut high) = (0, 1);
        while time.reached_moment(&self.boundary(high)) {
            (low, high) = (high, high * 2);
        }
        while high - low > 1 {
            let middle = low.midpoint(high);
            if time.reached_moment(&self.boundary(middle)) { low = middle } else { high = middle }
        }
        low
    }

    /// The lowered form on a clock: growing cycles are written out as far as the clock reaches.
    pub(super) fn lower_on(&self, clock: &program::Clock) -> Result<Program, LowerError> {
        if self.multiplier == 1.0 {
            return self.lower()?.on_clock(clock);
        }
        let needed = growing_cycles(self.period, self.multiplier, clock)?;
        let octaves = DoubleDouble::from(self.decay).log2();
        let mut segments = Vec::with_capacity(needed + 1);
        if clock.ahead.sign().is_lt() {
            segments.push(Segment::hold(0, self.max));
        }
        for index in 0..needed as u64 {
            let (start, end) = (self.boundary(index), self.boundary(index + 1));
            let (begin, until) = (clock.step_reaching(&start), clock.step_reaching(&end));
            if begin > MAX_STEP {
                break;
            }
            if until <= begin {
                continue;
            }
            let full = end.minus(&start);
            let top = match self.max {
                0.0 => DoubleDouble::ZERO,
                max => scaled(growth(octaves * DoubleDouble::from(index)), max.into()),
            };
            let fall = Segment::transition(0, self.period, top, self.min, Curve::Cosine);
            let fall = Segment { rate: DoubleDouble::ONE / full.rounded(), ..fall };
            let since = clock.behind(&start).shown(begin);
            let count = if fall.reversed { full.times(&clock.divisor).minus(&since) } else { since };
            Moved { segment: fall, full: Some(full) }.push(clock, &count, begin, until, &mut segments)?;
        }
        Ok(Program::of(segments))
    }
}

impl Family for CosineRestarts {
    fn validate(&self) -> Result<(), SpecError> {
        check::finite("max", self.max)?;
        check::finite("min", self.min)?;
        check::length("period", self.period)?;
        check::growth("multiplier", self.multiplier)?;
        check::positive("decay", self.decay)
    }

    fn value(&self, time: Time) -> Extended {
        if self.multiplier == 1.0 {
            let (index, since) = time.cycles(self.period);
            let top = formula::power(self.decay, DoubleDouble::from_u128(index)) * Extended::from(self.max);
            let rising = || formula::half_cosine(since.progress(self.period));
            let falling = || formula::half_cosine(since.remaining(self.period));
            return formula::between(top, self.min, rising, falling);
        }
        let index = self.growing_cycle(time);
        let (start, end) = (self.boundary(index), self.boundary(index + 1));
        let length = end.minus(&start);
        let top = formula::power(self.decay, index.into()) * Extended::from(self.max);
        let rising = || formula::half_cosine(time.since_moment(&start).over_moment(&length));
        let falling = || formula::half_cosine(time.until_moment(&end).over_moment(&length));
        formula::between(top, self.min, rising, falling)
    }

    fn length(&self) -> Option<u64> {
        None
    }

    fn lower(&self) -> Result<Program, LowerError> {
        let octaves = DoubleDouble::from(self.decay).log2();
        if self.multiplier == 1.0 && self.decay == 1.0 {
            let mut track = Track::of(vec![Segment::transition(0, self.period, self.max, self.min, Curve::Cosine)]);
            track.repetition = Repetition::Restart { period: self.period };
            return Ok(Program::of_stage(Stage::of(track)));
        }
        if self.multiplier == 1.0 {
            // min + shape·(max·decay^i − min) is a repeated cosine times a staircase.
            let mut shape = Track::of(vec![Segment::falling(0, self.period, 1.0, 0.0, Curve::Cosine)]);
            shape.repetition = Repetition::Restart { period: self.period };
            let mut height = geometric(self.max, octaves, Some(self.period));
            height.base = (-self.min).into();
            return Ok(Program::of_stage(Stage {
                start: 0,
                offset: self.min.into(),
                scale: DoubleDouble::ONE,
                tracks: vec![shape, Track::of(vec![height])],
                summed: false,
                clamp: Clamp::NONE,
            }));
        }
        self.lower_on(&program::Clock::steps())
    }

    fn grows(&self) -> bool {
        self.multiplier != 1.0
    }

    fn scaled(&self, factor: f64) -> Option<Self> {
        // The amplitude of a decayed cycle is computed, and its rounding depends on the scale.
        let plain = self.min == 0.0 || self.decay == 1.0;
        plain.then(|| Self { max: self.max * factor, min: self.min * factor, ..self.clone() })
    }

    fn examples() -> Vec<Self> {
        let make = |max, min, period, multiplier, decay| Self { max, min, period, multiplier, decay };
        vec![
            make(0.1, 1e-4, 200, 1.0, 1.0),
            make(0.05, 0.0, 10, 3.0, 1.0),
            make(0.05, 1e-5, 100, 2.0, 0.7),
            make(0.1, 1e-4, 50, 1.0, 0.9),
            make(0.1, 0.0, 7, 1.5, 0.8),
            make(0.1, 0.01, 1, 1.0, 1.0),
        ]
    }
}
