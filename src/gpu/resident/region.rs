//! The caller's buffers: a binding is checked before use, and its bind group is cached.

use super::super::device::Device;
use super::kernels::Kernel;
use crate::error::GpuError;

/// A range of a buffer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Region {
    pub buffer: wgpu::Buffer,
    pub offset: u64,
    pub size: u64,
}

impl Region {
    /// The first `needed` bytes of a caller's binding, checked to be bindable for storage.
    pub fn of(
        device: &Device,
        what: &'static str,
        binding: &wgpu::BufferBinding<'_>,
        needed: u64,
    ) -> Result<Self, GpuError> {
        let (buffer, offset) = (binding.buffer, binding.offset);
        let wrong = |field, found, remedy| Err(GpuError::Binding { what, field, found, remedy });
        if !buffer.usage().contains(wgpu::BufferUsages::STORAGE) {
            let found = buffer.usage().bits().into();
            return wrong("buffer usage", found, "it has to contain BufferUsages::STORAGE".to_owned());
        }
        let alignment = u64::from(device.limits.min_storage_buffer_offset_alignment).max(1);
        if offset % alignment != 0 {
            let (below, above) = (offset / alignment * alignment, offset.next_multiple_of(alignment));
            let remedy = format!("this device binds at multiples of {alignment} only: use {below} or {above}");
            return wrong("offset", offset, remedy);
        }
        let Some(left) = buffer.size().checked_sub(offset) else {
            return wrong("offset", offset, format!("the buffer has {} bytes", buffer.size()));
        };
        let size = binding.size.map_or(left, u64::from);
        if size > left {
            return wrong("size", size, format!("the buffer has {left} bytes from offset {offset} on"));
        }
        if size < needed {
            return wrong("size", size, format!("{needed} bytes are written"));
        }
        let limit = device.limits.max_storage_buffer_binding_size;
        if needed > limit {
            return wrong(
                "size",
                needed,
                format!("this device binds {limit} bytes at most: evaluate fewer steps at once"),
            );
        }
        Ok(Self { buffer: buffer.clone(), offset, size: needed })
    }

    /// The range as a binding.
    pub fn binding(&self) -> wgpu::BufferBinding<'_> {
        wgpu::BufferBinding { buffer: &self.buffer, offset: self.offset, size: wgpu::BufferSize::new(self.size) }
    }
}

/// Bind groups in the cache: at least as many as a training loop alternates between.
const KEPT: usize = 32;

/// A cache of the bind groups used last, so that a loop creates each of them once.
#[derive(Debug, Default)]
pub(super) struct BindGroups(Vec<(Kernel, Vec<Region>, wgpu::BindGroup)>);

impl BindGroups {
    /// The bind group of these regions, in the order of the kernel's bindings.
    pub fn get(
        &mut self,
        device: &Device,
        kernel: Kernel,
        layout: &wgpu::BindGroupLayout,
        regions: &[Region],
    ) -> Result<wgpu::BindGroup, GpuError> {
        if let Some(at) = self.0.iter().position(|(known, parts, _)| *known == kernel && parts == regions) {
            // Recently used bind groups move to the end.
            self.0[at..].rotate_left(1);
        } else {
            let entries: Vec<wgpu::BindGroupEntry<'_>> = kernel
                .bindings()
                .iter()
                .zip(regions)
                .map(|(&binding, region)| wgpu::BindGroupEntry {
                    binding,
                    resource: wgpu::BindingResource::Buffer(region.binding()),
                })
                .collect();
            let descriptor = wgpu::BindGroupDescriptor { label: Some(kernel.entry_point()), layout, entries: &entries };
            let made = device.guarded(|| Ok(device.device.create_bind_group(&descriptor)))?;
            if self.0.len() == KEPT {
                self.0.remove(0);
            }
            self.0.push((kernel, regions.to_vec(), made));
        }
        // The entry was just pushed or rotated to the end.
        self.0.last().map(|(_, _, group)| group.clone()).ok_or_else(|| device.failed("no bind group"))
    }

    /// Releases all of the caller's buffers.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}
