//! `lrgrid stats`: summary statistics of each schedule, without its table.

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use clap::Args;
use half::{bf16, f16};
use lrgrid::statistics::{Extreme, Statistics};
use lrgrid::survey::{Surveyed, survey};
use lrgrid::{Backend, Dtype, Element, Engine, Spec, Steps};
use lrgrid_tables::table::{write_number, write_parameter_names};
use serde_json::{Map, Value, json};

use super::Failure;
use super::arguments::{self, BackendArguments, Shard, StepArguments};
use super::input::SpecInput;
use super::output::{Destination, warn};

const EXAMPLES: &str = "\
Examples:
  lrgrid stats examples/sweep_peak.toml
  lrgrid stats examples/sobol.toml --above 1e-4 --json
  lrgrid stats examples/random.toml --dtype f32 --shard 0/4 -o part0.csv";

/// The columns of one schedule's statistics, the last of them with `--above`.
const STATISTICS: [&str; 10] =
    ["steps", "sum", "mean", "sum_of_squares", "min", "min_step", "max", "max_step", "final", "above"];

/// Print summary statistics of each schedule: sum, mean, sum of squares, minimum, maximum and last value.
///
/// The values are not stored, so the memory is the same for any number of steps.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Stats {
    #[command(flatten)]
    spec: SpecInput,
    #[command(flatten)]
    backend: BackendArguments,
    /// The number type of the values: by default f64, or f32 on a GPU.
    ///
    /// f32 is several times faster. Its rounding changes a sum by a relative error of less than 6e-8.
    #[arg(long, value_parser = arguments::dtypes())]
    dtype: Option<Dtype>,
    #[command(flatten)]
    steps: StepArguments,
    /// Count the steps with a value above X.
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    above: Option<f64>,
    /// Only the I-th of N equal slices of the schedules, counted from 0; schedules keep their numbers.
    #[arg(long, value_name = "I/N", value_parser = arguments::shard)]
    shard: Option<Shard>,
    /// Print JSON instead of CSV, one object per line.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    destination: Destination,
}

impl Stats {
    /// Computes and writes the statistics.
    pub fn run(self) -> Result<ExitCode, Failure> {
        self.destination.check()?;
        let adapter = self.backend.adapter()?;
        let dtype = self.dtype.unwrap_or(if self.backend.backend == Backend::Gpu { Dtype::F32 } else { Dtype::F64 });
        if self.backend.backend == Backend::Gpu && dtype == Dtype::F64 {
            return Err(Failure::wrong("the gpu backend cannot write f64: use --dtype f32, or --backend cpu"));
        }
        if self.above.is_some_and(f64::is_nan) {
            return Err(Failure::wrong("--above NaN: no value is above or below it; give a number, such as 1e-4"));
        }
        let spec = self.spec.read()?;
        let steps = self.steps.of(&spec, &self.spec.name())?;
        // Of the whole sweep, so that every shard chooses the same backend.
        let values = (spec.len() as u64).saturating_mul(steps.len() as u64);
        let engine = Engine::new(self.backend.backend, adapter)?.expecting(values);
        let done = match dtype {
            Dtype::F64 => self.write::<f64>(&spec, &engine, &steps),
            Dtype::F32 => self.write::<f32>(&spec, &engine, &steps),
            Dtype::F16 => self.write::<f16>(&spec, &engine, &steps),
            Dtype::Bf16 => self.write::<bf16>(&spec, &engine, &steps),
        };
        warn(&engine.take_warnings());
        done?;
        Ok(ExitCode::SUCCESS)
    }

    fn write<T: Element>(&self, spec: &Spec, engine: &Engine, steps: &Steps) -> Result<(), Failure> {
        let rows = self.shard.map_or(0..spec.len(), |shard| shard.rows(spec.len()));
        let mut out = self.destination.lines()?;
        let mut progress = Progress::new(rows.len(), self.destination.is_stdout());
        if !self.json {
            out.push(&self.header(spec))?;
        }
        let mut line = String::new();
        survey::<T, Failure>(spec, engine, rows, steps, self.above, |row| {
            line.clear();
            let point = spec.point(row.schedule);
            if self.json {
                self.object(&mut line, spec, &point, &row)
            } else {
                self.line(&mut line, &point, &row)
            }
            out.push(&line)?;
            progress.step();
            Ok(())
        })
        .map_err(|failure| failure.named(&self.spec.name()))?;
        out.finish()
    }

    fn header(&self, spec: &Spec) -> String {
        let mut header = String::from("schedule");
        let all = [("", true), ("momentum_", spec.has_momentum())].map(|(prefix, shown)| {
            STATISTICS.map(|name| (format!("{prefix}{name}"), shown && (name != "above" || self.above.is_some())))
        });
        // All of them, so that a parameter's column is called the same with every option.
        let names: Vec<&str> = all.iter().flatten().map(|(name, _)| name.as_str()).collect();
        write_parameter_names(&mut header, spec.parameter_names(), &names);
        for (name, _) in all.iter().flatten().filter(|(_, shown)| *shown) {
            header.push(',');
            header.push_str(name);
        }
        header
    }

    fn line(&self, line: &mut String, point: &[f64], row: &Surveyed) {
        line.push_str(&row.schedule.to_string());
        let number = |line: &mut String, value: f64| {
            line.push(',');
            write_number(line, value);
        };
        point.iter().for_each(|&value| number(line, value));
        for Statistics { count, sum, sum_of_squares, min, max, last, above } in
            std::iter::once(&row.rate).chain(&row.momentum)
        {
            line.push_str(&format!(",{count}"));
            [*sum, sum / *count as f64, *sum_of_squares].into_iter().for_each(|value| number(line, value));
            for Extreme { value, step } in [min, max] {
                number(line, *value);
                line.push_str(&format!(",{step}"));
            }
            number(line, *last);
            if self.above.is_some() {
                line.push_str(&format!(",{above}"));
            }
        }
    }

    fn object(&self, line: &mut String, spec: &Spec, point: &[f64], row: &Surveyed) {
        let names = spec.parameter_names().into_iter().map(str::to_owned);
        let parameters: Map<String, Value> = names.zip(point).map(|(name, value)| (name, json!(value))).collect();
        let statistics = |one: &Statistics| {
            let mut object = json!({
                "steps": one.count,
                "sum": one.sum,
                "mean": one.mean(),
                "sum_of_squares": one.sum_of_squares,
                "min": { "value": one.min.value, "step": one.min.step },
                "max": { "value": one.max.value, "step": one.max.step },
                "final": one.last,
            });
            if self.above.is_some() {
                object["above"] = json!(one.above);
            }
            object
        };
        let mut object = json!({ "schedule": row.schedule, "parameters": parameters, "lr": statistics(&row.rate) });
        if let Some(momentum) = &row.momentum {
            object["momentum"] = statistics(momentum);
        }
        line.push_str(&object.to_string());
    }
}

/// A percentage on standard error, if that is a terminal on which the lines themselves do not appear.
struct Progress {
    shown: bool,
    total: usize,
    done: usize,
    percent: usize,
}

impl Progress {
    fn new(total: usize, to_stdout: bool) -> Self {
        let hidden = to_stdout && io::stdout().is_terminal();
        Self { shown: io::stderr().is_terminal() && !hidden, total, done: 0, percent: usize::MAX }
    }

    fn step(&mut self) {
        self.done += 1;
        let percent = self.done * 100 / self.total.max(1);
        if self.shown && percent != self.percent {
            self.percent = percent;
            let end = if self.done == self.total { "\n" } else { "" };
            // A closed standard error is no reason to stop.
            let _ = write!(io::stderr(), "\r{percent:3} %{end}");
        }
    }
}
