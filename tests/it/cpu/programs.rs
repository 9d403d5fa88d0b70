//! Programs that between them reach every curve and every way of running through it.

use lrgrid::curve::Curve;
use lrgrid::double_double::DoubleDouble;
use lrgrid::program::{Clamp, FOREVER, MAX_STEP, Program, Repetition, Segment, Stage, Track};
use lrgrid_testkit::{of_segments, of_stage};

/// A program, and the steps where something about it changes.
pub struct Case {
    pub name: String,
    pub program: Program,
    pub boundaries: Vec<u64>,
}

fn case(name: impl Into<String>, program: Program, boundaries: impl Into<Vec<u64>>) -> Case {
    Case { name: name.into(), program, boundaries: boundaries.into() }
}

/// Every curve that runs over phases 0 to 1.
fn unit_curves() -> Vec<(&'static str, Curve)> {
    let octaves = DoubleDouble::from(3.3);
    let mut curves = vec![
        ("linear", Curve::Linear),
        ("cosine", Curve::Cosine),
        ("cosine exponential", Curve::CosineExponential { octaves }),
        ("rational rising", Curve::Rational { rising: true }),
        ("rational falling", Curve::Rational { rising: false }),
        ("logistic", Curve::Logistic { offset: DoubleDouble::from(-0.3) }),
        ("exponential", Curve::Exponential),
        ("exponential minus one", Curve::ExponentialMinusOne),
        ("hold", Curve::Hold),
    ];
    for (name, exponent, warp) in [
        ("power 1.7", 1.7, 1.0),
        ("power 1", 1.0, 1.0),
        ("power 2", 2.0, 1.0),
        ("power 0.5", 0.5, 1.0),
        ("power 30", 30.0, 1.0),
        ("power 1.3 bent 3", 1.3, 3.0),
        ("power 1 bent 0.5", 1.0, 0.5),
    ] {
        curves.push((name, Curve::Power { exponent, warp }));
    }
    for (name, exponent, warp) in [
        ("cosine power 10", 10.0, 1.0),
        ("cosine power 0.7", 0.7, 1.0),
        ("cosine power bent", 1.0, 2.5),
        ("k-decay", 1.5, 0.4),
    ] {
        curves.push((name, Curve::CosinePower { exponent, warp }));
    }
    curves
}

fn with_rate(segment: Segment, rate: f64) -> Segment {
    Segment { rate: DoubleDouble::from(rate), ..segment }
}

/// A segment that never ends, from 1 on its curve.
fn endless(curve: Curve, rate: f64, amplitude: f64) -> Segment {
    with_rate(Segment { length: FOREVER, amplitude: amplitude.into(), ..Segment::rising(0, 1, 0.0, 1.0, curve) }, rate)
}

pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, curve) in unit_curves() {
        let length = 30_011;
        cases.push(case(
            format!("{name}, falling to 0"),
            of_segments(vec![Segment::falling(0, length, 1e-3, 0.0, curve)]),
            [length],
        ));
        cases.push(case(
            format!("{name}, rising from 0"),
            of_segments(vec![Segment::rising(0, length, 0.0, 0.37, curve)]),
            [length],
        ));
        cases.push(case(
            format!("{name}, to a floor"),
            of_segments(vec![Segment::falling(0, length, 3e-4, 3e-6, curve)]),
            [length],
        ));
        cases.push(case(
            format!("{name}, through zero"),
            of_segments(vec![Segment::rising(0, length, -0.25, 0.75, curve)]),
            [length / 2, length],
        ));
        cases.push(case(
            format!("{name}, 2^52 steps"),
            of_segments(vec![Segment::falling(0, 1 << 52, 1e-3, 1e-5, curve)]),
            [1 << 51, 1 << 52, (1 << 52) - 20_000, MAX_STEP - 3000],
        ));
        let part = Segment {
            start: 0,
            length: 5000,
            origin: 9000,
            reversed: true,
            ..Segment::falling(0, 20_000, 1.0, 0.0, curve)
        };
        let stairs = Segment { start: 6000, quantum: Some(37), length: 100, origin: 120, ..part };
        let track = Track::of(vec![part, stairs]);
        for (form, repetition) in [
            ("", Repetition::None),
            (", restarted", Repetition::Restart { period: 11_000 }),
            (", reflected", Repetition::Reflect { period: 11_000 }),
        ] {
            let track = Track { repetition, advance: 17, ..track.clone() };
            cases.push(case(
                format!("{name}, in pieces{form}"),
                of_stage(Stage::of(track)),
                [4983, 5983, 9683, 10_983, 21_983, 32_983, MAX_STEP - 100],
            ));
        }
    }
    cases.extend(endless_curves());
    cases.extend(compositions());
    cases.extend(extremes());
    cases
}

fn endless_curves() -> Vec<Case> {
    let power = |exponent| Curve::Power { exponent, warp: 1.0 };
    let shifted = |origin, segment| Segment { origin, ..segment };
    vec![
        case("inverse square root", of_segments(vec![shifted(1, endless(power(-0.5), 1.0, 0.5))]), [1000]),
        case(
            "inverse square root, far origin",
            of_segments(vec![shifted(1 << 50, endless(power(-0.5), 1e-9, 0.5))]),
            [],
        ),
        case(
            "exponential decay",
            of_segments(vec![endless(Curve::Exponential, -1e-4, 0.1)]),
            [100_000, 1_500_000, 11_000_000],
        ),
        case(
            "exponential decay to a floor",
            {
                let segment = Segment { base: 1e-5.into(), ..endless(Curve::Exponential, -1e-3, 0.1) };
                of_segments(vec![segment])
            },
            [10_000, 60_000, 2_000_000],
        ),
        case(
            "exponential growth",
            of_segments(vec![endless(Curve::Exponential, 1e-3, 1e-30)]),
            [226_000, 200_000, 1_200_000],
        ),
        case(
            "staircase",
            of_segments(vec![Segment { quantum: Some(30), ..endless(Curve::Exponential, -0.15, 0.1) }]),
            [3000, 29_999],
        ),
        case(
            "logistic",
            of_segments(vec![Segment {
                base: 1.0.into(),
                ..endless(Curve::Logistic { offset: DoubleDouble::from(-20.0) }, 1e-3, 0.1)
            }]),
            [20_000, 70_000],
        ),
        case(
            "logistic fall",
            of_segments(vec![endless(Curve::Logistic { offset: DoubleDouble::from(-60.0) }, 1e-3, 0.1)]),
            [2000, 20_000, 60_000],
        ),
        case("inverse time", of_segments(vec![endless(Curve::Rational { rising: false }, 0.01, 0.1)]), [100_000]),
        case("rex", of_segments(vec![endless(Curve::Rational { rising: true }, 0.003, 0.1)]), [100_000]),
    ]
}

fn compositions() -> Vec<Case> {
    let cosine = |length| Track {
        repetition: Repetition::Restart { period: length },
        ..Track::of(vec![Segment::falling(0, length, 1.0, 0.01, Curve::Cosine)])
    };
    let decay = Track::of(vec![endless(Curve::Exponential, -1e-4, 1.0)]);
    let stairs = Track::of(vec![Segment { quantum: Some(500), ..endless(Curve::Exponential, -0.1, 1.0) }]);
    let triangle = Track {
        repetition: Repetition::Reflect { period: 700 },
        ..Track::of(vec![Segment::rising(0, 700, 0.0, 1.0, Curve::Linear)])
    };
    let bounded = |lower, upper, track: &Track| Track { clamp: Clamp { lower, upper }, ..track.clone() };
    let stage = |tracks: Vec<Track>| Stage { tracks, scale: 3e-4.into(), ..Stage::of(decay.clone()) };
    let clamped = |lower, upper, stage: Stage| Stage { clamp: Clamp { lower, upper }, ..stage };
    let offset = |offset: f64, stage: Stage| Stage { offset: offset.into(), ..stage };
    let product = vec![cosine(3000), decay.clone(), triangle.clone(), stairs.clone()];
    let on_epochs = of_stage(stage(vec![cosine(300), decay.clone()])).with_quantum(7).unwrap();
    let warmup = Stage::of(Track::of(vec![Segment::rising(0, 4000, 1e-7, 3e-4, Curve::Linear)]));
    let later = Stage { start: 4000, ..stage(vec![cosine(3000), decay.clone()]) };
    let last = Stage { start: 30_000, ..stage(product.clone()) };
    vec![
        case("product of four", of_stage(stage(product.clone())), [3000, 6000, 700, 1400, 500]),
        case(
            "product and offset that cancel",
            of_stage(offset(-1e-4, stage(vec![cosine(50_000), decay.clone()]))),
            [50_000, 20_000],
        ),
        case(
            "bounded tracks",
            of_stage(stage(vec![bounded(0.2, 0.9, &cosine(3000)), bounded(0.1, 0.5, &decay)])),
            [3000, 23_000],
        ),
        case("bounded stage", of_stage(clamped(2e-5, 1e-4, stage(product.clone()))), [3000, 700, 1400]),
        case(
            "bound on a midpoint",
            of_stage(clamped(
                0.0,
                257.0 / 4096.0,
                offset(0.0, Stage { scale: DoubleDouble::ONE, ..stage(vec![cosine(40_000), decay.clone()]) }),
            )),
            [40_000],
        ),
        case("clock of seven", on_epochs, [2100, 7, 21_000]),
        case("three stages", Program::new(vec![warmup, later, last]).unwrap(), [4000, 7000, 30_000, 33_000]),
        case(
            "cycles of one",
            of_stage(stage(vec![Track { repetition: Repetition::Restart { period: 1 }, ..decay.clone() }])),
            [5],
        ),
        case(
            "short cycles",
            of_stage(stage(vec![Track { repetition: Repetition::Reflect { period: 3 }, ..decay.clone() }, cosine(11)])),
            [50],
        ),
    ]
}

fn extremes() -> Vec<Case> {
    let length = 20_000;
    let fall = |from: f64, to: f64, curve| of_segments(vec![Segment::falling(0, length, from, to, curve)]);
    let mut cases = vec![
        case(
            "bf16 midpoint held at the top",
            fall(257.0, 0.0, Curve::Logistic { offset: DoubleDouble::from(-90.0) }),
            [length],
        ),
        case(
            "f32 midpoints all along",
            fall(16_777_216.0 * 2.0 + 20_000.0, 16_777_216.0 * 2.0, Curve::Linear),
            [length],
        ),
    ];
    for (name, from) in [
        ("f32 subnormal", 1e-38),
        ("f32 least subnormals", 3e-44),
        ("f16 subnormal", 6.2e-5),
        ("f16 least subnormals", 3e-7),
        ("overflow of f16", 65_600.0),
        ("overflow of f32", 3.5e38),
        ("f64 only", 1e300),
        ("f64 subnormal", 1e-310),
        ("negative", -1e-3),
    ] {
        for (shape, curve) in
            [("linear", Curve::Linear), ("cosine", Curve::Cosine), ("power", Curve::Power { exponent: 2.5, warp: 1.0 })]
        {
            cases.push(case(format!("{name}, {shape}"), fall(from, from * 1e-3, curve), [length]));
        }
    }
    cases
}
