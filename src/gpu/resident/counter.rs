//! Step counters in device memory.

use std::sync::Arc;

use super::super::device::Device;
use super::region::Region;
use crate::error::{Error, GpuError};
use crate::packed::{integer, words};
use crate::steps::Steps;

/// Whether programs have one step in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CounterKind {
    /// One step for all programs.
    Shared,
    /// One step per program, for runs that start at different times.
    PerProgram,
}

/// The step of a training run in device memory: one for all programs, or one per program.
///
/// A step is two `u32`, low word first, so that a shader can read it as `vec2<u32>` and pass it to `lr_at`.
#[derive(Debug)]
pub struct Counter {
    device: Arc<Device>,
    pub(super) region: Region,
    count: usize,
}

impl Counter {
    /// A counter in newly allocated memory.
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

    /// A counter in the caller's memory; its steps are not changed.
    pub(super) fn within(
        device: &Arc<Device>,
        binding: &wgpu::BufferBinding<'_>,
        count: usize,
    ) -> Result<Self, GpuError> {
        let region = Region::of(device, "the counter", binding, count as u64 * 8)?;
        Ok(Self { device: Arc::clone(device), region, count })
    }

    /// The number of steps: 1, or one per program.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.count
    }

    /// The counter's memory, for the caller's shaders: `array<vec2<u32>>`.
    #[must_use]
    pub fn binding(&self) -> wgpu::BufferBinding<'_> {
        self.region.binding()
    }

    /// Sets every step to one value, before all work that is submitted from now on.
    ///
    /// # Errors
    /// When the step is beyond 2^53 − 1, or the caller's buffer cannot be copied to.
    pub fn set(&self, step: u64) -> Result<(), Error> {
        self.set_all(&vec![step; self.count])
    }

    /// Sets the step of each program.
    ///
    /// # Errors
    /// As [`Counter::set`], and when the number of steps is not the counter's.
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

    /// Waits until all submitted work is complete, and returns the steps.
    ///
    /// # Errors
    /// When the device fails, or the caller's buffer cannot be copied from.
    pub fn read(&self) -> Result<Vec<u64>, GpuError> {
        self.copied(wgpu::BufferUsages::COPY_SRC, "COPY_SRC")?;
        let Region { buffer, offset, size } = &self.region;
        let bytes = self.device.guarded(|| self.device.read(buffer, *offset, *size))?;
        let word = |bytes: &[u8]| bytes.iter().rev().fold(0, |word, &byte| word << 8 | u32::from(byte));
        Ok(bytes.chunks_exact(8).map(|step| integer([word(&step[..4]), word(&step[4..])])).collect())
    }

    /// Checks that the caller's buffer has a usage.
    fn copied(&self, usage: wgpu::BufferUsages, name: &str) -> Result<(), GpuError> {
        let has = self.region.buffer.usage();
        if has.contains(usage) {
            return Ok(());
        }
        let remedy = format!("it has to contain BufferUsages::{name}");
        Err(GpuError::Binding { what: "the counter", field: "buffer usage", found: has.bits().into(), remedy })
    }
}
