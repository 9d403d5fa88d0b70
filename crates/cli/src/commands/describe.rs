//! `lrgrid describe`: the parameters, segments, phases and characteristic values of a schedule.

mod description;

use std::fmt::Write as _;
use std::process::ExitCode;

use clap::Args;
use lrgrid::program::Repetition;
use lrgrid::{Spec, readable};
use lrgrid_reports::describe::{Phase, PhaseKind, Piece};
use lrgrid_tables::table::write_number;

use super::Failure;
use super::arguments::number;
use super::input::SpecInput;
use super::output::{print, print_json};
use super::text::{columns, paragraph};
use description::{At, Budget, Curve, Description};

const EXAMPLES: &str = "\
Examples:
  lrgrid describe examples/wsd.toml
  lrgrid describe examples/wsd.toml --json
  lrgrid describe examples/sweep_peak.toml --schedule 999";

/// Show a schedule's parameters, segments, phases and characteristic values.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Describe {
    #[command(flatten)]
    spec: SpecInput,
    /// The schedule of a sweep, counted from 0.
    #[arg(long, value_name = "I", default_value = "0", value_parser = number)]
    schedule: u64,
    /// Print the description as JSON.
    #[arg(long)]
    json: bool,
}

impl Describe {
    /// Prints the description.
    pub fn run(self) -> Result<ExitCode, Failure> {
        let spec = self.spec.read()?;
        let index = usize::try_from(self.schedule).unwrap_or(usize::MAX);
        if index >= spec.len() {
            let message = format!("there is no schedule {index}: they count from 0 up to {}", spec.len() - 1);
            return Err(Failure::wrong(message));
        }
        let description = Description::of(&spec, index).map_err(|error| Failure::in_spec(&self.spec.name(), error))?;
        if self.json {
            print_json(&description)?;
        } else {
            let document = toml::to_string(&description.spec)
                .map_err(|error| Failure::wrong(format!("{}: {error}", self.spec.name())))?;
            print(&text(&spec, &description, &document))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// The description for people; `document` is the spec as TOML.
fn text(spec: &Spec, description: &Description, document: &str) -> String {
    let index = description.schedule;
    let mut text = paragraph(&format!("schedule {index} of {}{}", spec.len(), point(spec, index)));
    text.push('\n');
    text.push_str(document);
    curve(&mut text, &description.curve, description.steps);
    if let Some(budget) = &description.budget {
        tell(&mut text, budget, description.steps.unwrap_or(1));
    }
    for warning in &description.warnings {
        text.push_str(&paragraph(&format!("warning: {warning}")));
    }
    if let Some(momentum) = &description.momentum {
        text.push_str("\nmomentum\n");
        curve(&mut text, momentum, description.steps);
    }
    let last = spec.len() - 1;
    if last > 0 {
        text.push('\n');
        text.push_str(&paragraph(&format!("{last} more schedules, to schedule {last}{}", point(spec, last))));
    }
    text
}

/// The swept parameters of one schedule.
fn point(spec: &Spec, index: usize) -> String {
    let pairs = spec.parameter_names().into_iter().zip(spec.point(index));
    let pairs: Vec<String> =
        pairs.map(|(name, value)| format!("{} = {}", readable::name(name), short(value))).collect();
    if pairs.is_empty() { String::new() } else { format!(": {}", pairs.join(", ")) }
}

/// The segments within the table, and the characteristic values.
fn curve(text: &mut String, curve: &Curve, steps: Option<u64>) {
    let products = curve.segments.iter().any(|piece| piece.factor.is_some());
    let mut lines =
        vec![["start", "end", if products { "curve (factor)" } else { "curve" }, "from", "to", ""].map(str::to_owned)];
    let within = |piece: &&Piece| steps.is_none_or(|steps| piece.start < steps);
    lines.extend(curve.segments.iter().filter(within).map(line));
    let later = curve.segments.len() + 1 - lines.len();
    text.push('\n');
    text.push_str(&columns(&lines));
    if later > 0 {
        text.push_str(&format!("and {later} more after the last step of the table\n"));
    }
    let (Some(steps), Some(values)) = (steps, &curve.values) else {
        text.push_str(&format!("\n{}", paragraph("no end: give the spec `steps`, or `eval` its --steps")));
        return;
    };
    let at = |name: &str, at: At| [name.to_owned(), short(at.value), format!("at step {}", at.step)];
    let lines = [
        at("first", values.first),
        at("largest", values.largest),
        at("smallest", values.smallest),
        at("last", values.last),
    ];
    // Writing to a String cannot fail.
    let _ = write!(text, "\n{}{steps} steps\n", columns(&lines));
}

/// The phases, the area under the curve, and the steps at which it has fallen to fractions of its peak.
fn tell(text: &mut String, budget: &Budget, steps: u64) {
    let mut lines = vec![["phase", "from step", "steps", "share", "from", "to"].map(str::to_owned)];
    lines.extend(budget.phases.iter().map(|phase| phase_line(phase, steps)));
    text.push_str(&format!("\n{}", columns(&lines)));
    let about = if budget.area.exact { "" } else { "about " };
    let of_peak = budget.mean_of_peak.map_or_else(String::new, |share| format!(", {:.1} % of the peak", share * 100.0));
    let (sum, mean) = (readable::value(budget.area.sum), readable::value(budget.mean));
    text.push('\n');
    text.push_str(&paragraph(&format!(
        "area under the curve: {about}{sum} (the sum over all steps); mean {mean}{of_peak}"
    )));
    if let Some(falls) = &budget.falls_to {
        let down = |step: Option<u64>, words: &str| match step {
            Some(step) => format!("{words} at step {step} ({:.1} %)", step as f64 / steps as f64 * 100.0),
            None => format!("{words} never"),
        };
        let falls =
            [down(falls.half, "half of the peak"), down(falls.tenth, "a tenth"), down(falls.hundredth, "a hundredth")];
        text.push_str(&paragraph(&format!("comes down to {}", falls.join(", "))));
    }
}

fn phase_line(phase: &Phase, steps: u64) -> [String; 6] {
    let name = match phase.kind {
        PhaseKind::Cycles { period } => format!("cycles of {period}"),
        PhaseKind::Stairs { count } => format!("{count} stairs"),
        PhaseKind::Pieces { count } => format!("{count} more pieces"),
        kind => kind.name().to_owned(),
    };
    let length = phase.end - phase.start;
    let share = format!("{:.1} %", length as f64 / steps as f64 * 100.0);
    [name, phase.start.to_string(), length.to_string(), share, readable::value(phase.from), readable::value(phase.to)]
}

fn line(piece: &Piece) -> [String; 6] {
    let end = piece.end.map_or_else(|| "…".to_owned(), |end| end.to_string());
    let factor = piece.factor.map_or_else(String::new, |factor| format!(" ({})", factor + 1));
    let mut notes = Vec::new();
    if piece.every > 1 && piece.from != piece.to {
        notes.push(format!("in stairs of {} steps", piece.every));
    }
    match piece.repetition {
        Repetition::None => {}
        Repetition::Restart { period } => notes.push(format!("again every {period} steps")),
        Repetition::Reflect { period } => notes.push(format!("back and forth every {period} steps")),
    }
    let curve = format!("{}{factor}", piece.curve);
    [piece.start.to_string(), end, curve, short(piece.from), short(piece.to), notes.join(", ")]
}

fn short(value: f64) -> String {
    let mut text = String::new();
    write_number(&mut text, value);
    text
}
