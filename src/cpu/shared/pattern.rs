//! The shapes of a schedule's curves over a block of columns: what rows of the same timing share.

use std::ops::Range;

use bytemuck::cast_slice;

use crate::cpu::rounding::Rounded;
use crate::cpu::simd::{Level, NARROW_LINE, Simd};
use crate::cpu::working::Window;
use crate::packed::{Batch, PackedHeight, PackedProgram, PackedSegment, PackedStage, PackedTrack, integer};
use crate::program::{Clamp, MAX_TRACKS};

use super::extent::Extent;
use super::parameters::{Row, numbers, same_timings};
use super::pieces::{Piece, TrackPiece, append};
use super::runs::{has_long_stairs, segment_run, shape_run, stage_run};
use super::steps::{CHUNK, COLUMNS, StepColumns};
use super::time::{DIVISIBLE, TrackTime, divide};
use super::whole_row::WholeRow;

/// A schedule of more segments is evaluated one span at a time.
const MOST_SEGMENTS: u32 = 32;

/// Where the values lie that all rows share, behind the shapes of the tracks.
pub const COMPOSED: usize = MAX_TRACKS;

/// What a row has of its own of a stage, and its bounds.
#[derive(Clone, Copy, Debug)]
pub struct StageValues {
    /// Whether the tracks are added up; otherwise they are multiplied.
    pub summed: bool,
    /// Where scale and offset are among a row's heights, if they are not 1 and 0.
    pub height: Option<usize>,
    /// Multiplies the product of the tracks, or the sum.
    pub scale: f64,
    /// Added to it.
    pub offset: f64,
    /// The stage's bounds.
    pub clamp: Clamp,
    /// The tracks' bounds.
    pub track_clamps: [Clamp; MAX_TRACKS],
    /// Whether there are any bounds.
    pub clamped: bool,
}

impl StageValues {
    /// Those of a stage.
    fn new(batch: &Batch, stage: &PackedStage, heights: &[PackedHeight]) -> Self {
        let mut track_clamps = [Clamp::NONE; MAX_TRACKS];
        let mut clamped = stage.clamped != 0;
        for (clamp, track) in track_clamps.iter_mut().zip(batch.tracks_of(stage)) {
            if track.clamped != 0 {
                (*clamp, clamped) = (track.clamp(), true);
            }
        }
        let alike = Self {
            summed: stage.summed != 0,
            height: (stage.scaled != 0).then_some(stage.height as usize),
            scale: 1.0,
            offset: 0.0,
            clamp: if stage.clamped == 0 { Clamp::NONE } else { stage.clamp() },
            track_clamps,
            clamped,
        };
        alike.of_row(heights)
    }

    /// The same bounds, with the numbers of a row of these heights.
    #[inline(always)]
    pub fn of_row(self, heights: &[PackedHeight]) -> Self {
        let (scale, offset) = self.numbers(heights);
        Self { scale, offset, ..self }
    }

    /// Scale and offset of such a row.
    #[inline(always)]
    pub fn numbers(&self, heights: &[PackedHeight]) -> (f64, f64) {
        match self.height {
            Some(index) => {
                let (offset, scale) = numbers(&heights[index]);
                (scale, offset)
            }
            None => (1.0, 0.0),
        }
    }
}

/// Whether the values that all tracks make together are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Composed {
    /// Not yet: most sweeps have no use for them.
    NotYet,
    /// They are.
    Ready,
    /// They would save nothing, or take more than `f64`.
    Useless,
}

/// Shapes per track and column, and the pieces in which they hang together.
#[derive(Debug)]
pub struct Pattern {
    program: Option<PackedProgram>,
    /// The schedule that it was made for.
    pub schedule: usize,
    segments: Vec<PackedSegment>,
    heights: Vec<PackedHeight>,
    usable: bool,
    /// How many shapes there are of a track: those of the columns, and what a run may spill into.
    lanes: usize,
    /// The numbers of the schedule that it was made for, stage by stage.
    pub stages: Vec<StageValues>,
    /// Runs of columns, in their order.
    pieces: Vec<Piece>,
    /// Whether [`Pattern::composed_pieces`] are there.
    pub composed: Composed,
    /// The same for rows of the same heights.
    composed_pieces: Vec<Piece>,
    /// All pieces of a short row.
    pub whole: WholeRow,
    /// Shapes of the first, second … track of whatever stage is in force at a column; then the values of all together.
    pub shapes: [Vec<f64>; MAX_TRACKS + 1],
    /// The same in `f32`, where those decide most values.
    pub narrow_shapes: [Vec<f32>; MAX_TRACKS + 1],
}

impl Pattern {
    /// The pattern of no schedule yet.
    pub fn new() -> Self {
        Self {
            program: None,
            schedule: 0,
            segments: Vec::new(),
            heights: Vec::new(),
            usable: false,
            lanes: 0,
            stages: Vec::new(),
            pieces: Vec::new(),
            composed: Composed::NotYet,
            composed_pieces: Vec::new(),
            whole: WholeRow::default(),
            shapes: [const { Vec::new() }; MAX_TRACKS + 1],
            narrow_shapes: [const { Vec::new() }; MAX_TRACKS + 1],
        }
    }

    /// Whether it is that of a schedule.
    #[inline(always)]
    pub fn is_of(&self, row: Row<'_>) -> bool {
        let Some(program) = &self.program else { return false };
        same_timings(Row { program, segments: &self.segments, heights: &self.heights }, row)
    }

    /// Whether a schedule of this pattern has the very heights of its segments, too.
    #[inline(always)]
    pub fn has_heights(&self, row: Row<'_>) -> bool {
        let own = &self.heights[..self.segments.len()];
        cast_slice::<_, u8>(own) == cast_slice::<_, u8>(row.segment_heights())
    }

    /// Whether rows can be evaluated from it.
    #[inline(always)]
    pub fn is_usable(&self) -> bool {
        self.usable
    }

    /// The pieces that a schedule of this pattern takes.
    #[inline(always)]
    pub fn pieces_of(&self, row: Row<'_>) -> &[Piece] {
        let composed = self.composed == Composed::Ready && self.has_heights(row);
        if composed { &self.composed_pieces } else { &self.pieces }
    }

    /// Gets it ready for whole short rows.
    pub fn prepare_whole<T: Rounded>(&mut self) {
        let pieces = if self.composed == Composed::Ready { &self.composed_pieces } else { &self.pieces };
        self.whole.prepare::<T>(pieces, &self.stages, &self.shapes);
    }

    /// Gets it ready for values of a type.
    #[inline(always)]
    pub fn prepare<T: Rounded>(&mut self, level: Level) {
        for piece in self.pieces.iter_mut().chain(&mut self.composed_pieces) {
            let units = piece.roundings();
            piece.window = Window::of_units::<T, f64>(units).map(|window| (window, units));
        }
        if T::IS_NARROW && level.has_lines() {
            for (narrow, shapes) in self.narrow_shapes.iter_mut().zip(&self.shapes) {
                narrow.clear();
                narrow.extend(shapes.iter().map(|shape| *shape as f32));
                // A line may reach beyond the lanes.
                narrow.resize(shapes.len() + NARROW_LINE, 0.0);
            }
        }
    }

    /// Makes it the pattern of a schedule over the steps of a block.
    #[inline(always)]
    pub fn build<S: Simd>(&mut self, batch: &Batch, row: Row<'_>, steps: &[StepColumns]) {
        let Row { program, segments, heights } = row;
        self.program = Some(*program);
        self.segments.clear();
        self.segments.extend_from_slice(segments);
        self.heights.clear();
        self.heights.extend_from_slice(heights);
        self.stages.clear();
        for stage in batch.stages_of(program) {
            self.stages.push(StageValues::new(batch, stage, heights));
        }
        self.pieces.clear();
        self.composed_pieces.clear();
        self.whole.prepared = false;
        self.lanes = steps.len() * COLUMNS + CHUNK;
        self.usable = program.segment_count <= MOST_SEGMENTS;
        for (index, ticks) in steps.iter().enumerate() {
            self.usable = self.usable && self.lay_out::<S>(batch, program, segments, ticks, index * COLUMNS);
        }
        let moving = |piece: &Piece| piece.tracks[..piece.count].iter().filter(|track| track.still.is_none()).count();
        let useful = self.usable && (self.pieces.len() > 1 || self.pieces.iter().any(|piece| moving(piece) > 1));
        self.composed = if useful { Composed::NotYet } else { Composed::Useless };
    }

    /// Lays pieces out over columns, from column `at` of the block on; false where that takes more than `f64`.
    #[inline(always)]
    fn lay_out<S: Simd>(
        &mut self,
        batch: &Batch,
        program: &PackedProgram,
        segments: &[PackedSegment],
        steps: &StepColumns,
        at: usize,
    ) -> bool {
        let clock = batch.stages_of(program).first().map_or(1.0, |stage| integer(stage.quantum) as f64);
        if clock == 1.0 {
            return self.lay_out_ticks::<S>(batch, program, segments, steps, at);
        }
        if steps.largest >= DIVISIBLE {
            return false;
        }
        let mut ticks = steps.clone();
        for tick in &mut ticks.steps {
            *tick = divide::<S>(*tick, clock).0;
        }
        ticks.largest = divide::<S>(steps.largest, clock).0;
        self.lay_out_ticks::<S>(batch, program, segments, &ticks, at)
    }

    /// The same, by the program's clock.
    #[inline(always)]
    fn lay_out_ticks<S: Simd>(
        &mut self,
        batch: &Batch,
        program: &PackedProgram,
        segments: &[PackedSegment],
        ticks: &StepColumns,
        at: usize,
    ) -> bool {
        let stages = batch.stages_of(program);
        let mut from = 0;
        while from < ticks.count {
            let (stage, to) = stage_run(stages, ticks, from);
            let tracks = batch.tracks_of(&stages[stage]);
            if tracks.len() > MAX_TRACKS {
                return false;
            }
            let mut next = from;
            let mut runs = [(TrackPiece::NONE, from); MAX_TRACKS];
            let mut times = [const { None }; MAX_TRACKS];
            for (time, track) in times.iter_mut().zip(tracks) {
                *time = TrackTime::new(&stages[stage], track, ticks);
            }
            while next < to {
                let mut end = to;
                for (index, track) in tracks.iter().enumerate() {
                    let Some(time) = &times[index] else { return false };
                    if runs[index].1 <= next {
                        let Some(run) = self.lay_out_run::<S>(index, track, segments, time, next..to, at) else {
                            return false;
                        };
                        runs[index] = run;
                    }
                    end = end.min(runs[index].1);
                }
                let mut piece = Piece {
                    from: at + next,
                    to: at + end,
                    stage,
                    count: tracks.len(),
                    tracks: [TrackPiece::NONE; MAX_TRACKS],
                    window: None,
                };
                for (slot, (track, _)) in piece.tracks.iter_mut().zip(&runs[..tracks.len()]) {
                    *slot = *track;
                }
                append(&mut self.pieces, piece);
                next = end;
            }
            from = to;
        }
        true
    }

    /// Lays the first run of a track out over columns, and tells where it ends.
    #[inline(always)]
    fn lay_out_run<S: Simd>(
        &mut self,
        index: usize,
        track: &PackedTrack,
        segments: &[PackedSegment],
        time: &TrackTime<'_>,
        columns: Range<usize>,
        at: usize,
    ) -> Option<(TrackPiece, usize)> {
        let first = track.segment_first as usize;
        let own = &segments[first..first + track.segment_count as usize];
        let (segment, end) = segment_run::<S>(own, time, columns.clone());
        let shapes = &mut self.shapes[index];
        if shapes.is_empty() {
            shapes.resize(self.lanes, 0.0);
        }
        let mut run = columns.start..end;
        let mut extent = shape_run::<S>(&own[segment], time, run.clone(), &mut shapes[at..at + COLUMNS + CHUNK])?;
        let value = shapes[at + run.start];
        // Stairs of many columns are each worth a piece, of which this may be the end.
        let stair = has_long_stairs(&own[segment], time);
        if stair && !extent.is_flat() {
            let same = shapes[at + run.start..at + run.end].iter().take_while(|shape| **shape == value).count();
            run.end = run.start + same;
            extent = Extent { roundings: extent.roundings, ..Extent::of(value) };
        }
        // Of a few columns anything else is not.
        let flat = (stair || run.len() >= CHUNK) && extent.is_flat();
        let still = flat.then_some(value);
        let end = run.end;
        Some((TrackPiece { segment: Some(first + segment), shapes: index, extent, still }, end))
    }

    /// Puts all tracks together, if the second schedule of this pattern has the very same ones: then all others may.
    #[inline(always)]
    pub fn compose<S: Simd>(&mut self, row: Row<'_>) {
        let composed = self.has_heights(row) && self.compose_pieces::<S>();
        self.composed = if composed { Composed::Ready } else { Composed::Useless };
    }

    #[inline(always)]
    fn compose_pieces<S: Simd>(&mut self) -> bool {
        if self.shapes[COMPOSED].is_empty() {
            self.shapes[COMPOSED].resize(self.lanes, 0.0);
        }
        let (shapes, composed) = self.shapes.split_at_mut(COMPOSED);
        for piece in &self.pieces {
            let stage = &self.stages[piece.stage];
            let Some(whole) = piece.composed::<S>(stage, &self.heights, shapes, &mut composed[0]) else {
                return false;
            };
            append(&mut self.composed_pieces, whole);
        }
        true
    }
}
