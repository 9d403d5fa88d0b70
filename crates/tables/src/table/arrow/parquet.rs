//! Parquet: compressed columns in row groups.

use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::schema::types::ColumnPath;

use super::batches::Gather;
use super::{BatchFile, Columnar, cause, check_row};
use crate::error::TableError;
use crate::table::{AtomicFile, Header, Options, Rows, Sink, Stored};
use lrgrid::element::Element;

/// Values in a row group: enough to compress well, and a few megabytes while it is collected.
const ROW_GROUP: usize = 1 << 20;

/// Opens a sink that writes Parquet.
pub(in crate::table) fn create<'a, T: Element>(
    path: &Path,
    header: &'a Header<'a>,
    options: &Options,
) -> Result<Box<dyn Sink<T> + 'a>, TableError> {
    check_row::<T>(path, header, options)?;
    let file = AtomicFile::create(path, options.existing)?.with_checksum(options.checksum);
    let gather = Gather::<T>::new(header, options.rows)?;
    let columns = if options.rows == Rows::Schedule { header.steps.len().max(1) } else { 1 };
    let metadata = header.metadata.iter().map(|(key, text)| KeyValue::new(key.clone(), text.clone())).collect();
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1).map_err(|error| cause(path, error))?))
        .set_max_row_group_row_count(Some((ROW_GROUP / columns).max(1)))
        .set_key_value_metadata(Some(metadata));
    // Steps are evenly spaced, and values rarely repeat.
    let step = ColumnPath::from("step");
    properties = properties
        .set_column_dictionary_enabled(step.clone(), false)
        .set_column_encoding(step, Encoding::DELTA_BINARY_PACKED);
    for column in ["lr", "momentum"] {
        for parts in [vec![column], vec![column, "list", "item"]] {
            let parts: Vec<String> = parts.into_iter().map(str::to_owned).collect();
            properties = properties.set_column_dictionary_enabled(ColumnPath::new(parts), false);
        }
    }
    let writer = ArrowWriter::try_new(file, gather.schema().clone(), Some(properties.build()))
        .map_err(|error| cause(path, error))?;
    Ok(Box::new(Columnar { gather, file: Box::new(Parquet { writer, path: path.to_owned() }) }))
}

struct Parquet {
    writer: ArrowWriter<AtomicFile>,
    path: PathBuf,
}

impl BatchFile for Parquet {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), TableError> {
        self.writer.write(batch).map_err(|error| cause(&self.path, error))
    }

    fn finish(self: Box<Self>) -> Result<Stored, TableError> {
        let Self { writer, path } = *self;
        writer.into_inner().map_err(|error| cause(&path, error))?.commit()
    }
}
