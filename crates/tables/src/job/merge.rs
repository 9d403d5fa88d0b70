//! Merges parts into the table that a single run would have written.

use std::collections::BTreeMap;
use std::fs::File;
use std::ops::Range;
use std::path::Path;

use super::part::{Maker, Proved, read_at};
use super::{Condition, File as IntoFile, Job, Opens, Plan, Shard, write_into};
use crate::error::{Error, JobError, TableError};
use crate::table::dense::from_little_endian;
use crate::table::{Control, Header, Layout, Options, Source, Stored};
use lrgrid::bounded;
use lrgrid::element::{Element, ForDtype};

/// The most shards that an error lists.
const NAMED: usize = 8;

/// The result of a merge.
#[derive(Clone, Debug)]
pub struct Merged {
    /// The files, the table first.
    pub files: Vec<Stored>,
    /// Versions and backends that computed the parts, with the number of parts of each.
    pub makers: BTreeMap<String, usize>,
}

impl Plan {
    /// Verifies every part and merges them into a file, identical byte by byte to that of a single run of the job.
    ///
    /// Parts of different backends or versions are rejected unless `mixed`. Progress counts the values verified, then
    /// those written.
    ///
    /// # Errors
    /// When parts are missing, damaged, or of different backends or versions; and as [`Job::write`].
    pub fn merge(
        &self,
        path: &Path,
        mixed: bool,
        options: &Options,
        control: &mut Control<'_>,
    ) -> Result<Merged, Error> {
        let (parts, conditions) = self.prove(control)?;
        if parts.len() < conditions.len() {
            return Err(self.incomplete(&conditions).into());
        }
        let mut makers: BTreeMap<Maker, usize> = BTreeMap::new();
        parts.iter().for_each(|part| *makers.entry(part.maker.clone()).or_default() += 1);
        let named: Vec<String> = makers.iter().map(|(maker, count)| format!("{count} by {maker}")).collect();
        if makers.len() > 1 && !mixed {
            return Err(JobError::Mixed { found: named.join(", ") }.into());
        }
        let header = self.job.header(0..self.job.schedules());
        let files = self.job.dtype.choose(Join {
            job: &self.job,
            header: &header,
            parts: &parts,
            into: IntoFile { path, header: &header, options },
            control,
        })?;
        let makers = makers.into_iter().map(|(maker, count)| (maker.to_string(), count)).collect();
        Ok(Merged { files, makers })
    }

    fn incomplete(&self, conditions: &[(Shard, Condition)]) -> JobError {
        let lacking: Vec<_> = conditions.iter().filter(|(_, condition)| *condition != Condition::Done).collect();
        let damaged = lacking.iter().filter(|(_, condition)| matches!(condition, Condition::Damaged(_))).count();
        let mut names: Vec<String> = lacking.iter().take(NAMED).map(|(shard, _)| shard.index.to_string()).collect();
        if lacking.len() > NAMED {
            names.push("…".to_owned());
        }
        JobError::Incomplete {
            missing: lacking.len() - damaged,
            damaged,
            count: conditions.len() as u64,
            names: names.join(", "),
            folder: self.folder.clone(),
        }
    }
}

/// The work of a merge, generic over the element type.
struct Join<'j, 'a, 'c> {
    job: &'j Job,
    header: &'a Header<'a>,
    parts: &'j [Proved],
    into: IntoFile<'a>,
    control: &'j mut Control<'c>,
}

impl ForDtype for Join<'_, '_, '_> {
    type Output = Result<Vec<Stored>, Error>;

    fn with<T: Element>(self) -> Self::Output {
        let most = self.parts.iter().map(|part| part.rows.len()).max().unwrap_or(1);
        let mut source = Parts { job: self.job, parts: self.parts, most, open: None, scratch: Vec::<T>::new() };
        write_into(self.into.open::<T>()?, &mut source, self.header, self.control)
    }
}

/// The parts as the source of one table.
struct Parts<'a, T> {
    job: &'a Job,
    parts: &'a [Proved],
    /// The number of schedules of the largest part.
    most: usize,
    /// The part that was read last, with its open file.
    open: Option<(usize, File)>,
    /// Buffer for values of one part before they are interleaved with those of others.
    scratch: Vec<T>,
}

impl<T: Element> Parts<'_, T> {
    /// Reads consecutive values of a part from index `first` on; `quantity` is 0 for the values and 1 for the momenta.
    fn read(&mut self, part: usize, quantity: usize, first: u64, values: &mut [T]) -> Result<(), Error> {
        let proved = &self.parts[part];
        let failed = |source| TableError::Io { path: proved.path.clone(), source };
        let mut file = match self.open.take() {
            Some((open, file)) if open == part => file,
            _ => bounded::open(&proved.path).map_err(failed)?,
        };
        let place = proved.starts[quantity] + first * size_of::<T>() as u64;
        read_at(&mut file, place, bytemuck::cast_slice_mut(values)).map_err(failed)?;
        from_little_endian(values);
        self.open = Some((part, file));
        Ok(())
    }

    /// Reads a rectangle that lies in one part into a larger one, whose rows begin at `all.start`.
    fn rectangle(
        &mut self,
        part: usize,
        quantity: usize,
        rows: &Range<usize>,
        columns: &Range<usize>,
        all: &Range<usize>,
        out: &mut [T],
    ) -> Result<(), Error> {
        let held = self.parts[part].rows.clone();
        let (steps, width) = (self.job.steps.len(), columns.len());
        match self.job.layout {
            Layout::Schedule if width == steps => {
                let first = (rows.start - held.start) as u64 * steps as u64;
                let place = (rows.start - all.start) * width..(rows.end - all.start) * width;
                self.read(part, quantity, first, &mut out[place])
            }
            Layout::Schedule => rows.clone().try_for_each(|row| {
                let first = (row - held.start) as u64 * steps as u64 + columns.start as u64;
                let place = (row - all.start) * width..(row - all.start + 1) * width;
                self.read(part, quantity, first, &mut out[place])
            }),
            Layout::Step if *rows == held && *rows == *all => {
                self.read(part, quantity, columns.start as u64 * held.len() as u64, out)
            }
            Layout::Step if *rows == held => {
                let mut scratch = std::mem::take(&mut self.scratch);
                scratch.resize(rows.len() * width, T::zeroed());
                self.read(part, quantity, columns.start as u64 * held.len() as u64, &mut scratch)?;
                for (line, values) in scratch.chunks(rows.len()).enumerate() {
                    let place = line * all.len() + rows.start - all.start;
                    out[place..place + rows.len()].copy_from_slice(values);
                }
                self.scratch = scratch;
                Ok(())
            }
            Layout::Step => columns.clone().enumerate().try_for_each(|(line, column)| {
                let first = column as u64 * held.len() as u64 + (rows.start - held.start) as u64;
                let place = line * all.len() + rows.start - all.start;
                self.read(part, quantity, first, &mut out[place..place + rows.len()])
            }),
        }
    }
}

impl<T: Element> Source<T> for Parts<'_, T> {
    fn rows_from(&mut self, _: usize) -> Result<usize, Error> {
        Ok(self.most)
    }

    fn scratch_tiles(&self) -> usize {
        usize::from(self.job.layout == Layout::Step)
    }

    fn fill(
        &mut self,
        rows: Range<usize>,
        columns: Range<usize>,
        values: &mut [T],
        mut momentum: Option<&mut [T]>,
    ) -> Result<(), Error> {
        let first = self.parts.partition_point(|part| part.rows.end <= rows.start);
        for part in first..self.parts.len() {
            let held = &self.parts[part].rows;
            let shared = held.start.max(rows.start)..held.end.min(rows.end);
            if shared.is_empty() {
                break;
            }
            self.rectangle(part, 0, &shared, &columns, &rows, values)?;
            if let Some(momentum) = momentum.as_deref_mut() {
                self.rectangle(part, 1, &shared, &columns, &rows, momentum)?;
            }
        }
        Ok(())
    }
}
