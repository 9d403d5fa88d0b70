//! `lrgrid schedules`: the catalogue.

use std::process::ExitCode;

use clap::Args;
use clap::builder::PossibleValuesParser;
use lrgrid::dialect::{ForeignKind, LIBRARIES, Library};
use lrgrid::schedule::{KINDS, Kind, Schedule};
use lrgrid::spec::nearest;
use lrgrid_reports::catalogue::{Parameter, of_schema, parameters};
use serde::Serialize;

use super::Failure;
use super::columns::columns;
use super::output::print;

const EXAMPLES: &str = "\
Examples:
  lrgrid schedules
  lrgrid schedules one_cycle
  lrgrid schedules --library torch
  lrgrid schedules --library torch OneCycleLR";

/// List the kinds of schedules, or explain one.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Schedules {
    /// The kind to explain, or the library's name for a schedule.
    kind: Option<String>,
    /// List what a library's own terms are understood for, with arguments and defaults.
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(LIBRARIES.iter().map(|library| library.name)))]
    library: Option<String>,
}

impl Schedules {
    /// Prints the list, or one entry.
    pub fn run(self) -> Result<ExitCode, Failure> {
        let library = LIBRARIES.iter().find(|library| self.library.as_deref() == Some(library.name));
        let text = match (library, self.kind) {
            (Some(library), None) => list_library(library),
            (Some(library), Some(name)) => explain_foreign(library, named(&name, library.schedules, |one| one.name)?),
            (None, Some(name)) => explain(named(&name, KINDS, |kind| kind.name)?)?,
            (None, None) => list(),
        };
        print(&text)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// The entry of that name; a misspelt one is answered with the nearest.
fn named<'a, T>(wanted: &str, all: &'a [T], name: impl Fn(&T) -> &'static str) -> Result<&'a T, Failure> {
    all.iter().find(|one| name(one) == wanted).ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(&name).collect();
        Failure::wrong(format!("unknown schedule \"{wanted}\": {}", nearest(wanted, &names)))
    })
}

/// Every schedule of a library on a line, with its arguments.
fn list_library(library: &Library) -> String {
    let mut lines = vec![["name", "arguments (defaults)"].map(str::to_owned)];
    lines.extend(library.schedules.iter().map(|schedule| {
        let argument = |argument: Parameter| match argument.default {
            Some(default) => format!("{} ({default})", argument.name),
            None => argument.name,
        };
        let arguments: Vec<String> = of_schema(schedule.schema).into_iter().map(argument).collect();
        [schedule.name.to_owned(), arguments.join(", ")]
    }));
    format!("{}: {}\n\n{}", library.name, library.summary, columns(&lines))
}

fn explain_foreign(library: &Library, schedule: &ForeignKind) -> String {
    let differs = if schedule.bites.is_empty() { String::new() } else { format!("\n  {}\n", schedule.bites) };
    let table = table("argument", of_schema(schedule.schema));
    format!("{} of {}\n{differs}\n{table}", schedule.name, library.name)
}

/// A form longer than this goes behind the description, so that it does not push everything aside.
const WIDEST_FORM: usize = 40;

fn table(what: &str, parameters: Vec<Parameter>) -> String {
    let mut lines = vec![[what, "", "default", ""].map(str::to_owned)];
    lines.extend(parameters.into_iter().map(|parameter| {
        let (form, description) = match parameter.form.chars().count() > WIDEST_FORM {
            true => ("text".to_owned(), format!("{} {}", parameter.description, parameter.form)),
            false => (parameter.form, parameter.description),
        };
        [parameter.name, form, parameter.default.unwrap_or_else(|| "needed".to_owned()), description]
    }));
    columns(&lines)
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
    text.push_str(&format!("\n{}", table("parameter", parameters(kind))));
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
