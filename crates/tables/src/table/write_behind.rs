//! Syncs a file in a background thread while it is written: the final sync is short, and disk errors are noticed early.

use std::fs::File;
use std::io;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};

/// Bytes written between two syncs.
const EVERY: u64 = 32 << 20;

/// Enabled where it was measured to help; on other systems a sync may flush the cache of the whole disk.
const SUPPORTED: bool = cfg!(target_os = "linux");

/// A thread that syncs a file, started when the file is large enough.
#[derive(Debug, Default)]
pub(super) struct WriteBehind {
    /// Bytes written since the last request to the thread.
    waiting: u64,
    thread: Option<(SyncSender<()>, JoinHandle<io::Result<()>>)>,
}

impl WriteBehind {
    /// Records bytes written to a file, and requests a sync if they are many and the thread is idle.
    ///
    /// # Errors
    /// When an earlier sync failed: the system reports that once, so the final sync would not see it.
    pub(super) fn written(&mut self, file: &File, bytes: u64) -> io::Result<()> {
        self.waiting += bytes;
        if !SUPPORTED || self.waiting < EVERY {
            return Ok(());
        }
        if self.thread.is_none() {
            self.thread = start(file);
        }
        match self.thread.as_ref().map(|(requests, _)| requests.try_send(())) {
            Some(Err(TrySendError::Disconnected(()))) => self.finish(),
            // A sync is in progress; the next one is requested later.
            Some(Err(TrySendError::Full(()))) => Ok(()),
            Some(Ok(())) | None => {
                self.waiting = 0;
                Ok(())
            }
        }
    }

    /// Waits for the thread to finish.
    ///
    /// # Errors
    /// When a sync failed.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        let Some((requests, thread)) = self.thread.take() else { return Ok(()) };
        drop(requests);
        thread.join().unwrap_or_else(|_| Err(io::Error::other("the thread that waits for the disk panicked")))
    }
}

/// Starts the thread; without one, the file is synced at the end only.
fn start(file: &File) -> Option<(SyncSender<()>, JoinHandle<io::Result<()>>)> {
    let file = file.try_clone().ok()?;
    let (requests, requested) = sync_channel(1);
    let wait = move || requested.iter().try_for_each(|()| file.sync_data());
    let thread = thread::Builder::new().name("lrgrid-disk".to_owned()).spawn(wait).ok()?;
    Some((requests, thread))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_thread_waits_for_large_files_only() {
        let file = tempfile::tempfile().unwrap();
        let mut behind = WriteBehind::default();
        behind.written(&file, EVERY - 1).unwrap();
        assert!(behind.thread.is_none());
        for _ in 0..100 {
            behind.written(&file, EVERY).unwrap();
        }
        assert!(behind.thread.is_some());
        behind.finish().unwrap();
        assert!(behind.thread.is_none());
    }

    #[test]
    fn what_the_disk_refuses_is_an_error_of_a_later_write_or_of_the_end() {
        // A device that does not support syncing.
        let refuses = || File::open("/dev/null").unwrap();
        let mut behind = WriteBehind::default();
        behind.written(&refuses(), EVERY).unwrap();
        assert!(behind.finish().is_err());
        let mut behind = WriteBehind::default();
        let refused = (0..10_000).any(|_| {
            thread::yield_now();
            behind.written(&refuses(), EVERY).is_err()
        });
        assert!(refused);
        behind.finish().unwrap();
    }
}
