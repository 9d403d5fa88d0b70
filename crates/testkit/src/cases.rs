//! Programs that cover the edge cases of the lowered form, and the steps at which to test them.

use crate::{Random, of_segments, of_stage};

use lrgrid::curve::Curve;
use lrgrid::double_double::DoubleDouble;
use lrgrid::program::{Clamp, MAX_STEP, Program, Repetition, Segment, Stage, Track};

/// A program, and the curve whose error bound applies to it.
pub struct Case {
    /// A description for messages.
    pub what: String,
    /// The curve.
    pub curve: Curve,
    /// The program.
    pub program: Program,
    /// Whether it is a product with other curves.
    pub product: bool,
    /// Whether terms of opposite sign may cancel.
    pub cancels: bool,
}

/// Whether the shape is 0 at phase 0 and 1 at phase 1.
pub fn spans_zero_to_one(curve: &Curve) -> bool {
    match curve {
        Curve::Linear | Curve::Cosine => true,
        Curve::Power { exponent, .. } | Curve::CosinePower { exponent, .. } => *exponent > 0.0,
        Curve::Hold
        | Curve::CosineExponential { .. }
        | Curve::Exponential
        | Curve::ExponentialMinusOne
        | Curve::Logistic { .. }
        | Curve::Rational { .. } => false,
    }
}

/// Every curve, with ordinary and extreme parameters.
pub fn curves() -> Vec<Curve> {
    let octaves = |o: f64| Curve::CosineExponential { octaves: o.into() };
    let offset = |o: f64| Curve::Logistic { offset: o.into() };
    let power = |exponent, warp| Curve::Power { exponent, warp };
    let cosine_power = |exponent, warp| Curve::CosinePower { exponent, warp };
    vec![
        Curve::Hold,
        Curve::Linear,
        power(1.0, 1.0),
        power(0.5, 1.0),
        power(2.0, 1.0),
        power(0.9, 1.0),
        power(7.3, 1.0),
        power(41.0, 1.0),
        power(1e-3, 1.0),
        power(1.0, 0.5),
        power(1.0, 2.0),
        power(1.7, 3.3),
        power(1.0, 0.01),
        power(0.5, 120.0),
        Curve::Cosine,
        cosine_power(1.0, 1.0),
        cosine_power(0.5, 1.0),
        cosine_power(3.0, 1.0),
        cosine_power(20.0, 1.0),
        cosine_power(1.0, 2.0),
        cosine_power(0.7, 0.3),
        octaves(1e-4),
        octaves(0.9),
        octaves(3.3),
        octaves(30.0),
        octaves(110.0),
        Curve::Exponential,
        Curve::ExponentialMinusOne,
        offset(-8.0),
        offset(0.0),
        offset(3.3),
        offset(-60.0),
        Curve::Rational { rising: false },
        Curve::Rational { rising: true },
    ]
}

/// Ranges of the phase: 1 for curves on [0, 1], larger ones for the others.
fn spans(curve: &Curve) -> &'static [f64] {
    match curve {
        Curve::Exponential => &[1.0, 0.01, 20.0, 240.0, -100.0, -1e-6],
        Curve::ExponentialMinusOne => &[1.0, 0.01, 20.0, 110.0, -100.0, -1e-6],
        Curve::Logistic { .. } => &[16.0, 0.5, 120.0, -30.0],
        Curve::Rational { .. } => &[1.0, 1e-6, 1e4, 1e12],
        // Inverse square roots count steps and are tested separately.
        _ => &[1.0],
    }
}

/// The longest segment on which a curve is tested.
///
/// A phase has 64 bits. A warp below 1 magnifies the error of `1 − w` near the end: with 2^36 steps 28 bits of it are
/// significant, with 2^53 only 11.
fn longest(curve: &Curve) -> u64 {
    match curve {
        Curve::Power { warp, .. } | Curve::CosinePower { warp, .. } if *warp < 1.0 => 1 << 36,
        _ => MAX_STEP,
    }
}

/// A segment from step 0 whose phase runs over `span`, in `length` steps.
fn segment(curve: Curve, span: f64, length: u64, reversed: bool, base: f64, amplitude: f64) -> Segment {
    Segment {
        start: 0,
        length,
        quantum: None,
        origin: if reversed { length } else { 0 },
        lead: 0,
        reversed,
        rate: DoubleDouble::from(span) / DoubleDouble::from(length),
        base: base.into(),
        amplitude: amplitude.into(),
        curve,
    }
}

/// Every case.
pub fn all(random: &mut Random) -> Vec<Case> {
    let mut cases = Vec::new();
    for curve in curves() {
        plain(curve, random, &mut cases);
        structured(curve, random, &mut cases);
    }
    inverse_powers(&mut cases);
    cases
}

/// One segment of a curve: lengths, directions and sizes.
fn plain(curve: Curve, random: &mut Random, cases: &mut Vec<Case>) {
    let lengths = [1, 2, 7, 1000, 999_983, 1 << 24, (1 << 32) + 15, MAX_STEP - 3];
    let sizes = [(0.0, 1.0), (1e-5, 3e-4), (0.0, 1.2e-38), (0.0, 3e-43), (0.1, 0.0), (-2.0, -1e-3), (0.0, 1e30)];
    for &span in spans(&curve) {
        for (index, length) in lengths.iter().map(|length| *length.min(&longest(&curve))).enumerate() {
            for reversed in [false, true] {
                let (base, amplitude) = sizes[(index + usize::from(reversed) * 3) % sizes.len()];
                cases.push(Case {
                    what: format!("{curve:?} to {span} in {length}, reversed {reversed}, {base} + {amplitude}"),
                    curve,
                    program: of_segments(vec![segment(curve, span, length, reversed, base, amplitude)]),
                    product: false,
                    cancels: false,
                });
            }
        }
        let length = 1 + random.below(longest(&curve).min(1 << 40));
        let (base, amplitude) = (random.log_uniform(1e-9, 1.0), random.log_uniform(1e-9, 1.0));
        cases.push(Case {
            what: format!("{curve:?} to {span}, random: {length}, {base} − {amplitude}"),
            curve,
            program: of_segments(vec![segment(curve, span, length, false, base, -amplitude)]),
            product: false,
            cancels: true,
        });
    }
}

/// The curve in stairs, repetitions, products, stages, bounds and clocks.
fn structured(curve: Curve, random: &mut Random, cases: &mut Vec<Case>) {
    let span = spans(&curve)[0];
    let mut push = |what: &str, program: Program, cancels| {
        let product = program.stages().iter().any(|stage| stage.tracks.len() > 1);
        cases.push(Case { what: format!("{what} of {curve:?}"), curve, program, product, cancels });
    };
    let near = segment(curve, span, 1000, false, 1e-4, 0.3);
    let stage = |track: Track| of_stage(Stage::of(track));

    let quantum = Segment { quantum: Some(37), ..near };
    push("stairs", of_segments(vec![quantum]), false);
    let slow = Segment { quantum: Some((1 << 33) + 5), ..near };
    push("long stairs", of_segments(vec![slow]), false);
    // At large steps, the phase must keep its fraction.
    let most = longest(&curve);
    let far = Segment { origin: most / 2, length: most / 2, ..segment(curve, span, most, false, 0.0, 1.0) };
    push("large origin", of_segments(vec![far]), false);
    // One count less, so that the phase stays within the curve's domain.
    let between = Segment { lead: 3 << 62, length: 999, ..near };
    push("a lead", of_segments(vec![between]), false);
    let towards = Segment { lead: 1 << 40, reversed: true, origin: 999, ..between };
    push("a lead, reversed", of_segments(vec![towards]), false);
    push("empty segment", of_segments(vec![Segment { length: 0, origin: 500, ..near }]), false);

    for (what, repetition) in [
        ("restarts", Repetition::Restart { period: 811 }),
        ("reflections", Repetition::Reflect { period: 811 }),
        ("a cycle of one step", Repetition::Restart { period: 1 }),
        ("long restarts", Repetition::Restart { period: (1 << 35) + 3 }),
        ("long reflections", Repetition::Reflect { period: (1 << 35) + 3 }),
    ] {
        push(what, stage(Track { repetition, advance: 5, ..Track::of(vec![near]) }), false);
    }

    let warm = Segment::rising(0, 100, 0.0, 0.3, Curve::Linear);
    let later = Segment { start: 100, ..Segment { reversed: true, origin: 1000, ..near } };
    let tail = Segment { start: 1200, ..Segment::hold(1200, 1e-6) };
    push("warmup and tail", of_segments(vec![warm, later, tail]), false);

    let many = (0..200).map(|i| Segment { start: i * 10 + i % 3, amplitude: (1.0 + i as f64).into(), ..near });
    push("many segments", of_segments(many.collect()), false);

    let clamp = Clamp { lower: 0.1, upper: 0.2 };
    push("bounds", stage(Track { clamp, ..Track::of(vec![near]) }), false);
    push("a lower bound", stage(Track { clamp: Clamp { lower: 0.1, ..Clamp::NONE }, ..Track::of(vec![near]) }), false);

    let stair = Segment { quantum: Some(100), length: 50, ..segment(Curve::Exponential, -5.0, 50, false, 0.0, 1.0) };
    let product = Stage {
        scale: 0.37.into(),
        offset: 1e-3.into(),
        clamp: Clamp { lower: 2e-3, upper: 0.1 },
        tracks: vec![
            Track { repetition: Repetition::Restart { period: 100 }, ..Track::of(vec![near]) },
            Track::of(vec![stair]),
        ],
        ..Stage::of(Track::of(vec![near]))
    };
    push("a product", of_stage(product.clone()), false);
    let four = Stage { tracks: vec![Track::of(vec![near]); 4], clamp: Clamp::NONE, ..product.clone() };
    push("a product of four", of_stage(four), false);
    let negative = Stage { scale: (-0.4).into(), offset: 0.1.into(), clamp: Clamp::NONE, ..product.clone() };
    push("a product that cancels", of_stage(negative), true);
    let sum = Stage { summed: true, clamp: Clamp::NONE, ..product.clone() };
    push("a sum", of_stage(sum.clone()), false);
    let four = Stage { tracks: vec![Track::of(vec![near]); 4], ..sum.clone() };
    push("a sum of four", of_stage(four), false);
    let negative = Stage { scale: (-0.4).into(), offset: 0.3.into(), ..sum };
    push("a sum that cancels", of_stage(negative), true);

    let second = Stage { start: 321, ..product };
    let third = Stage { start: 70_000, ..Stage::of(Track { advance: 17, ..Track::of(vec![warm, later]) }) };
    let staged = Program::new(vec![Stage::of(Track::of(vec![near])), second, third]).unwrap();
    push("stages", staged.clone(), false);
    push("a slower clock", staged.clone().with_quantum(1 + random.below(500)).unwrap(), false);
    push("a much slower clock", staged.with_quantum((1 << 32) + random.below(500)).unwrap(), false);
}

/// Powers of the step itself.
fn inverse_powers(cases: &mut Vec<Case>) {
    for (exponent, rate) in [(-0.5, 1.0), (-0.5, 1e-4), (-1.0, 1.0), (-0.3, 2.5e-10), (0.5, 1e-3), (3.0, 1e-5)] {
        let curve = Curve::Power { exponent, warp: 1.0 };
        let segment = Segment { origin: 1, rate: rate.into(), ..segment(curve, 1.0, MAX_STEP - 1, false, 0.0, 0.02) };
        cases.push(Case {
            what: format!("(n · {rate})^{exponent}"),
            curve,
            program: of_segments(vec![segment]),
            product: false,
            cancels: false,
        });
    }
}

/// The steps at which a program is tested: around all of its boundaries, and `more` at random.
pub fn steps(program: &Program, random: &mut Random, more: usize) -> Vec<u64> {
    let mut marks = vec![0, 1 << 24, 1 << 32, MAX_STEP];
    for stage in program.stages() {
        marks.push(stage.start);
        for track in &stage.tracks {
            if let Repetition::Restart { period } | Repetition::Reflect { period } = track.repetition {
                marks.extend([period, 2 * period, 3 * period].map(|at| stage.start + at.saturating_sub(track.advance)));
            }
            // A few, if there are many segments.
            for segment in track.segments.iter().step_by(track.segments.len().div_ceil(5)) {
                let begin = stage.start.saturating_add(segment.start);
                let end = begin.saturating_add(segment.length.saturating_mul(segment.quantum.unwrap_or(1)));
                marks.extend([begin, begin.midpoint(end), end]);
            }
        }
    }
    let mut steps = Vec::new();
    for mark in marks {
        let mark = mark.saturating_mul(program.quantum()).min(MAX_STEP);
        steps.extend([mark.saturating_sub(2), mark.saturating_sub(1), mark, mark + 1, mark + 2]);
    }
    let last = steps.iter().copied().filter(|&step| step < MAX_STEP / 2).max().unwrap_or(0);
    for _ in 0..more / 2 {
        steps.push(random.below(last + 10));
        // Mostly within the boundaries, sometimes far beyond.
        let end = if random.below(4) == 0 { MAX_STEP } else { last + 10 };
        steps.push(random.log_uniform(1.0, end as f64) as u64);
    }
    steps.retain(|&step| step <= MAX_STEP);
    steps
}
