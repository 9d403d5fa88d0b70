//! A ring of slots: while the host copies one tile out, the device fills the next ones.

use std::sync::mpsc::{Receiver, channel};

use rayon::prelude::*;

use super::device::{Device, PATIENCE};
use super::shader::{PackedTile, THREAD_BYTES};
use super::tile::Tile;
use crate::error::GpuError;

/// Tiles in flight: one is copied out, one is transferred to the host, one is computed.
pub(super) const SLOTS: usize = 3;

/// Bytes that one thread copies at a time.
const COPY_BYTES: usize = 1 << 20;

/// Sizes in bytes of the largest tile and of its listed steps.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    pub table: u64,
    pub steps: u64,
}

/// The buffers of a dispatch.
#[derive(Debug)]
pub(super) struct TileBuffers {
    /// The values that the shader writes.
    pub table: wgpu::Buffer,
    /// The dispatch's [`PackedTile`].
    pub tile: wgpu::Buffer,
    /// The tile's steps, if they are a list.
    pub steps: wgpu::Buffer,
}

impl TileBuffers {
    /// Buffers for tiles of up to these sizes.
    pub fn new(device: &Device, sizes: Sizes) -> Self {
        use wgpu::BufferUsages as Usage;
        Self {
            table: device.buffer("lrgrid table", sizes.table, Usage::STORAGE | Usage::COPY_SRC),
            tile: device.buffer("lrgrid tile", size_of::<PackedTile>() as u64, Usage::UNIFORM | Usage::COPY_DST),
            steps: device.buffer("lrgrid steps", sizes.steps, Usage::STORAGE | Usage::COPY_DST),
        }
    }
}

/// The slots, and the size of their buffers.
#[derive(Debug)]
pub(super) struct Ring {
    slots: [Slot; SLOTS],
    sizes: Sizes,
}

impl Ring {
    /// The ring of the last evaluation if it is large enough, otherwise a new one.
    pub fn with_room<'r>(kept: &'r mut Option<Self>, device: &Device, sizes: Sizes) -> &'r mut Self {
        if kept.as_ref().is_some_and(|ring| ring.sizes.table < sizes.table || ring.sizes.steps < sizes.steps) {
            *kept = None;
        }
        kept.get_or_insert_with(|| Self { slots: [(); SLOTS].map(|()| Slot::new(device, sizes)), sizes })
    }

    /// The slots' buffers.
    pub fn buffers(&self) -> [&TileBuffers; SLOTS] {
        self.slots.each_ref().map(|slot| &slot.buffers)
    }

    /// Encodes every tile with `encode` and copies its values into a table of `columns` columns, `size` bytes each.
    pub fn run(
        &mut self,
        device: &Device,
        tiles: Vec<Tile>,
        columns: usize,
        size: usize,
        out: &mut [u8],
        mut encode: impl FnMut(usize, &TileBuffers, &Tile, &mut wgpu::CommandEncoder),
    ) -> Result<(), GpuError> {
        let count = tiles.len();
        for (index, tile) in tiles.into_iter().enumerate() {
            let slot = &mut self.slots[index % SLOTS];
            // The other slots' tiles are computed and copied by the device while this one is copied out.
            slot.collect(device, columns, size, out)?;
            let mut commands = device.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
            encode(index % SLOTS, &slot.buffers, &tile, &mut commands);
            slot.submit(device, commands, tile);
            if let Some(fault) = device.fault() {
                return Err(fault);
            }
        }
        // The tiles still in flight, oldest first.
        for index in count..count + SLOTS {
            self.slots[index % SLOTS].collect(device, columns, size, out)?;
        }
        Ok(())
    }
}

/// The buffers of one tile in flight.
#[derive(Debug)]
struct Slot {
    buffers: TileBuffers,
    /// The buffer that the host reads.
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
    fn new(device: &Device, sizes: Sizes) -> Self {
        use wgpu::BufferUsages as Usage;
        Self {
            buffers: TileBuffers::new(device, sizes),
            staging: device.buffer("lrgrid staging", sizes.table, Usage::MAP_READ | Usage::COPY_DST),
            pending: None,
        }
    }

    /// Records the copy of a dispatched tile to the host, and submits.
    fn submit(&mut self, device: &Device, mut commands: wgpu::CommandEncoder, tile: Tile) {
        let bytes = tile.bytes();
        commands.copy_buffer_to_buffer(&self.buffers.table, 0, &self.staging, 0, bytes);
        let submission = device.queue.submit([commands.finish()]);
        let (sender, mapped) = channel();
        self.staging.map_async(wgpu::MapMode::Read, 0..bytes, move |result| {
            // The receiver is gone if the evaluation has already failed.
            let _ = sender.send(result);
        });
        self.pending = Some(Pending { tile, submission, mapped });
    }

    /// Waits for the slot's tile, if there is one, and copies its rows into `out`, a table of `columns` columns.
    fn collect(&mut self, device: &Device, columns: usize, size: usize, out: &mut [u8]) -> Result<(), GpuError> {
        let Some(Pending { tile, submission, mapped }) = self.pending.take() else { return Ok(()) };
        device.wait(submission)?;
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

/// Copies a tile's rows, without padding, to their place in a table of `columns` columns.
fn copy_rows(from: &[u8], tile: &Tile, columns: usize, size: usize, out: &mut [u8]) {
    let pitch = tile.groups as usize * THREAD_BYTES;
    let width = tile.columns.len() * size;
    let start = (tile.rows.start * columns + tile.columns.start) * size;
    if tile.rows.len() == 1 || (pitch == width && tile.columns.len() == columns) {
        let whole = start..start + width * tile.rows.len();
        let parts = out[whole].par_chunks_mut(COPY_BYTES).zip(from.par_chunks(COPY_BYTES));
        parts.for_each(|(to, from)| to.copy_from_slice(&from[..to.len()]));
        return;
    }
    let whole = start..start + (tile.rows.len() - 1) * columns * size + width;
    let rows = out[whole].par_chunks_mut(columns * size).zip(from.par_chunks(pitch));
    rows.with_min_len(COPY_BYTES / width.max(1)).for_each(|(to, from)| to[..width].copy_from_slice(&from[..width]));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_come_to_their_place() {
        let columns = 700_001;
        for (rows, part) in [(1..3, 0..columns), (2..3, 8..columns), (1..4, 16..24), (3..4, 0..9)] {
            let groups = part.len().div_ceil(4) as u32;
            let tile = Tile { rows: rows.clone(), columns: part.clone(), groups };
            let from: Vec<u32> = (0..tile.bytes() as u32 / 4).collect();
            let mut out = vec![u32::MAX; 4 * columns];
            copy_rows(bytemuck::cast_slice(&from), &tile, columns, 4, bytemuck::cast_slice_mut(&mut out));
            for (index, &got) in out.iter().enumerate() {
                let (row, column) = (index / columns, index % columns);
                let inside = rows.contains(&row) && part.contains(&column);
                let want = (row.saturating_sub(rows.start) as u32 * groups * 4)
                    .wrapping_add(column.wrapping_sub(part.start) as u32);
                assert_eq!(got, if inside { want } else { u32::MAX }, "row {row}, column {column} of {tile:?}");
            }
        }
    }
}
