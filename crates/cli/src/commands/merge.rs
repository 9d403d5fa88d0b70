//! `lrgrid merge`: the parts of a job joined into one table.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::Args;
use lrgrid_tables::job;
use lrgrid_tables::table::{Control, Existing, Options, Rows};

use super::arguments::{self, WorkArguments};
use super::progress::Progress;
use super::table::Summary;
use super::{Failure, interrupt, output};

const EXAMPLES: &str = "\
Examples:
  lrgrid merge job -o table.npy
  lrgrid merge job -o table.parquet --rows schedule";

/// Join the parts of a planned table, the same to the byte as `lrgrid eval` of the whole would write.
///
/// Every checksum is proved first. Parts of different backends or versions are refused, because their last bits may
/// differ.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Merge {
    /// The folder that `lrgrid plan` made.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// The table; its ending chooses the format: .csv, .npy, .safetensors, .parquet or .arrow.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Replace an existing file, when the new one is complete.
    #[arg(long)]
    force: bool,
    /// What a row of a .parquet or .arrow table is: a value with its step, or a schedule with the list of its values.
    #[arg(long, default_value = "value", value_parser = arguments::rows())]
    rows: Rows,
    /// Join parts of different backends or versions too.
    #[arg(long)]
    mixed: bool,
    #[command(flatten)]
    work: WorkArguments,
    /// Say on standard output, as JSON, what was written.
    #[arg(long)]
    json: bool,
}

impl Merge {
    /// Proves and joins.
    pub fn run(self) -> Result<ExitCode, Failure> {
        let started = Instant::now();
        let plan = job::Plan::open(&self.folder)?;
        let job = plan.job();
        // Once for the proof, once for the table.
        let progress = Progress::new(!self.work.quiet, 2 * job.schedules() as u128 * job.steps.len() as u128);
        let memory = self.work.memory;
        let mut control = Control { memory, stop: interrupt::watch(), progress: &mut |values| progress.show(values) };
        let existing = if self.force { Existing::Replace } else { Existing::Keep };
        let options = Options { existing, rows: self.rows, checksum: self.json, memory };
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
