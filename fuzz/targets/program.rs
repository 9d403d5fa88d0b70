//! Programs of any make that the lowered form allows, packed and evaluated by every engine without a GPU.

use arbitrary::{Result, Unstructured};
use lrgrid::curve::Curve;
use lrgrid::double_double::DoubleDouble;
use lrgrid::program::{Clamp, MAX_STEP, MAX_TRACKS, Program, Repetition, Segment, Stage, Track};
use lrgrid::{Batch, Cpu, Evaluate, Reference, Steps};

use super::check_message;

/// The most stages of a program, and segments of a track.
const MOST_PARTS: usize = 4;

/// Numbers at the ends of their types, and ordinary ones.
const NUMBERS: [f64; 16] = [
    0.0,
    1.0,
    -1.0,
    0.5,
    3e-4,
    -0.1,
    1e-12,
    1e12,
    f64::MIN_POSITIVE,
    5e-324,
    1e-38,
    3.4e38,
    1e300,
    f64::MAX,
    -f64::MAX,
    f64::EPSILON,
];

/// A program, built from the input; whether it was packed.
pub fn program(input: &[u8]) -> bool {
    let mut input = Unstructured::new(input);
    let Ok((quantum, stages)) = build(&mut input) else { return false };
    let program = Program::new(stages).and_then(|program| program.with_quantum(quantum));
    let batch = match program.map_err(Into::into).and_then(|program| Batch::from_programs([&program])) {
        Ok(batch) => batch,
        Err(error) => {
            check_message(&error.to_string());
            return false;
        }
    };
    let first = input.int_in_range(0..=MAX_STEP - 200).unwrap_or(0);
    for steps in [Steps::range(first..first + 70), Steps::list([0, 1, 2, first, MAX_STEP - 1, MAX_STEP])] {
        let narrow: Vec<f32> = Cpu::new().unwrap().evaluate(&batch, &steps).unwrap();
        let wide: Vec<f64> = Cpu::new().unwrap().evaluate(&batch, &steps).unwrap();
        let reference: Vec<f32> = Reference.evaluate(&batch, &steps).unwrap();
        assert_eq!((narrow.len(), wide.len()), (reference.len(), steps.len()));
    }
    true
}

fn build(input: &mut Unstructured<'_>) -> Result<(u64, Vec<Stage>)> {
    let mut start = 0;
    let stages = (0..input.int_in_range(1..=MOST_PARTS)?).map(|index| {
        if index > 0 {
            start = later(input, start)?;
        }
        Ok(Stage { start, ..stage(input)? })
    });
    let stages = stages.collect::<Result<_>>()?;
    let quantum = if input.ratio(1, 4)? { input.int_in_range(1..=1 << 40)? } else { 1 };
    Ok((quantum, stages))
}

fn stage(input: &mut Unstructured<'_>) -> Result<Stage> {
    let tracks = (0..input.int_in_range(1..=MAX_TRACKS)?).map(|_| track(input)).collect::<Result<_>>()?;
    let scaled = input.ratio(1, 3)?;
    Ok(Stage {
        start: 0,
        offset: if scaled { number(input)?.into() } else { DoubleDouble::ZERO },
        scale: if scaled { number(input)?.into() } else { DoubleDouble::ONE },
        tracks,
        summed: input.arbitrary()?,
        clamp: clamp(input)?,
    })
}

fn track(input: &mut Unstructured<'_>) -> Result<Track> {
    let mut start = 0;
    let segments = (0..input.int_in_range(1..=MOST_PARTS)?).map(|index| {
        if index > 0 {
            start = later(input, start)?;
        }
        segment(input, start)
    });
    let segments = segments.collect::<Result<_>>()?;
    let period = count(input)?.max(1);
    let repetition = *input.choose(&[
        Repetition::None,
        Repetition::None,
        Repetition::Restart { period },
        Repetition::Reflect { period },
    ])?;
    let advance = if input.ratio(1, 4)? { count(input)? } else { 0 };
    Ok(Track { segments, advance, repetition, clamp: clamp(input)? })
}

fn segment(input: &mut Unstructured<'_>, start: u64) -> Result<Segment> {
    let curve = curve(input)?;
    let length = count(input)?;
    let reversed = input.arbitrary()?;
    // Most curves are for a phase of 0 to 1.
    let span = match curve {
        Curve::Exponential | Curve::ExponentialMinusOne | Curve::Logistic { .. } => {
            input.int_in_range(-90..=90)? as f64
        }
        Curve::Rational { .. } => *input.choose(&[1.0, 1e-6, 1e9])?,
        _ => 1.0,
    };
    let quantum = if input.ratio(1, 4)? { Some(count(input)?.max(1)) } else { None };
    Ok(Segment {
        start,
        length,
        quantum,
        origin: if reversed { length } else { 0 },
        lead: 0,
        reversed,
        rate: DoubleDouble::from(span) / DoubleDouble::from(length.max(1)),
        base: number(input)?.into(),
        amplitude: number(input)?.into(),
        curve,
    })
}

fn curve(input: &mut Unstructured<'_>) -> Result<Curve> {
    let positive = [1.0, 0.5, 2.0, 7.3, 41.0, 1e-3, 120.0];
    let (exponent, warp) = (*input.choose(&positive)?, *input.choose(&[1.0, 1.0, 0.5, 2.0, 120.0, 0.01])?);
    let octaves = *input.choose(&[1e-4, 0.9, 3.3, 110.0])?;
    Ok(*input.choose(&[
        Curve::Hold,
        Curve::Linear,
        Curve::Power { exponent, warp },
        Curve::Cosine,
        Curve::CosinePower { exponent, warp },
        Curve::CosineExponential { octaves: octaves.into() },
        Curve::Exponential,
        Curve::ExponentialMinusOne,
        Curve::Logistic { offset: (-octaves).into() },
        Curve::Rational { rising: false },
        Curve::Rational { rising: true },
    ])?)
}

fn clamp(input: &mut Unstructured<'_>) -> Result<Clamp> {
    if !input.ratio(1, 4)? {
        return Ok(Clamp::NONE);
    }
    let (one, other) = (number(input)?, number(input)?);
    Ok(Clamp { lower: one.min(other), upper: one.max(other) })
}

fn number(input: &mut Unstructured<'_>) -> Result<f64> {
    if input.ratio(1, 2)? {
        return Ok(*input.choose(&NUMBERS)?);
    }
    let number: f64 = input.arbitrary()?;
    Ok(if number.is_finite() { number } else { 0.25 })
}

/// A number of steps: mostly few, sometimes as many as there may be.
fn count(input: &mut Unstructured<'_>) -> Result<u64> {
    match input.int_in_range(0..=7_u8)? {
        0 => Ok(0),
        1 => input.int_in_range(0..=MAX_STEP),
        2 => input.int_in_range(0..=1 << 20),
        _ => input.int_in_range(0..=200),
    }
}

/// A start behind another.
fn later(input: &mut Unstructured<'_>, start: u64) -> Result<u64> {
    Ok(start.saturating_add(count(input)?.max(1)))
}
