//! Cycles that grow or shrink by a ratio, and the steps at which libraries that compute cycles by logarithms restart.

use super::arguments::refused;
use super::pieces::over;
use crate::double_double::DoubleDouble;
use crate::error::SpecError;
use crate::program::MAX_STEP;
use crate::schedule::Schedule;

/// The most cycles that are written out.
pub(super) const MOST_WRITTEN: usize = 4000;

/// The most cycles that are examined; short ones may lie between two steps.
const MOST_SEEN: u64 = 1 << 20;

/// Beyond this step, logarithms in f64 do not distinguish single steps.
const SHARP: u64 = 1 << 40;

/// A factor of at least 0 to an integer power.
pub(super) fn power(factor: f64, exponent: u64) -> f64 {
    DoubleDouble::from(factor).powf(DoubleDouble::from(exponent)).high()
}

/// A cycle with at least one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Cycle {
    /// Its index, from 0.
    pub(super) index: u64,
    /// Its first step.
    pub(super) first: u64,
    /// The position of that step within the cycle.
    ahead: f64,
    /// Its length relative to that of the first cycle.
    growth: f64,
}

/// All cycles of a schedule.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Cycles {
    pub(super) cycles: Vec<Cycle>,
    /// For cycles that shrink, the last step at which the logarithm's argument is positive.
    pub(super) last: Option<u64>,
    /// Whether some restart is not at the beginning of its cycle.
    pub(super) missed: bool,
}

/// The index of the cycle that `floor(log(1 - t / period * (1 - ratio), ratio))` yields in f64.
fn found(step: u64, period: u64, ratio: f64) -> Option<f64> {
    let argument = 1.0 - step as f64 / period as f64 * (1.0 - ratio);
    let log = |number: f64| (DoubleDouble::from(number).log2() * DoubleDouble::LN_2).high();
    (argument > 0.0).then(|| (log(argument) / log(ratio)).floor())
}

/// Cycles of `period·ratio^i` steps each, for a ratio above 0 other than 1: at most `count` of them, and the one after
/// them. With `logarithms`, they restart where [`found`] says so.
pub(super) fn cycles(period: u64, ratio: f64, count: u64, logarithms: bool) -> Result<Cycles, SpecError> {
    let mut all = Cycles { cycles: Vec::new(), last: last_step(period, ratio), missed: false };
    let end = all.last.unwrap_or(MAX_STEP);
    let (mut begins, mut growth) = (DoubleDouble::ZERO, DoubleDouble::ONE);
    for index in 0..=count {
        // For an integer ratio the sums of powers are integers; their rounding must not move them across a step.
        let near = begins.high().round();
        let on_a_step = (begins - near).high().abs() <= 1e-9 * (1.0 - ratio).abs().min(1.0);
        let begin = if on_a_step { near } else { begins.high().ceil() };
        if begin > end as f64 {
            return Ok(all);
        }
        let nominal = begin as u64;
        let first = if logarithms && nominal < SHARP { restart(nominal, index, period, ratio) } else { nominal };
        all.missed |= first != nominal;
        if all.cycles.last().is_some_and(|before| before.first >= first) {
            all.cycles.pop();
        }
        let ahead = if on_a_step { first as f64 - near } else { (DoubleDouble::from(first) - begins).high() };
        all.cycles.push(Cycle { index, first, ahead, growth: growth.high() });
        if all.cycles.len() > MOST_WRITTEN || index >= MOST_SEEN {
            let message = format!("{ratio} makes more than {MOST_WRITTEN} cycles, each of another length");
            return refused("", message);
        }
        begins = begins + growth * DoubleDouble::from(period);
        growth = growth * ratio;
        // The rest of a convergent sum is too small to move a step.
        if ratio < 1.0 && growth.high() * period as f64 <= 1e-12 {
            return Ok(all);
        }
    }
    Ok(all)
}

/// The step at which the logarithm first yields cycle `index`, near the cycle's beginning.
fn restart(nominal: u64, index: u64, period: u64, ratio: f64) -> u64 {
    let reached = |step: u64| found(step, period, ratio).is_none_or(|found| found >= index as f64);
    let late = (nominal..nominal + 4).find(|&step| reached(step)).unwrap_or(nominal);
    if index == 0 || late > nominal {
        return late;
    }
    (nominal.saturating_sub(4)..nominal).find(|&step| reached(step)).unwrap_or(nominal)
}

/// The last step of all cycles, if their total length is finite.
fn last_step(period: u64, ratio: f64) -> Option<u64> {
    let sum = period as f64 / (1.0 - ratio);
    if ratio >= 1.0 || sum >= MAX_STEP as f64 {
        return None;
    }
    let near = sum as u64;
    (near.saturating_sub(4)..near + 4).rev().find(|&step| found(step, period, ratio).is_some())
}

impl Cycle {
    /// This cycle, from its first step on, of the schedule that `body` builds for a number of steps.
    pub(super) fn of(&self, period: u64, body: impl Fn(u64) -> Schedule) -> Schedule {
        over(self.growth * period as f64, self.ahead, body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Restarts that CPython misses, and those it finds, from its own `math.floor(math.log(x, ratio))`.
    #[test]
    fn restarts_are_where_the_logarithm_finds_them() {
        let firsts = |period, ratio| -> Vec<u64> {
            cycles(period, ratio, 10, true)
                .unwrap_or_else(|error| panic!("{error}"))
                .cycles
                .iter()
                .map(|c| c.first)
                .collect()
        };
        assert_eq!(firsts(5, 3.0), [0, 5, 20, 65, 200, 606, 1820, 5465, 16400, 49205, 147_621]);
        assert_eq!(firsts(5, 10.0)[..7], [0, 5, 55, 556, 5555, 55_555, 555_556]);
        assert_eq!(firsts(10, 2.0)[..5], [0, 10, 30, 70, 150]);
        assert_eq!(firsts(8, 1.5)[..6], [0, 8, 20, 38, 65, 106]);
    }

    #[test]
    fn cycles_that_shrink_have_an_end() -> Result<(), SpecError> {
        let halves = cycles(8, 0.5, u64::MAX, true)?;
        assert_eq!(halves.last, Some(15));
        assert_eq!(halves.cycles.iter().map(|cycle| cycle.first).collect::<Vec<_>>(), [0, 8, 12, 14, 15]);
        assert!(cycles(1 << 40, 0.999_999, u64::MAX, true).is_err());
        Ok(())
    }
}
