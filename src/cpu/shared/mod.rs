//! Rows that share their timing: in a sweep most rows differ from their neighbours in values only.
//!
//! The shapes of a schedule's curves over a block of columns are a **pattern**. A row costs its numbers, read straight
//! from the packed tables, and two operations a value. Short rows go this way whether they share a pattern or not.

mod closely;
mod extent;
mod parameters;
mod pattern;
mod patterns;
mod pieces;
mod rounding;
mod runs;
mod steps;
mod time;

use std::ops::Range;

use rayon::prelude::*;

use crate::packed::{Batch, PackedProgram, PackedSegment, Steps};
use crate::program::Program;

use super::dispatch::{Kernel, stream, touch_pages};
use super::rounding::Rounded;
use super::row::fill_columns;
use super::smooth::value_at;
use super::writer::Writer;
use closely::fill_closely;
use pattern::{Composed, Pattern, stages};
use patterns::{Patterns, SLOTS};
use pieces::{Piece, Plain, Values};
use rounding::{GROUP, Line, Rounding};
use steps::{BLOCK, CHUNK, COLUMNS, PIECE, StepColumns};

/// Longer rows are worth a setup of their own where few share a pattern.
const MOST_COLUMNS: usize = 512;

/// How many long rows must share a pattern to be worth it.
const FEWEST_SHARING: usize = 16;

/// Values that are staged at a time.
const STAGED: usize = 16 * COLUMNS;

/// Fewer columns that meet a bound or cancel are evaluated in lanes, more as a long row's.
const FEWEST_IN_SPANS: usize = 2 * COLUMNS;

/// How many rows of so many columns go together, where a task has about `values` values.
pub fn rows_together(columns: usize, values: usize) -> usize {
    // The shapes of a block of columns are to be shared by many rows.
    let values = if columns > COLUMNS { values.saturating_mul(16) } else { values };
    (values / columns.min(BLOCK)).max(1)
}

/// Whether rows are best evaluated from patterns.
pub fn is_worth_it<T: Rounded>(batch: &Batch, rows: Range<usize>, steps: &Steps) -> bool {
    // Steps that are just listed have no spans.
    let short = steps.len() <= MOST_COLUMNS || steps.progression().is_none();
    // Types of 16 bits are rounded faster from the `f32` lanes of a row's own pieces.
    T::FROM_F64 && (short || (T::SHARES_LONG_ROWS && share_patterns(batch, rows)))
}

/// Whether so many rows have so few timings that long ones are worth it.
fn share_patterns(batch: &Batch, rows: Range<usize>) -> bool {
    let most = (rows.len() / FEWEST_SHARING).min(SLOTS);
    let mut known: Vec<(PackedProgram, &[PackedSegment])> = Vec::new();
    for row in rows {
        let (program, segments) = row_of(batch, row);
        let like = |(other, others): &(PackedProgram, &[PackedSegment])| {
            parameters::same_timings(batch, (program, segments), (other, others))
        };
        if !known.iter().any(like) {
            if known.len() == most {
                return false;
            }
            known.push((*program, segments));
        }
    }
    true
}

/// A schedule's program and segments.
#[inline(always)]
fn row_of(batch: &Batch, schedule: usize) -> (&PackedProgram, &[PackedSegment]) {
    let program = &batch.programs()[schedule];
    let begin = program.segment_first as usize;
    (program, &batch.segments()[begin..begin + program.segment_count as usize])
}

/// Fills rows of a table, that of schedule `first` first, of any number of columns; nothing is allocated per row.
pub fn fill_rows<T: Rounded>(writer: Writer, batch: &Batch, first: usize, steps: &Steps, out: &mut [T]) {
    let columns = steps.len();
    if columns <= COLUMNS {
        let filler = Filler::new(writer.cached(), batch, steps, 0..columns);
        writer.level.run(FillShort { filler, first, writer, out });
        writer.finish();
        return;
    }
    let blocks = columns.div_ceil(BLOCK);
    let mut rows: Vec<Vec<&mut [T]>> = (0..blocks).map(|_| Vec::with_capacity(out.len() / columns)).collect();
    for row in out.chunks_mut(columns) {
        row.chunks_mut(BLOCK).zip(&mut rows).for_each(|(part, rows)| rows.push(part));
    }
    rows.into_par_iter().enumerate().for_each(|(block, mut rows)| {
        let begin = block * BLOCK;
        let filler = Filler::new(writer, batch, steps, begin..columns.min(begin + BLOCK));
        writer.level.run(FillBlock { filler, first, rows: &mut rows });
        writer.finish();
    });
}

/// The last program that was unpacked, and of which schedule.
struct Scratch<'b> {
    batch: &'b Batch,
    program: Program,
    schedule: Option<usize>,
}

impl Scratch<'_> {
    /// The lowered form of a schedule.
    fn unpacked(&mut self, schedule: usize) -> &Program {
        if self.schedule != Some(schedule) {
            self.batch.program_into(schedule, &mut self.program);
            self.schedule = Some(schedule);
        }
        &self.program
    }
}

/// Rows of at most [`COLUMNS`] columns: put together in a small staging area, which leaves as a whole.
struct FillShort<'a, 'b, T> {
    filler: Filler<'a, 'b>,
    /// The schedule of the first row.
    first: usize,
    writer: Writer,
    /// The rows.
    out: &'a mut [T],
}

impl<T: Rounded> Kernel for FillShort<'_, '_, T> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool, const STORE: usize>(mut self) {
        let count = self.filler.columns.len();
        let mut staging = [T::zeroed(); STAGED + CHUNK];
        let mut schedule = self.first;
        for out in self.out.chunks_mut(STAGED / count * count) {
            let values = out.len();
            for at in (0..values).step_by(count) {
                let row = &mut staging[at..at + count + CHUNK];
                self.filler.fill::<T, FUSED, STORE>(schedule, &Part::All, row);
                schedule += 1;
            }
            if self.writer.streaming {
                let lead = self.writer.lead(out);
                let (out_lead, out) = out.split_at_mut(lead);
                out_lead.copy_from_slice(&staging[..lead]);
                stream::<T, STORE>(&staging[lead..values], out);
            } else {
                out.copy_from_slice(&staging[..values]);
            }
        }
    }
}

/// Rows of a block of columns, each written to its place.
struct FillBlock<'a, 'b, T> {
    filler: Filler<'a, 'b>,
    /// The schedule of the first row.
    first: usize,
    /// The rows.
    rows: &'a mut [&'b mut [T]],
}

impl<T: Rounded> Kernel for FillBlock<'_, '_, T> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool, const STORE: usize>(mut self) {
        // What stands still goes from page to page of a row, what moves from row to row.
        let moving = (0..self.filler.columns.len()).step_by(PIECE).map(|from| Part::Moving(from..from + PIECE));
        for part in std::iter::once(Part::Still).chain(moving) {
            for row in 0..self.rows.len() {
                if let (Part::Moving(columns), Some(next)) = (&part, self.rows.get(row + 1)) {
                    touch_pages(&next[columns.start..next.len().min(columns.end)]);
                }
                self.filler.fill::<T, FUSED, STORE>(self.first + row, &part, self.rows[row]);
            }
        }
    }
}

/// Which of a pattern's pieces are written.
enum Part {
    /// All of them.
    All,
    /// Those where nothing moves.
    Still,
    /// Those that begin in these columns and where something moves.
    Moving(Range<usize>),
}

impl Part {
    /// Whether a piece is one of them.
    #[inline(always)]
    fn has(&self, piece: &Piece) -> bool {
        match self {
            Self::All => true,
            Self::Still => piece.is_still(),
            Self::Moving(columns) => columns.contains(&piece.from) && !piece.is_still(),
        }
    }
}

/// Fills a block of columns, row after row.
struct Filler<'a, 'b> {
    writer: Writer,
    scratch: Scratch<'b>,
    patterns: Patterns,
    steps: &'a Steps,
    /// The columns of the block.
    columns: Range<usize>,
    /// Their steps.
    laid_out: Vec<StepColumns>,
    /// The values of the last row and piece.
    values: Values,
}

impl<'a, 'b> Filler<'a, 'b> {
    fn new(writer: Writer, batch: &'b Batch, steps: &'a Steps, columns: Range<usize>) -> Self {
        let scratch = Scratch { batch, program: Program { quantum: 1, stages: Vec::new() }, schedule: None };
        let laid_out = |first| StepColumns::new(steps, first, (columns.end - first).min(COLUMNS));
        let laid_out = columns.clone().step_by(COLUMNS).map(laid_out).collect();
        Self { writer, scratch, patterns: Patterns::new(), steps, columns, laid_out, values: Values::NONE }
    }

    /// Writes one row; where `out` is longer than the block, some lanes beyond too.
    #[inline(always)]
    fn fill<T: Rounded, const FUSED: bool, const STORE: usize>(&mut self, schedule: usize, part: &Part, out: &mut [T]) {
        let (batch, writer) = (self.scratch.batch, self.writer);
        let (program, segments) = row_of(batch, schedule);
        let (pattern, known) = self.patterns.turn_to(batch, program, segments);
        if !known {
            let steps = &self.laid_out;
            writer.level.run(Build { pattern: &mut *pattern, batch, program, segments, steps });
            pattern.prepare::<T>();
            pattern.schedule = schedule;
        } else if pattern.composed == Composed::NotYet && pattern.schedule != schedule {
            writer.level.run(Compose { pattern: &mut *pattern, program, segments });
            pattern.prepare::<T>();
        }
        let pattern = &*pattern;
        let mut close = Close { scratch: &mut self.scratch, steps: self.steps, begin: self.columns.start };
        if !pattern.is_usable() {
            let columns = match part {
                Part::Still => return,
                Part::All => 0..self.columns.len(),
                Part::Moving(columns) => columns.start..columns.end.min(self.columns.len()),
            };
            close.fill_exactly(writer, schedule, columns, out);
            return;
        }
        let composed = pattern.composed == Composed::Ready && pattern.has_segments(program, segments);
        // Lanes beyond a piece may be written where its neighbour comes later.
        let spills = matches!(part, Part::All);
        for piece in if composed { &pattern.composed_pieces } else { &pattern.pieces } {
            if !part.has(piece) {
                continue;
            }
            let track = &piece.tracks[0];
            let room = if spills { out.len() } else { piece.to };
            let own_stage;
            let mut stage = &pattern.stages[piece.stage];
            if pattern.has_other_stages(program) {
                own_stage = stage.with_numbers_of(&stages(batch, program)[piece.stage]);
                stage = &own_stage;
            }
            if piece.plain.is_some()
                && !stage.clamped
                && let Some(Plain { intercept, slope, extent }) = Plain::of(track, stage, segments)
                && let Some(rounding) = Rounding::of::<T>(&extent, piece.plain)
            {
                let line = Line { intercept, slope, rounding, writer };
                if let Some(shape) = track.still {
                    close.fill_still(line, line.at::<FUSED>(shape), schedule, piece, out);
                    continue;
                }
                let (shapes, count) = (&pattern.shapes[track.shapes][piece.from..], piece.to - piece.from);
                if line.fill::<T, FUSED, STORE>(shapes, count, &mut out[piece.from..room]) {
                    close.look_closer::<T, FUSED>(line, schedule, piece, out, |column| shapes[column - piece.from]);
                }
                continue;
            }
            let values = &mut self.values;
            let known = values.turn_to(piece, stage, segments);
            let rounding = if known { Rounding::of::<T>(&values.extent, None) } else { None };
            let Some(rounding) = rounding else {
                close.fill_uncertain(writer, schedule, pattern, piece, stage, segments, out);
                continue;
            };
            let line = Line { intercept: values.intercept, slope: values.slope, rounding, writer };
            if values.count == 0 {
                close.fill_still(line, line.intercept, schedule, piece, out);
                continue;
            }
            let (summed, shapes) = (stage.summed, &pattern.shapes);
            let doubtful = if values.count == 1 {
                let (shapes, count) = (&shapes[values.moving[0].2][piece.from..], piece.to - piece.from);
                line.fill::<T, FUSED, STORE>(shapes, count, &mut out[piece.from..room])
            } else {
                fill_made::<T, FUSED, STORE>(&line, values, summed, shapes, piece, &mut out[piece.from..room])
            };
            if doubtful {
                close.look_closer::<T, FUSED>(line, schedule, piece, out, |column| {
                    values.made::<1, FUSED>(summed, shapes, column)[0]
                });
            }
        }
    }
}

/// Writes a piece of several tracks that move; whether any value is too close to call.
#[inline(always)]
fn fill_made<T: Rounded, const FUSED: bool, const STORE: usize>(
    line: &Line,
    values: &Values,
    summed: bool,
    shapes: &[Vec<f64>],
    piece: &Piece,
    out: &mut [T],
) -> bool {
    let mut doubtful = false;
    let count = piece.to - piece.from;
    let lead = line.writer.lead(out).min(count);
    let mut done = 0;
    while done < count {
        let wanted = if done < lead { lead } else { GROUP };
        let group = wanted.min(count - done);
        let mut made = [0.0; GROUP + CHUNK];
        let mut lane = 0;
        while lane < group {
            let lanes = values.made::<CHUNK, FUSED>(summed, shapes, piece.from + done + lane);
            made[lane..lane + CHUNK].copy_from_slice(&lanes);
            lane += CHUNK;
        }
        doubtful |= line.fill::<T, FUSED, STORE>(&made, group, &mut out[done..]);
        done += group;
    }
    doubtful
}

/// What takes a closer look at single columns of a row.
struct Close<'s, 'a, 'b> {
    scratch: &'s mut Scratch<'b>,
    steps: &'a Steps,
    /// The block's first column.
    begin: usize,
}

impl Close<'_, '_, '_> {
    #[cold]
    fn value_at<T: Rounded>(&mut self, schedule: usize, column: usize) -> T {
        value_at(self.scratch.unpacked(schedule), self.steps.get(self.begin + column))
    }

    /// Writes one value all over a piece.
    #[inline(always)]
    fn fill_still<T: Rounded>(&mut self, line: Line, value: f64, schedule: usize, piece: &Piece, out: &mut [T]) {
        let value = match line.rounding.certain(value) {
            Some(value) => value,
            None => self.value_at(schedule, piece.from),
        };
        line.writer.constant(value, &mut out[piece.from..piece.to]);
    }

    /// Evaluates those of a piece's columns one by one that are too close to call.
    ///
    /// The line comes by value: a reference would have every row's written to memory.
    #[cold]
    fn look_closer<T: Rounded, const FUSED: bool>(
        &mut self,
        line: Line,
        schedule: usize,
        piece: &Piece,
        out: &mut [T],
        made: impl Fn(usize) -> f64,
    ) {
        for (column, slot) in out.iter_mut().enumerate().take(piece.to).skip(piece.from) {
            if line.rounding.certain::<T>(line.at::<FUSED>(made(column))).is_none() {
                *slot = self.value_at(schedule, column);
            }
        }
    }

    /// Writes a piece whose values cancel, cross zero or meet a bound.
    #[cold]
    #[expect(clippy::too_many_arguments, reason = "what a row and a piece of it are")]
    fn fill_uncertain<T: Rounded>(
        &mut self,
        writer: Writer,
        schedule: usize,
        pattern: &Pattern,
        piece: &Piece,
        stage: &pattern::StageValues,
        segments: &[PackedSegment],
        out: &mut [T],
    ) {
        let columns = piece.from..piece.to;
        if columns.len() >= FEWEST_IN_SPANS && self.steps.progression().is_some() {
            self.fill_exactly(writer, schedule, columns, out);
            return;
        }
        for from in columns.clone().step_by(COLUMNS) {
            let out = &mut out[from..columns.end.min(from + COLUMNS)];
            let shapes = &pattern.shapes;
            let mut close = writer.level.run(FillClosely { piece, stage, segments, shapes, from, out });
            while close != 0 {
                let lane = close.trailing_zeros() as usize;
                out[lane] = self.value_at(schedule, from + lane);
                close &= close - 1;
            }
        }
    }

    /// Writes columns as those of a long row.
    fn fill_exactly<T: Rounded>(&mut self, writer: Writer, schedule: usize, columns: Range<usize>, out: &mut [T]) {
        let program = self.scratch.unpacked(schedule);
        fill_columns(writer, program, self.steps, self.begin + columns.start, &mut out[columns]);
    }
}

/// [`Pattern::build`] as a kernel.
struct Build<'a> {
    pattern: &'a mut Pattern,
    batch: &'a Batch,
    program: &'a PackedProgram,
    segments: &'a [PackedSegment],
    steps: &'a [StepColumns],
}

impl Kernel for Build<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool, const STORE: usize>(self) {
        self.pattern.build::<FUSED>(self.batch, self.program, self.segments, self.steps);
    }
}

/// [`Pattern::compose`] as a kernel.
struct Compose<'a> {
    pattern: &'a mut Pattern,
    program: &'a PackedProgram,
    segments: &'a [PackedSegment],
}

impl Kernel for Compose<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool, const STORE: usize>(self) {
        self.pattern.compose::<FUSED>(self.program, self.segments);
    }
}

/// [`fill_closely`] as a kernel.
struct FillClosely<'a, T> {
    piece: &'a Piece,
    stage: &'a pattern::StageValues,
    segments: &'a [PackedSegment],
    shapes: &'a [Vec<f64>],
    from: usize,
    out: &'a mut [T],
}

impl<T: Rounded> Kernel for FillClosely<'_, T> {
    type Output = u64;

    #[inline(always)]
    fn run<const FUSED: bool, const STORE: usize>(self) -> u64 {
        fill_closely(self.piece, self.stage, self.segments, self.shapes, self.from, self.out)
    }
}
