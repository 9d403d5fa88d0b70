//! Keras' `keras.optimizers.schedules`, as of 3.15.1.
//!
//! Keras computes in f32, cosines even for other types; values here are those of its formulas.

use schemars::JsonSchema;
use serde::Deserialize;

use super::arguments::{Length, require};
use super::cycles::{cycles, power};
use super::pieces::{constant, over};
use super::stairs::{Quotient, stairs};
use super::{Foreign, Shape, Translation, library};
use crate::dialect::defaults::{one, ten_thousandth, two};
use crate::double_double::DoubleDouble;
use crate::error::SpecError;
use crate::program::MAX_STEP;
use crate::schedule::{
    Cosine, Cycle, CycleMode, Delay, Exponential, InversePower, InverseTime, PiecewiseConstant, Polynomial, Product,
    Restarts, Scale, Schedule, Sequence, Until, Warmup, WarmupShape,
};

library! {
    Keras "keras" aliases ["tf.keras"] "Keras 3.15, keras.optimizers.schedules"
    "ExponentialDecay" ExponentialDecay,
    "PiecewiseConstantDecay" PiecewiseConstantDecay,
    "PolynomialDecay" PolynomialDecay,
    "InverseTimeDecay" InverseTimeDecay,
    "CosineDecay" CosineDecay,
    "CosineDecayRestarts" CosineDecayRestarts,
}

/// A length that Keras divides by.
fn length(argument: &str, Length(length): Length) -> Result<f64, SpecError> {
    let range = length > 0.0 && length <= MAX_STEP as f64;
    require(argument, length, range, "above 0 and at most 2^53 - 1")?;
    Ok(length)
}

/// A length that Keras divides by, where only whole steps can be followed.
fn whole_length(argument: &str, steps: Length, why: &str) -> Result<u64, SpecError> {
    let steps = length(argument, steps)?;
    require(argument, steps, steps.fract() == 0.0, &format!("a whole number of steps {why}"))?;
    Ok(steps as u64)
}

/// A constant ratio per step, or per stair.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ExponentialDecay {
    /// The rate at step 0.
    initial_learning_rate: f64,
    /// Steps per factor.
    decay_steps: Length,
    /// The factor.
    decay_rate: f64,
    /// Whether it falls in stairs.
    #[serde(default)]
    staircase: bool,
    /// A name, of no effect.
    #[serde(default)]
    #[expect(dead_code, reason = "it names operations of a graph")]
    name: Option<String>,
}

impl Foreign for ExponentialDecay {
    const SHAPE: Shape = Shape::Exponential;
    const BITES: &'static str = "";

    fn translate(&self) -> Result<Translation, SpecError> {
        let (start, rate, steps) =
            (self.initial_learning_rate, self.decay_rate, length("decay_steps", self.decay_steps)?);
        require("decay_rate", rate, rate >= 0.0, "at least 0: Keras takes powers of it")?;
        if self.staircase {
            let stairs = stairs(start, rate, steps, Quotient::Rounded);
            return Ok(stairs.map_err(|error| error.within("decay_steps"))?.into());
        }
        if rate == 0.0 {
            return Ok(Sequence { pieces: vec![constant(start), constant(0.0)], boundaries: Some(vec![1]) }.into());
        }
        let decay = |decay_steps| Exponential { start, decay_rate: rate, decay_steps, staircase: false }.into();
        Ok(over(steps, 0.0, decay).into())
    }
}

/// A list of values and where they change.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PiecewiseConstantDecay {
    /// The last step of each value but the last.
    boundaries: Vec<Length>,
    /// The values.
    values: Vec<f64>,
    /// A name, of no effect.
    #[serde(default)]
    #[expect(dead_code, reason = "it names operations of a graph")]
    name: Option<String>,
}

impl Foreign for PiecewiseConstantDecay {
    const SHAPE: Shape = Shape::MultiStep;
    const BITES: &'static str = "a value holds up to and at its boundary: it changes one step later than elsewhere";

    fn translate(&self) -> Result<Translation, SpecError> {
        let (values, boundaries) = (self.values.len(), self.boundaries.len());
        let one_more = format!("one more than the {boundaries} boundaries");
        require("values", format!("{values} values"), values == boundaries + 1, &one_more)?;
        require("boundaries", "an empty list", boundaries > 0, "at least one step: Keras looks at the first")?;
        // Keras casts them to integers, towards 0.
        let last_steps: Vec<f64> = self.boundaries.iter().map(|boundary| boundary.0.trunc()).collect();
        let (mut kept, mut starts) = (vec![self.values[0]], Vec::new());
        for (index, (&last, &value)) in last_steps.iter().zip(&self.values[1..]).enumerate() {
            let argument = format!("boundaries[{index}]");
            let rises = index == 0 || last >= last_steps[index - 1];
            require(&argument, last, rises, "at least the one before: Keras would add up values")?;
            require(&argument, last, last.abs() < MAX_STEP as f64, "within 2^53")?;
            // A value whose last step is before its first never occurs.
            let start = (last + 1.0).max(0.0) as u64;
            if start == starts.last().copied().unwrap_or(0) {
                kept.pop();
            } else {
                starts.push(start);
            }
            kept.push(value);
        }
        Ok(PiecewiseConstant { values: kept, boundaries: starts }.into())
    }
}

/// A power of what is left.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PolynomialDecay {
    /// The rate at step 0.
    initial_learning_rate: f64,
    /// Steps of the decay.
    decay_steps: Length,
    /// The rate at the end.
    #[serde(default = "ten_thousandth")]
    end_learning_rate: f64,
    /// The power.
    #[serde(default = "one")]
    power: f64,
    /// Whether it starts again, stretched to the next multiple of `decay_steps`.
    #[serde(default)]
    cycle: bool,
    /// A name, of no effect.
    #[serde(default)]
    #[expect(dead_code, reason = "it names operations of a graph")]
    name: Option<String>,
}

impl Foreign for PolynomialDecay {
    const SHAPE: Shape = Shape::Polynomial;
    const BITES: &'static str = "ends at 1e-4 by default; with `cycle`, peaks fall as 1/n^power, each a step after \
                                 the end of the cycle before";

    fn translate(&self) -> Result<Translation, SpecError> {
        let (start, end, power) = (self.initial_learning_rate, self.end_learning_rate, self.power);
        let steps = length("decay_steps", self.decay_steps)?;
        require("power", power, power >= 0.0, "at least 0: below, the rate would be infinite at the end")?;
        if power == 0.0 {
            return Ok(constant(start).into());
        }
        if !self.cycle {
            return Ok(over(steps, 0.0, |steps| Polynomial { start, end, steps, power }.into()).into());
        }
        // In cycle n: (1 - u)/n of the range, where u is the time within the cycle.
        let steps = whole_length("decay_steps", self.decay_steps, "for cycles")?;
        let of = Box::new(Polynomial { start: 1.0, end: 0.0, steps, power }.into());
        let saw = Cycle { of, mode: CycleMode::RestartAfter };
        let peaks = InversePower { start: 1.0, timescale: steps as f64, power, staircase: true };
        let peaks = Delay { steps: 1, of: Box::new(peaks.into()) };
        let of = Box::new(Product { factors: vec![saw.into(), peaks.into()] }.into());
        Ok(Scale { by: DoubleDouble::exact_sum(start, -end).high(), of, offset: end }.into())
    }
}

/// A decay by time itself.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct InverseTimeDecay {
    /// The rate at step 0.
    initial_learning_rate: f64,
    /// Steps per unit of decay.
    decay_steps: Length,
    /// Decay per unit.
    decay_rate: f64,
    /// Whether it falls in stairs.
    #[serde(default)]
    staircase: bool,
    /// A name, of no effect.
    #[serde(default)]
    #[expect(dead_code, reason = "it names operations of a graph")]
    name: Option<String>,
}

impl Foreign for InverseTimeDecay {
    const SHAPE: Shape = Shape::InverseTime;
    const BITES: &'static str = "";

    fn translate(&self) -> Result<Translation, SpecError> {
        let (start, decay_rate) = (self.initial_learning_rate, self.decay_rate);
        require("decay_rate", decay_rate, decay_rate >= 0.0, "at least 0: below, Keras comes to divide by 0")?;
        let staircase = self.staircase;
        let decay = |decay_steps| InverseTime { start, decay_rate, decay_steps, staircase }.into();
        if staircase {
            let decay: Schedule = decay(whole_length("decay_steps", self.decay_steps, "for stairs")?);
            return Ok(decay.into());
        }
        Ok(over(length("decay_steps", self.decay_steps)?, 0.0, decay).into())
    }
}

/// Half a cosine, perhaps after a linear warmup.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CosineDecay {
    /// The rate at step 0.
    initial_learning_rate: f64,
    /// Steps of the decay, without the warmup.
    decay_steps: Length,
    /// Last rate, as a share of the highest.
    #[serde(default)]
    alpha: f64,
    /// A name, of no effect.
    #[serde(default)]
    #[expect(dead_code, reason = "it names operations of a graph")]
    name: Option<String>,
    /// The rate that the warmup rises to; without it there is no warmup.
    #[serde(default)]
    warmup_target: Option<f64>,
    /// Steps of the warmup.
    #[serde(default)]
    warmup_steps: u64,
}

impl Foreign for CosineDecay {
    const SHAPE: Shape = Shape::Cosine;
    const BITES: &'static str = "`decay_steps` is without the warmup; `warmup_steps` needs a `warmup_target`; \
                                 `alpha` is a share, not a rate";

    fn translate(&self) -> Result<Translation, SpecError> {
        let top = self.warmup_target.unwrap_or(self.initial_learning_rate);
        let cosine = |steps| Cosine { start: top, end: top * self.alpha, steps }.into();
        let decay = over(length("decay_steps", self.decay_steps)?, 0.0, cosine);
        Ok(match (self.warmup_target, self.warmup_steps) {
            (None, _) | (_, 0) => decay.into(),
            (Some(_), steps) => {
                let (start, shape) = (self.initial_learning_rate, WarmupShape::Linear);
                Warmup { steps, start, shape, then: Box::new(decay), overlay: false }.into()
            }
        })
    }
}

/// Half cosines that start again, each longer and lower than the last.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CosineDecayRestarts {
    /// The rate at step 0.
    initial_learning_rate: f64,
    /// Steps of the first cycle.
    first_decay_steps: Length,
    /// Growth of the cycles.
    #[serde(default = "two")]
    t_mul: f64,
    /// Factor on the cosine from cycle to cycle.
    #[serde(default = "one")]
    m_mul: f64,
    /// The least rate, as a share of the first.
    #[serde(default)]
    alpha: f64,
    /// A name, of no effect.
    #[serde(default)]
    #[expect(dead_code, reason = "it names operations of a graph")]
    name: Option<String>,
}

impl CosineDecayRestarts {
    /// Cycles of a cosine from `start` to `end`, which shrink by `m_mul`.
    fn cycles(&self, start: f64, end: f64, period: u64) -> Result<Schedule, SpecError> {
        let (multiplier, decay) = (self.t_mul, self.m_mul);
        let cosine = |height: f64| move |steps| Cosine { start: start * height, end: end * height, steps }.into();
        if multiplier >= 1.0 {
            return Ok(Restarts { of: Box::new(cosine(1.0)(period)), multiplier, decay }.into());
        }
        let all = cycles(period, multiplier, u64::MAX, true).map_err(|error| error.within("t_mul"))?;
        let pieces = all.cycles.iter().map(|cycle| cycle.of(period, cosine(power(decay, cycle.index)))).collect();
        let boundaries = Some(all.cycles.iter().skip(1).map(|cycle| cycle.first).collect());
        let of = Sequence { pieces, boundaries }.into();
        Ok(match all.last {
            None => of,
            Some(last) => Until { last, of: Box::new(of) }.into(),
        })
    }
}

impl Foreign for CosineDecayRestarts {
    const SHAPE: Shape = Shape::CosineRestarts;
    const BITES: &'static str = "cycles double by default; `m_mul` does not lower `alpha`'s share";

    fn translate(&self) -> Result<Translation, SpecError> {
        let (start, alpha) = (self.initial_learning_rate, self.alpha);
        let period = whole_length("first_decay_steps", self.first_decay_steps, "for cycles")?;
        require("t_mul", self.t_mul, self.t_mul > 0.0, "above 0: Keras takes its logarithm")?;
        require("m_mul", self.m_mul, self.m_mul >= 0.0, "at least 0: Keras takes powers of it")?;
        let (end, span) = (start * alpha, start * (1.0 - alpha));
        Ok(if self.m_mul == 0.0 {
            Cosine { start, end, steps: period }.into()
        } else if self.m_mul == 1.0 || end == 0.0 {
            self.cycles(start, end, period)?.into()
        } else {
            Scale { by: 1.0, of: Box::new(self.cycles(span, 0.0, period)?), offset: end }.into()
        })
    }
}
