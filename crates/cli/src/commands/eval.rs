//! `lrgrid eval`: evaluates a spec into a table of learning rates.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::Args;
use lrgrid::{Backend, Dtype};
use lrgrid_tables::table::{Control, Options, Rows};

use super::Failure;
use super::arguments::{self, BackendArguments, Shard, WorkArguments};
use super::input::SpecInput;
use super::output::{Overwrite, warn};
use super::progress::Progress;
use super::table::{Summary, TableArguments};
use super::{interrupt, output};

const EXAMPLES: &str = "\
Examples:
  # CSV to standard output
  lrgrid eval examples/warmup_cosine.toml
  # A NumPy table, with table.parameters.csv beside it
  lrgrid eval examples/sweep_peak.toml -o table.npy
  lrgrid eval examples/sweep_peak.toml -o table.parquet --rows schedule
  lrgrid eval examples/tokens.toml -o tokens.csv \\
      --steps 0..15_000_000_000_000:4_194_304
  lrgrid eval examples/wsd.toml --at 0,10,999 --dtype f64
  lrgrid eval examples/sweep_peak.toml --shard 0/4 -o part0.npy
  echo '{\"schedule\": {\"kind\": \"constant\", \"value\": 3e-4}}' |
      lrgrid eval - --steps 0..5";

/// Evaluate a spec into a table.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Eval {
    #[command(flatten)]
    spec: SpecInput,
    /// Write to this file instead of standard output, in the format of its extension: .csv, .npy, .safetensors, .parquet
    /// or .arrow.
    ///
    /// The file appears complete or not at all, and replaces an existing one only with --force.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    overwrite: Overwrite,
    /// The content of a row of a .parquet or .arrow table: a value with its step, or a schedule with its list of values.
    #[arg(long, default_value = "value", value_parser = arguments::rows(), requires = "output")]
    rows: Rows,
    #[command(flatten)]
    backend: BackendArguments,
    #[command(flatten)]
    table: TableArguments,
    /// Only the I-th of N equal slices of the schedules, counted from 0; schedules keep their numbers.
    #[arg(long, value_name = "I/N", value_parser = arguments::shard)]
    shard: Option<Shard>,
    #[command(flatten)]
    work: WorkArguments,
    /// Print a summary of the file as JSON: rows, bytes, seconds, backend, checksum.
    #[arg(long, requires = "output")]
    json: bool,
}

impl Eval {
    /// Evaluates and writes.
    pub fn run(self) -> Result<ExitCode, Failure> {
        let adapter = self.backend.adapter()?;
        if self.backend.backend == Backend::Gpu && self.table.dtype == Dtype::F64 {
            return Err(Failure::wrong("the gpu backend cannot write f64: use --dtype f32, or --backend cpu"));
        }
        let started = Instant::now();
        let spec = self.spec.read()?;
        let job = self.table.job(spec, &self.spec.name(), self.backend.backend)?;
        let rows = self.shard.map_or(0..job.schedules(), |shard| shard.rows(job.schedules()));
        let engine = job.engine(adapter, self.work.memory)?;
        let total = rows.len() as u128 * job.steps.len() as u128;
        let progress = Progress::new(self.output.is_some() && !self.work.quiet, total);
        let memory = self.work.memory;
        let mut control = Control { memory, stop: interrupt::watch(), progress: &mut |values| progress.show(values) };
        let written = match &self.output {
            Some(path) => {
                let options =
                    Options { existing: self.overwrite.existing(), rows: self.rows, checksum: self.json, memory };
                job.write(rows.clone(), path, &engine, &options, &mut control)
            }
            None => job
                .stream(rows.clone(), &mut io::stdout(), "standard output", &engine, &mut control)
                .map(|()| Vec::new()),
        };
        progress.clear();
        warn(&engine.take_warnings());
        let files = written.map_err(|error| Failure::of_evaluation(&self.spec.name(), error))?;
        if self.json {
            let summary = Summary { job: &job, rows, files: &files, started, backend: engine.used() };
            output::print(&summary.to_json())?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
