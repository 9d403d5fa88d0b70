//! Marks: the steps at which a program changes its course, which tests, checks and descriptions examine.

use super::{FOREVER, MAX_STEP, Program, Repetition, Segment};

impl Segment {
    /// The first step of the track's clock from which the segment holds its last value; [`FOREVER`] if it never does.
    #[must_use]
    pub fn end(&self) -> u64 {
        if self.length == FOREVER {
            return FOREVER;
        }
        self.start.saturating_add(self.length.saturating_mul(self.quantum.unwrap_or(1)))
    }
}

impl Program {
    /// The steps around every boundary, in ascending order: starts and ends of segments (for a repeated track, of its
    /// first four cycles), the horizon and twice the horizon, 2^24, and the largest step.
    #[must_use]
    pub fn marks(&self, horizon: Option<u64>) -> Vec<u64> {
        let mut marks = vec![0, 1 << 24, MAX_STEP];
        if let Some(end) = horizon {
            marks.extend([end, end.saturating_mul(2)]);
        }
        for stage in &self.stages {
            marks.push(stage.start.saturating_mul(self.quantum));
            for track in &stage.tracks {
                let (period, cycles) = match track.repetition {
                    Repetition::None => (0, 1),
                    // A reflected track turns twice per full cycle.
                    Repetition::Restart { period } | Repetition::Reflect { period } => (period, 4),
                };
                for turn in (0..cycles).map(|cycle| period.saturating_mul(cycle)) {
                    for at in track.segments.iter().flat_map(|segment| [segment.start, segment.end()]) {
                        let on_stage = turn.saturating_add(at).saturating_sub(track.advance);
                        marks.push(stage.start.saturating_add(on_stage).saturating_mul(self.quantum));
                    }
                }
            }
        }
        let around = |mark: u64| [mark.saturating_sub(1), mark, mark.saturating_add(1)];
        let mut steps: Vec<u64> = marks.into_iter().flat_map(around).filter(|&step| step <= MAX_STEP).collect();
        steps.sort_unstable();
        steps.dedup();
        steps
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::curve::Curve;

    #[test]
    fn boundaries_are_seen_from_both_sides() {
        let program = Program::of(vec![
            Segment::rising(0, 100, 0.0, 1.0, Curve::Linear),
            Segment::falling(100, 900, 1.0, 0.0, Curve::Cosine),
        ]);
        let marks = program.marks(Some(1000));
        for step in [0, 1, 99, 100, 101, 999, 1000, 1001, 2000, (1 << 24) - 1, (1 << 24) + 1, MAX_STEP] {
            assert!(marks.contains(&step), "{step}");
        }
    }
}
