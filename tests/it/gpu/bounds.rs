//! Every curve within its bound, value by value and in blocks, with a ratchet on the allowances.

use std::collections::{BTreeMap, BTreeSet};

use lrgrid::curve::Curve;
use lrgrid::element::{Dtype, Element};
use lrgrid::gpu::Tuning;
use lrgrid::program::{Clamp, MAX_STEP, Repetition, Segment, Stage, Track};
use lrgrid::ulp::{spacing_exponent, ulps};
use lrgrid::{Batch, Evaluate, Gpu, Steps};
use lrgrid_testkit::cases::{self, Case};
use lrgrid_testkit::{Random, of_segments, of_stage};

use super::gpu;

/// The least allowance that the ratchet looks at: few values are so near a tie that 64 bits cannot tell.
const LEAST: f64 = 0.0005;

/// What is allowed beyond the half ULP of the final rounding, in ULP of `f32`, and why.
///
/// A row of more than twice what is observed fails too: see [`thoroughness`].
fn excess_allowed(curve: &Curve) -> (f64, &'static str) {
    match curve {
        Curve::Hold => (LEAST, "two 64-bit numbers and a sum"),
        Curve::Linear => (LEAST, "64 bits throughout"),
        Curve::Power { .. } => (0.03, "log2 off by 2^-39, magnified by the exponent; exp2 in 32 bits"),
        Curve::Cosine => (LEAST, "a polynomial whose correction is off by 2^-34"),
        Curve::CosinePower { .. } => (0.03, "the cosine, then the power"),
        Curve::CosineExponential { .. } => (0.024, "the cosine magnified by the octaves; expm1 in 32 bits"),
        Curve::Exponential => (0.013, "the octaves' fraction and exp2 in 32 bits"),
        Curve::ExponentialMinusOne => (0.024, "expm1 in 32 bits"),
        Curve::Logistic { .. } => (0.013, "exp2, then a reciprocal in 32 bits"),
        Curve::Rational { .. } => (0.009, "a reciprocal in 32 bits"),
    }
}

/// The row of programs that multiply up to four curves: their errors add up.
const PRODUCT_ALLOWED: (f64, &str) = (0.05, "up to four factors, each with its own error");

/// The row of the report that a case is in.
fn row(case: &Case) -> &'static str {
    if case.product { "product" } else { case.curve.name() }
}

/// Deviation of one value in ULP, in excess of a half; where the value cancels, of what it was made of.
fn excess<T: Element>(got: T, case: &Case, step: u64, largest: f64) -> f64 {
    let exact = case.program.exact(step);
    let off = ulps(got, exact);
    if off <= 0.5 || !case.cancels {
        return (off - 0.5).max(0.0);
    }
    // One spacing at the schedule's largest value, or eight at the result.
    let coarse = f64::from(spacing_exponent(T::DTYPE, largest) - spacing_exponent(T::DTYPE, exact.high())).exp2();
    if off.is_finite() && off <= coarse.max(8.0) { 0.0 } else { off }
}

/// Random steps per case, and how many times the observed worst an allowance may be.
///
/// An error shows only next to a tie, so the short run, which meets fewer of them, sees less of it.
fn thoroughness() -> (usize, f64) {
    if std::env::var_os("LRGRID_EXHAUSTIVE").is_some_and(|value| value == "1") { (20_000, 2.0) } else { (3000, 3.0) }
}

/// Evaluates every case, checks each value by `check(case, step, value, largest of the row)`.
fn for_each_value<T: Element>(
    gpu: &Gpu,
    cases: &[Case],
    random: &mut Random,
    more: usize,
    mut check: impl FnMut(&Case, u64, T, f64),
) {
    for case in cases {
        let steps: Vec<u64> = cases::steps(&case.program, random, more);
        let batch = Batch::from_programs([&case.program]).unwrap();
        let row: Vec<T> = gpu.evaluate(&batch, &Steps::list(steps.iter().copied())).unwrap();
        let sizes = steps.iter().map(|&step| case.program.value(step).abs()).filter(|size| size.is_finite());
        let largest = sizes.fold(0.0, f64::max);
        for (&step, &value) in steps.iter().zip(&row) {
            check(case, step, value, largest);
        }
    }
}

#[test]
fn every_curve_is_within_its_bound() {
    let Some(gpu) = gpu() else { return };
    let mut random = Random::fixed();
    let (samples, ratchet) = thoroughness();
    let mut worst: BTreeMap<&str, (f64, String)> = BTreeMap::new();
    let cases = cases::all(&mut random);
    for_each_value(&gpu, &cases, &mut random, samples, |case, step, got: f32, largest| {
        let off = excess(got, case, step, largest);
        let entry = worst.entry(row(case)).or_insert((-1.0, String::new()));
        if off > entry.0 {
            let want = case.program.value(step);
            *entry = (off, format!("{} at step {step}: {got:e} for {want:e}", case.what));
        }
    });
    for (name, (off, at)) in &worst {
        println!("{name:20} 0.5 + {off:.6} ULP: {at}");
    }
    // Other seeds may meet fewer ties.
    let default_seed = std::env::var_os("LRGRID_SEED").is_none();
    let mut failures = BTreeSet::new();
    let rows = cases::curves().into_iter().map(|curve| (curve.name(), excess_allowed(&curve)));
    for (name, (allowed, reason)) in rows.chain([("product", PRODUCT_ALLOWED)]) {
        let (observed, at) = &worst[name];
        if *observed > allowed {
            failures.insert(format!("{name} is off by 0.5 + {observed} ULP, {allowed} allowed ({reason}): {at}"));
        }
        if default_seed && allowed > ratchet * observed && allowed > LEAST {
            failures.insert(format!("{name} needs 0.5 + {observed} ULP only: tighten its row of {allowed}"));
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

/// Half-width types: so close to the nearest value that only near-ties differ.
fn half_width_is_within<T: Element>() {
    let Some(gpu) = gpu() else { return };
    let mut random = Random::fixed();
    let cases = cases::all(&mut random);
    let mut worst = 0.0_f64;
    for_each_value(&gpu, &cases, &mut random, 100, |case, step, got: T, largest| {
        let off = excess(got, case, step, largest);
        assert!(off <= 0.01, "{} at step {step}: {got} for {:e}", case.what, case.program.value(step));
        worst = worst.max(off);
    });
    println!("{}: 0.5 + {worst:.6} ULP", T::DTYPE.name());
}

#[test]
fn f16_is_within_its_bound() {
    half_width_is_within::<half::f16>();
}

#[test]
fn bf16_is_within_its_bound() {
    half_width_is_within::<half::bf16>();
}

/// What blocks are allowed beyond the half ULP of a rounding, in ULP of `f32`: three roundings of the rest, which is an
/// eighth of the value at most, the check's eighth and what it cannot see, and the noise of the nodes.
///
/// Half-width types lose the 2^-13 part of that at most.
fn block_excess_allowed(dtype: Dtype) -> f64 {
    if dtype == Dtype::F32 { 0.6 } else { 0.01 }
}

/// Where to look at a case in blocks: first step and stride, around all that happens in it.
fn windows(case: &Case, random: &mut Random, columns: u64) -> Vec<(u64, u64)> {
    let mut marks: Vec<u64> = vec![0, (1 << 24) + 1, MAX_STEP - columns];
    for stage in case.program.stages() {
        for track in &stage.tracks {
            for segment in track.segments.iter().step_by(track.segments.len().div_ceil(3)) {
                let begin = stage.start.saturating_add(segment.start);
                marks
                    .extend([begin, begin.saturating_add(segment.length.saturating_mul(segment.quantum.unwrap_or(1)))]);
            }
        }
    }
    let mut windows = Vec::new();
    for mark in marks {
        let mark = mark.saturating_mul(case.program.quantum()).min(MAX_STEP);
        // The boundary falls anywhere in a block, sometimes on its edge.
        let before = [0, 8, columns / 2, random.below(columns)][random.below(4) as usize];
        let stride = [1, 1, 3, 1 << random.below(30)][random.below(4) as usize];
        let first = mark.saturating_sub(before.saturating_mul(stride));
        windows.push(if first.saturating_add(columns * stride) <= MAX_STEP { (first, stride) } else { (first, 1) });
    }
    windows.retain(|&(first, stride)| first.saturating_add(columns * stride) <= MAX_STEP);
    windows.sort_unstable();
    windows.dedup();
    windows
}

/// Evaluates windows of every case block by block; prints the worst of each row, returns the number of values.
fn blocks_are_within<T: Element>(columns: u64, every: usize) {
    let Some(_) = gpu() else { return };
    let gpu = Gpu::new().unwrap().with_tuning(Tuning { blocks_from: 0, ..Tuning::default() });
    let mut random = Random::fixed();
    let mut worst: BTreeMap<&str, (f64, String)> = BTreeMap::new();
    for case in cases::all(&mut random).iter().step_by(every) {
        let batch = Batch::from_programs([&case.program]).unwrap();
        for (first, stride) in windows(case, &mut random, columns) {
            let steps = Steps::range(first..first + columns * stride).stride_by(stride);
            let values: Vec<T> = gpu.evaluate(&batch, &steps).unwrap();
            let largest =
                case.cancels.then(|| steps.iter().map(|step| case.program.value(step).abs()).fold(0.0, f64::max));
            for (&got, step) in values.iter().zip(steps.iter()) {
                let off = excess(got, case, step, largest.unwrap_or(0.0));
                let entry = worst.entry(row(case)).or_insert((-1.0, String::new()));
                if off > entry.0 {
                    let at = format!("{} at {step} from {first} by {stride}: {got}", case.what);
                    *entry = (off, format!("{at} for {:e}", case.program.value(step)));
                }
            }
        }
    }
    for (name, (off, at)) in &worst {
        println!("{} {name:20} 0.5 + {off:.4} ULP: {at}", T::DTYPE.name());
    }
    let allowed = block_excess_allowed(T::DTYPE);
    let failures: Vec<_> = worst.iter().filter(|(_, (off, _))| *off > allowed).collect();
    assert!(failures.is_empty(), "more than 0.5 + {allowed} ULP: {failures:#?}");
}

#[test]
fn blocks_of_every_curve_are_within_their_bound() {
    blocks_are_within::<f32>(2500, if thoroughness().0 > 10_000 { 1 } else { 3 });
}

#[test]
fn half_width_blocks_are_within_their_bound() {
    blocks_are_within::<half::f16>(700, 11);
    blocks_are_within::<half::bf16>(700, 11);
}

/// Ordinary schedules over whole rows: the blocks are long, and most of them hold.
#[test]
fn long_rows_are_within_their_bound() {
    let Some(_) = gpu() else { return };
    let gpu = Gpu::new().unwrap().with_tuning(Tuning { blocks_from: 0, ..Tuning::default() });
    let length = 20_000;
    for curve in cases::curves() {
        let falling = Segment { start: 777, ..Segment::falling(0, length, 3e-4, 0.0, curve) };
        let programs = [
            of_segments(vec![Segment::rising(0, 777, 0.0, 3e-4, Curve::Linear), falling]),
            of_segments(vec![Segment::falling(0, length, 3e-3, 1e-6, curve)]),
            of_stage(Stage::of(Track {
                repetition: Repetition::Restart { period: 1000 },
                ..Track::of(vec![Segment::falling(0, 1000, 1.0, 0.1, curve)])
            })),
        ];
        let steps = Steps::range(0..length + 1200);
        let batch = Batch::from_programs(&programs).unwrap();
        let table: Vec<f32> = gpu.evaluate(&batch, &steps).unwrap();
        for (program, row) in programs.iter().zip(table.chunks_exact(steps.len())) {
            for (&got, step) in row.iter().zip(steps.iter()) {
                let off = ulps(got, program.exact(step));
                assert!(off <= 1.1, "{off} ULP at step {step} of {program:?}: {got:e}");
            }
        }
    }
}

/// A product may pass a bound between two nodes of a block and come back.
#[test]
fn bounds_hold_between_nodes() {
    let Some(gpu) = gpu() else { return };
    let line = |from, to| Track::of(vec![Segment::transition(0, 1999, from, to, Curve::Linear)]);
    // 1 − (x − 1/4)²/100 on [−1, 1], whose top is between the nodes at 0 and 1/2; and its negative.
    for (scale, clamp) in
        [(1.0, Clamp { upper: 1.0 - 1e-4, ..Clamp::NONE }), (-1.0, Clamp { lower: 1e-4 - 1.0, ..Clamp::NONE })]
    {
        let tracks = vec![line(0.875, 1.075), line(1.125, 0.925)];
        let program = of_stage(Stage { tracks, clamp, scale: scale.into(), ..Stage::of(line(1.0, 1.0)) });
        let batch = Batch::from_programs([&program]).unwrap();
        let row: Vec<f32> = gpu.evaluate(&batch, &Steps::range(0..3000)).unwrap();
        for (got, step) in row.into_iter().zip(0..) {
            let off = ulps(got, program.exact(step));
            assert!(off <= 1.1, "{off} ULP at step {step}: {got}");
        }
    }
}
