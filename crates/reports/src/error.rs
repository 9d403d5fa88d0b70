//! Every error of reports, each with what was wrong, the value, and what would be right.

use std::path::PathBuf;

/// Anything that reports can refuse or fail at.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The library refused or failed.
    #[error(transparent)]
    Library(#[from] lrgrid::Error),
    /// A picture could not be made.
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

/// Why a picture could not be made.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PlotError {
    /// The ending names no picture format.
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
        /// Pixels across.
        width: f64,
        /// Pixels down.
        height: f64,
        /// The most that either may be.
        most: f64,
    },
    /// The encoder refused.
    #[error("could not encode the picture: {reason}")]
    Encode {
        /// What it said.
        reason: String,
    },
    /// There is nothing to draw.
    #[error("there is no step to draw: {reason}")]
    Empty {
        /// Why.
        reason: String,
    },
}

/// Why a table of learning rates could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The file system refused.
    #[error("could not read {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not what its ending says, or holds no usable values.
    #[error("{path}: {reason}")]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong, where, and what would be right.
        reason: String,
    },
}
