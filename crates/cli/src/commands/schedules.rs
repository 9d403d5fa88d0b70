//! `lrgrid schedules`: lists the kinds of schedules, and explains one.

use std::process::ExitCode;

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser};
use lrgrid::dialect::{ForeignKind, LIBRARIES, Library};
use lrgrid::schedule::{KINDS, Kind, Schedule};
use lrgrid::spec::nearest;
use lrgrid_reports::catalogue::{Parameter, of_schema, parameters};
use serde::Serialize;

use super::Failure;
use super::output::print;
use super::text::{columns, indented_paragraph, paragraph};

const EXAMPLES: &str = "\
Examples:
  lrgrid schedules
  lrgrid schedules one_cycle
  lrgrid schedules --library torch
  lrgrid schedules --library torch OneCycleLR";

/// List the kinds of schedules, or explain one.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Schedules {
    /// The kind to explain, or the library's name for a schedule.
    kind: Option<String>,
    /// List the schedules of a library, with its names, arguments and defaults.
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(LIBRARIES.iter().map(names)))]
    library: Option<String>,
}

/// The name of a library, and the others that specs may use too.
fn names(library: &Library) -> PossibleValue {
    PossibleValue::new(library.name).aliases(library.aliases)
}

impl Schedules {
    /// Prints the list, or one entry.
    pub fn run(self) -> Result<ExitCode, Failure> {
        let named_library = |name: &str| LIBRARIES.iter().find(|library| library.is_called(name));
        let library = self.library.as_deref().and_then(named_library);
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

/// The entry of that name; the error for another names the nearest.
fn named<'a, T>(wanted: &str, all: &'a [T], name: impl Fn(&T) -> &'static str) -> Result<&'a T, Failure> {
    all.iter().find(|one| name(one) == wanted).ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(&name).collect();
        Failure::wrong(format!("unknown schedule \"{wanted}\": {}", nearest(wanted, &names)))
    })
}

/// The schedules of a library with their arguments.
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
    let title = paragraph(&format!("{}: {}", library.name, library.summary));
    format!("{title}\n{}", columns(&lines))
}

fn explain_foreign(library: &Library, schedule: &ForeignKind) -> String {
    let differs =
        if schedule.bites.is_empty() { String::new() } else { format!("\n{}", indented_paragraph(schedule.bites)) };
    let table = table("argument", of_schema(schedule.schema));
    format!("{} of {}\n{differs}\n{table}", schedule.name, library.name)
}

/// The longest form with a column of its own; a longer one follows the description.
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
    let title = paragraph(&format!("{}: {}", kind.name, kind.summary));
    let mut text = format!("{title}\n{}", indented_paragraph(kind.formula));
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
