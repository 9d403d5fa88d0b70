//! The lowered form: what every schedule compiles to, and all that a backend ever sees.
//!
//! A [`Segment`] is a run of steps on one [`Curve`]. A [`Track`] is a sorted list of segments that may
//! repeat. A [`Stage`] is `offset + scale · Π tracks`, or `Σ tracks` for `Π`, from its start to the next stage, and a
//! [`Program`] is a sorted list of stages behind one clock.
//!
//! Time is integer throughout: steps are counted, subtracted and folded as `u64`, and become a number
//! once, when a segment's phase is multiplied by its rate.

mod check;
mod clock;
mod combine;
mod evaluate;
mod marks;

pub use clock::{BETWEEN_STEPS, Clock, Moved};

use crate::curve::Curve;
use crate::double_double::DoubleDouble;

/// How many times as large as its end a move's beginning may be, where it is computed from there: 2^90.
const MOST_APART: f64 = (1_u128 << 90) as f64;

/// The largest step and the longest length: integers up to here are exact in `f64`.
pub const MAX_STEP: u64 = (1 << 53) - 1;

/// The most segments one program may hold; unrolling stops here with an error.
pub const MAX_SEGMENTS: usize = 4096;

/// The most factors or terms that one stage may have.
pub const MAX_TRACKS: usize = 4;

/// The most that a step, a length, a period or a count of the lowered form may be, but for [`FOREVER`]: the sum of two
/// is an integer of 64 bits.
pub const MOST_COUNTS: u64 = 1 << 62;

/// A length that never ends.
pub const FOREVER: u64 = u64::MAX;

/// A run of steps on one curve: `base + amplitude · shape(n · rate)`.
///
/// With `k` the steps since `start` (in units of `quantum` where there is one, and at most `length`),
/// the phase count `n` is `origin + k`, or `origin − k` for a reversed segment, and `lead/2^64` more: what
/// lies between steps where a curve begins (or, reversed, ends) there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Segment {
    /// First step, on the track's clock.
    pub start: u64,
    /// How long the phase moves, in steps or quanta; the last value is held after that.
    pub length: u64,
    /// Steps per stair; `None` where the phase moves at every step.
    pub quantum: Option<u64>,
    /// The phase count at `start`.
    pub origin: u64,
    /// What is added to the phase count, in 2^-64; 0 where there is a `quantum`.
    pub lead: u64,
    /// Whether the phase counts down.
    pub reversed: bool,
    /// Phase per count.
    pub rate: DoubleDouble,
    /// Value where the shape is 0.
    pub base: DoubleDouble,
    /// Height of the shape; negative where the value falls as the shape rises.
    pub amplitude: DoubleDouble,
    /// The shape.
    pub curve: Curve,
}

/// How a track goes on after its period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Repetition {
    /// Not at all: the last segment holds.
    #[default]
    None,
    /// From the start again, every `period` steps.
    Restart {
        /// Length of a cycle in steps; at least 1.
        period: u64,
    },
    /// Backwards and forwards, turning every `period` steps.
    Reflect {
        /// Length of one way in steps; at least 1.
        period: u64,
    },
}

/// Bounds on a value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clamp {
    /// The least value; −∞ where there is no lower bound.
    pub lower: f64,
    /// The greatest value; ∞ where there is no upper bound. Never below `lower`.
    pub upper: f64,
}

/// Segments in rising order of `start` (the first starts at 0), perhaps repeated and clamped.
#[derive(Clone, Debug, PartialEq)]
pub struct Track {
    /// The segments; never empty.
    pub segments: Vec<Segment>,
    /// Steps the track's clock is ahead of its stage's.
    pub advance: u64,
    /// How the track goes on.
    pub repetition: Repetition,
    /// Bounds on the track's value.
    pub clamp: Clamp,
}

/// `clamp(offset + scale · Π tracks)`, or with `Σ tracks` for `Π`, from `start` to the next stage.
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    /// First step, on the program's clock.
    pub start: u64,
    /// Added to the product, or the sum.
    pub offset: DoubleDouble,
    /// Multiplies the product, or the sum.
    pub scale: DoubleDouble,
    /// The factors or terms, one to [`MAX_TRACKS`].
    pub tracks: Vec<Track>,
    /// Whether the tracks are added up; otherwise they are multiplied.
    pub summed: bool,
    /// Bounds on the stage's value.
    pub clamp: Clamp,
}

/// A lowered schedule: stages in rising order of `start`, the first at 0.
#[derive(Clone, Debug, PartialEq)]
pub struct Program {
    /// Steps per tick of the program's clock; 1 unless the value changes once per epoch.
    pub quantum: u64,
    /// The stages; never empty.
    pub stages: Vec<Stage>,
}

impl Clamp {
    /// No bounds.
    pub const NONE: Self = Self { lower: f64::NEG_INFINITY, upper: f64::INFINITY };

    /// Whether there is a bound at all.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::NONE
    }
}

impl Segment {
    /// A constant.
    #[must_use]
    pub fn hold(start: u64, value: impl Into<DoubleDouble>) -> Self {
        Self {
            start,
            length: FOREVER,
            quantum: None,
            origin: 0,
            lead: 0,
            reversed: false,
            rate: DoubleDouble::ZERO,
            base: value.into(),
            amplitude: DoubleDouble::ZERO,
            curve: Curve::Hold,
        }
    }

    /// A move from `from` to `to` in `length` steps along `curve`, anchored at its smaller end.
    ///
    /// The curve must be 0 at phase 0, 1 at phase 1 and look the same from both ends, as a line and a
    /// half cosine do.
    #[must_use]
    pub fn transition(
        start: u64,
        length: u64,
        from: impl Into<DoubleDouble>,
        to: impl Into<DoubleDouble>,
        curve: Curve,
    ) -> Self {
        let (from, to) = (from.into(), to.into());
        if from.abs() <= to.abs() {
            Self::rising(start, length, from, to, curve)
        } else {
            Self::falling(start, length, from, to, curve)
        }
    }

    /// A move whose phase runs 0 → 1, so that the shape is fine-grained near `from`.
    ///
    /// Where the ends are too far apart, the amplitude is NaN: see [`amplitude`].
    #[must_use]
    pub fn rising(
        start: u64,
        length: u64,
        from: impl Into<DoubleDouble>,
        to: impl Into<DoubleDouble>,
        curve: Curve,
    ) -> Self {
        let (from, to) = (from.into(), to.into());
        Self {
            start,
            length,
            quantum: None,
            origin: 0,
            lead: 0,
            reversed: false,
            rate: DoubleDouble::ONE / DoubleDouble::from(length),
            base: from,
            amplitude: amplitude(from, to),
            curve,
        }
    }

    /// A move whose phase runs 1 → 0, so that the shape is fine-grained near `to`.
    #[must_use]
    pub fn falling(
        start: u64,
        length: u64,
        from: impl Into<DoubleDouble>,
        to: impl Into<DoubleDouble>,
        curve: Curve,
    ) -> Self {
        Self { origin: length, reversed: true, ..Self::rising(start, length, to, from, curve) }
    }
}

/// What is added to `from` for `to`.
///
/// NaN, of which no program can be evaluated, where `from` is more than 2^90 times as large as `to` and that is not 0: the
/// sum would not be `to`.
#[must_use]
pub fn amplitude(from: DoubleDouble, to: DoubleDouble) -> DoubleDouble {
    let lost = to != DoubleDouble::ZERO && to.abs() * MOST_APART < from.abs();
    if lost { f64::NAN.into() } else { to - from }
}

impl Track {
    /// Segments without repetition or bounds.
    #[must_use]
    pub fn of(segments: Vec<Segment>) -> Self {
        Self { segments, advance: 0, repetition: Repetition::None, clamp: Clamp::NONE }
    }
}

impl Stage {
    /// One track as it is.
    #[must_use]
    pub fn of(track: Track) -> Self {
        Self {
            start: 0,
            offset: DoubleDouble::ZERO,
            scale: DoubleDouble::ONE,
            tracks: vec![track],
            summed: false,
            clamp: Clamp::NONE,
        }
    }
}

impl Program {
    /// A program of plain segments, in rising order of `start` from 0.
    #[must_use]
    pub fn of(segments: Vec<Segment>) -> Self {
        Self::of_stage(Stage::of(Track::of(segments)))
    }

    /// A program of one stage.
    #[must_use]
    pub fn of_stage(stage: Stage) -> Self {
        Self { quantum: 1, stages: vec![stage.normalized()] }
    }

    /// A constant.
    #[must_use]
    pub fn hold(value: impl Into<DoubleDouble>) -> Self {
        Self::of(vec![Segment::hold(0, value)])
    }

    /// Every segment, in order.
    pub fn segments(&self) -> impl Iterator<Item = &Segment> {
        self.stages.iter().flat_map(|stage| &stage.tracks).flat_map(|track| &track.segments)
    }
}
