//! The GPU backend on a real adapter, against the lowered form's own evaluator.
//!
//! Without an adapter these tests print why and pass; with `LRGRID_REQUIRE_GPU=1` they fail instead.
#![cfg(feature = "gpu")]
#![expect(clippy::unwrap_used, reason = "a test's helpers may fail as tests do")]

mod bounds;

use lrgrid_testkit::cases;
use std::sync::{Arc, LazyLock};

use lrgrid::curve::Curve;
use lrgrid::element::{Dtype, Element};
use lrgrid::error::{Error, EvaluateError, GpuError};
use lrgrid::gpu::shader::{Way, entry_point};
use lrgrid::gpu::{Clock, Timing, Tuning};
use lrgrid::program::{MAX_STEP, Program, Repetition, Segment, Stage, Track};
use lrgrid::ulp::ulps;
use lrgrid::{Batch, Evaluate, Gpu, Steps};
use lrgrid_testkit::{of_segments, of_stage};

use lrgrid_testkit::Random;

/// The adapter, once for all tests; `None` where there is none and none is required.
fn gpu() -> Option<Arc<Gpu>> {
    static GPU: LazyLock<Option<Arc<Gpu>>> = LazyLock::new(|| match Gpu::new() {
        Ok(gpu) => {
            println!("testing {}", gpu.device());
            Some(Arc::new(gpu))
        }
        Err(error) if std::env::var_os("LRGRID_REQUIRE_GPU").is_some_and(|value| value == "1") => {
            panic!("LRGRID_REQUIRE_GPU=1, but {error}")
        }
        Err(error) => {
            eprintln!("skipped: {error}");
            None
        }
    });
    GPU.clone()
}

#[test]
fn the_values_of_a_row_do_not_depend_on_other_rows_or_tiles() {
    let Some(gpu) = gpu() else { return };
    let cases = cases::all(&mut Random::fixed());
    let programs: Vec<&Program> = cases.iter().step_by(29).map(|case| &case.program).collect();
    let steps = Steps::range(3..6000);
    let together: Vec<f32> = gpu.evaluate(&Batch::from_programs(programs.iter().copied()).unwrap(), &steps).unwrap();
    let small = Gpu::new().unwrap().with_tuning(Tuning { tile_bytes: 9000, ..Tuning::default() });
    for (program, row) in programs.iter().zip(together.chunks_exact(steps.len())) {
        let alone: Vec<f32> = small.evaluate(&Batch::from_programs([*program]).unwrap(), &steps).unwrap();
        assert!(same_bits(row, &alone));
    }
}

#[test]
fn changed_batches_are_sent_again() {
    let Some(gpu) = gpu() else { return };
    for value in [1.0, 2.0, 2.0, 3.0] {
        let batch = Batch::from_programs([&Program::hold(value)]).unwrap();
        for batch in [batch.clone(), batch] {
            assert_eq!(gpu.evaluate::<f32>(&batch, &Steps::range(0..2)).unwrap(), [value as f32; 2]);
        }
    }
}

#[test]
fn times_are_positive_and_of_right_values() {
    let Some(gpu) = gpu() else { return };
    let program = of_segments(vec![Segment::falling(0, 9000, 3e-4, 0.0, Curve::Cosine)]);
    let batch = Batch::from_programs(vec![&program; 7]).unwrap();
    let steps = Steps::range(0..10_000);
    let positive = |timing: Timing| assert!(timing.seconds > 0.0 && timing.seconds.is_finite(), "{timing:?}");
    for dtype in [Dtype::F32, Dtype::F16, Dtype::Bf16] {
        // It compares what the kernel has left with the program.
        positive(gpu.time_kernel(&batch, &steps, dtype, 2).unwrap());
    }
    positive(gpu.time_kernel(&batch, &Steps::list([0, 5, 3]), Dtype::F32, 1).unwrap());
    for bytes in [1, 16, 1 << 20, 1_000_003] {
        positive(gpu.time_store_only(bytes, 2).unwrap());
        let timing = gpu.time_readback(bytes, 2).unwrap();
        positive(timing);
        assert_eq!(timing.clock, Clock::Wall);
    }
    assert!(matches!(
        gpu.time_kernel(&batch, &steps, Dtype::F64, 1),
        Err(Error::Evaluate(EvaluateError::Dtype { dtype: "f64", .. }))
    ));
    assert!(gpu.time_kernel(&Batch::default(), &steps, Dtype::F32, 1).is_err(), "nothing takes no time");
}

#[test]
fn ends_are_exact() {
    let Some(gpu) = gpu() else { return };
    for curve in cases::curves().into_iter().filter(cases::spans_zero_to_one) {
        for (from, to) in [(0.0, 3e-4), (1e-5, 0.1), (0.3, 1e-6), (1e-3, 0.0)] {
            for length in [1, 3, 49, 1000, 65_537, 999_983, (1 << 40) + 7, MAX_STEP - 1] {
                let program = of_segments(vec![Segment::transition(0, length, from, to, curve)]);
                let batch = Batch::from_programs([&program]).unwrap();
                let ends: Vec<f32> = gpu.evaluate(&batch, &Steps::list([0, length, length + 1])).unwrap();
                assert_eq!(ends, [from as f32, to as f32, to as f32], "{curve:?} over {length}");
            }
        }
    }
}

/// A bent phase is steepest at one of its ends, where 64 bits of it do not tell how near that is.
#[test]
fn steep_ends_of_the_longest_bent_curves_are_within_their_bound() {
    let Some(gpu) = gpu() else { return };
    for warp in [0.02, 0.1, 0.5, 3.0] {
        let exponent = 2.0;
        for curve in [Curve::Power { exponent, warp }, Curve::CosinePower { exponent, warp }] {
            for length in [MAX_STEP - 1, 7_000_000_000_000_001, (1 << 40) + 7, 1000] {
                for segment in [
                    Segment::transition(0, length, 0.0, 1.0, curve),
                    Segment { lead: 1 << 62, length: length - 1, ..Segment::transition(0, length, 0.0, 1.0, curve) },
                ] {
                    let program = of_segments(vec![segment]);
                    let batch = Batch::from_programs([&program]).unwrap();
                    let steps: Vec<u64> = (0..9).chain((2..9).map(|near| length - near)).collect();
                    let values: Vec<f32> = gpu.evaluate(&batch, &Steps::list(steps.iter().copied())).unwrap();
                    for (value, step) in values.into_iter().zip(steps) {
                        let off = ulps(value, program.exact(step));
                        assert!(off <= 0.6, "{value:e} is {off} ULP off at step {step} of {segment:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn tiles_and_lists_do_not_change_a_bit() {
    let Some(_) = gpu() else { return };
    let mut random = Random::fixed();
    let cases = cases::all(&mut random);
    let batch = Batch::from_programs(cases.iter().map(|case| &case.program)).unwrap();
    // Blocks are cut by columns, so only what is computed value by value is the same in every tile and list.
    let values = Tuning { blocks_from: usize::MAX, ..Tuning::default() };
    let whole = Gpu::new().unwrap().with_tuning(values);
    let ranges = [Steps::range(0..1003), Steps::range(5..MAX_STEP).stride_by(MAX_STEP / 77)];
    for steps in ranges {
        let want: Vec<f32> = whole.evaluate(&batch, &steps).unwrap();
        let listed: Vec<f32> = whole.evaluate(&batch, &Steps::list(steps.iter())).unwrap();
        assert!(same_bits(&want, &listed), "a list differs from a range");
        for tile_bytes in [16, 4096, 8208, 100_000] {
            // The smallest tiles take a dispatch per thread: a few rows must do.
            let rows = if tile_bytes < 1000 { 3..5 } else { 0..batch.len() };
            let small = Gpu::new().unwrap().with_tuning(Tuning { tile_bytes, ..values });
            let range = rows.start * steps.len()..rows.end * steps.len();
            for steps in [steps.clone(), Steps::list(steps.iter())] {
                let mut got = vec![f32::NAN; range.len()];
                small.evaluate_rows_into(&batch, rows.clone(), &steps, &mut got).unwrap();
                assert!(same_bits(&want[range.clone()], &got), "tiles of {tile_bytes} bytes differ");
            }
        }
    }
}

#[test]
fn specialised_pipelines_and_sliced_tables_do_not_change_a_bit() {
    let Some(gpu) = gpu() else { return };
    let cases = cases::all(&mut Random::fixed());
    let special = Gpu::new().unwrap().with_tuning(Tuning { specialize_from: 0, ..Tuning::default() });
    let sliced = Gpu::new().unwrap().with_tuning(Tuning { table_bytes: 1 << 16, ..Tuning::default() });
    for curve in cases::curves() {
        let programs = cases.iter().filter(|case| case.curve == curve).map(|case| &case.program);
        let plain = programs.clone().filter(|program| program.segments().count() == 1);
        let steps = Steps::list((0..40).map(|i| i * i * 7).chain([1 << 33]));
        for batch in [Batch::from_programs(programs).unwrap(), Batch::from_programs(plain).unwrap()] {
            let want: Vec<f32> = gpu.evaluate(&batch, &steps).unwrap();
            assert!(same_bits(&want, &special.evaluate(&batch, &steps).unwrap()), "{curve:?} specialised");
            assert!(same_bits(&want, &sliced.evaluate(&batch, &steps).unwrap()), "{curve:?} sliced");
        }
    }
}

/// Constants are the nearest value of the type, so the rounding itself is seen: ties, subnormals, overflow.
fn constants_are_the_nearest<T: Element>() {
    let Some(gpu) = gpu() else { return };
    let mut random = Random::fixed();
    let mut values: Vec<f64> =
        vec![0.0, 1.0, f64::MAX, f64::MIN_POSITIVE, 5e-324, 65_504.0, 65_519.9, 65_520.0, 3.4e38, 3.4028236e38];
    for _ in 0..3000 {
        let scale = 2f64.powi(random.below(300) as i32 - 155);
        // All of a mantissa's bits, and few, which lie on ties.
        values.push((1.0 + random.unit()) * scale);
        values.push((4096 + random.below(4096)) as f64 * scale);
        values.push((1 + random.below(64)) as f64 * 2f64.powi(-28));
        let tie = (1 + random.below(64)) as f64 * 2f64.powi(-150);
        values.extend([tie, tie.next_up(), tie.next_down()]);
    }
    let negative: Vec<f64> = values.iter().map(|value| -value).collect();
    values.extend(negative);
    let programs: Vec<Program> = values.iter().map(|&value| Program::hold(value)).collect();
    let got: Vec<T> = gpu.evaluate(&Batch::from_programs(&programs).unwrap(), &Steps::range(3..4)).unwrap();
    for (got, value) in got.into_iter().zip(values) {
        assert_eq!(got, T::from_f64(value), "{value:e}");
    }
}

#[test]
fn constants_are_the_nearest_of_every_type() {
    constants_are_the_nearest::<f32>();
    constants_are_the_nearest::<half::f16>();
    constants_are_the_nearest::<half::bf16>();
}

#[test]
fn integers_divide_exactly() {
    let Some(gpu) = gpu() else { return };
    let mut random = Random::fixed();
    let count = |quantum, repetition| {
        // The phase itself: how often the quantum went into the folded step.
        let segment =
            Segment { length: u64::MAX, quantum, rate: 1.0.into(), ..Segment::rising(0, 1, 0.0, 1.0, Curve::Linear) };
        Program::new(vec![Stage::of(Track { repetition, ..Track::of(vec![segment]) })]).unwrap()
    };
    for _ in 0..60 {
        let divisor = 1 + random.log_uniform(1.0, 2f64.powi(52)) as u64;
        let whole = count(None, Repetition::None).with_quantum(divisor).unwrap();
        let programs = [
            count(Some(divisor), Repetition::None),
            count(None, Repetition::Restart { period: divisor }),
            count(None, Repetition::Reflect { period: divisor }),
            whole,
        ];
        let batch = Batch::from_programs(&programs).unwrap();
        let mut steps: Vec<u64> = (0..40).map(|_| random.log_uniform(1.0, MAX_STEP as f64) as u64).collect();
        steps.extend((0..6).flat_map(|n| [n * divisor, n * divisor + 1, (n * divisor).saturating_sub(1)]));
        steps.retain(|&step| step <= MAX_STEP);
        let got: Vec<f32> = gpu.evaluate(&batch, &Steps::list(steps.iter().copied())).unwrap();
        for (row, program) in got.chunks_exact(steps.len()).zip(&programs) {
            for (&got, &step) in row.iter().zip(&steps) {
                assert_eq!(got, program.value(step) as f32, "step {step} by {divisor}");
            }
        }
    }
}

#[test]
fn sums_and_products_are_nearly_the_nearest() {
    let Some(gpu) = gpu() else { return };
    let mut random = Random::fixed();
    let mut number = || {
        let sign = if random.below(2) == 0 { 1.0 } else { -1.0 };
        sign * random.log_uniform(1e-3, 1e3) * 2f64.powi(random.below(60) as i32 / 20 * 20)
    };
    let programs: Vec<Program> = (0..3000)
        .map(|_| {
            let track = Track::of(vec![Segment { amplitude: number().into(), ..Segment::hold(0, number()) }]);
            of_stage(Stage { scale: number().into(), offset: number().into(), ..Stage::of(track) })
        })
        .collect();
    let got: Vec<f32> = gpu.evaluate(&Batch::from_programs(&programs).unwrap(), &Steps::range(0..1)).unwrap();
    for (got, program) in got.into_iter().zip(&programs) {
        let off = ulps(got, program.exact(0));
        assert!(off <= 0.5001, "{off} ULP: {got:e} for {:e}", program.value(0));
    }
}

#[test]
fn half_width_rows_of_odd_length_have_no_gaps() {
    let Some(gpu) = gpu() else { return };
    let programs: Vec<Program> = (1..40).map(|i| Program::hold(f64::from(i))).collect();
    let batch = Batch::from_programs(&programs).unwrap();
    for columns in [1, 2, 7, 8, 9, 15, 17] {
        let table: Vec<half::f16> = gpu.evaluate(&batch, &Steps::range(0..columns)).unwrap();
        for (row, i) in table.chunks_exact(columns as usize).zip(1..) {
            assert!(row.iter().all(|value| value.to_f32() == i as f32), "row {i} of {columns}");
        }
    }
}

fn same_bits(a: &[f32], b: &[f32]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits())
}

#[test]
fn what_cannot_be_done_is_an_error() {
    let Some(gpu) = gpu() else { return };
    let batch = Batch::from_programs([&Program::hold(1.0)]).unwrap();
    let steps = Steps::range(0..4);
    let refused = gpu.evaluate::<f64>(&batch, &steps).unwrap_err();
    assert!(matches!(refused, Error::Evaluate(EvaluateError::Dtype { backend: "gpu", dtype: "f64", .. })));
    let mut short = [0.0_f32; 3];
    let refused = gpu.evaluate_into(&batch, &steps, &mut short).unwrap_err();
    assert!(matches!(refused, Error::Evaluate(EvaluateError::OutputLength { .. })));
    let none: Vec<f32> = gpu.evaluate(&batch, &Steps::range(0..0)).unwrap();
    assert!(none.is_empty());
    assert!(gpu.evaluate::<f32>(&Batch::default(), &steps).unwrap().is_empty());
}

#[test]
fn adapters_are_listed_and_found_by_name_and_place() {
    let Some(gpu) = gpu() else { return };
    let devices = lrgrid::gpu::devices();
    assert!(devices.contains(gpu.device()));
    let place = devices.iter().position(|device| device == gpu.device()).unwrap();
    let again = Gpu::with_adapter(&place.to_string()).unwrap();
    assert_eq!(again.device(), gpu.device());
    let by_name = Gpu::with_adapter(&gpu.adapter_name().to_uppercase()).unwrap();
    assert_eq!(by_name.adapter_name(), gpu.adapter_name());
    let error = Gpu::with_adapter("no such card").unwrap_err();
    assert!(matches!(error, GpuError::NoAdapter { .. }));
    assert!(error.to_string().contains(gpu.adapter_name()), "{error}");
}

#[test]
fn several_threads_may_share_an_adapter() {
    let Some(gpu) = gpu() else { return };
    let batch = Batch::from_programs([&Program::hold(0.5), &Program::hold(0.25)]).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let table: Vec<f32> = gpu.evaluate(&batch, &Steps::range(0..1000)).unwrap();
                assert!(table[..1000].iter().all(|&v| v == 0.5) && table[1000..].iter().all(|&v| v == 0.25));
            });
        }
    });
}

#[test]
fn the_element_types_are_all_but_f64() {
    for dtype in Dtype::ALL {
        for way in [Way::Blocks, Way::Values] {
            assert_eq!(entry_point(dtype, way).is_none(), dtype == Dtype::F64);
        }
    }
}
