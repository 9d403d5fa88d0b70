//! The outputs of a command: standard output, standard error, and files that appear complete or not at all.

use std::io::{self, BufWriter, StdoutLock, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use lrgrid::readable;
use lrgrid_tables::error::TableError;
use lrgrid_tables::table::{AtomicFile, Existing};
use serde::Serialize;

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

/// Whether existing files are replaced.
#[derive(Clone, Copy, Debug, Args)]
pub struct Overwrite {
    /// Replace an existing file once the new one is complete.
    #[arg(long)]
    force: bool,
}

impl Overwrite {
    /// Refuses an existing file that may not be replaced, before any work is done for it.
    pub fn check(self, path: Option<&Path>) -> Result<(), Failure> {
        match path {
            Some(path) if !self.force && path.exists() => Err(TableError::Exists { path: path.to_owned() }.into()),
            _ => Ok(()),
        }
    }

    /// The same, as tables take it.
    pub fn existing(self) -> Existing {
        if self.force { Existing::Replace } else { Existing::Keep }
    }

    /// Writes a file that appears complete or not at all.
    pub fn write(self, path: &Path, bytes: &[u8]) -> Result<(), Failure> {
        Ok(AtomicFile::write_whole(path, bytes, self.existing())?)
    }
}

/// The destination of a text: standard output, or a file.
#[derive(Clone, Debug, Args)]
pub struct Destination {
    /// Write to this file instead of standard output.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    overwrite: Overwrite,
}

impl Destination {
    /// Refuses an existing file that may not be replaced, before any work is done for it.
    pub fn check(&self) -> Result<(), Failure> {
        self.overwrite.check(self.output.as_deref())
    }

    /// Whether the text goes to standard output.
    pub fn is_stdout(&self) -> bool {
        self.output.is_none()
    }

    /// Writes the whole text.
    pub fn write(&self, text: &str) -> Result<(), Failure> {
        match &self.output {
            Some(path) => self.overwrite.write(path, text.as_bytes()),
            None => print(text),
        }
    }

    /// Opens the destination for a text that is written line by line.
    pub fn lines(&self) -> Result<Lines, Failure> {
        Ok(match &self.output {
            Some(path) => Lines::File(Box::new(AtomicFile::create(path, self.overwrite.existing())?)),
            None => Lines::Stdout(BufWriter::new(io::stdout().lock())),
        })
    }
}

/// A text that is written line by line. A file appears under its name with [`Lines::finish`].
pub enum Lines {
    Stdout(BufWriter<StdoutLock<'static>>),
    File(Box<AtomicFile>),
}

impl Lines {
    /// Writes a line, which has no newline of its own.
    pub fn push(&mut self, line: &str) -> Result<(), Failure> {
        match self {
            Self::Stdout(stdout) => writeln!(stdout, "{line}").map_err(Failure::from_stdout),
            Self::File(file) => Ok(file.append(line.as_bytes()).and_then(|()| file.append(b"\n"))?),
        }
    }

    /// Completes the text.
    pub fn finish(self) -> Result<(), Failure> {
        match self {
            Self::Stdout(mut stdout) => stdout.flush().map_err(Failure::from_stdout),
            Self::File(file) => Ok(file.commit().map(drop)?),
        }
    }
}

/// Writes a value to standard output as indented JSON.
pub fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(|error| Failure::from_stdout(error.into()))?;
    print(&(text + "\n"))
}
