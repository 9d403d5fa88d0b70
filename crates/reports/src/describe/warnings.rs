//! Warnings: properties of a schedule that are often mistakes.

use super::budget::first_at_most;
use super::{PhaseKind, phases};
use crate::sample::{Column, envelope};
use lrgrid::packed::Batch;
use lrgrid::program::{FOREVER, Program, Repetition};
use lrgrid::readable;

/// Columns that are searched for values that a type cannot represent.
const COLUMNS: usize = 1 << 12;

/// The fraction of a run for which a schedule may be constant at its end without a warning.
const IDLE: f64 = 0.02;

/// Half the least positive f16: anything below rounds to 0.
const F16_UNDERFLOW: f64 = 1.0 / (1 << 25) as f64;

/// The least normal f16.
const F16_NORMAL: f64 = 1.0 / (1 << 14) as f64;

/// Warnings about one schedule of a batch over `steps` steps, one sentence each.
///
/// `length` is the number of steps until the schedule holds its last value, if it has one.
///
/// ```
/// use lrgrid_reports::describe::warnings;
///
/// let text = "schedule = { kind = 'cosine', start = 1e-3, end = 1e-4, steps = 900 }";
/// let batch = lrgrid::Spec::from_toml(text)?.compile()?;
/// assert!(warnings(&batch, 0, 900, Some(900)).is_empty());
/// assert!(warnings(&batch, 0, 1800, Some(900))[0].contains("stands still"));
/// # Ok::<(), lrgrid::Error>(())
/// ```
#[must_use]
pub fn warnings(batch: &Batch, schedule: usize, steps: u64, length: Option<u64>) -> Vec<String> {
    if schedule >= batch.len() {
        return Vec::new();
    }
    let program = batch.program(schedule);
    let mut found = Vec::new();
    shape(&program, steps, length, &mut found);
    never_reached(&program, steps, &mut found);
    values(&program, steps, &mut found);
    found
}

/// Warnings about the lengths of phases relative to each other and to the run.
fn shape(program: &Program, steps: u64, length: Option<u64>, found: &mut Vec<String>) {
    let phases = phases(program, steps);
    let total = |wanted: fn(PhaseKind) -> bool| -> u64 {
        phases.iter().filter(|phase| wanted(phase.kind)).map(|phase| phase.end - phase.start).sum()
    };
    let warmup = total(|kind| kind == PhaseKind::Warmup);
    let decay = total(|kind| kind == PhaseKind::Decay);
    if warmup > decay && decay > 0 {
        found.push(format!(
            "the warmup ({warmup} steps) is longer than the decay ({decay} steps): check the two lengths"
        ));
    }
    if warmup > 0 && warmup >= steps {
        found.push(format!("the warmup takes all {steps} steps: the peak is never reached"));
    }
    if let [.., before, last] = phases.as_slice()
        && last.kind == PhaseKind::Hold
        && matches!(before.kind, PhaseKind::Decay | PhaseKind::Cycles { .. })
    {
        let idle = last.end - last.start;
        let share = idle as f64 / steps as f64;
        if share >= IDLE {
            let percent = share * 100.0;
            found.push(format!(
                "the decay ends at step {}, before training does: the rate stands still for the last {idle} steps ({percent:.0} %)",
                last.start
            ));
        }
    }
    if let Some(length) = length.filter(|&length| length > steps) {
        found.push(format!(
            "training ends at step {steps}, before the schedule does at {length}: the decay is cut off at {}",
            readable::value(program.value(steps - 1))
        ));
    }
}

/// Warnings about steps beyond the last one.
fn never_reached(program: &Program, steps: u64, found: &mut Vec<String>) {
    let in_steps = |ticks: u64| ticks.saturating_mul(program.quantum());
    let mut later = Vec::new();
    for (index, stage) in program.stages().iter().enumerate() {
        let end = in_steps(program.stages().get(index + 1).map_or(FOREVER, |next| next.start));
        let begin = in_steps(stage.start);
        if begin > steps {
            later.push(begin);
            continue;
        }
        for track in &stage.tracks {
            let step = |at: u64| in_steps(stage.start.saturating_add(at.saturating_sub(track.advance)));
            match track.repetition {
                Repetition::Restart { period } | Repetition::Reflect { period } => {
                    let turn = step(period);
                    if turn >= steps && end > turn && begin < steps {
                        found.push(format!("the restart at step {turn} never happens: training ends at step {steps}"));
                    }
                }
                // A segment that begins right after the last step usually only holds.
                Repetition::None => {
                    later.extend(
                        track.segments.iter().map(|segment| step(segment.start)).filter(|&at| at > steps && at < end),
                    );
                }
            }
        }
    }
    if let Some(first) = later.iter().min() {
        let what = match later.len() {
            1 => format!("the change at step {first} never happens"),
            many => format!("{many} changes, the first at step {first}, never happen"),
        };
        found.push(format!("{what}: training ends at step {steps}"));
    }
}

/// Warnings about values that are problematic for an optimizer or an element type.
fn values(program: &Program, steps: u64, found: &mut Vec<String>) {
    let columns = envelope(program, 0..steps, COLUMNS);
    let share = |wanted: &dyn Fn(f64) -> bool| {
        let looks = columns.iter().flat_map(|column| [column.first.1, column.last.1]);
        let all = looks.clone().count().max(1);
        looks.filter(|&value| wanted(value)).count() as f64 / all as f64 * 100.0
    };
    let peak = columns.iter().map(|column| column.greatest.1).fold(f64::NEG_INFINITY, f64::max);
    if let Some(column) = columns.iter().find(|column| column.least.1 < 0.0) {
        found.push(format!("the rate is negative, first at step {}: an optimizer would climb", column.least.0));
    }
    if peak > 0.0 && program.value(0) == 0.0 && steps > 1 {
        found.push("the first update has a rate of 0 and changes nothing".to_owned());
    }
    if peak <= 0.0 {
        return;
    }
    let underflows = |value: f64| value != 0.0 && value.abs() < F16_UNDERFLOW;
    let subnormal = |value: f64| value != 0.0 && value.abs() < F16_NORMAL;
    if peak > 65_504.0 {
        found.push("in f16 the largest rates are infinite: f16 ends at 65504".to_owned());
    }
    if columns
        .iter()
        .any(|column| [column.least.1, column.first.1, column.last.1, column.greatest.1].into_iter().any(underflows))
    {
        let percent = share(&underflows);
        let from = first_at_most(program, peak_step(&columns), steps, F16_UNDERFLOW);
        let from = from.map_or_else(String::new, |step| format!(" from step {step} on"));
        found.push(format!(
            "in f16 the rate underflows to 0{from} ({percent:.1} % of the steps): write it as f32 or bf16"
        ));
    } else if share(&subnormal) >= 5.0 {
        let percent = share(&subnormal);
        found.push(format!(
            "in f16 {percent:.0} % of the steps have rates below 6.1e-5 and lose digits: write them as f32"
        ));
    }
}

fn peak_step(columns: &[Column]) -> u64 {
    let highest = columns.iter().max_by(|a, b| a.greatest.1.total_cmp(&b.greatest.1));
    highest.map_or(0, |column| column.greatest.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use lrgrid::spec::Spec;

    fn found(schedule: &str, steps: u64) -> Vec<String> {
        let spec = Spec::from_toml(&format!("schedule = {schedule}")).unwrap();
        let length = spec.schedule(0).unwrap().length();
        warnings(&spec.compile().unwrap(), 0, steps, length)
    }

    #[test]
    fn each_trap_has_its_warning() {
        let cosine = "{ kind = 'cosine', start = 1e-2, end = 1e-3, steps = 100 }";
        for (schedule, steps, expected) in [
            (
                format!("{{ kind = 'warmup', start = 1e-5, steps = 200, then = {cosine} }}"),
                300,
                "longer than the decay",
            ),
            (format!("{{ kind = 'warmup', start = 1e-5, steps = 200, then = {cosine} }}"), 200, "takes all 200 steps"),
            (cosine.to_owned(), 150, "before training does"),
            (cosine.to_owned(), 50, "cut off"),
            ("{ kind = 'cosine_restarts', max = 1, min = 0.1, period = 500 }".to_owned(), 400, "never happens"),
            (
                "{ kind = 'multi_step', start = 1, decay_rate = 0.1, milestones = [30, 600] }".to_owned(),
                400,
                "never happens",
            ),
            ("{ kind = 'linear', start = 1e-3, end = 1e-8, steps = 100 }".to_owned(), 101, "underflows to 0"),
            ("{ kind = 'constant', value = 3e-5 }".to_owned(), 100, "lose digits"),
            ("{ kind = 'linear', start = 1e-1, end = -1e-1, steps = 100 }".to_owned(), 100, "negative"),
            ("{ kind = 'linear', start = 0, end = 1e-1, steps = 100 }".to_owned(), 100, "changes nothing"),
            ("{ kind = 'constant', value = 1e6 }".to_owned(), 100, "infinite"),
        ] {
            let found = found(&schedule, steps);
            assert!(found.iter().any(|warning| warning.contains(expected)), "{schedule}: {found:?}");
        }
    }

    #[test]
    fn ordinary_schedules_have_none() {
        for schedule in [
            "{ kind = 'warmup', start = 1e-3, steps = 10, then = { kind = 'cosine', start = 1e-1, end = 1e-3, steps = 90 } }",
            "{ kind = 'wsd', peak = 1e-2, start = 1e-4, warmup_steps = 10, stable_steps = 70, decay_steps = 20, end = 1e-3 }",
            "{ kind = 'cosine_restarts', max = 1, min = 0.1, period = 10 }",
            "{ kind = 'constant', value = 0.1 }",
            "{ kind = 'multi_step', start = 1, decay_rate = 0.1, milestones = [30, 60] }",
        ] {
            assert_eq!(found(schedule, 100), Vec::<String>::new(), "{schedule}");
        }
    }
}
