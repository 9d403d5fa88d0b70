//! The buffers of a dispatch.

use super::device::Device;
use super::shader::PackedTile;

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
