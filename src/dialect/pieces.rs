//! Native schedules that the translations of several libraries use.

use crate::program::MAX_STEP;
use crate::schedule::{
    Clock, Constant, Cycle, CycleMode, MultiStep, PiecewiseConstant, Product, Schedule, Sequence, Step,
};

/// A schedule that always has the same value.
pub(super) fn constant(value: f64) -> Schedule {
    Constant { value }.into()
}

/// `of` shifted: its value at step `s` is that of `of` at `s + by`.
pub(super) fn ahead(by: f64, of: Schedule) -> Schedule {
    if by == 0.0 { of } else { Clock { multiplier: 1.0, ahead: by, divisor: 1.0, of: Box::new(of) }.into() }
}

/// The schedule that `body` builds for a number of steps, stretched to a length above 0 that need not be an integer,
/// and advanced by `begun` steps.
pub(super) fn over(length: f64, begun: f64, body: impl Fn(u64) -> Schedule) -> Schedule {
    // A schedule cannot be longer than the largest step, but its clock can be slow.
    const PART: u64 = 1 << 52;
    let (divisor, of) = if length > MAX_STEP as f64 {
        (length / PART as f64, body(PART))
    } else if length.fract() == 0.0 {
        return ahead(begun, body(length as u64));
    } else {
        (length, body(1))
    };
    Clock { multiplier: 1.0, ahead: begun, divisor, of: Box::new(of) }.into()
}

/// A sequence of schedules, each with its first step; the first begins at 0. A piece whose successor does not begin
/// later is omitted.
pub(super) fn one_after_another(mut pieces: Vec<(u64, Schedule)>) -> Schedule {
    for index in (1..pieces.len()).rev() {
        if pieces[index - 1].0 >= pieces[index].0 {
            pieces.remove(index - 1);
        }
    }
    if pieces.len() == 1 {
        return pieces.remove(0).1;
    }
    let boundaries = pieces.iter().skip(1).map(|piece| piece.0).collect();
    Sequence { pieces: pieces.into_iter().map(|piece| piece.1).collect(), boundaries: Some(boundaries) }.into()
}

/// `start·factor^⌊s/every⌋` for a factor of any sign; `every` is at least 1.
pub(super) fn drops(start: f64, factor: f64, every: u64) -> Schedule {
    if factor > 0.0 {
        return Step { start, decay_rate: factor, step_size: every }.into();
    }
    if factor == 0.0 {
        return PiecewiseConstant { values: vec![start, 0.0], boundaries: vec![every] }.into();
    }
    let signs = PiecewiseConstant { values: vec![1.0, -1.0, 1.0], boundaries: vec![every, every.saturating_mul(2)] };
    let sign = Cycle { of: Box::new(signs.into()), mode: CycleMode::Restart }.into();
    Product { factors: vec![drops(start, -factor, every), sign] }.into()
}

/// `start` times `factor` for each milestone reached, in any order; a milestone listed twice counts twice.
pub(super) fn drops_at(start: f64, factor: f64, mut milestones: Vec<u64>) -> Schedule {
    milestones.sort_unstable();
    if factor > 0.0 && milestones.windows(2).all(|pair| pair[0] < pair[1]) {
        return MultiStep { start, decay_rate: factor, milestones }.into();
    }
    scaled_at(start, milestones.into_iter().map(|milestone| (milestone, factor)))
}

/// `start` times the scale of each boundary reached; boundaries in ascending order, possibly several at the same step.
pub(super) fn scaled_at(start: f64, scales: impl IntoIterator<Item = (u64, f64)>) -> Schedule {
    let (mut values, mut boundaries) = (vec![start], Vec::new());
    let mut value = start;
    for (boundary, scale) in scales {
        value *= scale;
        if boundary == boundaries.last().copied().unwrap_or(0) {
            values.pop();
        } else {
            boundaries.push(boundary);
        }
        values.push(value);
    }
    if boundaries.is_empty() { constant(value) } else { PiecewiseConstant { values, boundaries }.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_pieces_are_left_out() {
        let pieces = |starts: &[u64]| starts.iter().map(|&start| (start, constant(start as f64))).collect();
        assert_eq!(one_after_another(pieces(&[0, 0])), constant(0.0));
        let schedule = one_after_another(pieces(&[0, 5, 3, 9]));
        assert_eq!([0, 2, 3, 5, 8, 9].map(|step| schedule.value(step)), [0.0, 0.0, 3.0, 3.0, 3.0, 9.0]);
    }

    #[test]
    fn any_factor_drops() {
        for factor in [0.5, 0.0, -0.5] {
            let schedule = drops(2.0, factor, 3);
            schedule.validate().unwrap_or_else(|error| panic!("{error}"));
            for step in 0..20 {
                assert_eq!(schedule.value(step), 2.0 * f64::powi(factor, (step / 3) as i32), "{factor} {step}");
            }
        }
    }

    #[test]
    fn milestones_count_in_any_order() {
        for factor in [0.5, 0.0, -0.5] {
            let milestones = vec![7, 0, 3, 7];
            let schedule = drops_at(2.0, factor, milestones.clone());
            schedule.validate().unwrap_or_else(|error| panic!("{error}"));
            for step in 0..12 {
                let reached = milestones.iter().filter(|&&milestone| milestone <= step).count();
                assert_eq!(schedule.value(step), 2.0 * f64::powi(factor, reached as i32), "{factor} {step}");
            }
        }
    }
}
