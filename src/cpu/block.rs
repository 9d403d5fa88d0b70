//! A block of columns as one polynomial: how it is interpolated, and the one kernel that evaluates it.

use std::sync::LazyLock;

use super::rounding::{LANES, Rounded, Tolerance};
use super::sample::Sample;
use super::working::{Window, Working};

/// Degree of the polynomials. Higher means longer blocks and more work per value; on rows of 65,536,
/// degree 9 was 5 % faster for a cosine and 5 % slower for a power, whose blocks are shorter.
pub const DEGREE: usize = 11;

/// Coefficients of an interpolating polynomial.
pub const TERMS: usize = DEGREE + 1;

/// How far from the curve an interpolation may be where it is checked, relative to its magnitude.
const CHECKED: f64 = 1.0 / (1u64 << 48) as f64;

/// The same in slacks of the samples, whose own errors show in the check.
const CHECKED_SLACKS: f64 = 2.0;

/// Allowance for the error where it is not checked: at the ends, where it is, it is at its greatest, but
/// for blocks with a singularity near one end not by much.
const UNCHECKED: f64 = 4.0 * CHECKED;

/// The same in slacks: 2.5 for what interpolation makes of the nodes' errors (the Lebesgue constant), and
/// 1½ times what may hide in the check, that is the two allowed, one of the end's own and 2.5 of the nodes'.
const UNCHECKED_SLACKS: f64 = 2.5 + 1.5 * (CHECKED_SLACKS + 1.0 + 2.5);

/// A block whose error is a larger part of its least value is halved: too many values near a midpoint.
const LARGEST_RELATIVE_SLACK: f64 = 1.0 / (1u64 << 36) as f64;

/// The most values that [`fill`] takes: one bit of its answer for every [`LANES`].
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
    pub fn at<const FUSED: bool>(&self, column: f64) -> f64 {
        let x = column.multiply_add::<FUSED>(self.step, -1.0);
        let mut value = self.coefficients[N - 1];
        for coefficient in self.coefficients[..N - 1].iter().rev() {
            value = value.multiply_add::<FUSED>(x, *coefficient);
        }
        value
    }
}

/// Writes the polynomial at the columns from `first` on, at most [`MOST_VALUES`]; bit `i` of the answer
/// tells that one of the values from `i ·` [`LANES`] on was too close to call.
#[inline(always)]
pub fn fill<T: Rounded, const N: usize, const FUSED: bool>(
    polynomial: &Polynomial<N>,
    first: usize,
    tolerance: &Tolerance,
    out: &mut [T],
) -> u64 {
    let window = T::window(tolerance);
    let mut close = 0;
    let (chunks, tail) = out.as_chunks_mut::<LANES>();
    for (index, chunk) in chunks.iter_mut().enumerate() {
        let column = (first + index * LANES) as f64;
        close |= fill_chunk::<T, N, FUSED>(polynomial, column, tolerance, window.as_ref(), chunk) << index;
    }
    if !tail.is_empty() {
        let index = chunks.len();
        let mut chunk = [T::zeroed(); LANES];
        // Lanes past the block are evaluated too; at worst they ask for a closer look in vain.
        let column = (first + index * LANES) as f64;
        close |= fill_chunk::<T, N, FUSED>(polynomial, column, tolerance, window.as_ref(), &mut chunk) << (index % 64);
        tail.copy_from_slice(&chunk[..tail.len()]);
    }
    close
}

/// Writes the polynomial at the columns from `column` on; 1 if a value was too close to call.
///
/// A function that is always inlined, and no closure: a closure may end up compiled apart, without the
/// instructions of its caller.
#[inline(always)]
fn fill_chunk<T: Rounded, const N: usize, const FUSED: bool>(
    polynomial: &Polynomial<N>,
    column: f64,
    tolerance: &Tolerance,
    window: Option<&Window>,
    chunk: &mut [T; LANES],
) -> u64 {
    let mut values = [0.0; LANES];
    for (value, lane) in values.iter_mut().zip(LANE_NUMBERS) {
        // Working numbers are added as f64, because not every level can convert 64-bit integers.
        *value = polynomial.at::<FUSED>(column + lane);
    }
    u64::from(T::round_lanes(&values, tolerance, window, chunk))
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
        let usable = slack <= least * LARGEST_RELATIVE_SLACK && greatest < 1e250;
        usable.then(|| Self {
            polynomial: Polynomial { coefficients, step: 2.0 / (columns - 1) as f64 },
            tolerance: Tolerance { slack, least, greatest, negative: coefficients[0] < 0.0 },
        })
    }
}

impl Block<TERMS> {
    /// Interpolates `sample`, a function of x on [−1, 1]; nothing where it is not smooth enough.
    pub fn interpolate(columns: usize, sample: impl Fn(f64) -> Sample) -> Option<Self> {
        let mut nodes = [0.0; TERMS];
        let (mut least, mut greatest, mut slack) = (f64::INFINITY, 0f64, 0f64);
        let (mut lowest, mut highest) = (f64::INFINITY, f64::NEG_INFINITY);
        let mut look = |x: f64| {
            let at = sample(x);
            least = least.min(at.value.abs());
            greatest = greatest.max(at.magnitude);
            slack = slack.max(at.slack);
            (lowest, highest) = (lowest.min(at.value), highest.max(at.value));
            at.value
        };
        // Both ends are no nodes, and there the error of the interpolation is greatest.
        let ends = [look(-1.0), look(1.0)];
        if (ends[0] < 0.0) != (ends[1] < 0.0) {
            return None;
        }
        for (node, x) in nodes.iter_mut().zip(CHEBYSHEV.nodes) {
            *node = look(x);
        }
        if (lowest < 0.0) != (highest < 0.0) {
            return None;
        }
        let coefficients = CHEBYSHEV.monomials(&nodes);
        let (mut even, mut odd) = (0.0, 0.0);
        for pair in coefficients.chunks_exact(2).rev() {
            (even, odd) = (even + pair[0], odd + pair[1]);
        }
        let allowed = CHECKED * greatest + CHECKED_SLACKS * slack;
        let smooth = (even - odd - ends[0]).abs() <= allowed && (even + odd - ends[1]).abs() <= allowed;
        if !smooth {
            return None;
        }
        // Between samples the values may lie a little beyond them.
        let slack = 1.25 * (UNCHECKED * greatest + UNCHECKED_SLACKS * slack);
        Self::new(coefficients, columns, slack, least * 0.5, greatest * 2.0)
    }
}

const _: () = assert!(TERMS.is_multiple_of(2), "the coefficients are summed in pairs");

/// Chebyshev interpolation of a fixed degree.
struct Chebyshev {
    /// Where the function is taken: cos(π(j + ½)/TERMS).
    nodes: [f64; TERMS],
    /// `2/TERMS · T_k(node j)` (half that for k = 0), from node values to Chebyshev coefficients.
    transform: [[f64; TERMS]; TERMS],
}

static CHEBYSHEV: LazyLock<Chebyshev> = LazyLock::new(|| {
    let angle = |k: usize, j: usize| {
        // k(2j + 1) half-turns of 2·TERMS: reduced first, so that every cosine is good to the last bit.
        let turns = (k * (2 * j + 1)) % (4 * TERMS);
        (turns as f64 * std::f64::consts::PI / (2 * TERMS) as f64).cos()
    };
    let row = |k: usize| {
        let weight = if k == 0 { 1.0 } else { 2.0 } / TERMS as f64;
        std::array::from_fn(|j| weight * angle(k, j))
    };
    Chebyshev { nodes: std::array::from_fn(|j| angle(1, j)), transform: std::array::from_fn(row) }
});

/// Coefficients of the Chebyshev polynomials in powers of x.
const T: [[f64; TERMS]; TERMS] = {
    let mut table = [[0.0; TERMS]; TERMS];
    table[0][0] = 1.0;
    table[1][1] = 1.0;
    let mut k = 2;
    while k < TERMS {
        let mut power = 0;
        while power <= k {
            let shifted = if power == 0 { 0.0 } else { table[k - 1][power - 1] };
            table[k][power] = 2.0 * shifted - table[k - 2][power];
            power += 1;
        }
        k += 1;
    }
    table
};

impl Chebyshev {
    /// The interpolating polynomial in powers of x.
    ///
    /// By way of the Chebyshev coefficients: they fall quickly, so the large numbers in [`T`] only ever
    /// multiply small ones, and rounding stays in the last place.
    fn monomials(&self, values: &[f64; TERMS]) -> [f64; TERMS] {
        let mut coefficients = [0.0; TERMS];
        for (row, polynomial) in self.transform.iter().zip(&T) {
            let chebyshev: f64 = row.iter().zip(values).map(|(weight, value)| weight * value).sum();
            for (coefficient, power) in coefficients.iter_mut().zip(polynomial) {
                *coefficient += chebyshev * power;
            }
        }
        coefficients
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(value: f64) -> Sample {
        Sample { value, magnitude: value.abs(), slack: value.abs() * 2f64.powi(-52) }
    }

    #[test]
    fn smooth_functions_are_interpolated_to_their_tolerance() {
        for (name, function) in [
            ("exponential", (|x: f64| (0.6 * x).exp()) as fn(f64) -> f64),
            ("cosine", |x| 2.0 + (0.6 * x).cos()),
            ("power", |x| (1.0 + 0.15 * x).powf(1.7)),
            ("negative", |x| -3.0 - x),
        ] {
            let block = Block::interpolate(1001, |x| known(function(x))).unwrap_or_else(|| panic!("{name} is smooth"));
            for column in 0..1001 {
                let got = block.polynomial.at::<false>(f64::from(column));
                let want = function(f64::from(column) / 500.0 - 1.0);
                assert!((got - want).abs() <= block.tolerance.slack, "{name} at {column}: {got} {want}");
            }
        }
    }

    #[test]
    fn what_is_not_smooth_is_refused() {
        assert!(Block::interpolate(1001, |x| known(2.0 + x.abs())).is_none(), "a kink");
        assert!(Block::interpolate(1001, |x| known((1.0001 + x).sqrt())).is_none(), "a singular end");
        assert!(Block::interpolate(1001, |x| known((5.0 * x).exp())).is_none(), "too much at once");
        assert!(Block::interpolate(1001, known).is_none(), "a zero");
    }

    #[test]
    fn close_calls_are_told_by_chunk() {
        let block = Block::new([1.5, 0.25], 1000, 1e-12, 1.0, 2.0).expect("certain enough");
        let mut out = [0f32; 1000];
        let close = fill::<f32, 2, false>(&block.polynomial, 0, &block.tolerance, &mut out);
        for (index, chunk) in out.chunks(LANES).enumerate() {
            let any = (0..chunk.len()).any(|lane| {
                let value = block.polynomial.at::<false>((index * LANES + lane) as f64);
                super::super::rounding::round_certain::<f32>(value, 1e-12).is_none()
            });
            assert!(!any || close >> index & 1 == 1, "chunk {index}");
        }
    }
}
