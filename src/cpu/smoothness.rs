//! How far a curve is smooth: how many columns one polynomial can carry.
//!
//! The estimates come from where each curve is singular in the complex plane, or how fast it bends where
//! it is nowhere singular. They only save attempts: every interpolation is checked against the curve.

use crate::curve::Curve;
use crate::double_double::DoubleDouble;
use crate::program::Segment;

use super::block::DEGREE;

/// Half a block's length over the distance of its centre from a branch point or a pole.
const SINGULAR_RATIO: f64 = 0.175;

/// Half a block's length in radians or e-folds of an entire function.
const ENTIRE_HALF: f64 = 0.58;

/// How many times larger than at one end of a block a value may be at the other.
const VALUE_RATIO: f64 = 16.0;

/// A point on the phase axis, seen from a phase that moves towards or away from it.
#[derive(Clone, Copy)]
struct Moving {
    /// The phase.
    phase: f64,
    /// Its change per column.
    per_column: f64,
}

impl Moving {
    fn approaches(self, point: f64) -> bool {
        (self.per_column > 0.0) == (self.phase < point)
    }

    /// Length, in phase, of a block whose half is `ratio` of its centre's distance from `point`.
    fn within_ratio_of(self, point: f64, ratio: f64) -> f64 {
        let distance = (self.phase - point).abs();
        2.0 * ratio * distance / if self.approaches(point) { 1.0 + ratio } else { 1.0 - ratio }
    }

    /// Length, in phase, of a block that changes a value of order |w|^order near 0 no more than [`VALUE_RATIO`] times.
    fn within_value_ratio(self, order: f64) -> f64 {
        let ratio = VALUE_RATIO.powf(1.0 / order.abs().max(0.1));
        self.phase.abs() * if self.approaches(0.0) { 1.0 - 1.0 / ratio } else { ratio - 1.0 }
    }
}

/// How many columns from `phase_count` on, each `per_column` counts apart, a polynomial may carry.
pub fn smooth_columns(segment: &Segment, phase_count: f64, per_column: f64) -> f64 {
    let rate = segment.rate.high();
    let phase = segment.phase(DoubleDouble::from(phase_count)).high();
    let moving = Moving { phase, per_column: per_column * rate };
    let shape = segment.curve.shape::<f64>(DoubleDouble::from(moving.phase));
    // Where the base dominates, the moving part may be relatively less accurate.
    let dominance = 1.0 + segment.base.high().abs() / (segment.amplitude.high() * shape).abs().max(1e-300);
    let zero =
        |order: f64| if dominance > 1.0 + 1.0 / VALUE_RATIO { f64::INFINITY } else { moving.within_value_ratio(order) };
    let entire = |per_unit: f64| 2.0 * ENTIRE_HALF / per_unit * dominance.min(1e16).powf(1.0 / (DEGREE + 1) as f64);
    let pi = std::f64::consts::PI;
    let length = match segment.curve {
        Curve::Hold => f64::INFINITY,
        Curve::Linear => zero(1.0),
        Curve::Power { exponent, warp } => branch(moving, exponent, warp).min(zero(exponent)),
        Curve::Cosine => entire(pi).min(zero(2.0)),
        Curve::CosinePower { exponent, warp } => {
            branch(moving, 2.0 * exponent, warp).min(entire(pi * (1.0 + exponent.sqrt()))).min(zero(2.0 * exponent))
        }
        Curve::CosineExponential { octaves } => entire(pi * (1.0 + 0.35 * octaves.high().abs())).min(zero(2.0)),
        Curve::Exponential => entire(std::f64::consts::LN_2),
        Curve::ExponentialMinusOne => entire(std::f64::consts::LN_2).min(zero(1.0)),
        Curve::Logistic { offset } => logistic(offset.high(), moving),
        Curve::Rational { rising } => {
            let pole = moving.within_ratio_of(-1.0, SINGULAR_RATIO);
            if rising { pole.min(zero(1.0)) } else { pole }
        }
    };
    1.0 + length / moving.per_column.abs()
}

/// A power of the phase: a branch point at 0 unless it is a polynomial, and at 1 where the phase is bent.
fn branch(moving: Moving, exponent: f64, warp: f64) -> f64 {
    // High powers have large derivatives.
    let ratio = SINGULAR_RATIO / (1.0 + (exponent.abs() - 3.0).max(0.0) / 5.0);
    let polynomial = exponent.fract() == 0.0 && (0.0..=DEGREE as f64).contains(&exponent);
    let zero = if polynomial && warp == 1.0 { f64::INFINITY } else { moving.within_ratio_of(0.0, ratio) };
    if warp == 1.0 { zero } else { zero.min(moving.within_ratio_of(1.0, ratio)) }
}

/// 1/(1 + e^y): poles at ±πi, ever fainter towards the side where it is 1.
fn logistic(offset: f64, moving: Moving) -> f64 {
    const ALL_BUT_ONE: f64 = 40.0;
    let ln_2 = std::f64::consts::LN_2;
    let depth = -(offset + moving.phase) * ln_2;
    let near = 0.75 + 0.1 * if depth > 0.0 { depth } else { (-depth).min(5.0) };
    let length = match (depth > ALL_BUT_ONE, moving.per_column > 0.0) {
        (true, true) => near.max(depth - ALL_BUT_ONE),
        (true, false) => f64::INFINITY,
        (false, _) => near,
    };
    length / ln_2
}
