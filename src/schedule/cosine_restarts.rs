//! Cosine decays that start again.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::exponential::geometric;
use super::{Family, Time, check, defaults, formula};
use crate::curve::Curve;
use crate::double_double::DoubleDouble;
use crate::error::{LowerError, SpecError};
use crate::program::{Clamp, MAX_SEGMENTS, MAX_STEP, Program, Repetition, Segment, Stage, Track};

/// Cosine decays that start again, each perhaps longer and lower than the last (SGDR).
///
/// **Formula.** In cycle i: `min + ½(max·decay^i − min)(1 + cos πt)`, with t from 0 to 1 over the cycle.
/// Cycle i begins at step `round(period·(1 + multiplier + … + multiplier^(i−1)))`.
///
/// **Parameters.** `max`, `min`: any finite numbers. `period`: steps of the first cycle, at least 1.
/// `multiplier`: growth of the cycles, at least 1 (default 1). `decay`: factor on `max` per cycle,
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
    /// Where cycle `index` begins; exact for whole multipliers up to the largest step.
    fn boundary(&self, index: u64) -> u64 {
        if self.multiplier == 1.0 {
            return self.period.saturating_mul(index);
        }
        // period·(m^i − 1)/(m − 1): the geometric series, rounded to a whole step.
        let multiplier = DoubleDouble::from(self.multiplier);
        let growth = (multiplier.log2() * DoubleDouble::from(index)).exp2_m1();
        let sum = growth / (multiplier - 1.0) * DoubleDouble::from(self.period);
        if sum.high() >= 1.8e19 {
            return u64::MAX;
        }
        let whole = sum.high().round();
        let fraction = (sum - whole).high();
        // `high` may be a whole number that `low` moves across a half.
        whole as u64 + u64::from(fraction >= 0.5) - u64::from(fraction < -0.5)
    }

    /// The cycle that `time` lies in, with its bounds.
    fn cycle(&self, time: Time) -> (u64, u64, u64) {
        if self.multiplier == 1.0 {
            let (index, _) = time.cycles(self.period);
            return (index, self.boundary(index), self.boundary(index + 1));
        }
        let (mut low, mut high) = (0, 1);
        while time.reached(self.boundary(high)) && self.boundary(high) < u64::MAX {
            (low, high) = (high, high * 2);
        }
        while high - low > 1 {
            let middle = low.midpoint(high);
            if time.reached(self.boundary(middle)) { low = middle } else { high = middle }
        }
        (low, self.boundary(low), self.boundary(low + 1))
    }

    /// The number of cycles that begin within the largest step.
    fn cycles_in_all(&self) -> u64 {
        let longest = DoubleDouble::from(MAX_STEP) / DoubleDouble::from(self.period);
        ((longest * (self.multiplier - 1.0)).log2_1p() / DoubleDouble::from(self.multiplier).log2()).high().ceil()
            as u64
            + 1
    }
}

impl Family for CosineRestarts {
    fn validate(&self) -> Result<(), SpecError> {
        check::finite("max", self.max)?;
        check::finite("min", self.min)?;
        check::length("period", self.period)?;
        check::number(
            "multiplier",
            self.multiplier,
            self.multiplier >= 1.0,
            "at least 1: cycles that shrink never end",
        )?;
        check::positive("decay", self.decay)
    }

    fn value(&self, time: Time) -> DoubleDouble {
        let (index, start, end) = self.cycle(time);
        let since = time.since(start);
        let top = formula::power(self.decay, index.into()) * self.max;
        let shape = |t| formula::half_cosine(t);
        formula::between(top, self.min, shape(since.progress(end - start)), shape(since.remaining(end - start)))
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
            // min + shape·(max·decay^i − min): a repeated cosine times a staircase.
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
        let needed = self.cycles_in_all();
        if needed > MAX_SEGMENTS as u64 {
            return Err(LowerError::TooManySegments { needed, limit: MAX_SEGMENTS });
        }
        let mut segments = Vec::with_capacity(needed as usize);
        for index in 0..needed {
            let (start, end) = (self.boundary(index), self.boundary(index + 1));
            if start > MAX_STEP {
                break;
            }
            if end > start {
                let top = (octaves * DoubleDouble::from(index)).exp2() * self.max;
                segments.push(Segment::transition(start, end - start, top, self.min, Curve::Cosine));
            }
        }
        Ok(Program::of(segments))
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
