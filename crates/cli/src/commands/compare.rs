//! `lrgrid compare`: compares two schedules, or a schedule and a log.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use lrgrid::curve::Curve;
use lrgrid::error::EvaluateError;
use lrgrid::program::{Program, Segment};
use lrgrid::{Batch, Dtype, readable};
use lrgrid_reports::compare::{Difference, difference};
use lrgrid_reports::logged::Logged;
use lrgrid_reports::plot::chart::Lowered;
use lrgrid_reports::plot::file::{Format, picture};
use lrgrid_reports::plot::{Chart, Options, Subject, Terminal};
use lrgrid_tables::table::write_number;
use serde::Serialize;

use super::Failure;
use super::arguments::{self, StepRange, number, step_range};
use super::fit::LogPart;
use super::input::{SpecChanges, SpecInput};
use super::output::{Overwrite, print, print_json};
use super::screen::Screen;
use super::text::{columns, paragraph};

/// The most steps of two schedules that are all compared. Of more, the boundaries of segments and this many evenly spaced
/// steps are compared.
const MOST_STEPS: u64 = 1 << 21;

/// The most points of a log in its picture.
const MOST_POINTS: usize = 4000;

const EXAMPLES: &str = "\
Examples:
  lrgrid compare examples/torch_one_cycle.toml examples/one_cycle.toml
  # A schedule and a log
  lrgrid compare examples/wsd.toml log.csv
  # Whether they are equal in f16
  lrgrid compare spec.toml table.npy --dtype f16
  # For CI: the exit status only
  lrgrid compare a.toml b.toml --tolerance 1e-6 --quiet
  lrgrid compare a.toml b.toml --json

Exit status 0 if they are equal, 1 if they differ, 2 if the command line or a spec is wrong.";

/// Show where and by how much two schedules differ, or a schedule and a log.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Compare {
    /// A spec (.toml, .json or -), or a table (.csv, .npy).
    a: PathBuf,
    /// The spec or table to compare it with.
    b: PathBuf,
    #[command(flatten)]
    changes: SpecChanges,
    /// The number type in which the values have to be equal.
    #[arg(long, default_value = "f32", value_parser = arguments::dtypes())]
    dtype: Dtype,
    /// The largest relative difference of values that count as equal, instead of equality in a number type.
    #[arg(long, value_name = "X")]
    tolerance: Option<f64>,
    /// Only the steps from A up to, but not including, B.
    #[arg(long, value_name = "A..B[:STRIDE]", value_parser = step_range)]
    steps: Option<StepRange>,
    /// The schedule of a sweep, counted from 0.
    #[arg(long, value_name = "I", default_value = "0", value_parser = number)]
    schedule: u64,
    #[command(flatten)]
    part: LogPart,
    /// Draw both to this file, in the format of its extension: .svg or .png.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    overwrite: Overwrite,
    /// Print the result as JSON.
    #[arg(long, conflicts_with = "quiet")]
    json: bool,
    /// Print nothing: the exit status is the result.
    #[arg(short, long)]
    quiet: bool,
}

/// The result for programs.
#[derive(Serialize)]
struct Report<'a> {
    a: &'a str,
    b: &'a str,
    /// How many steps were compared.
    steps: usize,
    ends: Ends,
    equal: bool,
    /// The number type in which they are equal or not, unless a tolerance is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    dtype: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tolerance: Option<f64>,
    first_difference: Option<Row>,
    largest: Option<Row>,
    largest_relative: Option<Row>,
    /// The number of steps that differ in each number type.
    different: BTreeMap<&'static str, usize>,
}

/// The number of steps of each; `null` if a schedule has no end.
#[derive(Serialize)]
struct Ends {
    a: Option<u64>,
    b: Option<u64>,
}

#[derive(Serialize)]
struct Row {
    step: u64,
    a: f64,
    b: f64,
}

/// One of the two.
struct Side {
    name: String,
    /// The schedule, or for its picture a line through the log.
    batch: Batch,
    logged: Option<Logged>,
    steps: u64,
}

impl Compare {
    /// Compares and prints.
    pub fn run(self) -> Result<ExitCode, Failure> {
        self.overwrite.check(self.output.as_deref())?;
        if let Some(tolerance) = self.tolerance.filter(|tolerance| !(*tolerance >= 0.0 && tolerance.is_finite())) {
            return Err(Failure::wrong(format!("--tolerance {tolerance}: give a relative difference, such as 1e-6")));
        }
        let sides = [self.side(&self.a)?, self.side(&self.b)?];
        let steps = self.common_steps(&sides)?;
        let [a, b] = [sides[0].values(&steps), sides[1].values(&steps)];
        let Some(found) = difference(&steps, &a, &b) else {
            return Err(Failure::wrong("the two have no step in common: give --steps where both have values"));
        };
        let equal = match self.tolerance {
            Some(tolerance) => relative(found.largest_relative) <= tolerance,
            None => found.equality.iter().any(|one| one.dtype == self.dtype && one.different == 0),
        };
        if self.json {
            print_json(&self.report(&sides, &found, equal))?;
        } else if !self.quiet {
            print(&self.text(&sides, &found, equal))?;
        }
        self.draw(&sides, &steps)?;
        Ok(if equal { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn side(&self, path: &Path) -> Result<Side, Failure> {
        let name =
            path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned());
        let name = readable::name(&name);
        let ending = path.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase);
        if matches!(ending.as_deref(), Some("csv" | "npy" | "tsv")) {
            let logged = Logged::read(path, &self.part.selection())?;
            let steps = logged.steps.last().map_or(0, |last| last + 1);
            let batch =
                through(&logged).and_then(|program| Batch::from_programs([&program])).map_err(lrgrid::Error::from)?;
            return Ok(Side { name, batch, logged: Some(logged), steps });
        }
        let input = SpecInput::new(path.to_owned(), self.changes.clone());
        let spec = input.read()?;
        let in_spec = |error| Failure::in_spec(&input.name(), error);
        let index = usize::try_from(self.schedule).unwrap_or(usize::MAX);
        if index >= spec.len() {
            let message =
                format!("{}: there is no schedule {index}: they count from 0 up to {}", input.name(), spec.len() - 1);
            return Err(Failure::wrong(message));
        }
        let batch = spec.compile_rows(index..index + 1).map_err(in_spec)?;
        let steps = spec.table_steps_of(index..index + 1).unwrap_or(0);
        let steps = batch.last_step().map_or(steps, |last| if steps == 0 { last + 1 } else { steps.min(last + 1) });
        Ok(Side { name, batch, logged: None, steps })
    }

    /// The steps that both have values for.
    fn common_steps(&self, sides: &[Side; 2]) -> Result<Vec<u64>, Failure> {
        let range = self.steps.unwrap_or(StepRange { start: 0, end: None, stride: 1 });
        let end = range.end.unwrap_or(u64::MAX);
        let within =
            |step: &u64| *step >= range.start && *step < end && (step - range.start).is_multiple_of(range.stride);
        let logged: Vec<&Logged> = sides.iter().filter_map(|side| side.logged.as_ref()).collect();
        if let [first, rest @ ..] = logged.as_slice() {
            let also = |step: &u64| rest.iter().all(|other| other.steps.binary_search(step).is_ok());
            return Ok(first.steps.iter().copied().filter(within).filter(also).collect());
        }
        // Up to the longer of the two, because the shorter one holds its last value and may differ there.
        let end = range.end.unwrap_or_else(|| sides.iter().map(|side| side.steps).max().unwrap_or(0));
        if end == 0 {
            return Err(Failure::wrong("neither schedule has a length: say which steps to compare with --steps A..B"));
        }
        let count = end.saturating_sub(range.start).div_ceil(range.stride);
        if count <= MOST_STEPS {
            return Ok((range.start..end).step_by(usize::try_from(range.stride).unwrap_or(usize::MAX)).collect());
        }
        let marks = sides.iter().flat_map(|side| side.batch.program(0).marks(Some(end)));
        let every = count / MOST_STEPS + 1;
        let even = (0..count / every).map(|index| range.start + index * every * range.stride);
        let mut steps: Vec<u64> = marks.filter(within).chain(even).collect();
        steps.sort_unstable();
        steps.dedup();
        Ok(steps)
    }

    fn text(&self, sides: &[Side; 2], found: &Difference, equal: bool) -> String {
        let [a, b] = [&sides[0].name, &sides[1].name];
        let row = |what: &str, (step, a, b): (u64, f64, f64)| {
            let gap = if a == b { 0.0 } else { (a - b).abs() };
            [
                what.to_owned(),
                step.to_string(),
                number_text(a),
                number_text(b),
                readable::value(gap),
                readable::value(relative((step, a, b))),
            ]
        };
        let mut lines = vec![["", "step", a, b, "difference", "relative"].map(str::to_owned)];
        lines.extend(found.first.map(|first| row("first difference", first)));
        if found.first.is_some() {
            lines.push(row("largest difference", found.largest));
            lines.push(row("largest relative", found.largest_relative));
        }
        let mut text = String::new();
        if found.first.is_some() {
            text.push_str(&columns(&lines));
            text.push('\n');
        }
        let lines: Vec<[String; 2]> = found
            .equality
            .iter()
            .map(|one| {
                let how = match one.first {
                    None => format!("equal at all {} steps", found.steps),
                    Some(step) => format!("{} of {} steps differ, first at {step}", one.different, found.steps),
                };
                [one.dtype.name().to_owned(), how]
            })
            .collect();
        text.push_str(&columns(&lines));
        let judged = match self.tolerance {
            Some(tolerance) => format!("within {tolerance}"),
            None => format!("in {}", self.dtype.name()),
        };
        let verdict = if equal { "are equal" } else { "differ" };
        text.push('\n');
        text.push_str(&paragraph(&format!("{a} and {b} {verdict} {judged}")));
        text
    }

    fn report<'a>(&self, sides: &'a [Side; 2], found: &Difference, equal: bool) -> Report<'a> {
        let [a, b] = sides;
        let row = |(step, a, b): (u64, f64, f64)| Row { step, a, b };
        let differs = found.first.is_some();
        Report {
            a: &a.name,
            b: &b.name,
            steps: found.steps,
            ends: Ends { a: a.end(), b: b.end() },
            equal,
            dtype: self.tolerance.is_none().then(|| self.dtype.name()),
            tolerance: self.tolerance,
            first_difference: found.first.map(row),
            largest: differs.then(|| row(found.largest)),
            largest_relative: differs.then(|| row(found.largest_relative)),
            different: found.equality.iter().map(|one| (one.dtype.name(), one.different)).collect(),
        }
    }

    fn draw(&self, sides: &[Side; 2], steps: &[u64]) -> Result<(), Failure> {
        let format = self.output.as_deref().map(Format::of).transpose()?;
        let (Some(&first), Some(&last)) = (steps.first(), steps.last()) else { return Ok(()) };
        let point = |_| Vec::new();
        let programs = sides.each_ref().map(|side| |_: usize| Ok(side.batch.program(0)));
        let subjects: Vec<Subject<'_>> =
            sides.iter().zip(&programs).map(|(side, program)| subject(side, program, &point)).collect();
        let screen = Screen::of_stdout();
        let terminal = Terminal { width: screen.width, height: 12, colour: screen.colour };
        let columns = if format.is_some() { 800 } else { terminal.columns() };
        let options = Options { steps: Some(first..last + 1), columns, ..Options::default() };
        let Some(chart) = Chart::new(&subjects, &options)? else { return Ok(()) };
        match (format, &self.output) {
            (Some(Format::Html), Some(path)) => Err(Failure::wrong(format!(
                "{}: a comparison is drawn as .svg or .png; `lrgrid plot A B -o page.html` makes a page of two specs",
                path.display()
            ))),
            (Some(format), Some(path)) => {
                let bytes = picture(&chart, format, (800.0, 420.0), false)?;
                self.overwrite.write(path, &bytes)
            }
            _ if self.quiet || self.json => Ok(()),
            _ => print(&format!("\n{}", terminal.draw(&chart))),
        }
    }
}

impl Side {
    fn end(&self) -> Option<u64> {
        Some(self.steps).filter(|&steps| steps > 0)
    }

    fn values(&self, steps: &[u64]) -> Vec<f64> {
        match &self.logged {
            Some(logged) => steps
                .iter()
                .map(|step| logged.steps.binary_search(step).map_or(f64::NAN, |index| logged.values[index]))
                .collect(),
            None => {
                let mut values = Vec::with_capacity(steps.len());
                self.batch.reference_values(0, &mut steps.iter().copied(), &mut |value| values.push(value.high()));
                values
            }
        }
    }
}

fn subject<'a>(side: &Side, program: &'a Lowered<'a>, point: &'a (dyn Fn(usize) -> Vec<f64> + Sync)) -> Subject<'a> {
    Subject { name: side.name.clone(), count: 1, program, parameters: Vec::new(), point, steps: side.steps.max(1) }
}

/// A line through a log's rows, for its picture only.
fn through(logged: &Logged) -> Result<Program, EvaluateError> {
    let every = logged.steps.len().div_ceil(MOST_POINTS).max(1);
    let rows: Vec<(u64, f64)> =
        logged.steps.iter().copied().zip(logged.values.iter().copied()).step_by(every).collect();
    let mut segments = Vec::with_capacity(rows.len() + 1);
    if rows[0].0 > 0 {
        segments.push(Segment::hold(0, rows[0].1));
    }
    for pair in rows.windows(2) {
        let ((start, from), (end, to)) = (pair[0], pair[1]);
        segments.push(Segment::transition(start, end - start, from, to, Curve::Linear));
    }
    if let Some(&(step, value)) = rows.last() {
        segments.push(Segment::hold(step, value));
    }
    Ok(Program::from_segments(segments)?)
}

/// The difference relative to the larger value.
fn relative((_, a, b): (u64, f64, f64)) -> f64 {
    if a == b { 0.0 } else { (a - b).abs() / a.abs().max(b.abs()) }
}

fn number_text(value: f64) -> String {
    let mut text = String::new();
    write_number(&mut text, value);
    text
}
