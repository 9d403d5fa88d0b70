//! Statistics against the values they are of: at odd sizes, with ties, of both signs, on every backend.
#![expect(clippy::unwrap_used, reason = "a test's helpers may fail as tests do")]

use half::{bf16, f16};
use lrgrid::double_double::DoubleDouble;
use lrgrid::schedule::KINDS;
use lrgrid::statistics::{Statistics, Summarize};
use lrgrid::survey::survey;
use lrgrid::{Backend, Batch, Cpu, Element, Engine, Error, Evaluate, Reference, Spec, Steps};

/// How far a sum may be off, relative to the sum of the magnitudes.
const BOUND: f64 = 1e-9;

/// What a row of values comes to, one after another in double-double arithmetic.
fn expected(values: &[f64], steps: &Steps, above: f64) -> (Statistics, f64) {
    let add = |sum: DoubleDouble, value: DoubleDouble| sum + value;
    let exact = || values.iter().map(|&value| DoubleDouble::from(value));
    let sum = exact().fold(DoubleDouble::from(0.0), add);
    let squares = exact().map(|value| value * value).fold(DoubleDouble::from(0.0), add);
    let first = |better: fn(f64, f64) -> bool| {
        let place = (1..values.len()).fold(0, |best, i| if better(values[i], values[best]) { i } else { best });
        lrgrid::statistics::Extreme { value: values[place], step: steps.get(place) }
    };
    let statistics = Statistics {
        count: values.len() as u64,
        sum: sum.high(),
        sum_of_squares: squares.high(),
        min: first(|a, b| a < b),
        max: first(|a, b| a > b),
        last: values[values.len() - 1],
        above: values.iter().filter(|value| **value > above).count() as u64,
    };
    (statistics, values.iter().map(|value| value.abs()).sum())
}

#[track_caller]
fn same(got: &Statistics, want: &(Statistics, f64), what: &str) {
    let (want, magnitude) = want;
    // Sums that cancel are judged by what they are made of; the others by themselves.
    assert!((got.sum - want.sum).abs() <= BOUND * magnitude, "{what}: {got:?} for {want:?}");
    let off = (got.sum_of_squares - want.sum_of_squares).abs();
    assert!(off <= BOUND * want.sum_of_squares || off < 1e-300, "{what}: {got:?} for {want:?}");
    let rest = |one: &Statistics| (one.count, one.min, one.max, one.last, one.above);
    assert_eq!(rest(got), rest(want), "{what}");
    assert!((got.mean() - want.sum / want.count as f64).abs() <= BOUND * magnitude / want.count as f64, "{what}");
}

fn against_table<T: Element>(
    backend: &(impl Evaluate + Summarize),
    batch: &Batch,
    steps: &Steps,
    above: f64,
    what: &str,
) {
    let table: Vec<T> = backend.evaluate(batch, steps).unwrap();
    let got = backend.statistics::<T>(batch, 0..batch.len(), steps, Some(above)).unwrap();
    assert_eq!(got.len(), batch.len());
    for (row, (got, values)) in got.iter().zip(table.chunks_exact(steps.len())).enumerate() {
        let values: Vec<f64> = values.iter().map(|value| value.to_f64()).collect();
        same(got, &expected(&values, steps, above), &format!("{what}, row {row}, {} steps", steps.len()));
    }
}

/// A sweep with stairs, plateaus, zeros, and values of both signs that cancel.
fn batch() -> Batch {
    let spec = Spec::from_toml(
        r#"
        schedule = { kind = "sum", terms = [
          { kind = "cyclic", base = "$low", max = "$high", step_size_up = 700 },
          { kind = "step", start = "$low", decay_rate = 0.5, step_size = 3000 },
        ] }
        sweep.parameters = { low = { values = [-1e-3, 0, 1e-7] }, high = { values = [1e-3, 0.3] } }
        "#,
    );
    spec.unwrap().compile().unwrap()
}

fn sizes() -> [Steps; 9] {
    [
        Steps::range(0..1),
        Steps::range(0..7),
        Steps::range(3..260),
        Steps::range(0..4095),
        Steps::range(1..4098),
        Steps::range(0..16_385),
        Steps::range(5..70_001),
        Steps::range(0..9_000_000).stride_by(997),
        Steps::list([9000, 3, 3, 0, 12_345, 700, 1 << 52]),
    ]
}

#[test]
fn the_cpus_statistics_are_those_of_its_table() {
    let (cpu, batch) = (Cpu::new().unwrap(), batch());
    for steps in sizes() {
        for above in [0.0, 2e-4] {
            against_table::<f64>(&cpu, &batch, &steps, above, "f64");
            against_table::<f32>(&cpu, &batch, &steps, above, "f32");
            against_table::<f16>(&cpu, &batch, &steps, above, "f16");
            against_table::<bf16>(&cpu, &batch, &steps, above, "bf16");
        }
    }
}

#[test]
fn every_schedules_sums_are_the_formulas_to_1e_9() {
    let cpu = Cpu::new().unwrap();
    for kind in KINDS {
        for schedule in (kind.examples)() {
            let batch = Spec::from(schedule.clone()).compile().unwrap();
            let end = batch.last_step().map_or(20_011, |last| last.saturating_add(1).min(20_011));
            let steps = Steps::range(0..end);
            let values: Vec<f64> = Reference.evaluate(&batch, &steps).unwrap();
            let (want, magnitude) = expected(&values, &steps, f64::INFINITY);
            for got in [
                cpu.statistics::<f64>(&batch, 0..1, &steps, None).unwrap()[0],
                Engine::new(Backend::Auto, None).unwrap().statistics::<f64>(&batch, 0..1, &steps, None).unwrap()[0],
            ] {
                assert!((got.sum - want.sum).abs() <= BOUND * magnitude, "{schedule:?}: {got:?} for {want:?}");
                let off = (got.sum_of_squares - want.sum_of_squares).abs();
                assert!(off <= BOUND * want.sum_of_squares, "{schedule:?}: {got:?} for {want:?}");
                assert!((got.max.value - want.max.value).abs() <= 1e-15 * want.max.value.abs(), "{schedule:?}");
            }
        }
    }
}

#[test]
fn threads_and_slices_change_no_bit() {
    let (batch, steps) = (batch(), Steps::range(0..100_003));
    let whole = Cpu::new().unwrap().statistics::<f64>(&batch, 0..6, &steps, Some(1e-4)).unwrap();
    let alone = Cpu::with_threads(1).unwrap();
    for row in 0..6 {
        assert_eq!(alone.statistics::<f64>(&batch, row..row + 1, &steps, Some(1e-4)).unwrap(), whole[row..=row]);
    }
    for level in lrgrid::cpu::Level::available() {
        let cpu = Cpu::new().unwrap().with_level(level);
        assert_eq!(cpu.statistics::<f64>(&batch, 0..6, &steps, Some(1e-4)).unwrap(), whole, "{level:?}");
    }
    assert!(Cpu::new().unwrap().statistics::<f32>(&batch, 2..2, &steps, None).unwrap().is_empty());
}

#[test]
fn long_rows_cost_no_digits() {
    // 0.1 a hundred thousand times and more: naive addition in f64 is off by 1e-12, and in f32 by 1e-3.
    let spec = Spec::from_toml("schedule = { kind = 'constant', value = 0.1 }").unwrap();
    let batch = spec.compile().unwrap();
    let steps = Steps::range(0..10_000_019);
    let got = Cpu::new().unwrap().statistics::<f64>(&batch, 0..1, &steps, None).unwrap()[0];
    assert!((got.sum / 1_000_001.9 - 1.0).abs() < 1e-15, "{got:?}");
    let got = Cpu::new().unwrap().statistics::<f32>(&batch, 0..1, &steps, None).unwrap()[0];
    assert!((got.sum / (10_000_019.0 * f64::from(0.1_f32)) - 1.0).abs() < 1e-15, "{got:?}");
}

#[test]
fn what_cannot_be_summed_up_is_refused() {
    let (cpu, batch) = (Cpu::new().unwrap(), batch());
    let refused = |rows, steps: Steps, above| match cpu.statistics::<f64>(&batch, rows, &steps, above) {
        Ok(rows) => panic!("{rows:?}"),
        Err(error) => error.to_string(),
    };
    assert!(refused(0..1, Steps::range(4..4), None).contains("no steps"));
    assert!(refused(0..7, Steps::range(0..4), None).contains("rows 0..7"));
    assert!(refused(0..1, Steps::range(0..4), Some(f64::NAN)).contains("threshold"));
    assert!(refused(0..1, Steps::list([u64::MAX]), None).contains("largest"));
}

#[test]
fn a_survey_is_the_statistics_of_every_schedule_with_its_momentum() {
    let spec = Spec::from_toml(
        r#"
        schedule = { kind = "linear", start = "$peak", end = 0, steps = 100 }
        momentum = { kind = "scale", by = -2, of = { kind = "constant", value = "$peak" } }
        sweep = { method = "random", count = 70_000, seed = 3, parameters.peak = { min = 0.1, max = 0.2 } }
        "#,
    );
    let (spec, steps) = (spec.unwrap(), Steps::range(0..5));
    let cpu = Cpu::new().unwrap();
    let (batch, mut next) = (spec.compile().unwrap(), 3);
    let whole = cpu.statistics::<f64>(&batch, 0..spec.len(), &steps, None).unwrap();
    survey::<f64, Error>(&spec, &cpu, 3..69_999, &steps, None, |row| {
        assert_eq!((row.schedule, row.rate), (next, whole[next]));
        assert_eq!(row.momentum.unwrap().max.value, -2.0 * spec.point(next)[0]);
        next += 1;
        Ok(())
    })
    .unwrap();
    assert_eq!(next, 69_999);
}

#[cfg(feature = "gpu")]
mod gpu {
    use lrgrid::Gpu;
    use lrgrid::gpu::Tuning;

    use super::*;

    /// The adapter, or nothing where there is none and none is required.
    fn gpu() -> Option<Gpu> {
        match Gpu::new() {
            Ok(gpu) => Some(gpu),
            Err(error) => {
                let required = std::env::var_os("LRGRID_REQUIRE_GPU").is_some_and(|value| value == "1");
                assert!(!required, "LRGRID_REQUIRE_GPU=1, but {error}");
                eprintln!("skipped: {error}");
                None
            }
        }
    }

    #[test]
    fn the_devices_statistics_are_those_of_its_table() {
        let Some(gpu) = gpu() else { return };
        let batch = batch();
        for steps in sizes() {
            for above in [0.0, 2e-4] {
                against_table::<f32>(&gpu, &batch, &steps, above, "f32");
                against_table::<f16>(&gpu, &batch, &steps, above, "f16");
                against_table::<bf16>(&gpu, &batch, &steps, above, "bf16");
            }
        }
    }

    #[test]
    fn every_schedule_and_size_of_value_is_summed_up() {
        let Some(gpu) = gpu() else { return };
        let values = ["1e-42", "-3e-39", "1e-20", "6e-8", "-1.5", "65504", "3e38"];
        let pieces: Vec<String> =
            values.iter().map(|value| format!("{{ kind = 'constant', value = {value} }}")).collect();
        let text = format!(
            "schedule = {{ kind = 'sequence', boundaries = [1, 2, 5, 300, 310, 4000], pieces = [{}] }}",
            pieces.join(", ")
        );
        let batch = Spec::from_toml(&text).unwrap().compile().unwrap();
        // Up to the end of each piece, so that each is the largest once.
        for end in [1, 2, 5, 300, 310, 4000, 5000] {
            against_table::<f32>(&gpu, &batch, &Steps::range(0..end), -1.0, "f32");
            against_table::<bf16>(&gpu, &batch, &Steps::range(0..end), -1.0, "bf16");
            if end < 5000 {
                against_table::<f16>(&gpu, &batch, &Steps::range(0..end), -1.0, "f16");
            }
        }
        // Beyond the range of the type.
        let got = gpu.statistics::<f16>(&batch, 0..1, &Steps::range(0..5000), Some(1e9)).unwrap()[0];
        assert_eq!((got.sum, got.sum_of_squares), (f64::INFINITY, f64::INFINITY));
        assert_eq!((got.max.value, got.max.step, got.above), (f64::INFINITY, 4000, 1000));
        for kind in KINDS {
            let schedule = (kind.examples)().swap_remove(0);
            let batch = Spec::from(schedule).compile().unwrap();
            let end = batch.last_step().map_or(1003, |last| last.saturating_add(1).min(1003));
            against_table::<f32>(&gpu, &batch, &Steps::range(0..end), 1e-3, kind.name);
        }
    }

    #[test]
    fn tiles_change_no_statistic() {
        let Some(gpu) = gpu() else { return };
        let (batch, steps) = (batch(), Steps::range(0..30_000));
        let whole = gpu.statistics::<f32>(&batch, 0..6, &steps, Some(1e-4)).unwrap();
        let small = gpu.with_tuning(Tuning { tile_bytes: 40_000, ..Tuning::default() });
        for (row, (got, want)) in
            small.statistics::<f32>(&batch, 0..6, &steps, Some(1e-4)).unwrap().iter().zip(&whole).enumerate()
        {
            let rest = |one: &Statistics| (one.count, one.min, one.max, one.last, one.above);
            assert_eq!(rest(got), rest(want), "row {row}");
            assert!((got.sum - want.sum).abs() <= BOUND * want.sum_of_squares.sqrt() * 200.0, "row {row}");
        }
        assert_eq!(small.statistics::<f32>(&batch, 4..5, &steps, Some(1e-4)).unwrap().len(), 1);
        assert!(small.statistics::<f64>(&batch, 0..1, &steps, None).unwrap_err().to_string().contains("f64"));
    }
}
