//! A ring of two slots: while the host copies one tile out, the device fills the next.

use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use super::device::Device;
use super::shader::{PackedTile, THREAD_BYTES};
use super::tile::Tile;
use crate::error::GpuError;

/// Longest wait for one tile; a driver that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(120);

/// Buffers for one tile under way.
#[derive(Debug)]
pub(super) struct Slot {
    /// What the shader writes.
    pub table: wgpu::Buffer,
    /// The dispatch's [`PackedTile`].
    pub tile: wgpu::Buffer,
    /// The tile's steps, where they are listed.
    pub steps: wgpu::Buffer,
    /// What the host reads.
    staging: wgpu::Buffer,
    pending: Option<Pending>,
}

#[derive(Debug)]
struct Pending {
    tile: Tile,
    submission: wgpu::SubmissionIndex,
    mapped: Receiver<Result<(), wgpu::BufferAsyncError>>,
}

impl Slot {
    /// Buffers for tiles of up to these sizes in bytes.
    pub fn new(device: &Device, table_bytes: u64, steps_bytes: u64) -> Self {
        let buffer = |label, size, usage| {
            device.device.create_buffer(&wgpu::BufferDescriptor {
                label: Some(label),
                size,
                usage,
                mapped_at_creation: false,
            })
        };
        use wgpu::BufferUsages as Usage;
        Self {
            table: buffer("lrgrid table", table_bytes, Usage::STORAGE | Usage::COPY_SRC),
            tile: buffer("lrgrid tile", size_of::<PackedTile>() as u64, Usage::UNIFORM | Usage::COPY_DST),
            steps: buffer("lrgrid steps", steps_bytes, Usage::STORAGE | Usage::COPY_DST),
            staging: buffer("lrgrid staging", table_bytes, Usage::MAP_READ | Usage::COPY_DST),
            pending: None,
        }
    }

    /// Queues the copy of a dispatched tile to the host, and submits.
    pub fn submit(&mut self, device: &Device, mut commands: wgpu::CommandEncoder, tile: Tile) {
        let bytes = tile.bytes();
        commands.copy_buffer_to_buffer(&self.table, 0, &self.staging, 0, bytes);
        let submission = device.queue.submit([commands.finish()]);
        let (sender, mapped) = channel();
        self.staging.map_async(wgpu::MapMode::Read, 0..bytes, move |result| {
            // Nobody listens any more where the evaluation has already failed.
            let _ = sender.send(result);
        });
        self.pending = Some(Pending { tile, submission, mapped });
    }

    /// Waits for the tile under way, if there is one, and copies its rows into `out`, a table of `columns` columns.
    pub fn collect(&mut self, device: &Device, columns: usize, size: usize, out: &mut [u8]) -> Result<(), GpuError> {
        let Some(Pending { tile, submission, mapped }) = self.pending.take() else { return Ok(()) };
        let wait = wgpu::PollType::Wait { submission_index: Some(submission), timeout: Some(PATIENCE) };
        device.device.poll(wait).map_err(|error| device.failed(error.to_string()))?;
        match mapped.recv_timeout(PATIENCE) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(device.failed(error.to_string())),
            Err(error) => return Err(device.failed(format!("the result was not handed over: {error}"))),
        }
        {
            let view =
                self.staging.get_mapped_range(0..tile.bytes()).map_err(|error| device.failed(error.to_string()))?;
            copy_rows(&view, &tile, columns, size, out);
        }
        self.staging.unmap();
        Ok(())
    }
}

/// Copies a tile's rows, without their padding, to their place in a table of `columns` columns.
fn copy_rows(from: &[u8], tile: &Tile, columns: usize, size: usize, out: &mut [u8]) {
    let pitch = tile.groups as usize * THREAD_BYTES;
    let width = tile.columns.len() * size;
    let start = (tile.rows.start * columns + tile.columns.start) * size;
    if pitch == width && tile.columns.len() == columns {
        let whole = pitch * tile.rows.len();
        out[start..start + whole].copy_from_slice(&from[..whole]);
        return;
    }
    for (row, source) in from.chunks_exact(pitch).enumerate().take(tile.rows.len()) {
        let at = start + row * columns * size;
        out[at..at + width].copy_from_slice(&source[..width]);
    }
}
