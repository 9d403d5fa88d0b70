//! A block of columns, row after row: the patterns of the rows, and what each makes of its own.

use std::ops::Range;

use crate::cpu::rounding::Rounded;
use crate::cpu::simd::{Kernel, Simd};
use crate::cpu::writer::Writer;
use crate::packed::Batch;
use crate::steps::Steps;

use super::Part;
use super::close::{Close, Scratch};
use super::narrow::CloseLanes;
use super::parameters::{Row, row_of};
use super::pattern::{Composed, Pattern};
use super::patterns::Patterns;
use super::piece_row::PieceRow;
use super::pieces::Values;
use super::steps::{COLUMNS, StepColumns};

/// Fills a block of columns, row after row.
pub struct Filler<'a, 'b> {
    writer: Writer,
    scratch: Scratch<'b>,
    patterns: Patterns,
    steps: &'a Steps,
    /// The columns of the block.
    pub columns: Range<usize>,
    /// Their steps.
    laid_out: Vec<StepColumns>,
    /// The values of the last row and piece.
    values: Values,
    /// Which of them are too close to call.
    close_lanes: CloseLanes,
}

impl<'a, 'b> Filler<'a, 'b> {
    /// No row yet.
    pub fn new(writer: Writer, batch: &'b Batch, steps: &'a Steps, columns: Range<usize>) -> Self {
        let laid_out = |first| StepColumns::new(steps, first, (columns.end - first).min(COLUMNS));
        let laid_out = columns.clone().step_by(COLUMNS).map(laid_out).collect();
        // Laying a block of columns out takes longer than any search.
        let (scratch, patterns) = (Scratch::new(batch), Patterns::new(columns.len() > COLUMNS));
        Self {
            writer,
            scratch,
            patterns,
            steps,
            columns,
            laid_out,
            values: Values::NONE,
            close_lanes: CloseLanes::NONE,
        }
    }

    /// Writes one row; where `out` is longer than the block, some lanes beyond too.
    #[inline(always)]
    pub fn fill<T: Rounded, S: Simd>(&mut self, simd: S, schedule: usize, part: &Part, out: &mut [T]) {
        let (batch, writer) = (self.scratch.batch, self.writer);
        let row = row_of(batch, schedule);
        let (pattern, known) = self.patterns.turn_to(row);
        if !known {
            writer.level.run(Build { pattern: &mut *pattern, batch, row, steps: &self.laid_out });
            pattern.prepare::<T>(writer.level);
            pattern.schedule = schedule;
        } else if pattern.composed == Composed::NotYet && pattern.schedule != schedule {
            writer.level.run(Compose { pattern: &mut *pattern, row });
            pattern.prepare::<T>(writer.level);
        }
        // Not for the first row: it may be the only one.
        let whole =
            T::ZERO_IS_NORMAL && matches!(part, Part::All) && pattern.is_usable() && pattern.schedule != schedule;
        if whole && !pattern.whole.prepared {
            pattern.prepare_whole::<T>();
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
        if whole && (pattern.composed != Composed::Ready || pattern.has_heights(row)) {
            let exact = |column| close.value_at(schedule, column);
            if pattern.whole.fill::<T, S>(simd, &pattern.stages, row.heights, out, exact) {
                return;
            }
        }
        for piece in pattern.pieces_of(row) {
            if !part.has(piece) {
                continue;
            }
            // Lanes beyond a piece may be written where its neighbour comes later.
            let room = if matches!(part, Part::All) { out.len() } else { piece.to };
            let (values, close_lanes) = (&mut self.values, &mut self.close_lanes);
            let mut row = PieceRow { writer, schedule, row, pattern, piece, close: &mut close, values, close_lanes };
            row.fill::<T, S>(simd, &mut out[..room]);
        }
    }
}

/// [`Pattern::build`] as a kernel.
struct Build<'a> {
    pattern: &'a mut Pattern,
    batch: &'a Batch,
    row: Row<'a>,
    steps: &'a [StepColumns],
}

impl Kernel for Build<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        self.pattern.build::<S>(self.batch, self.row, self.steps);
    }
}

/// [`Pattern::compose`] as a kernel.
struct Compose<'a> {
    pattern: &'a mut Pattern,
    row: Row<'a>,
}

impl Kernel for Compose<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        self.pattern.compose::<S>(self.row);
    }
}
