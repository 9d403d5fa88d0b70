//! Chooses the steps at which pictures evaluate a schedule, so that no corner, restart or single-step jump is missed at
//! any horizon.
//!
//! A pixel column represents a range of steps. It is evaluated at all corners of the lowered form; between two corners
//! a segment is monotone, so the least and the greatest value are found. The work per column is bounded: of many cycles
//! in one column, only the first, the middle and the last are evaluated.

use std::ops::Range;

use lrgrid::program::{MAX_STEP, Program, Repetition, Segment, Stage, Track};

/// The most cycles, stairs or steps that are evaluated individually within a column.
const ONE_BY_ONE: u64 = 8;
/// The most corners of repeated cycles that are evaluated within a column.
const CORNERS: usize = 64;
/// Number of evenly spaced steps evaluated in a column in which several tracks vary.
const BETWEEN: u64 = 6;

/// A schedule within the steps of one pixel column; each value with its step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Column {
    /// The value at the first step.
    pub first: (u64, f64),
    /// The least value.
    pub least: (u64, f64),
    /// The greatest value.
    pub greatest: (u64, f64),
    /// The value at the last step.
    pub last: (u64, f64),
}

impl Column {
    /// The points of a line, in order of their steps.
    pub fn points(&self) -> impl Iterator<Item = (u64, f64)> {
        let mut points = [self.first, self.least, self.greatest, self.last];
        points.sort_by_key(|point| point.0);
        let mut before = None;
        points.into_iter().filter(move |point| before.replace(point.0) != Some(point.0))
    }
}

/// The steps of column `index` of `columns`; not empty if there are at least as many steps as columns.
#[must_use]
pub fn column_steps(steps: &Range<u64>, columns: usize, index: usize) -> Range<u64> {
    let length = u128::from(steps.end.saturating_sub(steps.start));
    let cut = |index: usize| steps.start + (length * index as u128 / columns.max(1) as u128) as u64;
    cut(index)..cut(index + 1)
}

/// The schedule over `steps`, in at most `columns` columns: one per step if there are fewer steps.
///
/// ```
/// use lrgrid_reports::sample::envelope;
/// use lrgrid::Spec;
///
/// let text = "schedule = { kind = 'piecewise_constant', values = [1, 9, 2], boundaries = [123_456_789, 123_456_790] }";
/// let batch = Spec::from_toml(text)?.compile()?;
/// let columns = envelope(&batch.program(0), 0..1_000_000_000, 80);
/// assert!(columns.iter().any(|column| column.greatest == (123_456_789, 9.0)));
/// # Ok::<(), lrgrid::Error>(())
/// ```
#[must_use]
pub fn envelope(program: &Program, steps: Range<u64>, columns: usize) -> Vec<Column> {
    let steps = steps.start..steps.end.min(MAX_STEP + 1);
    let count = steps.end.saturating_sub(steps.start).min(columns.max(1) as u64) as usize;
    let stages: Vec<StageCorners<'_>> =
        (0..program.stages().len()).map(|index| StageCorners::of(program, index)).collect();
    let mut looked_at = Vec::new();
    (0..count)
        .filter_map(|index| column(program, &stages, column_steps(&steps, count, index), &mut looked_at))
        .collect()
}

/// One column over `steps`, which must not be empty.
fn column(
    program: &Program,
    stages: &[StageCorners<'_>],
    steps: Range<u64>,
    looked_at: &mut Vec<u64>,
) -> Option<Column> {
    let last = steps.end.checked_sub(1).filter(|&last| last >= steps.start)?;
    looked_at.clear();
    looked_at.extend([steps.start, last]);
    if last - steps.start <= ONE_BY_ONE {
        looked_at.extend(steps.clone());
    } else {
        let ticks = steps.start / program.quantum()..last / program.quantum() + 1;
        let mut found = Vec::new();
        let after = stages.partition_point(|stage| stage.ticks.start <= ticks.start).max(1) - 1;
        for stage in stages[after..].iter().take_while(|stage| stage.ticks.start < ticks.end) {
            stage.within(ticks.start.max(stage.ticks.start)..ticks.end.min(stage.ticks.end), &mut found);
        }
        let step = |tick: u64| tick.saturating_mul(program.quantum()).clamp(steps.start, last);
        looked_at.extend(found.into_iter().map(step));
    }
    looked_at.sort_unstable();
    looked_at.dedup();
    let mut values = looked_at.iter().map(|&step| (step, program.value(step)));
    let first = values.next()?;
    let mut column = Column { first, least: first, greatest: first, last: first };
    for at in values {
        if at.1 < column.least.1 {
            column.least = at;
        }
        if at.1 > column.greatest.1 {
            column.greatest = at;
        }
        column.last = at;
    }
    Some(column)
}

/// The corners of a stage's tracks.
struct StageCorners<'p> {
    stage: &'p Stage,
    /// Ticks of the program's clock.
    ticks: Range<u64>,
    tracks: Vec<TrackCorners<'p>>,
}

/// The corners of one track, on its own clock.
struct TrackCorners<'p> {
    track: &'p Track,
    /// Starts and ends of segments with the adjacent steps, in ascending order; of one cycle if the track repeats.
    corners: Vec<u64>,
    /// The corners with the least and the greatest value of a cycle, and the cycle's ends.
    extremes: Vec<u64>,
}

impl<'p> TrackCorners<'p> {
    fn of(track: &'p Track) -> Self {
        let period = match track.repetition {
            Repetition::None => u64::MAX,
            Repetition::Restart { period } => period,
            // The turning point belongs to both directions.
            Repetition::Reflect { period } => period.saturating_add(1),
        };
        let of_segment = |segment: &Segment| {
            let around = |at: u64| [at.saturating_sub(1), at, at.saturating_add(1)];
            around(segment.start).into_iter().chain(around(segment.end())).collect::<Vec<_>>()
        };
        let mut corners: Vec<u64> = track.segments.iter().flat_map(of_segment).collect();
        corners.extend([0, period.saturating_sub(1)]);
        corners.retain(|&at| at < period && at <= MAX_STEP);
        corners.sort_unstable();
        corners.dedup();
        let mut extremes = Vec::new();
        if track.repetition != Repetition::None {
            let value = |at: u64| {
                let segment = track.segment_at(at);
                track.clamp.apply(segment.value_at(segment.phase_count(at).into())).high()
            };
            let valued: Vec<(u64, f64)> = corners.iter().map(|&at| (at, value(at))).collect();
            let by_value = |a: &&(u64, f64), b: &&(u64, f64)| a.1.total_cmp(&b.1);
            extremes.extend(valued.iter().min_by(by_value).map(|found| found.0));
            extremes.extend(valued.iter().max_by(by_value).map(|found| found.0));
            extremes.extend([0, period.saturating_sub(1)]);
        }
        Self { track, corners, extremes }
    }

    /// Adds the corners within `times` of the track's clock.
    fn within(&self, times: Range<u64>, found: &mut Vec<u64>) {
        match self.track.repetition {
            Repetition::None => {
                let first = self.corners.partition_point(|&corner| corner < times.start);
                found.extend(self.corners[first..].iter().take_while(|&&corner| corner < times.end));
            }
            Repetition::Restart { period } => self.cycles(period, &times, found, |start, at| start.saturating_add(at)),
            Repetition::Reflect { period } => {
                let both_ways = period.saturating_mul(2);
                self.cycles(both_ways, &times, found, |start, at| start.saturating_add(at));
                self.cycles(both_ways, &times, found, |start, at| start.saturating_add(both_ways - at.min(both_ways)));
            }
        }
        for segment in &self.track.segments {
            // Stairs: a few are evaluated individually; of many, the segment's ends suffice.
            let Some(quantum) = segment.quantum.filter(|_| self.track.repetition == Repetition::None) else { continue };
            let begin = times.start.max(segment.start);
            let next = segment.start.saturating_add(((begin - segment.start) / quantum + 1).saturating_mul(quantum));
            let jumps = (0..ONE_BY_ONE).map(|stair| next.saturating_add(stair.saturating_mul(quantum)));
            found.extend(jumps.take_while(|&jump| jump < times.end.min(segment.end())).flat_map(|at| [at - 1, at]));
        }
    }

    /// Adds corners of the cycles of length `period` that `times` covers.
    fn cycles(&self, period: u64, times: &Range<u64>, found: &mut Vec<u64>, at: impl Fn(u64, u64) -> u64) {
        let (first, last) = (times.start / period, (times.end - 1) / period);
        let mut add = |cycle: u64, corners: &[u64]| {
            let start = cycle.saturating_mul(period);
            found.extend(corners.iter().map(|&corner| at(start, corner)).filter(|time| times.contains(time)));
        };
        if last - first < ONE_BY_ONE {
            let few = (last - first + 1) as usize * self.corners.len() <= CORNERS;
            (first..=last).for_each(|cycle| add(cycle, if few { &self.corners } else { &self.extremes }));
            if !few {
                // A long cycle: only its corners within this column.
                let begin = self.corners.partition_point(|&corner| corner < times.start % period);
                add(first, &self.corners[begin..(begin + CORNERS).min(self.corners.len())]);
            }
        } else {
            let middle = first + (last - first) / 2;
            [first, first + 1, middle, last - 1, last].into_iter().for_each(|cycle| add(cycle, &self.extremes));
        }
    }
}

impl<'p> StageCorners<'p> {
    fn of(program: &'p Program, index: usize) -> Self {
        let stage = &program.stages()[index];
        let end = program.stages().get(index + 1).map_or(u64::MAX, |next| next.start);
        Self { stage, ticks: stage.start..end, tracks: stage.tracks.iter().map(TrackCorners::of).collect() }
    }

    /// Adds the corners within `ticks`.
    fn within(&self, ticks: Range<u64>, found: &mut Vec<u64>) {
        if ticks.is_empty() {
            return;
        }
        found.extend([ticks.start, ticks.end - 1]);
        let mut times = Vec::new();
        for corners in &self.tracks {
            let clock = |tick: u64| (tick - self.stage.start).saturating_add(corners.track.advance);
            times.clear();
            corners.within(clock(ticks.start)..clock(ticks.end), &mut times);
            let tick = |time: &u64| self.stage.start.saturating_add(time.saturating_sub(corners.track.advance));
            found.extend(times.iter().map(tick).filter(|tick| ticks.contains(tick)));
        }
        if self.tracks.len() > 1 {
            let length = ticks.end - ticks.start;
            found.extend((1..BETWEEN).map(|part| ticks.start + length / BETWEEN * part));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lrgrid::schedule::KINDS;

    /// Compares every column with all of its steps, for every schedule of the catalogue.
    #[test]
    fn columns_have_the_least_and_the_greatest_of_all_their_steps() {
        for kind in KINDS {
            for schedule in (kind.examples)() {
                let program = schedule.lower().unwrap();
                for (end, columns) in [(3000, 70), (50, 100), (997, 40)] {
                    let single = program.stages().iter().all(|stage| stage.tracks.len() == 1);
                    let found = envelope(&program, 0..end, columns);
                    assert_eq!(found.len(), columns.min(end as usize));
                    for (index, column) in found.iter().enumerate() {
                        let values = column_steps(&(0..end), found.len(), index).map(|step| program.value(step));
                        let (least, greatest) = values
                            .fold((f64::INFINITY, f64::NEG_INFINITY), |(least, greatest), value| {
                                (least.min(value), greatest.max(value))
                            });
                        // Products of several varying tracks are only sampled between their corners.
                        let slack = if single { 0.0 } else { 0.12 * (greatest - least) };
                        assert!(
                            column.least.1 <= least + slack && column.greatest.1 >= greatest - slack,
                            "{schedule:?} column {index}: {column:?}, but {least:e} to {greatest:e}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn restarts_far_out_are_seen_in_every_column() {
        let restarts = "schedule = { kind = 'cosine_restarts', max = 1, min = 0.5, period = 1000 }";
        let program = lrgrid::spec::Spec::from_toml(restarts).unwrap().compile().unwrap().program(0);
        for column in envelope(&program, 0..1 << 50, 300) {
            assert_eq!(column.greatest.1, 1.0);
            assert!(column.least.1 < 0.500_01);
        }
    }

    #[test]
    fn points_come_in_order_and_once() {
        let column = Column { first: (5, 1.0), least: (9, 0.0), greatest: (7, 2.0), last: (9, 0.0) };
        assert_eq!(column.points().collect::<Vec<_>>(), [(5, 1.0), (7, 2.0), (9, 0.0)]);
    }
}
