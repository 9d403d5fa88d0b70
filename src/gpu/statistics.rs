//! Statistics on the device: a second kernel reduces each tile in device memory, and only its partial results come
//! back.

use std::ops::Range;
use std::sync::PoisonError;
use std::sync::mpsc::{Receiver, channel};

use super::Gpu;
use super::device::{Device, PATIENCE};
use super::dispatch::{Request, Resources};
use super::readback::TileBuffers;
use super::shader::{PackedPartial, PackedReduction, REDUCTION_CHUNK, STATISTICS};
use super::tile::{Tile, two_dimensions};
use crate::element::{Dtype, Element};
use crate::error::{Error, EvaluateError, GpuError};
use crate::packed::Batch;
use crate::statistics::{Gathered, Partial, Statistics, Sum, Summarize, check};
use crate::steps::Steps;

/// Bytes of a tile; moderate, because the results of short rows are larger than the rows.
const TILE_BYTES: u64 = 16 << 20;

/// Transfers of results in flight while the next tile is computed.
const SLOTS: usize = 2;

impl Summarize for Gpu {
    fn statistics<T: Element>(
        &self,
        batch: &Batch,
        rows: Range<usize>,
        steps: &Steps,
        above: Option<f64>,
    ) -> Result<Vec<Statistics>, Error> {
        let threshold = check(batch, &rows, steps, above)?;
        if T::DTYPE == Dtype::F64 {
            return Err(EvaluateError::Dtype { backend: "gpu", dtype: "f64", remedy: "f32, or the CPU backend" }.into());
        }
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let mut resources = self.resources.lock().unwrap_or_else(PoisonError::into_inner);
        let mut tuning = self.tuning;
        tuning.tile_bytes = tuning.tile_bytes.min(TILE_BYTES);
        let mut request = Request { batch, rows, steps, dtype: T::DTYPE, tuning };
        let gathered = match run(&self.device, &mut resources, &request, threshold) {
            Err(GpuError::OutOfMemory { .. }) => {
                request.tuning.tile_bytes /= 2;
                run(&self.device, &mut resources, &request, threshold)?
            }
            result => result?,
        };
        Ok(gathered.into_iter().map(|row| row.finish(steps)).collect::<Result<_, _>>()?)
    }
}

/// Reduces every row of the request.
fn run(
    device: &Device,
    resources: &mut Resources,
    request: &Request<'_>,
    threshold: f64,
) -> Result<Vec<Gathered>, GpuError> {
    let mut gathered: Vec<Gathered> = (0..request.rows.len()).map(|_| Gathered::default()).collect();
    let slices = request.slices(device)?;
    let result = device.guarded(|| {
        let reducer = resources.reducer.get_or_insert_with(|| Reducer::new(device)).clone();
        for rows in slices {
            run_slice(device, resources, &reducer, request, &rows, threshold, &mut gathered)?;
        }
        Ok(())
    });
    if result.is_err() {
        resources.kernels.forget_tables();
    }
    result.map(|()| gathered)
}

fn run_slice(
    device: &Device,
    resources: &mut Resources,
    reducer: &Reducer,
    request: &Request<'_>,
    rows: &Range<usize>,
    threshold: f64,
    gathered: &mut [Gathered],
) -> Result<(), GpuError> {
    let tiles = request.tiles(device, rows);
    let kernel = resources.kernels.prepare(device, request, rows)?;
    // The device processes its queue in order, so all tiles can use one table.
    let table = TileBuffers::new(device, request.sizes(&tiles));
    let bindings = kernel.bind(device, &table);
    let most = tiles.iter().map(partial_bytes).max().unwrap_or(0);
    let reduction = Reduction::new(device, reducer, &table, most);
    let mut slots = [(); SLOTS].map(|()| Slot::new(device, most));
    for (index, tile) in tiles.iter().enumerate() {
        let slot = &mut slots[index % SLOTS];
        slot.collect(device, gathered)?;
        kernel.write(device, request, &table, tile);
        device.queue.write_buffer(&reduction.parameters, 0, bytemuck::bytes_of(&pack(tile, request.dtype, threshold)));
        let mut commands = device.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        {
            let mut pass = commands.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            kernel.dispatch(device, &mut pass, &bindings, tile);
            let (x, y) = two_dimensions(
                tile.rows.len() as u64 * u64::from(chunks(tile)),
                device.limits.max_compute_workgroups_per_dimension,
            );
            pass.set_pipeline(&reducer.pipeline);
            pass.set_bind_group(0, &reduction.bindings, &[]);
            pass.dispatch_workgroups(x, y, 1);
        }
        slot.submit(device, commands, &reduction.partials, tile.clone());
        if let Some(fault) = device.fault() {
            return Err(fault);
        }
    }
    for index in tiles.len()..tiles.len() + SLOTS {
        slots[index % SLOTS].collect(device, gathered)?;
    }
    Ok(())
}

/// The number of chunks in a row of the tile.
fn chunks(tile: &Tile) -> u32 {
    (tile.columns.len() as u32).div_ceil(REDUCTION_CHUNK)
}

fn partial_bytes(tile: &Tile) -> u64 {
    tile.rows.len() as u64 * u64::from(chunks(tile)) * size_of::<PackedPartial>() as u64
}

/// The shader's parameters for a tile.
fn pack(tile: &Tile, dtype: Dtype, threshold: f64) -> PackedReduction {
    PackedReduction {
        rows: tile.rows.len() as u32,
        columns: tile.columns.len() as u32,
        pitch: tile.groups * 4,
        chunks: chunks(tile),
        format: match dtype {
            Dtype::F16 => PackedReduction::F16,
            Dtype::Bf16 => PackedReduction::BF16,
            _ => PackedReduction::F32,
        },
        threshold: key(at_most(threshold)),
        padding: [0; 2],
    }
}

/// The largest `f32` not above a number: exactly the same `f32` values exceed both.
fn at_most(number: f64) -> f32 {
    let nearest = number as f32;
    if f64::from(nearest) > number { nearest.next_down() } else { nearest }
}

/// Maps values to integers in the same order; twin of `lrgrid_key`.
fn key(value: f32) -> u32 {
    let bits = value.to_bits();
    match (value == 0.0, value.is_sign_negative()) {
        (true, _) => 0x8000_0000,
        (_, true) => !bits,
        (_, false) => bits | 0x8000_0000,
    }
}

/// The value of a key.
fn of_key(key: u32) -> f64 {
    f64::from(f32::from_bits(if key >> 31 == 1 { key ^ 0x8000_0000 } else { !key }))
}

/// Converts a partial result of the device.
fn unpack(packed: &PackedPartial, first: usize) -> Partial {
    let (min, max) = (of_key(packed.min), of_key(packed.max));
    let exponent = packed.exponent as i32;
    let scaled = |[low, high]: [u32; 2], high_sign: f64, unit: i32| {
        let mut sum = Sum::default();
        sum.add((high_sign + f64::from(high)) * 2_f64.powi(unit + 32));
        sum.add(f64::from(low) * 2_f64.powi(unit));
        sum
    };
    let infinite = |value: f64| {
        let mut sum = Sum::default();
        sum.add(value);
        sum
    };
    // Infinities have no mantissa to sum.
    let (sum, squares) = if min.is_infinite() || max.is_infinite() {
        let ends = [min, max].into_iter().filter(|end| end.is_infinite());
        (infinite(ends.sum()), infinite(f64::INFINITY))
    } else {
        let sign = if packed.sum[1] >> 31 == 1 { -(2_f64.powi(32)) } else { 0.0 };
        (scaled(packed.sum, sign, exponent - 176), scaled(packed.squares, 0.0, 2 * exponent - 303))
    };
    Partial {
        sum,
        squares,
        min: (min, packed.min_column as usize - first),
        max: (max, packed.max_column as usize - first),
        last: of_key(packed.last),
        above: packed.above.into(),
    }
}

/// The pipeline that reduces, kept between evaluations.
#[derive(Clone, Debug)]
pub(super) struct Reducer {
    pipeline: wgpu::ComputePipeline,
}

impl Reducer {
    fn new(device: &Device) -> Self {
        let module = device.device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some("lrgrid statistics"),
            source: wgpu::ShaderSource::Wgsl(STATISTICS.into()),
        });
        let pipeline = device.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some("lrgrid statistics"),
            layout: None,
            module: &module,
            entry_point: Some("lrgrid_reduce"),
            compilation_options: wgpu::PipelineCompilationOptions {
                constants: &[],
                // The shader reads only workgroup memory that it has written.
                zero_initialize_workgroup_memory: false,
            },
            cache: None,
        });
        Self { pipeline }
    }
}

/// The buffers and the bind group of the reducing kernel.
struct Reduction {
    parameters: wgpu::Buffer,
    partials: wgpu::Buffer,
    bindings: wgpu::BindGroup,
}

impl Reduction {
    fn new(device: &Device, reducer: &Reducer, table: &TileBuffers, bytes: u64) -> Self {
        use wgpu::BufferUsages as Usage;
        let size = size_of::<PackedReduction>() as u64;
        let parameters = device.buffer("lrgrid reduction", size, Usage::UNIFORM | Usage::COPY_DST);
        let partials = device.buffer("lrgrid partials", bytes, Usage::STORAGE | Usage::COPY_SRC);
        fn entry(binding: u32, buffer: &wgpu::Buffer) -> wgpu::BindGroupEntry<'_> {
            wgpu::BindGroupEntry { binding, resource: buffer.as_entire_binding() }
        }
        let bindings = device.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("lrgrid statistics"),
            layout: &reducer.pipeline.get_bind_group_layout(0),
            entries: &[entry(4, &table.table), entry(5, &parameters), entry(6, &partials)],
        });
        Self { parameters, partials, bindings }
    }
}

/// The transfer of one tile's results.
struct Slot {
    staging: wgpu::Buffer,
    pending: Option<Pending>,
}

struct Pending {
    tile: Tile,
    submission: wgpu::SubmissionIndex,
    mapped: Receiver<Result<(), wgpu::BufferAsyncError>>,
}

impl Slot {
    fn new(device: &Device, bytes: u64) -> Self {
        use wgpu::BufferUsages as Usage;
        Self { staging: device.buffer("lrgrid staging", bytes, Usage::MAP_READ | Usage::COPY_DST), pending: None }
    }

    /// Records the copy of the results to the host, and submits.
    fn submit(&mut self, device: &Device, mut commands: wgpu::CommandEncoder, partials: &wgpu::Buffer, tile: Tile) {
        let bytes = partial_bytes(&tile);
        commands.copy_buffer_to_buffer(partials, 0, &self.staging, 0, bytes);
        let submission = device.queue.submit([commands.finish()]);
        let (sender, mapped) = channel();
        self.staging.map_async(wgpu::MapMode::Read, 0..bytes, move |result| {
            // The receiver is gone if the evaluation has already failed.
            let _ = sender.send(result);
        });
        self.pending = Some(Pending { tile, submission, mapped });
    }

    /// Waits for the slot's results, if there are any, and adds them to their rows.
    fn collect(&mut self, device: &Device, gathered: &mut [Gathered]) -> Result<(), GpuError> {
        let Some(Pending { tile, submission, mapped }) = self.pending.take() else { return Ok(()) };
        device.wait(submission)?;
        match mapped.recv_timeout(PATIENCE) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(device.failed(error.to_string())),
            Err(error) => return Err(device.failed(format!("the result was not handed over: {error}"))),
        }
        {
            let bytes = self.staging.get_mapped_range(0..partial_bytes(&tile));
            let bytes = bytes.map_err(|error| device.failed(error.to_string()))?;
            let partials: Vec<PackedPartial> = bytemuck::pod_collect_to_vec(&bytes);
            for (row, partials) in gathered[tile.rows.clone()].iter_mut().zip(partials.chunks(chunks(&tile) as usize)) {
                for (first, packed) in (0..).step_by(REDUCTION_CHUNK as usize).zip(partials) {
                    let count = (tile.columns.len() - first).min(REDUCTION_CHUNK as usize);
                    row.add(&unpack(packed, first), count);
                }
            }
        }
        self.staging.unmap();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_in_the_order_of_values_and_come_back() {
        let values = [f32::NEG_INFINITY, -3.0, -1e-45, 0.0, 1e-45, 0.5, 3e38, f32::INFINITY];
        assert!(values.map(key).is_sorted());
        assert!(values.iter().all(|&value| of_key(key(value)) == f64::from(value)));
        assert_eq!(key(-0.0), key(0.0));
    }

    #[test]
    fn a_threshold_parts_the_same_values() {
        for threshold in [0.1, -0.1, 1e-50, -1e-50, 0.5, 1e300, -1e300, f64::INFINITY, 1.0 + 1e-12] {
            let rounded = at_most(threshold);
            assert!(
                f64::from(rounded) <= threshold && f64::from(rounded.next_up()) > threshold || rounded == f32::INFINITY
            );
        }
    }
}
