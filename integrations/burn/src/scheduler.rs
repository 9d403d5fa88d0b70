//! A Burn scheduler over a schedule of a batch.

use burn::lr_scheduler::{LrScheduler, LrSchedulerRecord};
use burn::optim::LearningRate;
use lrgrid::error::EvaluateError;
use lrgrid::{Batch, Error};

/// The key of the step in a record.
const STEP: &str = "step";

/// One schedule of a batch as Burn's [`LrScheduler`]: `step()` returns the reference's value and goes on.
#[derive(Clone, Debug)]
pub struct Schedule {
    batch: Batch,
    row: usize,
    /// The step whose value is returned next.
    next: u64,
}

impl Schedule {
    /// The schedule of a row, at step 0.
    ///
    /// # Errors
    /// When the batch has no such row.
    pub fn new(batch: Batch, row: usize) -> Result<Self, Error> {
        if row >= batch.len() {
            let (start, end) = (row, row.saturating_add(1));
            return Err(EvaluateError::Rows { start, end, schedules: batch.len() }.into());
        }
        Ok(Self { batch, row, next: 0 })
    }

    /// The step whose value [`LrScheduler::step`] returns next.
    #[must_use]
    pub const fn next_step(&self) -> u64 {
        self.next
    }
}

impl LrScheduler for Schedule {
    /// The value at the next step; past the end of a schedule that ends, its last.
    fn step(&mut self) -> LearningRate {
        let step = self.next.min(self.batch.last_step().unwrap_or(lrgrid::program::MAX_STEP));
        self.next = self.next.saturating_add(1);
        self.batch.value(self.row, step)
    }

    fn to_record(&self) -> LrSchedulerRecord {
        LrSchedulerRecord::new().with_scalar(STEP, self.next)
    }

    /// Goes on from a record's step; a record without one, of another kind of scheduler, changes nothing.
    fn load_record(&mut self, record: LrSchedulerRecord) {
        if let Some(step) = record.scalar(STEP) {
            self.next = step;
        }
    }
}
