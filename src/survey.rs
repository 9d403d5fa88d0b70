//! Statistics of a whole sweep, slice by slice: neither its table nor its batch is ever there as a whole.

use std::ops::Range;

use crate::element::Element;
use crate::error::Error;
use crate::packed::Steps;
use crate::spec::Spec;
use crate::statistics::{Statistics, Summarize};

/// Values of a slice: enough to keep threads and a device busy, little enough to report how it goes.
const VALUES_IN_SLICE: usize = 1 << 28;

/// The most schedules compiled at a time: 8 MiB of simple ones.
const ROWS_IN_SLICE: usize = 1 << 16;

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
    for first in rows.clone().step_by(most) {
        let slice = first..rows.end.min(first + most);
        let batch = spec.compile_rows(slice.clone())?;
        let rates = backend.statistics::<T>(&batch, 0..batch.len(), steps, above)?;
        let momenta = match spec.compile_momentum_rows(slice.clone())? {
            Some(batch) => {
                backend.statistics::<T>(&batch, 0..batch.len(), steps, above)?.into_iter().map(Some).collect()
            }
            None => vec![None; rates.len()],
        };
        for ((schedule, rate), momentum) in slice.zip(rates).zip(momenta) {
            each(Surveyed { schedule, rate, momentum })?;
        }
    }
    Ok(())
}
