//! Collects values into record batches, whose size does not depend on the tiles.

use std::sync::Arc;

use arrow_array::types::{ArrowPrimitiveType, Float16Type, Float32Type, Float64Type};
use arrow_array::{ArrayRef, FixedSizeListArray, Float64Array, Int32Array, Int64Array, PrimitiveArray, RecordBatch};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};
use bytemuck::allocation::cast_vec;

use crate::error::TableError;
use crate::table::atomic::failed;
use crate::table::{Header, Layout, Rows, Tile, parameter_column};
use lrgrid::element::{Dtype, Element};

/// The most values in a batch; slightly fewer if a row holds many.
const BATCH: usize = 1 << 16;

/// The most bytes of the swept parameters in a batch.
const PARAMETERS: usize = 8 << 20;

/// The columns of the current batch.
pub(super) struct Gather<'a, T> {
    header: &'a Header<'a>,
    schema: SchemaRef,
    rows: Rows,
    /// The number of values in a full batch.
    most: usize,
    /// The schedule and the step of each value, if a row is a value.
    schedules: Vec<i32>,
    steps: Vec<i64>,
    parameters: Vec<Vec<f64>>,
    values: Vec<T>,
    momentum: Vec<T>,
    /// The first schedule of the batch, if a row is a schedule.
    first: usize,
}

impl<'a, T: Element> Gather<'a, T> {
    pub(super) fn new(header: &'a Header<'a>, rows: Rows) -> Result<Self, TableError> {
        let columns = header.steps.len().max(1);
        let fit = PARAMETERS / size_of::<f64>() / header.parameters.len().max(1);
        let most = match rows {
            Rows::Value => BATCH.min(fit).max(1),
            Rows::Schedule => (BATCH / columns).min(fit).max(1) * columns,
        };
        Ok(Self {
            header,
            schema: Arc::new(schema(header, T::DTYPE, rows)?),
            rows,
            most,
            schedules: Vec::new(),
            steps: Vec::new(),
            parameters: vec![Vec::new(); header.parameters.len()],
            values: Vec::new(),
            momentum: Vec::new(),
            first: header.rows.start,
        })
    }

    pub(super) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Adds a tile, and writes every batch that becomes full.
    pub(super) fn take(
        &mut self,
        tile: &Tile<'_, T>,
        emit: &mut dyn FnMut(RecordBatch) -> Result<(), TableError>,
    ) -> Result<(), TableError> {
        let mut next = 0;
        while next < tile.values.len() {
            let count = (self.most - self.values.len()).min(tile.values.len() - next);
            self.values.extend_from_slice(&tile.values[next..next + count]);
            if let Some(momentum) = tile.momentum {
                self.momentum.extend_from_slice(&momentum[next..next + count]);
            }
            if self.rows == Rows::Value {
                self.place(tile, next, count);
            }
            next += count;
            if self.values.len() == self.most {
                emit(self.batch()?)?;
            }
        }
        Ok(())
    }

    /// Writes the remaining values as the last batch.
    pub(super) fn rest(&mut self) -> Result<Option<RecordBatch>, TableError> {
        if self.values.is_empty() { Ok(None) } else { self.batch().map(Some) }
    }

    /// Appends the schedules and steps of some values of a tile.
    fn place(&mut self, tile: &Tile<'_, T>, first: usize, count: usize) {
        let (mut known, mut point) = (None, Vec::new());
        for index in first..first + count {
            let (row, column) = match self.header.layout {
                Layout::Schedule => (index / tile.columns.len(), index % tile.columns.len()),
                Layout::Step => (index % tile.rows.len(), index / tile.rows.len()),
            };
            if known != Some(row) && !self.parameters.is_empty() {
                (known, point) = (Some(row), (self.header.point)(tile.rows.start + row));
            }
            // A sweep has at most 2^25 schedules, and steps end at 2^53.
            self.schedules.push((tile.rows.start + row) as i32);
            self.steps.push(self.header.steps.get(tile.columns.start + column) as i64);
            self.parameters.iter_mut().zip(&point).for_each(|(column, &value)| column.push(value));
        }
    }

    /// The batch of the collected values.
    fn batch(&mut self) -> Result<RecordBatch, TableError> {
        if self.rows == Rows::Schedule {
            let rows = self.values.len() / self.header.steps.len().max(1);
            for row in self.first..self.first + rows {
                self.schedules.push(row as i32);
                let point = (self.header.point)(row);
                self.parameters.iter_mut().zip(&point).for_each(|(column, &value)| column.push(value));
            }
            self.first += rows;
        }
        let mut columns: Vec<ArrayRef> = vec![Arc::new(Int32Array::from(std::mem::take(&mut self.schedules)))];
        columns.extend(self.parameters.iter_mut().map(|column| {
            let column: ArrayRef = Arc::new(Float64Array::from(std::mem::take(column)));
            column
        }));
        if self.rows == Rows::Value {
            columns.push(Arc::new(Int64Array::from(std::mem::take(&mut self.steps))));
        }
        let quantities = [Some(&mut self.values), self.header.momentum.then_some(&mut self.momentum)];
        for values in quantities.into_iter().flatten() {
            let values = array(std::mem::take(values)).ok_or_else(|| wrong("has no such type"))?;
            columns.push(match self.rows {
                Rows::Value => values,
                Rows::Schedule => {
                    let item = Arc::new(Field::new("item", values.data_type().clone(), false));
                    let size = length(self.header)?;
                    Arc::new(FixedSizeListArray::try_new(item, size, values, None).map_err(invalid)?)
                }
            });
        }
        RecordBatch::try_new(self.schema.clone(), columns).map_err(invalid)
    }
}

/// Values as an Arrow array; `None` if Arrow lacks the type.
fn array<T: Element>(values: Vec<T>) -> Option<ArrayRef> {
    fn of<P: ArrowPrimitiveType>(values: Vec<P::Native>) -> ArrayRef {
        Arc::new(PrimitiveArray::<P>::new(values.into(), None))
    }
    // Each cast is between identical types, as `T::DTYPE` proves.
    match T::DTYPE {
        Dtype::F64 => Some(of::<Float64Type>(cast_vec(values))),
        Dtype::F32 => Some(of::<Float32Type>(cast_vec(values))),
        Dtype::F16 => Some(of::<Float16Type>(cast_vec(values))),
        Dtype::Bf16 => None,
    }
}

/// The columns.
fn schema(header: &Header<'_>, dtype: Dtype, rows: Rows) -> Result<Schema, TableError> {
    let values = match dtype {
        Dtype::F64 => DataType::Float64,
        Dtype::F32 => DataType::Float32,
        Dtype::F16 => DataType::Float16,
        Dtype::Bf16 => return Err(wrong("has no bf16")),
    };
    let mut fields = vec![Field::new("schedule", DataType::Int32, false)];
    let parameter = |name: &String| Field::new(parameter_column(name, &[]), DataType::Float64, false);
    fields.extend(header.parameters.iter().map(parameter));
    let values = match rows {
        Rows::Value => {
            fields.push(Field::new("step", DataType::Int64, false));
            values
        }
        Rows::Schedule => {
            let item = Arc::new(Field::new("item", values, false));
            DataType::FixedSizeList(item, length(header)?)
        }
    };
    fields.push(Field::new("lr", values.clone(), false));
    if header.momentum {
        fields.push(Field::new("momentum", values, false));
    }
    Ok(Schema::new(fields))
}

/// The length of a schedule's list.
fn length(header: &Header<'_>) -> Result<i32, TableError> {
    i32::try_from(header.steps.len()).map_err(|_| wrong("has no lists of that many values"))
}

fn wrong(why: &str) -> TableError {
    failed("arrow".as_ref(), std::io::Error::other(why))
}

fn invalid(error: ArrowError) -> TableError {
    wrong(&error.to_string())
}
