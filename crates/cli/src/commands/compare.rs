//! `lrgrid compare`: two schedules, or a schedule and a log.

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

use super::Failure;
use super::arguments::{self, StepRange, number, step_range};
use super::columns::columns;
use super::fit::LogPart;
use super::input::SpecInput;
use super::output::{Overwrite, print};
use super::screen::Screen;

/// Steps that are compared one by one; of more, those where something happens and as many evenly spaced ones.
const MOST_STEPS: u64 = 1 << 21;

/// The most points of a log that its picture is drawn through.
const MOST_POINTS: usize = 4000;

const EXAMPLES: &str = "\
Examples:
  lrgrid compare examples/torch_one_cycle.toml examples/one_cycle.toml
  lrgrid compare examples/wsd.toml log.csv                    a schedule and what was logged
  lrgrid compare spec.toml table.npy --dtype f32              equal in f32 is equal enough
  lrgrid compare a.toml b.toml --tolerance 1e-6 --quiet       for CI: exit status only

Exit status 0 where they are equal, 1 where they differ, 2 where the command line or a spec is wrong.";

/// Show where and by how much two schedules differ, or a schedule and a logged table.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Compare {
    /// A spec (.toml, .json or -), or a table (.csv, .npy).
    a: PathBuf,
    /// What it is compared with.
    b: PathBuf,
    /// The number type whose values have to be equal.
    #[arg(long, default_value = "f32", value_parser = arguments::dtypes())]
    dtype: Dtype,
    /// Call them equal where no value differs by more than this share of it.
    #[arg(long, value_name = "SHARE")]
    tolerance: Option<f64>,
    /// Only steps from A up to, but not including, B.
    #[arg(long, value_name = "A..B[:STRIDE]", value_parser = step_range)]
    steps: Option<StepRange>,
    /// Which schedule of a sweep, counted from 0.
    #[arg(long, value_name = "I", default_value = "0", value_parser = number)]
    schedule: u64,
    #[command(flatten)]
    part: LogPart,
    /// Draw both into a file: .svg or .png.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    overwrite: Overwrite,
    /// Print nothing: the exit status says it.
    #[arg(short, long)]
    quiet: bool,
}

/// One of the two.
struct Side {
    name: String,
    /// A schedule can be evaluated anywhere; a log only where it has rows.
    batch: Batch,
    logged: Option<Logged>,
    steps: u64,
}

impl Compare {
    /// Compares and prints.
    pub fn run(self) -> Result<ExitCode, Failure> {
        self.overwrite.check(self.output.as_deref())?;
        if let Some(tolerance) = self.tolerance.filter(|tolerance| !(*tolerance >= 0.0 && tolerance.is_finite())) {
            return Err(Failure::wrong(format!(
                "--tolerance {tolerance}: a share of the value is needed, such as 1e-6"
            )));
        }
        let sides = [self.side(&self.a)?, self.side(&self.b)?];
        let steps = self.common_steps(&sides)?;
        let [a, b] = [sides[0].values(&steps), sides[1].values(&steps)];
        let Some(found) = difference(&steps, &a, &b) else {
            return Err(Failure::wrong("the two have no step in common: give --steps where both have values"));
        };
        let equal = match self.tolerance {
            Some(tolerance) => share(found.largest_relative) <= tolerance,
            None => found.equality.iter().any(|one| one.dtype == self.dtype && one.different == 0),
        };
        if !self.quiet {
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
        let input = SpecInput::of(path.to_owned());
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
        // The longer of the two: where the shorter one holds its last value, they may differ.
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
                readable::value(share((step, a, b))),
            ]
        };
        let mut lines =
            vec![["".to_owned(), "step".to_owned(), a.clone(), b.clone(), "difference".to_owned(), "share".to_owned()]];
        lines.extend(found.first.map(|first| row("first difference", first)));
        if found.first.is_some() {
            lines.push(row("largest difference", found.largest));
            lines.push(row("largest share", found.largest_relative));
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
        text.push_str(&format!("\n{a} and {b} {} {judged}\n", if equal { "are equal" } else { "differ" }));
        text
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
            _ if self.quiet => Ok(()),
            _ => print(&format!("\n{}", terminal.draw(&chart))),
        }
    }
}

impl Side {
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

/// The difference as a share of the larger value.
fn share((_, a, b): (u64, f64, f64)) -> f64 {
    if a == b { 0.0 } else { (a - b).abs() / a.abs().max(b.abs()) }
}

fn number_text(value: f64) -> String {
    let mut text = String::new();
    write_number(&mut text, value);
    text
}
