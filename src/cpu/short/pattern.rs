//! The shapes of a schedule's curves at every column: what rows of the same timing share.

use std::ops::Range;

use crate::curve::Curve;
use crate::packed::{Batch, PackedProgram, PackedSegment, PackedStage, PackedTrack, integer};
use crate::program::{Clamp, MAX_TRACKS, Repetition};

use super::parameters::{exact_number, same_timing};
use super::steps::{CHUNK, COLUMNS, StepColumns, WIDTH};
use super::time::{DIVISIBLE, PhaseCount, TrackTime, divide};
use crate::cpu::lanes::shapes;
use crate::cpu::rounding::Rounded;
use crate::cpu::working::Window;

/// A schedule of more segments is evaluated one span at a time.
const MOST_SEGMENTS: u32 = 32;

/// Shapes outside of this, other than 0, may have lost digits.
const SHAPES: (f64, f64) = (1e-280, 1e250);

/// How many patterns are kept: enough for a short axis of a sweep that another goes round.
const SLOTS: usize = 16;

/// Roundings of a value beside those of its shape: of base and amplitude, product and sum, and a spare one.
pub const VALUE_ROUNDINGS: f64 = 5.0;

/// Columns that stand in one segment.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// The segment, counted from the program's first.
    pub segment: usize,
    /// The first column.
    pub from: usize,
    /// The column after the last.
    pub to: usize,
    /// Relative error of the shapes, in units of 2^-53.
    pub roundings: f64,
    /// The least shape that is not 0; ∞ if all are.
    pub least: f64,
    /// The greatest shape.
    pub greatest: f64,
    /// Which values would be too close to call, if all are plain ones.
    pub window: Option<Window>,
}

/// A track over the columns of its stage.
#[derive(Clone, Copy, Debug)]
pub struct TrackColumns {
    /// Its first run in [`Pattern::runs`].
    pub first: usize,
    /// The run after its last.
    pub end: usize,
    /// The track's bounds.
    pub clamp: Clamp,
}

/// A stage over the columns where it is in force.
#[derive(Clone, Copy, Debug)]
pub struct StageColumns {
    /// The first column.
    pub from: usize,
    /// The column after the last.
    pub to: usize,
    /// Its first track in [`Pattern::tracks`]; their shapes lie in the same order.
    pub first: usize,
    /// The track after its last.
    pub end: usize,
    /// Whether the tracks are added up; otherwise they are multiplied.
    pub summed: bool,
    /// Multiplies the product of the tracks, or the sum.
    pub scale: f64,
    /// Added to it.
    pub offset: f64,
    /// The stage's bounds.
    pub clamp: Clamp,
    /// Whether its value is just that of its one track.
    pub plain: bool,
}

/// Shapes per track and column, and in which segments they stand.
#[derive(Debug)]
pub struct Pattern {
    program: Option<PackedProgram>,
    timing: Vec<PackedSegment>,
    usable: bool,
    /// The stages, in the order of columns.
    pub stages: Vec<StageColumns>,
    /// Their tracks.
    pub tracks: Vec<TrackColumns>,
    /// The runs of each track, in the order of columns.
    pub runs: Vec<Run>,
    /// Shapes of the first, second … track of whatever stage is in force at a column.
    pub shapes: [[f64; WIDTH]; MAX_TRACKS],
}

impl Pattern {
    /// The pattern of no schedule yet.
    pub fn new() -> Self {
        Self {
            program: None,
            timing: Vec::new(),
            usable: false,
            stages: Vec::new(),
            tracks: Vec::new(),
            runs: Vec::new(),
            shapes: [[0.0; WIDTH]; MAX_TRACKS],
        }
    }

    /// Whether it is that of a schedule, whose segments are given.
    #[inline(always)]
    fn is_of(&self, program: &PackedProgram, segments: &[PackedSegment]) -> bool {
        let Some(own) = &self.program else { return false };
        let same = own.quantum == program.quantum
            && own.stage_first == program.stage_first
            && own.stage_count == program.stage_count
            && self.timing.len() == segments.len();
        // A loop, since a closure may be compiled without the caller's instructions.
        let mut index = 0;
        while same && index < segments.len() {
            if !same_timing(&self.timing[index], &segments[index]) {
                return false;
            }
            index += 1;
        }
        same
    }

    /// Whether rows can be evaluated from it.
    #[inline(always)]
    pub fn is_usable(&self) -> bool {
        self.usable
    }

    /// Gets it ready for values of a type.
    #[inline(always)]
    pub fn prepare<T: Rounded>(&mut self) {
        for run in &mut self.runs {
            run.window = Window::of_units::<T, f64>(run.roundings + VALUE_ROUNDINGS);
        }
    }

    /// Makes it the pattern of a schedule.
    #[inline(always)]
    pub fn build<const FUSED: bool>(
        &mut self,
        batch: &Batch,
        program: &PackedProgram,
        segments: &[PackedSegment],
        steps: &StepColumns,
    ) {
        self.program = Some(*program);
        self.timing.clear();
        self.timing.extend_from_slice(segments);
        self.stages.clear();
        self.tracks.clear();
        self.runs.clear();
        self.usable = program.segment_count <= MOST_SEGMENTS && self.lay_out::<FUSED>(batch, program, segments, steps);
    }

    /// Lays stages, tracks and runs out over the columns; false where that takes more than `f64`.
    #[inline(always)]
    fn lay_out<const FUSED: bool>(
        &mut self,
        batch: &Batch,
        program: &PackedProgram,
        segments: &[PackedSegment],
        steps: &StepColumns,
    ) -> bool {
        let clock = integer(program.quantum) as f64;
        if clock == 1.0 {
            return self.lay_out_stages::<FUSED>(batch, program, segments, steps);
        }
        if steps.largest >= DIVISIBLE {
            return false;
        }
        let mut ticks = steps.clone();
        for tick in &mut ticks.steps {
            *tick = divide::<FUSED>(*tick, clock).0;
        }
        ticks.largest = divide::<FUSED>(steps.largest, clock).0;
        self.lay_out_stages::<FUSED>(batch, program, segments, &ticks)
    }

    #[inline(always)]
    fn lay_out_stages<const FUSED: bool>(
        &mut self,
        batch: &Batch,
        program: &PackedProgram,
        segments: &[PackedSegment],
        ticks: &StepColumns,
    ) -> bool {
        let first = program.stage_first as usize;
        let stages = &batch.stages()[first..first + program.stage_count as usize];
        let mut from = 0;
        while from < ticks.count {
            let (stage, to) = stage_run(stages, ticks, from);
            if !self.lay_out_stage::<FUSED>(batch, &stages[stage], segments, ticks, from..to) {
                return false;
            }
            from = to;
        }
        true
    }

    #[inline(always)]
    fn lay_out_stage<const FUSED: bool>(
        &mut self,
        batch: &Batch,
        stage: &PackedStage,
        segments: &[PackedSegment],
        ticks: &StepColumns,
        columns: Range<usize>,
    ) -> bool {
        let first = self.tracks.len();
        let track_first = stage.track_first as usize;
        let tracks = &batch.tracks()[track_first..track_first + stage.track_count as usize];
        if tracks.len() > MAX_TRACKS {
            return false;
        }
        let mut plain = tracks.len() == 1 && stage.clamped == 0;
        for (index, track) in tracks.iter().enumerate() {
            let run_first = self.runs.len();
            let Some(time) = TrackTime::new(stage, track, ticks) else { return false };
            if !self.lay_out_track::<FUSED>(index, track, segments, &time, columns.clone()) {
                return false;
            }
            let clamped = track.clamped != 0;
            plain &= !clamped;
            let clamp = if clamped { track.clamp() } else { Clamp::NONE };
            self.tracks.push(TrackColumns { first: run_first, end: self.runs.len(), clamp });
        }
        let (scale, offset) = (exact_number(stage.scale), exact_number(stage.offset));
        let (scale, offset) = (scale.0 + scale.1, offset.0 + offset.1);
        self.stages.push(StageColumns {
            from: columns.start,
            to: columns.end,
            first,
            end: self.tracks.len(),
            summed: stage.summed != 0,
            scale,
            offset,
            clamp: if stage.clamped == 0 { Clamp::NONE } else { stage.clamp() },
            plain: plain && scale == 1.0 && offset == 0.0,
        });
        true
    }

    #[inline(always)]
    fn lay_out_track<const FUSED: bool>(
        &mut self,
        index: usize,
        track: &PackedTrack,
        segments: &[PackedSegment],
        time: &TrackTime<'_>,
        columns: Range<usize>,
    ) -> bool {
        let first = track.segment_first as usize;
        let own = &segments[first..first + track.segment_count as usize];
        let mut column = columns.start;
        while column < columns.end {
            let (segment, end) = segment_run::<FUSED>(own, time, column..columns.end);
            let run = shape_run::<FUSED>(&own[segment], time, column..end, &mut self.shapes[index]);
            let Some(run) = run else { return false };
            self.runs.push(Run { segment: first + segment, ..run });
            column = end;
        }
        true
    }
}

/// The patterns of the last few timings, in the order in which they came.
#[derive(Debug)]
pub struct Patterns {
    slots: [Option<Box<Pattern>>; SLOTS],
    /// Where the last row's is.
    last: usize,
}

impl Patterns {
    /// None yet.
    pub fn new() -> Self {
        Self { slots: [const { None }; SLOTS], last: SLOTS - 1 }
    }

    /// Forgets the patterns, though not their memory: the steps have changed.
    pub fn forget(&mut self) {
        for pattern in self.slots.iter_mut().flatten() {
            pattern.program = None;
        }
        self.last = SLOTS - 1;
    }

    /// Turns to the pattern of a schedule, or to where it may be built; whether it is there.
    #[inline(always)]
    pub fn turn_to(&mut self, program: &PackedProgram, segments: &[PackedSegment]) -> bool {
        // Mostly the row before had the same.
        if self.has(self.last, program, segments) {
            return true;
        }
        // The timings of a sweep come round in the order in which they came first.
        let next = (self.last + 1) % SLOTS;
        let used = self.slots[next].as_ref().is_some_and(|pattern| pattern.program.is_some());
        let around = if used { next } else { 0 };
        let known = self.has(around, program, segments);
        self.last = if known { around } else { next };
        known
    }

    #[inline(always)]
    fn has(&self, slot: usize, program: &PackedProgram, segments: &[PackedSegment]) -> bool {
        match &self.slots[slot] {
            Some(pattern) => pattern.is_of(program, segments),
            None => false,
        }
    }

    /// The pattern that was turned to.
    pub fn current(&mut self) -> &mut Pattern {
        self.slots[self.last].get_or_insert_with(|| Box::new(Pattern::new()))
    }
}

/// The stage in force at column `from`, and the column where another takes over.
#[inline(always)]
fn stage_run(stages: &[PackedStage], ticks: &StepColumns, from: usize) -> (usize, usize) {
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
fn segment_run<const FUSED: bool>(
    segments: &[PackedSegment],
    time: &TrackTime<'_>,
    columns: Range<usize>,
) -> (usize, usize) {
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
    let mut positions = time.at::<FUSED>(columns.start);
    let (segment, mut first, mut end) = (segment_at(positions[0]), columns.start, columns.start + 1);
    while end < columns.end {
        if end == first + CHUNK {
            positions = time.at::<FUSED>(end);
            first = end;
        }
        if segment_at(positions[end - first]) != segment {
            break;
        }
        end += 1;
    }
    (segment, end)
}

/// Writes the shapes of a run, and lanes beyond it that the next run overwrites.
#[inline(always)]
fn shape_run<const FUSED: bool>(
    segment: &PackedSegment,
    time: &TrackTime<'_>,
    columns: Range<usize>,
    out: &mut [f64; WIDTH],
) -> Option<Run> {
    let curve = segment.curve();
    let (from, to) = (columns.start, columns.end);
    let run = Run { segment: 0, from, to, roundings: 0.0, least: 1.0, greatest: 1.0, window: None };
    if curve == Curve::Hold {
        out[from..from + (to - from).next_multiple_of(CHUNK)].fill(1.0);
        return Some(run);
    }
    let phases = PhaseCount::new(segment, &curve, time)?;
    let mut roundings = 0.0;
    let mut column = from;
    while column < to {
        let phases = phases.phases::<FUSED>(&time.at::<FUSED>(column));
        let mut chunk = [0.0; CHUNK];
        roundings = shapes::<CHUNK, FUSED>(&curve, &phases, &mut chunk);
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
    let (least, greatest) = extremes(&out[from..column]);
    let usable = least >= SHAPES.0 && greatest <= SHAPES.1;
    usable.then(|| Run { roundings: roundings + rate_roundings(&curve), least, greatest, ..run })
}

/// The least number that is not 0 (∞ if there is none) and the greatest, or NaN if any is one or below zero.
#[inline(always)]
fn extremes(shapes: &[f64]) -> (f64, f64) {
    // Bit patterns are in the order of the numbers, and those below zero and NaN come last.
    let (mut low, mut high) = (u64::MAX, 0);
    for shape in shapes {
        let bits = shape.to_bits();
        // 0 becomes the largest pattern.
        low = low.min(bits.wrapping_sub(1));
        high = high.max(bits);
    }
    let low = if low == u64::MAX { f64::INFINITY } else { f64::from_bits(low + 1) };
    let high = if high <= f64::INFINITY.to_bits() { f64::from_bits(high) } else { f64::NAN };
    (low, high)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::short::steps::StepColumns;
    use crate::packed::Steps;
    use crate::program::{Program, Segment};

    /// How many patterns are built for rows whose timings come round after so many.
    fn built(timings: usize, rows: usize) -> usize {
        let program = |row: usize| {
            let length = 100 + (row % timings) as u64;
            Program::of(vec![Segment::falling(0, length, 1.0 + row as f64, 0.0, Curve::Cosine)])
        };
        let programs: Vec<Program> = (0..rows).map(program).collect();
        let batch = Batch::from_programs(&programs).expect("a small batch");
        let steps = StepColumns::new(&Steps::range(0..40), 0);
        let (mut patterns, mut built) = (Patterns::new(), 0);
        for (program, segment) in batch.programs().iter().zip(batch.segments()) {
            let segments = std::slice::from_ref(segment);
            if !patterns.turn_to(program, segments) {
                patterns.current().build::<false>(&batch, program, segments, &steps);
                built += 1;
            }
            assert!(patterns.current().is_of(program, segments) && patterns.current().is_usable());
        }
        patterns.forget();
        assert!(!patterns.turn_to(&batch.programs()[0], &batch.segments()[..1]));
        built
    }

    #[test]
    fn every_timing_of_a_sweep_is_laid_out_once() {
        for timings in 1..SLOTS {
            assert_eq!(built(timings, 100), timings);
        }
        assert_eq!(built(100, 100), 100);
    }
}
