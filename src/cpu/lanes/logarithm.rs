//! Binary logarithms to more than an `f64`, and the powers made of them.
//!
//! With m = 1 + f in [√½, √2), `log2 m = 2/ln 2 · atanh s` for s = f/(2 + f). The first term carries the
//! rounding of everything in it; the rest of the series is at most a hundredth of it.

use super::arithmetic::{exact_sum, polynomial, product_rest};
use super::exponential::{EXP2_ROUNDINGS, exp2, exp2_m1};
use crate::cpu::simd::Simd;

/// Error of [`Logarithm`], in units of 2^-53: eight roundings in the tail of the series, which is at most
/// 0.005, and relative to logarithms below ½ no more than twice that.
const LOG2_ROUNDINGS: f64 = 1.0 / 16.0;

/// Below this numbers have no exponent to read off.
const LEAST: f64 = 1e-300;

/// Closer to 1 than this is 1: whole steps are 2^-53 apart.
const PHASE_SNAP: f64 = 1.0 / (1_u128 << 96) as f64;

/// 2/ln 2.
const SCALE: (f64, f64) = (2.8853900817779268, 4.0710547481862066e-17);

/// `(log2((1 + s)/(1 − s)) − 2/ln 2 · s)/s³` in powers of s², to 2^-54 (a minimax polynomial, rounded).
const TAIL: [f64; 8] = [
    0.9617966939259756,
    0.5770780163555982,
    0.4121985831020365,
    0.32059890043807127,
    0.2623078622244533,
    0.22197661393314838,
    0.19142539183725082,
    0.1888262118151128,
];

/// A logarithm as a sum of two.
#[derive(Clone, Copy)]
struct Logarithm {
    high: f64,
    low: f64,
}

impl Logarithm {
    /// `exponent + log2(1 + f)`, f given with what rounding left over.
    #[inline(always)]
    fn of<S: Simd>(exponent: f64, f: f64, f_rest: f64) -> Self {
        let below = 2.0 + f;
        let below_rest = (f - (below - 2.0)) + f_rest;
        let inverse = 1.0 / below;
        let s = f * inverse;
        let product = s * below;
        let left = (f - product) - product_rest::<S>(s, below, product);
        let s_rest = (left + (f_rest - s * below_rest)) * inverse;
        let square = s * s;
        let tail = s * square * polynomial::<S, 8>(&TAIL, square);
        let first = SCALE.0 * s;
        let first_rest = product_rest::<S>(SCALE.0, s, first) + (SCALE.0 * s_rest + SCALE.1 * s);
        // The exponent is 0 or at least 1, more than the first term ever is.
        let high = exponent + first;
        let low = (first - (high - exponent)) + (first_rest + tail);
        let sum = high + low;
        Self { high: sum, low: low - (sum - high) }
    }

    /// A multiple.
    #[inline(always)]
    fn times<S: Simd>(self, factor: f64) -> Self {
        let high = factor * self.high;
        Self { high, low: product_rest::<S>(factor, self.high, high) + factor * self.low }
    }
}

/// Exponent and mantissa − 1 of a normal number; the mantissa in [√½, √2), as is 2^-exponent times `rest`.
#[inline(always)]
fn decomposed(x: f64, rest: f64) -> (f64, f64, f64) {
    const HALF_ROOT: u64 = std::f64::consts::FRAC_1_SQRT_2.to_bits();
    const ONE: u64 = 1f64.to_bits();
    // 2^52: an integer below it, put into its low bits, is a number.
    const WHOLE: f64 = 4_503_599_627_370_496.0;
    let biased = x.to_bits().wrapping_add(ONE - HALF_ROOT) >> 52;
    let exponent = f64::from_bits(biased | WHOLE.to_bits()) - (WHOLE + 1023.0);
    let down = ONE.wrapping_sub(biased << 52);
    let mantissa = f64::from_bits(x.to_bits().wrapping_add(down));
    // 2^-exponent, whose own exponent is ONE's and `down`.
    let scale = f64::from_bits(ONE.wrapping_add(down));
    (exponent, mantissa - 1.0, rest * scale)
}

/// `(high + low)^exponent`: 0 at 0, which is for positive exponents; NaN where a phase is too small to tell.
#[inline(always)]
pub fn power<S: Simd>(high: f64, low: f64, exponent: f64) -> f64 {
    let (octaves, f, f_rest) = decomposed(high, low);
    let octaves = Logarithm::of::<S>(octaves, f, f_rest).times::<S>(exponent);
    let value = exp2::<S>(octaves.high, octaves.low);
    let value = if high < LEAST { f64::NAN } else { value };
    if high == 0.0 { 0.0 } else { value }
}

/// Relative error of [`power`] in units of 2^-53, apart from what it makes of the error it was given.
pub fn power_roundings(exponent: f64) -> f64 {
    // 2^y magnifies an error of y by ln 2.
    EXP2_ROUNDINGS + 0.7 * LOG2_ROUNDINGS * exponent.abs()
}

/// Relative error of [`bent`], in units of 2^-53: that of 2^x − 1, and where w nears 1 what is left of
/// w's own, which is known to 2^-104.
pub const BENT_ROUNDINGS: f64 = 8.0;

/// `1 − (1 − w)^warp`.
#[inline(always)]
pub fn bent<S: Simd>(high: f64, low: f64, warp: f64) -> f64 {
    let rest = 1.0 - high;
    // Near w = 1 the two may be of a size.
    let (rest, rest_rest) = exact_sum(rest, ((1.0 - rest) - high) - low);
    let (exponent, f, f_rest) = decomposed(rest, rest_rest);
    // Near w = 0 the mantissa is 1 − w itself, and −w is known better than through the difference.
    let near = exponent == 0.0;
    let (f, f_rest) = (if near { -high } else { f }, if near { -low } else { f_rest });
    let octaves = Logarithm::of::<S>(exponent, f, f_rest).times::<S>(warp);
    // A difference, so that it is 0 and not −0 at 0.
    let value = 0.0 - exp2_m1::<S>(octaves.high, octaves.low);
    if rest < PHASE_SNAP { 1.0 } else { value }
}
