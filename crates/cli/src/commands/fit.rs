//! `lrgrid fit`: finds the schedule that a log was made with.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use lrgrid::readable;
use lrgrid_reports::fit::{Fit, Sureness, fit};
use lrgrid_reports::logged::{Logged, Selection};
use serde::Serialize;

use super::Failure;
use super::output::{Destination, print_json};

const EXAMPLES: &str = "\
Examples:
  # The columns step and lr, or learning_rate
  lrgrid fit log.csv
  lrgrid fit log.csv --column optimizer/lr
  lrgrid fit log.csv --json
  lrgrid fit log.csv -o found.toml && lrgrid compare found.toml log.csv

The spec is written to standard output and a report to standard error; with --json, both are one object on standard output.

Exit status 1 if no formula was found and the spec is a polyline.";

/// Find the schedule that a log of learning rates was made with.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct FitLog {
    /// A .csv or .npy file of steps and learning rates.
    #[arg(value_name = "LOG")]
    log: PathBuf,
    #[command(flatten)]
    part: LogPart,
    #[command(flatten)]
    destination: Destination,
    /// Print the spec and the report as JSON.
    #[arg(long)]
    json: bool,
}

/// The part of a log to read.
#[derive(Debug, Args)]
pub struct LogPart {
    /// The column of values, by its name in the header.
    #[arg(long, value_name = "NAME")]
    column: Option<String>,
    /// The schedule, if the table has several, counted from 0.
    #[arg(long, value_name = "I", default_value = "0")]
    log_schedule: usize,
}

impl LogPart {
    /// As the library takes it.
    pub fn selection(&self) -> Selection {
        Selection { column: self.column.clone(), schedule: self.log_schedule }
    }
}

impl FitLog {
    /// Reads, fits and prints.
    pub fn run(self) -> Result<ExitCode, Failure> {
        self.destination.check()?;
        let logged = Logged::read(&self.log, &self.part.selection())?;
        let found = fit(&logged)?;
        let last = logged.steps.last().copied().unwrap_or(0);
        let spec = found.spec(last);
        if self.json {
            print_json(&Report::of(&logged, &found, &spec)?)?;
        } else {
            // A closed standard error is no reason to stop.
            let _ = std::io::Write::write_all(&mut std::io::stderr(), text(&logged, &found).as_bytes());
        }
        if !self.json || !self.destination.is_stdout() {
            self.destination.write(&spec)?;
        }
        Ok(if found.sureness == Sureness::Trace { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}

/// The report for people.
fn text(logged: &Logged, found: &Fit) -> String {
    let (step, value, at_step) = found.worst;
    let (rows, last) = (logged.steps.len(), logged.steps.last().copied().unwrap_or(0));
    let mut report = format!(
        "kind: {}\nshapes: {}\nrows: {rows}, to step {last}\nworst row: step {step}, {} logged, {} found: {} of the value, {} times what rounding explains\nsure: {}\n",
        found.schedule.kind(),
        found.shapes.join(", then "),
        readable::value(value),
        readable::value(at_step),
        readable::value(found.worst_relative),
        readable::value(found.worst_in_rounding),
        found.sureness.text(),
    );
    if !found.others.is_empty() {
        report.push_str(&format!("as good for its longest piece: {}\n", found.others.join(", ")));
    }
    report
}

/// The report for programs.
#[derive(Serialize)]
struct Report<'a> {
    /// The spec, which is valid as a .json spec too.
    spec: toml::Table,
    rows: usize,
    first_step: Option<u64>,
    last_step: Option<u64>,
    confidence: &'static str,
    /// The row with the largest error.
    worst: Worst,
    /// Other shapes that fit a piece as well.
    alternatives: &'a [&'static str],
}

#[derive(Serialize)]
struct Worst {
    step: u64,
    logged: f64,
    fitted: f64,
}

impl<'a> Report<'a> {
    fn of(logged: &Logged, found: &'a Fit, spec: &str) -> Result<Self, Failure> {
        let (step, value, fitted) = found.worst;
        Ok(Self {
            spec: toml::from_str(spec).map_err(|error| Failure::wrong(error.to_string()))?,
            rows: logged.steps.len(),
            first_step: logged.steps.first().copied(),
            last_step: logged.steps.last().copied(),
            confidence: match found.sureness {
                Sureness::Certain => "certain",
                Sureness::Likely => "likely",
                Sureness::Rough => "rough",
                Sureness::Trace => "none",
            },
            worst: Worst { step, logged: value, fitted },
            alternatives: &found.others,
        })
    }
}
