//! Plans: a job divided into shards, as a manifest in a folder with the parts beside it.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::Job;
use super::manifest::{self, Entry, MOST_SHARDS, Manifest};
use crate::error::{Error, JobError, TableError};
use crate::table::Existing;

/// A job divided into shards, in a folder that all machines share.
#[derive(Debug)]
pub struct Plan {
    pub(super) folder: PathBuf,
    pub(super) job: Job,
    pub(super) shards: Vec<Shard>,
}

/// A shard: some of a job's schedules, and the file of their values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Its number, from 0.
    pub index: usize,
    /// Its schedules, by their index in the whole sweep.
    pub rows: Range<usize>,
    /// The file of its values.
    pub path: PathBuf,
}

impl Plan {
    /// Divides a job into shards of equal numbers of schedules, and writes the manifest into a folder, which is
    /// created.
    ///
    /// Planning the same job again changes nothing; existing parts are kept.
    ///
    /// # Errors
    /// When there are more shards than schedules, the folder has the manifest of another job that is to be kept, or the
    /// file system reports an error.
    pub fn create(job: Job, shards: usize, folder: &Path, existing: Existing) -> Result<Self, Error> {
        let schedules = job.schedules();
        if shards == 0 || shards > schedules.min(MOST_SHARDS) {
            let most = schedules.min(MOST_SHARDS);
            let message = format!("{schedules} schedules cannot be cut into {shards} shards: use from 1 to {most}");
            return Err(JobError::Shard(message).into());
        }
        let entries = (0..shards).map(|index| Entry::new(slice(schedules, index as u64, shards as u64), index, shards));
        let manifest = Manifest::new(&job, entries.collect())?;
        fs::create_dir_all(folder).map_err(|source| TableError::Io { path: folder.to_owned(), source })?;
        match Manifest::read(folder) {
            Ok(Some(old)) if old.is_same_job(&manifest) => {}
            Ok(None) => manifest.write(folder, existing)?,
            Ok(Some(_)) | Err(_) if existing == Existing::Replace => manifest.write(folder, existing)?,
            Ok(Some(_)) => {
                let reason = "plans another job: replace it with --force, or choose another folder".to_owned();
                return Err(JobError::Manifest { path: folder.join(manifest::NAME), reason }.into());
            }
            Err(error) => return Err(error),
        }
        Self::open(folder)
    }

    /// Reads the manifest of a folder.
    ///
    /// # Errors
    /// When there is none, or this version cannot use it.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let Some(manifest) = Manifest::read(folder)? else {
            let reason = "is not there: `lrgrid plan SPEC --shards N -o DIR` makes it".to_owned();
            return Err(JobError::Manifest { path: folder.join(manifest::NAME), reason }.into());
        };
        let job = manifest.job(folder)?;
        let shards = manifest.shards.into_iter().enumerate().map(|(index, entry)| Shard {
            index,
            rows: entry.start..entry.end,
            path: folder.join(entry.file),
        });
        Ok(Self { folder: folder.to_owned(), job, shards: shards.collect() })
    }

    /// The job.
    #[must_use]
    pub fn job(&self) -> &Job {
        &self.job
    }

    /// The shards, in the order of their schedules.
    #[must_use]
    pub fn shards(&self) -> &[Shard] {
        &self.shards
    }

    /// The manifest's file.
    #[must_use]
    pub fn manifest(&self) -> PathBuf {
        self.folder.join(manifest::NAME)
    }
}

/// One of several slices of equal size, by its number from 0.
#[must_use]
pub fn slice(schedules: usize, index: u64, count: u64) -> Range<usize> {
    let cut = |index: u64| (schedules as u128 * u128::from(index) / u128::from(count.max(1))) as usize;
    cut(index)..cut(index + 1)
}
