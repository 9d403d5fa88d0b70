//! Times of the parts of an evaluation on the device: the kernel, stores alone, and the readback to the host.

use std::ops::Range;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use half::{bf16, f16};

use super::Gpu;
use super::buffers::{Sizes, TileBuffers};
use super::device::Device;
use super::readback::Readback;
use super::request::{Request, Tuning};
use super::resources::Resources;
use super::shader::{STORE, STORE_WORDS, THREAD_BYTES};
use super::tile::{Tile, tiles, two_dimensions};
use crate::double_double::DoubleDouble;
use crate::element::Dtype;
use crate::error::{Error, EvaluateError, GpuError};
use crate::packed::Batch;
use crate::steps::Steps;
use crate::ulp::ulps;

/// The clock of a measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Clock {
    /// The device's own timestamps, around the work itself.
    Timestamps,
    /// The host's clock, from submission until the device is done: an overestimate for short work.
    Wall,
}

/// A measured time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Timing {
    /// The least time of all repetitions, in seconds; above 0.
    pub seconds: f64,
    /// The clock that measured it.
    pub clock: Clock,
}

/// Bytes per dispatch: enough to outweigh its launch, far below a driver's watchdog limit.
const TILE_BYTES: u64 = 128 << 20;

/// Warm-up of a hardware GPU before it is timed: its idle clock rate can be a fifth of the full one.
const WARM_UP: Duration = Duration::from_millis(200);

/// Bytes of a table that are verified.
const CHECKED_BYTES: u64 = 64 << 10;

/// The largest error that is still timed, in ULP.
const TOLERANCE: f64 = 2.0;

impl Gpu {
    /// The time of a kernel that only stores `bytes` (rounded up to 16) to device memory: the limit of every kernel.
    ///
    /// Each thread stores 16 bytes at a time, in workgroups of the same size and share as a table kernel's. Larger
    /// sizes write the same memory repeatedly.
    ///
    /// # Errors
    /// When the device fails, or has not stored the values.
    pub fn time_store_only(&self, bytes: u64, repeats: u32) -> Result<Timing, GpuError> {
        let device = &self.device;
        let _turn = self.resources.lock().unwrap_or_else(PoisonError::into_inner);
        device.guarded(|| {
            let tile = bytes.clamp(1, TILE_BYTES.min(device.binding_limit())).next_multiple_of(THREAD_BYTES as u64);
            let target =
                device.buffer("lrgrid store", tile, wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC);
            let store = Store::new(device, &target);
            let dispatches = bytes.div_ceil(tile).max(1);
            let timing = Stopwatch::new(device).least(repeats, |watch| {
                (0..dispatches).try_fold(0.0, |sum, _| Ok(sum + watch.time(|pass| store.dispatch(device, pass, tile))?))
            })?;
            let stored = device.read(&target, tile - THREAD_BYTES as u64, THREAD_BYTES as u64)?;
            if stored != bytemuck::cast_slice::<u32, u8>(&Store::VALUE) {
                return Err(device.failed("the kernel that only stores did not"));
            }
            Ok(timing)
        })
    }

    /// The time of the kernel alone for a whole table, `batch` × `steps`, whose tiles stay in device memory.
    ///
    /// ```no_run
    /// use lrgrid::program::Program;
    /// use lrgrid::{Batch, Dtype, Gpu, Steps};
    ///
    /// let gpu = Gpu::new()?;
    /// let batch = Batch::from_programs(&vec![Program::hold(3e-4); 1024])?;
    /// let kernel = gpu.time_kernel(&batch, &Steps::range(0..65_536), Dtype::F32, 10)?;
    /// let store = gpu.time_store_only(1024 * 65_536 * 4, 10)?;
    /// println!("{:.2} of what stores take", store.seconds / kernel.seconds);
    /// # Ok::<(), lrgrid::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Evaluate::evaluate_rows_into`](crate::Evaluate::evaluate_rows_into), and when a value is more than 2 ULP
    /// off: a wrong kernel is not timed.
    pub fn time_kernel(&self, batch: &Batch, steps: &Steps, dtype: Dtype, repeats: u32) -> Result<Timing, Error> {
        batch.check_output(&(0..batch.len()), steps, batch.len().saturating_mul(steps.len()))?;
        if dtype == Dtype::F64 {
            return Err(EvaluateError::Dtype { backend: "gpu", dtype: "f64", remedy: "f32, or the CPU backend" }.into());
        }
        if batch.is_empty() || steps.is_empty() {
            return Err(self.device.failed("an empty table takes no time: give it a schedule and a step").into());
        }
        let tuning = Tuning { tile_bytes: TILE_BYTES, ..self.tuning };
        let request = Request { batch, rows: 0..batch.len(), steps, dtype, tuning };
        let mut resources = self.resources.lock().unwrap_or_else(PoisonError::into_inner);
        let slices = request.slices(&self.device)?;
        Ok(self.device.guarded(|| time_slices(&self.device, &mut resources, &request, &slices, repeats))?)
    }

    /// The time to read `bytes` (rounded up to 16) back from the device into the caller's memory, without computing.
    ///
    /// Copies, mappings and tiles are those of an evaluation, so the ratio of the two shows the cost of computing.
    ///
    /// # Errors
    /// When the device fails, or the host lacks memory for `bytes`.
    pub fn time_readback(&self, bytes: u64, repeats: u32) -> Result<Timing, GpuError> {
        let device = &self.device;
        let bytes = bytes.max(1).next_multiple_of(THREAD_BYTES as u64);
        let columns = usize::try_from(bytes / 4).map_err(|error| device.failed(error.to_string()))?;
        let mut out = Vec::new();
        out.try_reserve_exact(columns * 4).map_err(|error| device.failed(error.to_string()))?;
        out.resize(columns * 4, 0_u8);
        let tile_bytes = self.tuning.tile_bytes.min(device.binding_limit()).max(THREAD_BYTES as u64);
        let mut resources = self.resources.lock().unwrap_or_else(PoisonError::into_inner);
        let result = device.guarded(|| {
            let sizes = Sizes { table: tile_bytes.min(bytes), steps: 8 };
            let readback = Readback::with_room(&mut resources.readback, device, sizes);
            let mut least = f64::INFINITY;
            for _ in 0..repeats.max(1) {
                let tiles = tiles(0..1, columns, THREAD_BYTES / 4, tile_bytes, usize::MAX).collect();
                let start = Instant::now();
                readback.run(device, tiles, columns, 4, &mut out, |_, _, _, _| {})?;
                least = least.min(start.elapsed().as_secs_f64());
            }
            Ok(Timing { seconds: least, clock: Clock::Wall })
        });
        if result.is_err() {
            // A staging buffer may still be mapped.
            resources.readback = None;
        }
        result
    }
}

fn time_slices(
    device: &Device,
    resources: &mut Resources,
    request: &Request<'_>,
    slices: &[Range<usize>],
    repeats: u32,
) -> Result<Timing, GpuError> {
    let tiles: Vec<Vec<Tile>> = slices.iter().map(|rows| request.tiles(device, rows)).collect();
    let buffers = TileBuffers::new(device, request.sizes(&tiles.concat()));
    let timing = Stopwatch::new(device).least(repeats, |watch| {
        let mut sum = 0.0;
        for (rows, tiles) in slices.iter().zip(&tiles) {
            let kernel = resources.kernels.prepare(device, request, rows)?;
            let bindings = kernel.bind(device, &buffers);
            for tile in tiles {
                kernel.write(device, request, &buffers, tile);
                sum += watch.time(|pass| kernel.dispatch(device, pass, &bindings, tile))?;
            }
        }
        Ok(sum)
    })?;
    if let Some(tile) = tiles.last().and_then(|tiles| tiles.last()) {
        let bytes = device.read(&buffers.table, 0, tile.bytes().min(CHECKED_BYTES))?;
        check(device, request, tile, &bytes)?;
    }
    Ok(timing)
}

/// Compares the first row that a kernel has written with its program.
fn check(device: &Device, request: &Request<'_>, tile: &Tile, bytes: &[u8]) -> Result<(), GpuError> {
    let program = request.batch.program(request.rows.start + tile.rows.start);
    for (column, bytes) in tile.columns.clone().zip(bytes.chunks_exact(request.dtype.size())) {
        let step = request.steps.at(column);
        let off = distance(request.dtype, bytes, program.exact(step));
        if off > TOLERANCE {
            return Err(device.failed(format!("the kernel's value at step {step} is {off:.1} ULP off")));
        }
    }
    Ok(())
}

/// Distance in ULP of a value, given as bytes, from the exact one.
fn distance(dtype: Dtype, bytes: &[u8], exact: DoubleDouble) -> f64 {
    match dtype {
        Dtype::F64 => ulps(bytemuck::pod_read_unaligned::<f64>(bytes), exact),
        Dtype::F32 => ulps(bytemuck::pod_read_unaligned::<f32>(bytes), exact),
        Dtype::F16 => ulps(bytemuck::pod_read_unaligned::<f16>(bytes), exact),
        Dtype::Bf16 => ulps(bytemuck::pod_read_unaligned::<bf16>(bytes), exact),
    }
}

/// The shader that only stores.
struct Store {
    pipeline: wgpu::ComputePipeline,
    bindings: wgpu::BindGroup,
}

impl Store {
    const VALUE: [u32; 4] = [0x3a83_126f; 4];

    fn new(device: &Device, target: &wgpu::Buffer) -> Self {
        let module = device.device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some("lrgrid store"),
            source: wgpu::ShaderSource::Wgsl(STORE.into()),
        });
        let pipeline = device.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some("lrgrid store"),
            layout: None,
            module: &module,
            entry_point: None,
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            cache: None,
        });
        use wgpu::BufferUsages as Usage;
        let value = device.buffer("lrgrid stored", 16, Usage::UNIFORM | Usage::COPY_DST);
        device.queue.write_buffer(&value, 0, bytemuck::bytes_of(&Self::VALUE));
        let entries = [(0, &value), (1, target)]
            .map(|(binding, buffer)| wgpu::BindGroupEntry { binding, resource: buffer.as_entire_binding() });
        let bindings = device.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("lrgrid store"),
            layout: &pipeline.get_bind_group_layout(0),
            entries: &entries,
        });
        Self { pipeline, bindings }
    }

    fn dispatch(&self, device: &Device, pass: &mut wgpu::ComputePass<'_>, bytes: u64) {
        let all = (bytes / THREAD_BYTES as u64).div_ceil(u64::from(STORE_WORDS));
        let (x, y) = two_dimensions(all, device.limits.max_compute_workgroups_per_dimension);
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, &self.bindings, &[]);
        pass.dispatch_workgroups(x, y, 1);
    }
}

/// Times passes, with the device's timestamps if it has them.
struct Stopwatch<'d> {
    device: &'d Device,
    timestamps: Option<Timestamps>,
}

struct Timestamps {
    queries: wgpu::QuerySet,
    resolved: wgpu::Buffer,
    seconds_per_tick: f64,
}

impl<'d> Stopwatch<'d> {
    fn new(device: &'d Device) -> Self {
        let seconds_per_tick = f64::from(device.queue.get_timestamp_period()) * 1e-9;
        let usable = device.device.features().contains(wgpu::Features::TIMESTAMP_QUERY) && seconds_per_tick > 0.0;
        use wgpu::BufferUsages as Usage;
        let timestamps = usable.then(|| Timestamps {
            queries: device.device.create_query_set(&wgpu::QuerySetDescriptor {
                label: Some("lrgrid timestamps"),
                ty: wgpu::QueryType::Timestamp,
                count: 2,
            }),
            resolved: device.buffer("lrgrid timestamps", 16, Usage::QUERY_RESOLVE | Usage::COPY_SRC),
            seconds_per_tick,
        });
        Self { device, timestamps }
    }

    /// The least sum over all repetitions; measured on the host's clock if the device's timestamps do not advance.
    fn least(mut self, repeats: u32, mut once: impl FnMut(&Self) -> Result<f64, GpuError>) -> Result<Timing, GpuError> {
        // The first run includes the cost of fresh memory and of the pipeline; the following ones raise an idle GPU's
        // clocks.
        let warm_up = if self.device.info.is_software() { Duration::ZERO } else { WARM_UP };
        let begun = Instant::now();
        once(&self)?;
        while begun.elapsed() < warm_up {
            once(&self)?;
        }
        loop {
            let mut least = f64::INFINITY;
            for _ in 0..repeats.max(1) {
                least = least.min(once(&self)?);
            }
            if least > 0.0 || self.timestamps.is_none() {
                let clock = if self.timestamps.is_some() { Clock::Timestamps } else { Clock::Wall };
                return Ok(Timing { seconds: least, clock });
            }
            self.timestamps = None;
        }
    }

    /// The seconds one pass takes.
    fn time(&self, encode: impl FnOnce(&mut wgpu::ComputePass<'_>)) -> Result<f64, GpuError> {
        let device = self.device;
        let mut commands = device.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let writes = self.timestamps.as_ref().map(|timestamps| wgpu::ComputePassTimestampWrites {
            query_set: &timestamps.queries,
            beginning_of_pass_write_index: Some(0),
            end_of_pass_write_index: Some(1),
        });
        encode(
            &mut commands.begin_compute_pass(&wgpu::ComputePassDescriptor { label: None, timestamp_writes: writes }),
        );
        if let Some(timestamps) = &self.timestamps {
            commands.resolve_query_set(&timestamps.queries, 0..2, &timestamps.resolved, 0);
        }
        let start = Instant::now();
        let submission = device.queue.submit([commands.finish()]);
        device.wait(submission)?;
        let wall = start.elapsed().as_secs_f64();
        let Some(timestamps) = &self.timestamps else { return Ok(wall) };
        let bytes = device.read(&timestamps.resolved, 0, 16)?;
        let ticks: [u64; 2] = bytemuck::pod_read_unaligned(&bytes);
        Ok(ticks[1].saturating_sub(ticks[0]) as f64 * timestamps.seconds_per_tick)
    }
}
