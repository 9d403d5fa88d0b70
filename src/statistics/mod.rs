//! Summary statistics of schedules without their table: sums, extremes, the last value, steps above a threshold.
//!
//! A backend fills a tile in cache or in device memory, and the tile is reduced before the next is filled. Sums are
//! compensated: they sum the values as evaluated, in about twice the precision of `f64`, so neither many steps nor
//! values of opposite sign cost accuracy. How a row is divided into tiles changes no statistic except the last bits of
//! sums.

mod gather;
mod reduce;

use std::ops::Range;

#[cfg(feature = "gpu")]
pub(crate) use gather::Gathered;
pub(crate) use gather::gather;
#[cfg(feature = "gpu")]
pub(crate) use reduce::Sum;
pub(crate) use reduce::{Partial, reduce};

use crate::element::Element;
use crate::error::{Error, EvaluateError};
use crate::evaluate::Reference;
use crate::packed::Batch;
use crate::steps::Steps;

/// A value and the first step that has it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Extreme {
    /// The value.
    pub value: f64,
    /// The first step, in the order of the steps, with that value.
    pub step: u64,
}

/// The summary statistics of one schedule's values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Statistics {
    /// Number of values; at least 1.
    pub count: u64,
    /// Their sum.
    pub sum: f64,
    /// The sum of their squares.
    pub sum_of_squares: f64,
    /// The least value.
    pub min: Extreme,
    /// The greatest value.
    pub max: Extreme,
    /// The value at the last of the steps.
    pub last: f64,
    /// The number of values above the given threshold; 0 without one.
    pub above: u64,
}

impl Statistics {
    /// The mean of the values.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.sum / self.count as f64
    }
}

/// A backend that computes statistics without storing the values.
///
/// ```
/// use lrgrid::statistics::Summarize;
/// use lrgrid::{Cpu, Spec, Steps};
///
/// let spec = Spec::from_toml(r#"
///     schedule = { kind = "linear", start = "$peak", end = 0, steps = 1_000_000 }
///     sweep.parameters.peak = { values = [1.0, 2.0] }
/// "#)?;
/// let batch = spec.compile()?;
/// let rows = Cpu::new()?.statistics::<f64>(&batch, 0..2, &Steps::range(0..1_000_000), Some(1.0))?;
/// assert_eq!((rows[1].max.value, rows[1].max.step), (2.0, 0));
/// assert_eq!((rows[0].above, rows[1].above), (0, 500_000));
/// assert!((rows[0].sum - 500_000.5).abs() < 1e-9);
/// # Ok::<(), lrgrid::Error>(())
/// ```
pub trait Summarize {
    /// The statistics of `rows` of a batch over some steps, after rounding the values to the type `T`; values above the
    /// threshold `above` are counted.
    ///
    /// # Errors
    /// When there are no steps, a step is out of range, the batch lacks one of the rows, the threshold is NaN, or the
    /// backend cannot evaluate (unsupported element type, no device, no memory).
    fn statistics<T: Element>(
        &self,
        batch: &Batch,
        rows: Range<usize>,
        steps: &Steps,
        above: Option<f64>,
    ) -> Result<Vec<Statistics>, Error>;
}

impl Summarize for Reference {
    fn statistics<T: Element>(
        &self,
        batch: &Batch,
        rows: Range<usize>,
        steps: &Steps,
        above: Option<f64>,
    ) -> Result<Vec<Statistics>, Error> {
        gather::<T>(self, reduce, batch, rows, steps, above)
    }
}

/// Checks a request; returns the threshold, or infinity if there is none.
pub(crate) fn check(
    batch: &Batch,
    rows: &Range<usize>,
    steps: &Steps,
    above: Option<f64>,
) -> Result<f64, EvaluateError> {
    batch.check_steps(steps)?;
    if rows.start > rows.end || rows.end > batch.len() {
        return Err(EvaluateError::Rows { start: rows.start, end: rows.end, schedules: batch.len() });
    }
    if steps.is_empty() {
        return Err(EvaluateError::NoSteps);
    }
    match above {
        Some(threshold) if threshold.is_nan() => Err(EvaluateError::Threshold),
        above => Ok(above.unwrap_or(f64::INFINITY)),
    }
}
