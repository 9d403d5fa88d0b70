//! What holds for every schedule, whatever its parameters.
#![expect(clippy::unwrap_used, reason = "a test's helpers may fail as tests do")]

use lrgrid::schedule::{
    Cosine, CosinePower, CosinePowerForm, Exponential, KDecay, KDecayForm, Linear, Logistic, Polynomial, Rex, Schedule,
    Sequence, Tanh, Warmup, WarmupShape, Wsd,
};
use lrgrid::{Batch, Cpu, Evaluate, Spec, Steps};
use proptest::prelude::*;

/// Decays between two values that never leave the range between them.
fn decay() -> impl Strategy<Value = (Schedule, f64, f64)> {
    let ends = (-12.0..0.0_f64, -12.0..0.0_f64).prop_map(|(a, b)| (10f64.powf(a), 10f64.powf(b)));
    (ends, 1_u64..5000, 0.2..4.0_f64, 0..9_u8).prop_map(|((start, end), steps, power, which)| {
        let form = CosinePowerForm::Normalized;
        let schedule = match which {
            0 => Linear { start, end, steps }.into(),
            1 => Cosine { start, end, steps }.into(),
            2 => Polynomial { start, end, steps, power }.into(),
            3 => CosinePower { start, end, steps, power, form }.into(),
            4 => CosinePower { start, end, steps, power: 1.0 + power, form: CosinePowerForm::Exponential }.into(),
            5 => Rex { start, end, steps }.into(),
            6 => KDecay { start, end, steps, k: power, form: KDecayForm::Cosine, power: 1.0 }.into(),
            7 => Tanh { start, end, steps, lower: -power - 1.0, upper: power }.into(),
            _ => Logistic { start, end, steps, steepness: 3.0 * power, midpoint: 0.5 }.into(),
        };
        (schedule, start, end)
    })
}

fn warmed_up() -> impl Strategy<Value = Schedule> {
    (decay(), 0_u64..300, any::<bool>(), 0..3_u8).prop_map(|((then, start, _), steps, overlay, which)| {
        let then = Box::new(then);
        match which {
            0 => Warmup { steps, start: 0.0, shape: WarmupShape::Linear, then, overlay }.into(),
            1 => Warmup { steps, start: start * 0.01, shape: WarmupShape::Cosine, then, overlay }.into(),
            _ => Sequence {
                pieces: vec![
                    *then,
                    Exponential { start, decay_rate: 0.99, decay_steps: 1 + steps, staircase: overlay }.into(),
                ],
                boundaries: Some(vec![steps + 1]),
            }
            .into(),
        }
    })
}

fn compile(schedules: &[Schedule]) -> Vec<Batch> {
    schedules.iter().map(|schedule| Spec::from(schedule.clone()).compile().unwrap()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn decays_stay_between_their_ends_and_never_turn((schedule, start, end) in decay()) {
        let batch = Spec::from(schedule).compile().unwrap();
        let table: Vec<f64> = Cpu::new().unwrap().evaluate(&batch, &Steps::range(0..6000)).unwrap();
        // Parameters have 64 bits: a rise bent by an exponential starts that far from its lower end.
        let slack = start.max(end) * 2f64.powi(-60);
        let (low, high) = (start.min(end) - slack, start.max(end) + slack);
        let outside = table.iter().find(|value| !(low..=high).contains(value));
        prop_assert_eq!(outside, None);
        let turns = |pair: &[f64]| if start >= end { pair[1] > pair[0] + slack } else { pair[1] < pair[0] - slack };
        prop_assert!(!table.windows(2).any(turns), "turns");
    }

    #[test]
    fn a_slice_of_the_steps_is_that_slice_of_the_table(
        schedule in warmed_up(), from in 0_usize..4000, length in 1_usize..3000, stride in 1_u64..9,
    ) {
        let batch = Spec::from(schedule).compile().unwrap();
        let cpu = Cpu::new().unwrap();
        let whole: Vec<f32> = cpu.evaluate(&batch, &Steps::range(0..7000)).unwrap();
        let steps = Steps::range(from as u64..(from + length) as u64).stride_by(stride);
        let part: Vec<f32> = cpu.evaluate(&batch, &steps).unwrap();
        let want: Vec<f32> = steps.iter().map(|step| whole[step as usize]).collect();
        prop_assert_eq!(part, want);
    }

    #[test]
    fn a_batch_is_its_schedules_one_by_one(schedules in prop::collection::vec(warmed_up(), 1..12)) {
        let cpu = Cpu::new().unwrap();
        let singles = compile(&schedules);
        let programs: Vec<_> = singles.iter().map(|batch| batch.program(0)).collect();
        let batch = Batch::from_programs(&programs).unwrap();
        let steps = Steps::range(0..500);
        let together: Vec<f32> = cpu.evaluate(&batch, &steps).unwrap();
        let apart: Vec<f32> = singles.iter().flat_map(|single| cpu.evaluate::<f32>(single, &steps).unwrap()).collect();
        prop_assert_eq!(together, apart);
    }

    #[test]
    fn a_spec_survives_its_own_text(schedule in warmed_up()) {
        let text = serde_json::json!({ "schedule": schedule }).to_string();
        let read = Spec::from_json(&text).unwrap().schedule(0).unwrap();
        prop_assert_eq!(read, schedule);
    }

    #[test]
    fn warmups_rise_to_their_body_without_a_jump(warmup in 1_u64..1000, steps in 1_u64..1000, peak in 1e-9..1.0_f64) {
        let wsd = Wsd {
            peak, warmup_steps: warmup, stable_steps: 0, decay_steps: steps, start: 0.0, end: 0.0, shape: Default::default(),
        };
        let schedule = Schedule::from(wsd);
        prop_assert_eq!(schedule.value(0), 0.0);
        prop_assert_eq!(schedule.value(warmup), peak);
        prop_assert_eq!(schedule.value(warmup + steps), 0.0);
    }
}
