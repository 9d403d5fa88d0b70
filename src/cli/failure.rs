//! How a command ends that could not do its work.

use std::io::{self, Write};
use std::process::ExitCode;

use lrgrid::error::{BenchError, EvaluateError, JobError, PlotError, TableError};
use lrgrid::{Error, readable};

use super::interrupt;

/// Exit status where the work failed.
const FAILED: u8 = 1;

/// Exit status where the command line or the spec is wrong.
const WRONG: u8 = 2;

/// Why a command ends without its result.
#[derive(Debug)]
pub enum Failure {
    /// The reader of standard output has gone: nothing is wrong.
    ReaderGone,
    /// A signal asked to stop.
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

    /// What an evaluation failed at, with the name of the spec in front where that is wrong.
    pub fn of_evaluation(name: &str, error: Error) -> Self {
        match error {
            Error::Spec(_) | Error::Lower(_) | Error::Evaluate(EvaluateError::PastEnd { .. }) => {
                Self::in_spec(name, error)
            }
            other => other.into(),
        }
    }

    /// The same, with the name of the spec in front.
    pub fn in_spec(name: &str, error: Error) -> Self {
        match Self::from(error) {
            Self::Error { message, status } => Self::Error { message: format!("{name}: {message}"), status },
            gone => gone,
        }
    }

    /// The same, with the name of the spec in front where that is what is wrong.
    pub fn named(self, name: &str) -> Self {
        match self {
            Self::Error { message, status: WRONG } => {
                Self::Error { message: format!("{name}: {message}"), status: WRONG }
            }
            other => other,
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
            Self::Stopped { message } => {
                interrupt::end(&readable::message(&message));
                ExitCode::from(FAILED)
            }
            Self::Error { message, status } => {
                // Where standard error is closed too, the status still says it.
                let _ = writeln!(io::stderr(), "error: {}", readable::message(&message));
                ExitCode::from(status)
            }
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let status = match &error {
            Error::Table(table) => match table.cause() {
                TableError::Io { source, .. } if source.kind() == io::ErrorKind::BrokenPipe => return Self::ReaderGone,
                TableError::Interrupted => return Self::Stopped { message: error.to_string() },
                // A format that cannot hold the values is a wrong -o or --dtype.
                TableError::Format { .. } => WRONG,
                _ => FAILED,
            },
            // A step past the end of a schedule that ends is a wrong --steps or `steps`.
            Error::Evaluate(EvaluateError::PastEnd { .. }) => WRONG,
            Error::Spec(_)
            | Error::Lower(_)
            | Error::Wgsl(_)
            | Error::Job(JobError::Shard(_) | JobError::Manifest { .. }) => WRONG,
            Error::Plot(PlotError::Format { .. } | PlotError::Size { .. } | PlotError::Empty { .. }) => WRONG,
            // A log that cannot be read is a wrong argument, as a spec that cannot be read is.
            Error::Read(_) => WRONG,
            Error::Bench(BenchError::NothingSelected { .. }) => WRONG,
            _ => FAILED,
        };
        Self::Error { message: error.to_string(), status }
    }
}
