//! `cpu/<curve>/<shape>` and `gpu/<curve>/<shape>`: values per second into a reused buffer, beside a plain fill of it
//! on as many threads.
//!
//! Every table is compared with the reference before it is timed.
#![expect(clippy::unwrap_used, reason = "a bench's set-up may fail as benches do")]

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use lrgrid::{Batch, Cpu, Evaluate, Spec, Steps};
use rayon::prelude::*;

/// Schedules × steps: long rows, and the many short ones of a sweep sampled coarsely.
const SHAPES: [(usize, u64, u64); 2] = [(1024, 65_536, 1), (65_536, 64, 1024)];

const HORIZON: u64 = 65_536;

fn schedules() -> Vec<(&'static str, String)> {
    let full = format!("start = \"$peak\", end = 1e-6, steps = {HORIZON}");
    vec![
        ("constant", "kind = \"constant\", value = \"$peak\"".to_owned()),
        ("linear", format!("kind = \"linear\", {full}")),
        ("cosine", format!("kind = \"cosine\", {full}")),
        ("polynomial", format!("kind = \"polynomial\", power = 1.7, {full}")),
        ("exponential", "kind = \"exponential\", start = \"$peak\", decay_rate = 0.9999".to_owned()),
        ("step", "kind = \"step\", start = \"$peak\", decay_rate = 0.5, step_size = 5000".to_owned()),
        (
            "warmup_cosine",
            "kind = \"warmup\", steps = 2000, then = { kind = \"cosine\", start = \"$peak\", end = 0, steps = 63536 }"
                .to_owned(),
        ),
        ("sgdr", "kind = \"cosine_restarts\", max = \"$peak\", min = 0, period = 1000".to_owned()),
    ]
}

fn compile(schedule: &str, count: usize) -> Batch {
    let spec = format!(
        "schedule = {{ {schedule} }}\n[sweep.parameters.peak]\nmin = 1e-4\nmax = 1e-2\ncount = {count}\ndistribution = \"log_uniform_values\""
    );
    Spec::from_toml(&spec).unwrap().compile().unwrap()
}

/// A few rows against the formulas: what is timed must be right.
fn check(batch: &Batch, steps: &Steps, table: &[f32]) {
    for row in [0, batch.len() / 2, batch.len() - 1] {
        for column in (0..steps.len()).step_by(997) {
            let want = batch.value(row, steps.get(column));
            let got = f64::from(table[row * steps.len() + column]);
            assert!((got - want).abs() <= want.abs() * 1.2e-7, "row {row}, column {column}: {got:e} for {want:e}");
        }
    }
}

fn bench(c: &mut Criterion, name: &str, engine: &impl Evaluate) {
    for (count, columns, stride) in SHAPES {
        let steps = Steps::range(0..columns * stride).stride_by(stride);
        let shape = format!("{count}x{columns}");
        let mut group = c.benchmark_group(name);
        group.throughput(Throughput::Elements(count as u64 * columns)).sample_size(10);
        group.warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
        let mut table = vec![0_f32; count * columns as usize];
        group.bench_function(BenchmarkId::new("fill", &shape), |b| {
            b.iter(|| table.par_chunks_mut(1 << 15).for_each(|part| part.fill(black_box(1e-3))));
        });
        for (schedule, text) in schedules() {
            let batch = compile(&text, count);
            engine.evaluate_into(&batch, &steps, &mut table).unwrap();
            check(&batch, &steps, &table);
            group.bench_function(BenchmarkId::new(schedule, &shape), |b| {
                b.iter(|| engine.evaluate_into(black_box(&batch), black_box(&steps), &mut table).unwrap());
            });
        }
        group.finish();
    }
}

fn cpu(c: &mut Criterion) {
    bench(c, "cpu", &Cpu::new().unwrap());
}

#[cfg(feature = "gpu")]
fn gpu(c: &mut Criterion) {
    match lrgrid::Gpu::new() {
        Ok(gpu) if !gpu.is_software() => bench(c, "gpu", &gpu),
        Ok(gpu) => eprintln!("gpu: {} is software and is not timed", gpu.adapter_name()),
        Err(error) => eprintln!("gpu: {error}"),
    }
}

#[cfg(not(feature = "gpu"))]
fn gpu(_: &mut Criterion) {}

criterion_group!(benches, cpu, gpu);
criterion_main!(benches);
