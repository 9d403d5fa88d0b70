//! Standard output and standard error.

use std::io::{self, Write};

use lrgrid::readable;

use super::Failure;

/// Writes to standard output.
pub fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(Failure::from_stdout)
}

/// Writes warnings to standard error.
pub fn warn(warnings: &[String]) {
    for warning in warnings {
        // A closed standard error is no reason to stop.
        let _ = writeln!(io::stderr(), "warning: {}", readable::message(warning));
    }
}

/// Writes a remark to standard error.
pub fn note(text: &str) {
    let _ = writeln!(io::stderr(), "note: {}", readable::message(text));
}
