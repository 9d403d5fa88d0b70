//! Random parameters for every combinator, and its inner schedules.

use super::numbers::{length, rising, value};
use super::{Choices, Nesting, kinds, schedule};
use lrgrid::program::MAX_STEP;
use lrgrid::schedule::*;

/// A combinator of the kind that an example is of.
pub(super) fn like(example: &Schedule, nesting: Nesting, choices: &mut Choices<'_>) -> Schedule {
    let within = nesting.within();
    match example {
        Schedule::Sequence(_) => sequence(within, choices).into(),
        Schedule::Warmup(_) => warmup(within, choices).into(),
        Schedule::Product(_) => Product { factors: factors(within, choices) }.into(),
        Schedule::Sum(_) => {
            let count = 1 + choices.below(4);
            Sum { terms: (0..count).map(|_| schedule(within, choices)).collect() }.into()
        }
        Schedule::Scale(_) => {
            let offset = if choices.percent(40) { value(choices) } else { 0.0 };
            Scale { by: value(choices), of: Box::new(schedule(within, choices)), offset }.into()
        }
        Schedule::Clamp(_) => clamp(within, choices).into(),
        Schedule::Delay(_) => {
            let steps = if choices.percent(10) { 0 } else { length(choices, within.most) };
            Delay { steps, of: Box::new(schedule(within, choices)) }.into()
        }
        Schedule::Clock(_) => clock(within, choices).into(),
        Schedule::Restarts(_) => restarts(within, choices).into(),
        Schedule::Until(_) => {
            let last = length(choices, nesting.most) - 1;
            Until { last, of: Box::new(schedule(within, choices)) }.into()
        }
        Schedule::Cycle(_) => {
            let mode = choices.pick([CycleMode::Restart, CycleMode::Reflect, CycleMode::RestartAfter]);
            Cycle { of: Box::new(finite(within, choices)), mode }.into()
        }
        leaf => kinds::like(leaf, nesting, choices),
    }
}

/// A schedule with a length of its own.
fn finite(nesting: Nesting, choices: &mut Choices<'_>) -> Schedule {
    let of = schedule(nesting, choices);
    match of.length() {
        Some(1..=MAX_STEP) => of,
        _ => Until { last: length(choices, nesting.most) - 1, of: Box::new(of) }.into(),
    }
}

fn sequence(nesting: Nesting, choices: &mut Choices<'_>) -> Sequence {
    let count = 1 + choices.below(4) as usize;
    if choices.percent(60) {
        let boundaries = rising(choices, count - 1, 1, nesting.most);
        let pieces = (0..=boundaries.len()).map(|_| schedule(nesting, choices)).collect();
        return Sequence { pieces, boundaries: Some(boundaries) };
    }
    // All but the last have to end, and all in time.
    let share = Nesting { most: (nesting.most / count as u64).max(1), ..nesting };
    let mut pieces: Vec<Schedule> = (1..count).map(|_| finite(share, choices)).collect();
    pieces.push(schedule(share, choices));
    Sequence { pieces, boundaries: None }
}

fn warmup(nesting: Nesting, choices: &mut Choices<'_>) -> Warmup {
    let steps = if choices.percent(10) { 0 } else { length(choices, nesting.most) };
    let shape = choices.pick([WarmupShape::Linear, WarmupShape::Cosine, WarmupShape::Exponential]);
    let (then, overlay) = (Box::new(schedule(nesting, choices)), choices.percent(40));
    let mut start = if choices.percent(50) { value(choices) } else { 0.0 };
    if shape == WarmupShape::Exponential {
        let target = then.value(if overlay { steps } else { 0 });
        // There is an exponential between two values of one sign only.
        start = if start == 0.0 { target * 0.01 } else { start.abs().copysign(target) };
    }
    Warmup { steps, start, shape, then, overlay }
}

/// Up to four, one of them often a constant.
fn factors(nesting: Nesting, choices: &mut Choices<'_>) -> Vec<Schedule> {
    let count = 1 + choices.below(4);
    let mut factors: Vec<Schedule> = (0..count).map(|_| schedule(nesting, choices)).collect();
    // A factor that is itself a product with an offset has no lowered form: most of the time, take another.
    let whole = |factors: &[Schedule]| lowers(&Product { factors: factors.to_vec() }.into());
    while !whole(&factors) && factors.len() > 1 && choices.percent(90) {
        factors.pop();
    }
    factors
}

fn clamp(nesting: Nesting, choices: &mut Choices<'_>) -> Clamp {
    let of = Box::new(schedule(nesting, choices));
    // Bounds that bind: between values that the schedule has.
    let mut bound = || match of.length() {
        Some(length) if choices.percent(70) => {
            let value = of.value(choices.below(length.clamp(1, MAX_STEP)));
            if value.is_finite() { value } else { 0.0 }
        }
        _ => value(choices),
    };
    let (a, b) = (bound(), bound());
    match choices.below(3) {
        0 => Clamp { min: Some(a), max: None, of },
        1 => Clamp { min: None, max: Some(a), of },
        _ => Clamp { min: Some(a.min(b)), max: Some(a.max(b)), of },
    }
}

fn clock(nesting: Nesting, choices: &mut Choices<'_>) -> Clock {
    let mut speed = || match choices.below(10) {
        0..=3 => 1.0,
        4..=5 => choices.pick([2.0, 3.0, 4096.0, 32.0, 4_194_304.0]),
        6 => choices.pick([0.7, 1.5, 0.1, 1.3, 2.25, 1e-10, 1e9, 1.0 / 3.0]),
        7 => choices.power_of_ten(-10.0, 10.0),
        8 => choices.power_of_ten(-2.0, 2.0),
        _ => choices.below(100) as f64 + 1.0,
    };
    let (multiplier, divisor) = (speed(), speed());
    let ahead = match choices.below(8) {
        0..=3 => 0.0,
        4 => length(choices, nesting.most) as f64,
        5 => -(length(choices, nesting.most) as f64),
        6 => choices.between(-100.0, 100.0),
        _ => choices.pick([0.5, 0.1, -0.5, 0.25]),
    };
    let of = Box::new(schedule(nesting, choices));
    let clock = Clock { multiplier, ahead, divisor, of };
    if lowers(&clock.clone().into()) || choices.percent(10) {
        return clock;
    }
    // Stairs and cycles have a lowered form on clocks of whole numbers only.
    Clock { multiplier: 1.0, ahead: ahead.abs().round(), divisor: divisor.ceil(), of: clock.of }
}

/// How much longer each cycle is than the one before.
pub(super) fn growth(choices: &mut Choices<'_>) -> f64 {
    match choices.below(12) {
        0..=4 => 1.0,
        5..=7 => choices.pick([2.0, 3.0, 1.5, 1.25]),
        8 => choices.pick([1.01, 1.1, 10.0, 1e10]),
        9 => choices.power_of_ten(0.01, 10.0),
        _ => choices.between(1.05, 4.0),
    }
}

fn restarts(nesting: Nesting, choices: &mut Choices<'_>) -> Restarts {
    let (multiplier, decay) = (growth(choices), kinds::height(choices));
    let restarts = Restarts { of: Box::new(finite(nesting, choices)), multiplier, decay };
    if lowers(&restarts.clone().into()) || choices.percent(10) {
        return restarts;
    }
    // Cycles that grow cannot have stairs and cycles within.
    Restarts { multiplier: 1.0, ..restarts }
}

/// Whether a schedule has a lowered form.
fn lowers(schedule: &Schedule) -> bool {
    schedule.validate().is_ok() && schedule.lower().is_ok()
}
