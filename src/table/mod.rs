//! Tables as files: formats, the order of their values, and the loop that fills them tile by tile.
//!
//! [`write_table`] evaluates a batch in tiles under a memory bound and hands each to a [`Sink`]. A sink is
//! one format; it sees the values in the order of its file, so a table never has to fit in memory.

mod atomic;
mod csv;
mod fill;
mod npy;
mod number;
mod sidecar;

use std::io::Write;
use std::ops::Range;
use std::path::{Path, PathBuf};

pub use atomic::AtomicFile;
pub use csv::{Csv, write_field};
pub use fill::write_table;
pub use npy::Npy;
pub use number::write_number;
pub use sidecar::write_parameters;

use crate::element::Element;
use crate::error::TableError;
use crate::packed::Steps;

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
    pub point: &'a Point<'a>,
    /// Whether each value has a momentum beside it.
    pub momentum: bool,
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

/// One format of table, fed tile by tile in the order of its file.
pub trait Sink<T: Element> {
    /// The most values to pass at once, whatever the memory bound: formats that expand them ask for few.
    fn most_values(&self) -> usize {
        usize::MAX
    }

    /// Takes the next values.
    ///
    /// # Errors
    /// When the file system refuses.
    fn write(&mut self, tile: &Tile<'_, T>) -> Result<(), TableError>;

    /// Completes the table; files take their names only now.
    ///
    /// # Errors
    /// When the file system refuses; nothing is left behind then.
    fn finish(self: Box<Self>) -> Result<(), TableError>;
}

/// The formats, by the ending of a file's name.
const ENDINGS: &str = ".csv or .npy";

/// Opens the sink that a file's ending asks for; nothing appears under the name before it is complete.
///
/// # Errors
/// When no format has that ending, the format cannot hold the values, or the file cannot be made.
pub fn create<'a, T: Element>(path: &Path, header: &'a Header<'a>) -> Result<Box<dyn Sink<T> + 'a>, TableError> {
    let ending = path.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase);
    match ending.as_deref() {
        Some("csv") => Ok(Box::new(Csv::create(path, header)?)),
        Some("npy") => Ok(Box::new(Npy::create::<T>(path, header)?)),
        Some(other) => Err(format_error(path, format!("no format is called .{other}: end the name in {ENDINGS}"))),
        None => Err(format_error(path, format!("the name has no ending to choose a format by: end it in {ENDINGS}"))),
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

/// The name of a file that goes with a table: `table.npy` and `momentum.npy` give `table.momentum.npy`.
fn companion(path: &Path, ending: &str) -> PathBuf {
    path.with_extension(ending)
}
