//! Short rows: many schedules, few columns.
//!
//! What a row costs here is its parameters, so they are read straight from the packed tables, and the shapes of its
//! curves are kept for the rows that follow: in a sweep most of them differ from their neighbours in values only,
//! not in timing. Lanes run along the columns. Rows are put together in a small staging area and leave it as a whole.

mod parameters;
mod pattern;
mod steps;
mod time;
mod values;

use crate::packed::{Batch, PackedProgram, PackedSegment, Steps};
use crate::program::Program;

use super::dispatch::{Kernel, stream};
use super::rounding::Rounded;
use super::row::fill_columns;
use super::smooth::value_at;
use super::writer::Writer;
use pattern::{Pattern, Patterns};
use steps::{COLUMNS, StepColumns, WIDTH};
use values::fill_stage;

/// Longer rows are worth a setup of their own: twice this where timings are shared is still even, half of it where
/// they are not.
const MOST_COLUMNS: usize = 512;

/// Values that are staged at a time.
const STAGED: usize = 16 * COLUMNS;

/// Fills rows of a table, that of schedule `first` first, of any number of columns; nothing is allocated per row.
pub fn fill_short<T: Rounded>(writer: Writer, batch: &Batch, first: usize, steps: &Steps, out: &mut [T]) {
    let width = steps.len();
    let mut scratch = Scratch { batch, program: Program { quantum: 1, stages: Vec::new() }, schedule: None };
    // Steps that are just listed have no spans.
    let long = width > MOST_COLUMNS && steps.progression().is_some();
    if !T::FROM_F64 || long {
        for (row, out) in out.chunks_mut(width).enumerate() {
            fill_columns(writer, scratch.unpacked(first + row), steps, 0, out);
        }
        return;
    }
    let mut patterns = Patterns::new();
    let mut column = 0;
    while column < width {
        let steps_here = StepColumns::new(steps, column);
        let columns = column..column + steps_here.count;
        patterns.forget();
        let mut done = 0;
        while done * width < out.len() {
            done += writer.level.run(FillRows {
                writer,
                scratch: &mut scratch,
                patterns: &mut patterns,
                steps: &steps_here,
                column,
                first: first + done,
                width,
                out: &mut out[done * width..],
            });
            // A row that has no pattern goes the way of long ones.
            let Some(row) = out.chunks_mut(width).nth(done) else { break };
            let program = scratch.unpacked(first + done);
            fill_columns(writer.cached(), program, steps, column, &mut row[columns.clone()]);
            done += 1;
        }
        column = columns.end;
    }
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

/// Writes some columns of rows up to the first that has no pattern; answers how many it did.
struct FillRows<'a, 'b, T> {
    writer: Writer,
    scratch: &'a mut Scratch<'b>,
    patterns: &'a mut Patterns,
    /// Which columns.
    steps: &'a StepColumns,
    /// The first of them.
    column: usize,
    /// The schedule of the first row.
    first: usize,
    /// Columns of a whole row.
    width: usize,
    /// The rows.
    out: &'a mut [T],
}

impl<T: Rounded> Kernel for FillRows<'_, '_, T> {
    type Output = usize;

    #[inline(always)]
    fn run<const FUSED: bool, const STORE: usize>(mut self) -> usize {
        let (count, width) = (self.steps.count, self.width);
        let rows = self.out.len() / width;
        let mut staging = [T::zeroed(); STAGED + WIDTH];
        // Rows that lie side by side leave together.
        let per_stage = if count == width { STAGED / count } else { 1 };
        let mut done = 0;
        while done < rows {
            let wanted = per_stage.min(rows - done);
            let mut staged = 0;
            while staged < wanted {
                let slots = &mut staging[staged * count..staged * count + WIDTH];
                if !self.fill_row::<FUSED>(self.first + done + staged, slots) {
                    break;
                }
                staged += 1;
            }
            let begin = done * width + self.column;
            let values = staged * count;
            let out = &mut self.out[begin..begin + values];
            if self.writer.streaming {
                let lead = self.writer.lead(out);
                let (out_lead, out) = out.split_at_mut(lead);
                out_lead.copy_from_slice(&staging[..lead]);
                stream::<T, STORE>(&staging[lead..values], out);
            } else {
                out.copy_from_slice(&staging[..values]);
            }
            done += staged;
            if staged < wanted {
                return done;
            }
        }
        done
    }
}

impl<T: Rounded> FillRows<'_, '_, T> {
    /// Writes one row, and lanes beyond it; false where there is no pattern for it.
    #[inline(always)]
    fn fill_row<const FUSED: bool>(&mut self, schedule: usize, out: &mut [T]) -> bool {
        let batch = self.scratch.batch;
        let program = &batch.programs()[schedule];
        let begin = program.segment_first as usize;
        let segments = &batch.segments()[begin..begin + program.segment_count as usize];
        if !self.patterns.turn_to(program, segments) {
            let pattern = self.patterns.current();
            self.writer.level.run(Build { pattern, batch, program, segments, steps: self.steps });
            pattern.prepare::<T>();
        }
        let pattern = &*self.patterns.current();
        if !pattern.is_usable() {
            return false;
        }
        for stage in &pattern.stages {
            let close = fill_stage::<T, FUSED>(pattern, stage, segments, out);
            if close != 0 {
                look_closer(self.scratch, self.steps, schedule, close, out);
            }
        }
        true
    }
}

/// Evaluates the marked columns one by one.
#[cold]
fn look_closer<T: Rounded>(
    scratch: &mut Scratch<'_>,
    steps: &StepColumns,
    schedule: usize,
    mut columns: u64,
    out: &mut [T],
) {
    while columns != 0 {
        let column = columns.trailing_zeros() as usize;
        out[column] = value_at(scratch.unpacked(schedule), steps.steps[column] as u64);
        columns &= columns - 1;
    }
}

/// [`Pattern::build`] as a kernel.
struct Build<'a> {
    pattern: &'a mut Pattern,
    batch: &'a Batch,
    program: &'a PackedProgram,
    segments: &'a [PackedSegment],
    steps: &'a StepColumns,
}

impl Kernel for Build<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool, const STORE: usize>(self) {
        self.pattern.build::<FUSED>(self.batch, self.program, self.segments, self.steps);
    }
}
