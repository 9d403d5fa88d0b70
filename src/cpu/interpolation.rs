//! A block's polynomial from samples of the curve: Chebyshev interpolation, checked against the curve.

use std::sync::LazyLock;

use super::block::{Block, TERMS};
use super::samples::{SAMPLES, Samples};
use super::simd::{Kernel, Simd};

/// How far from the curve an interpolation may be where it is checked, relative to its magnitude.
const CHECKED: f64 = 1.0 / (1u64 << 49) as f64;

/// The same in slacks of the samples, whose own errors show in the check.
const CHECKED_SLACKS: f64 = 2.0;

/// Allowance for the error where it is not checked: at the ends, where it is, it is at its greatest, but
/// for blocks with a singularity near one end not by much.
const UNCHECKED: f64 = 4.0 * CHECKED;

/// The same in slacks: 2.5 for what interpolation makes of the nodes' errors (the Lebesgue constant), and
/// 1½ times what may hide in the check, that is the two allowed, one of the end's own and 2.5 of the nodes'.
const UNCHECKED_SLACKS: f64 = 2.5 + 1.5 * (CHECKED_SLACKS + 1.0 + 2.5);

/// Interpolates what was sampled at [`NODES`]; nothing where it is not smooth enough.
pub struct Interpolate<'a> {
    /// Columns of the block.
    pub columns: usize,
    /// The samples.
    pub samples: &'a Samples,
}

impl Kernel for Interpolate<'_> {
    type Output = Option<Block<TERMS>>;

    #[inline(always)]
    fn run<S: Simd>(self, _: S) -> Option<Block<TERMS>> {
        let Samples { values, magnitudes, slacks } = self.samples;
        let (mut least, mut greatest, mut slack) = (f64::INFINITY, 0f64, 0f64);
        let (mut lowest, mut highest) = (f64::INFINITY, f64::NEG_INFINITY);
        for i in 0..SAMPLES {
            least = least.min(values[i].abs());
            greatest = greatest.max(magnitudes[i]);
            slack = slack.max(slacks[i]);
            (lowest, highest) = (lowest.min(values[i]), highest.max(values[i]));
        }
        if (lowest < 0.0) != (highest < 0.0) {
            return None;
        }
        let coefficients = CHEBYSHEV.monomials(values);
        let (mut even, mut odd) = (0.0, 0.0);
        for pair in coefficients.as_chunks::<2>().0.iter().rev() {
            (even, odd) = (even + pair[0], odd + pair[1]);
        }
        let (first, last) = (values[TERMS], values[TERMS + 1]);
        let allowed = CHECKED * greatest + CHECKED_SLACKS * slack;
        let smooth = (even - odd - first).abs() <= allowed && (even + odd - last).abs() <= allowed;
        if !smooth {
            return None;
        }
        // Between samples the values may lie a little beyond them.
        let slack = 1.25 * (UNCHECKED * greatest + UNCHECKED_SLACKS * slack);
        Block::new(coefficients, self.columns, slack, least * 0.5, greatest * 2.0)
    }
}

const _: () = assert!(TERMS.is_multiple_of(2), "the coefficients are summed in pairs");

/// Where a block is sampled: at the Chebyshev nodes cos(π(j + ½)/[`TERMS`]), and at both ends, which are no
/// nodes: there the error of the interpolation is greatest.
pub static NODES: LazyLock<[f64; SAMPLES]> = LazyLock::new(|| {
    let end = |index: usize| if index.is_multiple_of(2) { -1.0 } else { 1.0 };
    std::array::from_fn(|index| if index < TERMS { chebyshev(1, index) } else { end(index) })
});

/// The Chebyshev polynomial of degree `k` at node `j`.
fn chebyshev(k: usize, j: usize) -> f64 {
    // k(2j + 1) half-turns of 2·TERMS: reduced first, so that every cosine is good to the last bit.
    let turns = (k * (2 * j + 1)) % (4 * TERMS);
    (turns as f64 * std::f64::consts::PI / (2 * TERMS) as f64).cos()
}

/// Chebyshev interpolation of a fixed degree; rows are padded to whole vectors.
struct Chebyshev {
    /// Row j, column k: `2/TERMS · T_k(node j)` (half that for k = 0), from node values to Chebyshev coefficients.
    transform: [[f64; SAMPLES]; TERMS],
    /// Row k: the Chebyshev polynomial of degree k in powers of x.
    powers: [[f64; SAMPLES]; TERMS],
}

static CHEBYSHEV: LazyLock<Chebyshev> = LazyLock::new(|| {
    let mut table = Chebyshev { transform: [[0.0; SAMPLES]; TERMS], powers: [[0.0; SAMPLES]; TERMS] };
    for j in 0..TERMS {
        for k in 0..TERMS {
            table.transform[j][k] = chebyshev(k, j) * if k == 0 { 1.0 } else { 2.0 } / TERMS as f64;
        }
    }
    (table.powers[0][0], table.powers[1][1]) = (1.0, 1.0);
    for k in 2..TERMS {
        for power in 0..=k {
            let shifted = if power == 0 { 0.0 } else { table.powers[k - 1][power - 1] };
            table.powers[k][power] = 2.0 * shifted - table.powers[k - 2][power];
        }
    }
    table
});

/// Row k: the coefficients of the Chebyshev polynomial of degree k < [`TERMS`].
pub fn chebyshev_powers() -> &'static [[f64; SAMPLES]; TERMS] {
    &CHEBYSHEV.powers
}

impl Chebyshev {
    /// The interpolating polynomial in powers of x.
    ///
    /// By way of the Chebyshev coefficients: they fall quickly, so the large numbers in `powers` only ever
    /// multiply small ones, and rounding stays in the last place.
    #[inline(always)]
    fn monomials(&self, values: &[f64; SAMPLES]) -> [f64; TERMS] {
        let mut series = [0.0; SAMPLES];
        for (j, row) in self.transform.iter().enumerate() {
            for k in 0..SAMPLES {
                series[k] += values[j] * row[k];
            }
        }
        let mut coefficients = [0.0; SAMPLES];
        for (k, row) in self.powers.iter().enumerate() {
            for power in 0..SAMPLES {
                coefficients[power] += series[k] * row[power];
            }
        }
        let mut terms = [0.0; TERMS];
        terms.copy_from_slice(&coefficients[..TERMS]);
        terms
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::sample::Sample;
    use crate::cpu::simd::{Baseline, Level};
    use crate::double_double::DoubleDouble;

    fn interpolate(function: impl Fn(f64) -> Sample) -> Option<Block<TERMS>> {
        let mut samples = Samples::constant(Sample::rounded(DoubleDouble::ZERO));
        NODES.iter().enumerate().for_each(|(node, x)| samples.set(node, function(*x)));
        Level::detect().run(Interpolate { columns: 1001, samples: &samples })
    }

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
            let block = interpolate(|x| known(function(x))).unwrap_or_else(|| panic!("{name} is smooth"));
            for column in 0..1001 {
                let got = block.polynomial.at::<Baseline>(f64::from(column));
                let want = function(f64::from(column) / 500.0 - 1.0);
                assert!((got - want).abs() <= block.tolerance.slack, "{name} at {column}: {got} {want}");
            }
        }
    }

    #[test]
    fn what_is_not_smooth_is_refused() {
        assert!(interpolate(|x| known(2.0 + x.abs())).is_none(), "a kink");
        assert!(interpolate(|x| known((1.0001 + x).sqrt())).is_none(), "a singular end");
        assert!(interpolate(|x| known((5.0 * x).exp())).is_none(), "too much at once");
        assert!(interpolate(known).is_none(), "a zero");
    }
}
