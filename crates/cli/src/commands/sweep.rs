//! `lrgrid sweep`: shows a sweep, or lists its points.

use std::ops::Range;
use std::process::ExitCode;

use clap::Args;
use lrgrid::{Spec, readable};
use lrgrid_tables::table::{write_number, write_parameter_names};
use serde_json::{Map, Value, json};

use super::Failure;
use super::arguments::{Shard, shard};
use super::input::SpecInput;
use super::output::{Destination, Lines};
use super::text::columns;

const EXAMPLES: &str = "\
Examples:
  lrgrid sweep examples/sobol.toml
  lrgrid sweep examples/sobol.toml --list
  lrgrid sweep examples/wandb.toml --list --json
  lrgrid sweep examples/sobol.toml --list -o points.csv
  lrgrid sweep examples/warmup_cosine.toml --list \\
      --set 'schedule.then.start=choice(1e-3,3e-4)'";

/// Show a sweep, or list its points.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Sweep {
    #[command(flatten)]
    spec: SpecInput,
    /// Print every point, one per line.
    #[arg(long)]
    list: bool,
    /// Print JSON: an object, or with --list one per line.
    #[arg(long)]
    json: bool,
    /// Only the I-th of N equal slices of the points, counted from 0; points keep their numbers.
    #[arg(long, value_name = "I/N", value_parser = shard, requires = "list")]
    shard: Option<Shard>,
    #[command(flatten)]
    destination: Destination,
}

impl Sweep {
    /// Writes the sweep or its points.
    pub fn run(self) -> Result<ExitCode, Failure> {
        self.destination.check()?;
        let spec = self.spec.read()?;
        let points = self.shard.map_or(0..spec.len(), |shard| shard.rows(spec.len()));
        match (self.list, self.json) {
            (true, json) => list(&spec, points, json, self.destination.lines()?)?,
            (false, true) => self.destination.write(&format!("{}\n", summary(&spec)))?,
            (false, false) => self.destination.write(&table(&spec))?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn list(spec: &Spec, points: Range<usize>, json: bool, mut out: Lines) -> Result<(), Failure> {
    let names = spec.parameter_names();
    let mut line = String::new();
    if !json {
        line.push_str("schedule");
        write_parameter_names(&mut line, names.iter().copied(), &[]);
        out.push(&line)?;
    }
    for index in points {
        if json {
            out.push(&object(&names, index, &spec.point(index)).to_string())?;
            continue;
        }
        line.clear();
        line.push_str(&index.to_string());
        for value in spec.point(index) {
            line.push(',');
            write_number(&mut line, value);
        }
        out.push(&line)?;
    }
    out.finish()
}

/// A point with the names of its parameters.
fn object(names: &[&str], index: usize, point: &[f64]) -> Value {
    let parameters: Map<String, Value> =
        names.iter().zip(point).map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    json!({ "schedule": index, "parameters": parameters })
}

fn summary(spec: &Spec) -> Value {
    let (sweep, names, last) = (spec.sweep(), spec.parameter_names(), spec.len() - 1);
    let mut summary = json!({ "method": sweep.method().name(), "points": spec.len() });
    if let Some(seed) = sweep.seed() {
        summary["seed"] = json!(seed);
    }
    summary["parameters"] = json!(names);
    summary["first"] = object(&names, 0, &spec.point(0));
    summary["last"] = object(&names, last, &spec.point(last));
    summary
}

fn table(spec: &Spec) -> String {
    let (sweep, last) = (spec.sweep(), spec.len() - 1);
    let seed = sweep.seed().map_or_else(String::new, |seed| format!(", seed {seed}"));
    let points = if spec.len() == 1 { "1 point".to_owned() } else { format!("{} points", spec.len()) };
    let mut text = format!("{}, {points}{seed}\n", sweep.method().name());
    if !sweep.names().is_empty() {
        let mut lines = vec![["parameter".to_owned(), "first".to_owned(), format!("last ({last})")]];
        let ends = spec.point(0).into_iter().zip(spec.point(last));
        lines.extend(sweep.names().iter().zip(ends).map(|(name, (first, last))| {
            let short = |value| {
                let mut text = String::new();
                write_number(&mut text, value);
                text
            };
            [readable::name(name), short(first), short(last)]
        }));
        text.push_str(&format!("\n{}", columns(&lines)));
    }
    text
}
