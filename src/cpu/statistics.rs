//! Statistics on the CPU: tiles are filled on the thread that reduces them.

use std::ops::Range;

use super::Cpu;
use super::dispatch::Kernel;
use crate::element::Element;
use crate::error::Error;
use crate::packed::{Batch, Steps};
use crate::statistics::{Partial, Statistics, Summarize, gather, reduce};

/// The reduction of a tile, compiled for each level.
struct Reduce<'v, T> {
    values: &'v [T],
    threshold: f64,
}

impl<T: Element> Kernel for Reduce<'_, T> {
    type Output = Partial;

    #[inline(always)]
    fn run<const FUSED: bool, const STORE: usize>(self) -> Partial {
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
