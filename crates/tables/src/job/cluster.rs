//! The shard of a cluster task, by the task number that its scheduler assigns.

use super::{Plan, Shard};
use crate::error::{Error, JobError};

/// The environment variables in which schedulers give a task's number from 0 on, and how to request tasks 0 to N − 1.
const VARIABLES: [(&str, &str); 3] = [
    ("SLURM_ARRAY_TASK_ID", "sbatch --array=0-"),
    ("JOB_COMPLETION_INDEX", "completionMode: Indexed, with completions one more than "),
    ("OMPI_COMM_WORLD_RANK", "mpirun with ranks up to "),
];

impl Plan {
    /// A shard by its number and the total number of shards, which must be the plan's.
    ///
    /// # Errors
    /// When the plan has another number of shards, or no shard of that number.
    pub fn shard(&self, index: u64, count: u64) -> Result<&Shard, Error> {
        let planned = self.shards.len();
        if count != planned as u64 {
            let message = format!("the plan has {planned} shards, not {count}: write --shard I/{planned}");
            return Err(JobError::Shard(message).into());
        }
        let shard = usize::try_from(index).ok().and_then(|index| self.shards.get(index));
        Ok(shard
            .ok_or_else(|| JobError::Shard(format!("there is no shard {index} of {planned}: they count from 0")))?)
    }

    /// The shard of this task: by the first of `SLURM_ARRAY_TASK_ID`, `JOB_COMPLETION_INDEX` and `OMPI_COMM_WORLD_RANK`
    /// that is set, looked up by `variable`.
    ///
    /// # Errors
    /// When none is set, or it is not the number of a shard.
    pub fn shard_of_task(&self, variable: impl Fn(&str) -> Option<String>) -> Result<&Shard, Error> {
        let found = VARIABLES.iter().find_map(|(name, remedy)| Some((name, remedy, variable(name)?)));
        let Some((name, remedy, text)) = found else {
            let names = VARIABLES.map(|(name, _)| name).join(", ");
            let message = format!("none of {names} is set, so `auto` knows no shard: write --shard I/N");
            return Err(JobError::Shard(message).into());
        };
        let shard = text.trim().parse::<usize>().ok().and_then(|index| self.shards.get(index));
        Ok(shard.ok_or_else(|| {
            let last = self.shards.len() - 1;
            JobError::Shard(format!("{name} is {text}, but the plan's shards are 0 to {last}: use {remedy}{last}"))
        })?)
    }
}
