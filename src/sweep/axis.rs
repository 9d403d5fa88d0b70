//! The values of one parameter, each computed from its index; only listed values are stored.

use std::sync::Arc;

use super::law::Law;
use super::random::{Random, share};
use super::sobol::Dimension;

/// The values of one parameter on a grid or a zip.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Axis {
    Listed(Arc<[f64]>),
    Spaced {
        start: f64,
        step: f64,
        count: u64,
    },
    Even {
        min: f64,
        max: f64,
        count: u64,
    },
    /// Evenly spaced in the logarithm; `span` is the logarithm of `last / first`.
    Geometric {
        first: f64,
        last: f64,
        span: f64,
        count: u64,
    },
    /// Evenly spaced in probability: quantiles.
    Quantiles {
        law: Law,
        count: u64,
    },
}

impl Axis {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Listed(values) => values.len(),
            // At most MAX_SCHEDULES.
            Self::Spaced { count, .. }
            | Self::Even { count, .. }
            | Self::Geometric { count, .. }
            | Self::Quantiles { count, .. } => *count as usize,
        }
    }

    /// The value at `index < len()`; the ends are exact.
    pub(super) fn value(&self, index: usize) -> f64 {
        let place = index as u64;
        match *self {
            Self::Listed(ref values) => values[index],
            Self::Spaced { start, step, .. } => start + step * place as f64,
            Self::Even { min: first, .. } | Self::Geometric { first, .. } if place == 0 => first,
            Self::Even { max: last, count, .. } | Self::Geometric { last, count, .. } if place + 1 == count => last,
            Self::Even { min, max, count } => min + (max - min) * along(place, count),
            Self::Geometric { first, span, count, .. } => first * (span * along(place, count)).exp(),
            Self::Quantiles { ref law, count } => law.quantile((place as f64 + 0.5) / count as f64),
        }
    }

    /// A value that is not finite, if there is one.
    pub(super) fn not_finite(&self) -> Option<f64> {
        let wrong = |index: usize| Some(self.value(index)).filter(|value| !value.is_finite());
        match self {
            Self::Listed(values) => (0..values.len()).find_map(wrong),
            // Values are monotone in the index, so those at the ends are the most extreme.
            _ => [0, 1, self.len().saturating_sub(2), self.len() - 1]
                .into_iter()
                .filter(|&i| i < self.len())
                .find_map(wrong),
        }
    }
}

/// The position of a point on its axis, from 0 to 1.
pub(super) fn along(index: u64, count: u64) -> f64 {
    if count < 2 { 0.0 } else { index as f64 / (count - 1) as f64 }
}

/// The values of one parameter of a random or Sobol sweep.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Draw {
    pub(super) law: Law,
    pub(super) random: Random,
    pub(super) stream: u64,
    /// The parameter's dimension of the sequence, in a Sobol sweep.
    pub(super) dimension: Option<Dimension>,
}

impl Draw {
    /// The value at any index.
    pub(super) fn value(&self, index: usize) -> f64 {
        let random = self.random.bits(self.stream, index as u64);
        let bits = match &self.dimension {
            None => random,
            // The scrambled digits beyond the sequence's 32 are random.
            Some(dimension) => u64::from(dimension.at(index as u32)) << 32 | random >> 32,
        };
        self.law.quantile(share(bits))
    }
}
