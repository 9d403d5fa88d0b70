//! A ramp up to another schedule.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::wsd::{check_geometric, geometric_between, geometric_move};
use super::{Family, Schedule, Time, check, formula, later, lower_within};
use crate::curve::Curve;
use crate::double_double::{DoubleDouble, Extended};
use crate::error::{LowerError, SpecError};
use crate::program::{Program, Segment};

/// The curve of a ramp.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WarmupShape {
    /// A straight line.
    #[default]
    Linear,
    /// Half a cosine.
    Cosine,
    /// A constant ratio per step; needs both ends other than 0 and of one sign.
    Exponential,
}

/// A ramp up to another schedule.
///
/// **Formula.** `start → target` over `steps` along `shape`, then `then`; `target` is the first value of
/// `then`.
///
/// **Parameters.** `steps`: length of the ramp, 0 for none. `start`: value at 0 (default 0).
/// `shape`: `linear` (default), `cosine` or `exponential`. `then`: the schedule that follows. `overlay`:
/// whether its clock already runs during the ramp (default false).
///
/// **Behaviour.** `start` at 0; at `steps` the value of `then` at its step 0 (with `overlay`, at its step `steps`), so
/// there is no jump.
///
/// **Source.** Goyal et al. 2017 (arXiv 1706.02677). Twins: optax `warmup_cosine_decay_schedule`,
/// transformers' warmups; timm's `warmup_prefix = False` is an overlay that jumps.
///
/// ```
/// use lrgrid::schedule::{Cosine, Schedule, Warmup, WarmupShape};
///
/// let schedule = Schedule::from(Warmup {
///     steps: 4, start: 0.0, shape: WarmupShape::Linear, overlay: false,
///     then: Box::new(Cosine { start: 1.0, end: 0.0, steps: 2 }.into()),
/// });
/// assert_eq!([0, 1, 4, 5, 6].map(|s| schedule.value(s)), [0.0, 0.25, 1.0, 0.5, 0.0]);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Warmup {
    /// Length of the ramp.
    pub steps: u64,
    /// Value at step 0.
    #[serde(default)]
    pub start: f64,
    /// The curve of the ramp.
    #[serde(default)]
    pub shape: WarmupShape,
    /// The schedule that follows.
    pub then: Box<Schedule>,
    /// Whether the clock of `then` runs during the ramp.
    #[serde(default)]
    pub overlay: bool,
}

impl Warmup {
    /// The value of `then` at the end of the ramp.
    fn target(&self) -> DoubleDouble {
        self.then.exact(Time::step(if self.overlay { self.steps } else { 0 }))
    }
}

impl Family for Warmup {
    fn validate(&self) -> Result<(), SpecError> {
        check::length_or_zero("steps", self.steps)?;
        check::finite("start", self.start)?;
        self.then.validate().map_err(|error| error.within("then"))?;
        if self.shape == WarmupShape::Exponential && self.steps > 0 {
            check_geometric("start", self.start, self.target().high())?;
        }
        Ok(())
    }

    fn value(&self, time: Time) -> Extended {
        if time.reached(self.steps) {
            return self.then.extended(if self.overlay { time } else { time.since(self.steps) });
        }
        let (t, left) = (time.progress(self.steps), time.remaining(self.steps));
        match self.shape {
            WarmupShape::Linear => formula::between(self.start, self.target(), || t, || left),
            WarmupShape::Cosine => {
                formula::between(self.start, self.target(), || formula::half_cosine(t), || formula::half_cosine(left))
            }
            WarmupShape::Exponential => geometric_between(self.start, self.target().high(), t, left),
        }
    }

    fn length(&self) -> Option<u64> {
        let body = self.then.length()?;
        Some(if self.overlay { body.max(self.steps) } else { later(self.steps, body) })
    }

    fn parts(&self) -> Vec<&Schedule> {
        vec![&self.then]
    }

    fn last_step(&self) -> Option<u64> {
        let last = self.then.last_step()?;
        Some(if self.overlay { last.max(self.steps) } else { later(self.steps, last) })
    }

    fn lower(&self) -> Result<Program, LowerError> {
        let body = lower_within(&self.then, "then")?;
        if self.steps == 0 {
            return Ok(body);
        }
        let ramp = match self.shape {
            WarmupShape::Linear => Segment::transition(0, self.steps, self.start, self.target(), Curve::Linear),
            WarmupShape::Cosine => Segment::transition(0, self.steps, self.start, self.target(), Curve::Cosine),
            WarmupShape::Exponential => geometric_move(0, self.steps, self.start, self.target().high()),
        };
        let body = if self.overlay { body.skip(self.steps)? } else { body };
        body.after(ramp, self.steps)
    }

    fn scaled(&self, factor: f64) -> Option<Self> {
        // The rise ends at a computed value, whose rounding depends on the scale.
        let plain = self.start == 0.0 && !self.overlay;
        plain.then(|| Some(Self { then: Box::new(self.then.scaled(factor)?), ..*self }))?
    }

    fn examples() -> Vec<Self> {
        use super::{Cosine, CosineRestarts, InverseSqrt, Step};
        let make =
            |steps, start, shape, overlay, then: Schedule| Self { steps, start, shape, then: Box::new(then), overlay };
        let cosine = || Cosine { start: 3e-4, end: 3e-6, steps: 9000 }.into();
        let restarts = CosineRestarts { max: 0.1, min: 0.0, period: 300, multiplier: 1.0, decay: 0.5 };
        vec![
            make(1000, 0.0, WarmupShape::Linear, false, cosine()),
            make(1000, 1e-6, WarmupShape::Cosine, true, cosine()),
            make(500, 1e-6, WarmupShape::Exponential, false, cosine()),
            make(0, 0.0, WarmupShape::Linear, false, cosine()),
            make(100, 0.0, WarmupShape::Linear, true, restarts.into()),
            make(4000, 0.0, WarmupShape::Linear, true, InverseSqrt { start: 5e-4, timescale: 4000, shift: 0 }.into()),
            make(55, 0.0, WarmupShape::Linear, true, Step { start: 0.1, decay_rate: 0.5, step_size: 10 }.into()),
        ]
    }
}
