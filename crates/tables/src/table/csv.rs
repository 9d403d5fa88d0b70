//! Comma-separated values: `schedule,<swept parameters>,step,lr[,momentum]`, one row per value.

use std::fmt::Write as _;
use std::io::Write;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::atomic::failed;
use super::{AtomicFile, Header, Layout, Options, Sink, Stored, Tile, parameter_column, write_number};
use crate::error::TableError;
use lrgrid::element::Element;

/// Values that one task formats.
const CHUNK: usize = 1 << 14;

/// Bytes of text that are formatted at a time.
const MOST: usize = 8 << 20;

/// Approximate bytes of a number and its comma.
const NUMBER: usize = 12;

/// The least bytes of a line: `0,0,0` and a line break.
const LINE: u64 = 6;

/// A CSV table, written to a file or a stream.
pub struct Csv<'a> {
    header: &'a Header<'a>,
    output: Output<'a>,
}

enum Output<'a> {
    File(Box<AtomicFile>),
    Stream { stream: Box<dyn Write + 'a>, name: PathBuf },
}

impl Output<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), TableError> {
        match self {
            Self::File(file) => file.append(bytes),
            Self::Stream { stream, name } => stream.write_all(bytes).map_err(|source| failed(name, source)),
        }
    }
}

impl<'a> Csv<'a> {
    /// Opens a sink that writes an atomic file.
    ///
    /// # Errors
    /// When the file cannot be created, or the disk certainly lacks room for it.
    pub fn create(path: &Path, header: &'a Header<'a>, options: &Options) -> Result<Self, TableError> {
        let file = AtomicFile::create(path, options.existing)?.with_checksum(options.checksum);
        file.require_room(u64::try_from(header.values()).unwrap_or(u64::MAX).saturating_mul(LINE))?;
        Self::start(Output::File(Box::new(file)), header)
    }

    /// Opens a sink that writes a stream; `name` is for messages.
    ///
    /// # Errors
    /// When writing the first line fails.
    pub fn stream(stream: Box<dyn Write + 'a>, name: &str, header: &'a Header<'a>) -> Result<Self, TableError> {
        Self::start(Output::Stream { stream, name: name.into() }, header)
    }

    fn start(mut output: Output<'a>, header: &'a Header<'a>) -> Result<Self, TableError> {
        let mut line = String::from("schedule");
        write_parameter_names(&mut line, header.parameters.iter().map(String::as_str), &[]);
        line.push_str(if header.momentum { ",step,lr,momentum\n" } else { ",step,lr\n" });
        output.write(line.as_bytes())?;
        Ok(Self { header, output })
    }
}

impl<T: Element> Sink<T> for Csv<'_> {
    fn most_values(&self) -> usize {
        MOST / (NUMBER * (self.header.parameters.len() + 3))
    }

    fn write(&mut self, tile: &Tile<'_, T>) -> Result<(), TableError> {
        let header = self.header;
        let texts: Vec<String> = tile
            .values
            .par_chunks(CHUNK)
            .enumerate()
            .map(|(index, values)| lines(header, tile, index * CHUNK, values))
            .collect();
        texts.iter().try_for_each(|text| self.output.write(text.as_bytes()))
    }

    fn finish(self: Box<Self>) -> Result<Vec<Stored>, TableError> {
        match self.output {
            Output::File(file) => Ok(vec![file.commit()?]),
            Output::Stream { mut stream, name } => {
                stream.flush().map_err(|source| failed(&name, source))?;
                Ok(Vec::new())
            }
        }
    }
}

/// The lines of some of a tile's values.
fn lines<T: Element>(header: &Header<'_>, tile: &Tile<'_, T>, first: usize, values: &[T]) -> String {
    let mut text = String::with_capacity(values.len() * 24);
    let (mut prefix, mut prefix_row) = (String::new(), None);
    for (index, &value) in (first..).zip(values) {
        let (row, column) = match header.layout {
            Layout::Schedule => (index / tile.columns.len(), index % tile.columns.len()),
            Layout::Step => (index % tile.rows.len(), index / tile.rows.len()),
        };
        if prefix_row != Some(row) {
            prefix_row = Some(row);
            prefix.clear();
            write_row_number(&mut prefix, header, tile.rows.start + row);
        }
        // Writing to a String cannot fail.
        let _ = write!(text, "{prefix},{},", header.steps.get(tile.columns.start + column));
        write_number(&mut text, value);
        if let Some(momentum) = tile.momentum {
            text.push(',');
            write_number(&mut text, momentum[index]);
        }
        text.push('\n');
    }
    text
}

/// Appends `schedule,<swept parameters>`, without a comma after the last.
pub(super) fn write_row_number(text: &mut String, header: &Header<'_>, row: usize) {
    // Writing to a String cannot fail.
    let _ = write!(text, "{row}");
    for value in (header.point)(row) {
        text.push(',');
        write_number(text, value);
    }
}

/// Appends a comma and the column's name of each swept parameter, beside the table's own columns and perhaps others.
pub fn write_parameter_names<'n>(text: &mut String, names: impl IntoIterator<Item = &'n str>, others: &[&str]) {
    for name in names {
        text.push(',');
        write_field(text, &parameter_column(name, others));
    }
}

/// Appends a name, in quotes where a comma or a quote would break the line.
fn write_field(text: &mut String, field: &str) {
    if field.contains([',', '"', '\n', '\r']) {
        text.push('"');
        text.push_str(&field.replace('"', "\"\""));
        text.push('"');
    } else {
        text.push_str(field);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lrgrid::Steps;

    fn written(layout: Layout, momentum: bool) -> String {
        let header = Header {
            layout,
            rows: 4..6,
            steps: Steps::range(10..40).stride_by(10),
            parameters: vec!["peak".to_owned(), "a,\"b\"".to_owned()],
            point: Box::new(|row| vec![row as f64 / 10.0, 1e-7]),
            momentum,
            metadata: Default::default(),
        };
        let mut bytes = Vec::new();
        let mut sink = Csv::stream(Box::new(&mut bytes), "memory", &header).unwrap();
        let values = [0.5_f32, 0.25, 0.1, 1.0, 2.0, 3e-9];
        let momenta = values.map(|value| 1.0 - value);
        let tile = Tile { rows: 4..6, columns: 0..3, values: &values, momentum: momentum.then_some(&momenta) };
        sink.write(&tile).unwrap();
        Sink::<f32>::finish(Box::new(sink)).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn schedule_first() {
        assert_eq!(
            written(Layout::Schedule, false),
            "schedule,peak,\"a,\"\"b\"\"\",step,lr\n\
             4,0.4,1e-7,10,0.5\n4,0.4,1e-7,20,0.25\n4,0.4,1e-7,30,0.1\n\
             5,0.5,1e-7,10,1\n5,0.5,1e-7,20,2\n5,0.5,1e-7,30,3e-9\n"
        );
    }

    #[test]
    fn step_first_with_momentum() {
        assert_eq!(
            written(Layout::Step, true),
            "schedule,peak,\"a,\"\"b\"\"\",step,lr,momentum\n\
             4,0.4,1e-7,10,0.5,0.5\n5,0.5,1e-7,10,0.25,0.75\n4,0.4,1e-7,20,0.1,0.9\n\
             5,0.5,1e-7,20,1,0\n4,0.4,1e-7,30,2,-1\n5,0.5,1e-7,30,3e-9,1\n"
        );
    }
}
