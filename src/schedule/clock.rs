//! A schedule on a clock of another speed, and one that restarts on ever slower clocks.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Family, Schedule, Time, check, defaults, formula, lower_within};
use crate::double_double::{DoubleDouble, Expansion, Extended};
use crate::error::{LowerError, SpecError};
use crate::program::{BETWEEN_STEPS, FOREVER, MAX_SEGMENTS, MAX_STEP, Program, Repetition, Stage, Track};

/// The largest multiplier and divisor, and the largest |ahead|.
const MOST: f64 = MAX_STEP as f64;

/// The least multiplier and divisor, and the least |ahead| other than 0.
const LEAST: f64 = 1e-30;

/// The bound on a clock's reading at the largest step: 2^100.
const FURTHEST: f64 = (1_u128 << 100) as f64;

/// A schedule on a clock of another speed.
///
/// **Formula.** `of` at `max((multiplier·s + ahead)/divisor, 0)`, which may lie between its steps.
///
/// **Parameters.** `multiplier`, `divisor`: from 1e-30 to 2^53 (default 1). `ahead`: within ±2^53 and 0 or at
/// least 1e-30 in size (default 0); below 0 it starts later. `of`: a schedule.
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
    /// The clock's reading at step 0, before the division.
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

    /// The last step at which the clock reads at most `tick`; beyond every step if it never exceeds `tick`.
    fn step_before_passing(&self, tick: u64) -> u64 {
        let (clock, tick) = (self.clock(), tick.into());
        match clock.step_reaching(&tick) {
            FOREVER => FOREVER,
            // The step at which the clock reads exactly the last tick still has a value.
            reached if clock.shown(reached) <= tick.times(&clock.divisor) => reached,
            reached => reached.saturating_sub(1),
        }
    }
}

impl Family for Clock {
    fn validate(&self) -> Result<(), SpecError> {
        let range = |size: f64| (LEAST..=MOST).contains(&size);
        check::number("multiplier", self.multiplier, range(self.multiplier), "from 1e-30 to 2^53")?;
        check::number("divisor", self.divisor, range(self.divisor), "from 1e-30 to 2^53")?;
        let near = self.ahead == 0.0 || range(self.ahead.abs());
        check::number("ahead", self.ahead, near, "0, or from 1e-30 to 2^53 in size")?;
        self.of.validate().map_err(|error| error.within("of"))
    }

    fn value(&self, time: Time) -> Extended {
        self.of.extended(time.on_clock(self.multiplier, self.ahead, self.divisor))
    }

    fn length(&self) -> Option<u64> {
        self.of.length().map(|length| self.clock().step_reaching(&length.into()))
    }

    fn last_step(&self) -> Option<u64> {
        self.of.last_step().map(|last| self.step_before_passing(last))
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
        let clock = self.clock();
        if clock.shown(MAX_STEP).over(&clock.divisor).high() >= FURTHEST {
            return Err(LowerError::TooLong { what: "what the clock shows at step 2^53", limit: "2^100" });
        }
        let lowered = match self.of.as_ref() {
            // Growing cycles are written out as far as the clock reaches.
            Schedule::CosineRestarts(of) => of.lower_on(&clock),
            Schedule::Restarts(of) => of.lower_on(&clock),
            of if of.grows() && clock.passes(MAX_STEP) => Err(LowerError::NotRepresentable {
                what: "a clock that runs past 2^53 around cycles that grow, within another schedule",
                remedy: "put the clock around the cycles alone",
            }),
            of => of.lower()?.on_clock(&clock),
        };
        lowered.map_err(|error| error.within("of"))
    }

    fn scaled(&self, factor: f64) -> Option<Self> {
        // The value at an end between two steps is computed, and its rounding depends on the scale.
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

/// A schedule that restarts, each time slower and lower.
///
/// **Formula.** In cycle i: `decay^i·of` at `(s − b_i)/multiplier^i`, from
/// `b_i = length·(1 + multiplier + … + multiplier^(i−1))` on.
///
/// **Parameters.** `of`: a schedule with a length of its own. `multiplier`: growth of the cycles, at least 1
/// (default 1). `decay`: factor on the whole cycle, greater than 0 (default 1).
///
/// **Behaviour.** `of`'s first value at 0 and, times `decay^i`, where a cycle begins on a step; boundaries
/// that lie between steps are not rounded. The schedule never ends.
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

    /// The lowered form on a clock: growing cycles are written out as far as the clock reaches.
    pub(super) fn lower_on(&self, clock: &crate::program::Clock) -> Result<Program, LowerError> {
        if self.multiplier == 1.0 {
            return self.lower()?.on_clock(clock);
        }
        if self.of.turns_between_steps() {
            return Err(BETWEEN_STEPS);
        }
        let body = lower_within(&self.of, "of")?;
        let needed = growing_cycles(self.period(), self.multiplier, clock)?;
        let octaves = DoubleDouble::from(self.decay).log2();
        let mut pieces: Vec<(u64, Program)> = Vec::with_capacity(needed + 1);
        if clock.ahead.sign().is_lt() {
            pieces.push((0, Program::hold(body.exact(0))));
        }
        let (mut start, mut growth) = (Expansion::ZERO, Expansion::from(1.0));
        for index in 0..needed as u64 {
            let begin = clock.step_reaching(&start);
            if begin > MAX_STEP {
                break;
            }
            let own = clock.behind(&start).starting_at_step(begin);
            let own = crate::program::Clock { divisor: own.divisor.times(&growth), ..own };
            let height = crate::program::growth(octaves * DoubleDouble::from(index));
            // A cycle that lies between two steps is replaced by its successor.
            pieces.push((begin, body.on_clock(&own)?.affine(height, 0.0)));
            (start, growth) = self.next_cycle(&start, &growth);
        }
        Program::sequence(pieces)
    }

    /// The cycle of `time`: its start, and its length relative to the first cycle's.
    fn cycle(&self, time: Time) -> (u64, Expansion, Expansion) {
        let (mut index, mut start, mut growth) = (0, Expansion::ZERO, Expansion::from(1.0));
        loop {
            let (end, next) = self.next_cycle(&start, &growth);
            // Lowering rejects more cycles.
            if !time.reached_moment(&end) || index >= MAX_SEGMENTS as u64 {
                return (index, start, growth);
            }
            (index, start, growth) = (index + 1, end, next);
        }
    }

    /// The start of the next cycle, and its length relative to the first cycle's.
    fn next_cycle(&self, start: &Expansion, growth: &Expansion) -> (Expansion, Expansion) {
        let end = start.plus(&growth.times(&self.period().into()));
        (end.shortened(), growth.times(&self.multiplier.into()).shortened())
    }
}

/// The number of cycles, each `multiplier` times as long as the last, that begin within the largest step on a clock.
pub(super) fn growing_cycles(period: u64, multiplier: f64, clock: &crate::program::Clock) -> Result<usize, LowerError> {
    let most = clock.shown(MAX_STEP).over(&clock.divisor) / DoubleDouble::from(period);
    let cycles = (most * (multiplier - 1.0)).log2_1p() / DoubleDouble::from(multiplier).log2();
    let needed = cycles.high().ceil() + 1.0;
    if needed > MAX_SEGMENTS as f64 {
        return Err(LowerError::TooManySegments { needed: needed as u64, limit: MAX_SEGMENTS });
    }
    Ok(needed as usize)
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
        check::growth("multiplier", self.multiplier)?;
        check::positive("decay", self.decay)
    }

    fn value(&self, time: Time) -> Extended {
        if self.multiplier == 1.0 {
            let (index, within) = time.cycles(self.period());
            return self.of.extended(within) * formula::power(self.decay, DoubleDouble::from_u128(index));
        }
        let (index, start, growth) = self.cycle(time);
        self.of.extended(time.since_moment(&start).in_units_of(&growth)) * formula::power(self.decay, index.into())
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

    fn grows(&self) -> bool {
        self.multiplier != 1.0 || self.of.grows()
    }

    fn lower(&self) -> Result<Program, LowerError> {
        let octaves = DoubleDouble::from(self.decay).log2();
        if self.multiplier == 1.0 {
            let cycles = lower_within(&self.of, "of")?.repeated(Repetition::Restart { period: self.period() })?;
            if self.decay == 1.0 {
                return Ok(cycles);
            }
            let height = super::exponential::geometric(1.0, octaves, Some(self.period()));
            return cycles.multiply(&Program::of_stage(Stage::of(Track::of(vec![height]))));
        }
        self.lower_on(&crate::program::Clock::steps())
    }

    fn scaled(&self, factor: f64) -> Option<Self> {
        // The values of a slower or lower cycle are computed, and their rounding depends on the scale.
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
