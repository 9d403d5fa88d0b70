//! Tables as files: formats, the order of their values, and the loop that fills them tile by tile.
//!
//! [`write_table`] takes the values of a [`Source`] in tiles under a memory bound and hands each to a [`Sink`]. A sink
//! is one format; it sees the values in the order of its file, or in any order where it can place them, so a table
//! never has to fit in memory. Its files take their names only when they are complete.

#[cfg(feature = "arrow")]
mod arrow;
mod atomic;
mod columns;
mod csv;
pub(crate) mod dense;
mod digest;
mod evaluated;
mod fill;
mod format;
mod memory;
mod npy;
mod number;
pub(crate) mod safetensors;
mod set;
mod sidecar;
mod unfinished;
mod write_behind;

use std::collections::BTreeMap;
use std::io::Write;
use std::ops::Range;
use std::path::Path;

pub use atomic::{AtomicFile, Existing, Stored};
pub use columns::{COLUMNS, parameter_column};
pub use csv::{Csv, write_parameter_names};
pub use digest::Checksum;
pub use evaluated::{Batches, Evaluated};
pub use fill::{Control, Source, write_table};
pub use format::Format;
pub use memory::{DEFAULT_MEMORY, Memory};
pub use npy::Npy;
pub use number::write_number;
pub use safetensors::Safetensors;
pub use sidecar::write_parameters;
pub use unfinished::remove_unfinished;

use crate::error::TableError;
use lrgrid::element::Element;
use lrgrid::packed::Steps;

/// Which of a table's two axes comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Layout {
    /// `[schedule, step]`: all steps of the first schedule, then of the next.
    #[default]
    Schedule,
    /// `[step, schedule]`: all schedules at the first step, then at the next.
    Step,
}

impl Layout {
    /// Every layout.
    pub const ALL: [Self; 2] = [Self::Schedule, Self::Step];

    /// The name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Schedule => "schedule",
            Self::Step => "step",
        }
    }

    /// The layout of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|layout| layout.name() == name)
    }
}

/// What a row of a columnar table (Parquet, Arrow) is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Rows {
    /// One value, with its schedule, the swept parameters and its step beside it.
    #[default]
    Value,
    /// One schedule, with the swept parameters and a fixed-size list of all its values.
    Schedule,
}

impl Rows {
    /// Every kind of row.
    pub const ALL: [Self; 2] = [Self::Value, Self::Schedule];

    /// The name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Value => "value",
            Self::Schedule => "schedule",
        }
    }
}

/// The values of the swept parameters, by the schedule's number in the whole sweep.
pub type Point<'a> = dyn Fn(usize) -> Vec<f64> + Sync + 'a;

/// What a table is about: everything but its values.
pub struct Header<'a> {
    /// Order of the values.
    pub layout: Layout,
    /// The schedules in the table, by their number in the whole sweep.
    pub rows: Range<usize>,
    /// The steps in the table.
    pub steps: Steps,
    /// Names of the swept parameters.
    pub parameters: Vec<String>,
    /// Their values.
    pub point: Box<Point<'a>>,
    /// Whether each value has a momentum beside it.
    pub momentum: bool,
    /// What formats with room for it say about the table: the spec, its hash, the steps.
    pub metadata: BTreeMap<String, String>,
}

impl Header<'_> {
    /// Lengths of the first and the second axis.
    #[must_use]
    pub fn shape(&self) -> [usize; 2] {
        match self.layout {
            Layout::Schedule => [self.rows.len(), self.steps.len()],
            Layout::Step => [self.steps.len(), self.rows.len()],
        }
    }

    /// Values in the table, momenta not counted.
    #[must_use]
    pub fn values(&self) -> u128 {
        self.rows.len() as u128 * self.steps.len() as u128
    }
}

/// A rectangle of a table, its values in the order of the header's layout.
#[derive(Clone, Debug)]
pub struct Tile<'a, T> {
    /// Schedules, by their number in the whole sweep.
    pub rows: Range<usize>,
    /// Indices into the header's steps.
    pub columns: Range<usize>,
    /// `rows.len() * columns.len()` values: `[row, column]`, or `[column, row]` for [`Layout::Step`].
    pub values: &'a [T],
    /// As many momenta in the same order, where the header has them.
    pub momentum: Option<&'a [T]>,
}

/// One format of table, fed tile by tile.
pub trait Sink<T: Element> {
    /// The most values to pass at once, whatever the memory bound: formats that expand them ask for few.
    fn most_values(&self) -> usize {
        usize::MAX
    }

    /// Whether tiles may come in any order, and not only in that of the file.
    fn takes_any_order(&self) -> bool {
        false
    }

    /// Takes the next values.
    ///
    /// # Errors
    /// When the file system refuses.
    fn write(&mut self, tile: &Tile<'_, T>) -> Result<(), TableError>;

    /// Completes the table; files take their names only now. Returns them, the table first.
    ///
    /// # Errors
    /// When the file system refuses; nothing is left behind then.
    fn finish(self: Box<Self>) -> Result<Vec<Stored>, TableError>;
}

/// How a table is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// What becomes of files that are there already.
    pub existing: Existing,
    /// What a row of a columnar table is.
    pub rows: Rows,
    /// Whether to compute checksums of the files.
    pub checksum: bool,
    /// The memory that a format may take beside the tiles.
    pub memory: Memory,
}

/// Opens the sink that a file's ending asks for; nothing appears under the name before it is complete.
///
/// # Errors
/// When no format has that ending, the format cannot hold the values, or the file cannot be made.
pub fn create<'a, T: Element>(
    path: &Path,
    header: &'a Header<'a>,
    options: &Options,
) -> Result<Box<dyn Sink<T> + 'a>, TableError> {
    let format = Format::for_file(path, T::DTYPE)?;
    if header.values() > u128::from(u64::MAX >> 8) {
        let reason = format!("{} values are more than any file can hold: evaluate fewer steps", header.values());
        return Err(format_error(path, reason));
    }
    let by_schedule = options.rows == Rows::Schedule;
    if by_schedule && !matches!(format, Format::Parquet | Format::Arrow) {
        let reason = "rows that hold a schedule are for .parquet and .arrow: leave out --rows".to_owned();
        return Err(format_error(path, reason));
    }
    if by_schedule && header.layout == Layout::Step {
        let reason = "rows that hold a schedule need its steps together: leave out --layout step".to_owned();
        return Err(format_error(path, reason));
    }
    match format {
        Format::Csv => Ok(Box::new(Csv::create(path, header, options)?)),
        Format::Npy => Ok(Box::new(Npy::create::<T>(path, header, options)?)),
        Format::Safetensors => Ok(Box::new(Safetensors::create::<T>(path, header, options)?)),
        #[cfg(feature = "arrow")]
        Format::Parquet => arrow::parquet::<T>(path, header, options),
        #[cfg(feature = "arrow")]
        Format::Arrow => arrow::ipc::<T>(path, header, options),
        #[cfg(not(feature = "arrow"))]
        other => Err(format_error(path, format!("this lrgrid was built without .{}", other.ending()))),
    }
}

/// A CSV table into a stream, such as standard output.
///
/// # Errors
/// When the stream refuses the first line.
pub fn stream<'a, T: Element>(
    stream: impl Write + 'a,
    name: &str,
    header: &'a Header<'a>,
) -> Result<Box<dyn Sink<T> + 'a>, TableError> {
    Ok(Box::new(Csv::stream(Box::new(stream), name, header)?))
}

fn format_error(path: &Path, reason: String) -> TableError {
    TableError::Format { path: path.to_owned(), reason }
}
