//! The records of the packed block. `shaders/ir.wgsl` has the same records in WGSL; a test compares them.
//!
//! 64-bit integers are two words, low word first.

use bytemuck::{Pod, Zeroable};

use super::height::PackedHeight;
use super::number::PackedNumber;
use super::words::{integer, words};
use crate::curve::Curve;
use crate::double_double::DoubleDouble;
use crate::program::{Clamp, FOREVER, Repetition, Segment, Stage, Track};

/// Set in [`PackedSegment::kind`] if the phase counts down.
pub const FLAG_REVERSED: u32 = 1 << 8;
/// Set in [`PackedSegment::kind`] if the phase changes once per quantum.
pub const FLAG_QUANTUM: u32 = 1 << 9;
/// Set in [`PackedSegment::kind`] if the phase count has a fraction, which is stored in place of the quantum.
pub const FLAG_LEAD: u32 = 1 << 10;

/// [`PackedTrack::repetition`] of a track without repetition: its last segment holds.
pub const REPEAT_NONE: u32 = 0;
/// [`PackedTrack::repetition`] of a track that restarts.
pub const REPEAT_RESTART: u32 = 1;
/// [`PackedTrack::repetition`] of a track that is reflected.
pub const REPEAT_REFLECT: u32 = 2;

/// A [`Segment`] without its height: 80 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct PackedSegment {
    /// First step on the track's clock.
    pub start: [u32; 2],
    /// Length in steps or quanta, after which the value is held; all ones if it never ends.
    pub length: [u32; 2],
    /// Steps per stair, 1 without stairs; or the fraction of the phase count in 2^-64, if [`FLAG_LEAD`] is set.
    pub quantum: [u32; 2],
    /// Phase count at the start.
    pub origin: [u32; 2],
    /// Phase per count.
    pub rate: PackedNumber,
    /// First constant: the exponent, the octaves or the offset.
    pub a: PackedNumber,
    /// Second constant: the warp.
    pub b: PackedNumber,
    /// An id of [`table`](crate::curve::table) and flags.
    pub kind: u32,
    /// Residual of the rate, in 2^-64 units in the last place of its mantissa, as a signed integer.
    pub rate_rest: [u32; 2],
}

/// A [`Track`]: 56 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct PackedTrack {
    /// Steps by which the track's clock is ahead of its stage's.
    pub advance: [u32; 2],
    /// Length of a cycle; 1 without repetition.
    pub period: [u32; 2],
    /// First segment, relative to the program's first.
    pub segment_first: u32,
    /// Number of segments.
    pub segment_count: u32,
    /// What follows the track's period: one of the `REPEAT_*` constants.
    pub repetition: u32,
    /// 1 if the bounds apply.
    pub clamped: u32,
    /// Least value.
    pub lower: PackedNumber,
    /// Greatest value.
    pub upper: PackedNumber,
}

/// A [`Stage`]: 64 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct PackedStage {
    /// First tick of the program's clock.
    pub start: [u32; 2],
    /// Steps per tick, the same in all stages of a program.
    pub quantum: [u32; 2],
    /// First track in the batch.
    pub track_first: u32,
    /// Number of tracks.
    pub track_count: u32,
    /// Index of offset and scale among the program's heights.
    pub height: u32,
    /// 1 if that height is stored; 0 if offset and scale are 0 and 1.
    pub scaled: u32,
    /// Least value.
    pub lower: PackedNumber,
    /// Greatest value.
    pub upper: PackedNumber,
    /// 1 where the bounds count.
    pub clamped: u32,
    /// 1 if the tracks are added, 0 if they are multiplied.
    pub summed: u32,
}

/// A [`Program`](crate::program::Program): 24 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct PackedProgram {
    /// First stage in the batch.
    pub stage_first: u32,
    /// Number of stages.
    pub stage_count: u32,
    /// First segment in the batch.
    pub segment_first: u32,
    /// Number of segments.
    pub segment_count: u32,
    /// First height in the batch: those of the segments, then those of the stages.
    pub height_first: u32,
    /// Number of heights.
    pub height_count: u32,
}

const _: () = assert!(size_of::<PackedNumber>() == 12);
const _: () = assert!(size_of::<PackedSegment>() == 80);
const _: () = assert!(size_of::<PackedHeight>() == 24);
const _: () = assert!(size_of::<PackedTrack>() == 56);
const _: () = assert!(size_of::<PackedStage>() == 64);
const _: () = assert!(size_of::<PackedProgram>() == 24);

impl From<&Segment> for PackedSegment {
    fn from(segment: &Segment) -> Self {
        let (a, b) = segment.curve.constants();
        let reversed = if segment.reversed { FLAG_REVERSED } else { 0 };
        let (quantum, between) = match (segment.quantum, segment.lead) {
            (Some(quantum), _) => (quantum, FLAG_QUANTUM),
            (None, 0) => (1, 0),
            (None, lead) => (lead, FLAG_LEAD),
        };
        let rate = PackedNumber::from(segment.rate);
        Self {
            start: words(segment.start),
            length: words(segment.length),
            quantum: words(quantum),
            origin: words(segment.origin),
            rate,
            rate_rest: words(rate.rest(segment.rate) as u64),
            a: a.into(),
            b: b.into(),
            kind: segment.curve.id() | reversed | between,
        }
    }
}

impl PackedSegment {
    /// The curve.
    #[must_use]
    pub fn curve(&self) -> Curve {
        let (a, b) = (DoubleDouble::from(self.a), DoubleDouble::from(self.b).high());
        Curve::of_id(self.kind & 0xff, a, b)
    }

    /// The rate to 106 bits: a power below 1 magnifies the error of a phase near the curve's end without bound.
    #[must_use]
    pub fn full_rate(&self) -> DoubleDouble {
        self.rate.with_rest(integer(self.rate_rest) as i64)
    }

    /// Unpacks the segment, given its height.
    #[must_use]
    pub fn with_height(&self, height: &PackedHeight) -> Segment {
        let (base, amplitude) = height.numbers();
        Segment {
            start: integer(self.start),
            length: integer(self.length),
            quantum: (self.kind & FLAG_QUANTUM != 0).then(|| integer(self.quantum)),
            origin: integer(self.origin),
            lead: if self.kind & FLAG_LEAD == 0 { 0 } else { integer(self.quantum) },
            reversed: self.kind & FLAG_REVERSED != 0,
            rate: self.full_rate(),
            base,
            amplitude,
            curve: self.curve(),
        }
    }
}

impl PackedTrack {
    /// Packs a track without its segments, which begin at `segment_first`.
    pub(super) fn new(track: &Track, segment_first: u32) -> Self {
        let (repetition, period) = match track.repetition {
            Repetition::None => (REPEAT_NONE, 1),
            Repetition::Restart { period } => (REPEAT_RESTART, period),
            Repetition::Reflect { period } => (REPEAT_REFLECT, period),
        };
        Self {
            advance: words(track.advance),
            period: words(period),
            segment_first,
            segment_count: track.segments.len() as u32,
            repetition,
            clamped: u32::from(!track.clamp.is_none()),
            lower: track.clamp.lower.into(),
            upper: track.clamp.upper.into(),
        }
    }

    /// The repetition.
    #[must_use]
    pub fn repetition(&self) -> Repetition {
        let period = integer(self.period);
        match self.repetition {
            REPEAT_RESTART => Repetition::Restart { period },
            REPEAT_REFLECT => Repetition::Reflect { period },
            _ => Repetition::None,
        }
    }

    /// The bounds.
    #[must_use]
    pub fn clamp(&self) -> Clamp {
        unpack_clamp(self.lower, self.upper)
    }

    /// Unpacks into `track`, reusing its memory; the segments are the program's.
    pub(super) fn unpack_into(&self, segments: &[PackedSegment], heights: &[PackedHeight], track: &mut Track) {
        let own = self.segment_first as usize..(self.segment_first + self.segment_count) as usize;
        let segments = segments[own.clone()].iter().zip(&heights[own]);
        track.segments.clear();
        track.segments.extend(segments.map(|(segment, height)| segment.with_height(height)));
        track.advance = integer(self.advance);
        track.repetition = self.repetition();
        track.clamp = self.clamp();
    }
}

impl PackedStage {
    /// Packs a stage without its tracks and its height; their indices are given.
    pub(super) fn new(stage: &Stage, quantum: u64, track_first: u32, height: Option<u32>) -> Self {
        Self {
            start: words(stage.start),
            quantum: words(quantum),
            track_first,
            track_count: stage.tracks.len() as u32,
            height: height.unwrap_or(0),
            scaled: u32::from(height.is_some()),
            lower: stage.clamp.lower.into(),
            upper: stage.clamp.upper.into(),
            clamped: u32::from(!stage.clamp.is_none()),
            summed: u32::from(stage.summed),
        }
    }

    /// The bounds.
    #[must_use]
    pub fn clamp(&self) -> Clamp {
        unpack_clamp(self.lower, self.upper)
    }

    /// The index of offset and scale among the program's heights; `None` if they are 0 and 1.
    #[must_use]
    #[inline(always)]
    pub fn own_height<'h>(&self, heights: &'h [PackedHeight]) -> Option<&'h PackedHeight> {
        if self.scaled == 0 { None } else { heights.get(self.height as usize) }
    }

    /// Unpacks into `stage`, reusing its memory; the tracks are the batch's, the segments the program's.
    pub(super) fn unpack_into(
        &self,
        tracks: &[PackedTrack],
        segments: &[PackedSegment],
        heights: &[PackedHeight],
        stage: &mut Stage,
    ) {
        let first = self.track_first as usize;
        let count = self.track_count as usize;
        stage.start = integer(self.start);
        (stage.offset, stage.scale) = match self.own_height(heights) {
            Some(height) => height.numbers(),
            None => (DoubleDouble::ZERO, DoubleDouble::ONE),
        };
        stage.summed = self.summed != 0;
        stage.clamp = self.clamp();
        stage.tracks.resize_with(count, || Track::of(Vec::new()));
        for (packed, track) in tracks[first..first + count].iter().zip(&mut stage.tracks) {
            packed.unpack_into(segments, heights, track);
        }
    }
}

fn unpack_clamp(lower: PackedNumber, upper: PackedNumber) -> Clamp {
    Clamp { lower: DoubleDouble::from(lower).high(), upper: DoubleDouble::from(upper).high() }
}

// The length of a segment that never ends is all ones in the block.
const _: () = assert!(FOREVER == u64::MAX);
