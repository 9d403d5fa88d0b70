//! Statistics on the CPU: tiles are filled on the thread that reduces them.

use std::ops::Range;

use half::{bf16, f16};

use super::Cpu;
use super::simd::{Kernel, Simd};
use crate::element::{Dtype, Element};
use crate::error::Error;
use crate::packed::Batch;
use crate::statistics::{Partial, Statistics, Summarize, gather, reduce};
use crate::steps::Steps;

/// The reduction of a tile, compiled for each level.
struct Reduce<'v, T> {
    values: &'v [T],
    threshold: f64,
}

impl<T: Element> Kernel for Reduce<'_, T> {
    type Output = Partial;

    #[inline(always)]
    fn run<S: Simd>(self, _: S) -> Partial {
        reduce(self.values, self.threshold)
    }
}

impl Summarize for Cpu {
    fn statistics<T: Element>(
        &self,
        batch: &Batch,
        rows: Range<usize>,
        steps: &Steps,
        above: Option<f64>,
    ) -> Result<Vec<Statistics>, Error> {
        self.statistics_of(T::DTYPE, batch, rows, steps, above)
    }
}

impl Cpu {
    /// The same, compiled in this crate.
    #[inline(never)]
    fn statistics_of(
        &self,
        dtype: Dtype,
        batch: &Batch,
        rows: Range<usize>,
        steps: &Steps,
        above: Option<f64>,
    ) -> Result<Vec<Statistics>, Error> {
        match dtype {
            Dtype::F64 => self.gather::<f64>(batch, rows, steps, above),
            Dtype::F32 => self.gather::<f32>(batch, rows, steps, above),
            Dtype::F16 => self.gather::<f16>(batch, rows, steps, above),
            Dtype::Bf16 => self.gather::<bf16>(batch, rows, steps, above),
        }
    }

    fn gather<T: Element>(
        &self,
        batch: &Batch,
        rows: Range<usize>,
        steps: &Steps,
        above: Option<f64>,
    ) -> Result<Vec<Statistics>, Error> {
        // A tile is a single task.
        let single = Self { pool: None, ..self.clone() }.with_tile(usize::MAX);
        let level = self.level;
        let reduce = |values: &[T], threshold| level.run(Reduce { values, threshold });
        let work = || gather::<T>(&single, reduce, batch, rows, steps, above);
        match &self.pool {
            Some(pool) => pool.install(work),
            None => work(),
        }
    }
}
