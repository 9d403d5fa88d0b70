//! Names of columns: those of a table, and those of swept parameters.

use std::borrow::Cow;

/// The names of columns that are not swept parameters; not every table has all of them.
pub const COLUMNS: [&str; 4] = ["schedule", "step", "lr", "momentum"];

/// The column name of a swept parameter: `parameters.NAME` if it equals one of [`COLUMNS`] or of `others`. The
/// comparison ignores case, as many readers of tables do.
///
/// ```
/// use lrgrid_tables::table::parameter_column;
///
/// assert_eq!(parameter_column("peak", &[]), "peak");
/// assert_eq!(parameter_column("LR", &[]), "parameters.LR");
/// assert_eq!(parameter_column("mean", &["mean"]), "parameters.mean");
/// ```
#[must_use]
pub fn parameter_column<'n>(name: &'n str, others: &[&str]) -> Cow<'n, str> {
    // Readers of CSV trim spaces around a name.
    let collides = COLUMNS.iter().chain(others).any(|own| own.eq_ignore_ascii_case(name.trim()));
    if collides { format!("parameters.{name}").into() } else { name.into() }
}
