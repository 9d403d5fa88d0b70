//! Runs of columns inside one stage, or one segment of a track, and the shapes of a curve over one.

use crate::cpu::simd::Simd;
use std::ops::Range;

use crate::cpu::lanes::shapes;
use crate::curve::Curve;
use crate::packed::{FLAG_QUANTUM, PackedSegment, PackedStage, integer};
use crate::program::Repetition;

use super::extent::Extent;
use super::steps::{CHUNK, COLUMNS, StepColumns};
use super::time::{PhaseCount, TrackTime};

/// Shapes outside of this, other than 0, may have lost digits.
const SHAPES: (f64, f64) = (1e-280, 1e250);

/// The stage in force at column `from`, and the column where another takes over.
#[inline(always)]
pub fn stage_run(stages: &[PackedStage], ticks: &StepColumns, from: usize) -> (usize, usize) {
    if stages.len() == 1 {
        return (0, ticks.count);
    }
    let stage_at = |tick: f64| stages.partition_point(|stage| integer(stage.start) as f64 <= tick).max(1) - 1;
    let stage = stage_at(ticks.steps[from]);
    let mut to = from + 1;
    while to < ticks.count && stage_at(ticks.steps[to]) == stage {
        to += 1;
    }
    (stage, to)
}

/// The segment in force at the first of `columns`, and the column where another takes over.
#[inline(always)]
pub fn segment_run<S: Simd>(segments: &[PackedSegment], time: &TrackTime<'_>, columns: Range<usize>) -> (usize, usize) {
    if segments.len() == 1 {
        return (0, columns.end);
    }
    let segment_at =
        |position: f64| segments.partition_point(|segment| integer(segment.start) as f64 <= position).max(1) - 1;
    if time.repetition == Repetition::None && time.ticks.sorted {
        let segment = segment_at(time.ticks.steps[columns.start] + time.ahead);
        let Some(next) = segments.get(segment + 1) else { return (segment, columns.end) };
        let start = integer(next.start) as f64 - time.ahead;
        let mut before = 0_u64;
        for tick in &time.ticks.steps[..COLUMNS] {
            before += u64::from(*tick < start);
        }
        return (segment, (before as usize).clamp(columns.start + 1, columns.end));
    }
    let mut positions = time.at::<S>(columns.start);
    let (segment, mut first, mut end) = (segment_at(positions[0]), columns.start, columns.start + 1);
    while end < columns.end {
        if end == first + CHUNK {
            positions = time.at::<S>(end);
            first = end;
        }
        if segment_at(positions[end - first]) != segment {
            break;
        }
        end += 1;
    }
    (segment, end)
}

/// Whether a segment moves so seldom that each of its values lasts for many columns.
#[inline(always)]
pub fn has_long_stairs(segment: &PackedSegment, time: &TrackTime<'_>) -> bool {
    let apart = time.ticks.steps[1] - time.ticks.steps[0];
    segment.kind & FLAG_QUANTUM != 0 && apart > 0.0 && integer(segment.quantum) as f64 >= apart * COLUMNS as f64
}

/// Writes the shapes of a run, and lanes beyond it that the next run overwrites; how large they are, if `f64` can tell.
#[inline(always)]
pub fn shape_run<S: Simd>(
    segment: &PackedSegment,
    time: &TrackTime<'_>,
    columns: Range<usize>,
    out: &mut [f64],
) -> Option<Extent> {
    let curve = segment.curve();
    let (from, to) = (columns.start, columns.end);
    if curve == Curve::Hold {
        out[from..from + (to - from).next_multiple_of(CHUNK)].fill(1.0);
        return Some(Extent { least: 1.0, greatest: 1.0, zero: false, negative: false, roundings: 0.0 });
    }
    let phases = PhaseCount::new(segment, time)?;
    let mut roundings = 0.0;
    let mut column = from;
    while column < to {
        let phases = phases.phases::<S>(&time.at::<S>(column));
        let mut chunk = [0.0; CHUNK];
        roundings = shapes::<CHUNK, S>(&curve, &phases, &mut chunk);
        for lane in 0..CHUNK {
            // No `&&`: it is a branch.
            let lost = (chunk[lane] == 0.0) & (phases.high[lane] != 0.0);
            out[column + lane] = if lost { f64::NAN } else { chunk[lane] };
        }
        column += CHUNK;
    }
    // Nothing that the lanes beyond hold may count.
    let last = out[to - 1];
    out[to..column].fill(last);
    let (least, greatest, zero) = extremes(&out[from..column]);
    let usable = least >= SHAPES.0 && greatest <= SHAPES.1;
    usable.then(|| Extent { least, greatest, zero, negative: false, roundings: roundings + rate_roundings(&curve) })
}

/// The least number that is not 0 (∞ if there is none), the greatest, or NaN if any is one or below zero, and whether
/// any is 0.
#[inline(always)]
fn extremes(shapes: &[f64]) -> (f64, f64, bool) {
    // Bit patterns are in the order of the numbers, and those below zero and NaN come last.
    let (mut low, mut high, mut lowest) = (u64::MAX, 0, u64::MAX);
    for shape in shapes {
        let bits = shape.to_bits();
        // 0 becomes the largest pattern.
        low = low.min(bits.wrapping_sub(1));
        high = high.max(bits);
        lowest = lowest.min(bits);
    }
    let low = if low == u64::MAX { f64::INFINITY } else { f64::from_bits(low + 1) };
    let high = if high <= f64::INFINITY.to_bits() { f64::from_bits(high) } else { f64::NAN };
    (low, high, lowest == 0)
}

/// What a rate known to 64 bits adds to the error of a shape, in units of 2^-53.
#[inline(always)]
fn rate_roundings(curve: &Curve) -> f64 {
    let magnified = match *curve {
        Curve::Power { exponent, .. } | Curve::CosinePower { exponent, .. } => exponent.abs(),
        Curve::CosineExponential { octaves } => octaves.high().abs(),
        // 2^w for |w| below 1000, beyond which there is no pattern.
        _ => 1000.0,
    };
    1.0 + magnified / 1024.0
}
