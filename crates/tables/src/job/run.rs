//! Runs: computing a shard, once even if several processes are asked to.

use std::thread;
use std::time::Duration;

use super::lock::Lock;
use super::part::{self, Flaw, Part};
use super::{Plan, Shard};
use crate::error::{Error, TableError};
use crate::table::{Checksum, Control};
use lrgrid::engine::Engine;

/// The interval at which a waiting run tries to take the shard's lock.
const PATIENCE: Duration = Duration::from_millis(100);

/// The result of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Whether the run computed the shard; otherwise the part was complete already.
    pub made: bool,
    /// The defect of a damaged part that was replaced.
    pub replaced: Option<String>,
    /// Bytes of the part.
    pub bytes: u64,
    /// The checksum of what follows its header.
    pub checksum: Checksum,
    /// The backend that evaluated it.
    pub backend: String,
}

impl Plan {
    /// Computes a shard, or verifies an existing part. Waits first if another run has the lock.
    ///
    /// # Errors
    /// As [`super::Job::write`].
    pub fn run(&self, shard: &Shard, engine: &Engine, control: &mut Control<'_>) -> Result<Run, Error> {
        loop {
            if let Some(run) = self.try_run(shard, engine, control)? {
                return Ok(run);
            }
            control.check().map_err(|source| TableError::Unfinished {
                source: Box::new(source),
                written: 0,
                total: self.job.header(shard.rows.clone()).values(),
            })?;
            thread::sleep(PATIENCE);
        }
    }

    /// As [`Plan::run`], but returns `None` if another run has the lock.
    ///
    /// # Errors
    /// As [`Plan::run`].
    pub fn try_run(&self, shard: &Shard, engine: &Engine, control: &mut Control<'_>) -> Result<Option<Run>, Error> {
        let Some(_lock) = Lock::try_take(&self.folder, shard.index) else { return Ok(None) };
        let replaced = match part::prove(&self.job, shard.rows.clone(), &shard.path) {
            Ok(proved) => {
                let (bytes, checksum, backend) = (proved.bytes, proved.checksum, proved.maker.backend);
                return Ok(Some(Run { made: false, replaced: None, bytes, checksum, backend }));
            }
            Err(Flaw::Missing) => None,
            Err(Flaw::Damaged(reason)) => Some(reason),
        };
        let header = self.job.header(shard.rows.clone());
        let part = Part { job: &self.job, header: &header, engine, path: &shard.path };
        let stored = self.job.fill(&header, engine, control, part)?;
        let (bytes, checksum) = stored.first().map_or((0, None), |stored| (stored.bytes, stored.checksum));
        let checksum = checksum.unwrap_or_else(|| Checksum::of(&[]));
        Ok(Some(Run { made: true, replaced, bytes, checksum, backend: engine.used() }))
    }
}
