//! Slanted triangular learning rates.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Family, Time, check};
use crate::curve::Curve;
use crate::double_double::{DoubleDouble, Extended};
use crate::error::{LowerError, SpecError};
use crate::program::{Program, Segment};

/// A short rise and a long fall.
///
/// **Formula.** `max·(1 + p·(ratio − 1))/ratio`, with `cut = ⌊steps·cut_fraction⌋` and `p = s/cut` while
/// `s < cut`, else `1 − (s − cut)/(steps − cut)`.
///
/// **Parameters.** `max`: any finite number. `steps`: length in steps, at least 1. `cut_fraction`: fraction
/// of the steps spent rising, in \[0, 1) (default 0.1). `ratio`: the highest over the lowest rate,
/// greater than 0 (default 32).
///
/// **Behaviour.** `max/ratio` at 0, `max` at `cut`, `max/ratio` at `steps` and beyond.
///
/// **Source.** Howard & Ruder 2018 (ULMFiT, arXiv 1801.06146). Twins: thinc `slanted_triangular`, which
/// counts from 1 and goes negative past the end. The formula sometimes printed under this name is a
/// plain `linear`.
///
/// ```
/// use lrgrid::schedule::{Schedule, SlantedTriangular};
///
/// let schedule = Schedule::from(SlantedTriangular { max: 1.0, steps: 20, cut_fraction: 0.1, ratio: 4.0 });
/// assert_eq!([0, 2, 11, 20, 21].map(|s| schedule.value(s)), [0.25, 1.0, 0.625, 0.25, 0.25]);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SlantedTriangular {
    /// The highest rate.
    pub max: f64,
    /// Length in steps.
    pub steps: u64,
    /// Fraction of the steps spent rising.
    #[serde(default = "default_cut_fraction")]
    pub cut_fraction: f64,
    /// Highest rate over lowest.
    #[serde(default = "default_ratio")]
    pub ratio: f64,
}

fn default_cut_fraction() -> f64 {
    0.1
}

fn default_ratio() -> f64 {
    32.0
}

impl SlantedTriangular {
    fn cut(&self) -> u64 {
        // For fractions below 1 the product is below `steps`, but rounding could reach it.
        ((self.steps as f64 * self.cut_fraction).floor() as u64).min(self.steps - 1)
    }
}

impl Family for SlantedTriangular {
    fn validate(&self) -> Result<(), SpecError> {
        check::finite("max", self.max)?;
        check::length("steps", self.steps)?;
        let fraction = self.cut_fraction;
        check::number("cut_fraction", fraction, (0.0..1.0).contains(&fraction), "at least 0 and below 1")?;
        check::positive("ratio", self.ratio)
    }

    fn value(&self, time: Time) -> Extended {
        let cut = self.cut();
        let p = if time.reached(cut) { time.since(cut).remaining(self.steps - cut) } else { time.over(cut) };
        ((p * (DoubleDouble::from(self.ratio) - 1.0) + 1.0) / self.ratio * self.max).into()
    }

    fn length(&self) -> Option<u64> {
        Some(self.steps)
    }

    fn lower(&self) -> Result<Program, LowerError> {
        let (cut, low) = (self.cut(), DoubleDouble::ONE / self.ratio);
        let mut segments = Vec::with_capacity(2);
        if cut > 0 {
            segments.push(Segment::transition(0, cut, low, 1.0, Curve::Linear));
        }
        segments.push(Segment::transition(cut, self.steps - cut, 1.0, low, Curve::Linear));
        Ok(Program::of(segments).affine(self.max, 0.0))
    }

    fn scaled(&self, factor: f64) -> Option<Self> {
        Some(Self { max: self.max * factor, ..self.clone() })
    }

    fn examples() -> Vec<Self> {
        let make = |max, steps, cut_fraction, ratio| Self { max, steps, cut_fraction, ratio };
        vec![
            make(0.01, 5000, 0.1, 32.0),
            make(4e-3, 777, 0.37, 20.0),
            make(0.01, 5, 0.1, 32.0),
            make(0.01, 1, 0.9, 2.0),
        ]
    }
}
