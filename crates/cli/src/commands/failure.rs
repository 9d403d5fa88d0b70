//! The errors of a command, with their exit statuses.

use std::io::{self, Write};
use std::process::ExitCode;

use lrgrid::error::EvaluateError;
use lrgrid::{Error, readable};
use lrgrid_reports::error::{PlotError, ReadError};
use lrgrid_tables::error::{JobError, TableError};

use super::interrupt;
use crate::error::BenchError;

/// Exit status if the work failed.
const FAILED: u8 = 1;

/// Exit status if the command line or the spec is wrong.
const WRONG: u8 = 2;

/// The reason why a command ends without its result.
#[derive(Debug)]
pub enum Failure {
    /// The reader of standard output has closed it, which is no error.
    ReaderGone,
    /// A signal requested the end.
    Stopped {
        /// One paragraph.
        message: String,
    },
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

    /// The error of an evaluation, prefixed with the name of the spec if that is wrong.
    pub fn of_evaluation(name: &str, error: impl Into<lrgrid_tables::Error>) -> Self {
        match error.into() {
            lrgrid_tables::Error::Library(
                error @ (Error::Spec(_) | Error::Lower(_) | Error::Evaluate(EvaluateError::PastEnd { .. })),
            ) => Self::in_spec(name, error),
            other => other.into(),
        }
    }

    /// An error of a spec, prefixed with its name.
    pub fn in_spec(name: &str, error: Error) -> Self {
        match Self::from(error) {
            Self::Error { message, status } => Self::Error { message: format!("{name}: {message}"), status },
            gone => gone,
        }
    }

    /// The same, prefixed with the name of the spec if that is wrong.
    pub fn named(self, name: &str) -> Self {
        match self {
            Self::Error { message, status: WRONG } => {
                Self::Error { message: format!("{name}: {message}"), status: WRONG }
            }
            other => other,
        }
    }

    /// An error of writing to standard output.
    pub fn from_stdout(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::ReaderGone;
        }
        Self::Error { message: format!("could not write standard output: {error}"), status: FAILED }
    }

    /// Prints the error to standard error.
    pub fn report(self) -> ExitCode {
        match self {
            Self::ReaderGone => ExitCode::SUCCESS,
            Self::Stopped { message } => {
                interrupt::end(&readable::message(&message));
                ExitCode::from(FAILED)
            }
            Self::Error { message, status } => {
                // If standard error is closed too, the status still reports it.
                let _ = writeln!(io::stderr(), "error: {}", readable::message(&message));
                ExitCode::from(status)
            }
        }
    }
}

impl Failure {
    fn of(error: &impl ToString, status: u8) -> Self {
        Self::Error { message: error.to_string(), status }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let status = match &error {
            // A step past the end of a schedule that ends is a wrong --steps or `steps`.
            Error::Evaluate(EvaluateError::PastEnd { .. }) | Error::Spec(_) | Error::Lower(_) | Error::Wgsl(_) => WRONG,
            _ => FAILED,
        };
        Self::of(&error, status)
    }
}

impl From<TableError> for Failure {
    fn from(error: TableError) -> Self {
        let status = match error.cause() {
            TableError::Io { source, .. } if source.kind() == io::ErrorKind::BrokenPipe => return Self::ReaderGone,
            TableError::Interrupted => return Self::Stopped { message: error.to_string() },
            // A format that cannot hold the values is a wrong -o or --dtype.
            TableError::Format { .. } => WRONG,
            _ => FAILED,
        };
        Self::of(&error, status)
    }
}

impl From<lrgrid_tables::Error> for Failure {
    fn from(error: lrgrid_tables::Error) -> Self {
        match error {
            lrgrid_tables::Error::Library(error) => error.into(),
            lrgrid_tables::Error::Table(error) => error.into(),
            lrgrid_tables::Error::Job(JobError::Shard(_) | JobError::Manifest { .. }) => Self::of(&error, WRONG),
            error => Self::of(&error, FAILED),
        }
    }
}

impl From<PlotError> for Failure {
    fn from(error: PlotError) -> Self {
        lrgrid_reports::Error::from(error).into()
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        lrgrid_reports::Error::from(error).into()
    }
}

impl From<lrgrid_reports::Error> for Failure {
    fn from(error: lrgrid_reports::Error) -> Self {
        match error {
            lrgrid_reports::Error::Library(error) => error.into(),
            lrgrid_reports::Error::Plot(PlotError::Encode { .. }) => Self::of(&error, FAILED),
            // A log that cannot be read is a wrong argument, as a spec that cannot be read is.
            error => Self::of(&error, WRONG),
        }
    }
}

impl From<crate::Error> for Failure {
    fn from(error: crate::Error) -> Self {
        match error {
            crate::Error::Library(error) => error.into(),
            crate::Error::Bench(BenchError::NothingSelected { .. }) => Self::of(&error, WRONG),
            error => Self::of(&error, FAILED),
        }
    }
}
