//! Steps that are counted on the device.

use std::sync::Arc;

use super::super::device::Device;
use super::region::Region;
use crate::error::{Error, GpuError};
use crate::packed::{Steps, integer, words};

/// The step of a training run, in device memory: one for all programs, or one for each.
///
/// Two `u32` per step, low word first, so that a shader reads it as `vec2<u32>` and hands it to `lr_at`.
#[derive(Debug)]
pub struct Counter {
    device: Arc<Device>,
    pub(super) region: Region,
    count: usize,
}

impl Counter {
    /// A counter in memory of its own.
    pub(super) fn new(device: &Arc<Device>, steps: &[u64]) -> Result<Self, Error> {
        use wgpu::BufferUsages as Usage;
        let size = size_of_val(steps) as u64;
        let usage = Usage::STORAGE | Usage::COPY_DST | Usage::COPY_SRC;
        let made = device.guarded(|| {
            Ok(device.device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("lrgrid counter"),
                size,
                usage,
                mapped_at_creation: false,
            }))
        });
        let counter = Self::within(device, &made?.as_entire_buffer_binding(), steps.len())?;
        counter.set_all(steps)?;
        Ok(counter)
    }

    /// A counter in the caller's memory, whose steps stay what they are.
    pub(super) fn within(
        device: &Arc<Device>,
        binding: &wgpu::BufferBinding<'_>,
        count: usize,
    ) -> Result<Self, GpuError> {
        let region = Region::of(device, "the counter", binding, count as u64 * 8)?;
        Ok(Self { device: Arc::clone(device), region, count })
    }

    /// How many steps it has: 1, or one per program.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.count
    }

    /// Where it lies, for shaders of your own: `array<vec2<u32>>`.
    #[must_use]
    pub fn binding(&self) -> wgpu::BufferBinding<'_> {
        self.region.binding()
    }

    /// Sets every step, ahead of what is submitted from now on.
    ///
    /// # Errors
    /// When the step is beyond 2^53 − 1, or the memory is the caller's and cannot be copied to.
    pub fn set(&self, step: u64) -> Result<(), Error> {
        self.set_all(&vec![step; self.count])
    }

    /// Sets the step of each program.
    ///
    /// # Errors
    /// As [`Counter::set`], and when there are not as many steps as the counter has.
    pub fn set_all(&self, steps: &[u64]) -> Result<(), Error> {
        Steps::list(steps).check()?;
        if steps.len() != self.count {
            let remedy = format!("the counter has {}", self.count);
            return Err(
                GpuError::Parameter { field: "the number of steps", found: steps.len().to_string(), remedy }.into()
            );
        }
        self.copied(wgpu::BufferUsages::COPY_DST, "COPY_DST")?;
        let steps: Vec<[u32; 2]> = steps.iter().map(|&step| words(step)).collect();
        let write = || {
            self.device.queue.write_buffer(&self.region.buffer, self.region.offset, bytemuck::cast_slice(&steps));
            Ok(())
        };
        Ok(self.device.guarded(write)?)
    }

    /// The steps as they are once everything submitted so far is done: waits for it.
    ///
    /// # Errors
    /// When the device fails, or the memory is the caller's and cannot be copied from.
    pub fn read(&self) -> Result<Vec<u64>, GpuError> {
        self.copied(wgpu::BufferUsages::COPY_SRC, "COPY_SRC")?;
        let Region { buffer, offset, size } = &self.region;
        let bytes = self.device.guarded(|| self.device.read(buffer, *offset, *size))?;
        let word = |bytes: &[u8]| bytes.iter().rev().fold(0, |word, &byte| word << 8 | u32::from(byte));
        Ok(bytes.chunks_exact(8).map(|step| integer([word(&step[..4]), word(&step[4..])])).collect())
    }

    /// Refuses what the caller's buffer was not made for.
    fn copied(&self, usage: wgpu::BufferUsages, name: &str) -> Result<(), GpuError> {
        let has = self.region.buffer.usage();
        if has.contains(usage) {
            return Ok(());
        }
        let remedy = format!("it has to contain BufferUsages::{name}");
        Err(GpuError::Binding { what: "the counter", field: "buffer usage", found: has.bits().into(), remedy })
    }
}
