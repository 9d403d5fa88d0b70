//! `lrgrid plot`: draws schedules in the terminal or to a file.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use lrgrid::{Batch, Error, Spec};
use lrgrid_reports::error::PlotError;
use lrgrid_reports::plot::chart::{Lowered, evenly};
use lrgrid_reports::plot::file::{Format, picture};
use lrgrid_reports::plot::html::{MOST_SCHEDULES, page};
use lrgrid_reports::plot::{Chart, Options, Scale, Subject, Terminal};
use rayon::prelude::*;

use super::Failure;
use super::arguments::{StepRange, number, step_range};
use super::input::{SpecChanges, SpecInput};
use super::output::{Overwrite, print};
use super::screen::Screen;

const EXAMPLES: &str = "\
Examples:
  lrgrid plot examples/one_cycle.toml
  lrgrid plot examples/one_cycle.toml --set schedule.max=0.01
  # Several schedules, with a legend
  lrgrid plot examples/wsd.toml examples/warmup_cosine.toml
  # A sweep: a line for each schedule, or a heat map of many
  lrgrid plot examples/sweep_peak.toml -o sweep.svg
  lrgrid plot examples/cyclic.toml --steps 0..1000 --log
  # A page with sliders, which works offline
  lrgrid plot examples/grid.toml -o grid.html";

/// Draw schedules in the terminal, or as SVG, PNG or HTML.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Plot {
    /// .toml or .json files, or - for standard input; several are drawn in one picture.
    #[arg(value_name = "SPEC", required = true)]
    specs: Vec<PathBuf>,
    #[command(flatten)]
    changes: SpecChanges,
    /// Draw to this file instead of the terminal, in the format of its extension: .svg, .png or .html.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    overwrite: Overwrite,
    /// Only the steps from A up to, but not including, B.
    #[arg(long, value_name = "A..B", value_parser = range)]
    steps: Option<StepRange>,
    /// Draw the values on a logarithmic axis.
    #[arg(long, conflicts_with = "linear")]
    log: bool,
    /// Draw the values on a linear axis.
    #[arg(long)]
    linear: bool,
    /// Only this schedule of a sweep, counted from 0.
    #[arg(long, value_name = "I", value_parser = number)]
    schedule: Option<u64>,
    /// Draw the momentum of the specs instead of the learning rate.
    #[arg(long)]
    momentum: bool,
    /// The size of an .svg or .png picture in pixels.
    #[arg(long, value_name = "WIDTHxHEIGHT", default_value = "800x420", value_parser = size)]
    size: (f64, f64),
    /// Draw a .png with a dark background; .svg and .html follow the viewer's setting.
    #[arg(long)]
    dark: bool,
    /// The title of a picture; by default the names of the specs.
    #[arg(long)]
    title: Option<String>,
}

/// Parses `A..B`.
fn range(text: &str) -> Result<StepRange, String> {
    match step_range(text)? {
        range if range.stride == 1 => Ok(range),
        _ => Err("a curve is drawn through all steps of a range: leave the stride out".to_owned()),
    }
}

/// Parses `WIDTHxHEIGHT`.
fn size(text: &str) -> Result<(f64, f64), String> {
    let wrong = || "write WIDTHxHEIGHT, such as 800x420, each from 100 to 8000".to_owned();
    let (width, height) = text.split_once(['x', '×']).ok_or_else(wrong)?;
    let side = |text: &str| number(text).ok().filter(|side| (100..=8000).contains(side)).ok_or_else(wrong);
    Ok((side(width)? as f64, side(height)? as f64))
}

/// A spec, and its schedules to draw.
struct Drawn {
    name: String,
    spec: Spec,
    steps: u64,
    momentum: bool,
    /// The schedule to draw, if it is only one.
    only: Option<usize>,
}

impl Plot {
    /// Draws.
    pub fn run(self) -> Result<ExitCode, Failure> {
        let format = self.output.as_deref().map(Format::of).transpose()?;
        self.overwrite.check(self.output.as_deref())?;
        let is_page = format == Some(Format::Html);
        let drawn = self.specs.iter().map(|path| self.read(path, is_page)).collect::<Result<Vec<_>, _>>()?;
        let points: Vec<Box<dyn Fn(usize) -> Vec<f64> + Sync + '_>> =
            drawn.iter().map(|one| Box::new(|index| one.spec.point(one.number(index))) as Box<_>).collect();
        let programs: Vec<Box<Lowered<'_>>> =
            drawn.iter().map(|one| Box::new(|index| Ok(one.compile(index)?.program(0))) as Box<_>).collect();
        let subjects: Vec<Subject<'_>> = drawn
            .iter()
            .zip(&points)
            .zip(&programs)
            .map(|((one, point), program)| one.subject(&**point, &**program))
            .collect();
        let screen = Screen::of_stdout();
        // In the terminal, the command line above already names the specs.
        let names: Vec<&str> = drawn.iter().map(|one| one.name.as_str()).collect();
        let title =
            self.title.clone().unwrap_or_else(|| if format.is_some() { names.join(", ") } else { String::new() });
        let terminal = Terminal {
            width: screen.width,
            height: screen
                .height
                .map_or(16, |height| height.saturating_sub(8))
                .clamp(6, (screen.width / 4).clamp(8, 24)),
            colour: screen.colour,
        };
        let end = subjects.iter().map(|subject| subject.steps).max().unwrap_or(1);
        let options = Options {
            title,
            steps: self.steps.map(|range| range.start..range.end.unwrap_or(end)),
            scale: if self.log {
                Scale::Log
            } else if self.linear {
                Scale::Linear
            } else {
                Scale::Auto
            },
            columns: if format.is_some() { self.size.0 as usize } else { terminal.columns() },
        };
        let empty = || Failure::from(PlotError::Empty { reason: "the specs have no step in that range".to_owned() });
        let chart = Chart::new(&subjects, &options)?.ok_or_else(empty)?;
        match (format, &self.output) {
            (Some(Format::Html), Some(path)) => {
                self.overwrite.write(path, page(&subjects, &options, &chart)?.as_bytes())?;
            }
            (Some(format), Some(path)) => {
                self.overwrite.write(path, &picture(&chart, format, self.size, self.dark)?)?;
            }
            _ => print(&terminal.draw(&chart))?,
        }
        Ok(ExitCode::SUCCESS)
    }

    fn read(&self, path: &Path, is_page: bool) -> Result<Drawn, Failure> {
        let input = SpecInput::new(path.to_owned(), self.changes.clone());
        let spec = input.read()?;
        let in_spec = |error| Failure::in_spec(&input.name(), error);
        if self.momentum && !spec.has_momentum() {
            let message = "there is no momentum: add [momentum], or leave --momentum out";
            return Err(Failure::wrong(format!("{}: {message}", input.name())));
        }
        let only = self.schedule.map(|only| usize::try_from(only).unwrap_or(usize::MAX));
        if let Some(only) = only.filter(|only| *only >= spec.len()) {
            let message = format!("there is no schedule {only}: they count from 0 up to {}", spec.len() - 1);
            return Err(Failure::wrong(message));
        }
        let name = path.file_stem().map_or_else(|| input.name(), |stem| stem.to_string_lossy().into_owned());
        let name = if path == Path::new("-") { "standard input".to_owned() } else { name };
        let mut drawn = Drawn { name, spec, steps: 0, momentum: self.momentum, only };
        let shown = match only {
            Some(only) => vec![only],
            None if is_page => evenly(drawn.spec.len(), MOST_SCHEDULES),
            None => Chart::drawn(drawn.spec.len(), self.specs.len()),
        };
        let steps = match (drawn.spec.table_steps_of(shown.clone()), self.steps.and_then(|range| range.end)) {
            (Ok(steps), _) => steps,
            (Err(_), Some(end)) => end,
            (Err(error), None) => return Err(in_spec(error)),
        };
        // A schedule that ends has no values beyond.
        let lasts = shown.into_par_iter().map(|schedule| drawn.spec.last_step(schedule, drawn.momentum));
        let last = lasts.try_reduce(|| None, |a, b| Ok(a.into_iter().chain(b).min())).map_err(in_spec)?;
        drawn.steps = last.map_or(steps, |last| steps.min(last + 1));
        Ok(drawn)
    }
}

impl Drawn {
    /// The number of a drawn schedule in the sweep.
    fn number(&self, index: usize) -> usize {
        self.only.unwrap_or(index)
    }

    fn compile(&self, index: usize) -> Result<Batch, Error> {
        let rows = self.number(index)..self.number(index) + 1;
        match self.momentum {
            true => Ok(self.spec.compile_momentum_rows(rows)?.unwrap_or_default()),
            false => self.spec.compile_rows(rows),
        }
    }

    fn subject<'a>(&'a self, point: &'a (dyn Fn(usize) -> Vec<f64> + Sync), program: &'a Lowered<'a>) -> Subject<'a> {
        Subject {
            name: self.name.clone(),
            count: if self.only.is_some() { 1 } else { self.spec.len() },
            program,
            parameters: self.spec.parameter_names().into_iter().map(str::to_owned).collect(),
            point,
            steps: self.steps,
        }
    }
}
