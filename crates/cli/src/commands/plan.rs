//! `lrgrid plan`: divides a table into shards for several machines.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use lrgrid::{Backend, Dtype};
use lrgrid_tables::job;
use lrgrid_tables::table::Existing;

use super::arguments::{self, number};
use super::input::SpecInput;
use super::table::TableArguments;
use super::{Failure, output};

const EXAMPLES: &str = "\
Examples:
  lrgrid plan examples/sweep_peak.toml --shards 64 -o job --dtype f16
  sbatch --array=0-63 --wrap 'lrgrid run job --shard auto'
  lrgrid status job && lrgrid merge job -o table.npy";

/// Divide a table into shards that several machines compute.
///
/// Writes a manifest into a folder that all of them share. `lrgrid run` computes a shard, `lrgrid status` shows the
/// progress, `lrgrid merge` writes the table. Planning the same table again changes nothing.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Plan {
    #[command(flatten)]
    spec: SpecInput,
    /// The number of shards, each with the same number of schedules.
    #[arg(long, value_name = "N", value_parser = number)]
    shards: u64,
    /// The folder of the job, which is created.
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    /// Replace the plan of another table in the folder.
    #[arg(long)]
    force: bool,
    /// The backend that evaluates every shard; cpu gives the same bits on every machine.
    #[arg(long, default_value = "cpu", value_parser = arguments::backends())]
    backend: Backend,
    #[command(flatten)]
    table: TableArguments,
    /// Print nothing.
    #[arg(short, long)]
    quiet: bool,
}

impl Plan {
    /// Writes the manifest.
    pub fn run(self) -> Result<ExitCode, Failure> {
        if self.backend == Backend::Gpu && self.table.dtype == Dtype::F64 {
            return Err(Failure::wrong("the gpu backend cannot write f64: use --dtype f32, or --backend cpu"));
        }
        let spec = self.spec.read()?;
        let job = self.table.job(spec, &self.spec.name(), self.backend)?;
        // Most errors of a spec are those of its first schedule, and better seen now than on every machine.
        let first = job.spec.compile_rows(0..1).and_then(|batch| Ok(batch.check_steps(&job.steps)?));
        first.map_err(|error| Failure::of_evaluation(&self.spec.name(), error))?;
        let existing = if self.force { Existing::Replace } else { Existing::Keep };
        let shards = usize::try_from(self.shards).unwrap_or(usize::MAX);
        let plan = job::Plan::create(job, shards, &self.output, existing)?;
        if self.quiet {
            return Ok(ExitCode::SUCCESS);
        }
        let (job, folder) = (plan.job(), self.output.display());
        let bytes = job.schedules() as u128 * job.steps.len() as u128 * job.dtype.size() as u128;
        output::print(&format!(
            "{} schedules × {} steps in {}, {bytes} bytes, in {shards} shards: {}\n\
             compute each with: lrgrid run {folder} --shard I/{shards}   (I from 0 to {}, or auto in a cluster's task)\n",
            job.schedules(),
            job.steps.len(),
            job.dtype.name(),
            plan.manifest().display(),
            shards - 1,
        ))?;
        Ok(ExitCode::SUCCESS)
    }
}
