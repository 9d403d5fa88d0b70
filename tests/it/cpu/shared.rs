//! Rows that share their timing against the same rows alone, which go another way.

use half::{bf16, f16};
use lrgrid::cpu::Level;
use lrgrid::curve::Curve;
use lrgrid::program::{MAX_STEP, Program, Segment, Stage, Track};
use lrgrid::{Batch, Cpu, Element, Evaluate, Steps};
use lrgrid_testkit::of_stage;

use super::short::pool;
use super::{affine, exhaustive};
use lrgrid_testkit::Random;

/// Rows enough to be evaluated together.
const ROWS: u64 = 40;

/// Variants of a program that differ in their numbers only, of one in four in its clock, too.
fn variants(random: &mut Random, program: &Program) -> Vec<Program> {
    let slower = random.below(4) == 0;
    (0..ROWS)
        .map(|row| {
            let scale = [1.0, 0.37, -2.0, 1e-4, 3e-39][random.below(5) as usize] * (1.0 + row as f64 / 64.0);
            let offset = [0.0, 0.0, 1e-3, -0.2][random.below(4) as usize];
            let program =
                if slower && row % 2 == 1 { program.clone().with_quantum(3).unwrap() } else { program.clone() };
            if row == 0 { program } else { affine(&program, scale, offset) }
        })
        .collect()
}

/// Writes the table from some value on that is not at the start of a cache line, and compares it with its rows alone.
fn compare<T: Element>(name: &str, batch: &Batch, steps: &Steps, rows: &[usize]) {
    let size = batch.len() * steps.len();
    for level in Level::available() {
        let cpu = Cpu::new().unwrap().with_level(level);
        let mut table = vec![T::zeroed(); size + 7];
        cpu.evaluate_into(batch, steps, &mut table[3..3 + size]).unwrap();
        assert!(table[..3].iter().chain(&table[3 + size..]).all(|value| value.to_f64().to_bits() == 0));
        for &row in rows {
            let mut alone = vec![T::zeroed(); steps.len()];
            cpu.evaluate_rows_into(batch, row..row + 1, steps, &mut alone).unwrap();
            let together = &table[3 + row * steps.len()..][..steps.len()];
            for (column, (got, want)) in together.iter().zip(&alone).enumerate() {
                assert_eq!(
                    got.to_f64().to_bits(),
                    want.to_f64().to_bits(),
                    "{name} (row {row}) at step {} (column {column} of {}): {got} for {want}, {:?}, as {} at {level:?}",
                    steps.get(column),
                    steps.len(),
                    batch.program(row).exact(steps.get(column)),
                    T::DTYPE.name()
                );
            }
        }
    }
}

/// Some hundred to some thousand columns around a step where something changes.
fn steps(random: &mut Random, marks: &[u64], columns: u64) -> Steps {
    let around = if marks.is_empty() { 0 } else { marks[random.below(marks.len() as u64) as usize].min(MAX_STEP / 2) };
    let stride = [1, 1, 1 + random.below(9), 1 + around / columns][random.below(4) as usize];
    let start = if random.below(2) == 0 { 0 } else { around.saturating_sub(random.below(columns + 1)) };
    Steps::range(start..(start + columns * stride).min(MAX_STEP + 1)).stride_by(stride)
}

/// Rows of one of the pool's programs, over so many columns.
struct Sweep {
    name: String,
    batch: Batch,
    steps: Steps,
}

impl Sweep {
    fn of(random: &mut Random, pool: &[(String, Program, Vec<u64>)], columns: u64) -> Self {
        let (name, program, marks) = &pool[random.below(pool.len() as u64) as usize];
        let batch = Batch::from_programs(&variants(random, program)).unwrap();
        Self { name: name.clone(), batch, steps: steps(random, marks, columns) }
    }

    fn compare<T: Element>(&self, rows: &[usize]) {
        compare::<T>(&self.name, &self.batch, &self.steps, rows);
    }
}

#[test]
fn rows_together_have_the_bits_of_rows_alone() {
    let mut random = Random::fresh();
    let pool = pool();
    for _ in 0..if exhaustive() { 2000 } else { 60 } {
        let columns = if random.below(3) == 0 { 1 + random.below(512) } else { 513 + random.below(9000) };
        let sweep = Sweep::of(&mut random, &pool, columns);
        let rows = [0, 1, random.below(ROWS) as usize, random.below(ROWS) as usize, ROWS as usize - 1];
        sweep.compare::<f32>(&rows);
        sweep.compare::<f16>(&rows);
        sweep.compare::<bf16>(&rows);
        sweep.compare::<f64>(&rows);
    }
}

/// Shapes below zero that a constant lifts above it: digits cancel.
#[test]
fn negative_shapes_under_a_constant_have_the_bits_of_rows_alone() {
    let track = |from: f64, to: f64, curve| Track::of(vec![Segment::transition(0, 4000, from, to, curve)]);
    let cosine = track(-0.9, -0.5, Curve::Cosine);
    let tracks = vec![cosine.clone(), track(1.0, 0.99, Curve::Linear)];
    let product = of_stage(Stage { tracks, ..Stage::of(cosine) });
    let rows: Vec<Program> = (0..ROWS).map(|row| product.clone().affine(0.37, 0.336 + row as f64 * 1e-4)).collect();
    let (batch, steps) = (Batch::from_programs(&rows).unwrap(), Steps::range(0..4000));
    let rows: Vec<usize> = (0..ROWS as usize).collect();
    compare::<f64>("negative", &batch, &steps, &rows);
    compare::<f32>("negative", &batch, &steps, &rows);
    compare::<f16>("negative", &batch, &steps, &rows);
    compare::<bf16>("negative", &batch, &steps, &rows);
}

#[test]
fn tables_past_the_cache_have_the_bits_of_rows_alone() {
    let mut random = Random::fresh();
    let pool = pool();
    for _ in 0..if exhaustive() { 100 } else { 4 } {
        // 16 MiB and more in every type.
        let columns = (8 << 20) / ROWS + 1 + random.below(40_000);
        let sweep = Sweep::of(&mut random, &pool, columns);
        let rows = [0, 1 + random.below(ROWS - 1) as usize];
        sweep.compare::<f32>(&rows);
        sweep.compare::<bf16>(&rows);
        sweep.compare::<f64>(&rows);
    }
}
