//! Summary statistics of a whole sweep, slice by slice: neither its table nor its batch is ever in memory as a whole.

use std::ops::Range;

use crate::element::Element;
use crate::error::Error;
use crate::packed::Batch;
use crate::spec::Spec;
use crate::statistics::{Statistics, Summarize};
use crate::steps::Steps;

/// Values of a slice: enough to keep threads and a device busy, few enough to report progress.
const VALUES_IN_SLICE: usize = 1 << 28;

/// The most schedules per slice.
const ROWS_IN_SLICE: usize = 1 << 16;

/// The most bytes of compiled schedules per slice.
const BYTES_IN_SLICE: usize = 8 << 20;

/// The statistics of one schedule of a sweep.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Surveyed {
    /// The schedule's index in the sweep.
    pub schedule: usize,
    /// Statistics of its values.
    pub rate: Statistics,
    /// Statistics of its momentum, if the spec has one.
    pub momentum: Option<Statistics>,
}

/// Calls `each` with the statistics of each of the `rows` of a spec, in order. Values are rounded to the type `T`;
/// those above the threshold `above` are counted.
///
/// ```
/// use lrgrid::survey::survey;
/// use lrgrid::{Cpu, Error, Spec, Steps};
///
/// let spec = Spec::from_toml(r#"
///     schedule = { kind = "cosine", start = "$peak", end = 0, steps = 1000 }
///     sweep = { method = "sobol", count = 100, parameters.peak = { min = 0.1, max = 0.2 } }
/// "#)?;
/// let mut best = 0.0_f64;
/// survey::<f64, Error>(&spec, &Cpu::new()?, 0..spec.len(), &Steps::range(0..1000), None, |row| {
///     best = best.max(row.rate.mean());
///     Ok(())
/// })?;
/// assert!((0.099..0.1001).contains(&best));
/// # Ok::<(), lrgrid::Error>(())
/// ```
///
/// # Errors
/// When a schedule is wrong, the backend fails as [`Summarize::statistics`] does, or `each` fails.
pub fn survey<T: Element, E: From<Error>>(
    spec: &Spec,
    backend: &impl Summarize,
    rows: Range<usize>,
    steps: &Steps,
    above: Option<f64>,
    mut each: impl FnMut(Surveyed) -> Result<(), E>,
) -> Result<(), E> {
    let most = (VALUES_IN_SLICE / steps.len().max(1)).clamp(1, ROWS_IN_SLICE);
    let mut next = rows.start;
    while next < rows.end {
        let end = rows.end.min(next + most);
        let (batch, momentum) = spec.compile_block(next..end, BYTES_IN_SLICE)?;
        let summed = |batch: &Batch| backend.statistics::<T>(batch, 0..batch.len(), steps, above);
        let (rates, momenta) = (summed(&batch)?, momentum.as_ref().map(summed).transpose()?);
        for (index, rate) in rates.into_iter().enumerate() {
            let momentum = momenta.as_ref().and_then(|momenta| momenta.get(index).copied());
            each(Surveyed { schedule: next + index, rate, momentum })?;
        }
        next += batch.len();
    }
    Ok(())
}
