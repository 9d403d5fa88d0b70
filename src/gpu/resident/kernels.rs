//! The pipelines of the commands that are recorded into callers' encoders.

use super::super::device::Device;
use super::super::shader::{PROGRESSION, RESIDENT};
use crate::error::GpuError;

/// The kernel of a dispatch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kernel {
    /// Fills a table with the steps of a progression.
    Evaluate,
    /// Fills a ring with the values of the next steps.
    LookAhead,
    /// Writes the values at the counters' steps.
    Advance,
    /// As `Advance`, and writes Adam's factors.
    AdvanceAdam,
    /// Increments a counter.
    Increment,
}

impl Kernel {
    const ALL: [Self; 5] = [Self::Evaluate, Self::LookAhead, Self::Advance, Self::AdvanceAdam, Self::Increment];

    pub const fn entry_point(self) -> &'static str {
        match self {
            Self::Evaluate => "lrgrid_evaluate",
            Self::LookAhead => "lrgrid_look_ahead",
            Self::Advance => "lrgrid_advance",
            Self::AdvanceAdam => "lrgrid_advance_adam",
            Self::Increment => "lrgrid_increment",
        }
    }

    /// Bindings of group 1, in the order of their regions.
    pub const fn bindings(self) -> &'static [u32] {
        match self {
            Self::Evaluate => &[0, 1],
            Self::LookAhead | Self::Advance => &[2, 1],
            Self::AdvanceAdam => &[2, 1, ADAM, 4],
            Self::Increment => &[2],
        }
    }
}

/// The only read-only binding of group 1.
const ADAM: u32 = 3;

/// Bytes in the number that [`Progression`](super::progression::Progression) records: 2^53 − 1 takes seven.
pub(super) const BYTES: usize = 7;

/// A pipeline and the layout of its own bind group.
#[derive(Debug)]
pub(super) struct Pipeline {
    pub pipeline: wgpu::ComputePipeline,
    pub layout: wgpu::BindGroupLayout,
}

/// Every pipeline, and a table of all byte values.
#[derive(Debug)]
pub(in super::super) struct ResidentKernels {
    /// Group 0 of all kernels: the packed block.
    pub(super) block: wgpu::BindGroupLayout,
    pipelines: [Pipeline; Kernel::ALL.len()],
    /// The pipeline that receives a number from recorded commands.
    pub(super) record: Pipeline,
    /// The numbers 0 to 255, each at a valid dynamic offset.
    pub(super) all_bytes: wgpu::Buffer,
    /// Distance between two of them in bytes.
    pub(super) pitch: u32,
}

impl ResidentKernels {
    pub fn new(device: &Device) -> Result<Self, GpuError> {
        device.guarded(|| {
            let block = layout(device, [storage(0, Access::Read)]);
            let module = module(device, RESIDENT);
            let pipelines = Kernel::ALL.map(|kernel| {
                let bindings = kernel.bindings().iter();
                let access = |binding| if binding == ADAM { Access::Read } else { Access::ReadWrite };
                let own = layout(device, bindings.map(|&binding| storage(binding, access(binding))));
                pipeline(device, &module, kernel.entry_point(), &[Some(&block), Some(&own)], &own)
            });
            let numbers = (1..).take(BYTES + 1).map(|binding| wgpu::BindGroupLayoutEntry {
                ty: wgpu::BindingType::Buffer {
                    ty: wgpu::BufferBindingType::Uniform,
                    has_dynamic_offset: true,
                    min_binding_size: wgpu::BufferSize::new(4),
                },
                ..storage(binding, Access::ReadWrite)
            });
            let own = layout(device, [storage(0, Access::ReadWrite)].into_iter().chain(numbers));
            let progression = self::module(device, PROGRESSION);
            let record = pipeline(device, &progression, "lrgrid_record", &[Some(&own)], &own);
            let pitch = device.limits.min_uniform_buffer_offset_alignment.max(16);
            let usage = wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST;
            let all_bytes = device.buffer("lrgrid bytes", 256 * u64::from(pitch), usage);
            let words = pitch as usize / size_of::<u32>();
            let numbers: Vec<u32> =
                (0..256).flat_map(|byte| (0..words).map(move |i| if i == 0 { byte } else { 0 })).collect();
            device.queue.write_buffer(&all_bytes, 0, bytemuck::cast_slice(&numbers));
            Ok(Self { block, pipelines, record, all_bytes, pitch })
        })
    }

    pub(super) fn of(&self, kernel: Kernel) -> &Pipeline {
        // `pipelines` is in the order of `ALL`, which is that of the discriminants.
        &self.pipelines[kernel as usize]
    }
}

fn module(device: &Device, source: &'static str) -> wgpu::ShaderModule {
    device.device.create_shader_module(wgpu::ShaderModuleDescriptor {
        label: Some("lrgrid resident"),
        source: wgpu::ShaderSource::Wgsl(source.into()),
    })
}

/// What a shader does with a buffer.
#[derive(Clone, Copy)]
enum Access {
    Read,
    ReadWrite,
}

const fn storage(binding: u32, access: Access) -> wgpu::BindGroupLayoutEntry {
    wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: wgpu::BindingType::Buffer {
            ty: wgpu::BufferBindingType::Storage { read_only: matches!(access, Access::Read) },
            has_dynamic_offset: false,
            min_binding_size: None,
        },
        count: None,
    }
}

fn layout(device: &Device, entries: impl IntoIterator<Item = wgpu::BindGroupLayoutEntry>) -> wgpu::BindGroupLayout {
    let entries: Vec<_> = entries.into_iter().collect();
    let descriptor = wgpu::BindGroupLayoutDescriptor { label: Some("lrgrid resident"), entries: &entries };
    device.device.create_bind_group_layout(&descriptor)
}

fn pipeline(
    device: &Device,
    module: &wgpu::ShaderModule,
    entry_point: &'static str,
    groups: &[Option<&wgpu::BindGroupLayout>],
    own: &wgpu::BindGroupLayout,
) -> Pipeline {
    let layout = device.device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label: Some("lrgrid resident"),
        bind_group_layouts: groups,
        immediate_size: 0,
    });
    let pipeline = device.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: Some(entry_point),
        layout: Some(&layout),
        module,
        entry_point: Some(entry_point),
        compilation_options: wgpu::PipelineCompilationOptions::default(),
        cache: None,
    });
    Pipeline { pipeline, layout: own.clone() }
}
