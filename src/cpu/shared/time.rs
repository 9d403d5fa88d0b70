//! Time in lanes: whole numbers as `f64`, below 2^53, and below 2^51 where they are divided.
//!
//! A schedule that needs more is left to the exact way.

use crate::cpu::lanes::{Phases, exact_sum, multiply_add, nearest_integer, product_rest};
use crate::cpu::simd::Simd;
use crate::double_double::DoubleDouble;
use crate::packed::{FLAG_LEAD, FLAG_REVERSED, PackedSegment, PackedStage, PackedTrack, integer};
use crate::program::Repetition;

use super::parameters::rate;
use super::steps::{CHUNK, StepColumns};

/// Time below this is a whole `f64`, and so is a sum of two.
const WHOLE: f64 = (1_u64 << 52) as f64;

/// Quotients below this can be rounded to whole numbers.
pub const DIVISIBLE: f64 = (1_u64 << 51) as f64;

/// Quotient and remainder of whole numbers, the first below [`DIVISIBLE`].
#[inline(always)]
pub fn divide<S: Simd>(time: f64, by: f64) -> (f64, f64) {
    let (nearest, _) = nearest_integer(time / by);
    // Whole and small enough to be exact, rounded once or twice.
    let rest = multiply_add::<S>(-nearest, by, time);
    let over = rest < 0.0;
    (if over { nearest - 1.0 } else { nearest }, if over { rest + by } else { rest })
}

/// How a track's clock reads at the columns.
pub struct TrackTime<'a> {
    /// The program's clock at the columns.
    pub ticks: &'a StepColumns,
    /// What the track's clock, not folded yet, is ahead of the program's.
    pub ahead: f64,
    /// How it repeats.
    pub repetition: Repetition,
    /// The most it reads.
    largest: f64,
}

impl<'a> TrackTime<'a> {
    /// The time of a stage's track; nothing where it is more than `f64` can tell.
    #[inline(always)]
    pub fn new(stage: &PackedStage, track: &PackedTrack, ticks: &'a StepColumns) -> Option<Self> {
        let advance = integer(track.advance) as f64;
        let ahead = advance - integer(stage.start) as f64;
        let repetition = track.repetition();
        let largest = ticks.largest + advance;
        let most = if repetition == Repetition::None { WHOLE } else { DIVISIBLE };
        if largest < most { Some(Self { ticks, ahead, repetition, largest }) } else { None }
    }

    /// The track's clock at some columns, folded as [`Repetition::fold`] does.
    #[inline(always)]
    pub fn at<S: Simd>(&self, column: usize) -> [f64; CHUNK] {
        let mut times = [0.0; CHUNK];
        let ticks = &self.ticks.steps[column..column + CHUNK];
        for lane in 0..CHUNK {
            times[lane] = ticks[lane] + self.ahead;
        }
        match self.repetition {
            Repetition::None => {}
            Repetition::Restart { period } => {
                let period = period as f64;
                for time in &mut times {
                    *time = divide::<S>(*time, period).1;
                }
            }
            Repetition::Reflect { period } => {
                let period = period as f64;
                for time in &mut times {
                    let rest = divide::<S>(*time, 2.0 * period).1;
                    *time = if rest <= period { rest } else { 2.0 * period - rest };
                }
            }
        }
        times
    }
}

/// How a segment's phase goes with its track's clock.
pub struct PhaseCount {
    start: f64,
    length: f64,
    quantum: f64,
    origin: f64,
    reversed: bool,
    rate: (f64, f64),
    /// The phase of what lies between steps.
    lead: (f64, f64),
}

impl PhaseCount {
    /// That of a segment; nothing where a count is more than `f64` can tell.
    #[inline(always)]
    pub fn new(segment: &PackedSegment, time: &TrackTime<'_>) -> Option<Self> {
        // The two never go together.
        let (lead, quantum) = match segment.kind & FLAG_LEAD {
            0 => (0, integer(segment.quantum) as f64),
            _ => (integer(segment.quantum), 1.0),
        };
        let origin = integer(segment.origin) as f64;
        let known = origin + time.largest < 2.0 * WHOLE && (quantum == 1.0 || time.largest < DIVISIBLE);
        if !known {
            return None;
        }
        let rate = rate(segment);
        let lead = DoubleDouble::from(lead).scaled_by_power_of_two(-64) * DoubleDouble::exact_sum(rate.0, rate.1);
        Some(Self {
            start: integer(segment.start) as f64,
            length: integer(segment.length) as f64,
            quantum,
            origin,
            reversed: segment.kind & FLAG_REVERSED != 0,
            rate,
            lead: (lead.high(), lead.low()),
        })
    }

    /// The phases at some times.
    #[inline(always)]
    pub fn phases<S: Simd>(&self, times: &[f64; CHUNK]) -> Phases<CHUNK> {
        let mut counts = [0.0; CHUNK];
        for lane in 0..CHUNK {
            counts[lane] = times[lane] - self.start;
        }
        if self.quantum != 1.0 {
            for count in &mut counts {
                *count = divide::<S>(*count, self.quantum).0;
            }
        }
        let mut phases = Phases { high: [0.0; CHUNK], low: [0.0; CHUNK] };
        for (lane, count) in counts.into_iter().enumerate() {
            let moved = if count < self.length { count } else { self.length };
            let back = if moved < self.origin { self.origin - moved } else { 0.0 };
            let count = if self.reversed { back } else { self.origin + moved };
            let high = count * self.rate.0;
            let low = multiply_add::<S>(count, self.rate.1, product_rest::<S>(count, self.rate.0, high));
            phases.high[lane] = high + low;
            phases.low[lane] = low - (phases.high[lane] - high);
        }
        if self.lead.0 != 0.0 {
            for lane in 0..CHUNK {
                // Of the same sign, so that no digits are lost.
                let (sum, left) = exact_sum(phases.high[lane], self.lead.0);
                (phases.high[lane], phases.low[lane]) = exact_sum(sum, left + (phases.low[lane] + self.lead.1));
            }
        }
        phases
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::simd::{Kernel, Level};

    struct Divide(f64, f64);

    impl Kernel for Divide {
        type Output = (f64, f64);

        #[inline(always)]
        fn run<S: Simd>(self, _: S) -> (f64, f64) {
            divide::<S>(self.0, self.1)
        }
    }

    #[test]
    fn quotients_are_whole_and_exact() {
        for by in [1.0, 2.0, 3.0, 37.0, 1000.0, (1_u64 << 33) as f64 + 5.0, (1_u64 << 50) as f64 - 1.0] {
            for time in [0.0, 1.0, by - 1.0, by, by + 1.0, 7.0 * by - 1.0, 7.0 * by, DIVISIBLE - 1.0] {
                if time < DIVISIBLE {
                    let want = (time as u64 / by as u64, time as u64 % by as u64);
                    for (quotient, rest) in Level::available().into_iter().map(|level| level.run(Divide(time, by))) {
                        assert_eq!((quotient as u64, rest as u64), want, "{time} by {by}");
                    }
                }
            }
        }
    }
}
