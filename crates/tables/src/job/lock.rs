//! Locks on shards, so that one run at a time computes a shard. The system releases a lock with its process.

use std::fs::{self, File, TryLockError};
use std::path::Path;

/// The folder of the locks, within the job's folder.
const FOLDER: &str = ".locks";

/// A lock on a shard, or nothing if the file system has no locks: without them a shard may be computed twice, but its
/// part is still published atomically.
pub(super) struct Lock {
    /// Closing the file unlocks it.
    _file: Option<File>,
}

impl Lock {
    fn open(folder: &Path, shard: usize) -> Option<File> {
        let locks = folder.join(FOLDER);
        fs::create_dir_all(&locks).ok()?;
        // The file is never removed, since another run may be waiting for its lock.
        File::options().create(true).truncate(false).write(true).open(locks.join(shard.to_string())).ok()
    }

    /// Takes the lock; `None` if another run holds it.
    pub(super) fn try_take(folder: &Path, shard: usize) -> Option<Self> {
        let file = Self::open(folder, shard);
        match file.as_ref().map(File::try_lock) {
            Some(Err(TryLockError::WouldBlock)) => None,
            _ => Some(Self { _file: file }),
        }
    }

    /// Whether another run holds the lock; creates no file.
    pub(super) fn is_held(folder: &Path, shard: usize) -> bool {
        let file = File::options().write(true).open(folder.join(FOLDER).join(shard.to_string()));
        file.is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
    }
}
