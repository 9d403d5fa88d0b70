//! Runs a table's tiles through the shader: pipelines, bindings, submissions.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ops::Range;

use super::device::Device;
use super::readback::Slot;
use super::shader::{LIBRARY, PackedTile, TABLE, THREAD_BYTES, USED, entry_point};
use super::tables::{Tables, slices};
use super::tile::{Tile, tiles};
use super::used::used;
use crate::element::Dtype;
use crate::error::GpuError;
use crate::packed::{Batch, Steps, words};

/// Sizes that decide how the work is cut, never what comes out.
#[derive(Clone, Copy, Debug)]
pub struct Tuning {
    /// Bytes per dispatch: long enough to hide a submission, short enough to overlap, far below a
    /// driver's watchdog.
    pub tile_bytes: u64,
    /// Bytes per table of parameters that are bound at once, where the device allows more.
    pub table_bytes: u64,
    /// Values from which a pipeline of its own pays for compiling it.
    pub specialize_from: u64,
}

impl Default for Tuning {
    fn default() -> Self {
        Self { tile_bytes: 32 << 20, table_bytes: u64::MAX, specialize_from: 1 << 21 }
    }
}

/// What is kept on the device from one evaluation to the next.
#[derive(Debug, Default)]
pub(super) struct Resources {
    shader: Option<Shader>,
    pipelines: HashMap<(Dtype, u32), wgpu::ComputePipeline>,
    tables: Tables,
    ring: Option<Ring>,
}

#[derive(Debug)]
struct Shader {
    module: wgpu::ShaderModule,
    layout: wgpu::BindGroupLayout,
}

/// Two slots and the size of their buffers.
#[derive(Debug)]
struct Ring {
    slots: [Slot; 2],
    table_bytes: u64,
    steps_bytes: u64,
}

/// A table to be filled.
pub(super) struct Request<'a> {
    pub batch: &'a Batch,
    pub rows: Range<usize>,
    pub steps: &'a Steps,
    pub dtype: Dtype,
    pub tuning: Tuning,
}

/// Fills `out`, the bytes of the requested table.
pub(super) fn run(
    device: &Device,
    resources: &mut Resources,
    request: &Request<'_>,
    out: &mut [u8],
) -> Result<(), GpuError> {
    let limit = device.binding_limit().min(request.tuning.table_bytes);
    let slices = slices(limit, &device.info.name, request.batch, request.rows.clone())?;
    let result = device.guarded(|| {
        for rows in slices {
            run_slice(device, resources, request, rows, out)?;
        }
        Ok(())
    });
    if result.is_err() {
        // A failure may have left a staging buffer mapped or a buffer without memory.
        resources.ring = None;
        resources.tables = Tables::default();
    }
    result
}

/// Fills the rows of a batch whose tables can be bound at once.
fn run_slice(
    device: &Device,
    resources: &mut Resources,
    request: &Request<'_>,
    rows: Range<usize>,
    out: &mut [u8],
) -> Result<(), GpuError> {
    let (size, columns) = (request.dtype.size(), request.steps.len());
    let width = THREAD_BYTES / size;
    let listed = request.steps.progression().is_none();
    let tile_bytes = request.tuning.tile_bytes.min(device.binding_limit()).max(THREAD_BYTES as u64);
    // A listed step takes 8 bytes.
    let tile_columns = if listed { usize::try_from(tile_bytes / 8).unwrap_or(usize::MAX) } else { usize::MAX };
    let first = request.rows.start;
    let all = tiles(rows.start - first..rows.end - first, columns, width, tile_bytes, tile_columns);
    let all: Vec<Tile> = all.collect();
    let table_bytes = all.iter().map(Tile::bytes).max().unwrap_or(0);
    let longest = all.iter().map(|tile| tile.columns.len()).max().unwrap_or(0);
    let steps_bytes = if listed { longest as u64 * 8 } else { 8 };

    resources.tables.upload(device, request.batch, rows.clone());
    let shader = resources.shader.get_or_insert_with(|| Shader::new(device));
    let values = rows.len() as u64 * columns as u64;
    let special = values >= request.tuning.specialize_from;
    let used = if special { used(request.batch, rows.clone(), request.steps) } else { u32::MAX };
    let pipeline = match resources.pipelines.entry((request.dtype, used)) {
        Entry::Occupied(entry) => entry.into_mut(),
        Entry::Vacant(entry) => entry.insert(shader.pipeline(device, request.dtype, used)?),
    };
    let roomy = |ring: &Ring| ring.table_bytes >= table_bytes && ring.steps_bytes >= steps_bytes;
    if !resources.ring.as_ref().is_some_and(roomy) {
        resources.ring = None;
    }
    let ring = resources.ring.get_or_insert_with(|| Ring {
        slots: [(); 2].map(|()| Slot::new(device, table_bytes, steps_bytes)),
        table_bytes,
        steps_bytes,
    });
    let bindings = [&ring.slots[0], &ring.slots[1]].map(|slot| shader.bind(device, &resources.tables, slot));

    for (index, tile) in all.into_iter().enumerate() {
        let slot = &mut ring.slots[index % 2];
        // The other slot's tile is still being computed while this one is copied out.
        slot.collect(device, columns, size, out)?;
        let packed = pack(&tile, request.steps, tile.rows.start - (rows.start - first));
        device.queue.write_buffer(&slot.tile, 0, bytemuck::bytes_of(&packed));
        if listed {
            let list: Vec<[u32; 2]> = tile.columns.clone().map(|column| words(request.steps.get(column))).collect();
            device.queue.write_buffer(&slot.steps, 0, bytemuck::cast_slice(&list));
        }
        let (x, y) = tile.workgroups(listed, device.limits.max_compute_workgroups_per_dimension);
        let mut commands = device.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        {
            let mut pass = commands.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            pass.set_pipeline(pipeline);
            pass.set_bind_group(0, &bindings[index % 2], &[]);
            pass.dispatch_workgroups(x, y, 1);
        }
        slot.submit(device, commands, tile);
        if let Some(fault) = device.fault() {
            return Err(fault);
        }
    }
    // At most two are left, of different tiles: their order does not matter.
    for slot in &mut ring.slots {
        slot.collect(device, columns, size, out)?;
    }
    Ok(())
}

/// The shader's view of a tile whose first row is the `row`-th of the uploaded programs.
fn pack(tile: &Tile, steps: &Steps, row: usize) -> PackedTile {
    let (start, stride) = match steps.progression() {
        Some((_, stride)) => (steps.get(tile.columns.start), stride),
        None => (0, 0),
    };
    let listed = steps.progression().is_none();
    let (block_octets, row_blocks) = tile.blocks(listed);
    PackedTile {
        start: words(start),
        stride: words(stride),
        program_first: row as u32,
        rows: tile.rows.len() as u32,
        columns: tile.columns.len() as u32,
        groups: tile.groups,
        listed: u32::from(listed),
        block_octets,
        row_blocks,
        zero: 0,
    }
}

impl Shader {
    fn new(device: &Device) -> Self {
        let module = device.device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some("lrgrid table"),
            source: wgpu::ShaderSource::Wgsl([LIBRARY, TABLE].concat().into()),
        });
        let storage = |read_only| wgpu::BufferBindingType::Storage { read_only };
        let types = [
            storage(true),
            storage(true),
            storage(true),
            storage(true),
            storage(true),
            wgpu::BufferBindingType::Uniform,
            storage(false),
        ];
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

    fn pipeline(&self, device: &Device, dtype: Dtype, used: u32) -> Result<wgpu::ComputePipeline, GpuError> {
        let Some(entry_point) = entry_point(dtype) else {
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
                ..wgpu::PipelineCompilationOptions::default()
            },
            cache: None,
        }))
    }

    fn bind(&self, device: &Device, tables: &Tables, slot: &Slot) -> wgpu::BindGroup {
        let buffers = tables.buffers().chain([&slot.steps, &slot.tile, &slot.table]);
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
}
