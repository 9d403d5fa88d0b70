//! The patterns of the last few timings.

use super::parameters::Row;
use super::pattern::Pattern;

/// How many patterns are kept: enough for a short axis of a sweep that another goes round.
pub const SLOTS: usize = 16;

/// The patterns of the last few timings, in the order in which they came.
#[derive(Debug)]
pub struct Patterns {
    slots: [Option<Box<Pattern>>; SLOTS],
    /// Where the last row's is.
    last: usize,
    /// Where the newest is.
    newest: usize,
    /// Whether all are looked through before one is built.
    thorough: bool,
}

impl Patterns {
    /// None yet; a thorough search takes its time, but no timing is built again while it is among the newest.
    pub fn new(thorough: bool) -> Self {
        Self { slots: [const { None }; SLOTS], last: SLOTS - 1, newest: SLOTS - 1, thorough }
    }

    /// Turns to the pattern of a schedule, or to where it may be built; and whether it is there.
    #[inline(always)]
    pub fn turn_to(&mut self, row: Row<'_>) -> (&mut Pattern, bool) {
        // Mostly the row before had the same.
        let known = self.has(self.last, row) || self.turn(row);
        (self.slots[self.last].get_or_insert_with(|| Box::new(Pattern::new())), known)
    }

    /// Turns to another pattern; whether it is the schedule's.
    fn turn(&mut self, row: Row<'_>) -> bool {
        // The timings of a sweep come round in the order in which they came first.
        let next = (self.last + 1) % SLOTS;
        let around = if self.slots[next].is_some() { next } else { 0 };
        let mut slots = std::iter::once(around).chain(if self.thorough { 0..SLOTS } else { 0..0 });
        let found = slots.find(|slot| self.has(*slot, row));
        self.last = found.unwrap_or_else(|| {
            self.newest = (self.newest + 1) % SLOTS;
            self.newest
        });
        found.is_some()
    }

    #[inline(always)]
    fn has(&self, slot: usize, row: Row<'_>) -> bool {
        match &self.slots[slot] {
            Some(pattern) => pattern.is_of(row),
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::shared::parameters::row_of;
    use crate::cpu::shared::steps::StepColumns;
    use crate::cpu::simd::Baseline;
    use crate::curve::Curve;
    use crate::packed::Batch;
    use crate::program::{Program, Segment};
    use crate::steps::Steps;

    /// How many patterns are built for rows of some timings.
    fn built(timings: impl Fn(usize) -> usize, rows: usize, thorough: bool) -> usize {
        let program = |row: usize| {
            let length = 100 + timings(row) as u64;
            Program::of(vec![Segment::falling(0, length, 1.0 + row as f64, 0.0, Curve::Cosine)])
        };
        let programs: Vec<Program> = (0..rows).map(program).collect();
        let batch = Batch::from_programs(&programs).expect("a small batch");
        let steps = [StepColumns::new(&Steps::range(0..40), 0, 40)];
        let (mut patterns, mut built) = (Patterns::new(thorough), 0);
        for schedule in 0..batch.len() {
            let row = row_of(&batch, schedule);
            let (pattern, known) = patterns.turn_to(row);
            if !known {
                pattern.build::<Baseline>(&batch, row, &steps);
                built += 1;
            }
            assert!(pattern.is_of(row) && pattern.is_usable());
        }
        built
    }

    #[test]
    fn every_timing_of_a_sweep_is_laid_out_once() {
        for thorough in [false, true] {
            for timings in 1..SLOTS {
                assert_eq!(built(|row| row % timings, 100, thorough), timings);
            }
            assert_eq!(built(|row| row, 100, thorough), 100);
        }
        assert_eq!(built(|row| row * row * 7 % 16, 1000, true), 4);
    }
}
