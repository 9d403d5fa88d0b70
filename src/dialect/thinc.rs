//! thinc's `thinc.schedules`, which spaCy's configurations use, as of 8.3.14.
//!
//! They are generators: the value at step `s` is item number `s`, counted from 0.

use schemars::JsonSchema;
use serde::Deserialize;

use super::arguments::require;
use super::pieces::{ahead, constant};
use super::{Foreign, Shape, Translation, library};
use crate::dialect::defaults::tenth;
use crate::double_double::DoubleDouble;
use crate::error::SpecError;
use crate::program::MAX_STEP;
use crate::schedule::{
    Clamp, Cyclic, CyclicMode, Exponential, Interpolation, InverseTime, Knot, Linear, PiecewiseInterpolate, Sequence,
    Until,
};

library! {
    Thinc "thinc" aliases ["spacy"] "thinc 8.3.14, thinc.schedules: spaCy's @schedules"
    "constant" | "constant.v1" Constant,
    "constant_then" | "constant_then.v1" ConstantThen,
    "decaying" | "decaying.v1" Decaying,
    "compounding" | "compounding.v1" Compounding,
    "slanted_triangular" | "slanted_triangular.v1" SlantedTriangular,
    "warmup_linear" | "warmup_linear.v1" WarmupLinear,
    "cyclic_triangular" | "cyclic_triangular.v1" CyclicTriangular,
}

/// The same rate for ever.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Constant {
    /// The rate.
    rate: f64,
}

impl Foreign for Constant {
    const SHAPE: Shape = Shape::Constant;
    const BITES: &'static str = "";

    fn translate(&self) -> Result<Translation, SpecError> {
        Ok(constant(self.rate).into())
    }
}

/// The same rate for some steps, then another schedule.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ConstantThen {
    /// The rate.
    rate: f64,
    /// How long it holds.
    steps: u64,
    /// The schedule that follows.
    schedule: Box<Thinc>,
}

impl Foreign for ConstantThen {
    const SHAPE: Shape = Shape::Sequence;
    const BITES: &'static str = "";

    fn translate(&self) -> Result<Translation, SpecError> {
        let then = self.schedule.translate().map_err(|error| error.within("schedule"))?.schedule;
        Ok(match self.steps {
            0 => then.into(),
            steps => Sequence { pieces: vec![constant(self.rate), then], boundaries: Some(vec![steps]) }.into(),
        })
    }
}

/// A decay by time itself.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Decaying {
    /// The rate at time 0.
    base_rate: f64,
    /// Decay per step.
    decay: f64,
    /// The time of step 0.
    #[serde(default)]
    t: f64,
}

impl Foreign for Decaying {
    const SHAPE: Shape = Shape::InverseTime;
    const BITES: &'static str = "";

    fn translate(&self) -> Result<Translation, SpecError> {
        require("decay", self.decay, self.decay >= 0.0, "at least 0: below, thinc comes to divide by 0")?;
        let decay = |start, decay_rate| InverseTime { start, decay_rate, decay_steps: 1, staircase: false };
        if self.t >= 0.0 {
            let of = decay(self.base_rate, self.decay).into();
            return Ok(ahead(self.t, of).into());
        }
        // Before time 0, the curve equals one that starts at step 0, higher and steeper.
        let left = (DoubleDouble::exact_product(self.decay, self.t) + 1.0).high();
        require("t", self.t, left > 0.0, "above -1/decay: thinc divides by 1 + decay*t")?;
        Ok(decay(self.base_rate / left, self.decay / left).into())
    }
}

/// A constant ratio per step, up to a bound.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Compounding {
    /// The first value.
    start: f64,
    /// The bound.
    stop: f64,
    /// The factor per step.
    compound: f64,
    /// Accepted; thinc does not use it.
    #[serde(default)]
    #[expect(dead_code, reason = "thinc takes it and does not use it")]
    t: f64,
}

impl Foreign for Compounding {
    const SHAPE: Shape = Shape::Exponential;
    const BITES: &'static str = "`t` is accepted and not used; a ratio that leads away from `stop` is not bounded";

    fn translate(&self) -> Result<Translation, SpecError> {
        let Self { start, stop, compound, .. } = *self;
        require("compound", compound, compound >= 0.0, "at least 0: below, the values would change sign each step")?;
        let falls = start > stop;
        let clip = |value: f64| if falls { value.max(stop) } else { value.min(stop) };
        if compound == 0.0 {
            let pieces = vec![constant(clip(start)), constant(clip(0.0))];
            return Ok(Sequence { pieces, boundaries: Some(vec![1]) }.into());
        }
        let of = Exponential { start, decay_rate: compound, decay_steps: 1, staircase: false }.into();
        let (min, max) = if falls { (Some(stop), None) } else { (None, Some(stop)) };
        Ok(Clamp { min, max, of: Box::new(of) }.into())
    }
}

/// A short rise and a long fall.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SlantedTriangular {
    /// The highest rate.
    max_rate: f64,
    /// Length in steps.
    num_steps: u64,
    /// Share of the steps spent rising.
    #[serde(default = "tenth")]
    cut_frac: f64,
    /// Highest rate over lowest.
    #[serde(default = "thirty_two")]
    ratio: f64,
    /// Accepted; thinc does not use it.
    #[serde(default)]
    #[expect(dead_code, reason = "thinc takes it and does not use it")]
    decay: f64,
    /// The time before step 0, which is at `t` + 1.
    #[serde(default)]
    t: f64,
}

fn thirty_two() -> f64 {
    32.0
}

impl SlantedTriangular {
    /// The rate at a proportion of the height.
    fn rate(&self, p: DoubleDouble) -> f64 {
        ((p * (DoubleDouble::from(self.ratio) - 1.0) + 1.0) * self.max_rate / self.ratio).high()
    }
}

impl Foreign for SlantedTriangular {
    const SHAPE: Shape = Shape::OneCycle;
    const BITES: &'static str = "counts from 1; falls on below 0 past `num_steps`; `decay` is not used";

    fn translate(&self) -> Result<Translation, SpecError> {
        require("ratio", self.ratio, self.ratio != 0.0, "other than 0: thinc divides by it")?;
        let cut = (self.num_steps as f64 * self.cut_frac).trunc();
        let nothing = "a share that leaves at least one step to rise: thinc divides by their number";
        require("cut_frac", self.cut_frac, cut != 0.0 && cut.is_finite(), nothing)?;
        let first = self.t + 1.0;
        require("t", self.t, first.abs() < MAX_STEP as f64, "within 2^53")?;
        // Times in steps: time 0 is `first` steps before step 0.
        let mut points: Vec<Knot> = Vec::new();
        if first < cut {
            let early = first.min(0.0);
            points.push(Knot(early - first, self.rate(DoubleDouble::from(early) / cut)));
        }
        points.push(Knot(cut - first, self.rate(DoubleDouble::ONE)));
        let fall = cut * (1.0 / self.cut_frac - 1.0);
        if fall == 0.0 {
            // The decay has length 0, by which thinc divides.
            let steps = (cut - first).ceil();
            require("cut_frac", self.cut_frac, steps > 0.0, "below 1: thinc divides by what is left for the fall")?;
            let of = Box::new(PiecewiseInterpolate { points, interpolation: Interpolation::Linear }.into());
            return Ok(Until { last: steps as u64 - 1, of }.into());
        }
        // An endless line: one point at its lowest rate, and one beyond any step.
        let end = cut - first + fall.abs();
        let further = MAX_STEP as f64;
        if end < further {
            points.push(Knot(end, self.rate(DoubleDouble::from(1.0 - fall.signum()))));
        }
        let p = (DoubleDouble::exact_sum(cut, -first) - further) / fall + 1.0;
        points.push(Knot(further, self.rate(p)));
        Ok(PiecewiseInterpolate { points, interpolation: Interpolation::Linear }.into())
    }
}

/// A linear warmup and a linear decline.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WarmupLinear {
    /// The highest rate.
    initial_rate: f64,
    /// Steps of warmup.
    warmup_steps: u64,
    /// Steps of both.
    total_steps: u64,
}

impl Foreign for WarmupLinear {
    const SHAPE: Shape = Shape::Linear;
    const BITES: &'static str = "never reaches the top where the warmup takes all steps";

    fn translate(&self) -> Result<Translation, SpecError> {
        let (top, warmup) = (self.initial_rate, self.warmup_steps);
        let decline = match self.total_steps.saturating_sub(warmup) {
            0 => constant(0.0),
            steps => Linear { start: top, end: 0.0, steps }.into(),
        };
        Ok(match warmup {
            0 => decline.into(),
            steps => {
                let pieces = vec![Linear { start: 0.0, end: top, steps }.into(), decline];
                Sequence { pieces, boundaries: Some(vec![steps]) }.into()
            }
        })
    }
}

/// Triangles between two rates.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CyclicTriangular {
    /// The lower rate.
    min_lr: f64,
    /// The upper rate.
    max_lr: f64,
    /// Steps of one way.
    period: u64,
}

impl Foreign for CyclicTriangular {
    const SHAPE: Shape = Shape::Cyclic;
    const BITES: &'static str = "counts from 1; `period` is half a cycle";

    fn translate(&self) -> Result<Translation, SpecError> {
        require("period", self.period, self.period > 0, "at least 1: thinc divides by it")?;
        let cyclic = Cyclic {
            base: self.min_lr,
            max: self.max_lr,
            step_size_up: self.period,
            step_size_down: None,
            mode: CyclicMode::Triangular,
            gamma: 1.0,
        };
        Ok(ahead(1.0, cyclic.into()).into())
    }
}
