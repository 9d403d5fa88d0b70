//! The `f64` twin of [`Program::exact`]: a value at some steps, with a bound on its own error.
//!
//! Each bound is an absolute one, in the magnitude of what was added up, so that a base and an amplitude
//! that cancel are seen to cancel.

use crate::curve::Curve;
use crate::double_double::DoubleDouble;
use crate::program::{Clamp, Program, Segment, Stage, Track};

/// Twice the rounding error of one `f64` operation.
const ROUNDING: f64 = f64::EPSILON;

/// Below this a shape may have lost digits to underflow.
const UNDERFLOW: f64 = 1e-290;

/// Above this a shape is only known to be large: [`super::lanes::shapes`] keeps its exponents within bounds.
const OVERFLOW: f64 = 1e290;

/// An approximation: `|value − exact| ≤ slack`.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// The approximation.
    pub value: f64,
    /// Sum of the absolute values of what was added up; at least `|value|`.
    pub magnitude: f64,
    /// Bound on the error.
    pub slack: f64,
}

impl Sample {
    /// A segment's value at a phase count.
    pub fn of_segment(segment: &Segment, phase_count: DoubleDouble) -> Self {
        if segment.curve == Curve::Hold {
            return Self::rounded(segment.base + segment.amplitude);
        }
        let phase = segment.phase(phase_count);
        Self::of_shape(segment, segment.curve.shape::<f64>(phase), shape_roundings(&segment.curve, phase))
    }

    /// A segment's value from its shape, which is so many half units in the last place from the truth.
    #[inline(always)]
    pub fn of_shape(segment: &Segment, shape: f64, roundings: f64) -> Self {
        let (base, amplitude) = (segment.base.high(), segment.amplitude.high());
        let moved = amplitude * shape;
        let slack = if shape > OVERFLOW {
            f64::INFINITY
        } else {
            ROUNDING * (2.0 * base.abs() + (roundings + 2.0) * moved.abs())
        };
        Self { value: base + moved, magnitude: base.abs() + moved.abs(), slack: slack + amplitude.abs() * UNDERFLOW }
    }

    /// A known number.
    #[inline(always)]
    pub fn rounded(value: DoubleDouble) -> Self {
        let value = value.high();
        Self { value, magnitude: value.abs(), slack: value.abs() * ROUNDING }
    }

    /// The product of two.
    #[inline(always)]
    pub fn times(self, other: Self) -> Self {
        let magnitude = self.magnitude * other.magnitude;
        let crossed = self.slack * (other.magnitude + other.slack) + self.magnitude * other.slack;
        Self { value: self.value * other.value, magnitude, slack: crossed + magnitude * ROUNDING }
    }

    /// The sum of two.
    #[inline(always)]
    pub fn plus(self, other: Self) -> Self {
        let magnitude = self.magnitude + other.magnitude;
        let slack = self.slack + other.slack + magnitude * ROUNDING;
        Self { value: self.value + other.value, magnitude, slack }
    }

    /// The value within bounds. Near a bound the error stays what it was; beyond it there is none.
    #[inline(always)]
    pub fn clamped(self, clamp: &Clamp) -> Self {
        let at = |bound: f64| Self { value: bound, magnitude: bound.abs(), slack: 0.0 };
        if self.value + self.slack < clamp.lower {
            at(clamp.lower)
        } else if self.value - self.slack > clamp.upper {
            at(clamp.upper)
        } else {
            Self { value: self.value.max(clamp.lower).min(clamp.upper), ..self }
        }
    }

    /// A track's value at a step counted from the start of its stage.
    fn of_track(track: &Track, since: u64) -> Self {
        let (step, _) = track.repetition.fold(since + track.advance);
        let segment = track.segment_at(step);
        Self::of_segment(segment, segment.phase_count(step).into()).clamped(&track.clamp)
    }

    /// What a stage's value starts from, before its tracks' values are joined to it.
    pub fn none_of_stage(stage: &Stage) -> Self {
        Self::rounded(if stage.summed { DoubleDouble::ZERO } else { stage.scale })
    }

    /// A further track's value joined to what there is of a stage.
    #[inline(always)]
    pub fn joined(self, stage: &Stage, value: Self) -> Self {
        if stage.summed { self.plus(value) } else { self.times(value) }
    }

    /// A stage's value, once all of its tracks' are joined.
    #[inline(always)]
    pub fn of_stage(self, stage: &Stage) -> Self {
        let scaled = if stage.summed { Self::rounded(stage.scale).times(self) } else { self };
        Self::rounded(stage.offset).plus(scaled)
    }

    /// A program's value at a step.
    pub fn of_program(program: &Program, step: u64) -> Self {
        let tick = step / program.quantum;
        let stage = program.stage_at(tick);
        let since = tick - stage.start;
        let values = stage.tracks.iter().map(|track| Self::of_track(track, since));
        let all = values.fold(Self::none_of_stage(stage), |all, value| all.joined(stage, value));
        all.of_stage(stage).clamped(&stage.clamp)
    }
}

/// The relative error of [`Curve::shape`] in `f64`, in half units in the last place (2^-53), from above.
///
/// Each library call is taken to be good to two of them; powers magnify what they are given.
fn shape_roundings(curve: &Curve, phase: DoubleDouble) -> f64 {
    match *curve {
        Curve::Hold => 0.0,
        Curve::Linear => 1.0,
        Curve::Power { exponent, warp } => exponent.abs() * bent_roundings(phase, warp) + 2.0,
        Curve::Cosine => SINE_SQUARED_ROUNDINGS,
        Curve::CosinePower { exponent, warp } => {
            exponent.abs() * (2.0 * (bent_roundings(phase, warp) - 1.0) + SINE_SQUARED_ROUNDINGS) + 2.0
        }
        // The condition number of 2^x − 1 is at most 1 + x·ln 2.
        Curve::CosineExponential { octaves } => (SINE_SQUARED_ROUNDINGS + 4.0) * (1.0 + octaves.high().abs()) + 2.0,
        Curve::Exponential => 4.0,
        // The same; the phase, ln 2 and their product are rounded.
        Curve::ExponentialMinusOne => 4.0 * (1.0 + phase.high().abs()) + 2.0,
        Curve::Logistic { .. } | Curve::Rational { .. } => 8.0,
    }
}

/// sin²(π/2·w): rounding of w and of π/2, one product, the sine, all doubled by squaring, and the square.
const SINE_SQUARED_ROUNDINGS: f64 = 11.0;

/// The relative error of the bent phase `1 − (1 − w)^warp`, in half units in the last place.
fn bent_roundings(phase: DoubleDouble, warp: f64) -> f64 {
    if warp == 1.0 {
        return 1.0;
    }
    let rest = (DoubleDouble::ONE - phase).high();
    if rest <= 0.0 {
        return 1.0;
    }
    // The condition number with respect to w, which was rounded: at most 1 for warp ≥ 1, and steep
    // where a warp below 1 nears w = 1.
    10.0 + 2.0 * rest.powf(warp - 1.0).max(1.0)
}
