//! Tables as files: formats, the order of their values, and the loop that fills them tile by tile.
//!
//! [`write_table`] passes the values of a [`Source`] to a [`Sink`] in tiles, under a memory bound. A sink writes one
//! format. It receives the tiles in the order of its file, or in any order if it can write at any offset, so a table
//! never has to fit in memory. A file gets its name only when it is complete.

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

use std::fmt;
use std::str::FromStr;

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
use lrgrid::Steps;
use lrgrid::element::Element;
use lrgrid::error::UnknownName;

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
}

impl fmt::Display for Layout {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl FromStr for Layout {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        UnknownName::find("layout", name, &Self::ALL, Self::name)
    }
}

/// The meaning of a row in a columnar table (Parquet, Arrow).
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

/// The values of the swept parameters, by the schedule's index in the whole sweep.
pub type Point<'a> = dyn Fn(usize) -> Vec<f64> + Sync + 'a;

/// The description of a table: everything but its values.
pub struct Header<'a> {
    /// Order of the values.
    pub layout: Layout,
    /// The schedules in the table, by their index in the whole sweep.
    pub rows: Range<usize>,
    /// The steps in the table.
    pub steps: Steps,
    /// Names of the swept parameters.
    pub parameters: Vec<String>,
    /// The values of the swept parameters.
    pub point: Box<Point<'a>>,
    /// Whether each value has a momentum.
    pub momentum: bool,
    /// Metadata for formats that support it: the spec, its hash, the steps.
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

    /// The number of values in the table, without momenta.
    #[must_use]
    pub fn values(&self) -> u128 {
        self.rows.len() as u128 * self.steps.len() as u128
    }
}

/// A rectangle of a table, its values in the order of the header's layout.
#[derive(Clone, Debug)]
pub struct Tile<'a, T> {
    /// Schedules, by their index in the whole sweep.
    pub rows: Range<usize>,
    /// Indices into the header's steps.
    pub columns: Range<usize>,
    /// `rows.len() * columns.len()` values: `[row, column]`, or `[column, row]` for [`Layout::Step`].
    pub values: &'a [T],
    /// The momenta in the same order, if the header has them.
    pub momentum: Option<&'a [T]>,
}

/// A writer of one format, which receives the table tile by tile.
pub trait Sink<T: Element> {
    /// The most values per tile, regardless of the memory bound; formats that expand values request fewer.
    fn most_values(&self) -> usize {
        usize::MAX
    }

    /// Whether tiles may come in any order, not only in that of the file.
    fn takes_any_order(&self) -> bool {
        false
    }

    /// Writes the next tile.
    ///
    /// # Errors
    /// When the file system reports an error.
    fn write(&mut self, tile: &Tile<'_, T>) -> Result<(), TableError>;

    /// Completes the table; only now do the files get their names. Returns them, the table first.
    ///
    /// # Errors
    /// When the file system reports an error; nothing is left behind then.
    fn finish(self: Box<Self>) -> Result<Vec<Stored>, TableError>;
}

/// Options for writing a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The treatment of existing files.
    pub existing: Existing,
    /// The meaning of a row in a columnar table.
    pub rows: Rows,
    /// Whether to compute checksums of the files.
    pub checksum: bool,
    /// The memory bound, of which a format may use a part beside the tiles.
    pub memory: Memory,
}

/// Opens the sink that a file's extension chooses; nothing appears under that name before the table is complete.
///
/// # Errors
/// When no format has that extension, the format cannot hold the values, or the file cannot be created.
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

/// Opens a sink that writes CSV into a stream, such as standard output.
///
/// # Errors
/// When writing the first line fails.
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
