//! Evaluates tiles that fit in cache, reduces each, and merges the results row by row.

use std::ops::Range;

use rayon::prelude::*;

use super::reduce::Partial;
use super::{Statistics, check};
use crate::element::Element;
use crate::error::{Error, EvaluateError};
use crate::evaluate::Evaluate;
use crate::packed::Batch;
use crate::steps::Steps;

/// Bytes of a tile: fits into the cache of one core.
const TILE_BYTES: usize = 128 << 10;

/// Tiles of one row whose results are collected before they are merged.
const ROUND: usize = 1 << 12;

/// The merged statistics of a row's first values.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    partial: Option<Partial>,
    count: usize,
}

impl Gathered {
    /// Merges the statistics of the row's next `count` values.
    pub fn add(&mut self, next: &Partial, count: usize) {
        match &mut self.partial {
            Some(partial) => partial.merge(next, self.count),
            None => self.partial = Some(*next),
        }
        self.count += count;
    }

    /// The statistics of the row, whose columns are these steps.
    pub fn finish(self, steps: &Steps) -> Result<Statistics, EvaluateError> {
        let partial = self.partial.ok_or(EvaluateError::NoSteps)?;
        let extreme = |(value, column)| super::Extreme { value, step: steps.at(column) };
        Ok(Statistics {
            count: self.count as u64,
            sum: partial.sum.value(),
            sum_of_squares: partial.squares.value(),
            min: extreme(partial.min),
            max: extreme(partial.max),
            last: partial.last,
            above: partial.above,
        })
    }
}

/// The statistics of rows that `backend` evaluates, a tile at a time on each thread.
pub(crate) fn gather<T: Element>(
    backend: &(impl Evaluate + Sync),
    reduce: impl Fn(&[T], f64) -> Partial + Sync,
    batch: &Batch,
    rows: Range<usize>,
    steps: &Steps,
    above: Option<f64>,
) -> Result<Vec<Statistics>, Error> {
    let threshold = check(batch, &rows, steps, above)?;
    let (columns, tile) = (steps.len(), TILE_BYTES / size_of::<T>());
    if columns <= tile {
        return short_rows(backend, reduce, batch, rows, steps, threshold, tile / columns);
    }
    let tiles = columns.div_ceil(tile);
    let row = |row: usize| {
        let mut gathered = Gathered::default();
        for round in (0..tiles).step_by(ROUND) {
            let partial = |values: &mut Vec<T>, index: usize| {
                let part = index * tile..columns.min((index + 1) * tile);
                values.resize(part.len(), T::zeroed());
                backend.evaluate_rows_into(batch, row..row + 1, &steps.slice(part), values)?;
                Ok::<_, Error>((reduce(values, threshold), values.len()))
            };
            let parts = (round..tiles.min(round + ROUND)).into_par_iter();
            let parts: Vec<_> = parts.map_init(Vec::new, partial).collect::<Result<_, _>>()?;
            parts.iter().for_each(|(partial, count)| gathered.add(partial, *count));
        }
        Ok(gathered.finish(steps)?)
    };
    rows.into_par_iter().map(row).collect()
}

/// As [`gather`], for rows of which several fit into a tile.
fn short_rows<T: Element>(
    backend: &(impl Evaluate + Sync),
    reduce: impl Fn(&[T], f64) -> Partial + Sync,
    batch: &Batch,
    rows: Range<usize>,
    steps: &Steps,
    threshold: f64,
    rows_per_tile: usize,
) -> Result<Vec<Statistics>, Error> {
    let columns = steps.len();
    let tile = |values: &mut Vec<T>, first: usize| {
        let part = first..rows.end.min(first + rows_per_tile);
        values.resize(part.len() * columns, T::zeroed());
        backend.evaluate_rows_into(batch, part, steps, values)?;
        let row = |values: &[T]| {
            let mut gathered = Gathered::default();
            gathered.add(&reduce(values, threshold), columns);
            gathered.finish(steps)
        };
        Ok::<Vec<Statistics>, Error>(values.chunks_exact(columns).map(row).collect::<Result<_, _>>()?)
    };
    let firsts = rows.clone().into_par_iter().step_by(rows_per_tile);
    let tiles: Vec<Vec<Statistics>> = firsts.map_init(Vec::new, tile).collect::<Result<_, _>>()?;
    Ok(tiles.concat())
}
