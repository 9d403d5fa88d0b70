//! `lrgrid fit`: the schedule behind a log.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use lrgrid::readable;
use lrgrid_reports::fit::{Sureness, fit};
use lrgrid_reports::logged::{Logged, Selection};

use super::Failure;
use super::output::{Overwrite, print};

const EXAMPLES: &str = "\
Examples:
  lrgrid fit log.csv                          columns step and lr (or learning_rate) by name
  lrgrid fit log.csv --column optimizer/lr    another column
  lrgrid fit log.csv -o found.toml && lrgrid compare found.toml log.csv

The spec goes to standard output, what was found to standard error.
Exit status 1 where no formula was found, and the spec is a line from point to point.";

/// Find the schedule that a logged table of learning rates comes from.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Fit {
    /// A .csv or .npy file of steps and learning rates.
    #[arg(value_name = "LOG")]
    log: PathBuf,
    #[command(flatten)]
    part: LogPart,
    /// Write the spec to a file instead.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    overwrite: Overwrite,
}

/// Which part of a log is meant.
#[derive(Debug, Args)]
pub struct LogPart {
    /// The column of values, by its name in the header.
    #[arg(long, value_name = "NAME")]
    column: Option<String>,
    /// The schedule, where the table has several.
    #[arg(long, value_name = "I", default_value = "0")]
    log_schedule: usize,
}

impl LogPart {
    /// As the library takes it.
    pub fn selection(&self) -> Selection {
        Selection { column: self.column.clone(), schedule: self.log_schedule }
    }
}

impl Fit {
    /// Reads, fits and prints.
    pub fn run(self) -> Result<ExitCode, Failure> {
        self.overwrite.check(self.output.as_deref())?;
        let logged = Logged::read(&self.log, &self.part.selection())?;
        let found = fit(&logged)?;
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
        // A closed standard error is no reason to stop.
        let _ = std::io::Write::write_all(&mut std::io::stderr(), report.as_bytes());
        let spec = found.spec(last);
        match &self.output {
            Some(path) => self.overwrite.write(path, spec.as_bytes())?,
            None => print(&spec)?,
        }
        Ok(if found.sureness == Sureness::Trace { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}
