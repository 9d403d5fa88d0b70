//! Programs on clocks of another speed, on which segment boundaries lie between steps.

use super::{FOREVER, MAX_STEP, MOST_COUNTS, Program, Repetition, Segment, Stage, Track};
use crate::curve::Curve;
use crate::double_double::{DoubleDouble, Expansion, Extended};
use crate::error::LowerError;

/// A clock that reads `(multiplier · step + ahead) / divisor`, or 0 if that is negative.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Clock {
    /// Ticks per step before the division; above 0.
    pub multiplier: Expansion,
    /// Ticks at step 0, before the division.
    pub ahead: Expansion,
    /// The divisor; above 0.
    pub divisor: Expansion,
}

/// The error for a program that has no lowered form on another clock.
pub(crate) const BETWEEN_STEPS: LowerError = LowerError::NotRepresentable {
    what: "stairs, cycles or turns between steps on a clock whose boundaries lie between steps",
    remedy: "write them out piece by piece, or give the clock whole numbers",
};

/// The error for a segment whose counts on another clock exceed the limit.
const TOO_LONG: LowerError = LowerError::TooLong { what: "a curve on a slow clock", limit: "2^62 steps" };

/// The error for a power that magnifies the 2^-64 resolution of phase counts too much.
const TOO_STEEP: LowerError = LowerError::NotRepresentable {
    what: "a power as steep as this on a clock whose boundaries lie between steps",
    remedy: "use a smaller power, or give the clock whole numbers",
};

/// Why a curve has no form on another clock: its phase per step is beyond `f64`.
const TOO_FAST: LowerError = LowerError::NotRepresentable {
    what: "a curve that its clock runs through in less than 2^-1000 of a step",
    remedy: "use a smaller multiplier, or a longer curve",
};

/// The largest exponent per phase count: then a change of the count by 2^-64 changes the value by less than a factor of
/// 1 + 2^-54.
const STEEPEST_PER_COUNT: f64 = 1024.0;

/// [`MOST_COUNTS`] as `f64`.
const BEYOND: f64 = MOST_COUNTS as f64;

/// The integer that a number equals, if there is one within the limit of counts.
fn whole(number: Expansion) -> Option<u64> {
    nearest_whole(number.rounded()).filter(|&integer| number == Expansion::from(integer))
}

/// The nearest integer, if it is within the limit of counts.
fn nearest_whole(number: DoubleDouble) -> Option<u64> {
    let near = number.high().round();
    let integer = (0.0..BEYOND).contains(&near).then_some(near as u64)?;
    integer.checked_add_signed(((number.high() - near) + number.low()).round() as i64)
}

/// The integer whose reciprocal a rate is, to its last bit, if there is one.
pub(super) fn one_over(rate: DoubleDouble) -> Option<u64> {
    nearest_whole(DoubleDouble::ONE / rate).filter(|&whole| whole > 0 && DoubleDouble::one_over(whole) == rate)
}

impl Clock {
    /// The clock that ticks once per step.
    #[must_use]
    pub fn steps() -> Self {
        Self { multiplier: 1.0.into(), ahead: Expansion::ZERO, divisor: 1.0.into() }
    }

    /// The first step at which the clock reads at least `tick`; [`FOREVER`] if that is beyond every step.
    #[must_use]
    pub fn step_reaching(&self, tick: &Expansion) -> u64 {
        let wanted = tick.times(&self.divisor).minus(&self.ahead);
        if wanted.sign().is_le() {
            return 0;
        }
        let steps = wanted.over(&self.multiplier);
        if steps.high() >= BEYOND {
            return FOREVER;
        }
        // The quotient is rounded, so the right step may be a neighbour.
        let near = (steps.high().ceil() as u64).saturating_add_signed(steps.low().ceil() as i64);
        let reaches = |step: u64| self.multiplier.times(&step.into()) >= wanted;
        (near.saturating_sub(2)..=near + 2).find(|&step| reaches(step)).unwrap_or(near)
    }

    /// The clock's reading at a step, times the divisor.
    #[must_use]
    pub fn shown(&self, step: u64) -> Expansion {
        self.multiplier.times(&step.into()).plus(&self.ahead)
    }

    /// Whether the clock exceeds `tick` by the largest step.
    #[must_use]
    pub fn passes(&self, tick: u64) -> bool {
        self.shown(MAX_STEP) > self.divisor.times(&tick.into())
    }

    /// The same clock, shifted to read 0 when this one reads `tick`.
    #[must_use]
    pub fn behind(&self, tick: &Expansion) -> Self {
        Self { ahead: self.ahead.minus(&tick.times(&self.divisor)), ..*self }
    }

    /// The same clock, with its steps counted from `step`.
    #[must_use]
    pub fn starting_at_step(&self, step: u64) -> Self {
        Self { ahead: self.shown(step), ..*self }
    }
}

/// A varying segment that is transferred to a clock: its phase is 1 at `full` ticks, if its curve has an end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moved {
    /// Shape, base and amplitude; its rate is the phase per tick.
    pub segment: Segment,
    /// Ticks from phase 0 to phase 1; `None` if the phase counts octaves.
    pub full: Option<Expansion>,
}

impl Moved {
    /// A segment that begins on a tick and changes at each tick.
    fn new(segment: Segment) -> Self {
        Self { segment, full: one_over(segment.rate).map(Expansion::from) }
    }

    /// Appends the segments that represent this one over the steps `begin..until`.
    ///
    /// `count` is the phase count at `begin` in ticks, times the clock's divisor.
    ///
    /// # Errors
    /// When the counts exceed the limit.
    pub fn push(
        &self,
        clock: &Clock,
        count: &Expansion,
        begin: u64,
        until: u64,
        out: &mut Vec<Segment>,
    ) -> Result<(), LowerError> {
        let mut segment = Segment {
            start: begin,
            length: if until == FOREVER { FOREVER } else { until - begin },
            quantum: None,
            rate: self.segment.rate * clock.multiplier.over(&clock.divisor),
            ..self.segment
        };
        if !segment.rate.is_finite() {
            return Err(TOO_FAST);
        }
        let mut counts = count.over(&clock.multiplier);
        if counts.high() >= BEYOND {
            // Counted from the curve's other end, the phase count is small.
            let full = self.full.ok_or(TOO_LONG)?.times(&clock.divisor);
            segment = segment.seen_from_phase_one().ok_or(TOO_LONG)?;
            counts = full.minus(count).over(&clock.multiplier);
            return segment.counting_from(counts).map(|segment| out.push(segment));
        }
        let segment = segment.counting_from(counts)?;
        if segment.exact_origin().times(&clock.multiplier) == *count {
            out.push(segment);
            return Ok(());
        }
        self.is_told_by_its_fraction(clock, counts)?;
        // Less than a step from an end, a curve may need a finer phase count than 2^-64: such a value is held instead.
        let last = until - 1;
        let first = self.value_near_an_end(clock, count);
        out.extend(first.map(|value| Segment::hold(begin, value)));
        if first.is_none() {
            out.push(segment);
        } else if begin < last {
            out.extend(segment.skipped(1, begin + 1)?);
        }
        if until != FOREVER && begin < last {
            let moved = clock.multiplier.times(&(last - begin).into());
            let count = if segment.reversed { count.minus(&moved) } else { count.plus(&moved) };
            if let Some(value) = self.value_near_an_end(clock, &count) {
                if out.last().is_some_and(|before| before.start == last) {
                    out.pop();
                }
                out.push(Segment::hold(last, value));
            }
        }
        Ok(())
    }

    /// Checks that phase counts to 2^-64 are fine enough for the curve's power.
    fn is_told_by_its_fraction(&self, clock: &Clock, counts: DoubleDouble) -> Result<(), LowerError> {
        let Curve::Power { exponent, .. } = self.segment.curve else { return Ok(()) };
        // A negative power is steepest at the first count; a positive one at the last, since it is near 0 at the first.
        let full = || self.full.map(|full| full.times(&clock.divisor).over(&clock.multiplier).high());
        let counts = if exponent < 0.0 { counts.high() } else { full().unwrap_or(f64::INFINITY) };
        if exponent.abs() > STEEPEST_PER_COUNT * counts { Err(TOO_STEEP) } else { Ok(()) }
    }

    /// The value at a phase count, if that is less than a step from an end of the curve.
    fn value_near_an_end(&self, clock: &Clock, count: &Expansion) -> Option<DoubleDouble> {
        let curve = &self.segment.curve;
        let left =
            self.full.map(|full| full.times(&clock.divisor).minus(count)).filter(|left| *left < clock.multiplier);
        if left.is_none() && *count >= clock.multiplier {
            return None;
        }
        let phase = |ticks: &Expansion| ticks.over(&clock.divisor) * self.segment.rate;
        let shape: Extended = match left {
            Some(left) if curve.is_steep_at_one() => curve.shape_before_one(phase(&left)),
            _ => curve.shape(phase(count)),
        };
        let (base, amplitude) = (Extended::from(self.segment.base), Extended::from(self.segment.amplitude));
        Some((base + amplitude * shape).rounded())
    }
}

impl Segment {
    /// The same values with the phase counted from phase 1, for curves that are symmetric.
    fn seen_from_phase_one(self) -> Option<Self> {
        matches!(self.curve, Curve::Linear | Curve::Cosine).then(|| Self {
            base: self.base + self.amplitude,
            amplitude: -self.amplitude,
            reversed: !self.reversed,
            ..self
        })
    }

    /// This segment with the given phase count at its start, fraction included.
    ///
    /// # Errors
    /// When the count is beyond 64 bits.
    pub fn counting_from(self, count: DoubleDouble) -> Result<Self, LowerError> {
        let high = count.high().floor();
        if !(0.0..BEYOND).contains(&high) {
            return Err(TOO_LONG);
        }
        // Beyond 2^53 `high` has no fraction, and the remainder may be several counts.
        let left = count - high;
        let more = left.high().floor() - if left.high().fract() == 0.0 && left.low() < 0.0 { 1.0 } else { 0.0 };
        let fraction = (left - more).scaled_by_power_of_two(64);
        let near = fraction.high().round();
        let lead = (near as u128).saturating_add_signed(((fraction.high() - near) + fraction.low()).round() as i128);
        // A fraction just below 1 may round to 1.
        let whole = (high as u64).checked_add_signed(more as i64).ok_or(TOO_LONG)?;
        let origin = whole + (lead >> 64) as u64;
        Ok(Self { origin, lead: lead as u64, ..self })
    }

    /// The phase count at the start, fraction included.
    fn exact_origin(&self) -> Expansion {
        let lead = DoubleDouble::from(self.lead).scaled_by_power_of_two(-64);
        Expansion::from(self.origin).plus(&lead.into())
    }

    /// The phase count at the segment's end, from which on its value is held.
    fn last_count(&self) -> u64 {
        if self.reversed { self.origin.saturating_sub(self.length) } else { self.origin + self.length }
    }

    /// This segment on another clock, over the steps `begin..end`.
    fn on_clock(&self, clock: &Clock, begin: u64, end: u64, out: &mut Vec<Self>) -> Result<(), LowerError> {
        if self.curve == Curve::Hold {
            out.push(Self::hold(begin, self.base + self.amplitude));
            return Ok(());
        }
        if self.quantum.is_some() {
            return Err(BETWEEN_STEPS);
        }
        let start = Expansion::from(self.start);
        let rests = match self.length {
            FOREVER => FOREVER,
            length => clock.step_reaching(&start.plus(&length.into())),
        };
        let until = rests.min(end);
        if begin < until {
            let origin = clock.divisor.times(&self.exact_origin());
            let since = clock.behind(&start).shown(begin);
            let count = if self.reversed { origin.minus(&since) } else { origin.plus(&since) };
            Moved::new(*self).push(clock, &count, begin, until, out)?;
        }
        if rests < end {
            let last: Extended = self.value_at(DoubleDouble::from(self.last_count()));
            out.push(Self::hold(rests.max(begin), last.rounded()));
        }
        Ok(())
    }
}

impl Track {
    /// This track on another clock.
    fn on_clock(&self, clock: &Clock) -> Result<Self, LowerError> {
        let times = |steps: u64| {
            let steps = clock.divisor.times(&steps.into());
            whole(steps).ok_or(if steps.rounded().high() < BEYOND { BETWEEN_STEPS } else { TOO_LONG })
        };
        let (repetition, period, clock) = match self.repetition {
            Repetition::None => {
                let ahead = clock.ahead.plus(&clock.divisor.times(&self.advance.into()));
                (Repetition::None, FOREVER, Clock { ahead, ..*clock })
            }
            // A cycle must be a whole number of steps on the new clock too.
            Repetition::Restart { period } | Repetition::Reflect { period } => {
                if clock.multiplier != Expansion::from(1.0) {
                    return Err(BETWEEN_STEPS);
                }
                let period = times(period)?;
                let repetition = match self.repetition {
                    Repetition::Reflect { .. } => Repetition::Reflect { period },
                    _ => Repetition::Restart { period },
                };
                (repetition, period, Clock { ahead: Expansion::ZERO, ..*clock })
            }
        };
        let advance = if repetition == Repetition::None { 0 } else { times(self.advance)? };
        let mut segments = Vec::with_capacity(self.segments.len() + 1);
        for (index, segment) in self.segments.iter().enumerate() {
            let begin = if index == 0 { 0 } else { clock.step_reaching(&segment.start.into()) };
            let next = self.segments.get(index + 1);
            let end = next.map_or(FOREVER, |next| clock.step_reaching(&next.start.into()));
            if begin < end && begin <= period.min(MAX_STEP) {
                segment.on_clock(&clock, begin, end, &mut segments)?;
            }
        }
        Ok(Self { segments, advance, repetition, clamp: self.clamp })
    }
}

impl Program {
    /// This program on a clock of another speed.
    ///
    /// # Errors
    /// When stairs or cycles would begin between steps, or a length exceeds what the lowered form counts exactly.
    pub(crate) fn on_clock(&self, clock: &Clock) -> Result<Self, LowerError> {
        let stretch = (clock.multiplier == Expansion::from(1.0)).then(|| whole(clock.divisor).zip(whole(clock.ahead)));
        if let Some(Some((divisor, ahead))) = stretch
            && let Ok(stretched) = self.clone().stretched(divisor)
        {
            return stretched.skip(ahead);
        }
        let mut stages: Vec<Stage> = Vec::new();
        let held = clock.step_reaching(&Expansion::ZERO);
        if clock.ahead.sign().is_lt() && held > 0 {
            stages.extend(Self::hold(self.exact(0)).stages);
        }
        for (index, stage) in self.stages.iter().enumerate() {
            let begin = if index == 0 { held } else { clock.step_reaching(&stage.start.into()) };
            let next = self.stages.get(index + 1);
            if next.is_some_and(|next| clock.step_reaching(&next.start.into()) <= begin) || begin > MAX_STEP {
                continue;
            }
            let own = clock.behind(&stage.start.into()).starting_at_step(begin);
            let tracks = stage.tracks.iter().map(|track| {
                // A cycle's clock must begin on a step.
                let on_a_step = own.ahead.sign().is_eq() || track.repetition == Repetition::None;
                if on_a_step { track.on_clock(&own) } else { Err(BETWEEN_STEPS) }
            });
            stages.push(Stage { start: begin, tracks: tracks.collect::<Result<_, _>>()?, ..stage.clone() });
        }
        Ok(Self { quantum: self.quantum, stages })
    }
}
