//! `fit` finds every schedule of the catalogue again from its table.
#![expect(clippy::unwrap_used, reason = "a test's helpers may fail as tests do")]

use std::fmt::Write as _;

use lrgrid::schedule::{KINDS, Schedule};
use lrgrid::{Batch, Cpu, Evaluate, Spec, Steps};
use lrgrid_reports::fit::{Sureness, fit};
use lrgrid_reports::logged::{Logged, Selection};

/// Rows of a table.
const ROWS: u64 = 1200;

/// The steps that a log of the schedule would have: all of it and a little more, at even distances.
fn steps(schedule: &Schedule) -> Vec<u64> {
    let last = schedule.last_step();
    let length = schedule.length().filter(|&length| length > 0).unwrap_or(ROWS - 1);
    let end = (length + length / 20 + 2).max(40).min(last.map_or(u64::MAX, |last| last + 1)).min(1 << 53);
    let stride = end.div_ceil(ROWS).max(1);
    (0..end).step_by(stride as usize).collect()
}

/// The table as `lrgrid eval` writes it, in `f32`; a value beyond the range of the type is no rate that anyone logs.
fn table(schedule: &Schedule, steps: &[u64]) -> (String, Vec<f64>) {
    let batch = Spec::from(schedule.clone()).compile().unwrap();
    let values: Vec<f32> = Cpu::new().unwrap().evaluate(&batch, &Steps::list(steps)).unwrap();
    let mut text = "schedule,step,lr\n".to_owned();
    for (step, value) in steps.iter().zip(&values).filter(|(_, value)| value.is_finite()) {
        writeln!(text, "0,{step},{value}").unwrap();
    }
    (text, steps.iter().map(|&step| batch.value(0, step)).collect())
}

/// Every schedule of the catalogue, every example: the same curve within 1e-6 at every row.
#[test]
fn every_kind_is_found_again() {
    let (mut traces, mut all) = (Vec::new(), 0);
    for kind in KINDS {
        for (index, schedule) in (kind.examples)().into_iter().enumerate() {
            let steps = steps(&schedule);
            let (text, exact) = table(&schedule, &steps);
            let logged = Logged::from_csv(&text, &Selection::default()).unwrap();
            let begun = std::time::Instant::now();
            let found = fit(&logged).unwrap();
            let took = begun.elapsed();
            // What is printed is what counts: the spec is read back.
            let spec = Spec::from_toml(&found.spec(*steps.last().unwrap())).unwrap();
            let again = spec.compile().unwrap();
            let peak = exact.iter().fold(0.0_f64, |peak, value| peak.max(value.abs()));
            for (&step, &value) in steps.iter().zip(&exact).filter(|(_, value)| value.abs() <= f64::from(f32::MAX)) {
                let got = again.value(0, step);
                // Below 1e-37 an f32 has fewer digits, and at 0 there is nothing to be a share of.
                let allowed = 1e-6 * value.abs() + 1e-15 * peak + 1e-44;
                assert!((got - value).abs() <= allowed, "{schedule:?} at {step}: {got:e} for {value:e}\n{found:?}");
            }
            println!("{} {index}: {:?} {:?} {} rows {took:.1?}", kind.name, found.sureness, found.shapes, steps.len());
            all += 1;
            if found.sureness == Sureness::Trace {
                traces.push(format!("{} {index}", kind.name));
            }
        }
    }
    println!("{} of {all} are traces: {traces:?}", traces.len());
    // Products and sums of several moves have no shape of their own; everything else is found as a formula.
    assert!(traces.len() * 3 <= all, "{traces:?}");
}

/// The formula goes on where the log stopped and lies between its rows.
#[test]
fn between_the_rows_it_is_the_same_curve_too() {
    let text = "schedule = { kind = 'warmup', steps = 2000, then = { kind = 'cosine', start = 3e-4, end = 3e-5, steps = 98_000 } }";
    let spec = Spec::from_toml(text).unwrap();
    let schedule = spec.schedule(0).unwrap();
    let (log, _) = table(&schedule, &(0..80_000).step_by(50).collect::<Vec<_>>());
    let found = fit(&Logged::from_csv(&log, &Selection::default()).unwrap()).unwrap();
    let (wanted, again) = (spec.compile().unwrap(), Batch::from_programs([&found.program().unwrap()]).unwrap());
    for step in (0..110_000).step_by(7) {
        let (got, want) = (again.value(0, step), wanted.value(0, step));
        assert!((got - want).abs() <= 1e-5 * want.abs(), "{step}: {got:e} for {want:e}: {found:?}");
    }
    assert_eq!(found.schedule.kind(), "warmup");
}

/// Logs cut to four digits: the schedule is found, and the report says how sure it is.
#[test]
fn rounded_logs_say_how_sure_they_are() {
    let mut log = "step,learning_rate\n".to_owned();
    for step in (10..=1000).step_by(10) {
        let value = if step < 100 { 5e-5 * f64::from(step) / 100.0 } else { 5e-5 * f64::from(1000 - step) / 900.0 };
        writeln!(log, "{step},{value:.3e}").unwrap();
    }
    let found = fit(&Logged::from_csv(&log, &Selection::default()).unwrap()).unwrap();
    assert!(found.worst_in_rounding <= 1.1 && found.sureness != Sureness::Trace, "{found:?}");
    assert!((found.program().unwrap().value(550) / 2.5e-5 - 1.0).abs() < 2e-3, "{found:?}");
}
