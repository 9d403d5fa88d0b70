//! Statistics of a whole sweep, slice by slice: neither its table nor its batch is ever there as a whole.

use std::ops::Range;

use crate::element::Element;
use crate::error::Error;
use crate::packed::{Batch, Steps};
use crate::spec::Spec;
use crate::statistics::{Statistics, Summarize};

/// Values of a slice: enough to keep threads and a device busy, little enough to report how it goes.
const VALUES_IN_SLICE: usize = 1 << 28;

/// The most schedules summed up at a time.
const ROWS_IN_SLICE: usize = 1 << 16;

/// The most bytes of schedules compiled at a time.
const BYTES_IN_SLICE: usize = 8 << 20;

/// What one schedule of a sweep comes to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Surveyed {
    /// Its number in the sweep.
    pub schedule: usize,
    /// Statistics of its values.
    pub rate: Statistics,
    /// Statistics of its momentum, where the spec has one.
    pub momentum: Option<Statistics>,
}

/// Calls `each` with the statistics of `rows` of a spec, in order; values are taken as the type `T` holds them, and
/// counted above a threshold where there is one.
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
