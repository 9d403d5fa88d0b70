//! The errors of reports. Each names what is wrong, the offending value, and a remedy.

use std::path::PathBuf;

/// Any error of reports.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An error of the library `lrgrid`.
    #[error(transparent)]
    Library(#[from] lrgrid::Error),
    /// A picture could not be drawn.
    #[error(transparent)]
    Plot(#[from] PlotError),
    /// A log could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl From<lrgrid::error::EvaluateError> for Error {
    fn from(error: lrgrid::error::EvaluateError) -> Self {
        Self::Library(error.into())
    }
}

impl From<lrgrid::error::LowerError> for Error {
    fn from(error: lrgrid::error::LowerError) -> Self {
        Self::Library(error.into())
    }
}

/// Why a picture could not be drawn.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PlotError {
    /// The file's extension names no picture format.
    #[error("{path}: {reason}")]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong and what would be right.
        reason: String,
    },
    /// The picture would be empty or too large.
    #[error("a picture of {width} × {height} pixels: each side must be from 1 to {most}")]
    Size {
        /// Width in pixels.
        width: f64,
        /// Height in pixels.
        height: f64,
        /// The largest width or height.
        most: f64,
    },
    /// The encoder failed.
    #[error("could not encode the picture: {reason}")]
    Encode {
        /// The encoder's error message.
        reason: String,
    },
    /// There is nothing to draw.
    #[error("there is no step to draw: {reason}")]
    Empty {
        /// Why.
        reason: String,
    },
}

/// Why a log or a table of learning rates could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// An error of the file system.
    #[error("could not read {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The file is not of its format, or has no usable values.
    #[error("{path}: {reason}")]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong, where, and what would be right.
        reason: String,
    },
}
