//! Distributions by their quantile functions, which map a probability between 0 and 1 to a value.

use std::f64::consts::SQRT_2;
use std::sync::Arc;

use statrs::function::beta::{inv_beta_reg, ln_beta};
use statrs::function::erf::erfc_inv;

/// A distribution of values.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Law {
    pub(super) shape: Shape,
    /// Values are rounded to multiples of this.
    pub(super) quantum: Option<f64>,
}

/// The distribution of the values before rounding.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Shape {
    /// One of a list: all equally likely, or with the cumulative probabilities `sums`, the last of which is 1.
    Listed {
        values: Arc<[f64]>,
        sums: Option<Arc<[f64]>>,
    },
    /// One of evenly spaced values.
    Spaced {
        start: f64,
        step: f64,
        count: u64,
    },
    Uniform {
        min: f64,
        max: f64,
    },
    /// Uniform in the logarithm between the first and the last value.
    Geometric {
        first: f64,
        last: f64,
        span: f64,
    },
    Normal {
        mean: f64,
        deviation: f64,
    },
    LogNormal {
        mean: f64,
        deviation: f64,
    },
    Beta {
        a: f64,
        b: f64,
    },
}

impl Shape {
    /// Uniform in the logarithm between two values above 0.
    pub(super) fn geometric(first: f64, last: f64) -> Self {
        Self::Geometric { first, last, span: last.ln() - first.ln() }
    }
}

impl Law {
    pub(super) fn of(shape: Shape) -> Self {
        Self { shape, quantum: None }
    }

    /// The quantile of a probability above 0 and below 1.
    pub(super) fn quantile(&self, share: f64) -> f64 {
        let value = self.shape.quantile(share);
        // Ties to even, as NumPy rounds and hence W&B.
        self.quantum.map_or(value, |quantum| (value / quantum).round_ties_even() * quantum)
    }

    /// A value that is not finite, if there is one.
    pub(super) fn not_finite(&self) -> Option<f64> {
        // Quantiles are monotone, so those at the ends are the most extreme.
        let ends = [f64::EPSILON / 2.0, 1.0 - f64::EPSILON / 2.0].map(|share| self.quantile(share));
        let listed: &[f64] = if let Shape::Listed { values, .. } = &self.shape { values } else { &[] };
        ends.iter().chain(listed).copied().find(|value| !value.is_finite())
    }
}

impl Shape {
    fn quantile(&self, share: f64) -> f64 {
        match self {
            Self::Listed { values, sums: None } => values[place(share, values.len() as u64) as usize],
            Self::Listed { values, sums: Some(sums) } => {
                values[sums.partition_point(|&sum| sum <= share).min(values.len() - 1)]
            }
            Self::Spaced { start, step, count } => start + step * place(share, *count) as f64,
            // Not through the difference of the ends, which may overflow.
            Self::Uniform { min, max } => (min * (1.0 - share) + max * share).clamp(*min, *max),
            Self::Geometric { first, last, span } => {
                (first * (span * share).exp()).clamp(first.min(*last), first.max(*last))
            }
            Self::Normal { mean, deviation } => mean + deviation * standard_normal(share),
            Self::LogNormal { mean, deviation } => (mean + deviation * standard_normal(share)).exp(),
            Self::Beta { a, b } => beta(*a, *b, share),
        }
    }
}

/// The index that a probability selects among `count` equally likely ones.
fn place(share: f64, count: u64) -> u64 {
    ((share * count as f64) as u64).min(count - 1)
}

fn standard_normal(share: f64) -> f64 {
    -SQRT_2 * erfc_inv(2.0 * share)
}

fn beta(a: f64, b: f64, share: f64) -> f64 {
    // Near 0 the distribution function is x^a/(a·B(a, b)) to first order; the library's search stops at 1e-16.
    let near_0 = ((share.ln() + a.ln() + ln_beta(a, b)) / a).exp();
    if near_0 * (b + 1.0) < 1e-8 {
        return near_0 * (1.0 + (b - 1.0) / (a + 1.0) * near_0);
    }
    inv_beta_reg(a, b, share)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Probabilities, parameters and quantiles to 20 digits, made by scripts/make_quantiles.py with mpmath.
    const TABLE: &str = include_str!("../../tests/data/quantiles.tsv");

    #[test]
    fn quantiles_are_those_of_60_digit_arithmetic() {
        let mut seen = 0;
        for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
            let cells: Vec<&str> = line.split('\t').collect();
            let [a, b, share, want] = [1, 2, 3, 4].map(|cell| cells[cell].parse::<f64>().unwrap());
            // Dominated by statrs' error in the logarithm of the gamma function, which a shape below 1 magnifies.
            let (shape, bound) = match cells[0] {
                "normal" => (Shape::Normal { mean: a, deviation: b }, 4e-16),
                _ => (Shape::Beta { a, b }, 2e-13),
            };
            let got = Law::of(shape).quantile(share);
            assert!((got - want).abs() <= bound * want.abs(), "{line}: {got:e}");
            seen += 1;
        }
        assert!(seen > 60, "{seen} lines");
    }

    #[test]
    fn ends_and_middles() {
        let geometric = Law::of(Shape::geometric(1e-5, 1e-1));
        assert!((geometric.quantile(0.5) / 1e-3 - 1.0).abs() < 1e-14);
        let rounded = Law { shape: Shape::Uniform { min: 0.0, max: 10.0 }, quantum: Some(2.5) };
        assert_eq!([0.1, 0.2, 0.9].map(|share| rounded.quantile(share)), [0.0, 2.5, 10.0]);
        let wide = Law::of(Shape::Uniform { min: -1.7e308, max: 1.7e308 });
        assert_eq!((wide.quantile(0.5), wide.not_finite()), (0.0, None));
        let listed = Law::of(Shape::Listed { values: [1.0, 2.0, 3.0].into(), sums: Some([0.25, 0.25, 1.0].into()) });
        assert_eq!([0.2, 0.25, 0.9].map(|share| listed.quantile(share)), [1.0, 3.0, 3.0]);
        let spaced = Law::of(Shape::Spaced { start: 3.0, step: 2.0, count: 3 });
        assert_eq!([0.3, 0.4, 0.99].map(|share| spaced.quantile(share)), [3.0, 5.0, 7.0]);
        assert_eq!(Law::of(Shape::LogNormal { mean: 0.0, deviation: 2.0 }).quantile(0.5), 1.0);
        assert!(Law::of(Shape::LogNormal { mean: 0.0, deviation: 1e3 }).not_finite().is_some());
    }
}
