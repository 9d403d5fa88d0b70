//! From a batch to a sink, a tile at a time under a memory bound.

use std::ops::Range;

use rayon::prelude::*;

use super::{Header, Layout, Sink, Tile};
use crate::element::Element;
use crate::error::{Error, EvaluateError};
use crate::evaluate::Evaluate;
use crate::packed::Batch;

/// Columns that are transposed together: a cache line of the widest type and more.
const STRIPE: usize = 16;

/// Evaluates the header's rows and steps of a batch and passes them to a sink, in its order.
///
/// At most `memory` bytes of values exist at once (one value at the least), those of a second batch for the
/// momentum and of a transposed copy included; how a table is cut changes none of its bits. `progress`
/// is told how many values are written, after each tile.
///
/// # Errors
/// When the backend or the sink fails.
pub fn write_table<T: Element>(
    backend: &impl Evaluate,
    batch: &Batch,
    momentum: Option<&Batch>,
    header: &Header<'_>,
    memory: u64,
    sink: &mut dyn Sink<T>,
    mut progress: impl FnMut(u128),
) -> Result<(), Error> {
    let copies = if momentum.is_some() { 2 } else { 1 } * if header.layout == Layout::Step { 2 } else { 1 };
    let most = usize::try_from(memory / (size_of::<T>() * copies) as u64).unwrap_or(usize::MAX);
    let most = most.min(sink.most_values()).max(1);
    let cuts = Cuts::new(header.layout, header.rows.len(), header.steps.len(), most);
    let mut buffers = [Buffers::default(), Buffers::default()];
    let mut written = 0;
    for tile in cuts {
        let rows = header.rows.start + tile.rows.start..header.rows.start + tile.rows.end;
        let part = |batch: &Batch, buffers: &mut Buffers<T>| {
            let steps = header.steps.slice(tile.columns.clone());
            let values = buffers.values(tile.rows.len(), tile.columns.len())?;
            // A slice of a sweep counts its schedules from 0.
            let local = rows.start - batch.first()..rows.end - batch.first();
            backend.evaluate_rows_into(batch, local, &steps, values)?;
            if header.layout == Layout::Step {
                buffers.transpose(tile.rows.len(), tile.columns.len())?;
            }
            Ok::<(), Error>(())
        };
        let [first, second] = &mut buffers;
        part(batch, first)?;
        if let Some(momentum) = momentum {
            part(momentum, second)?;
        }
        let beside = momentum.is_some().then_some(second.values.as_slice());
        written += first.values.len() as u128;
        sink.write(&Tile {
            rows: rows.clone(),
            columns: tile.columns.clone(),
            values: &first.values,
            momentum: beside,
        })?;
        progress(written);
    }
    Ok(())
}

/// A tile's values, reused for the next, and a second room to turn them in.
struct Buffers<T> {
    values: Vec<T>,
    turned: Vec<T>,
}

impl<T> Default for Buffers<T> {
    fn default() -> Self {
        Self { values: Vec::new(), turned: Vec::new() }
    }
}

impl<T: Element> Buffers<T> {
    /// Room for a tile.
    fn values(&mut self, rows: usize, columns: usize) -> Result<&mut [T], EvaluateError> {
        resize(&mut self.values, rows, columns)?;
        Ok(&mut self.values)
    }

    /// Turns `[row, column]` into `[column, row]`.
    fn transpose(&mut self, rows: usize, columns: usize) -> Result<(), EvaluateError> {
        if rows == 1 || columns == 1 {
            return Ok(());
        }
        resize(&mut self.turned, rows, columns)?;
        let values = &self.values;
        self.turned.par_chunks_mut(rows * STRIPE).enumerate().for_each(|(stripe, turned)| {
            let first = stripe * STRIPE;
            let width = turned.len() / rows;
            for row in 0..rows {
                let from = &values[row * columns + first..][..width];
                for (column, &value) in from.iter().enumerate() {
                    turned[column * rows + row] = value;
                }
            }
        });
        std::mem::swap(&mut self.values, &mut self.turned);
        Ok(())
    }
}

fn resize<T: Element>(buffer: &mut Vec<T>, rows: usize, columns: usize) -> Result<(), EvaluateError> {
    let length = rows * columns;
    buffer.truncate(length);
    buffer.try_reserve_exact(length - buffer.len()).map_err(|_| EvaluateError::TooLarge {
        schedules: rows,
        steps: columns as u64,
        bytes: size_of::<T>(),
    })?;
    buffer.resize(length, T::zeroed());
    Ok(())
}

/// A rectangle of the table: rows from the first of the header, and columns.
#[derive(Debug, PartialEq, Eq)]
struct Cut {
    rows: Range<usize>,
    columns: Range<usize>,
}

/// The tiles of a table in the order of its file: whole lines of the first axis where they fit, parts of one where not.
struct Cuts {
    layout: Layout,
    /// Lengths of the first and the second axis.
    shape: [usize; 2],
    /// Most lines, and most values of a line, in one tile.
    most: [usize; 2],
    next: [usize; 2],
}

impl Cuts {
    fn new(layout: Layout, rows: usize, columns: usize, most: usize) -> Self {
        let shape = if layout == Layout::Schedule { [rows, columns] } else { [columns, rows] };
        Self { layout, shape, most: [(most / shape[1].max(1)).max(1), most], next: [0, 0] }
    }
}

impl Iterator for Cuts {
    type Item = Cut;

    fn next(&mut self) -> Option<Cut> {
        let [line, place] = self.next;
        if line >= self.shape[0] || self.shape[1] == 0 {
            return None;
        }
        let lines = line..line.saturating_add(self.most[0]).min(self.shape[0]);
        let places = place..place.saturating_add(self.most[1]).min(self.shape[1]);
        self.next = if places.end == self.shape[1] { [lines.end, 0] } else { [line, places.end] };
        Some(match self.layout {
            Layout::Schedule => Cut { rows: lines, columns: places },
            Layout::Step => Cut { rows: places, columns: lines },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::TableError;
    use crate::evaluate::Reference;
    use crate::packed::Steps;
    use crate::program::{Program, Segment};

    struct Memory {
        values: Vec<f64>,
        momentum: Vec<f64>,
    }

    impl Sink<f64> for &mut Memory {
        fn write(&mut self, tile: &Tile<'_, f64>) -> Result<(), TableError> {
            assert_eq!(tile.values.len(), tile.rows.len() * tile.columns.len());
            self.values.extend_from_slice(tile.values);
            self.momentum.extend_from_slice(tile.momentum.unwrap_or_default());
            Ok(())
        }

        fn finish(self: Box<Self>) -> Result<(), TableError> {
            Ok(())
        }
    }

    #[test]
    fn every_memory_bound_gives_the_same_table() {
        let line =
            |height: f64| Program::of(vec![Segment::transition(0, 40, 0.0, height, crate::curve::Curve::Linear)]);
        let batch = Batch::from_programs(&(0..7).map(|i| line(f64::from(i))).collect::<Vec<_>>()).unwrap();
        let momentum = Batch::from_programs(&(0..7).map(|i| line(f64::from(-i))).collect::<Vec<_>>()).unwrap();
        for layout in Layout::ALL {
            let header = Header {
                layout,
                rows: 2..6,
                steps: Steps::range(1..37).stride_by(1),
                parameters: Vec::new(),
                point: &|_| Vec::new(),
                momentum: true,
            };
            let mut want = Vec::new();
            for first in 0..if layout == Layout::Schedule { 4 } else { 36 } {
                for second in 0..if layout == Layout::Schedule { 36 } else { 4 } {
                    let (row, column) = if layout == Layout::Schedule { (first, second) } else { (second, first) };
                    want.push(batch.value(2 + row, 1 + column as u64));
                }
            }
            for memory in [0, 1, 64, 100, 1000, 1160, 5000, u64::MAX] {
                let mut table = Memory { values: Vec::new(), momentum: Vec::new() };
                let mut seen = 0;
                let mut sink = &mut table;
                write_table(&Reference, &batch, Some(&momentum), &header, memory, &mut sink, |n| seen = n).unwrap();
                assert_eq!(table.values, want, "{layout:?} in {memory} bytes");
                assert_eq!(table.momentum, want.iter().map(|value| -value).collect::<Vec<_>>());
                assert_eq!(seen, want.len() as u128);
            }
        }
    }

    #[test]
    fn an_empty_table_has_no_tiles() {
        assert!(Cuts::new(Layout::Schedule, 0, 5, 100).next().is_none());
        assert!(Cuts::new(Layout::Step, 5, 0, 100).next().is_none());
    }
}
