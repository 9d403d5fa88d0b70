//! Schedulers with drops.

use super::{Base, Foreign, Shape, Translation, scheduler};
use crate::dialect::arguments::{Length, require};
use crate::dialect::defaults::{one, yes};
use crate::dialect::pieces::{constant, drops_at};
use crate::dialect::stairs::{Quotient, stairs};
use crate::error::SpecError;
use crate::program::MAX_STEP;
use crate::schedule::{Schedule, Until};

/// Drops at regular distances.
pub(super) fn steps(base: &Base, distance: f64, rate: f64, argument: &str) -> Result<Schedule, SpecError> {
    if distance == 0.0 && base.warmup > 0 {
        // timm divides by it when the warmup is over.
        let line = Base { prefix: true, ..*base }.warmed_up(constant(base.lr));
        return Ok(Until { last: base.warmup - 1, of: Box::new(line) }.into());
    }
    let range = distance > 0.0 && distance <= MAX_STEP as f64;
    require(argument, distance, range, "above 0 and at most 2^53: timm divides by it")?;
    require("decay_rate", rate, rate >= 0.0, "at least 0")?;
    let drops = stairs(base.lr, rate, distance, Quotient::Exact).map_err(|error| error.within(argument))?;
    Ok(base.warmed_up(drops))
}

/// Drops at milestones, each one step early.
pub(super) fn milestones(base: &Base, at: &[u64], rate: f64) -> Schedule {
    // The binary search runs on lists that are not ascending, too.
    let reached = |step: u64| halved(at, step.saturating_add(1));
    let mut steps: Vec<u64> = at.iter().map(|milestone| milestone.saturating_sub(1)).collect();
    steps.sort_unstable();
    steps.dedup();
    let (mut drops, mut before) = (Vec::new(), 0);
    for step in steps {
        let now = reached(step);
        drops.extend(std::iter::repeat_n(step, now.saturating_sub(before)));
        before = now.max(before);
    }
    base.warmed_up(drops_at(base.lr, rate, drops))
}

/// Python's `bisect_right`.
fn halved(at: &[u64], value: u64) -> usize {
    let (mut low, mut high) = (0, at.len());
    while low < high {
        let middle = usize::midpoint(low, high);
        if value < at[middle] { high = middle } else { low = middle + 1 }
    }
    low
}

scheduler! {
    /// Drops at regular distances.
    StepLRScheduler {
        /// Steps between drops; need not be whole.
        decay_t: Length,
        /// The factor of each drop.
        #[serde(default = "one")]
        decay_rate: f64,
        /// Whether the warmup comes before the schedule, or covers its beginning.
        #[serde(default = "yes")]
        warmup_prefix: bool,
    }
}

impl Foreign for StepLRScheduler {
    const SHAPE: Shape = Shape::Step;
    const BITES: &'static str =
        "`decay_rate` is 1 by default: no drops; the warmup comes before, unlike elsewhere in timm";

    fn translate(&self) -> Result<Translation, SpecError> {
        Ok(steps(&self.base(self.warmup_prefix)?, self.decay_t.0, self.decay_rate, "decay_t")?.into())
    }
}

scheduler! {
    /// Drops at milestones.
    MultiStepLRScheduler {
        /// The milestones.
        decay_t: Vec<u64>,
        /// The factor of each drop.
        #[serde(default = "one")]
        decay_rate: f64,
        /// Whether the warmup comes before the schedule, or covers its beginning.
        #[serde(default = "yes")]
        warmup_prefix: bool,
    }
}

impl Foreign for MultiStepLRScheduler {
    const SHAPE: Shape = Shape::MultiStep;
    const BITES: &'static str = "drops one step before each milestone; `decay_rate` is 1 by default: no drops";

    fn translate(&self) -> Result<Translation, SpecError> {
        Ok(milestones(&self.base(self.warmup_prefix)?, &self.decay_t, self.decay_rate).into())
    }
}
