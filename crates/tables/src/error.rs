//! The errors of tables and jobs. Each names what is wrong, the offending value, and a remedy.

use std::path::PathBuf;

/// Any error of tables and jobs.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An error of the library `lrgrid`.
    #[error(transparent)]
    Library(#[from] lrgrid::Error),
    /// A table could not be written.
    #[error(transparent)]
    Table(#[from] TableError),
    /// A job in shards has an error.
    #[error(transparent)]
    Job(#[from] JobError),
}

impl From<lrgrid::error::EvaluateError> for Error {
    fn from(error: lrgrid::error::EvaluateError) -> Self {
        Self::Library(error.into())
    }
}

/// Why a table could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    /// An error of the file system.
    #[error("could not write {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The file's extension names no format, or one that cannot hold the values.
    #[error("{path}: {reason}")]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong and what would be right.
        reason: String,
    },
    /// The file exists already.
    #[error("{path} is there already: replace it with --force, or choose another name")]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The disk has too little room.
    #[error("{path} takes at least {needed} bytes, but its disk has room for {available}")]
    NoRoom {
        /// The file.
        path: PathBuf,
        /// Bytes of the file, or a lower bound on them.
        needed: u64,
        /// Bytes free to this user.
        available: u64,
    },
    /// Writing began and was not completed.
    #[error("{source}; {written} of {total} values had been written, and no unfinished file is left behind")]
    Unfinished {
        /// The cause.
        source: Box<TableError>,
        /// Values written before the error.
        written: u128,
        /// Values of the table.
        total: u128,
    },
    /// The work was interrupted on request.
    #[error("interrupted")]
    Interrupted,
}

impl TableError {
    /// The cause, without the number of values written.
    #[must_use]
    pub fn cause(&self) -> &Self {
        match self {
            Self::Unfinished { source, .. } => source.cause(),
            cause => cause,
        }
    }
}

/// An error of a job in shards.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JobError {
    /// A manifest that cannot be used.
    #[error("{path}: {reason}")]
    Manifest {
        /// The file.
        path: PathBuf,
        /// What is wrong and what would be right.
        reason: String,
    },
    /// A shard that the job does not have.
    #[error("{0}")]
    Shard(String),
    /// A part that does not match the manifest.
    #[error("{path}: {reason}")]
    Part {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Parts are missing or damaged.
    #[error("{missing} missing and {damaged} damaged of {count} shards ({names}): `lrgrid run {folder}` computes them")]
    Incomplete {
        /// Shards without a part.
        missing: usize,
        /// Shards whose part fails verification.
        damaged: usize,
        /// All shards.
        count: u64,
        /// The numbers of the first of these shards.
        names: String,
        /// The job's folder.
        folder: PathBuf,
    },
    /// Parts were made by different backends or versions.
    #[error(
        "the shards were not all made alike ({found}), so the table may differ in its last bits from one made at once: \
         compute them again alike, or merge with --mixed"
    )]
    Mixed {
        /// The versions and backends, with the number of parts of each.
        found: String,
    },
}
