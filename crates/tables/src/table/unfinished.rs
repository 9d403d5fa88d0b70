//! Temporary files: those that this process is writing, and those that a killed process left behind.
//!
//! The writer of a temporary file holds a lock on it. The system releases the lock with the process, so a file that can
//! be locked has no owner and is removed.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::NamedTempFile;

const PREFIX: &str = ".lrgrid-";
const SUFFIX: &str = ".tmp";

/// The interval at which the final clean-up tries to take the lock.
const PATIENCE: Duration = Duration::from_millis(5);

/// The files that this process is writing.
static UNFINISHED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// The lock on the files that this process is writing. It is held while a file is created or several are renamed, so
/// that a signal finds these operations complete or not begun.
pub(super) struct Unfinished(MutexGuard<'static, Vec<PathBuf>>);

impl Unfinished {
    pub(super) fn lock() -> Self {
        Self(UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Removes a temporary file from the list: it is deleted or has its final name.
    pub(super) fn forget(&mut self, path: &Path) {
        self.0.retain(|known| known != path);
    }
}

/// Removes the temporary files that this process is writing, and prevents further ones from being created or renamed.
/// To be called immediately before the process ends.
///
/// Renames in progress are completed first, unless that takes longer than `patience`.
pub fn remove_unfinished(patience: Duration) {
    let started = Instant::now();
    let mut files = loop {
        match UNFINISHED.try_lock() {
            Ok(files) => break files,
            Err(TryLockError::Poisoned(poisoned)) => break poisoned.into_inner(),
            // The next run in the same folder removes remaining files.
            Err(TryLockError::WouldBlock) if started.elapsed() >= patience => return,
            Err(TryLockError::WouldBlock) => thread::sleep(PATIENCE),
        }
    };
    files.drain(..).for_each(|path| drop(fs::remove_file(path)));
    std::mem::forget(files);
}

/// Creates a temporary file in a folder, locked as long as it is open.
pub(super) fn create(folder: &Path) -> io::Result<NamedTempFile> {
    remove_stale(folder);
    let mut unfinished = Unfinished::lock();
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX).suffix(SUFFIX);
    #[cfg(unix)]
    // The usual permissions of a new file, subject to the umask; temporary files would be private.
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    loop {
        let temporary = builder.tempfile_in(folder)?;
        // On file systems without locks, nothing is locked, and no other process's files are removed either.
        let locked = temporary.as_file().lock().is_ok();
        // Between creation and locking, another process may have removed the file as one without an owner.
        if !locked || temporary.path().exists() {
            unfinished.0.push(temporary.path().to_owned());
            return Ok(temporary);
        }
    }
}

/// Removes the temporary files in a folder that no process has locked.
fn remove_stale(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let ours = name.to_str().is_some_and(|name| name.starts_with(PREFIX) && name.ends_with(SUFFIX));
        if !ours || !entry.file_type().is_ok_and(|kind| kind.is_file()) {
            continue;
        }
        if let Ok(file) = File::options().write(true).open(entry.path())
            && file.try_lock().is_ok()
        {
            // Another process may have removed it first.
            drop(fs::remove_file(entry.path()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_without_an_owner_are_removed_and_others_kept() {
        let folder = tempfile::tempdir().unwrap();
        let stale = folder.path().join(".lrgrid-killed.tmp");
        let mine = folder.path().join("lrgrid.tmp");
        fs::write(&stale, "half").unwrap();
        fs::write(&mine, "kept").unwrap();
        let first = create(folder.path()).unwrap();
        assert!(!stale.exists() && mine.exists());
        let second = create(folder.path()).unwrap();
        assert!(first.path().exists() && second.path().exists());
        let path = first.path().to_owned();
        let mut unfinished = Unfinished::lock();
        assert!(unfinished.0.contains(&path));
        unfinished.forget(&path);
        assert!(!unfinished.0.contains(&path));
        unfinished.forget(second.path());
    }
}
