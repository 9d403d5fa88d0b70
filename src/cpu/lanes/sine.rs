//! sin²(π/2·w) on [0, 1].

use super::arithmetic::polynomial;
use crate::cpu::simd::Simd;

/// Relative error of [`sin_squared_half_pi`], in units of 2^-53: twice the rounding of w, the
/// polynomial's 1.2, and its operations, whose terms at w = 1 add up to 6 times the value.
pub const SINE_SQUARED_ROUNDINGS: f64 = 8.0;

/// sin²(π/2·√z)/z on [0, 1], to 2^-52.7 (a minimax polynomial, rounded).
const P: [f64; 10] = [
    2.4674011002723395,
    -2.029356063208365,
    0.6676313844267074,
    -0.11766531517232906,
    0.012903445650810624,
    -0.0009647869959144183,
    5.23187029464048e-05,
    -2.1510557165579735e-06,
    6.899509436654349e-08,
    -1.6155732840500224e-09,
];

/// sin²(π/2·w) for w in [0, 1].
#[inline(always)]
pub fn sin_squared_half_pi<S: Simd>(w: f64) -> f64 {
    let square = w * w;
    square * polynomial::<S, 10>(&P, square)
}
