//! Fills a table: divides it into slices of rows and tiles, dispatches each tile and reads it back.

use std::ops::Range;

use super::device::Device;
use super::kernel::Kernels;
use super::readback::{Ring, Sizes};
use super::shader::{THREAD_BYTES, Way};
use super::statistics::Reducer;
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

/// Resources kept on the device between evaluations.
#[derive(Debug, Default)]
pub(super) struct Resources {
    pub kernels: Kernels,
    pub ring: Option<Ring>,
    pub reducer: Option<Reducer>,
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

/// Fills `out`, the bytes of the requested table.
pub(super) fn run(
    device: &Device,
    resources: &mut Resources,
    request: &Request<'_>,
    out: &mut [u8],
) -> Result<(), GpuError> {
    let slices = request.slices(device)?;
    let result = device.guarded(|| {
        for rows in slices {
            run_slice(device, resources, request, &rows, out)?;
        }
        Ok(())
    });
    if result.is_err() {
        // A failure may have left a staging buffer mapped or a buffer without memory.
        resources.ring = None;
        resources.kernels.forget_tables();
    }
    result
}

/// Fills the rows of a batch whose tables can be bound at once.
fn run_slice(
    device: &Device,
    resources: &mut Resources,
    request: &Request<'_>,
    rows: &Range<usize>,
    out: &mut [u8],
) -> Result<(), GpuError> {
    let tiles = request.tiles(device, rows);
    let kernel = resources.kernels.prepare(device, request, rows)?;
    let ring = Ring::with_room(&mut resources.ring, device, request.sizes(&tiles));
    let bindings = ring.buffers().map(|buffers| kernel.bind(device, buffers));
    let (size, columns) = (request.dtype.size(), request.steps.len());
    ring.run(device, tiles, columns, size, out, |slot, buffers, tile, commands| {
        kernel.write(device, request, buffers, tile);
        let mut pass = commands.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        kernel.dispatch(device, &mut pass, &bindings[slot], tile);
    })
}
