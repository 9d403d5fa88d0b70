//! The effect of a scheduler on a learning rate that other schedulers change too.

use crate::schedule::Schedule;

/// The effect of a scheduler at each step.
#[derive(Clone, Debug)]
pub(super) enum Factor {
    /// Multiplies the learning rate by the ratio of its curve's value to the previous one; at the start of a further
    /// curve, sets the learning rate to the base times the curve.
    Curves(Vec<Part>),
    /// Several effects in sequence, each from a step on; the first overwrites effects from before it was constructed.
    Turns(Vec<(u64, Factor)>),
    /// Sets the learning rate at every step.
    Sets(Schedule),
    /// Moves the learning rate towards `target`: the distance is multiplied by the ratio of the curve's values.
    Pulls {
        /// The target.
        target: f64,
        /// The remaining distance, relative to the initial one.
        curve: Schedule,
        /// Half a period of the curve, if it rises again after reaching 0.
        half_period: Option<u64>,
    },
}

/// A curve, from `start` on, on a clock that starts there.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) start: u64,
    /// The curve of a learning rate of 1.
    pub(super) curve: Schedule,
    /// Whether it only continues the part before it.
    pub(super) goes_on: bool,
    /// For the last part: the number of steps after which it would begin again.
    pub(super) again: Option<u64>,
}

impl Part {
    /// A curve from the start.
    pub(super) fn of(curve: Schedule) -> Self {
        Self { start: 0, curve, goes_on: false, again: None }
    }
}

impl Factor {
    /// A single curve without end.
    pub(super) fn curve(curve: Schedule) -> Self {
        Self::Curves(vec![Part::of(curve)])
    }
}
