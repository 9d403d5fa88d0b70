//! Decays with optional restarts.

use super::{Base, Foreign, Shape, Translation, constant, scheduler};
use crate::dialect::arguments::{refused, require};
use crate::dialect::cycles::{MOST_WRITTEN, cycles};
use crate::dialect::defaults::{half, one};
use crate::double_double::DoubleDouble;
use crate::error::SpecError;
use crate::program::MAX_STEP;
use crate::schedule::{
    Cosine, CosineRestarts, Cycle, CycleMode, KDecay, KDecayForm, Linear, Polynomial, Schedule, Sequence, Tanh, Until,
    Warmup, WarmupShape,
};

/// The curve of a cycle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Curve {
    Cosine { k: f64 },
    Poly { k: f64, power: f64 },
    Tanh { lower: f64, upper: f64 },
}

/// A decay with its repetition.
#[derive(Clone, Copy, Debug)]
pub(super) struct Decay {
    pub(super) curve: Curve,
    pub(super) base: Base,
    pub(super) lr_min: f64,
    pub(super) t_initial: u64,
    pub(super) cycle_mul: f64,
    pub(super) cycle_decay: f64,
    pub(super) cycle_limit: u64,
}

impl Curve {
    fn check(self) -> Result<(), SpecError> {
        match self {
            Self::Tanh { lower, upper } => require("lb", lower, lower < upper, &format!("below `ub`, {upper}")),
            Self::Cosine { k } => require("k_decay", k, k >= 0.0, "at least 0: timm divides by powers of 0"),
            Self::Poly { k, power } => {
                require("k_decay", k, k >= 0.0, "at least 0: timm divides by powers of 0")?;
                require("power", power, power >= 0.0, "at least 0: below, the rate would grow without bound")
            }
        }
    }

    /// A cycle from `start` towards `end`.
    fn over(self, start: f64, end: f64, steps: u64) -> Schedule {
        match self {
            Self::Tanh { lower, upper } => Tanh { start, end, steps, lower, upper }.into(),
            // Anything to the power of 0 is 1.
            Self::Poly { power: 0.0, .. } => Linear { start, end: start, steps }.into(),
            Self::Cosine { k: 0.0 } | Self::Poly { k: 0.0, .. } => Linear { start: end, end, steps }.into(),
            Self::Cosine { k: 1.0 } => Cosine { start, end, steps }.into(),
            Self::Cosine { k } => KDecay { start, end, steps, k, form: KDecayForm::Cosine, power: 1.0 }.into(),
            Self::Poly { k: 1.0, power } => Polynomial { start, end, steps, power }.into(),
            Self::Poly { k, power } => KDecay { start, end, steps, k, form: KDecayForm::Polynomial, power }.into(),
        }
    }

    /// Whether a cycle ends with the lowest rate.
    fn ends_at_the_lowest(self) -> bool {
        !matches!(self, Self::Tanh { .. } | Self::Poly { power: 0.0, .. })
    }
}

impl Decay {
    pub(super) fn translated(&self) -> Result<Schedule, SpecError> {
        require("t_initial", self.t_initial, (1..=MAX_STEP).contains(&self.t_initial), "at least 1")?;
        require("lr_min", self.lr_min, self.lr_min >= 0.0, "at least 0")?;
        self.curve.check()?;
        let body = self.cycles()?;
        let Curve::Tanh { .. } = self.curve else { return Ok(self.base.warmed_up(body)) };
        require("warmup_lr_init", self.base.init, self.base.init >= 0.0, "at least 0")?;
        if self.base.prefix || self.base.warmup == 0 {
            return Ok(self.base.warmed_up(body));
        }
        // The warmup line of this scheduler ends on the curve.
        let (steps, start, shape) = (self.base.warmup, self.base.init, WarmupShape::Linear);
        let over = body.last_step().is_some_and(|last| last < steps);
        require("warmup_t", steps, !over, "shorter than the cycles: their logarithm is of a negative number there")?;
        Ok(Warmup { steps, start, shape, then: Box::new(body), overlay: true }.into())
    }

    /// The peak of a cycle.
    fn peak(&self, cycle: u64) -> f64 {
        let size = DoubleDouble::from(self.cycle_decay.abs()).powf(DoubleDouble::from(cycle)) * self.base.lr;
        if self.cycle_decay < 0.0 && cycle % 2 == 1 { -size.high() } else { size.high() }
    }

    fn cycle(&self, cycle: u64, steps: u64) -> Schedule {
        let start = if cycle == 0 { self.base.lr } else { self.peak(cycle) };
        self.curve.over(start, self.lr_min, steps)
    }

    fn cycles(&self) -> Result<Schedule, SpecError> {
        if self.cycle_mul != 1.0 {
            return self.changing_cycles();
        }
        let (count, steps) = (self.cycle_limit, self.t_initial);
        let of = match count {
            0 => return Ok(constant(self.lr_min)),
            1 if self.curve.ends_at_the_lowest() => return Ok(self.cycle(0, steps)),
            1 => self.cycle(0, steps),
            _ if self.cycle_decay == 1.0 => {
                Cycle { of: Box::new(self.cycle(0, steps)), mode: CycleMode::Restart }.into()
            }
            _ => match self.curve {
                Curve::Cosine { k: 1.0 } if self.cycle_decay > 0.0 => {
                    let (max, min, decay) = (self.base.lr, self.lr_min, self.cycle_decay);
                    CosineRestarts { max, min, period: steps, multiplier: 1.0, decay }.into()
                }
                _ if count > MOST_WRITTEN as u64 => {
                    let message = format!("{count} cycles, each of another height, are more than {MOST_WRITTEN}");
                    return refused("cycle_limit", message);
                }
                _ => {
                    let pieces = (0..count).map(|cycle| self.cycle(cycle, steps)).collect();
                    let starts = (1..count).map(|cycle| cycle.saturating_mul(steps));
                    Sequence { pieces, boundaries: Some(starts.collect()) }.into()
                }
            },
        };
        let end = count.saturating_mul(steps);
        Ok(match end <= MAX_STEP {
            false => of,
            true => Sequence { pieces: vec![of, constant(self.lr_min)], boundaries: Some(vec![end]) }.into(),
        })
    }

    /// Cycles that grow or shrink, and restart where timm finds them to.
    fn changing_cycles(&self) -> Result<Schedule, SpecError> {
        let (ratio, limit) = (self.cycle_mul, self.cycle_limit);
        require("cycle_mul", ratio, ratio > 0.0, "above 0: timm takes its logarithm")?;
        let all = cycles(self.t_initial, ratio, limit, true).map_err(|error| error.within("cycle_mul"))?;
        let piece = |cycle: &crate::dialect::cycles::Cycle| {
            if cycle.index >= limit {
                return constant(self.lr_min);
            }
            cycle.of(self.t_initial, |steps| self.cycle(cycle.index, steps))
        };
        let mut pieces: Vec<Schedule> = all.cycles.iter().map(piece).collect();
        let of = if pieces.len() > 1 {
            let boundaries = all.cycles.iter().skip(1).map(|cycle| cycle.first).collect();
            Sequence { pieces, boundaries: Some(boundaries) }.into()
        } else {
            pieces.pop().unwrap_or_else(|| constant(self.lr_min))
        };
        // Afterwards the logarithm's argument is not positive.
        Ok(match all.last {
            None => of,
            Some(last) => Until { last, of: Box::new(of) }.into(),
        })
    }
}

fn one_cycle() -> u64 {
    1
}

/// A scheduler whose cycles are of one curve.
macro_rules! cyclic {
    (
        $(#[$attribute:meta])* $name:ident $shape:ident $bites:literal
        { $($(#[$of_field:meta])* $field:ident: $type:ty,)* } |$call:ident| $curve:expr
    ) => {
        scheduler! {
            $(#[$attribute])*
            $name {
                /// Steps of the first cycle.
                t_initial: u64,
                $($(#[$of_field])* $field: $type,)*
                /// The lowest rate.
                #[serde(default)]
                lr_min: f64,
                /// Growth of the cycles.
                #[serde(default = "one")]
                cycle_mul: f64,
                /// Factor on the peak from cycle to cycle.
                #[serde(default = "one")]
                cycle_decay: f64,
                /// The number of cycles, after which the rate is the lowest.
                #[serde(default = "one_cycle")]
                cycle_limit: u64,
                /// Whether the warmup comes before the schedule, or covers its beginning.
                #[serde(default)]
                warmup_prefix: bool,
            }
        }

        impl Foreign for $name {
            const SHAPE: Shape = Shape::$shape;
            const ALSO: &'static [Shape] = &[Shape::CosineRestarts];
            const BITES: &'static str = $bites;

            fn translate(&self) -> Result<Translation, SpecError> {
                let $call = self;
                let decay = Decay {
                    curve: $curve,
                    base: self.base(self.warmup_prefix)?,
                    lr_min: self.lr_min,
                    t_initial: self.t_initial,
                    cycle_mul: self.cycle_mul,
                    cycle_decay: self.cycle_decay,
                    cycle_limit: self.cycle_limit,
                };
                Ok(decay.translated()?.into())
            }
        }
    };
}

cyclic! {
    /// Half cosines.
    CosineLRScheduler Cosine
    "without `warmup_prefix` the warmup covers the beginning and ends in a jump; growing cycles miss some restarts by a step"
    {
        /// The power that bends time.
        #[serde(default = "one")]
        k_decay: f64,
    }
    |call| Curve::Cosine { k: call.k_decay }
}

cyclic! {
    /// Powers of what is left.
    PolyLRScheduler Polynomial
    "`power` is ½ by default; without `warmup_prefix` the warmup ends in a jump; growing cycles miss some restarts by a step"
    {
        /// The power.
        #[serde(default = "half")]
        power: f64,
        /// The power that bends time.
        #[serde(default = "one")]
        k_decay: f64,
    }
    |call| Curve::Poly { k: call.k_decay, power: call.power }
}

cyclic! {
    /// Hyperbolic tangents.
    TanhLRScheduler Tanh
    "begins below the rate and ends above `lr_min`, to which it then drops; its warmup aims at the curve"
    {
        /// The tangent's argument at the start.
        #[serde(default = "minus_seven")]
        lb: f64,
        /// The tangent's argument at the end.
        #[serde(default = "three")]
        ub: f64,
    }
    |call| Curve::Tanh { lower: call.lb, upper: call.ub }
}

fn minus_seven() -> f64 {
    -7.0
}

fn three() -> f64 {
    3.0
}
