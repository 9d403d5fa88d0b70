//! Which curves and features a table's pipeline needs.

use std::ops::Range;

use super::shader::OCTET;
use crate::packed::Batch;
use crate::steps::Steps;

/// The value of [`USED`](super::shader::USED) for these rows.
pub(super) fn used(batch: &Batch, rows: Range<usize>, steps: &Steps) -> u32 {
    // The shader evaluates beyond the last column, to the end of its octet.
    let padding = steps.progression().map_or(0, |(_, stride)| stride.saturating_mul(OCTET.into()));
    crate::wgsl::used(batch, rows, steps.largest().unwrap_or(0).saturating_add(padding))
}
