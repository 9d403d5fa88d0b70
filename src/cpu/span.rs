//! Spans: runs of columns inside one stage, one cycle and one segment of every track.
//!
//! All time is integer here. On a span the phase count of every track is an affine function of the
//! column, so that its value is one constant or one smooth function of the column.

use crate::curve::Curve;
use crate::program::{Clamp, Program, Repetition, Segment, Stage, Track};

/// Columns at `start`, `start + stride`, …
#[derive(Clone, Copy, Debug)]
pub struct Columns {
    /// The first step.
    pub start: u64,
    /// Steps between columns; at least 1.
    pub stride: u64,
    /// How many columns.
    pub count: usize,
}

impl Columns {
    /// The step of a column.
    pub fn step(&self, column: usize) -> u64 {
        self.start + column as u64 * self.stride
    }

    /// The columns from `column` on.
    pub fn after(&self, column: usize) -> Self {
        Self { start: self.start + column as u64 * self.stride, count: self.count - column, ..*self }
    }
}

/// A run of columns from the first on.
#[derive(Debug)]
pub struct Span<'p> {
    /// How many columns; at least 1.
    pub count: usize,
    /// What the values do.
    pub kind: Kind<'p>,
}

/// What values do on a span.
#[derive(Debug)]
pub enum Kind<'p> {
    /// All are the first.
    Constant,
    /// They follow curves.
    Smooth {
        /// The stage.
        stage: &'p Stage,
        /// One per track.
        factors: Vec<Factor<'p>>,
    },
    /// Phases move, but not by the same count from column to column.
    Irregular,
}

/// A track on a span.
#[derive(Clone, Copy, Debug)]
pub struct Factor<'p> {
    /// The segment in force.
    pub segment: &'p Segment,
    /// The track's bounds.
    pub clamp: &'p Clamp,
    /// Phase count at the first column.
    pub phase_count: u64,
    /// Phase counts per column; 0 where the track stands still.
    pub per_column: i64,
}

impl Factor<'_> {
    /// The phase count at a column of the span.
    pub fn phase_count_at(&self, column: usize) -> u64 {
        // Within a span the count stays an unsigned integer, so wrapping arithmetic ends at the right one.
        self.phase_count.wrapping_add((column as i64).wrapping_mul(self.per_column) as u64)
    }
}

/// The longest span from the first of `columns` on.
pub fn first_span<'p>(program: &'p Program, columns: &Columns) -> Span<'p> {
    let Columns { start, stride, count } = *columns;
    let limited =
        |limit: u64, kind| Span { count: usize::try_from(limit).map_or(count, |limit| limit.min(count)), kind };
    let tick = start / program.quantum;
    if !stride.is_multiple_of(program.quantum) {
        if stride > program.quantum {
            return limited(u64::MAX, Kind::Irregular);
        }
        let rest = program.quantum - start % program.quantum;
        return limited(rest.div_ceil(stride), Kind::Constant);
    }
    let ticks = stride / program.quantum;
    let index = program.stages.partition_point(|stage| stage.start <= tick).max(1) - 1;
    let stage = &program.stages[index];
    let mut limit = program.stages.get(index + 1).map_or(u64::MAX, |next| (next.start - tick).div_ceil(ticks));
    let mut factors = Vec::with_capacity(stage.tracks.len());
    let mut regular = true;
    for track in &stage.tracks {
        let run = track_run(track, tick - stage.start + track.advance, ticks);
        limit = limit.min(run.columns);
        match run.factor {
            Some(factor) => factors.push(factor),
            None => regular = false,
        }
    }
    let kind = match (regular, factors.iter().all(|factor| factor.per_column == 0)) {
        (false, _) => Kind::Irregular,
        (true, true) => Kind::Constant,
        (true, false) => Kind::Smooth { stage, factors },
    };
    limited(limit, kind)
}

/// What a track does from some column on, and for how many columns.
struct Run<'p> {
    columns: u64,
    /// Nothing where the phase moves irregularly.
    factor: Option<Factor<'p>>,
}

/// The run of a track from `time` on its clock (not folded yet), `ticks` per column.
fn track_run(track: &Track, time: u64, ticks: u64) -> Run<'_> {
    let (position, backwards) = track.repetition.fold(time);
    let cycle = match track.repetition {
        Repetition::None => u64::MAX,
        Repetition::Restart { period } => (period - position).div_ceil(ticks),
        // The turn itself belongs to the way there, and position 0 to the next way there.
        Repetition::Reflect { .. } if backwards => position.div_ceil(ticks),
        Repetition::Reflect { period } => (period - position) / ticks + 1,
    };
    let index = track.segments.partition_point(|segment| segment.start <= position).max(1) - 1;
    let segment = &track.segments[index];
    let since = position - segment.start;
    let within_segment = if backwards {
        since / ticks + 1
    } else {
        track.segments.get(index + 1).map_or(u64::MAX, |next| (next.start - position).div_ceil(ticks))
    };
    let run = segment_run(segment, since, ticks, backwards);
    let factor =
        run.factor.map(|(phase_count, per_column)| Factor { segment, clamp: &track.clamp, phase_count, per_column });
    Run { columns: run.columns.min(cycle).min(within_segment), factor }
}

/// As [`Run`], with phase count and counts per column.
struct SegmentRun {
    columns: u64,
    factor: Option<(u64, i64)>,
}

fn segment_run(segment: &Segment, since: u64, ticks: u64, backwards: bool) -> SegmentRun {
    let quantum = segment.quantum.unwrap_or(1);
    // A reversed phase ends at 0 even where the length would go on.
    let length = if segment.reversed { segment.length.min(segment.origin) } else { segment.length };
    let stairs = since / quantum;
    let moved = stairs.min(length);
    let phase_count = if segment.reversed { segment.origin - moved } else { segment.origin + moved };
    let still = |columns| SegmentRun { columns, factor: Some((phase_count, 0)) };
    if segment.curve == Curve::Hold || (!backwards && stairs >= length) {
        return still(u64::MAX);
    }
    if backwards && stairs > length {
        // Held until the phase starts to move back; `length · quantum` is below `since`, so it is no overflow.
        return still((since - length * quantum) / ticks + 1);
    }
    if !ticks.is_multiple_of(quantum) {
        if ticks > quantum {
            return SegmentRun { columns: u64::MAX, factor: None };
        }
        let within_stair = since % quantum;
        return still(if backwards { within_stair / ticks + 1 } else { (quantum - within_stair).div_ceil(ticks) });
    }
    let counts = ticks / quantum;
    let columns = if backwards { u64::MAX } else { (length - stairs).div_ceil(counts) };
    let sign = if segment.reversed != backwards { -1 } else { 1 };
    SegmentRun { columns, factor: Some((phase_count, sign * counts as i64)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stairs_and_turns(repetition: Repetition, quantum: Option<u64>, reversed: bool) -> Program {
        let moving = Segment {
            length: 7,
            quantum,
            reversed,
            origin: if reversed { 9 } else { 3 },
            ..Segment::rising(0, 100, 1.0, 2.0, Curve::Linear)
        };
        let later = Segment { start: 25, length: 1000, quantum: None, ..moving };
        let track = Track { repetition, advance: 2, ..Track::of(vec![moving, later]) };
        let mut program = Program::of_stage(Stage::of(track.clone()));
        program.stages.push(Stage { start: 90, ..Stage::of(track) });
        program
    }

    /// The phase count by the definition.
    fn phase_count(program: &Program, step: u64) -> (u64, u64) {
        let tick = step / program.quantum;
        let stage = program.stage_at(tick);
        let (position, _) = stage.tracks[0].repetition.fold(tick - stage.start + stage.tracks[0].advance);
        let segment = stage.tracks[0].segment_at(position);
        (segment.start, segment.phase_count(position))
    }

    #[test]
    fn spans_follow_the_definition_column_by_column() {
        let repetitions = [Repetition::None, Repetition::Restart { period: 31 }, Repetition::Reflect { period: 31 }];
        for repetition in repetitions {
            for (quantum, reversed) in [(None, false), (None, true), (Some(3), false), (Some(3), true)] {
                for clock in [1, 2, 5] {
                    let mut program = stairs_and_turns(repetition, quantum, reversed);
                    program.quantum = clock;
                    for (start, stride) in [(0, 1), (3, 1), (1, 2), (0, 3), (5, 6), (2, 5), (0, 10), (0, 33)] {
                        check(&program, Columns { start, stride, count: 500 });
                    }
                }
            }
        }
    }

    fn check(program: &Program, columns: Columns) {
        let mut column = 0;
        while column < columns.count {
            let rest = columns.after(column);
            let span = first_span(program, &rest);
            assert!((1..=rest.count).contains(&span.count));
            for within in 0..span.count {
                let (_, want) = phase_count(program, rest.step(within));
                match &span.kind {
                    Kind::Constant => assert_eq!(
                        program.exact(rest.step(within)),
                        program.exact(rest.start),
                        "{columns:?} {column} {within}"
                    ),
                    Kind::Smooth { factors, .. } => {
                        assert_eq!(factors[0].phase_count_at(within), want, "{columns:?} {column} {within}");
                    }
                    Kind::Irregular => {}
                }
            }
            column += span.count;
        }
        assert_eq!(column, columns.count);
    }
}
