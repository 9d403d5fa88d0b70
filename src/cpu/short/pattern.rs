//! The shapes of a schedule's curves at every column: what rows of the same timing share.
//!
//! Time is counted in whole `f64` below 2^53, and below 2^51 where it is divided; a schedule that needs more has no
//! pattern.

use crate::curve::Curve;
use crate::packed::{Batch, FLAG_REVERSED, PackedProgram, PackedSegment, PackedStage, PackedTrack, integer};
use crate::program::{Clamp, MAX_TRACKS, Repetition};

use super::parameters::{exact_number, same_timing};
use super::steps::{COLUMNS, StepColumns, WIDTH};
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
        let mut ticks = steps.steps;
        let mut largest = steps.largest;
        if clock != 1.0 {
            if largest >= DIVISIBLE {
                return false;
            }
            for tick in &mut ticks {
                *tick = divide::<FUSED>(*tick, clock).0;
            }
            largest = divide::<FUSED>(largest, clock).0;
        }
        let first = program.stage_first as usize;
        let stages = &batch.stages()[first..first + program.stage_count as usize];
        let mut from = 0;
        while from < steps.count {
            let (stage, to) = stage_run(stages, &ticks, from, steps);
            if !self.lay_out_stage::<FUSED>(batch, &stages[stage], segments, &ticks, largest, from, to, steps.sorted) {
                return false;
            }
            from = to;
        }
        true
    }

    #[expect(clippy::too_many_arguments, reason = "one call, inlined")]
    #[inline(always)]
    fn lay_out_stage<const FUSED: bool>(
        &mut self,
        batch: &Batch,
        stage: &PackedStage,
        segments: &[PackedSegment],
        ticks: &[f64; WIDTH],
        largest: f64,
        from: usize,
        to: usize,
        sorted: bool,
    ) -> bool {
        let first = self.tracks.len();
        let track_first = stage.track_first as usize;
        let tracks = &batch.tracks()[track_first..track_first + stage.track_count as usize];
        if tracks.len() > MAX_TRACKS {
            return false;
        }
        let mut plain = tracks.len() == 1 && stage.clamped == 0;
        for (index, track) in tracks.iter().enumerate() {
            let shift = integer(track.advance) as f64 - integer(stage.start) as f64;
            if integer(track.advance) as f64 + largest >= WHOLE {
                return false;
            }
            let mut positions = [0.0; WIDTH];
            for column in 0..WIDTH {
                positions[column] = ticks[column] + shift;
            }
            let repetition = track.repetition();
            if repetition != Repetition::None {
                if largest + integer(track.advance) as f64 >= DIVISIBLE {
                    return false;
                }
                fold::<FUSED>(repetition, &mut positions);
            }
            let sorted = sorted && repetition == Repetition::None;
            let (run_first, clamped) = (self.runs.len(), track.clamped != 0);
            if !self.lay_out_track::<FUSED>(index, track, segments, &positions, largest, from, to, sorted) {
                return false;
            }
            plain &= !clamped;
            let clamp = if clamped { track.clamp() } else { Clamp::NONE };
            self.tracks.push(TrackColumns { first: run_first, end: self.runs.len(), clamp });
        }
        let (scale, offset) = (exact_number(stage.scale), exact_number(stage.offset));
        let (scale, offset) = (scale.0 + scale.1, offset.0 + offset.1);
        self.stages.push(StageColumns {
            from,
            to,
            first,
            end: self.tracks.len(),
            scale,
            offset,
            clamp: if stage.clamped == 0 { Clamp::NONE } else { stage.clamp() },
            plain: plain && scale == 1.0 && offset == 0.0,
        });
        true
    }

    #[expect(clippy::too_many_arguments, reason = "one call, inlined")]
    #[inline(always)]
    fn lay_out_track<const FUSED: bool>(
        &mut self,
        index: usize,
        track: &PackedTrack,
        segments: &[PackedSegment],
        positions: &[f64; WIDTH],
        largest: f64,
        from: usize,
        to: usize,
        sorted: bool,
    ) -> bool {
        let first = track.segment_first as usize;
        let own = &segments[first..first + track.segment_count as usize];
        let mut column = from;
        while column < to {
            let (segment, end) = segment_run(own, positions, column, to, sorted);
            let run = Run {
                segment: first + segment,
                from: column,
                to: end,
                roundings: 0.0,
                least: f64::INFINITY,
                greatest: 0.0,
                window: None,
            };
            // The steps of a track's clock are no more than its stage's and the advance.
            let most = largest + integer(track.advance) as f64;
            let run = if end - column <= 16 {
                shape_run::<16, FUSED>(&own[segment], positions, most, run, &mut self.shapes[index])
            } else {
                shape_run::<COLUMNS, FUSED>(&own[segment], positions, most, run, &mut self.shapes[index])
            };
            let Some(run) = run else { return false };
            self.runs.push(run);
            column = end;
        }
        true
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

/// As [`Repetition::fold`].
#[inline(always)]
fn fold<const FUSED: bool>(repetition: Repetition, positions: &mut [f64; WIDTH]) {
    match repetition {
        Repetition::None => {}
        Repetition::Restart { period } => {
            let period = period as f64;
            for position in positions {
                *position = divide::<FUSED>(*position, period).1;
            }
        }
        Repetition::Reflect { period } => {
            let period = period as f64;
            for position in positions {
                let rest = divide::<FUSED>(*position, 2.0 * period).1;
                *position = if rest <= period { rest } else { 2.0 * period - rest };
            }
        }
    }
}

/// The stage in force at column `from`, and the column where another takes over.
#[inline(always)]
fn stage_run(stages: &[PackedStage], ticks: &[f64; WIDTH], from: usize, steps: &StepColumns) -> (usize, usize) {
    if stages.len() == 1 {
        return (0, steps.count);
    }
    let stage_at = |tick: f64| stages.partition_point(|stage| integer(stage.start) as f64 <= tick).max(1) - 1;
    let stage = stage_at(ticks[from]);
    let mut to = from + 1;
    while to < steps.count && stage_at(ticks[to]) == stage {
        to += 1;
    }
    (stage, to)
}

/// The segment in force at a column, and the column before `to` where another takes over.
#[inline(always)]
fn segment_run(
    segments: &[PackedSegment],
    positions: &[f64; WIDTH],
    from: usize,
    to: usize,
    sorted: bool,
) -> (usize, usize) {
    if segments.len() == 1 {
        return (0, to);
    }
    let segment_at =
        |position: f64| segments.partition_point(|segment| integer(segment.start) as f64 <= position).max(1) - 1;
    let segment = segment_at(positions[from]);
    if !sorted {
        let mut end = from + 1;
        while end < to && segment_at(positions[end]) == segment {
            end += 1;
        }
        return (segment, end);
    }
    let Some(next) = segments.get(segment + 1) else { return (segment, to) };
    let start = integer(next.start) as f64;
    let mut before = 0_u64;
    for position in &positions[..COLUMNS] {
        before += u64::from(*position < start);
    }
    (segment, (before as usize).clamp(from + 1, to))
}

/// Writes the shapes of a run, and lanes beyond it that the next run overwrites.
#[inline(always)]
fn shape_run<const N: usize, const FUSED: bool>(
    segment: &PackedSegment,
    positions: &[f64; WIDTH],
    most: f64,
    run: Run,
    out: &mut [f64; WIDTH],
) -> Option<Run> {
    let curve = segment.curve();
    let Some(out) = out[run.from..].first_chunk_mut::<N>() else { return None };
    if curve == Curve::Hold {
        *out = [1.0; N];
        return Some(Run { least: 1.0, greatest: 1.0, ..run });
    }
    let Some(positions) = positions[run.from..].first_chunk::<N>() else { return None };
    let (start, length) = (integer(segment.start) as f64, integer(segment.length) as f64);
    let (quantum, origin) = (integer(segment.quantum) as f64, integer(segment.origin) as f64);
    let reversed = segment.kind & FLAG_REVERSED != 0;
    if origin + most >= WHOLE * 2.0 || (quantum != 1.0 && most >= DIVISIBLE) {
        return None;
    }
    let mut counts = [0.0; N];
    for lane in 0..N {
        counts[lane] = positions[lane] - start;
    }
    if quantum != 1.0 {
        for count in &mut counts {
            *count = divide::<FUSED>(*count, quantum).0;
        }
    }
    for count in &mut counts {
        let moved = if *count < length { *count } else { length };
        let back = if moved < origin { origin - moved } else { 0.0 };
        *count = if reversed { back } else { origin + moved };
    }
    let (rate, rest) = rate(segment, &curve);
    let mut phases = Phases { high: [0.0; N], low: [0.0; N] };
    for lane in 0..N {
        let high = counts[lane] * rate;
        let low = multiply_add::<FUSED>(counts[lane], rest, product_rest::<FUSED>(counts[lane], rate, high));
        phases.high[lane] = high + low;
        phases.low[lane] = low - (phases.high[lane] - high);
    }
    let roundings = shapes::<N, FUSED>(&curve, &phases, out) + rate_roundings(&curve);
    // Shapes are never below zero, so their bit patterns are in their order, and NaN comes last.
    let (mut least, mut greatest, mut lost) = (u64::MAX, 0, 0_u64);
    let count = (run.to - run.from) as u64;
    for lane in 0..N {
        let bits = out[lane].to_bits();
        let inside = (lane as u64) < count;
        let zero = bits == 0;
        least = least.min(if inside && !zero { bits } else { u64::MAX });
        greatest = greatest.max(if inside { bits } else { 0 });
        lost |= u64::from(inside && zero && phases.high[lane] != 0.0);
    }
    let least = if least == u64::MAX { f64::INFINITY } else { f64::from_bits(least) };
    let usable = lost == 0 && least >= SHAPES.0 && greatest <= SHAPES.1.to_bits();
    usable.then(|| Run { roundings, least, greatest: f64::from_bits(greatest), ..run })
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
