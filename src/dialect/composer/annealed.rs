//! Schedulers with a smooth decay.

use super::{Duration, Foreign, Shape, Translation, scheduler};
use crate::dialect::arguments::require;
use crate::dialect::defaults::one;
use crate::dialect::pieces::{constant, one_after_another};
use crate::error::SpecError;
use crate::program::{MAX_SEGMENTS, MAX_STEP};
use crate::schedule::{Cosine, CosineRestarts, Cycle, CycleMode, Exponential, Linear, Polynomial, Schedule, Until};

scheduler! {
    /// A straight line.
    LinearScheduler {
        /// The factor at the start.
        #[serde(default = "one")]
        alpha_i: f64,
        /// The factor at the end.
        #[serde(default)]
        alpha_f: f64,
        /// The time from one to the other.
        #[serde(default = "Duration::whole")]
        t_max: Duration,
    }
}

impl Foreign for LinearScheduler {
    const SHAPE: Shape = Shape::Linear;
    const BITES: &'static str = "falls to 0 by default, where PyTorch's LinearLR rises from a third";

    fn translate(&self) -> Result<Translation, SpecError> {
        let (state, base) = (self.state(), self.state().base()?);
        let steps = state.length("t_max", self.t_max)?;
        Ok(Linear { start: base * self.alpha_i, end: base * self.alpha_f, steps }.into())
    }
}

scheduler! {
    /// A constant ratio per `decay_period`.
    ExponentialScheduler {
        /// The factor per `decay_period`.
        gamma: f64,
        /// The time per factor.
        #[serde(default = "Duration::one_epoch")]
        decay_period: Duration,
    }
}

impl Foreign for ExponentialScheduler {
    const SHAPE: Shape = Shape::Exponential;
    const BITES: &'static str = "`gamma` is per epoch by default, and moves at every batch";

    fn translate(&self) -> Result<Translation, SpecError> {
        let (state, start) = (self.state(), self.state().base()?);
        let decay_steps = state.length("decay_period", self.decay_period)?;
        let condition = "at least 0: a negative number has no real powers between whole ones";
        require("gamma", self.gamma, self.gamma >= 0.0, condition)?;
        if self.gamma == 0.0 {
            return Ok(one_after_another(vec![(0, constant(start)), (1, constant(0.0))]).into());
        }
        Ok(Exponential { start, decay_rate: self.gamma, decay_steps, staircase: false }.into())
    }
}

scheduler! {
    /// Half a cosine down.
    CosineAnnealingScheduler {
        /// The time down.
        #[serde(default = "Duration::whole")]
        t_max: Duration,
        /// The factor at the end.
        #[serde(default)]
        alpha_f: f64,
    }
}

impl Foreign for CosineAnnealingScheduler {
    const SHAPE: Shape = Shape::Cosine;
    const BITES: &'static str = "`alpha_f` is a share of the learning rate, not a value; held after `t_max`";

    fn translate(&self) -> Result<Translation, SpecError> {
        let (state, start) = (self.state(), self.state().base()?);
        let steps = state.length("t_max", self.t_max)?;
        Ok(Cosine { start, end: start * self.alpha_f, steps }.into())
    }
}

scheduler! {
    /// Half cosines that start again.
    CosineAnnealingWarmRestartsScheduler {
        /// The time of the first.
        t_0: Duration,
        /// Growth from one to the next, whose lengths are cut off to whole numbers.
        #[serde(default = "one")]
        t_mult: f64,
        /// The factor at their ends.
        #[serde(default)]
        alpha_f: f64,
    }
}

/// Half cosines whose lengths are each `growth` times the one before, cut off to whole numbers.
fn restarts(start: f64, end: f64, first: u64, growth: f64) -> Schedule {
    let cosine = |steps| Cosine { start, end, steps }.into();
    let (mut pieces, mut at, mut length) = (Vec::new(), 0_u64, first);
    while at <= MAX_STEP && pieces.len() <= MAX_SEGMENTS {
        let next = (growth * length as f64) as u64;
        if next == length {
            pieces.push((at, Cycle { of: Box::new(cosine(length)), mode: CycleMode::Restart }.into()));
            break;
        }
        pieces.push((at, cosine(length)));
        at = at.saturating_add(length);
        if next == 0 {
            // Composer fails only when it reaches that step.
            return Until { last: at - 1, of: Box::new(one_after_another(pieces)) }.into();
        }
        length = next;
    }
    one_after_another(pieces)
}

impl Foreign for CosineAnnealingWarmRestartsScheduler {
    const SHAPE: Shape = Shape::CosineRestarts;
    const BITES: &'static str = "a `t_mult` below 1 fails once the lengths have shrunk to nothing";

    fn translate(&self) -> Result<Translation, SpecError> {
        let (state, base, growth) = (self.state(), self.state().base()?, self.t_mult);
        let period = state.batches("t_0", self.t_0)?;
        require("t_0", format!("a time of {period} batches"), period > 0, "at least one")?;
        require("t_mult", growth, growth >= 0.0 && growth.is_finite(), "at least 0")?;
        let end = base * self.alpha_f;
        if growth.fract() == 0.0 && growth > 1.0 {
            return Ok(CosineRestarts { max: base, min: end, period, multiplier: growth, decay: 1.0 }.into());
        }
        Ok(restarts(base, end, period, growth).into())
    }
}

scheduler! {
    /// A power of what is left.
    PolynomialScheduler {
        /// The power.
        power: f64,
        /// The time down.
        #[serde(default = "Duration::whole")]
        t_max: Duration,
        /// The factor at the end.
        #[serde(default)]
        alpha_f: f64,
    }
}

/// `(1 − t)^power` from `start` to `end`.
pub(super) fn polynomial(start: f64, end: f64, steps: u64, power: f64) -> Result<Schedule, SpecError> {
    require("power", power, power >= 0.0, "at least 0: Composer divides by 0 at the end")?;
    Ok(if power == 0.0 { constant(start) } else { Polynomial { start, end, steps, power }.into() })
}

impl Foreign for PolynomialScheduler {
    const SHAPE: Shape = Shape::Polynomial;
    const BITES: &'static str = "";

    fn translate(&self) -> Result<Translation, SpecError> {
        let (state, base) = (self.state(), self.state().base()?);
        let steps = state.length("t_max", self.t_max)?;
        polynomial(base, base * self.alpha_f, steps, self.power).map(Translation::from)
    }
}
