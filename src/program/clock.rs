//! Programs on clocks of another speed, whose boundaries lie between steps.

use super::{FOREVER, Program, Repetition, Segment, Stage, Track};
use crate::curve::Curve;
use crate::double_double::DoubleDouble;
use crate::error::LowerError;

/// A clock that shows `(multiplier · step + ahead) / divisor`, and 0 where that is negative.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clock {
    /// Above 0.
    pub multiplier: DoubleDouble,
    /// What it is ahead of step 0, before the division.
    pub ahead: DoubleDouble,
    /// Above 0.
    pub divisor: DoubleDouble,
}

/// Why a program has no form on another clock.
pub const BETWEEN_STEPS: LowerError = LowerError::NotRepresentable {
    what: "stairs, cycles or turns between steps on a clock whose boundaries lie between steps",
    remedy: "write them out piece by piece, or give the clock whole numbers",
};

/// The whole number this is, if it is one.
fn whole(number: DoubleDouble) -> Option<u64> {
    let integer = number.high();
    (number.low() == 0.0 && integer.fract() == 0.0 && (0.0..=9e15).contains(&integer)).then_some(integer as u64)
}

impl Clock {
    /// The first step at which it shows at least `tick`.
    #[must_use]
    pub fn step_reaching(&self, tick: DoubleDouble) -> u64 {
        let wanted = tick * self.divisor - self.ahead;
        if wanted <= DoubleDouble::ZERO {
            return 0;
        }
        let steps = wanted / self.multiplier;
        if steps.high() >= 1.8e19 {
            return FOREVER;
        }
        // The quotient is rounded: the step before may do already, or only the one after.
        let near = (steps.high().ceil() as u64).saturating_add_signed(steps.low().ceil() as i64);
        let reaches = |step: u64| self.multiplier * DoubleDouble::from(step) >= wanted;
        (near.saturating_sub(2)..=near.saturating_add(2)).find(|&step| reaches(step)).unwrap_or(near)
    }

    /// The same clock from `step` on, `later` ticks behind.
    fn from(&self, step: u64, later: DoubleDouble) -> Self {
        Self { ahead: self.ahead + self.multiplier * DoubleDouble::from(step) - later * self.divisor, ..*self }
    }
}

impl Segment {
    /// This segment with the phase count (and what it has between steps) at its start.
    #[must_use]
    pub fn counting_from(self, count: DoubleDouble) -> Self {
        let mut whole = count.high().floor();
        if (count - whole).high() < 0.0 {
            whole -= 1.0;
        }
        // Below 1, but it may round to it: the conversion then saturates.
        let fraction = (count - whole).scaled_by_power_of_two(64);
        let lead = (fraction.high() as u64).saturating_add_signed(fraction.low() as i64);
        Self { origin: whole.max(0.0) as u64, lead, ..self }
    }

    /// The phase count once the segment has come to rest.
    fn last_count(&self) -> u64 {
        if self.reversed { self.origin.saturating_sub(self.length) } else { self.origin.saturating_add(self.length) }
    }

    /// This segment on another clock, over the steps from `begin` up to `end`.
    fn on_clock(&self, clock: &Clock, begin: u64, end: u64, out: &mut Vec<Self>) -> Result<(), LowerError> {
        if self.curve == Curve::Hold {
            out.push(Self::hold(begin, self.base + self.amplitude));
            return Ok(());
        }
        if self.quantum.is_some() {
            return Err(BETWEEN_STEPS);
        }
        let start = DoubleDouble::from(self.start);
        let rests = match self.length {
            FOREVER => FOREVER,
            length => clock.step_reaching(start + DoubleDouble::from(length)),
        };
        let until = rests.min(end);
        if begin < until {
            let lead = DoubleDouble::from(self.lead).scaled_by_power_of_two(-64);
            let (origin, now) = (DoubleDouble::from(self.origin) + lead, clock.from(begin, start).ahead);
            let counts = if self.reversed { origin * clock.divisor - now } else { origin * clock.divisor + now };
            let moving = Self {
                start: begin,
                length: if until == FOREVER { FOREVER } else { until - begin },
                rate: self.rate * clock.multiplier / clock.divisor,
                ..*self
            };
            out.push(moving.counting_from(counts / clock.multiplier));
        }
        if rests < end {
            let last: DoubleDouble = self.value_at(DoubleDouble::from(self.last_count()));
            out.push(Self::hold(rests.max(begin), last));
        }
        Ok(())
    }
}

impl Track {
    /// This track on another clock.
    fn on_clock(&self, clock: &Clock) -> Result<Self, LowerError> {
        let times = |steps: u64| whole(clock.divisor * DoubleDouble::from(steps)).ok_or(BETWEEN_STEPS);
        let (repetition, period, clock) = match self.repetition {
            Repetition::None => (Repetition::None, FOREVER, clock.from(0, -DoubleDouble::from(self.advance))),
            // The cycles of the old clock must be cycles of steps.
            Repetition::Restart { period } | Repetition::Reflect { period } => {
                if clock.multiplier != DoubleDouble::ONE {
                    return Err(BETWEEN_STEPS);
                }
                let period = times(period)?;
                let repetition = match self.repetition {
                    Repetition::Reflect { .. } => Repetition::Reflect { period },
                    _ => Repetition::Restart { period },
                };
                (repetition, period, Clock { ahead: DoubleDouble::ZERO, ..*clock })
            }
        };
        let advance = if repetition == Repetition::None { 0 } else { times(self.advance)? };
        let mut segments = Vec::with_capacity(self.segments.len() + 1);
        for (index, segment) in self.segments.iter().enumerate() {
            let begin = if index == 0 { 0 } else { clock.step_reaching(DoubleDouble::from(segment.start)) };
            let next = self.segments.get(index + 1);
            let end = next.map_or(FOREVER, |next| clock.step_reaching(DoubleDouble::from(next.start)));
            if begin < end && begin <= period {
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
    /// When stairs or cycles would begin between steps.
    pub fn on_clock(&self, clock: &Clock) -> Result<Self, LowerError> {
        let whole_clock = (clock.multiplier == DoubleDouble::ONE).then(|| whole(clock.divisor).zip(whole(clock.ahead)));
        if let Some(Some((divisor, ahead))) = whole_clock
            && (divisor == 1 || self.segments().all(|segment| segment.lead == 0))
        {
            return Ok(self.clone().stretched(divisor).skip(ahead));
        }
        let mut stages: Vec<Stage> = Vec::new();
        let held = clock.step_reaching(DoubleDouble::ZERO);
        if clock.ahead < DoubleDouble::ZERO && held > 0 {
            stages.extend(Self::hold(self.exact(0)).stages);
        }
        for (index, stage) in self.stages.iter().enumerate() {
            let begin = if index == 0 { held } else { clock.step_reaching(DoubleDouble::from(stage.start)) };
            let next = self.stages.get(index + 1);
            if next.is_some_and(|next| clock.step_reaching(DoubleDouble::from(next.start)) <= begin) {
                continue;
            }
            let own = clock.from(begin, DoubleDouble::from(stage.start));
            let tracks = stage.tracks.iter().map(|track| {
                // A cycle's clock must begin on a step.
                let on_a_step = own.ahead == DoubleDouble::ZERO || track.repetition == Repetition::None;
                if on_a_step { track.on_clock(&own) } else { Err(BETWEEN_STEPS) }
            });
            stages.push(Stage { start: begin, tracks: tracks.collect::<Result<_, _>>()?, ..stage.clone() });
        }
        Ok(Self { quantum: self.quantum, stages })
    }
}
