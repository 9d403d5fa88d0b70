//! Describes a schedule: its segments and its characteristic values.

mod budget;
mod phases;
mod warnings;

pub use budget::{Area, area, first_at_most};
pub use phases::{Phase, PhaseKind, phases};
pub use warnings::warnings;

use lrgrid::double_double::Extended;
use lrgrid::packed::Batch;
use lrgrid::program::{FOREVER, MAX_STEP, Program, Repetition};

/// Steps that are searched for the peak in addition to the marks: all steps of a short schedule.
const LOOKED_AT: u64 = 1 << 16;

/// One segment of a schedule, as described to people.
#[derive(Clone, Debug, PartialEq)]
pub struct Piece {
    /// First step of its first cycle, counted from the start of the schedule.
    pub start: u64,
    /// The step at which the next piece begins or the value becomes constant; `None` if that never happens.
    pub end: Option<u64>,
    /// The index of the factor of the product, or term of the sum, to which it belongs; `None` if there is only one.
    pub factor: Option<usize>,
    /// The curve.
    pub curve: &'static str,
    /// The value at its first step: of its factor, if there are several.
    pub from: f64,
    /// The value at its end; at the largest step, if it never ends.
    pub to: f64,
    /// The repetition of its track.
    pub repetition: Repetition,
    /// Steps between changes of the value.
    pub every: u64,
}

/// Characteristic values of a schedule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KeyValues {
    /// The value at step 0.
    pub first: f64,
    /// The largest value, and its first step.
    pub peak: (u64, f64),
    /// The smallest value, and its first step.
    pub least: (u64, f64),
    /// The value at the last step of the table.
    pub last: (u64, f64),
}

/// The pieces of a program, in order of their stages, factors and steps.
#[must_use]
pub fn pieces(program: &Program) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for (index, stage) in program.stages().iter().enumerate() {
        let next = program.stages().get(index + 1).map_or(FOREVER, |next| next.start);
        for (factor, track) in stage.tracks.iter().enumerate() {
            let alone = stage.tracks.len() == 1;
            let value = |value: Extended| {
                let value = track.clamp.apply(value);
                let whole = || stage.clamp.apply(Extended::from(stage.offset) + Extended::from(stage.scale) * value);
                if alone { whole().high() } else { value.high() }
            };
            // Converts from the track's clock to steps of the schedule.
            let step = |at: u64| stage.start.saturating_add(at - track.advance).saturating_mul(program.quantum());
            let stage_end = next.saturating_sub(stage.start).saturating_add(track.advance);
            for (place, segment) in track.segments.iter().enumerate() {
                let until = match (track.segments.get(place + 1), track.repetition) {
                    (Some(following), _) => following.start,
                    (None, Repetition::Restart { period } | Repetition::Reflect { period }) => period,
                    (None, Repetition::None) => FOREVER,
                };
                let (from, until) = (segment.start.max(track.advance), until.min(stage_end));
                if until <= from {
                    continue;
                }
                let last = if until == FOREVER { segment.end().max(from) } else { until };
                // A segment that never ends is described up to the largest step.
                let to = last.min(MAX_STEP.max(from));
                pieces.push(Piece {
                    start: step(from),
                    end: (last <= MAX_STEP).then(|| step(to)),
                    factor: (!alone).then_some(factor),
                    curve: segment.curve.name(),
                    from: value(segment.value_at(segment.phase_count(from).into())),
                    to: value(segment.value_at(segment.phase_count(to).into())),
                    repetition: track.repetition,
                    every: segment.quantum.unwrap_or(1).saturating_mul(program.quantum()),
                });
            }
        }
    }
    pieces
}

/// The characteristic values of one schedule, within a table of `steps ≥ 1` steps.
///
/// The peak is the largest value among the marks and 65,536 evenly spaced steps.
#[must_use]
pub fn key_values(batch: &Batch, schedule: usize, steps: u64) -> KeyValues {
    let last = steps.clamp(1, MAX_STEP) - 1;
    let mut looked_at: Vec<u64> =
        if schedule < batch.len() { batch.program(schedule).marks(Some(steps)) } else { vec![] };
    looked_at.extend((0..=last).step_by(usize::try_from(last / LOOKED_AT + 1).unwrap_or(usize::MAX)));
    looked_at.push(last);
    looked_at.retain(|&step| step <= last);
    looked_at.sort_unstable();
    looked_at.dedup();
    let mut values = Vec::with_capacity(looked_at.len());
    batch.reference_values(schedule, &mut looked_at.iter().copied(), &mut |value| values.push(value.high()));
    let mut seen = looked_at.into_iter().zip(values);
    let first = seen.next().unwrap_or((0, f64::NAN));
    let mut found = KeyValues { first: first.1, peak: first, least: first, last: first };
    for at in seen {
        if at.1 > found.peak.1 {
            found.peak = at;
        }
        if at.1 < found.least.1 {
            found.least = at;
        }
        found.last = at;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use lrgrid::curve::Curve;
    use lrgrid::program::Segment;
    use lrgrid_testkit::of_segments;

    #[test]
    fn warmup_and_decay() {
        let program = of_segments(vec![
            Segment::rising(0, 100, 0.0, 1.0, Curve::Linear),
            Segment::falling(100, 900, 1.0, 0.25, Curve::Cosine),
        ]);
        let pieces = pieces(&program);
        assert_eq!((pieces[0].start, pieces[0].end, pieces[0].from, pieces[0].to), (0, Some(100), 0.0, 1.0));
        assert_eq!((pieces[1].start, pieces[1].end, pieces[1].from, pieces[1].to), (100, Some(1000), 1.0, 0.25));
        let batch = Batch::from_programs([&program]).unwrap();
        let values = key_values(&batch, 0, 1000);
        assert_eq!((values.first, values.peak, values.least), (0.0, (100, 1.0), (0, 0.0)));
        assert_eq!(values.last.0, 999);
    }

    #[test]
    fn every_kind_can_be_described() {
        for kind in lrgrid::schedule::KINDS {
            for schedule in (kind.examples)() {
                let program = schedule.lower().unwrap();
                let pieces = pieces(&program);
                assert!(!pieces.is_empty(), "{schedule:?}");
                for piece in &pieces {
                    assert!(piece.end.is_none_or(|end| end > piece.start), "{schedule:?}: {piece:?}");
                    assert!(!piece.from.is_nan() && !piece.to.is_nan(), "{schedule:?}: {piece:?}");
                }
                let (first, value) = (&pieces[0], program.value(0));
                assert!(first.factor.is_some() || (first.from - value).abs() <= 1e-15 * value.abs(), "{schedule:?}");
            }
        }
    }

    #[test]
    fn a_constant_never_ends() {
        let pieces = pieces(&Program::hold(0.5));
        assert_eq!((pieces.len(), pieces[0].end, pieces[0].from, pieces[0].to), (1, None, 0.5, 0.5));
        let batch = Batch::from_programs([&Program::hold(0.5)]).unwrap();
        assert_eq!(key_values(&batch, 0, MAX_STEP).last, (MAX_STEP - 1, 0.5));
    }
}
