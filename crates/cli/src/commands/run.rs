//! `lrgrid run`: computes one shard of a job, or all that are not done.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::Args;
use lrgrid_tables::job::{self, Shard};
use lrgrid_tables::table::Control;
use serde_json::json;

use super::arguments::{self, ShardChoice, WorkArguments};
use super::output::warn;
use super::progress::Progress;
use super::{Failure, interrupt, output};

const EXAMPLES: &str = "\
Examples:
  lrgrid run job --shard 3/64
  # The shard of this task of a cluster
  lrgrid run job --shard auto
  # Every shard that is missing or damaged; several machines may do so at once
  lrgrid run job --resume

The number for `--shard auto` is that of SLURM_ARRAY_TASK_ID, JOB_COMPLETION_INDEX or OMPI_COMM_WORLD_RANK.";

/// Compute a shard of a planned table, or all that are not done.
///
/// A shard that exists and has the right checksum is not computed again. If another process is computing the same shard,
/// this one waits for it.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Run {
    /// The folder of the job, made by `lrgrid plan`.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Only the I-th of the plan's N shards, counted from 0, or the one of this cluster task.
    #[arg(long, value_name = "I/N|auto", value_parser = arguments::shard_choice)]
    shard: Option<ShardChoice>,
    /// Continue a job that was interrupted, as every run does.
    #[arg(long)]
    resume: bool,
    /// Part of the adapter's name, or its number in `lrgrid devices`, if the plan's backend is a GPU.
    #[arg(long, value_name = "NAME")]
    adapter: Option<String>,
    #[command(flatten)]
    work: WorkArguments,
    /// Print the result of each shard as JSON.
    #[arg(long)]
    json: bool,
}

impl Run {
    /// Makes the shards.
    pub fn run(self) -> Result<ExitCode, Failure> {
        let plan = job::Plan::open(&self.folder)?;
        let chosen: Vec<&Shard> = match self.shard {
            Some(ShardChoice::At(shard)) => vec![plan.shard(shard.index, shard.count)?],
            Some(ShardChoice::Auto) => vec![plan.shard_of_task(|name| std::env::var(name).ok())?],
            None => plan.shards().iter().collect(),
        };
        let mut busy = Vec::new();
        for shard in chosen {
            // Those that others are at come last.
            if !self.make(&plan, shard, false)? {
                busy.push(shard);
            }
        }
        for shard in busy {
            self.make(&plan, shard, true)?;
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Makes a shard; `false` where another run is at it and this one should not wait.
    fn make(&self, plan: &job::Plan, shard: &Shard, waits: bool) -> Result<bool, Failure> {
        let (started, job) = (Instant::now(), plan.job());
        // One for each shard, so that each says what made it.
        let engine = job.engine(self.adapter.as_deref(), self.work.memory)?;
        let progress = Progress::new(!self.work.quiet, shard.rows.len() as u128 * job.steps.len() as u128);
        let mut control = Control {
            memory: self.work.memory,
            stop: interrupt::watch(),
            progress: &mut |values| progress.show(values),
        };
        let made = if waits {
            plan.run(shard, &engine, &mut control).map(Some)
        } else {
            plan.try_run(shard, &engine, &mut control)
        };
        progress.clear();
        warn(&engine.take_warnings());
        let Some(run) = made? else { return Ok(false) };
        if self.json {
            let summary = json!({
                "shard": shard.index,
                "shards": plan.shards().len(),
                "made": run.made,
                "replaced": run.replaced,
                "output": shard.path.display().to_string(),
                "first_row": shard.rows.start,
                "rows": shard.rows.len(),
                "columns": job.steps.len(),
                "bytes": run.bytes,
                "checksum": format!("blake3:{}", run.checksum),
                "seconds": started.elapsed().as_secs_f64(),
                "backend": run.backend,
                "spec_hash": job.spec_hash(),
                "version": env!("CARGO_PKG_VERSION"),
            });
            output::print(&format!("{summary}\n"))?;
        } else if !self.work.quiet {
            let done = match (&run.replaced, run.made) {
                (Some(reason), _) => format!("made again, because the part {reason}"),
                (None, true) => "made".to_owned(),
                (None, false) => "is there already and proves right".to_owned(),
            };
            let (index, count, bytes) = (shard.index, plan.shards().len(), run.bytes);
            output::print(&format!("shard {index}/{count}: {done}, {bytes} bytes, blake3:{}\n", run.checksum))?;
        }
        Ok(true)
    }
}
