//! Single values of a row that are too close to call, and pieces of which too little is known.

use std::ops::Range;

use crate::cpu::rounding::Rounded;
use crate::cpu::row::fill_columns;
use crate::cpu::simd::{Kernel, Simd};
use crate::cpu::smooth::value_at;
use crate::cpu::writer::Writer;
use crate::packed::{Batch, PackedHeight};
use crate::program::Program;
use crate::steps::Steps;

use super::closely::fill_closely;
use super::pattern::{Pattern, StageValues};
use super::pieces::Piece;
use super::rounding::Line;
use super::steps::COLUMNS;

/// Fewer columns that meet a bound or cancel are evaluated in lanes, more as a long row's.
const FEWEST_IN_SPANS: usize = 2 * COLUMNS;

/// The last program that was unpacked, and of which schedule.
pub struct Scratch<'b> {
    /// The batch.
    pub batch: &'b Batch,
    program: Program,
    schedule: Option<usize>,
}

impl<'b> Scratch<'b> {
    /// Nothing unpacked yet.
    pub fn new(batch: &'b Batch) -> Self {
        Self { batch, program: Program { quantum: 1, stages: Vec::new() }, schedule: None }
    }

    /// The lowered form of a schedule.
    pub fn unpacked(&mut self, schedule: usize) -> &Program {
        if self.schedule != Some(schedule) {
            self.batch.program_into(schedule, &mut self.program);
            self.schedule = Some(schedule);
        }
        &self.program
    }
}

/// What takes a closer look at single columns of a row.
pub struct Close<'s, 'a, 'b> {
    /// The last program that was unpacked.
    pub scratch: &'s mut Scratch<'b>,
    /// The steps of the table.
    pub steps: &'a Steps,
    /// The block's first column.
    pub begin: usize,
}

impl Close<'_, '_, '_> {
    /// The value of a schedule at a column of the block, by itself.
    #[cold]
    pub fn value_at<T: Rounded>(&mut self, schedule: usize, column: usize) -> T {
        value_at(self.scratch.unpacked(schedule), self.steps.at(self.begin + column))
    }

    /// Writes one value all over a piece.
    #[inline(always)]
    pub fn fill_still<T: Rounded>(&mut self, line: Line, value: f64, schedule: usize, piece: &Piece, out: &mut [T]) {
        match line.rounding.certain(value) {
            Some(value) => line.writer.constant(value, &mut out[piece.from..piece.to]),
            None => self.fill_ambiguous(schedule, piece, out),
        }
    }

    /// Writes a piece whose one value, as far as an `f64` tells, is ambiguous: beyond its digits it may move.
    #[cold]
    fn fill_ambiguous<T: Rounded>(&mut self, schedule: usize, piece: &Piece, out: &mut [T]) {
        let mut known: Option<(u64, T)> = None;
        for (column, slot) in out.iter_mut().enumerate().take(piece.to).skip(piece.from) {
            let step = self.steps.at(self.begin + column);
            let program = self.scratch.unpacked(schedule);
            let value = match known {
                Some((before, value)) if program.is_constant_between(before, step) => value,
                _ => value_at(program, step),
            };
            known = Some((step, value));
            *slot = value;
        }
    }

    /// Evaluates those of a piece's columns one by one that are too close to call.
    ///
    /// The line comes by value: a reference would have every row's written to memory.
    #[cold]
    pub fn look_closer<T: Rounded, S: Simd>(
        &mut self,
        line: Line,
        schedule: usize,
        piece: &Piece,
        out: &mut [T],
        made: impl Fn(usize) -> f64,
    ) {
        for (column, slot) in out.iter_mut().enumerate().take(piece.to).skip(piece.from) {
            if line.rounding.certain::<T>(line.at::<S>(made(column))).is_none() {
                *slot = self.value_at(schedule, column);
            }
        }
    }

    /// Writes a piece whose values cancel, cross zero or meet a bound.
    #[cold]
    #[expect(clippy::too_many_arguments, reason = "what a row and a piece of it are")]
    pub fn fill_uncertain<T: Rounded>(
        &mut self,
        writer: Writer,
        schedule: usize,
        pattern: &Pattern,
        piece: &Piece,
        stage: &StageValues,
        heights: &[PackedHeight],
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
            let mut close = writer.level.run(FillClosely { piece, stage, heights, shapes, from, out });
            while close != 0 {
                let lane = close.trailing_zeros() as usize;
                out[lane] = self.value_at(schedule, from + lane);
                close &= close - 1;
            }
        }
    }

    /// Writes columns as those of a long row.
    pub fn fill_exactly<T: Rounded>(&mut self, writer: Writer, schedule: usize, columns: Range<usize>, out: &mut [T]) {
        let program = self.scratch.unpacked(schedule);
        fill_columns(writer, program, self.steps, self.begin + columns.start, &mut out[columns]);
    }
}

/// [`fill_closely`] as a kernel.
struct FillClosely<'a, T> {
    piece: &'a Piece,
    stage: &'a StageValues,
    heights: &'a [PackedHeight],
    shapes: &'a [Vec<f64>],
    from: usize,
    out: &'a mut [T],
}

impl<T: Rounded> Kernel for FillClosely<'_, T> {
    type Output = u64;

    #[inline(always)]
    fn run<S: Simd>(self, _: S) -> u64 {
        fill_closely(self.piece, self.stage, self.heights, self.shapes, self.from, self.out)
    }
}
