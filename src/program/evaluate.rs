//! The scalar evaluator of programs: the value at one step, to about 100 bits.

use super::{Clamp, Program, Repetition, Segment, Stage, Track};
use crate::curve::{Arithmetic, Curve};
use crate::double_double::{DoubleDouble, Extended};

/// Phases closer to 1 than this count as 1; the phases of two steps are at least 2^-53 apart.
const PHASE_SNAP: f64 = 1.0 / (1_u128 << 96) as f64;

impl Clamp {
    /// The nearest value within the bounds.
    #[must_use]
    pub fn apply(&self, value: Extended) -> Extended {
        if self.lower.is_finite() && value < Extended::from(self.lower) {
            self.lower.into()
        } else if self.upper.is_finite() && value > Extended::from(self.upper) {
            self.upper.into()
        } else {
            value
        }
    }
}

impl Repetition {
    /// Maps a step into the first cycle; also tells whether time runs backwards there.
    #[must_use]
    pub fn fold(self, step: u64) -> (u64, bool) {
        match self {
            Self::None => (step, false),
            Self::Restart { period } => (step % period, false),
            Self::Reflect { period } => {
                // A period has 62 bits at most.
                let position = step % (2 * period);
                if position <= period { (position, false) } else { (2 * period - position, true) }
            }
        }
    }
}

impl Segment {
    /// The phase count at a step of the track's clock, `step ≥ start`.
    #[must_use]
    pub fn phase_count(&self, step: u64) -> u64 {
        let k = ((step - self.start) / self.quantum.unwrap_or(1)).min(self.length);
        // A reversed phase count stops at 0, even if the length is greater.
        if self.reversed { self.origin.saturating_sub(k) } else { self.origin + k }
    }

    /// The phase at a phase count, which may lie between whole steps.
    #[must_use]
    pub fn phase(&self, phase_count: DoubleDouble) -> DoubleDouble {
        let lead = DoubleDouble::from(self.lead).scaled_by_power_of_two(-64);
        (phase_count + lead) * self.rate
    }

    /// The value at a phase count, which may lie between whole steps.
    pub fn value_at<A: Arithmetic>(&self, phase_count: DoubleDouble) -> A {
        let base = A::from_double_double(self.base);
        if self.curve == Curve::Hold {
            return base + A::from_double_double(self.amplitude);
        }
        let mut phase = self.phase(phase_count);
        // The rate is rounded, but n · (1/n) must be 1: a bent phase would magnify the remaining 2^-106 at its end.
        if (phase - DoubleDouble::ONE).high().abs() < PHASE_SNAP {
            phase = DoubleDouble::ONE;
        }
        base + A::from_double_double(self.amplitude) * self.curve.shape::<A>(phase)
    }
}

impl Track {
    /// The segment in force at a step of the track's own (folded) clock.
    #[must_use]
    pub fn segment_at(&self, step: u64) -> &Segment {
        let after = self.segments.partition_point(|segment| segment.start <= step);
        &self.segments[after.max(1) - 1]
    }

    /// The value at a step relative to the start of the stage.
    #[must_use]
    pub fn value(&self, step: u64) -> Extended {
        let (step, _) = self.repetition.fold(step + self.advance);
        let segment = self.segment_at(step);
        self.clamp.apply(segment.value_at(segment.phase_count(step).into()))
    }
}

impl Stage {
    /// The value at a step of the program's clock, `step ≥ start`.
    #[must_use]
    pub fn value(&self, step: u64) -> Extended {
        let since = step - self.start;
        let values = self.tracks.iter().map(|track| track.value(since));
        let scale = Extended::from(self.scale);
        let scaled = if self.summed {
            scale * values.fold(Extended::ZERO, |sum, value| sum + value)
        } else {
            values.fold(scale, |product, value| product * value)
        };
        self.clamp.apply(Extended::from(self.offset) + scaled)
    }
}

impl Program {
    /// The stage in force at a tick of the program's clock.
    #[must_use]
    pub fn stage_at(&self, tick: u64) -> &Stage {
        let after = self.stages.partition_point(|stage| stage.start <= tick);
        &self.stages[after.max(1) - 1]
    }

    /// The value at `step` to about 100 bits.
    #[must_use]
    pub fn exact(&self, step: u64) -> DoubleDouble {
        let tick = step / self.quantum;
        self.stage_at(tick).value(tick).rounded()
    }

    /// Whether two steps have one value because no phase changes from one to the other.
    pub(crate) fn is_constant_between(&self, a: u64, b: u64) -> bool {
        let (a, b) = (a / self.quantum, b / self.quantum);
        let stage = self.stage_at(a);
        let place = |track: &Track, tick: u64| {
            let (step, _) = track.repetition.fold(tick - stage.start + track.advance);
            let segment = track.segment_at(step);
            let count = if segment.curve == Curve::Hold { 0 } else { segment.phase_count(step) };
            (segment.start, count)
        };
        stage.start == self.stage_at(b).start && stage.tracks.iter().all(|track| place(track, a) == place(track, b))
    }

    /// The value at `step`, rounded to `f64`.
    #[must_use]
    pub fn value(&self, step: u64) -> f64 {
        self.exact(step).high()
    }
}
