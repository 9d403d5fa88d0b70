//! [`Evaluate`], the trait of every backend, and the scalar reference.

use std::ops::Range;

use bytemuck::allocation::try_zeroed_slice_box;
use rayon::prelude::*;

use crate::element::Element;
use crate::error::{Error, EvaluateError};
use crate::packed::{Batch, Steps};

/// Evaluates batches into tables: row-major `[schedule, step]`.
pub trait Evaluate {
    /// Writes `rows` of the table: `out.len() == rows.len() * steps.len()`.
    ///
    /// # Errors
    /// When the output has another length, a step is beyond 2^53 − 1, the batch lacks one of the rows, or the backend
    /// cannot evaluate (unsupported element type, no device, no memory).
    fn evaluate_rows_into<T: Element>(
        &self,
        batch: &Batch,
        rows: Range<usize>,
        steps: &Steps,
        out: &mut [T],
    ) -> Result<(), Error>;

    /// Writes the whole table: `out.len() == batch.len() * steps.len()`.
    ///
    /// # Errors
    /// As [`Evaluate::evaluate_rows_into`].
    fn evaluate_into<T: Element>(&self, batch: &Batch, steps: &Steps, out: &mut [T]) -> Result<(), Error> {
        self.evaluate_rows_into(batch, 0..batch.len(), steps, out)
    }

    /// The whole table in a new allocation.
    ///
    /// The operating system maps its pages on first write, which takes several times as long as the writes themselves.
    /// To evaluate several tables, reuse a buffer with [`Evaluate::evaluate_into`].
    ///
    /// # Errors
    /// As [`Evaluate::evaluate_rows_into`], and when the table does not fit in memory.
    fn evaluate<T: Element>(&self, batch: &Batch, steps: &Steps) -> Result<Vec<T>, Error> {
        let (schedules, columns) = (batch.len(), steps.len());
        let too_large = EvaluateError::TooLarge { schedules, steps: columns as u64, bytes: size_of::<T>() };
        let Some(length) = schedules.checked_mul(columns) else { return Err(too_large.into()) };
        // Zeroed lazily by the system, so each page is first touched by the thread that writes its values.
        let mut table = try_zeroed_slice_box(length).map_err(|()| too_large)?.into_vec();
        self.evaluate_into(batch, steps, &mut table)?;
        Ok(table)
    }
}

/// The scalar reference: it evaluates every value by the published formula, in double-double arithmetic.
///
/// It shares no formula, curve or lowering with the other backends, which are tested against it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reference;

impl Evaluate for Reference {
    fn evaluate_rows_into<T: Element>(
        &self,
        batch: &Batch,
        rows: Range<usize>,
        steps: &Steps,
        out: &mut [T],
    ) -> Result<(), Error> {
        batch.check_output(&rows, steps, out.len())?;
        if out.is_empty() {
            return Ok(());
        }
        let columns = steps.len();
        out.par_chunks_mut(columns).zip(rows).for_each(|(row, schedule)| {
            let mut values = row.iter_mut();
            batch.reference_values(schedule, &mut steps.iter(), &mut |value| {
                if let Some(slot) = values.next() {
                    *slot = T::from_exact(value);
                }
            });
        });
        Ok(())
    }
}
