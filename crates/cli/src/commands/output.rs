//! Standard output, standard error, and files that a command writes whole.

use std::io::{self, Write};
use std::path::Path;

use clap::Args;
use lrgrid::readable;
use lrgrid_tables::error::TableError;
use lrgrid_tables::table::{AtomicFile, Existing};

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

/// What becomes of a file that is there already.
#[derive(Clone, Copy, Debug, Args)]
pub struct Overwrite {
    /// Replace existing files.
    #[arg(long)]
    force: bool,
}

impl Overwrite {
    /// Refuses a file that is there and is to stay, before any work is done for it.
    pub fn check(self, path: Option<&Path>) -> Result<(), Failure> {
        match path {
            Some(path) if !self.force && path.exists() => Err(TableError::Exists { path: path.to_owned() }.into()),
            _ => Ok(()),
        }
    }

    /// Writes a file that appears whole or not at all.
    pub fn write(self, path: &Path, bytes: &[u8]) -> Result<(), Failure> {
        let existing = if self.force { Existing::Replace } else { Existing::Keep };
        Ok(AtomicFile::write_whole(path, bytes, existing)?)
    }
}
