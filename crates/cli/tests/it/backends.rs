//! Rungs 3 and 5 of the ladder: every schedule on every backend against its published formula.
#![expect(clippy::unwrap_used, reason = "a test's helpers may fail as tests do")]

use half::{bf16, f16};
use lrgrid::double_double::DoubleDouble;
use lrgrid::schedule::{KINDS, Schedule, Time};
use lrgrid::ulp::{spacing_exponent, ulps};
use lrgrid::{Backend, Batch, Cpu, Element, Evaluate, Reference, Spec, Steps};
use lrgrid_cli::check::bound;
use lrgrid_testkit::steps;
use steps::telling_steps;

/// How far a backend may be from the exact value, in ULP of the result.
#[derive(Clone, Copy)]
struct Bound {
    ulps: f64,
    /// In ULP of the schedule's largest value, where terms of opposite sign meet.
    of_largest: f64,
}

/// The bounds of the CPU engine, as `lrgrid check` has them.
fn cpu_bound<T: Element>() -> Bound {
    Bound { ulps: bound(Backend::Cpu, T::DTYPE), of_largest: 0.0 }
}

fn compile(schedule: &Schedule) -> Batch {
    Spec::from(schedule.clone()).compile().unwrap_or_else(|error| panic!("{schedule:?}: {error}"))
}

/// Compares one backend on one schedule; returns the worst distance seen.
fn compare<T: Element>(engine: &impl Evaluate, schedule: &Schedule, steps: &[u64], bound: Bound) -> f64 {
    let got: Vec<T> = engine.evaluate(&compile(schedule), &Steps::list(steps.iter().copied())).unwrap();
    let exact: Vec<DoubleDouble> = steps.iter().map(|&step| schedule.exact(Time::step(step))).collect();
    let finite = exact.iter().map(|value| value.high().abs()).filter(|value| value.is_finite());
    let largest = finite.fold(0.0, f64::max);
    let unit_of_largest = 2f64.powi(spacing_exponent(T::DTYPE, largest));
    let mut worst = 0.0_f64;
    for ((&step, &got), &exact) in steps.iter().zip(&got).zip(&exact) {
        let distance = ulps(got, exact);
        let absolute = (DoubleDouble::from(got.to_f64()) - exact).high().abs();
        assert!(
            distance <= bound.ulps || absolute <= bound.of_largest * unit_of_largest,
            "{schedule:?} at {step}: {got:?} for {:e}, {distance} ULP of {:?}",
            exact.high(),
            T::DTYPE
        );
        if absolute > bound.of_largest * unit_of_largest {
            worst = worst.max(distance);
        }
    }
    worst
}

#[test]
fn long_sums_in_f64_are_those_of_the_formulas() {
    let spec = Spec::from_toml(
        r#"schedule = { kind = "sum", terms = [
          { kind = "cyclic", base = -1e-3, max = 1e-3, step_size_up = 700 },
          { kind = "cosine", start = -2e-3, end = 1e-4, steps = 15_000 },
        ] }"#,
    );
    let (batch, steps) = (spec.unwrap().compile().unwrap(), Steps::range(0..20_000));
    let got: Vec<f64> = Cpu::new().unwrap().evaluate(&batch, &steps).unwrap();
    let want: Vec<f64> = Reference.evaluate(&batch, &steps).unwrap();
    for (step, (got, want)) in got.iter().zip(&want).enumerate() {
        // Where the terms cancel, their size counts.
        assert!((got - want).abs() <= f64::EPSILON * want.abs() + 1e-18, "{got:e} for {want:e} at {step}");
    }
}

#[test]
fn the_cpu_rounds_every_schedule_correctly() {
    let cpu = Cpu::new().unwrap();
    let mut worst = [0.0_f64; 4];
    for kind in KINDS {
        for schedule in (kind.examples)() {
            let steps = telling_steps(&schedule);
            let seen = [
                compare::<f32>(&cpu, &schedule, &steps, cpu_bound::<f32>()),
                compare::<f16>(&cpu, &schedule, &steps, cpu_bound::<f16>()),
                compare::<bf16>(&cpu, &schedule, &steps, cpu_bound::<bf16>()),
                compare::<f64>(&cpu, &schedule, &steps, cpu_bound::<f64>()),
            ];
            worst = std::array::from_fn(|index| worst[index].max(seen[index]));
        }
    }
    println!("worst ULP: f32 {}, f16 {}, bf16 {}, f64 {}", worst[0], worst[1], worst[2], worst[3]);
}

/// Dense tables go through the block kernel, which lists of steps do not.
#[test]
fn dense_cpu_tables_round_every_schedule_correctly() {
    let cpu = Cpu::new().unwrap();
    for kind in KINDS {
        for schedule in (kind.examples)() {
            let batch = compile(&schedule);
            let end = |steps: u64| schedule.last_step().map_or(steps, |last| steps.min(last + 1));
            for steps in [Steps::range(0..end(3000)), Steps::range(0..end(900_000)).stride_by(467)] {
                let (got, want) =
                    (cpu.evaluate::<f32>(&batch, &steps).unwrap(), Reference.evaluate::<f32>(&batch, &steps).unwrap());
                let largest = want.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
                for ((step, got), want) in steps.iter().zip(got).zip(want) {
                    // Sums that cancel to nothing keep the 64 bits of what was added up.
                    let cancelled = f64::from(got - want).abs() <= f64::from(largest) * 2f64.powi(-60);
                    assert!(got == want || cancelled, "{schedule:?} at {step}: {got:e} for {want:e}");
                }
            }
        }
    }
}

#[cfg(feature = "gpu")]
#[test]
fn the_gpu_is_within_two_ulp_on_every_schedule() {
    let gpu = match lrgrid::Gpu::new() {
        Ok(gpu) => gpu,
        Err(error) => {
            assert!(std::env::var_os("LRGRID_REQUIRE_GPU").is_none_or(|value| value != "1"), "{error}");
            eprintln!("skipped: {error}");
            return;
        }
    };
    // 64-bit parameters and 32-bit polynomials leave 0.55; only sums that cancel need the second bound.
    let bound = |ulps| Bound { ulps, of_largest: 1.0 / 256.0 };
    let mut worst = [0.0_f64; 3];
    for kind in KINDS {
        for schedule in (kind.examples)() {
            let steps = telling_steps(&schedule);
            let seen = [
                compare::<f32>(&gpu, &schedule, &steps, bound(0.55)),
                compare::<f16>(&gpu, &schedule, &steps, bound(0.51)),
                compare::<bf16>(&gpu, &schedule, &steps, bound(0.51)),
            ];
            worst = std::array::from_fn(|index| worst[index].max(seen[index]));
        }
    }
    println!("worst ULP: f32 {}, f16 {}, bf16 {}", worst[0], worst[1], worst[2]);
}

#[test]
fn the_reference_is_its_schedules_formula() {
    for kind in KINDS {
        let schedule = (kind.examples)().swap_remove(0);
        let batch = compile(&schedule);
        let table: Vec<f64> = Reference.evaluate(&batch, &Steps::range(0..50)).unwrap();
        for (step, value) in (0..).zip(table) {
            assert_eq!(
                (value, batch.value(0, step)),
                (schedule.value(step), schedule.value(step)),
                "{schedule:?} at {step}"
            );
        }
    }
}
