//! `lrgrid merge`: joins the shards of a job into one table.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::Args;
use lrgrid_tables::job;
use lrgrid_tables::table::{Control, Options, Rows};

use super::arguments::{self, WorkArguments};
use super::output::Overwrite;
use super::progress::Progress;
use super::table::Summary;
use super::{Failure, interrupt, output};

const EXAMPLES: &str = "\
Examples:
  lrgrid merge job -o table.npy
  lrgrid merge job -o table.parquet --rows schedule";

/// Merge the shards of a planned table into the file that `lrgrid eval` would write.
///
/// Every checksum is verified first. Shards from different backends or versions are refused, because their last bits may
/// differ.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Merge {
    /// The folder of the job, made by `lrgrid plan`.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Write the table to this file, in the format of its extension: .csv, .npy, .safetensors, .parquet or .arrow.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    #[command(flatten)]
    overwrite: Overwrite,
    /// The content of a row of a .parquet or .arrow table: a value with its step, or a schedule with its list of values.
    #[arg(long, default_value = "value", value_parser = arguments::rows())]
    rows: Rows,
    /// Merge shards from different backends or versions too.
    #[arg(long)]
    mixed: bool,
    #[command(flatten)]
    work: WorkArguments,
    /// Print a summary of the file as JSON.
    #[arg(long)]
    json: bool,
}

impl Merge {
    /// Verifies and merges.
    pub fn run(self) -> Result<ExitCode, Failure> {
        let started = Instant::now();
        let plan = job::Plan::open(&self.folder)?;
        let job = plan.job();
        // Once to verify, once to write.
        let progress = Progress::new(!self.work.quiet, 2 * job.schedules() as u128 * job.steps.len() as u128);
        let memory = self.work.memory;
        let mut control = Control { memory, stop: interrupt::watch(), progress: &mut |values| progress.show(values) };
        let options = Options { existing: self.overwrite.existing(), rows: self.rows, checksum: self.json, memory };
        let merged = plan.merge(&self.output, self.mixed, &options, &mut control);
        progress.clear();
        let merged = merged?;
        if self.json {
            let makers: Vec<String> = merged.makers.into_keys().collect();
            let (files, backend) = (&merged.files[..], makers.join(", "));
            let summary = Summary { job, rows: 0..job.schedules(), files, started, backend };
            output::print(&summary.to_json())?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
