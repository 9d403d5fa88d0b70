//! The CPU engine: every value correctly rounded, a batch at a time, on all cores.
//!
//! A table is cut into tiles for the thread pool, a tile's rows into spans, and a smooth span into
//! blocks that one vector kernel fills from a polynomial. Short rows are evaluated curve by curve in lanes,
//! and share what their neighbours have in common. Each value is rounded once, from an
//! approximation that is known to be good enough; the few that lie too close to a midpoint are computed
//! again to 100 bits. So the output does not depend on instructions, threads, tiles or slicing.

mod block;
mod doubles;
mod interpolation;
mod lanes;
mod pieces;
mod repeat;
mod rounding;
mod row;
mod sample;
mod samples;
mod shared;
mod simd;
mod smooth;
mod smoothness;
mod span;
mod statistics;
mod working;
mod writer;

use std::ops::Range;
use std::sync::Arc;

use half::{bf16, f16};
use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

pub use simd::Level;

use crate::element::Element;
use crate::error::{Error, EvaluateError};
use crate::evaluate::{Evaluation, Evaluator, TableMut};
use crate::packed::Batch;
use crate::program::Program;
use crate::steps::Steps;
use rounding::Rounded;
use row::fill_columns;
use writer::Writer;

/// The environment variable that forces a [`Level`].
const LEVEL_VARIABLE: &str = "LRGRID_LEVEL";

/// Values per task of the thread pool: enough to hide its cost, few enough to share a small table.
const TILE: usize = 1 << 16;

/// Bytes of a table from which on it is written past the cache, which could not hold it.
const STREAMED: usize = 16 << 20;

/// Evaluates batches on the CPU.
///
/// Values in `f32`, [`half::f16`] and [`half::bf16`] are the correctly rounded ones, and in `f64` they
/// are the reference's. They are the same bits whatever the processor, the number of threads, or the
/// way a table is cut.
///
/// ```
/// use lrgrid::curve::Curve;
/// use lrgrid::program::{Program, Segment};
/// use lrgrid::{Batch, Cpu, Evaluate, Steps};
///
/// let decay = Program::from_segments(vec![Segment::transition(0, 100, 1e-3, 0.0, Curve::Cosine)])?;
/// let batch = Batch::from_programs([&decay])?;
/// let table: Vec<f32> = Cpu::new()?.evaluate(&batch, &Steps::range(0..101))?;
/// assert_eq!((table[0], table[50], table[100]), (1e-3, 5e-4, 0.0));
/// # Ok::<(), lrgrid::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Cpu {
    level: Level,
    /// Nothing for the global pool.
    pool: Option<Arc<ThreadPool>>,
    tile: usize,
}

impl Cpu {
    /// All cores, through rayon's global thread pool, and the fastest instructions there are, or those
    /// that the environment variable `LRGRID_LEVEL` names.
    ///
    /// # Errors
    /// When `LRGRID_LEVEL` names a level that this processor does not have.
    pub fn new() -> Result<Self, Error> {
        let level = match std::env::var(LEVEL_VARIABLE) {
            Ok(name) if !name.is_empty() => name.parse()?,
            _ => Level::detect(),
        };
        Ok(Self { level, pool: None, tile: TILE })
    }

    /// As [`Cpu::new`], on a thread pool of its own; 0 threads for one per core.
    ///
    /// # Errors
    /// As [`Cpu::new`], and when the threads cannot be started.
    pub fn with_threads(threads: usize) -> Result<Self, Error> {
        let pool = ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .map_err(|error| EvaluateError::Threads { threads, reason: error.to_string() })?;
        Ok(Self { pool: Some(Arc::new(pool)), ..Self::new()? })
    }

    /// The same with other vector instructions.
    #[must_use]
    pub fn with_level(self, level: Level) -> Self {
        Self { level, ..self }
    }

    /// The same with about `values` values per task; 0 counts as 1.
    #[must_use]
    pub fn with_tile(self, values: usize) -> Self {
        Self { tile: values.max(1), ..self }
    }

    /// The vector instructions it uses.
    #[must_use]
    pub fn level(&self) -> Level {
        self.level
    }

    /// Writes one value all over a table, on the same threads and past the cache as any table of its size: the best that
    /// an evaluation can do.
    ///
    /// ```
    /// let mut table = vec![0_f32; 1000];
    /// lrgrid::Cpu::new()?.fill(3e-4, &mut table);
    /// assert!(table.iter().all(|value| *value == 3e-4));
    /// # Ok::<(), lrgrid::Error>(())
    /// ```
    pub fn fill<T: Element>(&self, value: T, out: &mut [T]) {
        self.fill_constant(value.to_f64(), TableMut::of(out));
    }

    /// The same, compiled in this crate.
    #[inline(never)]
    fn fill_constant(&self, value: f64, out: TableMut<'_>) {
        match out {
            TableMut::F64(out) => self.fill_values(value, out),
            TableMut::F32(out) => self.fill_values(f32::from_f64(value), out),
            TableMut::F16(out) => self.fill_values(f16::from_f64(value), out),
            TableMut::Bf16(out) => self.fill_values(bf16::from_f64(value), out),
        }
    }

    fn fill_values<T: Element>(&self, value: T, out: &mut [T]) {
        let writer = Writer { level: self.level, streaming: size_of_val(out) >= STREAMED };
        let mut fill = || {
            out.par_chunks_mut(self.tile).for_each(|part| {
                writer.constant(value, part);
                writer.finish();
            });
        };
        match &self.pool {
            Some(pool) => pool.install(fill),
            None => fill(),
        }
    }

    /// Fills rows of a table.
    #[inline(never)]
    fn fill_table(&self, Evaluation { batch, rows, steps, table }: Evaluation<'_>) {
        let fill = || match table {
            TableMut::F64(out) => self.fill_rows(batch, rows, steps, out),
            TableMut::F32(out) => self.fill_rows(batch, rows, steps, out),
            TableMut::F16(out) => self.fill_rows(batch, rows, steps, out),
            TableMut::Bf16(out) => self.fill_rows(batch, rows, steps, out),
        };
        match &self.pool {
            Some(pool) => pool.install(fill),
            None => fill(),
        }
    }

    /// Fills rows of the table, in parallel.
    fn fill_rows<T: Rounded>(&self, batch: &Batch, rows: Range<usize>, steps: &Steps, out: &mut [T]) {
        let columns = steps.len();
        let writer = Writer { level: self.level, streaming: size_of_val(out) >= STREAMED };
        let together = shared::rows_together(rows.len(), columns, self.tile);
        out.par_chunks_mut(columns * together).enumerate().for_each(|(index, part)| {
            let first = rows.start + index * together;
            let rows = first..first + part.len() / columns;
            if shared::is_worth_it::<T>(self.level, batch, rows.clone(), steps) {
                shared::fill_rows(writer, batch, first, steps, part);
            } else {
                self.fill_long_rows(writer, batch, rows, steps, part);
            }
        });
    }

    /// Fills rows one by one, long ones in parallel.
    fn fill_long_rows<T: Rounded>(
        &self,
        writer: Writer,
        batch: &Batch,
        rows: Range<usize>,
        steps: &Steps,
        out: &mut [T],
    ) {
        let columns = steps.len();
        let at_once = (self.tile / columns).max(1);
        out.par_chunks_mut(columns * at_once).enumerate().for_each(|(index, part)| {
            let mut program = Program { quantum: 1, stages: Vec::new() };
            for (row, out) in part.chunks_mut(columns).enumerate() {
                batch.program_into(rows.start + index * at_once + row, &mut program);
                let program = &program;
                out.par_chunks_mut(self.tile).enumerate().for_each(|(index, part)| {
                    fill_columns(writer, program, steps, index * self.tile, part);
                    writer.finish();
                });
            }
        });
    }
}

impl Evaluator for Cpu {
    fn run(&self, evaluation: Evaluation<'_>) -> Result<(), Error> {
        if !evaluation.table.is_empty() {
            self.fill_table(evaluation);
        }
        Ok(())
    }
}
