//! Cosine waves that continue past their end.

use crate::dialect::pieces::constant;
use crate::double_double::DoubleDouble;
use crate::program::MAX_STEP;
use crate::schedule::{Clock, Cosine, Cycle, CycleMode, Interpolation, Knot, PiecewiseInterpolate, Schedule, Until};

/// Half waves that are written out at most.
const MOST_HALF_WAVES: u64 = 2000;

/// The fraction with the least denominator that rounds to a positive number, if its parts are small.
fn simplest_fraction(number: f64) -> Option<(u64, u64)> {
    // The convergents of the continued fraction.
    let (mut before, mut last) = ((0_u64, 1_u64), (1_u64, 0_u64));
    let mut rest = DoubleDouble::from(number);
    loop {
        let whole = rest.high().floor();
        if whole >= MAX_STEP as f64 {
            return None;
        }
        let part = whole as u64;
        let next = (part.checked_mul(last.0)?.checked_add(before.0)?, part.checked_mul(last.1)?.checked_add(before.1)?);
        if next.0 > MAX_STEP || next.1 > MAX_STEP {
            return None;
        }
        (before, last) = (last, next);
        if last.0 as f64 / last.1 as f64 == number {
            return Some(last);
        }
        rest = DoubleDouble::ONE / (rest - whole);
    }
}

fn greatest_common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

/// Whole half waves in a whole number of steps: how many of each.
fn whole_half_waves(length: f64, half_waves: f64) -> Option<(u64, u64)> {
    if length.fract() != 0.0 || length > MAX_STEP as f64 {
        return None;
    }
    let (waves, lengths) = simplest_fraction(half_waves)?;
    let steps = (length as u64).checked_mul(lengths)?;
    let common = greatest_common_divisor(steps, waves);
    let (waves, steps) = (waves / common, steps / common);
    (waves <= MOST_HALF_WAVES && steps <= MAX_STEP).then_some((waves, steps))
}

/// Knots of the first half waves, `steps` for `waves` of them, beginning `ahead` steps before 0.
fn knots(top: f64, bottom: f64, steps: f64, waves: f64, ahead: f64, count: u64) -> Vec<Knot> {
    let knot = |index: u64| {
        let moment = DoubleDouble::exact_product(steps, index as f64) / DoubleDouble::from(waves) - ahead;
        Knot(moment.high(), if index.is_multiple_of(2) { top } else { bottom })
    };
    (0..=count).map(knot).collect()
}

/// `bottom + (top − bottom)·½(1 + cos(2π·cycles·(s + ahead)/length))`, for ever.
///
/// Where its turns never come back to whole steps, it is written out up to a limit, and ends there.
pub(super) fn wave(top: f64, bottom: f64, length: f64, cycles: f64, ahead: f64) -> Schedule {
    let half_waves = 2.0 * cycles.abs();
    if half_waves == 0.0 {
        return constant(top);
    }
    let interpolation = Interpolation::Cosine;
    if ahead.fract() == 0.0
        && let Some((waves, steps)) = whole_half_waves(length, half_waves)
    {
        let of = if waves == 1 {
            Cosine { start: top, end: bottom, steps }.into()
        } else {
            let points = knots(top, bottom, steps as f64, waves as f64, 0.0, waves);
            PiecewiseInterpolate { points, interpolation }.into()
        };
        let of = Box::new(Cycle { of: Box::new(of), mode: CycleMode::Reflect }.into());
        return if ahead == 0.0 { *of } else { Clock { multiplier: 1.0, ahead, divisor: 1.0, of }.into() };
    }
    let mut points = knots(top, bottom, length, half_waves, ahead, MOST_HALF_WAVES);
    // Times that round to the same number, or are beyond the largest.
    points.dedup_by(|next, before| next.0 <= before.0);
    points.retain(|point| point.0.abs() <= MAX_STEP as f64);
    let last = points.last().map_or(0.0, |point| point.0.floor().max(0.0)) as u64;
    Until { last, of: Box::new(PiecewiseInterpolate { points, interpolation }.into()) }.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::Time;

    #[test]
    fn fractions_are_the_simplest() {
        let cases =
            [(0.5, (1, 2)), (0.6, (3, 5)), (5.0, (5, 1)), (1.0 / 3.0, (1, 3)), (2.2, (11, 5)), (1e-3, (1, 1000))];
        for (number, fraction) in cases {
            assert_eq!(simplest_fraction(number), Some(fraction));
        }
    }

    #[test]
    fn waves_follow_the_cosine_everywhere() {
        for (length, cycles, ahead) in
            [(90.0, 0.5, 0.0), (97.0, 2.5, 1.0), (100.0, 0.3, 0.0), (33.5, 1.0, 0.25), (7.0, 0.37, 0.0)]
        {
            let schedule = wave(1.0, 0.1, length, cycles, ahead);
            schedule.validate().unwrap_or_else(|error| panic!("{error}"));
            for step in 0..2000_u32 {
                let phase = 2.0 * std::f64::consts::PI * cycles * (f64::from(step) + ahead) / length;
                let want = 0.1 + 0.9 * 0.5 * (1.0 + phase.cos());
                let got = schedule.exact(Time::step(step.into())).high();
                assert!((got - want).abs() < 1e-11 * want, "{length} {cycles} {ahead} at {step}: {got} {want}");
            }
        }
    }
}
