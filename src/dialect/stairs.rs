//! Drops at regular intervals that need not be integers.

use super::arguments::refused;
use super::cycles::power;
use super::pieces::{constant, drops};
use crate::double_double::DoubleDouble;
use crate::error::SpecError;
use crate::program::MAX_STEP;
use crate::schedule::{Cycle, CycleMode, PiecewiseConstant, Product, Schedule, Sequence, Step};

/// The most drops in a pattern that repeats after an integer number of steps.
const MOST_DROPS: u64 = 1000;

/// The treatment of rounding in a quotient that should be an integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quotient {
    /// The exact quotient is floored: 11 is less than ten times the f64 1.1, which is slightly more than 1.1.
    Exact,
    /// The quotient is that of the decimal length as written.
    Rounded,
}

/// `start·rate^⌊s/length⌋`, for a rate of at least 0 and a length above 0.
pub(super) fn stairs(start: f64, rate: f64, length: f64, quotient: Quotient) -> Result<Schedule, SpecError> {
    if rate == 1.0 {
        return Ok(constant(start));
    }
    if rate == 0.0 || length.fract() == 0.0 {
        return Ok(drops(start, rate, length.ceil() as u64));
    }
    let Some((steps, count)) = ratio(length) else {
        let message =
            format!("{length} is no simple fraction of steps: drops come after p/q steps, q at most {MOST_DROPS}");
        return refused("", message);
    };
    let beyond = (DoubleDouble::exact_product(length, count as f64) - steps as f64).high() > 0.0;
    if beyond && quotient == Quotient::Exact {
        // A drop that should be at a step occurs one step later, as if every step were the one before.
        let later = pattern(start, rate, steps, count, |drop| drop * steps / count);
        return Ok(Sequence { pieces: vec![constant(start), later], boundaries: Some(vec![1]) }.into());
    }
    Ok(pattern(start, rate, steps, count, |drop| (drop * steps).div_ceil(count)))
}

/// A repeated pattern of `drops` drops in `steps` steps; drop `k` of a round is at its step `at(k)`.
fn pattern(start: f64, rate: f64, steps: u64, drops: u64, at: impl Fn(u64) -> u64) -> Schedule {
    let factor = |drops| power(rate, drops);
    let (mut values, mut boundaries) = (vec![1.0], Vec::new());
    for drop in 1..drops {
        match (at(drop), boundaries.last()) {
            (0, _) => {}
            (step, Some(&last)) if step == last => _ = values.pop(),
            (step, _) => boundaries.push(step),
        }
        match boundaries.len() {
            0 => values[0] = factor(drop),
            _ => values.push(factor(drop)),
        }
    }
    // The end of the round, which is the beginning of the next.
    if boundaries.last() == Some(&steps) {
        values.pop();
    } else {
        boundaries.push(steps);
    }
    values.push(factor(drops));
    let within = Cycle { of: Box::new(PiecewiseConstant { values, boundaries }.into()), mode: CycleMode::Restart };
    let rounds = Step { start, decay_rate: factor(drops), step_size: steps };
    Product { factors: vec![rounds.into(), within.into()] }.into()
}

/// The fraction with the least denominator that rounds to this number.
fn ratio(number: f64) -> Option<(u64, u64)> {
    (2..=MOST_DROPS).find_map(|below| {
        let above = (number * below as f64).round();
        (above >= 1.0 && above <= MAX_STEP as f64 / 2.0 && above / below as f64 == number)
            .then_some((above as u64, below))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drops_come_where_floored_quotients_change() -> Result<(), SpecError> {
        for (steps, drops) in
            [(12, 5), (5, 2), (11, 10), (1, 2), (3, 10), (29, 4), (1, 3), (47, 10), (63, 5), (10_001, 10)]
        {
            let length = steps as f64 / drops as f64;
            let (exact, meant) =
                (stairs(1.0, 0.5, length, Quotient::Exact)?, stairs(1.0, 0.5, length, Quotient::Rounded)?);
            exact.validate()?;
            for step in 0..300_u64 {
                let halved = |times: u64| power(0.5, times);
                assert_eq!(meant.value(step), halved(step * drops / steps), "{step} // ({steps}/{drops})");
                let times = step * drops / steps;
                let reached = DoubleDouble::exact_product(length, times as f64) <= DoubleDouble::from(step);
                assert_eq!(exact.value(step), halved(times - u64::from(!reached)), "{step} // {length}");
            }
        }
        assert!(stairs(1.0, 0.5, std::f64::consts::PI, Quotient::Exact).is_err());
        Ok(())
    }
}
