//! The kernel that reduces a tile where it lies, and its partial results on the host.

use super::buffers::TileBuffers;
use super::device::Device;
use super::shader::{PackedPartial, PackedReduction, REDUCTION_CHUNK, STATISTICS};
use super::tile::{Tile, two_dimensions};
use crate::element::Dtype;
use crate::statistics::{Gathered, Partial, Sum};

/// The pipeline that reduces, kept between evaluations.
#[derive(Clone, Debug)]
pub(super) struct Reducer {
    pipeline: wgpu::ComputePipeline,
}

impl Reducer {
    pub fn new(device: &Device) -> Self {
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
pub(super) struct Reduction {
    pipeline: wgpu::ComputePipeline,
    parameters: wgpu::Buffer,
    partials: wgpu::Buffer,
    bindings: wgpu::BindGroup,
}

impl Reduction {
    pub fn new(device: &Device, reducer: &Reducer, table: &TileBuffers, bytes: u64) -> Self {
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
        Self { pipeline: reducer.pipeline.clone(), parameters, partials, bindings }
    }

    /// The buffer of the partial results.
    pub fn partials(&self) -> &wgpu::Buffer {
        &self.partials
    }

    /// Uploads the parameters of a tile's dispatch.
    pub fn write(&self, device: &Device, tile: &Tile, dtype: Dtype, threshold: f64) {
        device.queue.write_buffer(&self.parameters, 0, bytemuck::bytes_of(&pack(tile, dtype, threshold)));
    }

    /// Records the dispatch that reduces a tile.
    pub fn dispatch(&self, device: &Device, pass: &mut wgpu::ComputePass<'_>, tile: &Tile) {
        let (x, y) = two_dimensions(
            tile.rows.len() as u64 * u64::from(chunks(tile)),
            device.limits.max_compute_workgroups_per_dimension,
        );
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, &self.bindings, &[]);
        pass.dispatch_workgroups(x, y, 1);
    }
}

/// The number of chunks in a row of the tile.
fn chunks(tile: &Tile) -> u32 {
    (tile.columns.len() as u32).div_ceil(REDUCTION_CHUNK)
}

/// Bytes of a tile's partial results.
pub(super) fn partial_bytes(tile: &Tile) -> u64 {
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

/// Adds a tile's partial results, given as bytes, to what its rows have gathered.
pub(super) fn add_partials(bytes: &[u8], tile: &Tile, rows: &mut [Gathered]) {
    let partials: Vec<PackedPartial> = bytemuck::pod_collect_to_vec(bytes);
    for (row, partials) in rows.iter_mut().zip(partials.chunks(chunks(tile) as usize)) {
        for (first, packed) in (0..).step_by(REDUCTION_CHUNK as usize).zip(partials) {
            let count = (tile.columns.len() - first).min(REDUCTION_CHUNK as usize);
            row.add(&unpack(packed, first), count);
        }
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
