//! Columnar tables: record batches of equal size, as Parquet or as an Arrow IPC file.

mod batches;
mod ipc;
mod parquet;

use std::path::Path;

use arrow_array::RecordBatch;

pub(super) use ipc::create as ipc;
pub(super) use parquet::create as parquet;

use super::atomic::failed;
use super::{Header, Options, Rows, Sink, Stored, Tile, format_error};
use crate::error::TableError;
use batches::Gather;
use lrgrid::element::Element;

/// A writer of record batches.
trait BatchFile {
    /// Appends a batch.
    fn write(&mut self, batch: &RecordBatch) -> Result<(), TableError>;

    /// Completes the file.
    fn finish(self: Box<Self>) -> Result<Stored, TableError>;
}

/// A columnar table in either format.
struct Columnar<'a, T> {
    gather: Gather<'a, T>,
    file: Box<dyn BatchFile + 'a>,
}

impl<T: Element> Sink<T> for Columnar<'_, T> {
    fn write(&mut self, tile: &Tile<'_, T>) -> Result<(), TableError> {
        let Self { gather, file } = self;
        gather.take(tile, &mut |batch| file.write(&batch))
    }

    fn finish(mut self: Box<Self>) -> Result<Vec<Stored>, TableError> {
        if let Some(rest) = self.gather.rest()? {
            self.file.write(&rest)?;
        }
        Ok(vec![self.file.finish()?])
    }
}

/// Rejects tables whose rows are too large for the memory bound.
fn check_row<T: Element>(path: &Path, header: &Header<'_>, options: &Options) -> Result<(), TableError> {
    // A row exists in the collector, in its batch, and in the writer's buffers.
    const COPIES: u128 = 4;
    let quantities = if header.momentum { 2 } else { 1 };
    let row = header.steps.len() as u128 * quantities * size_of::<T>() as u128;
    if options.rows == Rows::Schedule
        && (row * COPIES > u128::from(options.memory.format()) || header.steps.len() > i32::MAX as usize)
    {
        let reason = format!(
            "a row with all {} values of a schedule is too large for the memory: use --rows value, or give more --memory",
            header.steps.len()
        );
        return Err(format_error(path, reason));
    }
    Ok(())
}

/// The system's error within another library's error.
fn cause(path: &Path, error: impl std::error::Error + 'static) -> TableError {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(inner) = next {
        if let Some(code) = inner.downcast_ref::<std::io::Error>().and_then(std::io::Error::raw_os_error) {
            return failed(path, std::io::Error::from_raw_os_error(code));
        }
        next = inner.source();
    }
    failed(path, std::io::Error::other(error.to_string()))
}
