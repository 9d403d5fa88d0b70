//! Schedulers with a linear warmup.

use super::annealed::polynomial;
use super::time::State;
use super::{Duration, Foreign, Shape, Translation, scheduler};
use crate::dialect::arguments::require;
use crate::dialect::defaults::{one, tenth, two};
use crate::dialect::pieces::{constant, drops_at, one_after_another};
use crate::error::SpecError;
use crate::schedule::{Cosine, Linear, Schedule};

/// The warmup that they share.
struct Warmup {
    /// Batches after which the scheduler itself takes over.
    steps: u64,
    /// Batches that the ramp takes, which `scale_warmup` stretches.
    ramp: u64,
}

impl Warmup {
    fn of(state: &State, t_warmup: Duration, scale_warmup: bool) -> Result<Self, SpecError> {
        let steps = state.unscaled_batches("t_warmup", t_warmup)?;
        let ramp = if scale_warmup { state.batches("t_warmup", t_warmup)? } else { steps };
        let condition = "at least one, after the scaling: Composer divides by it";
        require("t_warmup", format!("a time of {ramp} batches"), ramp > 0 || steps == 0, condition)?;
        Ok(Self { steps, ramp })
    }

    /// From 0 to `target`, and then `then`, which counts from there.
    fn before(&self, target: f64, then: Schedule) -> Translation {
        let ramp = Linear { start: 0.0, end: target, steps: self.ramp.max(1) };
        one_after_another(vec![(0, ramp.into()), (self.steps, then)]).into()
    }

    /// What is left up to `t_max`, which must not end before the trainer.
    fn left(&self, state: &State, t_max: Duration) -> Result<u64, SpecError> {
        let t_max = state.batches("t_max", t_max)?;
        state.check_end(t_max)?;
        Ok(t_max.saturating_sub(self.steps))
    }
}

const SCALED: &str = "`t_max` counts the warmup too, and must not end before `max_duration`; `ssr` leaves the warmup \
                      as it is, and with `scale_warmup` changes its slope but not when it ends";

scheduler! {
    /// A warmup, and drops at milestones.
    MultiStepWithWarmupScheduler {
        /// The time of the warmup.
        t_warmup: Duration,
        /// The times at which it drops.
        milestones: Vec<Duration>,
        /// The factor of each drop.
        #[serde(default = "tenth")]
        gamma: f64,
        /// Whether `ssr` stretches the warmup.
        #[serde(default)]
        scale_warmup: bool,
    }
}

impl Foreign for MultiStepWithWarmupScheduler {
    const SHAPE: Shape = Shape::MultiStep;
    const BITES: &'static str = "milestones count from the start, warmup included; `ssr` leaves the warmup as it is";

    fn translate(&self) -> Result<Translation, SpecError> {
        let (state, base) = (self.state(), self.state().base()?);
        let warmup = Warmup::of(&state, self.t_warmup, self.scale_warmup)?;
        let milestones = self.milestones.iter().enumerate().map(|(index, &time)| {
            Ok(state.batches(&format!("milestones[{index}]"), time)?.saturating_sub(warmup.steps))
        });
        let milestones = milestones.collect::<Result<_, SpecError>>()?;
        Ok(warmup.before(base, drops_at(base, self.gamma, milestones)))
    }
}

scheduler! {
    /// A warmup, and a factor.
    ConstantWithWarmupScheduler {
        /// The time of the warmup.
        t_warmup: Duration,
        /// The factor.
        #[serde(default = "one")]
        alpha: f64,
        /// The time of the whole, warmup included.
        #[serde(default = "Duration::whole")]
        t_max: Duration,
        /// Whether `ssr` stretches the warmup.
        #[serde(default)]
        scale_warmup: bool,
    }
}

impl Foreign for ConstantWithWarmupScheduler {
    const SHAPE: Shape = Shape::Linear;
    const BITES: &'static str = "`alpha` holds after `t_max` too";

    fn translate(&self) -> Result<Translation, SpecError> {
        let (state, value) = (self.state(), self.state().base()? * self.alpha);
        let warmup = Warmup::of(&state, self.t_warmup, self.scale_warmup)?;
        warmup.left(&state, self.t_max)?;
        Ok(warmup.before(value, constant(value)))
    }
}

scheduler! {
    /// A warmup, and a straight line.
    LinearWithWarmupScheduler {
        /// The time of the warmup.
        t_warmup: Duration,
        /// The factor after the warmup.
        #[serde(default = "one")]
        alpha_i: f64,
        /// The factor at the end.
        #[serde(default)]
        alpha_f: f64,
        /// The time of the whole, warmup included.
        #[serde(default = "Duration::whole")]
        t_max: Duration,
        /// Whether `ssr` stretches the warmup.
        #[serde(default)]
        scale_warmup: bool,
    }
}

impl Foreign for LinearWithWarmupScheduler {
    const SHAPE: Shape = Shape::Linear;
    const BITES: &'static str = SCALED;

    fn translate(&self) -> Result<Translation, SpecError> {
        let (state, base) = (self.state(), self.state().base()?);
        let warmup = Warmup::of(&state, self.t_warmup, self.scale_warmup)?;
        let (start, end) = (base * self.alpha_i, base * self.alpha_f);
        Ok(match warmup.left(&state, self.t_max)? {
            0 => warmup.before(start, constant(start)),
            steps => warmup.before(start, Linear { start, end, steps }.into()),
        })
    }
}

scheduler! {
    /// A warmup, and half a cosine down.
    CosineAnnealingWithWarmupScheduler {
        /// The time of the warmup.
        t_warmup: Duration,
        /// The time of the whole, warmup included.
        #[serde(default = "Duration::whole")]
        t_max: Duration,
        /// The factor at the end.
        #[serde(default)]
        alpha_f: f64,
        /// Whether `ssr` stretches the warmup.
        #[serde(default)]
        scale_warmup: bool,
    }
}

impl Foreign for CosineAnnealingWithWarmupScheduler {
    const SHAPE: Shape = Shape::Cosine;
    const BITES: &'static str = SCALED;

    fn translate(&self) -> Result<Translation, SpecError> {
        let (state, start) = (self.state(), self.state().base()?);
        let warmup = Warmup::of(&state, self.t_warmup, self.scale_warmup)?;
        Ok(match warmup.left(&state, self.t_max)? {
            0 => warmup.before(start, constant(start)),
            steps => warmup.before(start, Cosine { start, end: start * self.alpha_f, steps }.into()),
        })
    }
}

scheduler! {
    /// A warmup, and a power of what is left.
    PolynomialWithWarmupScheduler {
        /// The time of the warmup.
        t_warmup: Duration,
        /// The power.
        #[serde(default = "two")]
        power: f64,
        /// The time of the whole, warmup included.
        #[serde(default = "Duration::whole")]
        t_max: Duration,
        /// The factor at the end.
        #[serde(default)]
        alpha_f: f64,
        /// Whether `ssr` stretches the warmup.
        #[serde(default)]
        scale_warmup: bool,
    }
}

impl Foreign for PolynomialWithWarmupScheduler {
    const SHAPE: Shape = Shape::Polynomial;
    const BITES: &'static str = SCALED;

    fn translate(&self) -> Result<Translation, SpecError> {
        let (state, start) = (self.state(), self.state().base()?);
        let warmup = Warmup::of(&state, self.t_warmup, self.scale_warmup)?;
        Ok(match warmup.left(&state, self.t_max)? {
            0 => warmup.before(start, constant(start)),
            steps => warmup.before(start, polynomial(start, start * self.alpha_f, steps, self.power)?),
        })
    }
}
