//! The shapes of a schedule's curves at every column: what rows of the same timing share.
//!
//! Time is counted in whole `f64` below 2^53, and below 2^51 where it is divided; a schedule that needs more has no
//! pattern.

use std::ops::Range;

use crate::curve::Curve;
use crate::packed::{Batch, FLAG_REVERSED, PackedProgram, PackedSegment, PackedStage, PackedTrack, integer};
use crate::program::{Clamp, MAX_TRACKS, Repetition};

use super::parameters::{exact_number, same_timing};
use super::steps::{CHUNK, COLUMNS, StepColumns, WIDTH};
use crate::cpu::lanes::{Phases, multiply_add, nearest_integer, product_rest, shapes};
use crate::cpu::rounding::Rounded;
use crate::cpu::working::Window;

/// Time below this is a whole `f64`, and so is a sum of two.
const WHOLE: f64 = (1_u64 << 52) as f64;

/// Quotients below this can be rounded to whole numbers.
const DIVISIBLE: f64 = (1_u64 << 51) as f64;

/// A schedule of more segments is evaluated one span at a time.
const MOST_SEGMENTS: u32 = 32;

/// Shapes outside of this, other than 0, may have lost digits.
const SHAPES: (f64, f64) = (1e-280, 1e250);

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
    /// Multiplies the product of the tracks.
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

    /// Forgets the schedule: the steps have changed.
    pub fn clear(&mut self) {
        self.program = None;
    }

    /// Whether it is that of a schedule, whose segments are given.
    #[inline(always)]
    pub fn is_of(&self, program: &PackedProgram, segments: &[PackedSegment]) -> bool {
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

/// How a track's clock reads at the columns.
struct TrackTime<'a> {
    ticks: &'a StepColumns,
    /// What the track's clock, not folded yet, is ahead of the program's.
    ahead: f64,
    repetition: Repetition,
    /// The most it reads.
    largest: f64,
}

impl<'a> TrackTime<'a> {
    /// The time of a stage's track; nothing where it is more than `f64` can tell.
    #[inline(always)]
    fn new(stage: &PackedStage, track: &PackedTrack, ticks: &'a StepColumns) -> Option<Self> {
        let advance = integer(track.advance) as f64;
        let ahead = advance - integer(stage.start) as f64;
        let repetition = track.repetition();
        let largest = ticks.largest + advance;
        let most = if repetition == Repetition::None { WHOLE } else { DIVISIBLE };
        if largest < most { Some(Self { ticks, ahead, repetition, largest }) } else { None }
    }

    /// The track's clock at some columns, folded as [`Repetition::fold`] does.
    #[inline(always)]
    fn at<const FUSED: bool>(&self, column: usize) -> [f64; CHUNK] {
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
                    *time = divide::<FUSED>(*time, period).1;
                }
            }
            Repetition::Reflect { period } => {
                let period = period as f64;
                for time in &mut times {
                    let rest = divide::<FUSED>(*time, 2.0 * period).1;
                    *time = if rest <= period { rest } else { 2.0 * period - rest };
                }
            }
        }
        times
    }
}

/// Quotient and remainder of whole numbers, the first below [`DIVISIBLE`].
#[inline(always)]
fn divide<const FUSED: bool>(time: f64, by: f64) -> (f64, f64) {
    let (nearest, _) = nearest_integer(time / by);
    // Whole and small enough to be exact, rounded once or twice.
    let rest = multiply_add::<FUSED>(-nearest, by, time);
    let over = rest < 0.0;
    (if over { nearest - 1.0 } else { nearest }, if over { rest + by } else { rest })
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

/// How a segment's phase goes with its track's clock.
struct PhaseCount {
    start: f64,
    length: f64,
    quantum: f64,
    origin: f64,
    reversed: bool,
    rate: (f64, f64),
}

impl PhaseCount {
    /// That of a segment; nothing where a count is more than `f64` can tell.
    #[inline(always)]
    fn new(segment: &PackedSegment, curve: &Curve, time: &TrackTime<'_>) -> Option<Self> {
        let (quantum, origin) = (integer(segment.quantum) as f64, integer(segment.origin) as f64);
        let known = origin + time.largest < 2.0 * WHOLE && (quantum == 1.0 || time.largest < DIVISIBLE);
        if !known {
            return None;
        }
        Some(Self {
            start: integer(segment.start) as f64,
            length: integer(segment.length) as f64,
            quantum,
            origin,
            reversed: segment.kind & FLAG_REVERSED != 0,
            rate: rate(segment, curve),
        })
    }

    /// The phases at some times.
    #[inline(always)]
    fn phases<const FUSED: bool>(&self, times: &[f64; CHUNK]) -> Phases<CHUNK> {
        let mut counts = [0.0; CHUNK];
        for lane in 0..CHUNK {
            counts[lane] = times[lane] - self.start;
        }
        if self.quantum != 1.0 {
            for count in &mut counts {
                *count = divide::<FUSED>(*count, self.quantum).0;
            }
        }
        let mut phases = Phases { high: [0.0; CHUNK], low: [0.0; CHUNK] };
        for lane in 0..CHUNK {
            let moved = if counts[lane] < self.length { counts[lane] } else { self.length };
            let back = if moved < self.origin { self.origin - moved } else { 0.0 };
            let count = if self.reversed { back } else { self.origin + moved };
            let high = count * self.rate.0;
            let low = multiply_add::<FUSED>(count, self.rate.1, product_rest::<FUSED>(count, self.rate.0, high));
            phases.high[lane] = high + low;
            phases.low[lane] = low - (phases.high[lane] - high);
        }
        phases
    }
}

/// The phase per count as a sum of two.
#[inline(always)]
fn rate(segment: &PackedSegment, curve: &Curve) -> (f64, f64) {
    match *curve {
        Curve::Power { warp, .. } | Curve::CosinePower { warp, .. } if warp != 1.0 => {
            let rate = segment.full_rate();
            (rate.high(), rate.low())
        }
        _ => exact_number(segment.rate),
    }
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
