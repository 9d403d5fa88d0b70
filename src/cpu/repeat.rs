//! Cycles that are the same all over: evaluated once, then copied.

use super::span::Columns;
use crate::program::{Program, Repetition, Stage};

/// Columns that go round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cycles {
    /// Columns of a cycle.
    pub period: usize,
    /// How many columns there are; more than a cycle.
    pub count: usize,
}

/// The cycles from the first of `columns` on, if they do more than start.
pub fn cycles(program: &Program, columns: &Columns) -> Option<Cycles> {
    let tick = columns.start / program.quantum;
    let stage = program.stage_at(tick);
    let steps = steps_per_cycle(stage)?.checked_mul(program.quantum)?;
    // The shortest run of columns that is a whole number of cycles.
    let period = usize::try_from(steps / greatest_common_divisor(steps, columns.stride)).ok()?;
    let next = program.stages.iter().map(|next| next.start).find(|&start| start > stage.start);
    let until_next = next.map(|start| (start.saturating_mul(program.quantum) - columns.start).div_ceil(columns.stride));
    let count = until_next
        .and_then(|until| usize::try_from(until).ok())
        .map_or(columns.count, |until| until.min(columns.count));
    (count > period).then_some(Cycles { period, count })
}

/// The steps after which every track of a stage is where it was, if they all go round together.
fn steps_per_cycle(stage: &Stage) -> Option<u64> {
    let mut periods = stage.tracks.iter().map(|track| match track.repetition {
        Repetition::None => None,
        Repetition::Restart { period } => Some(period),
        Repetition::Reflect { period } => period.checked_mul(2),
    });
    let first = periods.next()??;
    periods.all(|period| period == Some(first)).then_some(first)
}

fn greatest_common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::curve::Curve;
    use crate::program::{Segment, Track};

    fn program() -> Program {
        let mut track = Track::of(vec![Segment::transition(0, 10, 1.0, 0.0, Curve::Cosine)]);
        track.repetition = Repetition::Restart { period: 10 };
        let cycles = Program::of_stage(Stage::of(track));
        let pieces = vec![(0, Program::hold(1.0)), (5, cycles), (1000, Program::hold(0.0))];
        Program::sequence(pieces).expect("few segments")
    }

    fn at(program: &Program, start: u64, stride: u64) -> Option<Cycles> {
        cycles(program, &Columns { start, stride, count: 2000 })
    }

    #[test]
    fn cycles_end_with_their_stage() {
        let program = program();
        assert_eq!((at(&program, 0, 1), at(&program, 1000, 1)), (None, None));
        assert_eq!(at(&program, 5, 1), Some(Cycles { period: 10, count: 995 }));
        assert_eq!(at(&program, 12, 1), Some(Cycles { period: 10, count: 988 }));
        assert_eq!(at(&program, 989, 1), Some(Cycles { period: 10, count: 11 }));
        assert_eq!(at(&program, 990, 1), None);
    }

    #[test]
    fn strides_and_clocks_stretch_a_cycle() {
        let program = program();
        assert_eq!(at(&program, 8, 4), Some(Cycles { period: 5, count: 248 }));
        assert_eq!(at(&program, 8, 20), Some(Cycles { period: 1, count: 50 }));
        assert_eq!(at(&program.once_per(3).unwrap(), 15, 1), Some(Cycles { period: 30, count: 2000 }));
    }
}
