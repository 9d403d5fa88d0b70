//! Random numbers for schedules, typical and extreme ones.

use super::Choices;
use lrgrid::program::MAX_STEP;

/// A learning rate, or something else that may have any size and sign.
pub(super) fn value(choices: &mut Choices<'_>) -> f64 {
    match choices.below(40) {
        0..=5 => choices.pick([1.0, 0.1, 1e-3, 3e-4, 1e-5, 0.5]),
        6..=11 => 0.0,
        12..=13 => -choices.power_of_ten(-6.0, 0.0),
        14 => choices.pick([-1.0, -0.5, -1e-3, -2.0]),
        15..=16 => extreme(choices),
        17..=25 => rounded(choices.power_of_ten(-7.0, 0.5)),
        _ => choices.power_of_ten(-7.0, 0.5),
    }
}

/// A value at or beyond the ends of a type.
fn extreme(choices: &mut Choices<'_>) -> f64 {
    let magnitude = match choices.below(8) {
        0 => choices.power_of_ten(-300.0, 300.0),
        // Subnormal in f32, and just above.
        1 => choices.power_of_ten(-46.0, -37.0),
        2 => choices.power_of_ten(-8.0, -4.0),
        3 => choices.power_of_ten(3.0, 6.0),
        4 => choices.power_of_ten(36.0, 40.0),
        5 => f64::from_bits(1 + choices.below((1 << 52) - 1)),
        6 => choices.pick([f64::from(f32::MAX), f64::from(f32::MIN_POSITIVE), 65_504.0, 65_520.0, 2f64.powi(-149)]),
        _ => choices.pick([1e-300, 1e300, f64::MIN_POSITIVE, 5e-324, 1e30]),
    };
    if choices.percent(20) { -magnitude } else { magnitude }
}

/// To two digits, as people write numbers.
fn rounded(number: f64) -> f64 {
    format!("{number:.1e}").parse().unwrap_or(number)
}

/// Where a move begins and ends.
pub(super) fn ends(choices: &mut Choices<'_>) -> (f64, f64) {
    let start = value(choices);
    let end = match choices.below(10) {
        0..=3 => 0.0,
        4..=5 => start * choices.pick([0.1, 0.01, 1e-4, 0.5]),
        6 => choices.pick([start, -start, start * (1.0 + 1e-12), start.next_down()]),
        _ => value(choices),
    };
    if choices.percent(20) { (end, start) } else { (start, end) }
}

/// Two values with an exponential between them.
pub(super) fn geometric_ends(choices: &mut Choices<'_>) -> (f64, f64) {
    let nonzero = |value: f64| if value == 0.0 { 1e-3 } else { value };
    let (from, to) = (nonzero(value(choices)), nonzero(value(choices)));
    (from, to.abs().copysign(from))
}

/// A number of steps, at least 1 and at most `most`.
pub(super) fn length(choices: &mut Choices<'_>, most: u64) -> u64 {
    let steps = match choices.below(40) {
        0..=4 => choices.pick([100, 1000, 10_000, 300, 50]),
        5..=10 => 1 + choices.below(12),
        11 => choices.pick([1 << 10, 1 << 16, 1 << 24, 1 << 32, (1 << 24) + 1]),
        12..=14 => choices.power_of_ten(5.0, 9.0) as u64,
        15..=16 => choices.power_of_ten(9.0, 15.9) as u64,
        17 => choices.pick([MAX_STEP, MAX_STEP - 1, MAX_STEP / 2, MAX_STEP / 3]),
        _ => choices.power_of_ten(1.0, 5.0) as u64,
    };
    steps.clamp(1, most.max(1))
}

/// A power, above 0.
pub(super) fn exponent(choices: &mut Choices<'_>) -> f64 {
    match choices.below(20) {
        0..=6 => choices.pick([1.0, 2.0, 0.5, 0.25, 0.9, 3.0, 0.3]),
        7..=8 => choices.power_of_ten(-3.0, 3.0),
        9 => choices.power_of_ten(-12.0, 12.0),
        _ => choices.between(0.1, 4.0),
    }
}

/// A ratio per step or drop, above 0.
pub(super) fn ratio(choices: &mut Choices<'_>) -> f64 {
    match choices.below(20) {
        0..=6 => choices.pick([0.5, 0.1, 0.9, 0.96, 0.99, 0.999, 1.0]),
        7..=8 => choices.pick([2.0, 1.1, 1.5, 1.02, 10.0]),
        9 => choices.pick([1.0 - 1e-12, 1.0 + 1e-9, 1.0 - f64::EPSILON, 1e-10, 1e10]),
        10 => choices.power_of_ten(-300.0, 300.0),
        11..=14 => 1.0 - choices.power_of_ten(-8.0, -1.0),
        _ => choices.between(0.05, 1.2),
    }
}

/// A share, from 0 to 1.
pub(super) fn share(choices: &mut Choices<'_>) -> f64 {
    match choices.below(4) {
        0 => choices.pick([0.3, 0.0, 1.0, 0.5, 0.1]),
        _ => choices.unit(),
    }
}

/// Steps in strictly rising order, the first at least `first`, all at most `most`; fewer where there is no room.
pub(super) fn rising(choices: &mut Choices<'_>, count: usize, first: u64, most: u64) -> Vec<u64> {
    let mut at = first;
    let mut steps = Vec::with_capacity(count);
    for _ in 0..count {
        at += if steps.is_empty() && choices.percent(30) { 0 } else { length(choices, most) - 1 };
        if at > most {
            break;
        }
        steps.push(at);
        at += 1;
    }
    steps
}
