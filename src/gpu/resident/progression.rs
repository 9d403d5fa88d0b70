//! Start and stride of recorded steps, encoded in the commands themselves.

use super::super::device::Device;
use super::kernels::{BYTES, ResidentKernels};
use super::region::Region;

/// Two numbers in device memory, set by recorded commands.
#[derive(Debug)]
pub(super) struct Progression {
    buffer: wgpu::Buffer,
    group: wgpu::BindGroup,
}

impl Progression {
    pub fn new(device: &Device, kernels: &ResidentKernels) -> Self {
        let buffer = device.buffer("lrgrid progression", 16, wgpu::BufferUsages::STORAGE);
        let byte = wgpu::BufferBinding { buffer: &kernels.all_bytes, offset: 0, size: wgpu::BufferSize::new(16) };
        let first = wgpu::BindGroupEntry { binding: 0, resource: buffer.as_entire_binding() };
        let bytes = (1..)
            .take(BYTES + 1)
            .map(|binding| wgpu::BindGroupEntry { binding, resource: wgpu::BindingResource::Buffer(byte.clone()) });
        let entries: Vec<_> = [first].into_iter().chain(bytes).collect();
        let group = device.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("lrgrid progression"),
            layout: &kernels.record.layout,
            entries: &entries,
        });
        Self { buffer, group }
    }

    /// Records commands that set these numbers, each below 2^56, for the commands after them.
    pub fn record(&self, kernels: &ResidentKernels, pass: &mut wgpu::ComputePass<'_>, start: u64, stride: u64) {
        pass.set_pipeline(&kernels.record.pipeline);
        for (place, number) in [(0, start), (1, stride)] {
            let mut offsets = [place * kernels.pitch; BYTES + 1];
            for (offset, byte) in offsets[1..].iter_mut().zip(number.to_le_bytes()) {
                *offset = u32::from(byte) * kernels.pitch;
            }
            pass.set_bind_group(0, &self.group, &offsets);
            pass.dispatch_workgroups(1, 1, 1);
        }
    }

    pub fn region(&self) -> Region {
        Region { buffer: self.buffer.clone(), offset: 0, size: 16 }
    }
}
