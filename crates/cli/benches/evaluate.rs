//! `cpu/<curve>/<shape>` and `gpu/<curve>/<shape>`: values per second into a reused buffer, beside a plain fill of it
//! on as many threads.
//!
//! Every table is compared with the reference before it is timed.
#![expect(clippy::unwrap_used, reason = "a bench's set-up may fail as benches do")]

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use lrgrid::{Backend, Cpu, Dtype, Evaluate};
use lrgrid_cli::bench::{CASES, Regime, worst_ulp};
use lrgrid_cli::check::bound;

fn bench(c: &mut Criterion, backend: Backend, engine: &impl Evaluate, cpu: &Cpu) {
    for regime in Regime::ALL {
        let (rows, steps) = (regime.rows(1), regime.steps());
        let shape = format!("{rows}x{}", steps.len());
        let mut group = c.benchmark_group(backend.name());
        group.throughput(Throughput::Elements((rows * steps.len()) as u64)).sample_size(10);
        group.warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
        let mut table = vec![0_f32; rows * steps.len()];
        group.bench_function(BenchmarkId::new("fill", &shape), |b| b.iter(|| cpu.fill(black_box(1e-3), &mut table)));
        for case in CASES {
            let batch = case.compile(rows).unwrap();
            engine.evaluate_into(&batch, &steps, &mut table).unwrap();
            worst_ulp(case.name, &batch, &steps, &table, bound(backend, Dtype::F32)).unwrap();
            group.bench_function(BenchmarkId::new(case.name, &shape), |b| {
                b.iter(|| engine.evaluate_into(black_box(&batch), black_box(&steps), &mut table).unwrap());
            });
        }
        group.finish();
    }
}

fn cpu(c: &mut Criterion) {
    let cpu = Cpu::new().unwrap();
    bench(c, Backend::Cpu, &cpu, &cpu);
}

#[cfg(feature = "gpu")]
fn gpu(c: &mut Criterion) {
    match lrgrid::Gpu::new() {
        Ok(gpu) if !gpu.is_software() => bench(c, Backend::Gpu, &gpu, &Cpu::new().unwrap()),
        Ok(gpu) => eprintln!("gpu: {} is software and is not timed", gpu.adapter_name()),
        Err(error) => eprintln!("gpu: {error}"),
    }
}

#[cfg(not(feature = "gpu"))]
fn gpu(_: &mut Criterion) {}

criterion_group!(benches, cpu, gpu);
criterion_main!(benches);
