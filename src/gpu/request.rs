//! A table to be filled, and how it is divided into slices of rows and tiles.

use std::ops::Range;

use super::buffers::Sizes;
use super::device::Device;
use super::shader::{THREAD_BYTES, Way};
use super::tables::slices;
use super::tile::{Tile, tiles};
use crate::element::Dtype;
use crate::error::GpuError;
use crate::packed::Batch;
use crate::steps::Steps;

/// Sizes that decide how the work is divided; no result depends on them.
#[derive(Clone, Copy, Debug)]
pub struct Tuning {
    /// Bytes per dispatch: enough to hide a submission, few enough to overlap, far below a driver's watchdog limit.
    pub tile_bytes: u64,
    /// The most bytes per table of parameters that are bound at once, even if the device allows more.
    pub table_bytes: u64,
    /// Number of values from which compiling a specialised pipeline pays.
    pub specialize_from: u64,
    /// Number of columns from which blocks pay.
    pub blocks_from: usize,
}

impl Default for Tuning {
    fn default() -> Self {
        Self { tile_bytes: 32 << 20, table_bytes: u64::MAX, specialize_from: 1 << 21, blocks_from: 256 }
    }
}

/// A table to be filled.
pub(super) struct Request<'a> {
    pub batch: &'a Batch,
    pub rows: Range<usize>,
    pub steps: &'a Steps,
    pub dtype: Dtype,
    pub tuning: Tuning,
}

impl Request<'_> {
    /// Does the work of the request; if memory runs out, once more with smaller tiles.
    pub fn attempt<R>(mut self, mut work: impl FnMut(&Self) -> Result<R, GpuError>) -> Result<R, GpuError> {
        match work(&self) {
            Err(GpuError::OutOfMemory { .. }) => {
                self.tuning.tile_bytes /= 2;
                work(&self)
            }
            result => result,
        }
    }

    /// The rows in slices whose parameters can be bound at once.
    pub fn slices(&self, device: &Device) -> Result<Vec<Range<usize>>, GpuError> {
        let limit = device.binding_limit().min(self.tuning.table_bytes);
        slices(limit, &device.info.name, self.batch, self.rows.clone())
    }

    /// Whether the steps are a list, which has to be uploaded.
    pub fn listed(&self) -> bool {
        self.steps.progression().is_none()
    }

    /// How the kernel evaluates a row: a block's eight evaluations must pay.
    pub fn way(&self) -> Way {
        if self.listed() || self.steps.len() < self.tuning.blocks_from { Way::Values } else { Way::Blocks }
    }

    /// The dispatches that fill these rows.
    pub fn tiles(&self, device: &Device, rows: &Range<usize>) -> Vec<Tile> {
        let tile_bytes = self.tuning.tile_bytes.min(device.binding_limit()).max(THREAD_BYTES as u64);
        // A listed step takes 8 bytes.
        let tile_columns =
            if self.listed() { usize::try_from(tile_bytes / 8).unwrap_or(usize::MAX) } else { usize::MAX };
        let first = self.rows.start;
        let width = THREAD_BYTES / self.dtype.size();
        tiles(rows.start - first..rows.end - first, self.steps.len(), width, tile_bytes, tile_columns).collect()
    }

    /// Bytes of the largest of these tiles, and of its steps.
    pub fn sizes(&self, tiles: &[Tile]) -> Sizes {
        let longest = tiles.iter().map(|tile| tile.columns.len()).max().unwrap_or(0);
        Sizes {
            table: tiles.iter().map(Tile::bytes).max().unwrap_or(0),
            steps: if self.listed() { longest as u64 * 8 } else { 8 },
        }
    }
}
