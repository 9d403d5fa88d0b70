//! Fills a table: dispatches each tile of each slice of rows and reads it back.

use std::ops::Range;

use super::device::Device;
use super::readback::Readback;
use super::request::Request;
use super::resources::Resources;
use crate::error::GpuError;

/// Fills `out`, the bytes of the requested table; if memory runs out, tries once more with smaller tiles.
pub(super) fn fill(
    device: &Device,
    resources: &mut Resources,
    request: Request<'_>,
    out: &mut [u8],
) -> Result<(), GpuError> {
    request.attempt(|request| run(device, resources, request, out))
}

fn run(device: &Device, resources: &mut Resources, request: &Request<'_>, out: &mut [u8]) -> Result<(), GpuError> {
    let slices = request.slices(device)?;
    let result = device.guarded(|| {
        for rows in slices {
            run_slice(device, resources, request, &rows, out)?;
        }
        Ok(())
    });
    if result.is_err() {
        // A failure may have left a staging buffer mapped or a buffer without memory.
        resources.readback = None;
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
    let readback = Readback::with_room(&mut resources.readback, device, request.sizes(&tiles));
    let bindings = readback.buffers().each_ref().map(|buffers| kernel.bind(device, buffers));
    let (size, columns) = (request.dtype.size(), request.steps.len());
    readback.run(device, tiles, columns, size, out, |slot, buffers, tile, commands| {
        kernel.write(device, request, buffers, tile);
        let mut pass = commands.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        kernel.dispatch(device, &mut pass, &bindings[slot], tile);
    })
}
