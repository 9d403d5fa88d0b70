//! A ring of staging buffers: while the host takes the results of one tile, the device computes the next ones.

use std::sync::mpsc::{Receiver, channel};

use super::device::{Device, PATIENCE};
use super::tile::Tile;
use crate::error::GpuError;

/// Where a tile's results lie on the device: the first bytes of a buffer.
pub(super) struct Results<'b> {
    pub buffer: &'b wgpu::Buffer,
    pub bytes: u64,
}

/// As many slots as tiles can be in flight; tiles take the slots in turn.
#[derive(Debug)]
pub(super) struct Ring<const SLOTS: usize> {
    slots: [Slot; SLOTS],
}

impl<const SLOTS: usize> Ring<SLOTS> {
    /// A ring for tiles whose results take up to this many bytes each.
    pub fn new(device: &Device, bytes: u64) -> Self {
        Self { slots: [(); SLOTS].map(|()| Slot::new(device, bytes)) }
    }

    /// Records the commands of every tile with `encode`, given its slot, and passes its results to `take`, in order.
    ///
    /// After an error, slots may still be in flight: the ring cannot be used again.
    pub fn run<'b>(
        &mut self,
        device: &Device,
        tiles: Vec<Tile>,
        mut encode: impl FnMut(usize, &Tile, &mut wgpu::CommandEncoder) -> Results<'b>,
        mut take: impl FnMut(&Tile, &[u8]),
    ) -> Result<(), GpuError> {
        let count = tiles.len();
        for (index, tile) in tiles.into_iter().enumerate() {
            let slot = &mut self.slots[index % SLOTS];
            // The other slots' tiles are computed and copied by the device while the host takes this one.
            slot.collect(device, &mut take)?;
            let mut commands = device.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
            let results = encode(index % SLOTS, &tile, &mut commands);
            slot.submit(device, commands, &results, tile);
            if let Some(fault) = device.fault() {
                return Err(fault);
            }
        }
        // The tiles still in flight, oldest first.
        for index in count..count + SLOTS {
            self.slots[index % SLOTS].collect(device, &mut take)?;
        }
        Ok(())
    }
}

/// The transfer of one tile's results.
#[derive(Debug)]
struct Slot {
    /// The buffer that the host reads.
    staging: wgpu::Buffer,
    pending: Option<Pending>,
}

#[derive(Debug)]
struct Pending {
    tile: Tile,
    bytes: u64,
    submission: wgpu::SubmissionIndex,
    mapped: Receiver<Result<(), wgpu::BufferAsyncError>>,
}

impl Slot {
    fn new(device: &Device, bytes: u64) -> Self {
        use wgpu::BufferUsages as Usage;
        Self { staging: device.buffer("lrgrid staging", bytes, Usage::MAP_READ | Usage::COPY_DST), pending: None }
    }

    /// Records the copy of a tile's results to the host, and submits.
    fn submit(&mut self, device: &Device, mut commands: wgpu::CommandEncoder, results: &Results<'_>, tile: Tile) {
        let bytes = results.bytes;
        commands.copy_buffer_to_buffer(results.buffer, 0, &self.staging, 0, bytes);
        let submission = device.queue.submit([commands.finish()]);
        let (sender, mapped) = channel();
        self.staging.map_async(wgpu::MapMode::Read, 0..bytes, move |result| {
            // The receiver is gone if the evaluation has already failed.
            let _ = sender.send(result);
        });
        self.pending = Some(Pending { tile, bytes, submission, mapped });
    }

    /// Waits for the slot's tile, if there is one, and passes its results to `take`.
    fn collect(&mut self, device: &Device, take: &mut impl FnMut(&Tile, &[u8])) -> Result<(), GpuError> {
        let Some(Pending { tile, bytes, submission, mapped }) = self.pending.take() else { return Ok(()) };
        device.wait(submission)?;
        match mapped.recv_timeout(PATIENCE) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(device.failed(error.to_string())),
            Err(error) => return Err(device.failed(format!("the result was not handed over: {error}"))),
        }
        {
            let view = self.staging.get_mapped_range(0..bytes).map_err(|error| device.failed(error.to_string()))?;
            take(&tile, &view);
        }
        self.staging.unmap();
        Ok(())
    }
}
