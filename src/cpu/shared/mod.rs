//! Rows that share their timing: in a sweep most rows differ from their neighbours in values only.
//!
//! The shapes of a schedule's curves over a block of columns are a **pattern**. A row costs its numbers, read straight
//! from the packed tables, and a few operations a value. Short rows go this way whether they share a pattern or not.

mod close;
mod closely;
mod doubles;
mod extent;
mod filler;
mod narrow;
mod parameters;
mod pattern;
mod patterns;
mod piece_row;
mod pieces;
mod rounding;
mod runs;
mod steps;
mod time;
mod whole_row;

use std::collections::VecDeque;
use std::ops::Range;

use rayon::prelude::*;

use crate::packed::Batch;
use crate::steps::Steps;

use super::rounding::Rounded;
use super::simd::{CACHE_LINE, Kernel, Level, Simd, touch_pages};
use super::writer::Writer;
use filler::Filler;
use parameters::{Row, row_of};
use patterns::SLOTS;
use pieces::Piece;
use steps::{BLOCK, CHUNK, COLUMNS, PIECE};

/// Longer rows are worth a setup of their own where few share a pattern.
const MOST_COLUMNS: usize = 512;

/// How many long rows must share a pattern to be worth it.
const FEWEST_SHARING: usize = 16;

/// How many blocks of columns there should be for every thread.
const BLOCKS_PER_THREAD: usize = 8;

/// Values that are staged at a time.
const STAGED: usize = 16 * COLUMNS;

/// How many rows of so many columns go together, where a task has about `values` values.
pub fn rows_together(rows: usize, columns: usize, values: usize) -> usize {
    if columns <= COLUMNS {
        return (values / columns).clamp(1, rows);
    }
    // The more rows share the shapes of a block the better, as long as every thread has some blocks to fill.
    let blocks = columns.div_ceil(BLOCK);
    let shares = (BLOCKS_PER_THREAD * rayon::current_num_threads()).div_ceil(blocks);
    (values / columns.min(BLOCK)).saturating_mul(16).max(rows / shares).clamp(1, rows)
}

/// Whether rows are best evaluated from patterns.
pub fn is_worth_it<T: Rounded>(level: Level, batch: &Batch, rows: Range<usize>, steps: &Steps) -> bool {
    // Steps that are just listed have no spans, and doubles come from polynomials over spans.
    let short = (steps.len() <= MOST_COLUMNS && T::FROM_F64) || steps.progression().is_none();
    // Otherwise types of 16 bits are rounded faster from the `f32` lanes of a row's own pieces.
    let fast = !T::IS_NARROW || level.has_lines();
    let shared = fast && !short && share_patterns(batch, rows);
    shared || (short && T::FROM_F64)
}

/// Whether so many rows have so few timings, or come to others so seldom, that long ones are worth it.
fn share_patterns(batch: &Batch, rows: Range<usize>) -> bool {
    let worth = rows.len() / FEWEST_SHARING;
    let mut built = 0;
    let mut known: VecDeque<Row<'_>> = VecDeque::new();
    for schedule in rows {
        let row = row_of(batch, schedule);
        if !known.iter().any(|other| parameters::same_timings(row, *other)) {
            built += 1;
            // More than are kept are built again for every pass over a block.
            let passes = if built > SLOTS { 1 + BLOCK / PIECE } else { 1 };
            if built * passes > worth {
                return false;
            }
            if known.len() == SLOTS {
                known.pop_front();
            }
            known.push_back(row);
        }
    }
    true
}

/// Fills rows of a table, that of schedule `first` first, of any number of columns; nothing is allocated per row.
pub fn fill_rows<T: Rounded>(writer: Writer, batch: &Batch, first: usize, steps: &Steps, out: &mut [T]) {
    let columns = steps.len();
    if columns <= COLUMNS && T::FROM_F64 {
        let filler = Filler::new(writer.cached(), batch, steps, 0..columns);
        writer.level.run(FillShort { filler, first, writer, out });
        writer.finish();
        return;
    }
    let short = first_shortened_by(writer, columns, out);
    let blocks = (columns + short).div_ceil(BLOCK);
    let mut rows: Vec<Vec<&mut [T]>> = (0..blocks).map(|_| Vec::with_capacity(out.len() / columns)).collect();
    for row in out.chunks_mut(columns) {
        let (first, others) = row.split_at_mut(columns.min(BLOCK - short));
        let parts = std::iter::once(first).chain(others.chunks_mut(BLOCK));
        parts.zip(&mut rows).for_each(|(part, rows)| rows.push(part));
    }
    rows.into_par_iter().enumerate().for_each(|(block, mut rows)| {
        let (begin, end) = ((block * BLOCK).saturating_sub(short), columns.min((block + 1) * BLOCK - short));
        if !T::FROM_F64 {
            let mut rows: Vec<&mut [f64]> = rows.into_iter().filter_map(T::as_doubles).collect();
            doubles::fill_block(writer, batch, first, steps, begin, &mut rows);
            writer.finish();
            return;
        }
        let filler = Filler::new(writer, batch, steps, begin..end);
        writer.level.run(FillBlock { filler, first, rows: &mut rows });
        writer.finish();
    });
}

/// By how many columns the first block is shorter, so that the others begin with a line of the cache in every row.
fn first_shortened_by<T>(writer: Writer, columns: usize, out: &[T]) -> usize {
    let line = CACHE_LINE / size_of::<T>();
    // Only where the lines lie alike in all rows.
    if columns.is_multiple_of(line) { (line - writer.lead(out)) % line } else { 0 }
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
    fn run<S: Simd>(mut self, simd: S) {
        let count = self.filler.columns.len();
        let mut staging = [T::zeroed(); STAGED + CHUNK];
        let mut schedule = self.first;
        for out in self.out.chunks_mut(STAGED / count * count) {
            let values = out.len();
            for at in (0..values).step_by(count) {
                let row = &mut staging[at..at + count + CHUNK];
                self.filler.fill::<T, S>(simd, schedule, &Part::All, row);
                schedule += 1;
            }
            if self.writer.streaming {
                let lead = self.writer.lead(out);
                let (out_lead, out) = out.split_at_mut(lead);
                out_lead.copy_from_slice(&staging[..lead]);
                simd.stream(&staging[lead..values], out);
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
    fn run<S: Simd>(mut self, simd: S) {
        // What stands still goes from page to page of a row, what moves from row to row.
        let moving = (0..self.filler.columns.len()).step_by(PIECE).map(|from| Part::Moving(from..from + PIECE));
        for part in std::iter::once(Part::Still).chain(moving) {
            for row in 0..self.rows.len() {
                if let (Part::Moving(columns), Some(next)) = (&part, self.rows.get(row + 1)) {
                    touch_pages(&next[columns.start..next.len().min(columns.end)]);
                }
                self.filler.fill::<T, S>(simd, self.first + row, &part, self.rows[row]);
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
