//! Short rows: many schedules, few columns.
//!
//! What a row costs here is its parameters, so they are read straight from the packed tables, and the shapes of its
//! curves are kept for the rows that follow: in a sweep most of them differ from their neighbours in values only,
//! not in timing. Lanes run along the columns. Rows are put together in a small staging area and leave it as a whole.

mod parameters;
mod pattern;
mod steps;
mod values;

use std::ops::Range;

use crate::packed::{Batch, Steps};
use crate::program::Program;

use super::dispatch::Level;
use super::rounding::Rounded;
use super::smooth::value_at;
pub use pattern::Pattern;
use steps::WIDTH;
pub use steps::{COLUMNS, StepColumns};
use values::fill_stage;

/// Values that are staged at a time.
const STAGED: usize = 16 * COLUMNS;

/// Evaluates rows of the same columns.
#[derive(Debug)]
pub struct ShortRows<'b> {
    batch: &'b Batch,
    level: Level,
    columns: Range<usize>,
    steps: StepColumns,
    pattern: Pattern,
    /// The last program that was unpacked, and of which schedule.
    program: Program,
    unpacked: Option<usize>,
}

impl<'b> ShortRows<'b> {
    /// An evaluator of all schedules of a batch, from column `first` of `steps` on: [`COLUMNS`] columns, or what is left.
    pub fn new(batch: &'b Batch, level: Level, steps: &Steps, first: usize) -> Self {
        let chunk = StepColumns::new(steps, first);
        Self {
            batch,
            level,
            columns: first..first + chunk.count,
            steps: chunk,
            pattern: Pattern::new(),
            program: Program { quantum: 1, stages: Vec::new() },
            unpacked: None,
        }
    }

    /// Goes on with the columns from `first` on.
    pub fn go_to(&mut self, steps: &Steps, first: usize) {
        self.steps = StepColumns::new(steps, first);
        self.columns = first..first + self.steps.count;
        self.pattern.clear();
    }

    /// The columns that it evaluates.
    pub fn columns(&self) -> Range<usize> {
        self.columns.clone()
    }

    /// The lowered form of a schedule.
    pub fn program(&mut self, schedule: usize) -> &Program {
        if self.unpacked != Some(schedule) {
            self.batch.program_into(schedule, &mut self.program);
            self.unpacked = Some(schedule);
        }
        &self.program
    }

    /// Writes the columns of rows of `width` columns, the first of them that of `first`, up to the first row that it
    /// cannot do; answers how many it did.
    pub fn fill<T: Rounded>(&mut self, first: usize, width: usize, out: &mut [T]) -> usize {
        self.level.short_rows(self, first, width, out)
    }

    /// [`ShortRows::fill`] with the instructions of the function it is inlined into.
    #[inline(always)]
    pub fn fill_with<T: Rounded, const FUSED: bool>(&mut self, first: usize, width: usize, out: &mut [T]) -> usize {
        let (count, rows) = (self.steps.count, out.len() / width);
        let mut staging = [T::zeroed(); STAGED + WIDTH];
        // Rows that lie side by side leave together.
        let per_stage = if count == width { STAGED / count } else { 1 };
        let mut done = 0;
        while done < rows {
            let wanted = per_stage.min(rows - done);
            let mut staged = 0;
            while staged < wanted {
                let slots = &mut staging[staged * count..staged * count + WIDTH];
                if !self.fill_row::<T, FUSED>(first + done + staged, slots) {
                    break;
                }
                staged += 1;
            }
            let begin = done * width + self.columns.start;
            let values = staged * count;
            out[begin..begin + values].copy_from_slice(&staging[..values]);
            done += staged;
            if staged < wanted {
                return done;
            }
        }
        done
    }

    /// Writes one row, and lanes beyond it; false where there is no pattern for it.
    #[inline(always)]
    fn fill_row<T: Rounded, const FUSED: bool>(&mut self, schedule: usize, out: &mut [T]) -> bool {
        let batch = self.batch;
        let program = &batch.programs()[schedule];
        let begin = program.segment_first as usize;
        let segments = &batch.segments()[begin..begin + program.segment_count as usize];
        if !self.pattern.is_of(program, segments) {
            self.level.build_pattern(&mut self.pattern, batch, program, segments, &self.steps);
        }
        if !self.pattern.is_usable() {
            return false;
        }
        let mut index = 0;
        while index < self.pattern.stages.len() {
            let stage = self.pattern.stages[index];
            let close = fill_stage::<T, FUSED>(&self.pattern, &stage, segments, out);
            if close != 0 {
                self.look_closer(schedule, close, out);
            }
            index += 1;
        }
        true
    }

    /// Evaluates the marked columns one by one.
    #[cold]
    fn look_closer<T: Rounded>(&mut self, schedule: usize, mut columns: u64, out: &mut [T]) {
        while columns != 0 {
            let column = columns.trailing_zeros() as usize;
            let step = self.steps.steps[column] as u64;
            out[column] = value_at(self.program(schedule), step);
            columns &= columns - 1;
        }
    }
}
