//! One run of a shard at a time: a lock that the system drops with the process.

use std::fs::{self, File, TryLockError};
use std::path::Path;

/// The folder of the locks, in the job's.
const FOLDER: &str = ".locks";

/// A lock on a shard, or none where the file system has no locks: parts appear whole there too, made twice at worst.
pub(super) struct Lock {
    /// Unlocked when closed.
    _file: Option<File>,
}

impl Lock {
    fn open(folder: &Path, shard: usize) -> Option<File> {
        let locks = folder.join(FOLDER);
        fs::create_dir_all(&locks).ok()?;
        // Never removed: another run may be waiting for it.
        File::options().create(true).truncate(false).write(true).open(locks.join(shard.to_string())).ok()
    }

    /// Takes the lock, or nothing where another run holds it.
    pub(super) fn try_take(folder: &Path, shard: usize) -> Option<Self> {
        let file = Self::open(folder, shard);
        match file.as_ref().map(File::try_lock) {
            Some(Err(TryLockError::WouldBlock)) => None,
            _ => Some(Self { _file: file }),
        }
    }

    /// Whether another run holds the lock; makes nothing.
    pub(super) fn is_held(folder: &Path, shard: usize) -> bool {
        let file = File::options().write(true).open(folder.join(FOLDER).join(shard.to_string()));
        file.is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
    }
}
