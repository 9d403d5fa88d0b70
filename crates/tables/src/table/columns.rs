//! Names of columns: those of a table, and those of swept parameters beside them.

use std::borrow::Cow;

/// The columns of a table that are not swept parameters; not every table has them all.
pub const COLUMNS: [&str; 4] = ["schedule", "step", "lr", "momentum"];

/// The name of a swept parameter's column beside the table's own and perhaps `others`: `parameters.NAME` where one of them
/// has its name, whatever the case, as many readers of tables know no case.
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
    // Readers of CSV take spaces around a name away.
    let collides = COLUMNS.iter().chain(others).any(|own| own.eq_ignore_ascii_case(name.trim()));
    if collides { format!("parameters.{name}").into() } else { name.into() }
}
