//! Every error of tables and jobs, each with what was wrong, the value, and what would be right.

use std::path::PathBuf;

/// Anything that tables and jobs can refuse or fail at.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The library refused or failed.
    #[error(transparent)]
    Library(#[from] lrgrid::Error),
    /// A table could not be written.
    #[error(transparent)]
    Table(#[from] TableError),
    /// A job in shards is not what it should be.
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
    /// The file system refused.
    #[error("could not write {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The ending names no format, or one that cannot hold the values.
    #[error("{path}: {reason}")]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong and what would be right.
        reason: String,
    },
    /// The file is there already.
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
    /// Writing began and did not come to its end.
    #[error("{source}; {written} of {total} values had been written, and no unfinished file is left behind")]
    Unfinished {
        /// What went wrong.
        source: Box<TableError>,
        /// Values written by then.
        written: u128,
        /// Values of the table.
        total: u128,
    },
    /// Someone asked to stop.
    #[error("interrupted")]
    Interrupted,
}

impl TableError {
    /// What went wrong, without how far the table had come.
    #[must_use]
    pub fn cause(&self) -> &Self {
        match self {
            Self::Unfinished { source, .. } => source.cause(),
            cause => cause,
        }
    }
}

/// What is wrong with a job that is spread over several machines.
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
    /// A part that is not what the manifest asks for.
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
        /// Shards whose part does not prove right.
        damaged: usize,
        /// All shards.
        count: u64,
        /// The first of those by number.
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
        /// Who made which.
        found: String,
    },
}
