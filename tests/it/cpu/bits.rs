//! The same bits from every level, thread count, tile size and way of asking.

use half::{bf16, f16};
use lrgrid::cpu::Level;
use lrgrid::{Batch, Cpu, Element, Evaluate, Steps};

use super::programs::cases;

fn batch() -> Batch {
    let cases = cases();
    Batch::from_programs(cases.iter().map(|case| &case.program)).unwrap()
}

fn bytes<T: Element>(table: &[T]) -> &[u8] {
    bytemuck::cast_slice(table)
}

fn every_way_gives_the_same_bits<T: Element>() {
    let batch = batch();
    let steps = Steps::range(0..9000).stride_by(3);
    let columns = steps.len();
    let want: Vec<T> = Cpu::new().unwrap().with_level(Level::BASELINE).evaluate(&batch, &steps).unwrap();
    for level in Level::available() {
        let got: Vec<T> = Cpu::new().unwrap().with_level(level).evaluate(&batch, &steps).unwrap();
        assert!(bytes(&got) == bytes(&want), "level {level:?}");
    }
    for threads in 1..=3 {
        for tile in [1, 61, 1000, 7000, 1 << 20] {
            let cpu = Cpu::with_threads(threads).unwrap().with_tile(tile);
            let rows = if tile == 1 { 0..3 } else { 0..batch.len() };
            let mut got = vec![T::zeroed(); rows.len() * columns];
            cpu.evaluate_rows_into(&batch, rows.clone(), &steps, &mut got).unwrap();
            assert!(bytes(&got) == bytes(&want[..rows.len() * columns]), "{threads} threads, tiles of {tile}");
        }
    }
    let cpu = Cpu::new().unwrap();
    for schedule in 0..batch.len() {
        let want = &want[schedule * columns..(schedule + 1) * columns];
        let mut parts = vec![T::zeroed(); columns];
        for slice in [0..1, 1..700, 700..701, 701..columns] {
            let part = steps.slice(slice.clone());
            cpu.evaluate_rows_into(&batch, schedule..schedule + 1, &part, &mut parts[slice]).unwrap();
        }
        assert!(bytes(&parts) == bytes(want), "slices of row {schedule}");
        let every_fifth = steps.clone().stride_by(5);
        let mut strided = vec![T::zeroed(); every_fifth.len()];
        cpu.evaluate_rows_into(&batch, schedule..schedule + 1, &every_fifth, &mut strided).unwrap();
        let picked: Vec<T> = want.iter().copied().step_by(5).collect();
        assert!(bytes(&strided) == bytes(&picked), "stride in row {schedule}");
        let mut listed = vec![T::zeroed(); every_fifth.len()];
        let list = Steps::list(every_fifth.iter());
        cpu.evaluate_rows_into(&batch, schedule..schedule + 1, &list, &mut listed).unwrap();
        assert!(bytes(&listed) == bytes(&picked), "list in row {schedule}");
    }
}

#[test]
fn every_way_gives_the_same_f32() {
    every_way_gives_the_same_bits::<f32>();
}

#[test]
fn every_way_gives_the_same_f16() {
    every_way_gives_the_same_bits::<f16>();
}

#[test]
fn every_way_gives_the_same_bf16() {
    every_way_gives_the_same_bits::<bf16>();
}

#[test]
fn every_way_gives_the_same_f64() {
    every_way_gives_the_same_bits::<f64>();
}

#[test]
fn no_level_of_this_processor_is_skipped() {
    let names: Vec<&str> = Level::available().into_iter().map(Level::name).collect();
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::is_x86_feature_detected as has;
        assert_eq!(names.contains(&"avx2"), has!("avx2") && has!("fma"), "{names:?}");
        assert_eq!(names.contains(&"avx512"), has!("avx512f") && has!("avx512dq"), "{names:?}");
    }
    assert_eq!(Level::detect().to_string().parse(), Ok(Level::detect()));
    assert_eq!(names.len(), Level::available().len());
    assert_eq!("baseline".parse(), Ok(Level::BASELINE));
    assert!("avx1024".parse::<Level>().unwrap_err().to_string().contains("baseline"));
}

#[test]
fn odd_shapes_are_answered() {
    let batch = batch();
    let cpu = Cpu::new().unwrap();
    assert!(cpu.evaluate::<f32>(&batch, &Steps::range(5..5)).unwrap().is_empty());
    let one = Steps::range(7..8).stride_by(u64::MAX);
    assert_eq!(cpu.evaluate::<f32>(&batch, &one).unwrap(), cpu.evaluate::<f32>(&batch, &Steps::list([7])).unwrap());
    assert!(cpu.evaluate::<f32>(&batch, &Steps::range(0..1 << 54)).is_err());
    let mut short = [0f32; 3];
    assert!(cpu.evaluate_into(&batch, &Steps::range(0..2), &mut short).is_err());
}
