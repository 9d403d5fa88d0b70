//! The lowered form: what every schedule compiles to, and the only form that backends see.
//!
//! A [`Segment`] is a range of steps on one [`Curve`]. A [`Track`] is a sorted list of segments that may repeat. A
//! [`Stage`] is `offset + scale · Π tracks` (or `Σ` instead of `Π`) from its start to the next stage. A [`Program`] is
//! a sorted list of stages on one clock.
//!
//! Time is integer throughout: steps are counted, subtracted and folded as `u64`. They become floating-point numbers
//! once, when a phase count is multiplied by the segment's rate.

mod check;
mod clock;
mod combine;
mod evaluate;
mod marks;
mod unroll;

pub(crate) use clock::{BETWEEN_STEPS, Clock, Moved};
pub(crate) use combine::{growth, scaled};

use crate::curve::Curve;
use crate::double_double::DoubleDouble;
use crate::error::ProgramError;

/// The largest ratio of start to end for a transition computed from its start: 2^90. See [`amplitude`].
const MOST_APART: f64 = (1_u128 << 90) as f64;

/// The largest step and the longest length: integers up to here are exact in `f64`.
pub const MAX_STEP: u64 = (1 << 53) - 1;

/// The least magnitude of a base, amplitude, offset or scale other than 0: below it, arithmetic loses digits to
/// underflow.
pub(crate) const LEAST_HEIGHT: f64 = 1e-290;

/// The most segments one program may hold; unrolling stops here with an error.
pub const MAX_SEGMENTS: usize = 4096;

/// The most tracks (factors or terms) of one stage.
pub const MAX_TRACKS: usize = 4;

/// The limit of every step, length, period and count of the lowered form, except [`FOREVER`]: the sum of two of them
/// fits into 64 bits.
pub const MOST_COUNTS: u64 = 1 << 62;

/// A length that never ends.
pub const FOREVER: u64 = u64::MAX;

/// A range of steps on one curve: `base + amplitude · shape(n · rate)`.
///
/// The phase count is `n = origin + k + lead/2^64`, or `n = origin − k + lead/2^64` for a reversed segment. Here `k` is
/// the number of steps since `start` (of quanta, if there is a `quantum`), at most `length`. The fraction `lead` is not
/// 0 if the curve begins (or, reversed, ends) between two steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Segment {
    /// First step, on the track's clock.
    pub start: u64,
    /// Steps or quanta over which the phase changes; the last value is held after that.
    pub length: u64,
    /// Steps per stair; `None` if the phase changes at every step.
    pub quantum: Option<u64>,
    /// The phase count at `start`.
    pub origin: u64,
    /// Fraction of the phase count, in 2^-64; 0 if there is a `quantum`.
    pub lead: u64,
    /// Whether the phase counts down.
    pub reversed: bool,
    /// Phase per count.
    pub rate: DoubleDouble,
    /// The value where the shape is 0.
    pub base: DoubleDouble,
    /// The factor of the shape; negative if the value falls as the shape rises.
    pub amplitude: DoubleDouble,
    /// The shape.
    pub curve: Curve,
}

/// What a track does after its period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Repetition {
    /// Nothing: the last segment's final value is held.
    #[default]
    None,
    /// It restarts every `period` steps.
    Restart {
        /// Length of a cycle in steps; at least 1.
        period: u64,
    },
    /// It runs forwards and backwards in turn, `period` steps each.
    Reflect {
        /// Length of one direction in steps; at least 1.
        period: u64,
    },
}

/// Bounds on a value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clamp {
    /// The least value; −∞ without a lower bound.
    pub lower: f64,
    /// The greatest value; ∞ without an upper bound. Never below `lower`.
    pub upper: f64,
}

/// Segments in ascending order of `start` (the first starts at 0), optionally repeated and clamped.
#[derive(Clone, Debug, PartialEq)]
pub struct Track {
    /// The segments; never empty.
    pub segments: Vec<Segment>,
    /// Steps by which the track's clock is ahead of its stage's.
    pub advance: u64,
    /// What the track does after its period.
    pub repetition: Repetition,
    /// Bounds on the track's value.
    pub clamp: Clamp,
}

/// `clamp(offset + scale · Π tracks)`, or `Σ tracks` instead of `Π tracks`, from `start` to the next stage.
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

/// A lowered schedule: stages in ascending order of `start`, the first at 0.
#[derive(Clone, Debug, PartialEq)]
pub struct Program {
    /// Steps per tick of the program's clock; 1 unless values change less often, as once per epoch.
    pub(crate) quantum: u64,
    /// The stages; never empty.
    pub(crate) stages: Vec<Stage>,
}

impl Clamp {
    /// No bounds.
    pub const NONE: Self = Self { lower: f64::NEG_INFINITY, upper: f64::INFINITY };

    /// Whether there are no bounds.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::NONE
    }
}

impl Segment {
    /// A constant from `start` on.
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

    /// A transition from `from` to `to` in `length` steps along `curve`, with its base at the smaller end.
    ///
    /// The curve must be 0 at phase 0, 1 at phase 1 and symmetric about its middle, as a line and a half cosine are.
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

    /// A transition whose phase runs from 0 to 1: its base is `from`, so it is most accurate near `from`.
    ///
    /// The amplitude is NaN, which every batch rejects, if `from` is more than 2^90 times as large as `to` and `to` is not 0.
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

    /// A transition whose phase runs from 1 to 0: its base is `to`, so it is most accurate near `to`.
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

/// The amplitude of a transition with base `from` that ends at `to`: their difference.
///
/// NaN, which every batch rejects, if `from` is more than 2^90 times as large as `to` and `to` is not 0: then
/// `from + amplitude` would not be `to`.
#[must_use]
pub(crate) fn amplitude(from: DoubleDouble, to: DoubleDouble) -> DoubleDouble {
    let lost = to != DoubleDouble::ZERO && to.abs() * MOST_APART < from.abs();
    if lost { f64::NAN.into() } else { to - from }
}

impl Track {
    /// A track of these segments, without repetition or bounds.
    #[must_use]
    pub fn of(segments: Vec<Segment>) -> Self {
        Self { segments, advance: 0, repetition: Repetition::None, clamp: Clamp::NONE }
    }
}

impl Stage {
    /// A stage whose value is one track's.
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
    /// A program of these stages, with a tick per step.
    ///
    /// # Errors
    /// As [`Program::check`].
    ///
    /// ```
    /// use lrgrid::curve::Curve;
    /// use lrgrid::program::{Program, Segment, Stage, Track};
    ///
    /// let warmup = Segment::rising(0, 100, 0.0, 1e-3, Curve::Linear);
    /// let program = Program::new(vec![Stage::of(Track::of(vec![warmup, Segment::hold(100, 1e-3)]))])?;
    /// assert_eq!(program.exact(50).high(), 5e-4);
    /// assert_eq!(Program::new(Vec::new()).unwrap_err().path, "stages");
    /// # Ok::<(), lrgrid::error::ProgramError>(())
    /// ```
    pub fn new(stages: Vec<Stage>) -> Result<Self, ProgramError> {
        let program = Self { quantum: 1, stages };
        program.check()?;
        Ok(program)
    }

    /// A program of plain segments, in ascending order of `start` from 0.
    ///
    /// # Errors
    /// As [`Program::check`].
    pub fn from_segments(segments: Vec<Segment>) -> Result<Self, ProgramError> {
        Self::new(vec![Stage::of(Track::of(segments))])
    }

    /// This program with so many steps per tick.
    ///
    /// # Errors
    /// As [`Program::check`].
    pub fn with_quantum(self, quantum: u64) -> Result<Self, ProgramError> {
        let program = Self { quantum, ..self };
        program.check()?;
        Ok(program)
    }

    /// Steps per tick of the program's clock: at least 1, and more where values change less often, as once per epoch.
    #[must_use]
    pub const fn quantum(&self) -> u64 {
        self.quantum
    }

    /// The stages: at least one, in ascending order of `start`, the first at 0.
    #[must_use]
    pub fn stages(&self) -> &[Stage] {
        &self.stages
    }

    /// A program of plain segments, in ascending order of `start` from 0.
    #[must_use]
    pub(crate) fn of(segments: Vec<Segment>) -> Self {
        Self::of_stage(Stage::of(Track::of(segments)))
    }

    /// A program of one stage.
    #[must_use]
    pub(crate) fn of_stage(stage: Stage) -> Self {
        Self { quantum: 1, stages: vec![stage.normalized()] }
    }

    /// A constant program.
    #[must_use]
    pub fn hold(value: impl Into<DoubleDouble>) -> Self {
        Self::of(vec![Segment::hold(0, value)])
    }

    /// Every segment, in order.
    pub fn segments(&self) -> impl Iterator<Item = &Segment> {
        self.stages.iter().flat_map(|stage| &stage.tracks).flat_map(|track| &track.segments)
    }
}
