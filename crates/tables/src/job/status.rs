//! The status of a job: its parts, verified byte by byte.

use std::collections::BTreeMap;

use super::lock::Lock;
use super::part::{self, Flaw, Proved};
use super::{Plan, Shard};
use crate::error::{Error, TableError};
use crate::table::Control;

/// The state of a shard.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Condition {
    /// Its part is complete and verified.
    Done,
    /// There is no part.
    Missing,
    /// In progress: a run holds its lock.
    Running,
    /// Its part fails verification, for this reason.
    Damaged(String),
}

/// Every shard with its state.
pub(super) type Conditions = Vec<(Shard, Condition)>;

/// The state of a job.
#[derive(Clone, Debug)]
pub struct Status {
    /// The shards, each with its state.
    pub shards: Vec<(Shard, Condition)>,
    /// Versions and backends that computed the complete parts, with the number of parts of each.
    pub makers: BTreeMap<String, usize>,
}

impl Status {
    /// Whether every shard is done.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.shards.iter().all(|(_, condition)| *condition == Condition::Done)
    }

    /// The number of shards in a given state.
    #[must_use]
    pub fn count(&self, is: impl Fn(&Condition) -> bool) -> usize {
        self.shards.iter().filter(|(_, condition)| is(condition)).count()
    }
}

impl Plan {
    /// Verifies every existing part. Progress counts values.
    ///
    /// # Errors
    /// When the work was interrupted.
    pub fn status(&self, control: &mut Control<'_>) -> Result<Status, Error> {
        let (proved, shards) = self.prove(control)?;
        let mut makers = BTreeMap::new();
        proved.iter().for_each(|part| *makers.entry(part.maker.to_string()).or_default() += 1);
        Ok(Status { shards, makers })
    }

    /// The verified parts, and the state of every shard.
    pub(super) fn prove(&self, control: &mut Control<'_>) -> Result<(Vec<Proved>, Conditions), Error> {
        let (mut proved, mut conditions, mut seen) = (Vec::new(), Vec::new(), 0);
        for shard in &self.shards {
            control.check().map_err(|source| TableError::Unfinished {
                source: Box::new(source),
                written: 0,
                total: self.job.header(0..self.job.schedules()).values(),
            })?;
            let condition = match part::prove(&self.job, shard.rows.clone(), &shard.path) {
                Ok(part) => {
                    proved.push(part);
                    Condition::Done
                }
                Err(_) if Lock::is_held(&self.folder, shard.index) => Condition::Running,
                Err(Flaw::Missing) => Condition::Missing,
                Err(Flaw::Damaged(reason)) => Condition::Damaged(reason),
            };
            conditions.push((shard.clone(), condition));
            seen += self.job.steps.len() as u128 * shard.rows.len() as u128;
            (control.progress)(seen);
        }
        Ok((proved, conditions))
    }
}
