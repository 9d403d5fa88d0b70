//! `lrgrid schedules`: the catalogue.

use std::process::ExitCode;

use clap::Args;
use clap::builder::PossibleValuesParser;
use lrgrid::catalogue::parameters;
use lrgrid::schedule::{KINDS, Kind, Schedule};
use serde::Serialize;

use super::Failure;
use super::columns::columns;
use super::output::print;

const EXAMPLES: &str = "\
Examples:
  lrgrid schedules
  lrgrid schedules one_cycle";

/// List the kinds of schedules, or explain one.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Schedules {
    /// The kind to explain.
    #[arg(hide_possible_values = true, value_parser = PossibleValuesParser::new(KINDS.iter().map(|kind| kind.name)))]
    kind: Option<String>,
}

impl Schedules {
    /// Prints the list, or one entry.
    pub fn run(self) -> Result<ExitCode, Failure> {
        match KINDS.iter().find(|kind| self.kind.as_deref() == Some(kind.name)) {
            Some(kind) => print(&explain(kind)?)?,
            None => print(&list())?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn list() -> String {
    let lines = |combinator| {
        let kinds = KINDS.iter().filter(move |kind| kind.combinator == combinator);
        kinds.map(|kind| [kind.name.to_owned(), kind.summary.to_owned(), kind.formula.to_owned()]).collect::<Vec<_>>()
    };
    let mut all = vec![["kind", "", "value at step s, t = min(s / steps, 1)"].map(str::to_owned)];
    all.extend(lines(false));
    all.push(["", "", ""].map(str::to_owned));
    all.push(["combinator", "", ""].map(str::to_owned));
    all.extend(lines(true));
    columns(&all)
}

fn explain(kind: &Kind) -> Result<String, Failure> {
    let mut text = format!("{}: {}\n\n  {}\n", kind.name, kind.summary, kind.formula);
    let mut lines = vec![["parameter", "", "default", ""].map(str::to_owned)];
    lines.extend(parameters(kind).into_iter().map(|parameter| {
        [
            parameter.name,
            parameter.form,
            parameter.default.unwrap_or_else(|| "needed".to_owned()),
            parameter.description,
        ]
    }));
    text.push_str(&format!("\n{}", columns(&lines)));
    if let Some(schedule) = (kind.examples)().into_iter().next() {
        #[derive(Serialize)]
        struct Document {
            schedule: Schedule,
        }
        let document = toml::to_string(&Document { schedule }).map_err(|error| Failure::wrong(error.to_string()))?;
        text.push_str(&format!("\nfor example\n\n{document}"));
    }
    Ok(text)
}
