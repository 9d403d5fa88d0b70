//! Reads a table back to the host: while the host copies one tile out, the device fills the next ones.

use rayon::prelude::*;

use super::buffers::{Sizes, TileBuffers};
use super::device::Device;
use super::ring::{Results, Ring};
use super::shader::THREAD_BYTES;
use super::tile::Tile;
use crate::error::GpuError;

/// Tiles in flight: one is copied out, one is transferred to the host, one is computed.
const SLOTS: usize = 3;

/// Bytes that one thread copies at a time.
const COPY_BYTES: usize = 1 << 20;

/// A ring of tiles with the buffers of each, and the size of the buffers.
#[derive(Debug)]
pub(super) struct Readback {
    buffers: [TileBuffers; SLOTS],
    ring: Ring<SLOTS>,
    sizes: Sizes,
}

impl Readback {
    /// The buffers of the last evaluation if they are large enough, otherwise new ones.
    pub fn with_room<'r>(kept: &'r mut Option<Self>, device: &Device, sizes: Sizes) -> &'r mut Self {
        if kept.as_ref().is_some_and(|kept| kept.sizes.table < sizes.table || kept.sizes.steps < sizes.steps) {
            *kept = None;
        }
        kept.get_or_insert_with(|| Self {
            buffers: [(); SLOTS].map(|()| TileBuffers::new(device, sizes)),
            ring: Ring::new(device, sizes.table),
            sizes,
        })
    }

    /// The buffers of each slot.
    pub fn buffers(&self) -> &[TileBuffers; SLOTS] {
        &self.buffers
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
        let encode = |slot: usize, tile: &Tile, commands: &mut wgpu::CommandEncoder| {
            encode(slot, &self.buffers[slot], tile, commands);
            Results { buffer: &self.buffers[slot].table, bytes: tile.bytes() }
        };
        self.ring.run(device, tiles, encode, |tile, bytes| copy_rows(bytes, tile, columns, size, out))
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
