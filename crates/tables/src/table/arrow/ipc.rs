//! Arrow IPC files: columns in memory order, which can be memory-mapped.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_ipc::writer::FileWriter;

use super::batches::Gather;
use super::{BatchFile, Columnar, cause, check_row};
use crate::error::TableError;
use crate::table::{AtomicFile, Header, Options, Rows, Sink, Stored};
use lrgrid::element::Element;

/// Opens a sink that writes an Arrow IPC file.
pub(in crate::table) fn create<'a, T: Element>(
    path: &Path,
    header: &'a Header<'a>,
    options: &Options,
) -> Result<Box<dyn Sink<T> + 'a>, TableError> {
    check_row::<T>(path, header, options)?;
    let file = AtomicFile::create(path, options.existing)?.with_checksum(options.checksum);
    file.require_room(least_bytes::<T>(header, options.rows))?;
    let gather = Gather::<T>::new(header, options.rows)?;
    let metadata = header.metadata.iter().map(|(key, text)| (key.clone(), text.clone()));
    let schema = gather.schema().as_ref().clone().with_metadata(metadata.collect::<arrow_schema::Metadata>());
    // Batches omit the metadata, which belong to the file.
    let writer = FileWriter::try_new(file, &Arc::new(schema)).map_err(|error| cause(path, error))?;
    Ok(Box::new(Columnar { gather, file: Box::new(Ipc { writer, path: path.to_owned() }) }))
}

/// Bytes of the columns.
fn least_bytes<T: Element>(header: &Header<'_>, rows: Rows) -> u64 {
    let quantities = if header.momentum { 2 } else { 1 };
    let point = size_of::<i32>() + header.parameters.len() * size_of::<f64>();
    let values = header.values() * (quantities * size_of::<T>()) as u128;
    let beside = match rows {
        Rows::Value => header.values() * (point + size_of::<i64>()) as u128,
        Rows::Schedule => (header.rows.len() * point) as u128,
    };
    u64::try_from(values + beside).unwrap_or(u64::MAX)
}

struct Ipc {
    writer: FileWriter<AtomicFile>,
    path: PathBuf,
}

impl BatchFile for Ipc {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), TableError> {
        self.writer.write(batch).map_err(|error| cause(&self.path, error))
    }

    fn finish(self: Box<Self>) -> Result<Stored, TableError> {
        let Self { mut writer, path } = *self;
        writer.finish().map_err(|error| cause(&path, error))?;
        writer.into_inner().map_err(|error| cause(&path, error))?.commit()
    }
}
