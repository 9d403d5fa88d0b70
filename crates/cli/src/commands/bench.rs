//! `lrgrid bench`: measures the engines of this machine.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::bench::{Crossover, Machine, Measurement, Options, Regime, Report, html, run, svg};
use clap::Args;
use lrgrid::{Backend, Dtype};

use super::Failure;
use super::arguments::{BackendArguments, dtypes};
use super::output::{Overwrite, print};
use super::text::columns;

const EXAMPLES: &str = "\
Examples:
  # Every engine and curve, in less than 20 seconds
  lrgrid bench --quick
  # One case: engine/case/regime, or a part of that
  lrgrid bench --filter cpu/cosine/long
  lrgrid bench --json bench.json -o bench.html
  lrgrid bench --backend gpu --adapter 0 --dtype bf16

A share of 1 is the engine's own limit, measured in the same run. On the CPU it is filling the same buffer, beyond the \
cache. On a GPU it is a shader that only stores or, for a table in host memory, the transfer alone. A software adapter \
is listed as such.";

/// Measure every engine of this machine as a share of its own limit.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
#[command(mut_arg("backend", |backend| backend.help("The engine to measure; auto measures all, including a software adapter")))]
pub struct Bench {
    #[command(flatten)]
    backend: BackendArguments,
    /// Only cases whose engine/case/regime contains this, such as gpu/warmup_cosine/short.
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// The number type of the tables.
    #[arg(long, default_value = "f32", value_parser = dtypes())]
    dtype: Dtype,
    /// Smaller tables, fewer repetitions, no software adapter.
    #[arg(long)]
    quick: bool,
    /// Also write the results as JSON to this file, or to standard output (-) instead of the table.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Also write a chart to this file, in the format of its extension: .svg or .html.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    overwrite: Overwrite,
}

impl Bench {
    /// Measures and prints.
    pub fn run(self) -> Result<ExitCode, Failure> {
        let draw = self.output.as_deref().map(chart).transpose()?;
        self.overwrite.check(self.output.as_deref())?;
        self.overwrite.check(self.json.as_deref())?;
        if self.backend.backend == Backend::Reference {
            return Err(Failure::wrong("--backend reference is not measured: it is what the others are checked with"));
        }
        let options = Options {
            backend: self.backend.backend,
            adapter: self.backend.adapter()?.map(str::to_owned),
            filter: self.filter.clone(),
            dtype: self.dtype,
            quick: self.quick,
        };
        let shown = io::stderr().is_terminal();
        let progress = |what: &str| {
            if shown {
                // A closed standard error is no reason to stop.
                let _ = write!(io::stderr(), "\r\x1b[K{what}");
            }
        };
        let report = run(&options, progress);
        progress("");
        let report = report?;
        if let (Some(draw), Some(path)) = (draw, &self.output) {
            self.overwrite.write(path, draw(&report).as_bytes())?;
        }
        match &self.json {
            Some(path) if path == Path::new("-") => print(&json(&report)?)?,
            Some(path) => {
                self.overwrite.write(path, json(&report)?.as_bytes())?;
                print(&text(&report))?;
            }
            None => print(&text(&report))?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// What draws the chart that a file's ending asks for.
fn chart(path: &Path) -> Result<fn(&Report) -> String, Failure> {
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("svg") => Ok(svg),
        Some("html") => Ok(html),
        _ => {
            Err(Failure::wrong(format!("{}: no chart has that ending: end the name in .svg or .html", path.display())))
        }
    }
}

fn json(report: &Report) -> Result<String, Failure> {
    let text = serde_json::to_string_pretty(report).map_err(|error| Failure::from_stdout(error.into()))?;
    Ok(text + "\n")
}

fn text(report: &Report) -> String {
    let mut text = machine(&report.machine);
    for regime in Regime::ALL {
        let of_regime: Vec<&Measurement> = report.measurements.iter().filter(|m| m.regime == regime).collect();
        let mut lines = vec![
            ["engine", "timed", "case", "schedules × steps", "G values/s", "GB/s", "share", "worst ULP"]
                .map(str::to_owned),
        ];
        lines.extend(of_regime.into_iter().map(line));
        if lines.len() > 1 {
            text.push_str(&format!("\n{} rows\n{}", regime.name(), columns(&lines)));
        }
    }
    for crossover in &report.crossovers {
        text.push_str(&pays_from(crossover));
    }
    for reason in &report.skipped {
        text.push_str(&format!("\nnot measured: {reason}\n"));
    }
    text
}

fn machine(machine: &Machine) -> String {
    let Machine { version, platform, threads, level, .. } = machine;
    let mut text = format!("lrgrid {version}, {platform}\ncpu: {threads} threads, {level}\n");
    if let Some(adapter) = &machine.adapter {
        let what = if adapter.software { "software adapter, no GPU" } else { "gpu" };
        text.push_str(&format!("{what}: {} ({}, {})\n", adapter.name, adapter.backend, adapter.driver));
    }
    text
}

fn line(m: &Measurement) -> [String; 8] {
    [
        m.engine.name().to_owned(),
        m.part.name().to_owned(),
        m.case.to_owned(),
        format!("{} × {} {}", m.rows, m.columns, m.dtype),
        format!("{:.3}", m.values_per_second / 1e9),
        format!("{:.2}", m.bytes_per_second / 1e9),
        format!("{:.2}", m.share),
        format!("{:.4}", m.worst_ulp),
    ]
}

fn pays_from(crossover: &Crossover) -> String {
    let how = if crossover.readback { "with the way back to the host" } else { "where the table stays on the device" };
    match (crossover.values, crossover.tried.last()) {
        (Some(values), _) => format!("\nthe GPU pays from {values} values on, {how}\n"),
        (None, Some((most, ..))) => format!("\nthe GPU does not pay up to {most} values, {how}\n"),
        (None, None) => String::new(),
    }
}
