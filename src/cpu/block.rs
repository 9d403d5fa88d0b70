//! A block of columns as one polynomial, and the kernel that evaluates it.

use super::rounding::{LANES, Rounded, Tolerance};
use super::simd::{Kernel, Simd};
use super::working::{Window, Working};

/// Degree of the polynomials. Higher means longer blocks and more work per value; on rows of 65,536,
/// degree 9 was 5 % faster for a cosine and 5 % slower for a power, whose blocks are shorter.
pub const DEGREE: usize = 11;

/// Coefficients of an interpolating polynomial.
pub const TERMS: usize = DEGREE + 1;

/// A block whose error is a larger part of its least value is halved: too many values near a midpoint.
const LARGEST_RELATIVE_SLACK: f64 = 1.0 / (1u64 << 36) as f64;

/// The most values that [`Fill`] takes: one bit of its answer for every [`LANES`].
pub const MOST_VALUES: usize = 64 * LANES;

/// A polynomial over the columns of a block, in x = −1 at its first and 1 at its last column.
#[derive(Clone, Copy, Debug)]
pub struct Polynomial<const N: usize> {
    /// Coefficients of 1, x, x² …
    pub coefficients: [f64; N],
    /// x per column.
    pub step: f64,
}

impl<const N: usize> Polynomial<N> {
    /// The value at a column of the block.
    #[inline(always)]
    pub fn at<S: Simd>(&self, column: f64) -> f64 {
        let x = column.multiply_add::<S>(self.step, -1.0);
        let mut value = self.coefficients[N - 1];
        for coefficient in self.coefficients[..N - 1].iter().rev() {
            value = value.multiply_add::<S>(x, *coefficient);
        }
        value
    }
}

/// Writes a polynomial at the columns from `first` on, at most [`MOST_VALUES`]; bit `i` of the answer tells
/// that one of the values from `i ·` [`LANES`] on was too close to call.
pub struct Fill<'a, T, const N: usize> {
    /// The polynomial.
    pub polynomial: &'a Polynomial<N>,
    /// How far it may be from the truth.
    pub tolerance: &'a Tolerance,
    /// The first column.
    pub first: usize,
    /// Where to.
    pub out: &'a mut [T],
}

impl<T: Rounded, const N: usize> Kernel for Fill<'_, T, N> {
    type Output = u64;

    #[inline(always)]
    fn run<S: Simd>(self, _: S) -> u64 {
        let window = T::window(self.tolerance);
        let mut close = 0;
        let (chunks, tail) = self.out.as_chunks_mut::<LANES>();
        for (index, chunk) in chunks.iter_mut().enumerate() {
            let column = (self.first + index * LANES) as f64;
            close |= fill_chunk::<T, N, S>(self.polynomial, column, self.tolerance, window.as_ref(), chunk) << index;
        }
        if !tail.is_empty() {
            let index = chunks.len();
            let mut chunk = [T::zeroed(); LANES];
            // Lanes past the block are evaluated too; at worst they ask for a closer look in vain.
            let column = (self.first + index * LANES) as f64;
            let closer = fill_chunk::<T, N, S>(self.polynomial, column, self.tolerance, window.as_ref(), &mut chunk);
            close |= closer << (index % 64);
            tail.copy_from_slice(&chunk[..tail.len()]);
        }
        close
    }
}

/// Writes the polynomial at the columns from `column` on; 1 if a value was too close to call.
///
/// A function that is always inlined, and no closure: a closure may end up compiled apart, without the
/// instructions of its caller.
#[inline(always)]
fn fill_chunk<T: Rounded, const N: usize, S: Simd>(
    polynomial: &Polynomial<N>,
    column: f64,
    tolerance: &Tolerance,
    window: Option<&Window>,
    chunk: &mut [T; LANES],
) -> u64 {
    let mut values = [0.0; LANES];
    evaluate::<N, S>(polynomial, column, &mut values);
    u64::from(T::round_lanes(&values, tolerance, window, chunk))
}

/// The polynomial at the columns from `column` on.
#[inline(always)]
fn evaluate<const N: usize, S: Simd>(polynomial: &Polynomial<N>, column: f64, out: &mut [f64; LANES]) {
    for (value, lane) in out.iter_mut().zip(LANE_NUMBERS) {
        // Lane numbers are added as f64, because not every level can convert 64-bit integers.
        *value = polynomial.at::<S>(column + lane);
    }
}

/// The values of a polynomial as they are, before they are rounded.
pub struct Evaluate<'a, const N: usize> {
    /// The polynomial.
    pub polynomial: &'a Polynomial<N>,
    /// The first column.
    pub first: usize,
    /// Where to.
    pub out: &'a mut [f64; LANES],
}

impl<const N: usize> Kernel for Evaluate<'_, N> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        evaluate::<N, S>(self.polynomial, self.first as f64, self.out);
    }
}

/// 0, 1, 2 … as `f64`.
pub const LANE_NUMBERS: [f64; LANES] = {
    let mut numbers = [0.0; LANES];
    let mut lane = 1;
    while lane < LANES {
        numbers[lane] = numbers[lane - 1] + 1.0;
        lane += 1;
    }
    numbers
};

/// A polynomial for a block, with what is known of its values.
#[derive(Clone, Copy, Debug)]
pub struct Block<const N: usize> {
    /// The polynomial.
    pub polynomial: Polynomial<N>,
    /// How far its values may be from the truth.
    pub tolerance: Tolerance,
}

impl<const N: usize> Block<N> {
    /// A block, unless its error is too large a part of its least value to decide roundings.
    pub fn new(coefficients: [f64; N], columns: usize, slack: f64, least: f64, greatest: f64) -> Option<Self> {
        // Zeros may be what is left of values too small for a double: nothing tells their sign.
        let usable = least > 0.0 && slack <= least * LARGEST_RELATIVE_SLACK && greatest < 1e250;
        usable.then(|| Self {
            polynomial: Polynomial { coefficients, step: 2.0 / (columns - 1) as f64 },
            tolerance: Tolerance { slack, least, greatest, negative: coefficients[0] < 0.0 },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::simd::Baseline;

    #[test]
    fn close_calls_are_told_by_chunk() {
        let block = Block::new([1.5, 0.25], 1000, 1e-12, 1.0, 2.0).expect("certain enough");
        let mut out = [0f32; 1000];
        let fill = Fill { polynomial: &block.polynomial, tolerance: &block.tolerance, first: 0, out: &mut out };
        let close = fill.run(Baseline);
        for (index, chunk) in out.chunks(LANES).enumerate() {
            let any = (0..chunk.len()).any(|lane| {
                let value = block.polynomial.at::<Baseline>((index * LANES + lane) as f64);
                super::super::rounding::round_certain::<f32>(value, 1e-12).is_none()
            });
            assert!(!any || close >> index & 1 == 1, "chunk {index}");
        }
    }
}
