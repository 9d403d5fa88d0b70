//! `lrgrid describe`: what a schedule does, in words and numbers.

use std::fmt::Write as _;
use std::process::ExitCode;

use clap::Args;
use lrgrid::program::Repetition;
use lrgrid::{Batch, Spec, readable};
use lrgrid_reports::describe::{Phase, PhaseKind, Piece, area, first_at_most, key_values, phases, pieces, warnings};
use lrgrid_tables::table::write_number;
use serde::Serialize;

use super::Failure;
use super::arguments::number;
use super::columns::columns;
use super::input::SpecInput;
use super::output::print;

const EXAMPLES: &str = "\
Examples:
  lrgrid describe examples/wsd.toml
  lrgrid describe examples/sweep_peak.toml --schedule 999";

/// Show a schedule's parameters, its segments, and the values that matter.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Describe {
    #[command(flatten)]
    spec: SpecInput,
    /// Which schedule of a sweep, counted from 0.
    #[arg(long, value_name = "I", default_value = "0", value_parser = number)]
    schedule: u64,
}

impl Describe {
    /// Prints the description.
    pub fn run(self) -> Result<ExitCode, Failure> {
        let spec = self.spec.read()?;
        let in_spec = |error| Failure::in_spec(&self.spec.name(), error);
        let index = usize::try_from(self.schedule).unwrap_or(usize::MAX);
        if index >= spec.len() {
            let message = format!("there is no schedule {index}: they count from 0 up to {}", spec.len() - 1);
            return Err(Failure::wrong(message));
        }
        let rows = index..index + 1;
        // Of this schedule only: the sweep may be large.
        let batch = spec.compile_rows(rows.clone()).map_err(in_spec)?;
        let mut text = format!("schedule {index} of {}{}\n\n", spec.len(), point(&spec, index));
        #[derive(Serialize)]
        struct Document {
            schedule: lrgrid::schedule::Schedule,
            #[serde(skip_serializing_if = "Option::is_none")]
            momentum: Option<lrgrid::schedule::Schedule>,
        }
        let document = Document {
            schedule: spec.schedule(index).map_err(in_spec)?,
            momentum: spec.momentum(index).map_err(in_spec)?,
        };
        let written =
            toml::to_string(&document).map_err(|error| Failure::wrong(format!("{}: {error}", self.spec.name())))?;
        text.push_str(&written);
        let steps = spec.table_steps_of(rows.clone()).ok();
        describe(&mut text, &batch, steps);
        if let Some(steps) = steps {
            tell(&mut text, &batch, steps);
            let length = document.schedule.length().filter(|_| spec.horizon().is_some()).map(|length| {
                // In epochs, as the horizon may be.
                length.saturating_mul(spec.steps_per_epoch().unwrap_or(1))
            });
            for warning in warnings(&batch, 0, steps, length) {
                text.push_str(&format!("warning: {warning}\n"));
            }
        }
        if let Some(momentum) = spec.compile_momentum_rows(rows).map_err(in_spec)? {
            text.push_str("\nmomentum\n");
            describe(&mut text, &momentum, steps);
        }
        sweep(&mut text, &spec);
        print(&text)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// The swept parameters of one schedule.
fn point(spec: &Spec, index: usize) -> String {
    let pairs = spec.parameter_names().into_iter().zip(spec.point(index));
    let pairs: Vec<String> =
        pairs.map(|(name, value)| format!("{} = {}", readable::name(name), short(value))).collect();
    if pairs.is_empty() { String::new() } else { format!(": {}", pairs.join(", ")) }
}

/// Where the sweep begins and ends.
fn sweep(text: &mut String, spec: &Spec) {
    if spec.len() < 2 {
        return;
    }
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "\n{} more schedules, to schedule {}{}",
        spec.len() - 1,
        spec.len() - 1,
        point(spec, spec.len() - 1)
    );
}

fn describe(text: &mut String, batch: &Batch, steps: Option<u64>) {
    let pieces = pieces(&batch.program(0));
    let products = pieces.iter().any(|piece| piece.factor.is_some());
    let mut lines =
        vec![["start", "end", if products { "curve (factor)" } else { "curve" }, "from", "to", ""].map(str::to_owned)];
    let later = pieces.iter().filter(|piece| steps.is_some_and(|steps| piece.start >= steps)).count();
    let shown = pieces.iter().filter(|piece| steps.is_none_or(|steps| piece.start < steps));
    lines.extend(shown.map(line));
    text.push('\n');
    text.push_str(&columns(&lines));
    if later > 0 {
        text.push_str(&format!("and {later} more after the last step of the table\n"));
    }
    let Some(steps) = steps else {
        text.push_str("\nno end: give the spec `steps`, or `eval` its --steps\n");
        return;
    };
    let values = key_values(batch, 0, steps);
    let at = |(step, value): (u64, f64)| [short(value), format!("at step {step}")];
    let [first, peak, least, last] = [(0, values.first), values.peak, values.least, values.last].map(at);
    let named = [("first", first), ("largest", peak), ("smallest", least), ("last", last)];
    let lines = named.map(|(name, [value, step])| [name.to_owned(), value, step]);
    // Writing to a String cannot fail.
    let _ = write!(text, "\n{}{steps} steps\n", columns(&lines));
}

/// What it does in words: phases, the area under it, and when it has come down to a share of its peak.
fn tell(text: &mut String, batch: &Batch, steps: u64) {
    let program = batch.program(0);
    let mut lines = vec![["phase", "from step", "steps", "share", "from", "to"].map(str::to_owned)];
    lines.extend(phases(&program, steps).iter().map(|phase| told(phase, steps)));
    text.push_str(&format!("\n{}", columns(&lines)));
    let (peak_step, peak) = key_values(batch, 0, steps).peak;
    let area = area(batch, 0, steps);
    let about = if area.exact { "" } else { "about " };
    let mean = area.sum / steps as f64;
    let of_peak = if peak > 0.0 { format!(", {:.1} % of the peak", mean / peak * 100.0) } else { String::new() };
    text.push_str(&format!(
        "\narea under the curve: {about}{} (the sum over all steps); mean {}{of_peak}\n",
        readable::value(area.sum),
        readable::value(mean)
    ));
    if peak > 0.0 {
        let down = |share: f64, words: &str| match first_at_most(&program, peak_step, steps, peak * share) {
            Some(step) => format!("{words} at step {step} ({:.1} %)", step as f64 / steps as f64 * 100.0),
            None => format!("{words} never"),
        };
        let falls = [(0.5, "half of the peak"), (0.1, "a tenth"), (0.01, "a hundredth")]
            .map(|(share, words)| down(share, words));
        text.push_str(&format!("comes down to {}\n", falls.join(", ")));
    }
}

fn told(phase: &Phase, steps: u64) -> [String; 6] {
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
