//! 2^x and 2^x − 1.
//!
//! x is split into the nearest integer n and f in [−½, ½]; 2^f = 1 + f·Q(f), and n goes into the exponent.

use super::arithmetic::{multiply_add, nearest_integer, polynomial};
use crate::cpu::simd::Simd;

/// Relative error of [`exp2`] and of [`exp2_m1`], in units of 2^-53: the polynomial's own half, those of
/// its last three operations, and for 2^x − 1 what the subtraction at |x| = ½ makes of them.
pub const EXP2_ROUNDINGS: f64 = 3.0;
/// As [`EXP2_ROUNDINGS`], for [`exp2_m1`].
pub const EXP2_M1_ROUNDINGS: f64 = 5.0;

/// Exponents beyond this are taken for it: it keeps the result a normal number.
const LARGEST: f64 = 1000.0;

/// (2^f − 1)/f on [−½, ½], to 2^-54 (a minimax polynomial, rounded).
const Q: [f64; 11] = [
    std::f64::consts::LN_2,
    0.24022650695910097,
    0.055504108664821236,
    0.009618129107607063,
    0.0013333558146531798,
    0.00015403530441483287,
    1.5252733701055642e-05,
    1.3215442722797013e-06,
    1.017812136359015e-07,
    7.072561968898366e-09,
    4.445527956326519e-10,
];

/// The parts of 2^x: 2^f − 1 for the rest f, and what is added to a bit pattern to multiply by 2^n.
#[inline(always)]
fn split<S: Simd>(high: f64, low: f64) -> (f64, u64) {
    let bounded = if high > LARGEST { LARGEST } else { high };
    let bounded = if bounded < -LARGEST { -LARGEST } else { bounded };
    // The rest of a number far beyond is not small.
    let low = if bounded == high { low } else { 0.0 };
    let (whole, word) = nearest_integer(bounded);
    let fraction = (bounded - whole) + low;
    (fraction * polynomial::<S, 11>(&Q, fraction), word << 52)
}

/// 2^(high + low), `low` being small; 2^±1000 beyond.
#[inline(always)]
pub fn exp2<S: Simd>(high: f64, low: f64) -> f64 {
    let (moved, exponent) = split::<S>(high, low);
    f64::from_bits((1.0 + moved).to_bits().wrapping_add(exponent))
}

/// 2^(high + low) − 1 without cancellation near zero.
#[inline(always)]
pub fn exp2_m1<S: Simd>(high: f64, low: f64) -> f64 {
    let (moved, exponent) = split::<S>(high, low);
    let power = f64::from_bits(1f64.to_bits().wrapping_add(exponent));
    multiply_add::<S>(power, moved, power - 1.0)
}
