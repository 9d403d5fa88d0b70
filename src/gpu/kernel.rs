//! The compute pipelines that fill tiles, and their bindings.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ops::Range;

use super::buffers::TileBuffers;
use super::device::Device;
use super::request::Request;
use super::shader::{LIBRARY, PackedTile, TABLE, USED, Way, entry_point};
use super::tables::Tables;
use super::tile::Tile;
use super::used::used;
use crate::element::Dtype;
use crate::error::GpuError;
use crate::packed::words;
use crate::steps::Steps;

/// Pipelines and parameter tables, kept between evaluations.
#[derive(Debug, Default)]
pub(super) struct Kernels {
    shader: Option<Shader>,
    pipelines: HashMap<(Dtype, Way, u32), wgpu::ComputePipeline>,
    tables: Tables,
}

#[derive(Debug)]
struct Shader {
    module: wgpu::ShaderModule,
    layout: wgpu::BindGroupLayout,
}

/// The pipeline for the tiles of a slice of rows whose parameters are on the device.
pub(super) struct Kernel {
    pipeline: wgpu::ComputePipeline,
    layout: wgpu::BindGroupLayout,
    tables: Vec<wgpu::Buffer>,
    /// The slice's first row, counted from the first one evaluated.
    first: usize,
    listed: bool,
    way: Way,
}

impl Kernels {
    /// The kernel for these rows.
    pub fn prepare(&mut self, device: &Device, request: &Request<'_>, rows: &Range<usize>) -> Result<Kernel, GpuError> {
        self.tables.upload(device, request.batch, rows.clone());
        let shader = self.shader.get_or_insert_with(|| Shader::new(device));
        let values = rows.len() as u64 * request.steps.len() as u64;
        let special = values >= request.tuning.specialize_from;
        let used = if special { used(request.batch, rows.clone(), request.steps) } else { u32::MAX };
        let way = request.way();
        let pipeline = match self.pipelines.entry((request.dtype, way, used)) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(shader.pipeline(device, request.dtype, way, used)?),
        };
        Ok(Kernel {
            pipeline: pipeline.clone(),
            layout: shader.layout.clone(),
            tables: self.tables.buffers().cloned().collect(),
            first: rows.start - request.rows.start,
            listed: request.listed(),
            way,
        })
    }

    /// Releases the parameter tables and keeps the pipelines.
    pub fn forget_tables(&mut self) {
        self.tables = Tables::default();
    }
}

impl Kernel {
    /// Binds the parameters and a tile's buffers.
    pub fn bind(&self, device: &Device, buffers: &TileBuffers) -> wgpu::BindGroup {
        let buffers = self.tables.iter().chain([&buffers.steps, &buffers.tile, &buffers.table]);
        let entries: Vec<wgpu::BindGroupEntry<'_>> = (0..)
            .zip(buffers)
            .map(|(binding, buffer)| wgpu::BindGroupEntry { binding, resource: buffer.as_entire_binding() })
            .collect();
        device.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("lrgrid table"),
            layout: &self.layout,
            entries: &entries,
        })
    }

    /// Uploads the parameters of a tile's dispatch.
    pub fn write(&self, device: &Device, request: &Request<'_>, buffers: &TileBuffers, tile: &Tile) {
        let packed = pack(tile, request.steps, tile.rows.start - self.first);
        device.queue.write_buffer(&buffers.tile, 0, bytemuck::bytes_of(&packed));
        if self.listed {
            let list: Vec<[u32; 2]> = tile.columns.clone().map(|column| words(request.steps.at(column))).collect();
            device.queue.write_buffer(&buffers.steps, 0, bytemuck::cast_slice(&list));
        }
    }

    /// Records the dispatch of a tile.
    pub fn dispatch(&self, device: &Device, pass: &mut wgpu::ComputePass<'_>, bindings: &wgpu::BindGroup, tile: &Tile) {
        let (x, y) = tile.workgroups(self.way, device.limits.max_compute_workgroups_per_dimension);
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, bindings, &[]);
        pass.dispatch_workgroups(x, y, 1);
    }
}

/// The shader's parameters for a tile whose first row is program `row` of those uploaded.
fn pack(tile: &Tile, steps: &Steps, row: usize) -> PackedTile {
    let (start, stride) = match steps.progression() {
        Some((_, stride)) => (steps.at(tile.columns.start), stride),
        None => (0, 0),
    };
    let listed = steps.progression().is_none();
    PackedTile {
        start: words(start),
        stride: words(stride),
        program_first: row as u32,
        rows: tile.rows.len() as u32,
        columns: tile.columns.len() as u32,
        groups: tile.groups,
        listed: u32::from(listed),
        row_blocks: tile.row_blocks(),
        padding: 0,
        zero: 0,
    }
}

impl Shader {
    fn new(device: &Device) -> Self {
        let module = device.device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some("lrgrid table"),
            source: wgpu::ShaderSource::Wgsl([LIBRARY, TABLE].concat().into()),
        });
        let read = wgpu::BufferBindingType::Storage { read_only: true };
        let written = wgpu::BufferBindingType::Storage { read_only: false };
        // The batch's five tables and the steps, the tile's parameters, the values.
        let types = [read, read, read, read, read, read, wgpu::BufferBindingType::Uniform, written];
        let entries: Vec<wgpu::BindGroupLayoutEntry> = (0..)
            .zip(types)
            .map(|(binding, ty)| wgpu::BindGroupLayoutEntry {
                binding,
                visibility: wgpu::ShaderStages::COMPUTE,
                ty: wgpu::BindingType::Buffer { ty, has_dynamic_offset: false, min_binding_size: None },
                count: None,
            })
            .collect();
        let layout = device.device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: Some("lrgrid table"),
            entries: &entries,
        });
        Self { module, layout }
    }

    fn pipeline(&self, device: &Device, dtype: Dtype, way: Way, used: u32) -> Result<wgpu::ComputePipeline, GpuError> {
        let Some(entry_point) = entry_point(dtype, way) else {
            return Err(device.failed(format!("no shader writes {}", dtype.name())));
        };
        let layout = device.device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some("lrgrid table"),
            bind_group_layouts: &[Some(&self.layout)],
            immediate_size: 0,
        });
        Ok(device.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(entry_point),
            layout: Some(&layout),
            module: &self.module,
            entry_point: Some(entry_point),
            compilation_options: wgpu::PipelineCompilationOptions {
                constants: &[(USED, f64::from(used))],
                // A single thread would store thousands of zeros, and the shader reads only what it has written.
                zero_initialize_workgroup_memory: false,
            },
            cache: None,
        }))
    }
}
