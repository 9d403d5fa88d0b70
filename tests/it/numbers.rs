//! Numbers near the limits of counting and of `f64`, held to arithmetic in big integers and rationals.

#![expect(clippy::unwrap_used, reason = "a test's helpers may fail as tests do")]

use half::f16;
use lrgrid::double_double::DoubleDouble;
use lrgrid::program::MAX_STEP;
use lrgrid::schedule::{Clock, Cycle, CycleMode, Delay, Linear, Product, Restarts, Schedule, Sequence};
use lrgrid::ulp::{spacing_exponent, ulps};
use lrgrid::{Batch, Cpu, Dtype, Element, Evaluate, Reference, Spec, Steps};
use num_rational::BigRational;
use proptest::prelude::*;

fn rational(number: f64) -> BigRational {
    BigRational::from_float(number).unwrap()
}

fn whole(number: u64) -> BigRational {
    BigRational::from_integer(number.into())
}

/// The value at a time, for the schedules whose values are rational; the published formula by the letter.
fn exact(schedule: &Schedule, time: &BigRational) -> BigRational {
    match schedule {
        Schedule::Linear(line) => {
            let t = (time / whole(line.steps)).min(whole(1));
            rational(line.start) + (rational(line.end) - rational(line.start)) * t
        }
        Schedule::Clock(clock) => {
            let shown = (rational(clock.multiplier) * time + rational(clock.ahead)) / rational(clock.divisor);
            exact(&clock.of, &shown.max(whole(0)))
        }
        Schedule::Restarts(restarts) => {
            let (multiplier, decay) = (rational(restarts.multiplier), rational(restarts.decay));
            let (mut start, mut growth, mut height) = (whole(0), whole(1), whole(1));
            if multiplier == whole(1) {
                let period = whole(restarts.of.length().unwrap());
                let cycle = (time / &period).floor();
                let power = cycle.to_integer().try_into().unwrap_or(u32::MAX).min(4000);
                return exact(&restarts.of, &(time - cycle * period)) * decay.pow(power as i32);
            }
            loop {
                let end = &start + &growth * whole(restarts.of.length().unwrap());
                if *time < end {
                    return exact(&restarts.of, &((time - start) / growth)) * height;
                }
                (start, growth, height) = (end, growth * &multiplier, height * &decay);
            }
        }
        Schedule::Cycle(cycle) => {
            let period = whole(cycle.of.length().unwrap());
            let way = (time / &period).floor();
            let within = time - &way * &period;
            let back = cycle.mode == CycleMode::Reflect && (&way / whole(2)).fract() != whole(0);
            exact(&cycle.of, &if back { period - within } else { within })
        }
        Schedule::Delay(delay) => exact(&delay.of, &(time - whole(delay.steps)).max(whole(0))),
        Schedule::Sequence(sequence) => {
            let starts = sequence.boundaries.clone().unwrap();
            let index = starts.iter().filter(|&&start| *time >= whole(start)).count();
            let start = if index == 0 { whole(0) } else { whole(starts[index - 1]) };
            exact(&sequence.pieces[index], &(time - start))
        }
        Schedule::Product(product) => {
            product.factors.iter().fold(whole(1), |value, factor| value * exact(factor, time))
        }
        other => panic!("a `{}` is not rational", other.kind()),
    }
}

/// A line to or from 0, which does not cancel.
fn line() -> impl Strategy<Value = Schedule> {
    let steps = prop_oneof![1_u64..40, 1_u64..1 << 20, 1_u64..1 << 53];
    (steps, any::<bool>(), 1e-6..2.0).prop_map(|(steps, rises, height)| {
        let (start, end) = if rises { (0.0, height) } else { (height, 0.0) };
        Linear { start, end, steps }.into()
    })
}

fn speed() -> impl Strategy<Value = f64> {
    prop_oneof![
        Just(1.0),
        Just(1.5),
        Just(0.7),
        Just(4096.0),
        Just(1e-10),
        Just(1.1),
        1e-12..1e12,
        0.1..10.0,
        (1_u32..1000).prop_map(f64::from),
    ]
}

fn clock(of: Schedule) -> impl Strategy<Value = Schedule> {
    let ahead = prop_oneof![Just(0.0), Just(0.5), -100.0..100.0, -1e15..1e15];
    (speed(), ahead, speed()).prop_map(move |(multiplier, ahead, divisor)| {
        Clock { multiplier, ahead, divisor, of: Box::new(of.clone()) }.into()
    })
}

fn schedules() -> impl Strategy<Value = Schedule> {
    let repeated = line().prop_flat_map(|of| {
        let multiplier = prop_oneof![Just(1.0), Just(2.0), Just(1.5), Just(3.0), Just(1e10), 1.5..4.0];
        let restarts = {
            let of = of.clone();
            (multiplier, prop_oneof![Just(1.0), Just(0.5), Just(0.75)])
                .prop_map(move |(multiplier, decay)| Restarts { of: Box::new(of.clone()), multiplier, decay }.into())
        };
        let cycle = prop_oneof![Just(CycleMode::Restart), Just(CycleMode::Reflect)]
            .prop_map(move |mode| Cycle { of: Box::new(of.clone()), mode }.into());
        prop_oneof![restarts, cycle]
    });
    let inner: BoxedStrategy<Schedule> = prop_oneof![line(), repeated].boxed();
    let joined = prop_oneof![
        inner.clone(),
        (inner.clone(), 0_u64..1 << 40).prop_map(|(of, steps)| Delay { steps, of: Box::new(of) }.into()),
        (inner.clone(), line(), 1_u64..1 << 30).prop_map(|(a, b, at)| Sequence {
            pieces: vec![a, b],
            boundaries: Some(vec![at])
        }
        .into()),
        (inner, line()).prop_map(|(a, b)| Product { factors: vec![a, b] }.into()),
    ];
    joined.prop_flat_map(|of| prop_oneof![Just(of.clone()), clock(of)])
}

/// How far a value is off, in units in the last place of the exact one.
fn off(got: f64, exact: &BigRational) -> BigRational {
    let unit = rational(f64::from(spacing_exponent(Dtype::F64, got)).exp2());
    let difference = rational(got) - exact;
    (if difference < whole(0) { -difference } else { difference }) / unit
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn rational_schedules_are_exact_or_refused(schedule in schedules(), random in prop::collection::vec(any::<u64>(), 8)) {
        prop_assume!(schedule.validate().is_ok());
        // What lowering refuses has an error that says why; nothing is computed otherwise than the formula.
        let Ok(program) = schedule.lower() else { return Ok(()) };
        let mut steps = program.marks(schedule.length().filter(|&length| length <= MAX_STEP));
        steps.extend(random.iter().map(|random| random >> (11 + random % 40)));
        let spec = Spec::from(schedule.clone());
        let batch = spec.compile().unwrap();
        let list = Steps::list(steps.iter().copied());
        let [cpu, reference] = [Cpu::new().unwrap().evaluate::<f64>(&batch, &list), Reference.evaluate(&batch, &list)];
        for ((cpu, reference), step) in cpu.unwrap().into_iter().zip(reference.unwrap()).zip(steps) {
            let want = exact(&schedule, &whole(step));
            let bound = rational(0.500_001);
            prop_assert!(off(reference, &want) <= bound, "the reference has {reference:e} at {step} of {schedule:?}");
            prop_assert!(off(cpu, &want) <= whole(1), "the CPU has {cpu:e} at {step} of {schedule:?}");
        }
    }
}

fn spec(name: &str) -> Result<Spec, lrgrid::Error> {
    let path = format!("{}/tests/cases/numbers/{name}.json", env!("CARGO_MANIFEST_DIR"));
    Spec::from_json(&std::fs::read_to_string(path).unwrap())
}

/// The CPU's values in f32 and f64 at some steps, asked for in a list, one by one, and as the first of many.
fn values(name: &str, steps: &[u64]) -> Vec<f64> {
    let batch = spec(name).unwrap().compile().unwrap();
    let cpu = Cpu::new().unwrap();
    let list = Steps::list(steps.iter().copied());
    let values: Vec<f64> = cpu.evaluate(&batch, &list).unwrap();
    let singles: Vec<f32> = cpu.evaluate(&batch, &list).unwrap();
    for ((&value, &single), &step) in values.iter().zip(&singles).zip(steps) {
        let exact = DoubleDouble::from(batch.value(0, step));
        assert!(ulps(single, exact) <= 0.500_001, "{single:e} for {value:e} at {step} of {name}");
        let long = Steps::range(step..(step + 3000).min(MAX_STEP + 1));
        let many: Vec<f32> = cpu.evaluate(&batch, &long).unwrap();
        assert_eq!(many[0].to_bits(), single.to_bits(), "{step} of {name}, alone and before others");
        let half: Vec<f16> = cpu.evaluate(&batch, &Steps::list([step])).unwrap();
        assert!(ulps(half[0], exact) <= 0.500_001, "{step} of {name} in f16");
    }
    values
}

#[test]
fn long_lengths_and_slow_clocks_are_exact() {
    assert_eq!(values("clock_overflow", &[0, 1, 99])[0], 3e-4);
    assert_eq!(values("clock_slow", &[0])[0], 1e-3);
    let restarts = values("restarts_huge_multiplier", &[0, 8, 80_000_000_008]);
    // The second cycle begins at 0.07, the third at 0.049.
    assert_eq!(restarts, [0.1, 0.1 * 0.7, 0.1 * 0.7 * 0.7].map(|value: f64| value), "{restarts:?}");
}

#[test]
fn cycles_that_grow_go_on_as_far_as_a_clock_does() {
    let steps = [0, 4_194_303_999_756, 4_400_000_000_000_000, MAX_STEP];
    let values = values("clock_over_growing_restarts", &steps);
    for (value, step) in values.into_iter().zip(steps) {
        // max 1, min 0.1, cycles of 10^6·2^i ticks, 4096 ticks a step.
        let tick = u128::from(step) * 4096;
        let cycle = (tick / 1_000_000 + 1).ilog2();
        let (start, length) = (((1_u128 << cycle) - 1) * 1_000_000, 1_000_000_u128 << cycle);
        let t = (tick - start) as f64 / length as f64;
        let want = 0.1 + 0.45 * (1.0 + (std::f64::consts::PI * t).cos());
        assert!((value / want - 1.0).abs() < 1e-12, "{value} for {want} at step {step}");
    }
}

#[test]
fn curves_end_where_their_formula_does() {
    // step, value
    let ends: [(&str, &[(u64, f64)]); 3] = [
        ("bent_clock", &[(0, 1.0), (1006, 0.04), (1_000_000, 0.04)]),
        ("bent_restart", &[(0, 0.0), (1063, 3e-5), (2126, 3e-5)]),
        ("wsd_clock", &[(0, 0.0), (67, 1e-3), (400, 1e-3), (601, 0.0)]),
    ];
    for (name, wanted) in ends {
        let steps: Vec<u64> = wanted.iter().flat_map(|&(step, _)| [step.saturating_sub(1), step, step + 1]).collect();
        let got = values(name, &steps);
        for (place, &(step, want)) in wanted.iter().enumerate() {
            assert_eq!(got[3 * place + 1], want, "step {step} of {name}");
        }
    }
}

#[test]
fn zero_times_anything_is_zero() {
    for name in ["zero_times_growth", "zero_times_growth_slices"] {
        assert_eq!(values(name, &[0, 1023, 1024, 1_000_000, MAX_STEP - 1]), [0.0; 5], "{name}");
    }
}

#[test]
fn products_leave_the_range_of_f64_and_come_back() {
    let text = "[schedule]\nkind = 'product'\n\
        [[schedule.factors]]\nkind = 'exponential'\nstart = 3.0\ndecay_rate = 2.0\n\
        [[schedule.factors]]\nkind = 'exponential'\nstart = 0.25\ndecay_rate = 0.5";
    let batch = Spec::from_toml(text).unwrap().compile().unwrap();
    for steps in [Steps::list([0, 1, 5000, MAX_STEP]), Steps::range(4000..4600), Steps::range(1020..1030)] {
        let values: Vec<f64> = Cpu::new().unwrap().evaluate(&batch, &steps).unwrap();
        assert_eq!(values, vec![0.75; steps.len()]);
    }
}

#[test]
fn growth_from_a_tiny_value_reaches_infinity() {
    // 2^1000 times the start is still within the range of f32; the value itself is far beyond it.
    let text = "schedule = { kind = 'restarts', decay = 2.0, of = { kind = 'clock', multiplier = 7.0, of = \
        { kind = 'k_decay', start = 1e-280, end = 0, steps = 1, k = 1 } } }";
    let batch = Spec::from_toml(text).unwrap().compile().unwrap();
    for steps in [Steps::list([16_777_215, MAX_STEP]), Steps::range(16_777_215..16_777_222), Steps::range(9000..19_000)]
    {
        let singles: Vec<f32> = Cpu::new().unwrap().evaluate(&batch, &steps).unwrap();
        let doubles: Vec<f64> = Cpu::new().unwrap().evaluate(&batch, &steps).unwrap();
        assert!(singles.iter().all(|&value| value == f32::INFINITY), "{singles:?}");
        assert!(doubles.iter().all(|&value| value == f64::INFINITY), "{doubles:?}");
    }
}

#[test]
fn zeros_that_are_underflow_keep_their_sign_and_are_no_zeros() {
    let texts = [
        // Far below the least f64, with its sign.
        (
            "schedule = { kind = 'exponential', start = -1e-45, decay_rate = 0.5, decay_steps = 14 }",
            9_007_199_254_740_903,
        ),
        // Within its subnormal numbers.
        ("schedule = { kind = 'tanh', start = 1.0, end = 0.0, steps = 1, lower = 360.0, upper = 400.0 }", 0),
        ("schedule = { kind = 'tanh', start = 1.0, end = 0.0, steps = 9000, lower = 360.0, upper = 372.0 }", 40),
    ];
    for (text, first) in texts {
        let program = Spec::from_toml(text).unwrap().compile().unwrap().program(0);
        // Seventeen rows of one timing are evaluated together.
        let batch = Batch::from_programs(std::iter::repeat_n(&program, 17)).unwrap();
        let (range, cpu) = (Steps::range(first..first + 89), Cpu::new().unwrap());
        let list = Steps::list(range.iter());
        let alone = Batch::from_programs([&program]).unwrap();
        let singles: [Vec<f32>; 3] =
            [cpu.evaluate(&batch, &range), cpu.evaluate(&batch, &list), cpu.evaluate(&alone, &range)]
                .map(Result::unwrap);
        let doubles: [Vec<f64>; 3] =
            [cpu.evaluate(&batch, &range), cpu.evaluate(&batch, &list), cpu.evaluate(&alone, &range)]
                .map(Result::unwrap);
        for column in 0..89 {
            let step = first + column as u64;
            let bits = singles.each_ref().map(|values| values[column].to_bits());
            assert_eq!(bits, [f32::from_exact(program.exact(step)).to_bits(); 3], "step {step} of {text}");
            let values = doubles.each_ref().map(|values| values[column]);
            assert_eq!(values, [values[0]; 3], "step {step} of {text}");
            assert!(ulps(values[0], program.exact(step)) <= 1.0, "step {step} of {text}");
        }
    }
}

#[test]
fn what_is_out_of_range_is_refused_with_the_range() {
    for (name, parts) in [
        ("multiplier_1e308", ["`schedule.multiplier`", "at most 2^53"]),
        ("subnormal_ratio", ["`schedule.ratio`", "at least 1e-290"]),
    ] {
        let error = spec(name).and_then(|spec| spec.compile()).unwrap_err().to_string();
        assert!(parts.iter().all(|part| error.contains(part)), "{error}");
    }
    for (schedule, parts) in [
        ("kind = 'linear', start = 1e-300, end = 0, steps = 9", vec!["1e-300", "1e-290"]),
        ("kind = 'constant', value = -5e-324", vec!["`schedule`", "-5e-324", "1e-290"]),
        ("kind = 'k_decay', start = 1e-41, end = 1, steps = 9, k = 1", vec!["`schedule`", "2^90"]),
        ("kind = 'cyclic', base = -3e39, max = 1, step_size_up = 9", vec!["`schedule`", "2^90"]),
        ("kind = 'normalized_exponential', start = 2e-289, end = 0, steps = 9, ratio = 1e-50", vec!["`schedule`"]),
        (
            "kind = 'clock', multiplier = 0.7, of = { kind = 'inverse_power', start = 1, timescale = 6.5, power = 3e7 }",
            vec!["steep", "clock"],
        ),
        (
            "kind = 'clock', multiplier = 1e-31, of = { kind = 'linear', start = 1, end = 0, steps = 9 }",
            vec!["`schedule.multiplier`", "from 1e-30 to 2^53"],
        ),
        (
            "kind = 'scale', by = 2, of = { kind = 'clock', divisor = 1e-30, multiplier = 1e15, of = \
             { kind = 'linear', start = 1, end = 0, steps = 9 } }",
            vec!["`schedule.of`", "2^100"],
        ),
        (
            "kind = 'clock', divisor = 9e15, of = { kind = 'polynomial', start = 1, end = 0, steps = 9000000000000, power = 2 }",
            vec!["`schedule.of`", "2^62"],
        ),
    ] {
        let spec = Spec::from_toml(&format!("schedule = {{ {schedule} }}\nsteps = 9"));
        let error = spec.and_then(|spec| spec.compile()).unwrap_err().to_string();
        assert!(parts.iter().all(|part| error.contains(part)), "{error}");
    }
}
