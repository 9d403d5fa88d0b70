//! Cycles that are the same all over: evaluated once, then copied.

use super::span::Columns;
use crate::program::{Program, Repetition, Stage};

/// Columns that only repeat what stands before them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copy {
    /// How many columns back the same values begin.
    pub back: usize,
    /// How many columns they are good for.
    pub count: usize,
}

/// What can be copied at column `done`, given that all columns before it are filled.
pub fn copyable(program: &Program, columns: &Columns, done: usize) -> Option<Copy> {
    let step = columns.step(done);
    let tick = step / program.quantum;
    let stage = program.stage_at(tick);
    let period = steps_per_cycle(stage)?.checked_mul(program.quantum)?;
    // The shortest run of columns that is a whole number of cycles.
    let cycle = usize::try_from(period / greatest_common_divisor(period, columns.stride)).ok()?;
    let since_stage = (step - stage.start * program.quantum) / columns.stride;
    let filled = usize::try_from(since_stage).map_or(done, |since| since.min(done));
    let back = filled / cycle * cycle;
    let next = program.stages.iter().map(|next| next.start).find(|&start| start > stage.start);
    let until_next = next.map(|start| (start.saturating_mul(program.quantum) - step).div_ceil(columns.stride));
    let rest = columns.count - done;
    let count = until_next.and_then(|until| usize::try_from(until).ok()).map_or(rest, |until| until.min(rest));
    (back > 0).then_some(Copy { back, count: count.min(back) })
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

    #[test]
    fn only_whole_cycles_of_the_same_stage_are_copied() {
        let columns = Columns { start: 0, stride: 1, count: 2000 };
        let at = |done| copyable(&program(), &columns, done);
        assert_eq!((at(0), at(5), at(14)), (None, None, None));
        assert_eq!(at(15), Some(Copy { back: 10, count: 10 }));
        assert_eq!(at(37), Some(Copy { back: 30, count: 30 }));
        assert_eq!(at(995), Some(Copy { back: 990, count: 5 }));
        assert_eq!(at(1000), None);
    }

    #[test]
    fn strides_and_clocks_stretch_a_cycle() {
        let columns = Columns { start: 8, stride: 4, count: 1000 };
        assert_eq!(copyable(&program(), &columns, 5), Some(Copy { back: 5, count: 5 }));
        assert_eq!(copyable(&program(), &columns, 4), None);
        let slow = program().once_per(3);
        let columns = Columns { start: 15, stride: 1, count: 1000 };
        assert_eq!(copyable(&slow, &columns, 29), None);
        assert_eq!(copyable(&slow, &columns, 31), Some(Copy { back: 30, count: 30 }));
    }
}
