//! `lrgrid eval`: a table of learning rates.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use half::{bf16, f16};
use lrgrid::table::{self, Header, Layout};
use lrgrid::{Backend, Batch, Dtype, Element, Engine, Error, Spec, Steps};

use super::Failure;
use super::arguments::{self, BackendArguments, Shard, StepRange};
use super::input::SpecInput;
use super::output::warn;

const EXAMPLES: &str = "\
Examples:
  lrgrid eval examples/warmup_cosine.toml            CSV to standard output
  lrgrid eval examples/sweep_peak.toml -o table.npy  NumPy, with table.parameters.csv beside it
  lrgrid eval examples/tokens.toml --steps 0..15_000_000_000_000:4_194_304 -o tokens.csv
  lrgrid eval examples/wsd.toml --at 0,10,999 --dtype f64
  lrgrid eval examples/sweep_peak.toml --shard 0/4 -o part0.npy
  echo '{\"schedule\": {\"kind\": \"constant\", \"value\": 3e-4}}' | lrgrid eval - --steps 0..5";

/// Evaluate a spec into a table.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Eval {
    #[command(flatten)]
    spec: SpecInput,
    /// Write to a file instead; its ending chooses the format: .csv or .npy.
    ///
    /// A file appears whole or not at all, and replaces an existing one.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    backend: BackendArguments,
    /// The number type of the values.
    #[arg(long, default_value = "f32", value_parser = arguments::dtypes())]
    dtype: Dtype,
    /// Steps from A up to, but not including, B; all of the spec's by default.
    #[arg(long, value_name = "A..B[:STRIDE]", value_parser = arguments::step_range)]
    steps: Option<StepRange>,
    /// Exactly these steps.
    #[arg(long, value_name = "STEP,…", value_delimiter = ',', value_parser = arguments::step, conflicts_with = "steps")]
    at: Option<Vec<u64>>,
    /// The axis that comes first: all steps of a schedule together, or all schedules at a step.
    #[arg(long, default_value = "schedule", value_parser = arguments::layouts())]
    layout: Layout,
    /// Only the I-th of N equal slices of the schedules, counted from 0; schedules keep their numbers.
    #[arg(long, value_name = "I/N", value_parser = arguments::shard)]
    shard: Option<Shard>,
    /// The most memory for values; larger tables are evaluated in parts, to the same bits.
    #[arg(long, value_name = "BYTES", default_value = "512MiB", value_parser = arguments::bytes)]
    memory: u64,
}

impl Eval {
    /// Evaluates and writes.
    pub fn run(self) -> Result<ExitCode, Failure> {
        let adapter = self.backend.adapter()?;
        if self.backend.backend == Backend::Gpu && self.dtype == Dtype::F64 {
            return Err(Failure::wrong("the gpu backend cannot write f64: use --dtype f32, or --backend cpu"));
        }
        let spec = self.spec.read()?;
        let in_spec = |error| Failure::in_spec(&self.spec.name(), error);
        let steps = self.steps(&spec).map_err(in_spec)?;
        if steps.is_empty() {
            return Err(Failure::wrong("there is no step in the range: --steps begins after the spec's last step"));
        }
        let rows = self.shard.map_or(0..spec.len(), |shard| shard.rows(spec.len()));
        let batch = spec.compile_rows(rows.clone()).map_err(in_spec)?;
        let momentum = spec.compile_momentum_rows(rows.clone()).map_err(in_spec)?;
        // Before anything is written.
        for batch in std::iter::once(&batch).chain(&momentum) {
            batch.check_steps(&steps).map_err(|error| in_spec(error.into()))?;
        }
        let point = |schedule| spec.point(schedule);
        let header = Header {
            layout: self.layout,
            rows,
            steps,
            parameters: spec.parameter_names().into_iter().map(str::to_owned).collect(),
            point: &point,
            momentum: momentum.is_some(),
        };
        // Of the whole sweep, so that every shard chooses the same backend.
        let values = spec.len() as u64;
        let engine =
            Engine::new(self.backend.backend, adapter)?.expecting(values.saturating_mul(header.steps.len() as u64));
        let table = Table { engine, batch, momentum, header };
        let written = match self.dtype {
            Dtype::F64 => self.write::<f64>(&table),
            Dtype::F32 => self.write::<f32>(&table),
            Dtype::F16 => self.write::<f16>(&table),
            Dtype::Bf16 => self.write::<bf16>(&table),
            other => return Err(Failure::wrong(format!("--dtype {} is not written yet", other.name()))),
        };
        warn(&table.engine.take_warnings());
        written?;
        Ok(ExitCode::SUCCESS)
    }

    /// The columns of the table.
    fn steps(&self, spec: &Spec) -> Result<Steps, Error> {
        if let Some(at) = &self.at {
            return Ok(Steps::list(at.iter().copied()));
        }
        let range = self.steps.unwrap_or(StepRange { start: 0, end: None, stride: 1 });
        let end = range.end.map_or_else(|| spec.table_steps(), Ok)?;
        Ok(Steps::range(range.start..end).stride_by(range.stride))
    }

    fn write<T: Element>(&self, table: &Table<'_>) -> Result<(), Error> {
        let mut sink = match &self.output {
            Some(path) => table::create::<T>(path, &table.header)?,
            None => table::stream::<T>(io::stdout().lock(), "standard output", &table.header)?,
        };
        let mut progress = Progress::new(self.output.is_some(), table);
        let (batch, momentum) = (&table.batch, table.momentum.as_ref());
        let written = |values| progress.show(values);
        table::write_table(&table.engine, batch, momentum, &table.header, self.memory, &mut *sink, written)?;
        sink.finish()?;
        Ok(())
    }
}

/// What is evaluated, and by what.
struct Table<'a> {
    engine: Engine,
    batch: Batch,
    momentum: Option<Batch>,
    header: Header<'a>,
}

/// A percentage on standard error, where a person watches.
struct Progress {
    shown: bool,
    total: u128,
}

impl Progress {
    fn new(to_file: bool, table: &Table<'_>) -> Self {
        let total = table.header.rows.len() as u128 * table.header.steps.len() as u128;
        Self { shown: to_file && io::stderr().is_terminal(), total }
    }

    fn show(&mut self, values: u128) {
        if self.shown {
            let end = if values == self.total { "\n" } else { "" };
            // A closed standard error is no reason to stop.
            let _ = write!(io::stderr(), "\r{:3} %{end}", values * 100 / self.total.max(1));
        }
    }
}
