//! Short rows against the definition: batches of all kinds of programs, few columns of all kinds.

use half::{bf16, f16};
use lrgrid::cpu::Level;
use lrgrid::curve::Curve;
use lrgrid::double_double::DoubleDouble;
use lrgrid::program::{MAX_STEP, Program, Segment, Stage, Track};
use lrgrid::{Batch, Cpu, Evaluate, Steps};
use rayon::prelude::*;

use super::oracle::{Tested, rounded};
use super::programs::cases;
use super::{affine, exhaustive};
use lrgrid_testkit::Random;
use lrgrid_testkit::cases as common;

/// Every program of the tests, with the steps where something about it changes.
pub fn pool() -> Vec<(String, Program, Vec<u64>)> {
    let mut pool: Vec<_> = cases().into_iter().map(|case| (case.name, case.program, case.boundaries)).collect();
    let mut random = Random::fixed();
    for case in common::all(&mut random) {
        let marks = common::steps(&case.program, &mut random, 4);
        pool.push((case.what, case.program, marks));
    }
    pool
}

/// A few columns around some step.
fn steps(random: &mut Random, around: u64) -> Steps {
    let columns = 1 + if random.below(3) == 0 { random.below(200) } else { random.below(70) };
    let near = around.saturating_sub(random.below(columns + 1));
    if random.below(4) == 0 {
        let mut step = |index: u64| match random.below(3) {
            0 => random.below(MAX_STEP + 1),
            1 => (near + index).min(MAX_STEP),
            _ => random.below(2 * around.min(MAX_STEP / 2) + 2),
        };
        let steps: Vec<u64> = (0..columns).map(&mut step).collect();
        return Steps::list(steps);
    }
    let strides = [1, 1 + random.below(9), 1 + random.below(2000), 1 + around / columns.max(1)];
    let stride = strides[random.below(4) as usize];
    let start = if random.below(2) == 0 { 0 } else { near };
    let end = start.saturating_add(columns * stride).min(MAX_STEP + 1);
    Steps::range(start.min(end - 1)..end).stride_by(stride)
}

fn compare<T: Tested>(names: &[String], batch: &Batch, steps: &Steps, exact: &[DoubleDouble]) {
    let want: Vec<T> = exact.iter().map(|exact| rounded(*exact)).collect();
    for level in Level::available() {
        let got: Vec<T> = Cpu::new().unwrap().with_level(level).evaluate(batch, steps).unwrap();
        for (index, (got, want)) in got.iter().zip(&want).enumerate() {
            let (row, column) = (index / steps.len(), index % steps.len());
            assert_eq!(
                got.bits(),
                want.bits(),
                "{} (row {row}) at step {} (column {column} of {}): {got} for {:?}, as {} at {level:?}",
                names[row],
                steps.get(column),
                steps.len(),
                exact[index],
                T::DTYPE.name()
            );
        }
    }
}

/// Rows of a batch: some programs, each with neighbours of its timing and of other values, and some again later.
fn rows(random: &mut Random, pool: &[(String, Program, Vec<u64>)]) -> (Vec<String>, Vec<Program>, u64) {
    let (mut names, mut programs, mut mark) = (Vec::new(), Vec::new(), 0);
    let mut again = None;
    for _ in 0..1 + random.below(6) {
        let index = match again {
            Some(index) if random.below(4) == 0 => index,
            _ => random.below(pool.len() as u64) as usize,
        };
        again = Some(index);
        let (name, program, marks) = &pool[index];
        if !marks.is_empty() {
            mark = marks[random.below(marks.len() as u64) as usize];
        }
        for copy in 0..1 + random.below(4) {
            let scale = [1.0, 0.37, -2.0, 1e-4, 3e-39][random.below(5) as usize];
            let offset = [0.0, 0.0, 1e-3, -0.2][random.below(4) as usize];
            let program = if copy == 0 { program.clone() } else { affine(program, scale, offset) };
            names.push(if copy == 0 { name.clone() } else { format!("{offset} + {scale} · {name}") });
            programs.push(program);
        }
    }
    (names, programs, mark)
}

#[test]
fn short_rows_are_correctly_rounded_at_every_level() {
    let seed = Random::fresh().below(1 << 62);
    let pool = pool();
    let rounds = if exhaustive() { 40_000 } else { 800 };
    (0..rounds).into_par_iter().for_each(|round| {
        let mut random = Random::of(seed + round);
        let (names, programs, mark) = rows(&mut random, &pool);
        let steps = steps(&mut random, mark.min(MAX_STEP));
        let batch = Batch::from_programs(&programs).unwrap();
        let exact: Vec<DoubleDouble> = (0..batch.len())
            .flat_map(|row| {
                let program = batch.program(row);
                steps.iter().map(|step| program.exact(step)).collect::<Vec<_>>()
            })
            .collect();
        compare::<f32>(&names, &batch, &steps, &exact);
        compare::<f16>(&names, &batch, &steps, &exact);
        compare::<bf16>(&names, &batch, &steps, &exact);
    });
}

/// Rows of one timing in which the second factor's base adds to its amplitude, takes some of it off, or stands alone.
#[test]
fn products_with_a_base_are_correctly_rounded() {
    let shape = |curve, rate: f64| Segment { rate: rate.into(), ..Segment::rising(0, 500, 0.0, 1.0, curve) };
    let factors = [
        shape(Curve::Linear, 1.0 / 500.0),
        shape(Curve::Exponential, -0.003),
        Segment::falling(0, 500, 1.0, 0.0, Curve::Cosine),
    ];
    let growing = shape(Curve::Exponential, 0.01);
    let all = Steps::range(0..640).stride_by(11);
    // Where all shapes of the growing one are far above 1, and so may its base be.
    let late = Steps::range(400..464);
    for first in &factors {
        for (second, steps) in factors.iter().map(|second| (second, &all)).chain([(&growing, &all), (&growing, &late)])
        {
            let mut programs = Vec::new();
            for amplitude in [1e-3, -7e-3, 0.0] {
                for base in [0.0, -1e-6, 1e-6, -2e-4, 2e-4, -4e-4, -6e-4, 3e-3, -3e-3, 0.7, -0.7] {
                    for (scale, offset) in [(0.9, 0.0), (0.9, 1e-6), (-0.9, 1e-6), (1e-36, 0.0), (0.9, -3e-4)] {
                        let second = Segment { base: base.into(), amplitude: amplitude.into(), ..*second };
                        let tracks = vec![Track::of(vec![*first]), Track::of(vec![second])];
                        let stage = Stage { tracks, ..Stage::of(Track::of(vec![*first])) };
                        programs.push(Program::new(vec![stage]).unwrap().affine(scale, offset));
                    }
                }
            }
            let names: Vec<String> = (0..programs.len()).map(|row| format!("product {row}")).collect();
            let batch = Batch::from_programs(&programs).unwrap();
            let exact = |row| steps.iter().map(|step| batch.program(row).exact(step)).collect::<Vec<_>>();
            let exact: Vec<DoubleDouble> = (0..batch.len()).flat_map(exact).collect();
            compare::<f32>(&names, &batch, steps, &exact);
            compare::<bf16>(&names, &batch, steps, &exact);
        }
    }
}

#[test]
fn the_doubles_of_short_rows_are_the_definitions() {
    let pool = pool();
    let mut random = Random::fresh();
    for _ in 0..100 {
        let (names, programs, mark) = rows(&mut random, &pool);
        let steps = steps(&mut random, mark.min(MAX_STEP));
        let batch = Batch::from_programs(&programs).unwrap();
        let got: Vec<f64> = Cpu::new().unwrap().evaluate(&batch, &steps).unwrap();
        for (index, got) in got.iter().enumerate() {
            let (row, step) = (index / steps.len(), steps.get(index % steps.len()));
            assert_eq!(got.to_bits(), batch.program(row).value(step).to_bits(), "{} at {step}", names[row]);
        }
    }
}
