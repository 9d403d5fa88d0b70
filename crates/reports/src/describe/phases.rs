//! Phases: a schedule as a sequence of warmup, plateaus, decays and cycles.

use lrgrid::program::{FOREVER, Program, Repetition, Stage};

/// The most phases; beyond that, neighbours are merged.
const MOST: usize = 24;

/// The kind of a phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhaseKind {
    /// The value rises from the first step on.
    Warmup,
    /// The value is constant.
    Hold,
    /// The value falls.
    Decay,
    /// The value rises after the first phase.
    Rise,
    /// The value is periodic.
    Cycles {
        /// Steps of a cycle.
        period: u64,
    },
    /// The value changes at some steps only.
    Stairs {
        /// How many there are.
        count: u64,
    },
    /// Several merged phases.
    Pieces {
        /// How many there are.
        count: u64,
    },
}

impl PhaseKind {
    /// The name, one word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Warmup => "warmup",
            Self::Hold => "hold",
            Self::Decay => "decay",
            Self::Rise => "rise",
            Self::Cycles { .. } => "cycles",
            Self::Stairs { .. } => "stairs",
            Self::Pieces { .. } => "pieces",
        }
    }
}

/// A range of steps with one kind of behaviour.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Phase {
    /// The kind of behaviour.
    pub kind: PhaseKind,
    /// First step.
    pub start: u64,
    /// The step after the last.
    pub end: u64,
    /// The value at the first step.
    pub from: f64,
    /// The value at `end`, or at the last step if the value jumps at `end`.
    pub to: f64,
}

/// The phases of a schedule within its first `steps ≥ 1` steps, in order and without gaps.
///
/// ```
/// use lrgrid_reports::describe::{PhaseKind, phases};
///
/// let text = "schedule = { kind = 'wsd', peak = 1, warmup_steps = 10, stable_steps = 70, decay_steps = 20 }";
/// let batch = lrgrid::Spec::from_toml(text)?.compile()?;
/// let found: Vec<_> = phases(&batch.program(0), 100).iter().map(|phase| (phase.kind, phase.start, phase.end)).collect();
/// assert_eq!(found, [(PhaseKind::Warmup, 0, 10), (PhaseKind::Hold, 10, 80), (PhaseKind::Decay, 80, 100)]);
/// # Ok::<(), lrgrid::Error>(())
/// ```
#[must_use]
pub fn phases(program: &Program, steps: u64) -> Vec<Phase> {
    let ticks = steps.max(1).div_ceil(program.quantum());
    let mut found: Vec<Phase> = Vec::new();
    for (index, stage) in program.stages().iter().enumerate() {
        let end = program.stages().get(index + 1).map_or(ticks, |next| next.start).min(ticks);
        if stage.start < end {
            of_stage(program, stage, stage.start..end, steps.max(1), &mut found);
        }
    }
    if let Some(first) = found.first_mut()
        && first.kind == PhaseKind::Rise
    {
        first.kind = PhaseKind::Warmup;
    }
    merged(found)
}

/// Adds the phases of one stage, whose ticks are those of the program's clock.
fn of_stage(program: &Program, stage: &Stage, ticks: std::ops::Range<u64>, steps: u64, found: &mut Vec<Phase>) {
    let mut cuts = vec![ticks.start, ticks.end];
    let mut period = 0;
    let mut quanta = Vec::new();
    for track in &stage.tracks {
        match track.repetition {
            Repetition::None => {
                let bounds = track.segments.iter().flat_map(|segment| [segment.start, segment.end()]);
                cuts.extend(
                    bounds
                        .filter(|&at| at != FOREVER)
                        .map(|at| stage.start.saturating_add(at.saturating_sub(track.advance))),
                );
                quanta.extend(track.segments.iter().filter_map(|segment| segment.quantum));
            }
            Repetition::Restart { period: one_way } => period = one_way.max(period),
            Repetition::Reflect { period: one_way } => period = one_way.saturating_mul(2).max(period),
        }
    }
    cuts.retain(|cut| ticks.contains(cut) || *cut == ticks.end);
    cuts.sort_unstable();
    cuts.dedup();
    for pair in cuts.windows(2) {
        let (start, end) =
            (pair[0].saturating_mul(program.quantum()), pair[1].saturating_mul(program.quantum()).min(steps));
        if start >= end {
            continue;
        }
        let (from, last, next) = (program.value(start), program.value(end - 1), program.value(end));
        let kind = if period > 0 && pair[1] - pair[0] > period {
            PhaseKind::Cycles { period: period.saturating_mul(program.quantum()) }
        } else if let Some(quantum) =
            quanta.iter().find(|&&quantum| quantum > 1 && from != last && quantum < pair[1] - pair[0])
        {
            PhaseKind::Stairs { count: (pair[1] - pair[0]).div_ceil(*quantum) }
        } else if from == last {
            PhaseKind::Hold
        } else if last > from {
            PhaseKind::Rise
        } else {
            PhaseKind::Decay
        };
        // A transition ends at the start of the next phase, unless the value jumps there.
        let onwards = if start + 1 == end { last } else { last + (last - program.value(end - 2)) * 2.0 };
        let follows = (next - last).abs() <= (onwards - last).abs();
        let to = if follows && kind != PhaseKind::Hold { next } else { last };
        found.push(Phase { kind, start, end, from, to });
    }
}

/// Merges neighbouring phases of the same kind, and further neighbours if there are too many phases.
fn merged(found: Vec<Phase>) -> Vec<Phase> {
    let mut merged: Vec<Phase> = Vec::new();
    for phase in found {
        match merged.last_mut() {
            Some(last) if last.kind == PhaseKind::Hold && phase.kind == PhaseKind::Hold && last.to == phase.from => {
                last.end = phase.end;
            }
            // Consecutive plateaus with different values are stairs.
            Some(last)
                if phase.kind == PhaseKind::Hold
                    && last.to != phase.from
                    && matches!(last.kind, PhaseKind::Hold | PhaseKind::Stairs { .. }) =>
            {
                let count = if let PhaseKind::Stairs { count } = last.kind { count + 1 } else { 2 };
                (last.kind, last.end, last.to) = (PhaseKind::Stairs { count }, phase.end, phase.to);
            }
            _ => merged.push(phase),
        }
    }
    if merged.len() <= MOST {
        return merged;
    }
    let rest = merged.split_off(MOST - 1);
    if let (Some(first), Some(last)) = (rest.first(), rest.last()) {
        merged.push(Phase {
            kind: PhaseKind::Pieces { count: rest.len() as u64 },
            end: last.end,
            to: last.to,
            ..*first
        });
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;
    use lrgrid::schedule::KINDS;

    #[test]
    fn phases_cover_every_step_of_every_kind_once() {
        for kind in KINDS {
            for schedule in (kind.examples)() {
                let program = schedule.lower().unwrap();
                for steps in [1, 17, 1000, 1 << 45] {
                    let mut next = 0;
                    for phase in phases(&program, steps) {
                        assert!(phase.start == next && phase.end > phase.start, "{schedule:?}: {phase:?}");
                        assert!(!phase.from.is_nan() && !phase.to.is_nan(), "{schedule:?}: {phase:?}");
                        next = phase.end;
                    }
                    assert_eq!(next, steps, "{schedule:?}");
                }
            }
        }
    }

    #[test]
    fn they_are_named_as_people_name_them() {
        let names = |text: &str, steps| {
            let batch = lrgrid::spec::Spec::from_toml(text).unwrap().compile().unwrap();
            phases(&batch.program(0), steps).iter().map(|phase| phase.kind).collect::<Vec<_>>()
        };
        let warmup =
            "schedule = { kind = 'warmup', steps = 10, then = { kind = 'cosine', start = 1, end = 0, steps = 90 } }";
        assert_eq!(names(warmup, 100), [PhaseKind::Warmup, PhaseKind::Decay]);
        assert_eq!(names(warmup, 150), [PhaseKind::Warmup, PhaseKind::Decay, PhaseKind::Hold]);
        let restarts = "schedule = { kind = 'cosine_restarts', max = 1, min = 0, period = 10 }";
        assert_eq!(names(restarts, 100), [PhaseKind::Cycles { period: 10 }]);
        let milestones = "schedule = { kind = 'multi_step', start = 1, decay_rate = 0.1, milestones = [30, 60] }";
        assert_eq!(names(milestones, 100), [PhaseKind::Stairs { count: 3 }]);
    }
}
