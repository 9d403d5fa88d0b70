//! How a command ends that could not do its work.

use std::io::{self, Write};
use std::process::ExitCode;

use lrgrid::Error;
use lrgrid::error::{EvaluateError, PlotError, TableError};

/// Exit status where the work failed.
const FAILED: u8 = 1;

/// Exit status where the command line or the spec is wrong.
const WRONG: u8 = 2;

/// Why a command ends without its result.
#[derive(Debug)]
pub enum Failure {
    /// The reader of standard output has gone: nothing is wrong.
    ReaderGone,
    /// An error, and the exit status it gives.
    Error {
        /// One paragraph.
        message: String,
        /// The exit status.
        status: u8,
    },
}

impl Failure {
    /// The command line or the spec is wrong.
    pub fn wrong(message: impl Into<String>) -> Self {
        Self::Error { message: message.into(), status: WRONG }
    }

    /// The same, with the name of the spec in front.
    pub fn in_spec(name: &str, error: Error) -> Self {
        match Self::from(error) {
            Self::Error { message, status } => Self::Error { message: format!("{name}: {message}"), status },
            gone => gone,
        }
    }

    /// Standard output refused.
    pub fn from_stdout(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::ReaderGone;
        }
        Self::Error { message: format!("could not write standard output: {error}"), status: FAILED }
    }

    /// Says on standard error what happened.
    pub fn report(self) -> ExitCode {
        match self {
            Self::ReaderGone => ExitCode::SUCCESS,
            Self::Error { message, status } => {
                // Where standard error is closed too, the status still says it.
                let _ = writeln!(io::stderr(), "error: {message}");
                ExitCode::from(status)
            }
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let status = match &error {
            Error::Table(TableError::Io { source, .. }) if source.kind() == io::ErrorKind::BrokenPipe => {
                return Self::ReaderGone;
            }
            // A step past the end of a schedule that ends is a wrong --steps or `steps`.
            Error::Evaluate(EvaluateError::PastEnd { .. }) => WRONG,
            // A format that cannot hold the values is a wrong -o or --dtype.
            Error::Spec(_) | Error::Lower(_) | Error::Table(TableError::Format { .. }) => WRONG,
            Error::Plot(PlotError::Format { .. } | PlotError::Size { .. } | PlotError::Empty { .. }) => WRONG,
            // A log that cannot be read is a wrong argument, as a spec that cannot be read is.
            Error::Read(_) => WRONG,
            _ => FAILED,
        };
        Self::Error { message: error.to_string(), status }
    }
}
