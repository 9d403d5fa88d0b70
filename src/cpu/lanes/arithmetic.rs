//! Sums and products of one lane, with what their rounding left over.
//!
//! Everything here and in its neighbours is branch-free and always inlined: a loop over it becomes vector
//! instructions of whatever level the function around the loop is compiled for.

use crate::cpu::simd::Simd;
/// `a · b + c`, in one rounding where there is an instruction for it.
#[inline(always)]
pub fn multiply_add<S: Simd>(a: f64, b: f64, c: f64) -> f64 {
    if S::FUSED { a.mul_add(b, c) } else { a * b + c }
}

/// What rounding left over of `product`, which is `a · b` rounded: exact short of underflow, `|a|` and `|b|`
/// below 2^990.
#[inline(always)]
pub fn product_rest<S: Simd>(a: f64, b: f64, product: f64) -> f64 {
    if S::FUSED {
        return a.mul_add(b, -product);
    }
    // Dekker's product: halves of 26 bits multiply exactly.
    let (a_high, a_low) = halves(a);
    let (b_high, b_low) = halves(b);
    ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
}

#[inline(always)]
fn halves(a: f64) -> (f64, f64) {
    let spread = 134_217_729.0 * a;
    let high = spread - (spread - a);
    (high, a - high)
}

/// The sum of two, and what its rounding left over.
#[inline(always)]
pub fn exact_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let b_rounded = sum - a;
    (sum, (a - (sum - b_rounded)) + (b - b_rounded))
}

/// A polynomial by Horner's rule, the coefficient of 1 first.
#[inline(always)]
pub fn polynomial<S: Simd, const N: usize>(coefficients: &[f64; N], x: f64) -> f64 {
    let mut value = coefficients[N - 1];
    let mut power = N - 1;
    while power > 0 {
        power -= 1;
        value = multiply_add::<S>(value, x, coefficients[power]);
    }
    value
}

/// 1.5 · 2^52: added to a number below 2^51 it leaves the nearest integer in the sum's low bits.
const ROUND: f64 = 6_755_399_441_055_744.0;

/// The nearest integer to a number below 2^51, and the same in the low bits of a word.
#[inline(always)]
pub fn nearest_integer(x: f64) -> (f64, u64) {
    let shifted = x + ROUND;
    (shifted - ROUND, shifted.to_bits())
}
