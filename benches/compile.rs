//! `lower/<schedule>`: programs lowered per second, over each kind's examples; `sweep/<axis>`: schedules compiled per
//! second, from a spec that has been read to a batch.
//!
//! Every program and batch is compared with the reference before it is timed.
#![expect(clippy::unwrap_used, reason = "a bench's set-up may fail as benches do")]

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use lrgrid::schedule::{KINDS, Schedule};
use lrgrid::{Batch, Spec};

/// Schedules of a sweep.
const POINTS: usize = 100_000;

/// What a value may be off, relative to the schedule's largest near it.
const TOLERANCE: f64 = 1e-15;

const STEPS: [u64; 6] = [0, 1, 50, 1999, 2000, 70_000];

fn close(got: f64, want: f64, largest: f64) -> bool {
    got == want || (got - want).abs() <= TOLERANCE * largest
}

fn check_lowered(schedule: &Schedule) {
    let program = schedule.lower().unwrap();
    let largest = STEPS.map(|step| schedule.value(step).abs()).into_iter().fold(0.0, f64::max);
    for step in STEPS {
        let (got, want) = (program.exact(step).high(), schedule.value(step));
        assert!(close(got, want, largest), "{schedule:?} at {step}: {got:e} for {want:e}");
    }
}

/// A few rows of the batch: what its programs say against the formulas.
fn check_batch(batch: &Batch, name: &str) {
    assert_eq!(batch.len(), POINTS, "{name}");
    for row in [0, 1, POINTS / 2 + 3, POINTS - 1] {
        let (program, wanted) = (batch.program(row), STEPS.map(|step| batch.value(row, step)));
        let largest = wanted.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
        for (step, want) in STEPS.into_iter().zip(wanted) {
            let got = program.exact(step).high();
            assert!(close(got, want, largest), "{name}, row {row} at {step}: {got:e} for {want:e}");
        }
    }
}

/// A spec with one or two swept parameters: the axis' name, the schedule and the parameters.
fn sweeps() -> Vec<(&'static str, Spec)> {
    let warmup_cosine = |warmup: &str, start: &str, end: &str, steps: &str| {
        format!(
            "kind = 'warmup', steps = {warmup}, then = {{ kind = 'cosine', start = {start}, end = {end}, steps = {steps} }}"
        )
    };
    let peaks = |count: usize| {
        format!("peak = {{ min = 1e-4, max = 1e-2, count = {count}, distribution = 'log_uniform_values' }}\n")
    };
    let (peak, end) = (peaks(POINTS), format!("end = {{ min = 1e-7, max = 1e-5, count = {POINTS} }}"));
    let both = format!("{}warmup_steps = {{ min = 1001, max = 1100 }}", peaks(POINTS / 100));
    let restarts = format!("{}period = {{ min = 1001, max = 1100 }}", peaks(POINTS / 100));
    let steps = format!("steps = {{ min = 3000, max = {} }}", 2999 + POINTS);
    let power = format!("power = {{ min = 0.5, max = 3.0, count = {POINTS} }}");
    let decay = "kind = 'polynomial', start = 1e-3, end = 1e-5, steps = 90_000, power = '$power'".to_owned();
    let cycles = "kind = 'cosine_restarts', max = '$peak', min = 1e-6, period = '$period'".to_owned();
    let list = [
        ("peak", warmup_cosine("2000", "'$peak'", "0", "98_000"), peak.as_str()),
        ("end", warmup_cosine("2000", "1e-3", "'$end'", "98_000"), &end),
        ("peak_warmup_steps", warmup_cosine("'$warmup_steps'", "'$peak'", "0", "98_000"), &both),
        ("steps", warmup_cosine("2000", "1e-3", "0", "'$steps'"), &steps),
        ("power", decay, &power),
        ("peak_period", cycles, &restarts),
    ];
    let read = |(name, schedule, parameters): (_, String, &str)| {
        (name, Spec::from_toml(&format!("schedule = {{ {schedule} }}\n[sweep.parameters]\n{parameters}")).unwrap())
    };
    list.into_iter().map(read).collect()
}

fn lower(c: &mut Criterion) {
    let mut group = c.benchmark_group("lower");
    group.warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_millis(500)).sample_size(20);
    for kind in KINDS {
        let schedules = (kind.examples)();
        schedules.iter().for_each(check_lowered);
        group.throughput(Throughput::Elements(schedules.len() as u64));
        group.bench_function(kind.name, |b| {
            b.iter(|| black_box(&schedules).iter().for_each(|schedule| drop(black_box(schedule.lower()))));
        });
    }
    group.finish();
}

fn sweep(c: &mut Criterion) {
    let mut group = c.benchmark_group("sweep");
    group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2)).sample_size(20);
    group.throughput(Throughput::Elements(POINTS as u64));
    for (name, spec) in sweeps() {
        check_batch(&spec.compile().unwrap(), name);
        group.bench_function(name, |b| b.iter(|| black_box(&spec).compile().unwrap()));
    }
    group.finish();
}

criterion_group!(benches, lower, sweep);
criterion_main!(benches);
