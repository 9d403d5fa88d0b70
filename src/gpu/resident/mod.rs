//! Programs resident on the device, evaluated into the caller's buffers by commands in the caller's encoder.

mod adam;
mod counter;
mod kernels;
mod placement;
mod progression;
mod record;
mod region;

use std::sync::{Arc, Mutex, PoisonError};

pub use adam::{Adam, AdamBlock, AdamConstants, PackedAdam};
pub use counter::{Counter, CounterKind};
pub use placement::Room;
pub use record::Record;

use super::device::Device;
use super::shader::WORKGROUP_SIZE;
use super::tile::two_dimensions;
use crate::error::{Error, EvaluateError, GpuError};
use crate::packed::{Batch, BlockLayout, PackedHeight, PackedProgram, PackedSegment, PackedStage, PackedTrack};
use crate::steps::Steps;
use kernels::Kernel;
pub(super) use kernels::ResidentKernels;
use placement::{Change, Placement, own_segments};
use progression::Progression;
use region::{BindGroups, Region};

/// Columns per thread.
const RUN: u64 = 4;

/// A batch resident on the device, created by [`Gpu::upload`](super::Gpu::upload).
///
/// The `encode…` methods record commands that write `f32` values into the caller's buffers, each given as a
/// [`wgpu::BufferBinding`] with offset and size. They submit nothing, wait for nothing and map nothing. They create
/// only a bind group for each new binding, of which the last 32 are kept. Commands can be recorded into a
/// [`wgpu::CommandEncoder`] or an open [`wgpu::ComputePass`]; they use the programs as they are at submission.
///
/// Values are within 0.56 ULP. If a counter on the device passes the last step of a schedule that ends, the schedule
/// within it continues.
///
/// ```no_run
/// use lrgrid::program::Program;
/// use lrgrid::{Batch, Gpu, Steps, wgpu};
///
/// # fn device() -> (wgpu::Device, wgpu::Queue) { unimplemented!() }
/// let (device, queue) = device();
/// let gpu = Gpu::from_device(device.clone(), queue.clone())?;
/// let programs = gpu.upload(&Batch::from_programs([&Program::hold(3e-4), &Program::hold(1e-3)])?)?;
/// let rates = device.create_buffer(&wgpu::BufferDescriptor {
///     label: None,
///     size: 2 * 4,
///     usage: wgpu::BufferUsages::STORAGE,
///     mapped_at_creation: false,
/// });
/// let counter = programs.counter(0)?;
/// let mut encoder = device.create_command_encoder(&Default::default());
/// for _ in 0..100 {
///     programs.encode_advance(&mut encoder, &counter, rates.as_entire_buffer_binding(), None)?;
///     // … and the training step that reads `rates`.
/// }
/// queue.submit([encoder.finish()]);
/// assert_eq!(counter.read()?, [100]);
/// # Ok::<(), lrgrid::Error>(())
/// ```
#[derive(Debug)]
pub struct Programs {
    device: Arc<Device>,
    kernels: Arc<ResidentKernels>,
    layout: BlockLayout,
    block: wgpu::Buffer,
    group: wgpu::BindGroup,
    progression: Progression,
    len: usize,
    last_step: Mutex<Option<u64>>,
    placement: Mutex<Placement>,
    bound: Mutex<BindGroups>,
}

impl Programs {
    pub(super) fn upload(
        device: &Arc<Device>,
        kernels: &Arc<ResidentKernels>,
        batch: &Batch,
        room: Room,
    ) -> Result<Self, GpuError> {
        let limit = device.binding_limit();
        let layout = BlockLayout::of(Placement::counts(batch, room)).filter(|layout| layout.size as u64 <= limit);
        let Some(layout) = layout else {
            let needed = BlockLayout::of(Placement::counts(batch, room)).map_or(u64::MAX, |layout| layout.size as u64);
            return Err(GpuError::TooLarge {
                table: "programs and segments",
                needed,
                limit,
                adapter: device.info.name.clone(),
            });
        };
        let header = layout.header(batch.len());
        let placement = Placement::new(batch, room);
        let segments = own_segments(batch);
        device.guarded(|| {
            let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::COPY_SRC;
            let block = device.buffer("lrgrid programs", layout.size as u64, usage);
            let parts: [(usize, &[u8]); 6] = [
                (0, bytemuck::bytes_of(&header)),
                (layout.programs, bytemuck::cast_slice(placement.programs())),
                (layout.stages, bytemuck::cast_slice(batch.stages())),
                (layout.tracks, bytemuck::cast_slice(batch.tracks())),
                (layout.segments, bytemuck::cast_slice(&segments)),
                (layout.heights, bytemuck::cast_slice(batch.heights())),
            ];
            for (offset, bytes) in parts {
                device.queue.write_buffer(&block, offset as u64, bytes);
            }
            let group = device.device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: Some("lrgrid programs"),
                layout: &kernels.block,
                entries: &[wgpu::BindGroupEntry { binding: 0, resource: block.as_entire_binding() }],
            });
            Ok(Self {
                device: Arc::clone(device),
                kernels: Arc::clone(kernels),
                layout,
                block,
                group,
                progression: Progression::new(device, kernels),
                len: batch.len(),
                last_step: Mutex::new(batch.last_step()),
                placement: Mutex::new(placement),
                bound: Mutex::default(),
            })
        })
    }

    /// Number of programs: the rows of the output.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no programs.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The packed block, to be bound in shaders that contain [`wgsl::library`](crate::wgsl::library).
    #[must_use]
    pub fn binding(&self) -> wgpu::BufferBinding<'_> {
        self.block.as_entire_buffer_binding()
    }

    /// Records the evaluation of every program at the given steps: `f32`, row-major `[program, step]`.
    ///
    /// The values take `4 · len() · steps.len()` bytes at the binding's offset.
    ///
    /// # Errors
    /// When the steps are a list instead of a progression, beyond 2^53 − 1 or past the end of a schedule that ends;
    /// when the binding is too small, misaligned, or in a buffer without `STORAGE`.
    pub fn encode(&self, into: &mut impl Record, steps: &Steps, rates: wgpu::BufferBinding<'_>) -> Result<(), Error> {
        steps.check()?;
        let last_step = *self.last_step.lock().unwrap_or_else(PoisonError::into_inner);
        if let (Some(last), Some(step)) = (last_step, steps.largest())
            && step > last
        {
            return Err(EvaluateError::PastEnd { step, last }.into());
        }
        let Some((start, stride)) = steps.progression() else {
            let (found, remedy) =
                (format!("a list of {}", steps.len()), "only a progression can be recorded".to_owned());
            return Err(GpuError::Parameter { field: "steps", found, remedy }.into());
        };
        let columns = steps.len() as u64;
        if columns == 0 || self.is_empty() {
            return Ok(());
        }
        let rates = self.rates(rates, columns)?;
        // With a larger stride the second step is out of range either way.
        let stride = stride.min(crate::program::MAX_STEP);
        let groups = self.bound(Kernel::Evaluate, &[self.progression.region(), rates])?;
        into.record(|pass| {
            self.progression.record(&self.kernels, pass, start, stride);
            self.dispatch(pass, Kernel::Evaluate, &groups, self.len as u64 * columns.div_ceil(RUN));
        });
        Ok(())
    }

    /// Records one training step: writes each program's value at the counter's step into `rates`, one `f32` per
    /// program, and Adam's factors into an array of [`AdamBlock`], if requested; then increments the counter.
    ///
    /// # Errors
    /// When a binding is too small, misaligned, or in a buffer without `STORAGE`; when the counter has another number
    /// of programs.
    pub fn encode_advance(
        &self,
        into: &mut impl Record,
        counter: &Counter,
        rates: wgpu::BufferBinding<'_>,
        adam: Option<(&AdamConstants, wgpu::BufferBinding<'_>)>,
    ) -> Result<(), Error> {
        self.check(counter)?;
        if self.is_empty() {
            return Ok(());
        }
        let rates = self.rates(rates, 1)?;
        let (kernel, groups) = match adam {
            None => (Kernel::Advance, self.bound(Kernel::Advance, &[counter.region.clone(), rates])?),
            Some((constants, blocks)) => {
                let size = (self.len * size_of::<AdamBlock>()) as u64;
                let blocks = Region::of(&self.device, "the Adam blocks", &blocks, size)?;
                let regions = [counter.region.clone(), rates, constants.region.clone(), blocks];
                (Kernel::AdvanceAdam, self.bound(Kernel::AdvanceAdam, &regions)?)
            }
        };
        let shared = (counter.count() == 1).then(|| self.counting(counter)).transpose()?;
        into.record(|pass| {
            self.dispatch(pass, kernel, &groups, self.len as u64);
            if let Some(counting) = &shared {
                self.dispatch(pass, Kernel::Increment, counting, 1);
            }
        });
        Ok(())
    }

    /// Records filling a ring buffer with the values of `depth` steps from the counter's step on: `f32`,
    /// `[program, step & (depth − 1)]`.
    ///
    /// A training step then reads `ring[program · depth + (step & (depth − 1))]` and increments the counter by
    /// [`Programs::encode_count`]. Fill the ring again after `depth` steps, and after replacing a program.
    ///
    /// # Errors
    /// As [`Programs::encode_advance`], and when the depth is not a power of two.
    pub fn encode_look_ahead(
        &self,
        into: &mut impl Record,
        counter: &Counter,
        depth: u32,
        ring: wgpu::BufferBinding<'_>,
    ) -> Result<(), Error> {
        self.check(counter)?;
        if !depth.is_power_of_two() {
            let remedy = format!(
                "it has to be a power of two, such as {}",
                depth.checked_next_power_of_two().unwrap_or(1 << 31)
            );
            return Err(GpuError::Parameter { field: "the ring's depth", found: depth.to_string(), remedy }.into());
        }
        if self.is_empty() {
            return Ok(());
        }
        let ring = self.rates(ring, depth.into())?;
        let groups = self.bound(Kernel::LookAhead, &[counter.region.clone(), ring])?;
        into.record(|pass| {
            let threads = self.len as u64 * u64::from(depth).div_ceil(RUN);
            self.dispatch(pass, Kernel::LookAhead, &groups, threads);
        });
        Ok(())
    }

    /// Records an increment of the counter, for loops without [`Programs::encode_advance`].
    ///
    /// # Errors
    /// When the counter has another number of programs.
    pub fn encode_count(&self, into: &mut impl Record, counter: &Counter) -> Result<(), Error> {
        self.check(counter)?;
        let groups = self.counting(counter)?;
        into.record(|pass| self.dispatch(pass, Kernel::Increment, &groups, counter.count() as u64));
        Ok(())
    }

    /// A counter shared by all programs, set to `step`.
    ///
    /// # Errors
    /// When the step is beyond 2^53 − 1, or the device has no memory.
    pub fn counter(&self, step: u64) -> Result<Counter, Error> {
        Counter::new(&self.device, &[step])
    }

    /// A counter with one step per program, for runs that start at different times.
    ///
    /// # Errors
    /// When the number of steps is not that of programs, a step is beyond 2^53 − 1, or the device has no memory.
    pub fn counters(&self, steps: &[u64]) -> Result<Counter, Error> {
        if steps.len() != self.len {
            let remedy = format!("there are {} programs", self.len);
            return Err(
                GpuError::Parameter { field: "the number of steps", found: steps.len().to_string(), remedy }.into()
            );
        }
        Counter::new(&self.device, steps)
    }

    /// A counter in the caller's memory, with the step stored there: 8 bytes, or 8 per program.
    ///
    /// # Errors
    /// When the binding is too small, misaligned, or in a buffer without `STORAGE`.
    pub fn counter_in(&self, binding: wgpu::BufferBinding<'_>, kind: CounterKind) -> Result<Counter, GpuError> {
        let count = match kind {
            CounterKind::Shared => 1,
            CounterKind::PerProgram => self.len,
        };
        Counter::within(&self.device, &binding, count)
    }

    /// Adam's constants on the device: one set for all programs, or one per program.
    ///
    /// # Errors
    /// When a constant is out of range, the number of sets is neither 1 nor that of programs, or the device has no
    /// memory.
    pub fn adam(&self, constants: &[Adam]) -> Result<AdamConstants, Error> {
        if constants.len() != 1 && constants.len() != self.len {
            let remedy = format!("there has to be 1, or one for each of {} programs", self.len);
            let found = constants.len().to_string();
            return Err(GpuError::Parameter { field: "the number of Adam's constants", found, remedy }.into());
        }
        let packed: Vec<PackedAdam> = constants.iter().map(PackedAdam::new).collect::<Result<_, _>>()?;
        let bytes: &[u8] = bytemuck::cast_slice(&packed);
        let buffer = self.device.guarded(|| {
            let buffer = self.device.device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("lrgrid Adam"),
                size: bytes.len() as u64,
                usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST,
                mapped_at_creation: false,
            });
            self.device.queue.write_buffer(&buffer, 0, bytes);
            Ok(buffer)
        })?;
        let region =
            Region::of(&self.device, "Adam's constants", &buffer.as_entire_buffer_binding(), bytes.len() as u64)?;
        Ok(AdamConstants { region })
    }

    /// Replaces a program by a schedule of another batch, for all work that is submitted from now on.
    ///
    /// Nothing is rebuilt: the records overwrite the old ones, or go into the [`Room`] that was reserved at the upload.
    ///
    /// # Errors
    /// When there is no such program or schedule, or no room for that many records.
    pub fn replace(&self, program: usize, batch: &Batch, schedule: usize) -> Result<(), Error> {
        for (row, schedules) in [(program, self.len), (schedule, batch.len())] {
            if row >= schedules {
                return Err(EvaluateError::Rows { start: row, end: row.saturating_add(1), schedules }.into());
            }
        }
        let mut placement = self.placement.lock().unwrap_or_else(PoisonError::into_inner);
        let change = placement.replace(program, batch, schedule)?;
        if let Some(last) = batch.last_step() {
            let mut last_step = self.last_step.lock().unwrap_or_else(PoisonError::into_inner);
            *last_step = Some(last_step.map_or(last, |already| already.min(last)));
        }
        // Write while the lock on the placement is held, so that two changes arrive in order.
        Ok(self.device.guarded(|| {
            self.write(program, &change);
            Ok(())
        })?)
    }

    fn write(&self, program: usize, change: &Change) {
        let write = |table: usize, record: usize, index: usize, bytes: &[u8]| {
            self.device.queue.write_buffer(&self.block, (table + record * index) as u64, bytes);
        };
        let BlockLayout { programs, stages, tracks, segments, heights, .. } = self.layout;
        if let Some(structure) = &change.structure {
            let (stage, track) = (structure.stage_first as usize, structure.track_first as usize);
            write(stages, size_of::<PackedStage>(), stage, bytemuck::cast_slice(&structure.stages));
            write(tracks, size_of::<PackedTrack>(), track, bytemuck::cast_slice(&structure.tracks));
        }
        let segment = change.program.segment_first as usize;
        write(segments, size_of::<PackedSegment>(), segment, bytemuck::cast_slice(&change.segments));
        let height = change.program.height_first as usize;
        write(heights, size_of::<PackedHeight>(), height, bytemuck::cast_slice(&change.heights));
        write(programs, size_of::<PackedProgram>(), program, bytemuck::bytes_of(&change.program));
    }

    /// Releases the caller's buffers, which the cached bind groups keep alive.
    pub fn forget_bindings(&self) {
        self.bound.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Checks a binding for `columns` values per program.
    fn rates(&self, binding: wgpu::BufferBinding<'_>, columns: u64) -> Result<Region, Error> {
        let needed = (self.len as u64).checked_mul(columns).and_then(|values| values.checked_mul(4));
        let Some(needed) = needed else {
            return Err(EvaluateError::TooLarge { schedules: self.len, steps: columns, bytes: 4 }.into());
        };
        Ok(Region::of(&self.device, "the rates", &binding, needed)?)
    }

    fn check(&self, counter: &Counter) -> Result<(), GpuError> {
        if counter.count() == 1 || counter.count() == self.len {
            return Ok(());
        }
        let remedy = format!("there are {} programs", self.len);
        Err(GpuError::Parameter { field: "the counter's steps", found: counter.count().to_string(), remedy })
    }

    fn counting(&self, counter: &Counter) -> Result<wgpu::BindGroup, GpuError> {
        self.bound(Kernel::Increment, std::slice::from_ref(&counter.region))
    }

    fn bound(&self, kernel: Kernel, regions: &[Region]) -> Result<wgpu::BindGroup, GpuError> {
        let mut bound = self.bound.lock().unwrap_or_else(PoisonError::into_inner);
        bound.get(&self.device, kernel, &self.kernels.of(kernel).layout, regions)
    }

    fn dispatch(&self, pass: &mut wgpu::ComputePass<'_>, kernel: Kernel, own: &wgpu::BindGroup, threads: u64) {
        let most = self.device.limits.max_compute_workgroups_per_dimension;
        let (x, y) = two_dimensions(threads.div_ceil(WORKGROUP_SIZE.into()), most);
        pass.set_pipeline(&self.kernels.of(kernel).pipeline);
        pass.set_bind_group(0, &self.group, &[]);
        pass.set_bind_group(1, own, &[]);
        pass.dispatch_workgroups(x, y, 1);
    }
}

const _: () = {
    const fn shared<T: Send + Sync>() {}
    shared::<Programs>();
    shared::<Counter>();
};
