//! The area under a schedule, and the step at which it has fallen to a fraction of its peak.

use crate::sample::envelope;
use lrgrid::packed::Batch;
use lrgrid::program::Program;

/// The most steps that are summed one by one; of more steps, this many are sampled evenly.
const LOOKS: u64 = 1 << 18;

/// Columns per level of the search for a value, which then descends into one of them.
const COLUMNS: usize = 1 << 10;

/// The area under a schedule: the sum of its values over the first `steps` steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Area {
    /// The sum.
    pub sum: f64,
    /// Whether every step was summed; otherwise the sum is accurate to about four digits.
    pub exact: bool,
}

/// The area under one schedule of a batch over its first `steps` steps.
///
/// ```
/// use lrgrid_reports::describe::area;
///
/// let text = "schedule = { kind = 'linear', start = 1, end = 0, steps = 10 }";
/// let batch = lrgrid::Spec::from_toml(text)?.compile()?;
/// assert_eq!(area(&batch, 0, 10).sum, 5.5);
/// # Ok::<(), lrgrid::Error>(())
/// ```
#[must_use]
pub fn area(batch: &Batch, schedule: usize, steps: u64) -> Area {
    if schedule >= batch.len() {
        return Area { sum: f64::NAN, exact: false };
    }
    let program = batch.program(schedule);
    // Neumaier's compensated sum: a million values of similar size lose no accuracy.
    let (mut sum, mut rest) = (0.0_f64, 0.0_f64);
    let mut add = |value: f64| {
        let next = sum + value;
        rest += if sum.abs() >= value.abs() { (sum - next) + value } else { (value - next) + sum };
        sum = next;
    };
    if steps <= LOOKS {
        (0..steps).for_each(|step| add(program.value(step)));
        return Area { sum: sum + rest, exact: true };
    }
    // Multiples of the golden ratio are evenly distributed at every scale, so they do not resonate with any cycle.
    const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
    for look in 0..LOOKS {
        let share = u128::from(look.wrapping_mul(GOLDEN));
        add(program.value(((u128::from(steps) * share) >> 64) as u64));
    }
    Area { sum: (sum + rest) / LOOKS as f64 * steps as f64, exact: false }
}

/// The first step from `start` on, before `end`, at which the value is at most `bound`.
#[must_use]
pub fn first_at_most(program: &Program, start: u64, end: u64, bound: f64) -> Option<u64> {
    let (mut start, mut end) = (start, end);
    while start < end {
        let columns = envelope(program, start..end, COLUMNS);
        let found = columns.iter().find(|column| column.least.1 <= bound)?;
        if found.first.1 <= bound {
            return Some(found.first.0);
        }
        // With one step per column, its only value is the first.
        (start, end) = (found.first.0 + 1, found.least.0 + 1);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use lrgrid::spec::Spec;

    #[test]
    fn long_areas_are_near_the_integral() {
        let cosine = "schedule = { kind = 'cosine', start = 2, end = 0, steps = 1_000_000_000_000 }";
        let batch = Spec::from_toml(cosine).unwrap().compile().unwrap();
        assert!((area(&batch, 0, 1_000_000_000_000).sum / 1e12 - 1.0).abs() < 1e-4);
        let restarts = "schedule = { kind = 'cosine_restarts', max = 2, min = 0, period = 4096 }";
        let batch = Spec::from_toml(restarts).unwrap().compile().unwrap();
        assert!((area(&batch, 0, 1 << 40).sum / (1_u64 << 40) as f64 - 1.0).abs() < 1e-3);
    }

    #[test]
    fn a_bound_is_found_at_its_step() {
        let linear = "schedule = { kind = 'linear', start = 1, end = 0, steps = 1_000_000_000_000 }";
        let program = Spec::from_toml(linear).unwrap().compile().unwrap().program(0);
        assert_eq!(first_at_most(&program, 0, 2_000_000_000_000, 0.25), Some(750_000_000_000));
        assert_eq!(first_at_most(&program, 0, 700_000_000_000, 0.25), None);
    }
}
