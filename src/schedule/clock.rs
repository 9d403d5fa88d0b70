//! A schedule on a clock of its own, and one that starts again on ever slower clocks.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Family, Schedule, Time, check, defaults, formula};
use crate::double_double::DoubleDouble;
use crate::error::{LowerError, SpecError};
use crate::program::{BETWEEN_STEPS, MAX_SEGMENTS, MAX_STEP, Program, Repetition, Stage, Track};

/// The fastest and the slowest clock, and the furthest ahead.
const MOST: f64 = MAX_STEP as f64;

/// A schedule on a clock of another speed.
///
/// **Formula.** `of` at `max((multiplier·s + ahead)/divisor, 0)`, which may lie between its steps.
///
/// **Parameters.** `multiplier`, `divisor`: greater than 0, at most 2^53 (default 1). `ahead`: within
/// ±2^53 (default 0); below 0 it starts later. `of`: a schedule.
///
/// **Behaviour.** With `ahead` 1 it begins with what would be its second value; with `divisor` 2.5 it takes
/// two and a half times as long; with `multiplier` 32 a step counts as 32. Stairs and cycles within it need
/// whole numbers.
///
/// **Source.** Twins: megatron's `increment`, the cycles of timm's and keras' restarts, which may last a
/// fraction of a step longer; torch's `last_epoch`.
///
/// ```
/// use lrgrid::schedule::{Clock, Linear, Schedule};
///
/// let of = Box::new(Linear { start: 1.0, end: 0.0, steps: 4 }.into());
/// let schedule = Schedule::from(Clock { multiplier: 1.0, ahead: 1.0, divisor: 2.0, of });
/// assert_eq!([0, 1, 3, 7, 8].map(|s| schedule.value(s)), [0.875, 0.75, 0.5, 0.0, 0.0]);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Clock {
    /// Ticks per step, before the division.
    #[serde(default = "defaults::one")]
    pub multiplier: f64,
    /// What the clock shows at step 0, before the division.
    #[serde(default)]
    pub ahead: f64,
    /// Steps per tick.
    #[serde(default = "defaults::one")]
    pub divisor: f64,
    /// The schedule.
    pub of: Box<Schedule>,
}

impl Clock {
    fn clock(&self) -> crate::program::Clock {
        crate::program::Clock {
            multiplier: self.multiplier.into(),
            ahead: self.ahead.into(),
            divisor: self.divisor.into(),
        }
    }

    /// The first step at which it shows more than `tick`.
    fn step_past(&self, tick: u64) -> u64 {
        let (clock, tick) = (self.clock(), DoubleDouble::from(tick));
        let reached = clock.step_reaching(tick);
        let shown = (clock.multiplier * DoubleDouble::from(reached) + clock.ahead) / clock.divisor;
        reached.saturating_add(u64::from(shown <= tick))
    }
}

impl Family for Clock {
    fn validate(&self) -> Result<(), SpecError> {
        let range = "above 0 and at most 2^53";
        check::number("multiplier", self.multiplier, self.multiplier > 0.0 && self.multiplier <= MOST, range)?;
        check::number("divisor", self.divisor, self.divisor > 0.0 && self.divisor <= MOST, range)?;
        check::number("ahead", self.ahead, self.ahead.abs() <= MOST, "within ±2^53")?;
        self.of.validate().map_err(|error| error.within("of"))
    }

    fn value(&self, time: Time) -> DoubleDouble {
        self.of.exact(time.on_clock(self.multiplier, self.ahead, self.divisor))
    }

    fn length(&self) -> Option<u64> {
        self.of.length().map(|length| self.clock().step_reaching(DoubleDouble::from(length)).min(MAX_STEP))
    }

    fn last_step(&self) -> Option<u64> {
        self.of.last_step().map(|last| self.step_past(last).saturating_sub(1))
    }

    fn parts(&self) -> Vec<&Schedule> {
        vec![&self.of]
    }

    fn turns_between_steps(&self) -> bool {
        let whole = self.multiplier == 1.0 && self.ahead.fract() == 0.0 && self.divisor.fract() == 0.0;
        !whole || self.of.turns_between_steps()
    }

    fn lower(&self) -> Result<Program, LowerError> {
        let shifted = self.multiplier == 1.0 && self.divisor == 1.0 && self.ahead.fract() == 0.0;
        if self.of.turns_between_steps() && !shifted {
            return Err(BETWEEN_STEPS);
        }
        self.of.lower()?.on_clock(&self.clock())
    }

    fn scaled(&self, factor: f64) -> Option<Self> {
        // Where a move comes to rest between steps is computed, and rounded otherwise at another scale.
        let whole =
            self.multiplier == 1.0 && [self.ahead, self.divisor].map(f64::fract) == [0.0; 2] && self.ahead >= 0.0;
        whole.then(|| Some(Self { of: Box::new(self.of.scaled(factor)?), ..*self }))?
    }

    fn examples() -> Vec<Self> {
        use super::{Cosine, Exponential, InverseSqrt, KDecay, KDecayForm, Linear, Sequence, Step};
        let make = |multiplier, ahead, divisor, of: Schedule| Self { multiplier, ahead, divisor, of: Box::new(of) };
        let cosine = || Cosine { start: 0.1, end: 1e-4, steps: 40 }.into();
        let pieces = vec![
            Linear { start: 0.0, end: 1.0, steps: 10 }.into(),
            cosine(),
            Linear { start: 1e-4, end: 0.0, steps: 7 }.into(),
        ];
        let k_decay = KDecay { start: 0.1, end: 0.0, steps: 8, k: 1.7, form: KDecayForm::Polynomial, power: 0.5 };
        vec![
            make(1.0, 0.5, 1.3, cosine()),
            make(32.0, 0.0, 1.0, Linear { start: 1.0, end: 0.1, steps: 1000 }.into()),
            make(3.0, -25.5, 7.0, Sequence { pieces, boundaries: None }.into()),
            make(1.0, 0.0, 2.25, k_decay.into()),
            make(1.0, 3.0, 1.0, Step { start: 0.1, decay_rate: 0.5, step_size: 10 }.into()),
            make(1.0, 0.25, 1e9, Exponential { start: 1e-3, decay_rate: 0.9, decay_steps: 1, staircase: false }.into()),
            make(1.5, 7.0, 1.0, InverseSqrt { start: 1e-3, timescale: 100, shift: 3 }.into()),
        ]
    }
}

/// A schedule that starts again, each time slower and lower.
///
/// **Formula.** In cycle i: `decay^i·of` at `(s − b_i)/multiplier^i`, from
/// `b_i = length·(1 + multiplier + … + multiplier^(i−1))` on.
///
/// **Parameters.** `of`: a schedule with a length of its own. `multiplier`: growth of the cycles, at least 1
/// (default 1). `decay`: factor on the whole cycle, greater than 0 (default 1).
///
/// **Behaviour.** `of`'s first value at 0 and, times `decay^i`, where a cycle begins on a step; boundaries
/// that lie between steps are not rounded. It never ends.
///
/// **Source.** Twins: keras `CosineDecayRestarts`, fairseq `cosine`. Unlike `cosine_restarts` it lowers
/// what a cycle falls to as well.
///
/// ```
/// use lrgrid::schedule::{Linear, Restarts, Schedule};
///
/// let of = Box::new(Linear { start: 1.0, end: 0.0, steps: 2 }.into());
/// let schedule = Schedule::from(Restarts { of, multiplier: 1.5, decay: 0.5 });
/// assert_eq!([0, 1, 2, 3, 5].map(|s| schedule.value(s)), [1.0, 0.5, 0.5, 1.0 / 3.0, 0.25]);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Restarts {
    /// The schedule of the first cycle.
    pub of: Box<Schedule>,
    /// Growth of the cycles.
    #[serde(default = "defaults::one")]
    pub multiplier: f64,
    /// Factor per cycle.
    #[serde(default = "defaults::one")]
    pub decay: f64,
}

impl Restarts {
    fn period(&self) -> u64 {
        self.of.length().unwrap_or(1).max(1)
    }

    /// The number of cycles that begin within the largest step.
    fn cycles_in_all(&self) -> u64 {
        let most = DoubleDouble::from(MAX_STEP) / DoubleDouble::from(self.period());
        ((most * (self.multiplier - 1.0)).log2_1p() / DoubleDouble::from(self.multiplier).log2()).high().ceil() as u64
            + 1
    }

    /// The cycle that `time` lies in: where it begins, and how long it is in lengths of the first.
    fn cycle(&self, time: Time) -> (u64, DoubleDouble, DoubleDouble) {
        let now = time.value();
        let (mut index, mut start, mut growth) = (0, DoubleDouble::ZERO, DoubleDouble::ONE);
        loop {
            let end = start + growth * DoubleDouble::from(self.period());
            if now < end || index >= MAX_SEGMENTS as u64 {
                return (index, start, growth);
            }
            (index, start, growth) = (index + 1, end, growth * self.multiplier);
        }
    }
}

impl Family for Restarts {
    fn validate(&self) -> Result<(), SpecError> {
        self.of.validate().map_err(|error| error.within("of"))?;
        match self.of.length() {
            Some(length) => check::length("of", length)?,
            None => {
                let message = format!("a `{}` has no length of its own to repeat", self.of.kind());
                return Err(SpecError::new("of", message));
            }
        }
        check::number(
            "multiplier",
            self.multiplier,
            self.multiplier >= 1.0,
            "at least 1: cycles that shrink never end",
        )?;
        check::positive("decay", self.decay)
    }

    fn value(&self, time: Time) -> DoubleDouble {
        if self.multiplier == 1.0 {
            let (index, within) = time.cycles(self.period());
            return self.of.exact(within) * formula::power(self.decay, index.into());
        }
        let (index, start, growth) = self.cycle(time);
        self.of.exact(time.since_moment(start).in_units_of(growth)) * formula::power(self.decay, index.into())
    }

    fn length(&self) -> Option<u64> {
        None
    }

    fn last_step(&self) -> Option<u64> {
        self.of.last_step().filter(|&last| last < self.period())
    }

    fn parts(&self) -> Vec<&Schedule> {
        vec![&self.of]
    }

    fn turns_between_steps(&self) -> bool {
        self.multiplier.fract() != 0.0 || self.of.turns_between_steps()
    }

    fn lower(&self) -> Result<Program, LowerError> {
        let octaves = DoubleDouble::from(self.decay).log2();
        let body = self.of.lower()?;
        if self.multiplier == 1.0 {
            let cycles = body.repeated(Repetition::Restart { period: self.period() })?;
            if self.decay == 1.0 {
                return Ok(cycles);
            }
            let height = super::exponential::geometric(1.0, octaves, Some(self.period()));
            return cycles.multiply(&Program::of_stage(Stage::of(Track::of(vec![height]))));
        }
        if self.of.turns_between_steps() {
            return Err(BETWEEN_STEPS);
        }
        let needed = self.cycles_in_all();
        if needed > MAX_SEGMENTS as u64 {
            return Err(LowerError::TooManySegments { needed, limit: MAX_SEGMENTS });
        }
        let mut pieces: Vec<(u64, Program)> = Vec::with_capacity(needed as usize);
        let (mut start, mut growth) = (DoubleDouble::ZERO, DoubleDouble::ONE);
        for index in 0..needed {
            let clock = crate::program::Clock { multiplier: DoubleDouble::ONE, ahead: -start, divisor: growth };
            let begin = clock.step_reaching(DoubleDouble::ZERO);
            if begin > MAX_STEP {
                break;
            }
            let own = crate::program::Clock { ahead: DoubleDouble::from(begin) - start, ..clock };
            let height = (octaves * DoubleDouble::from(index)).exp2();
            // A cycle between two steps is replaced by its successor.
            pieces.push((begin, body.on_clock(&own)?.affine(height, 0.0)));
            start = start + growth * DoubleDouble::from(self.period());
            growth = growth * self.multiplier;
        }
        Program::sequence(pieces)
    }

    fn scaled(&self, factor: f64) -> Option<Self> {
        // What a slower or lower cycle reaches is computed, and rounded otherwise at another scale.
        let plain = self.multiplier == 1.0 && self.decay == 1.0;
        plain.then(|| Some(Self { of: Box::new(self.of.scaled(factor)?), ..*self }))?
    }

    fn examples() -> Vec<Self> {
        use super::{Cosine, Linear, Tanh};
        let make = |of: Schedule, multiplier, decay| Self { of: Box::new(of), multiplier, decay };
        let cosine = || Cosine { start: 0.1, end: 1e-4, steps: 8 }.into();
        vec![
            make(cosine(), 1.5, 0.7),
            make(cosine(), 2.0, 1.0),
            make(cosine(), 1.0, 0.9),
            make(Linear { start: 0.0, end: 1.0, steps: 10 }.into(), 1.0, 1.0),
            make(Tanh { start: 0.1, end: 0.0, steps: 30, lower: -7.0, upper: 3.0 }.into(), 1.1, 0.95),
            make(Linear { start: 1.0, end: 0.0, steps: 1 }.into(), 1.25, 1.0),
        ]
    }
}
