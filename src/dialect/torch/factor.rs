//! The effect of a scheduler on a learning rate that other schedulers change too.

use crate::schedule::Schedule;

/// What a scheduler does at each step.
#[derive(Clone, Debug)]
pub(super) enum Factor {
    /// It multiplies the learning rate by the ratio of its curve to what it was a step before; where a further
    /// curve begins, it sets the learning rate to the base times it.
    Curves(Vec<Part>),
    /// It acts in one way after another, each from a step on; the first sets what was done before it was made aside.
    Turns(Vec<(u64, Factor)>),
    /// It sets the learning rate at every step.
    Sets(Schedule),
    /// It pulls the learning rate towards `target`: of the distance, the ratio of its curve is left.
    Pulls {
        /// Where it pulls to.
        target: f64,
        /// The distance left, in its own terms.
        curve: Schedule,
        /// Half a period of the curve, where it rises again once it has come down to 0.
        half_period: Option<u64>,
    },
}

/// A curve, from `start` on, on a clock that starts there.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) start: u64,
    /// The curve of a learning rate of 1.
    pub(super) curve: Schedule,
    /// Whether it only goes on with the part before it.
    pub(super) goes_on: bool,
    /// For the last part that is followed: after how many steps it would begin anew.
    pub(super) again: Option<u64>,
}

impl Part {
    /// A curve from the start.
    pub(super) fn of(curve: Schedule) -> Self {
        Self { start: 0, curve, goes_on: false, again: None }
    }
}

impl Factor {
    /// One curve for ever.
    pub(super) fn curve(curve: Schedule) -> Self {
        Self::Curves(vec![Part::of(curve)])
    }
}
