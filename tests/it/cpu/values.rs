//! Values against the definition.

use half::{bf16, f16};
use lrgrid::cpu::Level;
use lrgrid::curve::Curve;
use lrgrid::program::{MAX_STEP, Program, Segment};
use lrgrid::{Batch, Cpu, Evaluate, Steps};
use lrgrid_testkit::of_segments;
use rayon::prelude::*;

use super::exhaustive;
use super::oracle::{Tested, rounded};
use super::programs::{Case, cases};
use super::short::pool;
use lrgrid_testkit::Random;

fn row<T: lrgrid::Element>(batch: &Batch, schedule: usize, steps: &Steps) -> Vec<T> {
    let mut out = vec![T::zeroed(); steps.len()];
    let cpu = Cpu::new().unwrap();
    cpu.evaluate_rows_into(batch, schedule..schedule + 1, steps, &mut out).unwrap();
    out
}

/// The program as the engine sees it, whose `exact` is the definition.
fn packed(case: &Case) -> (Batch, Program) {
    let batch = Batch::from_programs([&case.program]).unwrap();
    let program = batch.program(0);
    (batch, program)
}

fn compare<T: Tested>(name: &str, exact: &[(u64, lrgrid::double_double::DoubleDouble)], got: &[T]) {
    assert_eq!(exact.len(), got.len());
    for ((step, exact), got) in exact.iter().zip(got) {
        let want = rounded::<T>(*exact);
        assert_eq!(got.bits(), want.bits(), "{name} at step {step}: {got} for {exact:?}, as {}", T::DTYPE.name());
    }
}

/// Compares the columns `picked` of a row over `steps` with the definition, in every type.
fn check_picked(name: &str, batch: &Batch, program: &Program, steps: &Steps, picked: &[usize]) {
    let exact: Vec<_> = picked.iter().map(|&column| (steps.get(column), program.exact(steps.get(column)))).collect();
    fn pick<T: Copy>(row: &[T], picked: &[usize]) -> Vec<T> {
        picked.iter().map(|&column| row[column]).collect()
    }
    compare::<f32>(name, &exact, &pick(&row(batch, 0, steps), picked));
    compare::<f16>(name, &exact, &pick(&row(batch, 0, steps), picked));
    compare::<bf16>(name, &exact, &pick(&row(batch, 0, steps), picked));
}

#[test]
fn boundaries_are_correctly_rounded() {
    cases().par_iter().for_each(|case| {
        let (batch, program) = packed(case);
        let mut steps = vec![0, 1, 2, (1 << 24) - 1, 1 << 24, (1 << 24) + 1, MAX_STEP - 1, MAX_STEP];
        for boundary in &case.boundaries {
            steps.extend([boundary.saturating_sub(1), *boundary, boundary + 1]);
        }
        for around in &steps {
            // In the middle of a run, so that the value comes from a block where there are blocks.
            let start = around.saturating_sub(100);
            let run = Steps::range(start..(around + 100).min(MAX_STEP + 1));
            let at = (around - start) as usize;
            check_picked(&case.name, &batch, &program, &run, &[at]);
        }
        let list = Steps::list(steps.iter().copied());
        check_picked(&case.name, &batch, &program, &list, &(0..steps.len()).collect::<Vec<_>>());
        let got: Vec<f64> = row(&batch, 0, &list);
        for (step, got) in steps.iter().zip(got) {
            assert_eq!(got.to_bits(), program.exact(*step).high().to_bits(), "{} at {step} as f64", case.name);
            assert!(!got.is_nan(), "{} at {step} is not a number", case.name);
        }
    });
}

#[test]
fn random_columns_of_long_runs_are_correctly_rounded() {
    let seed = Random::fresh().below(1 << 62);
    let (runs, picks) = if exhaustive() { (60, 4000) } else { (6, 150) };
    cases().par_iter().enumerate().for_each(|(index, case)| {
        let (batch, program) = packed(case);
        let mut random = Random::of(seed + index as u64);
        for run in 0..runs {
            let anchor = match case.boundaries.len() {
                0 => 0,
                anchors => case.boundaries[random.below(anchors as u64) as usize],
            };
            let start = if run == 0 { 0 } else { anchor.saturating_sub(random.below(30_000)) };
            let stride = [1, 1, 1, 2, 7, 30, 37, 64, 500, 1 << 33][random.below(10) as usize];
            let columns: u64 = 1 + random.below(50_000);
            let end = start.saturating_add(columns.saturating_mul(stride)).min(MAX_STEP + 1);
            let steps = Steps::range(start..end).stride_by(stride);
            let mut picked: Vec<usize> = (0..picks).map(|_| random.below(steps.len() as u64) as usize).collect();
            picked.extend([0, steps.len() - 1]);
            check_picked(&case.name, &batch, &program, &steps, &picked);
        }
    });
}

#[test]
fn whole_rows_are_correctly_rounded() {
    let exact_rows = [
        "cosine, falling to 0",
        "power 1.7, to a floor",
        "linear, through zero",
        "product of four",
        "f16 subnormal, power",
    ];
    cases().par_iter().filter(|case| exhaustive() || exact_rows.contains(&case.name.as_str())).for_each(|case| {
        let (batch, program) = packed(case);
        let steps = Steps::range(0..31_000);
        check_picked(&case.name, &batch, &program, &steps, &(0..31_000).collect::<Vec<_>>());
    });
}

#[test]
fn sums_that_change_much_within_a_piece_are_correctly_rounded() {
    let pool: Vec<_> = pool().into_iter().filter(|(name, ..)| name.starts_with("a sum of")).collect();
    assert!(!pool.is_empty());
    // The last two were wrong by an f16 before their middle's rounding was counted for what it is.
    let numbers: Vec<usize> = (0..if exhaustive() { 2000 } else { 60 }).chain([1006, 1810]).collect();
    pool.par_iter().for_each(|(name, program, _)| {
        for &n in &numbers {
            let scale = [1.0, 0.37, -2.0, 1e-4][n % 4] * (1.0 + n as f64 / 64.0);
            let program = program.clone().affine(scale, [0.0, 1e-3, -0.2][n % 3]);
            let batch = Batch::from_programs([&program]).unwrap();
            let program = batch.program(0);
            let exact: Vec<_> = (0..128).map(|step| (step, program.exact(step))).collect();
            for level in Level::available() {
                let mut out = vec![f16::ZERO; 679];
                Cpu::new().unwrap().with_level(level).evaluate_into(&batch, &Steps::range(0..679), &mut out).unwrap();
                compare(&format!("{name}, number {n}, at {level:?}"), &exact, &out[..128]);
            }
        }
    });
}

#[test]
fn the_smallest_normal_numbers_are_correctly_rounded() {
    (0..40).into_par_iter().for_each(|n| {
        let to = 2f64.powi(-124) * (1.0 + f64::from(n) / 40.0);
        for curve in [Curve::Linear, Curve::Cosine] {
            let program = of_segments(vec![Segment::transition(0, 9000, 30.0 * to, to, curve)]);
            let case = Case { name: format!("down to {to:e}, {curve:?}"), program, boundaries: Vec::new() };
            let (batch, program) = packed(&case);
            check_picked(&case.name, &batch, &program, &Steps::range(0..9000), &(0..9000).collect::<Vec<_>>());
        }
    });
}

#[test]
fn doubles_are_the_definitions() {
    let seed = Random::fresh().below(1 << 62);
    cases().par_iter().enumerate().for_each(|(index, case)| {
        let (batch, program) = packed(case);
        let start = Random::of(seed + index as u64).below(40_000);
        let steps = Steps::range(start..start + 2000).stride_by(3);
        for (step, got) in steps.iter().zip(row::<f64>(&batch, 0, &steps)) {
            assert_eq!(got.to_bits(), program.exact(step).high().to_bits(), "{} at {step}", case.name);
        }
    });
}
