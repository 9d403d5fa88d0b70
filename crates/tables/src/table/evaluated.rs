//! A source that evaluates schedules with a backend; blocks of schedules are compiled when they are needed.

use std::ops::Range;

use rayon::prelude::*;

use super::fill::resize;
use super::{Header, Layout, Memory, Source};
use crate::error::Error;
use lrgrid::Steps;
use lrgrid::element::Element;
use lrgrid::evaluate::Evaluate;
use lrgrid::packed::Batch;

/// Columns that are transposed together: at least a cache line of the widest type.
const STRIPE: usize = 16;

/// Compiled schedules of a sweep.
#[derive(Debug)]
pub struct Batches {
    /// The schedules.
    pub rate: Batch,
    /// Their momenta.
    pub momentum: Option<Batch>,
}

impl Batches {
    fn each(&self) -> impl Iterator<Item = &Batch> {
        std::iter::once(&self.rate).chain(&self.momentum)
    }
}

/// The header's table, evaluated by a backend.
///
/// `compile` is called with a range of schedules, by their indices in the whole sweep, and a number of bytes. It
/// returns as many of the first schedules as fit, at least one.
pub struct Evaluated<'a, T, E, C> {
    backend: &'a E,
    header: &'a Header<'a>,
    compile: C,
    /// Bytes for the schedules that are compiled together.
    bytes: usize,
    compiled: Option<(Range<usize>, Batches)>,
    /// Buffer for values before they are transposed.
    turned: Vec<T>,
}

impl<'a, T, E, C> Evaluated<'a, T, E, C>
where
    T: Element,
    E: Evaluate,
    C: FnMut(Range<usize>, usize) -> Result<Batches, Error>,
{
    /// Compiles the first schedules, to check that the steps can be evaluated.
    ///
    /// # Errors
    /// When one of them is wrong or has no value at one of the steps.
    pub fn new(backend: &'a E, header: &'a Header<'a>, memory: Memory, compile: C) -> Result<Self, Error> {
        let bytes = usize::try_from(memory.batches()).unwrap_or(usize::MAX);
        let mut source = Self { backend, header, compile, bytes, compiled: None, turned: Vec::new() };
        if !header.rows.is_empty() {
            source.compiled(header.rows.start)?;
        }
        Ok(source)
    }

    /// The compiled schedules that include `row`, with their range; compiles those from `row` on if necessary.
    fn compiled(&mut self, row: usize) -> Result<(Range<usize>, &Batches), Error> {
        let ready = self.compiled.take().filter(|(rows, _)| rows.contains(&row));
        let ready = match ready {
            Some(ready) => ready,
            None => {
                let batches = (self.compile)(row..self.header.rows.end, self.bytes)?;
                batches.each().try_for_each(|batch| batch.check_steps(&self.header.steps))?;
                (row..row + batches.rate.len(), batches)
            }
        };
        let (rows, batches) = self.compiled.insert(ready);
        Ok((rows.clone(), batches))
    }

    /// Evaluates a rectangle into a larger one of `all` rows, from row `at` on: as `[row, column]`, or transposed.
    fn part(
        &mut self,
        momentum: bool,
        rows: Range<usize>,
        steps: &Steps,
        (at, all): (usize, usize),
        out: &mut [T],
    ) -> Result<(), Error> {
        let (backend, layout, columns) = (self.backend, self.header.layout, steps.len());
        let mut turned = std::mem::take(&mut self.turned);
        let (known, batches) = self.compiled(rows.start)?;
        let Some(batch) = (if momentum { batches.momentum.as_ref() } else { Some(&batches.rate) }) else {
            out.fill(T::zeroed());
            return Ok(());
        };
        let within = rows.start - known.start..rows.end - known.start;
        if layout == Layout::Schedule || columns == 1 {
            let place = at * columns..(at + rows.len()) * columns;
            backend.evaluate_rows_into(batch, within, steps, &mut out[place])?;
        } else {
            resize(&mut turned, rows.len(), columns)?;
            backend.evaluate_rows_into(batch, within, steps, &mut turned)?;
            transpose(&turned, rows.len(), out, at, all);
        }
        self.turned = turned;
        Ok(())
    }
}

impl<T, E, C> Source<T> for Evaluated<'_, T, E, C>
where
    T: Element,
    E: Evaluate,
    C: FnMut(Range<usize>, usize) -> Result<Batches, Error>,
{
    fn rows_from(&mut self, first: usize) -> Result<usize, Error> {
        let (rows, _) = self.compiled(first)?;
        Ok(rows.end - first)
    }

    fn scratch_tiles(&self) -> usize {
        usize::from(self.header.layout == Layout::Step)
    }

    fn fill(
        &mut self,
        rows: Range<usize>,
        columns: Range<usize>,
        values: &mut [T],
        mut momentum: Option<&mut [T]>,
    ) -> Result<(), Error> {
        let steps = self.header.steps.slice(columns);
        let mut next = rows.start;
        while next < rows.end {
            let known = self.compiled(next)?.0;
            let part = next..rows.end.min(known.end);
            let place = (part.start - rows.start, rows.len());
            self.part(false, part.clone(), &steps, place, values)?;
            if let Some(momentum) = momentum.as_deref_mut() {
                self.part(true, part.clone(), &steps, place, momentum)?;
            }
            next = part.end;
        }
        Ok(())
    }
}

/// Transposes `[row, column]` into `[column, row]` of a table with `all` rows, from its row `at` on.
fn transpose<T: Element>(values: &[T], rows: usize, turned: &mut [T], at: usize, all: usize) {
    let columns = values.len() / rows.max(1);
    turned.par_chunks_mut(all * STRIPE).enumerate().for_each(|(stripe, turned)| {
        let first = stripe * STRIPE;
        let width = turned.len() / all;
        for row in 0..rows {
            let from = &values[row * columns + first..][..width];
            for (column, &value) in from.iter().enumerate() {
                turned[column * all + at + row] = value;
            }
        }
    });
}
