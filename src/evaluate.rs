//! [`Evaluator`], the trait of every backend, [`Evaluate`], what callers call, and the scalar reference.

use std::ops::Range;

use bytemuck::allocation::try_zeroed_slice_box;
use half::{bf16, f16};
use rayon::prelude::*;

use crate::element::{Dtype, Element};
use crate::error::{Error, EvaluateError};
use crate::packed::Batch;
use crate::steps::Steps;

/// A backend: what [`Evaluate`] calls once an evaluation is known to be possible. It works as a trait object.
///
/// ```
/// use lrgrid::evaluate::Evaluator;
/// use lrgrid::program::Program;
/// use lrgrid::{Batch, Cpu, Evaluate, Reference, Steps};
///
/// let batch = Batch::from_programs([&Program::hold(3e-4)])?;
/// let backends: [Box<dyn Evaluator>; 2] = [Box::new(Cpu::new()?), Box::new(Reference)];
/// for backend in &backends {
///     assert_eq!(backend.evaluate::<f32>(&batch, &Steps::range(0..2))?, [3e-4; 2]);
/// }
/// # Ok::<(), lrgrid::Error>(())
/// ```
pub trait Evaluator {
    /// Fills the table of an evaluation.
    ///
    /// # Errors
    /// When the backend cannot: an element type that it lacks, no device, no memory.
    fn run(&self, evaluation: Evaluation<'_>) -> Result<(), Error>;
}

/// Rows and steps of a batch, and the memory of their table: row-major `[row, step]`, of the right length.
#[derive(Debug)]
pub struct Evaluation<'a> {
    pub(crate) batch: &'a Batch,
    pub(crate) rows: Range<usize>,
    pub(crate) steps: &'a Steps,
    pub(crate) table: TableMut<'a>,
}

impl<'a> Evaluation<'a> {
    /// An evaluation into `table`, whose length must be `rows.len() * steps.len()`.
    ///
    /// # Errors
    /// When it has another length, a step is beyond 2^53 − 1 or past a schedule's end, or the batch lacks one of the rows.
    pub fn new(
        batch: &'a Batch,
        rows: Range<usize>,
        steps: &'a Steps,
        table: TableMut<'a>,
    ) -> Result<Self, EvaluateError> {
        batch.check_output(&rows, steps, table.len())?;
        Ok(Self { batch, rows, steps, table })
    }

    /// The batch.
    #[must_use]
    pub const fn batch(&self) -> &'a Batch {
        self.batch
    }

    /// The rows of the batch.
    #[must_use]
    pub fn rows(&self) -> Range<usize> {
        self.rows.clone()
    }

    /// The columns of the table.
    #[must_use]
    pub const fn steps(&self) -> &'a Steps {
        self.steps
    }

    /// The same evaluation, borrowed again.
    #[must_use]
    pub fn reborrow(&mut self) -> Evaluation<'_> {
        let Self { batch, rows, steps, table } = self;
        Evaluation { batch, rows: rows.clone(), steps, table: table.reborrow() }
    }

    /// The memory to fill.
    #[must_use]
    pub fn table(self) -> TableMut<'a> {
        self.table
    }
}

/// A table's memory, of an element type that is known at run time only.
///
/// Code that is generic over the type ends here: otherwise each crate that evaluates would compile the kernels anew, with
/// its own settings.
#[derive(Debug)]
pub enum TableMut<'a> {
    /// Of `f64`.
    F64(&'a mut [f64]),
    /// Of `f32`.
    F32(&'a mut [f32]),
    /// Of `f16`.
    F16(&'a mut [f16]),
    /// Of `bf16`.
    Bf16(&'a mut [bf16]),
}

impl<'a> TableMut<'a> {
    /// Memory of a type that is known.
    pub fn of<T: Element>(out: &'a mut [T]) -> Self {
        match T::DTYPE {
            Dtype::F64 => Self::F64(bytemuck::cast_slice_mut(out)),
            Dtype::F32 => Self::F32(bytemuck::cast_slice_mut(out)),
            Dtype::F16 => Self::F16(bytemuck::cast_slice_mut(out)),
            Dtype::Bf16 => Self::Bf16(bytemuck::cast_slice_mut(out)),
        }
    }

    /// The element type.
    #[must_use]
    pub const fn dtype(&self) -> Dtype {
        match self {
            Self::F64(_) => Dtype::F64,
            Self::F32(_) => Dtype::F32,
            Self::F16(_) => Dtype::F16,
            Self::Bf16(_) => Dtype::Bf16,
        }
    }

    /// Number of values.
    #[must_use]
    pub const fn len(&self) -> usize {
        match self {
            Self::F64(values) => values.len(),
            Self::F32(values) => values.len(),
            Self::F16(values) => values.len(),
            Self::Bf16(values) => values.len(),
        }
    }

    /// Whether there are no values.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The same memory, borrowed again.
    #[must_use]
    pub fn reborrow(&mut self) -> TableMut<'_> {
        match self {
            Self::F64(values) => TableMut::F64(values),
            Self::F32(values) => TableMut::F32(values),
            Self::F16(values) => TableMut::F16(values),
            Self::Bf16(values) => TableMut::Bf16(values),
        }
    }

    /// The bytes of the values.
    #[must_use]
    pub fn into_bytes(self) -> &'a mut [u8] {
        match self {
            Self::F64(values) => bytemuck::cast_slice_mut(values),
            Self::F32(values) => bytemuck::cast_slice_mut(values),
            Self::F16(values) => bytemuck::cast_slice_mut(values),
            Self::Bf16(values) => bytemuck::cast_slice_mut(values),
        }
    }
}

/// Evaluates batches into tables: row-major `[schedule, step]`. Every [`Evaluator`] has it.
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

impl<E: Evaluator + ?Sized> Evaluate for E {
    fn evaluate_rows_into<T: Element>(
        &self,
        batch: &Batch,
        rows: Range<usize>,
        steps: &Steps,
        out: &mut [T],
    ) -> Result<(), Error> {
        self.run(Evaluation::new(batch, rows, steps, TableMut::of(out))?)
    }
}

/// The scalar reference: it evaluates every value by the published formula, in double-double arithmetic.
///
/// It shares no formula, curve or lowering with the other backends, which are tested against it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reference;

impl Evaluator for Reference {
    fn run(&self, Evaluation { batch, rows, steps, table }: Evaluation<'_>) -> Result<(), Error> {
        match table {
            TableMut::F64(out) => fill(batch, rows, steps, out),
            TableMut::F32(out) => fill(batch, rows, steps, out),
            TableMut::F16(out) => fill(batch, rows, steps, out),
            TableMut::Bf16(out) => fill(batch, rows, steps, out),
        }
        Ok(())
    }
}

/// Writes the reference's values of some rows.
fn fill<T: Element>(batch: &Batch, rows: Range<usize>, steps: &Steps, out: &mut [T]) {
    out.par_chunks_mut(steps.len().max(1)).zip(rows).for_each(|(row, schedule)| {
        let mut values = row.iter_mut();
        batch.reference_values(schedule, &mut steps.iter(), &mut |value| {
            if let Some(slot) = values.next() {
                *slot = T::from_exact(value);
            }
        });
    });
}
