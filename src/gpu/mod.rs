//! The GPU backend: the batch's integers through WGSL integers to the bits of the table.
//!
//! The shader computes curves in 32-bit words only, a small floating-point library included, because WGSL's
//! own floating point may be fused, reordered and flushed as a driver likes. Long rows it cuts into blocks: a
//! polynomial through a few exact values, checked at another, gives the rest in floating point, of which so
//! little is asked that no driver can spoil it by more than 2 ULP.

mod device;
mod dispatch;
mod kernel;
mod measure;
mod probe;
mod readback;
mod requirements;
mod resident;
pub mod shader;
mod statistics;
mod tables;
mod tile;
mod used;

use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

pub use device::{GpuDevice, GpuKind, devices};
#[doc(hidden)]
pub use dispatch::Tuning;
pub use measure::{Clock, Timing};
pub use resident::{Adam, AdamBlock, AdamConstants, Counter, PackedAdam, Programs, Record, Room};

use crate::element::{Dtype, Element};
use crate::error::{Error, EvaluateError, GpuError};
use crate::evaluate::Evaluate;
use crate::packed::{Batch, Steps};
use device::Device;
use dispatch::{Request, Resources, run};
use resident::ResidentKernels;

/// Evaluates batches on a GPU, through Vulkan, Metal or DirectX 12.
///
/// Writes `f32`, `f16` and `bf16`. Evaluations through one `Gpu` take turns.
///
/// ```no_run
/// use lrgrid::program::Program;
/// use lrgrid::{Batch, Evaluate, Gpu, Steps};
///
/// let gpu = Gpu::new()?;
/// let batch = Batch::from_programs([&Program::hold(3e-4)])?;
/// assert_eq!(gpu.evaluate::<f32>(&batch, &Steps::range(0..4))?, [3e-4; 4]);
/// # Ok::<(), lrgrid::Error>(())
/// ```
#[derive(Debug)]
pub struct Gpu {
    device: Arc<Device>,
    tuning: Tuning,
    resources: Mutex<Resources>,
    /// Compiled when the first batch is uploaded.
    resident: OnceLock<Arc<ResidentKernels>>,
}

impl Gpu {
    /// The best adapter there is: discrete, integrated, virtual, then software.
    ///
    /// `WGPU_BACKEND`, `WGPU_ADAPTER_NAME` and `WGPU_POWER_PREF` are honoured.
    ///
    /// # Errors
    /// When there is no adapter, it gives no device, or its arithmetic is off.
    pub fn new() -> Result<Self, GpuError> {
        Self::checked(Device::open(None)?)
    }

    /// The adapter whose name contains `name`, in any case, or whose place in [`devices`] it is.
    ///
    /// # Errors
    /// When there is no such adapter, it gives no device, or its arithmetic is off.
    pub fn with_adapter(name: &str) -> Result<Self, GpuError> {
        Self::checked(Device::open(Some(name))?)
    }

    /// An adapter of your own, on which a device is opened with all that the adapter can do.
    ///
    /// # Errors
    /// When the adapter gives no device, can do too little, or its arithmetic is off.
    pub fn from_adapter(adapter: &wgpu::Adapter) -> Result<Self, GpuError> {
        Self::checked(Device::on(adapter, adapter.get_info().into())?)
    }

    /// Your own device and its queue: no second device is made, and its error handlers stay yours.
    ///
    /// Its limits and features are taken as they are. WebGPU's default limits do.
    ///
    /// # Errors
    /// When one of its limits is too small, which is named, or its arithmetic is off.
    pub fn from_device(device: wgpu::Device, queue: wgpu::Queue) -> Result<Self, GpuError> {
        Self::checked(Device::of(device, queue))
    }

    fn checked(device: Device) -> Result<Self, GpuError> {
        requirements::check(&device.info.name, &device.limits)?;
        let device = Arc::new(device);
        let gpu = Self { device, tuning: Tuning::default(), resources: Mutex::default(), resident: OnceLock::new() };
        probe::check(&gpu)?;
        Ok(gpu)
    }

    /// Puts a batch on the device, to be evaluated there by commands of yours.
    ///
    /// # Errors
    /// When the batch is larger than what the device can bind, or the device fails.
    pub fn upload(&self, batch: &Batch) -> Result<Programs, GpuError> {
        self.upload_with(batch, Room::default())
    }

    /// The same with more or less room for programs that replace others.
    ///
    /// # Errors
    /// As [`Gpu::upload`].
    pub fn upload_with(&self, batch: &Batch, room: Room) -> Result<Programs, GpuError> {
        let kernels = match self.resident.get() {
            Some(kernels) => kernels,
            None => {
                let made = Arc::new(ResidentKernels::new(&self.device)?);
                self.resident.get_or_init(|| made)
            }
        };
        Programs::upload(&self.device, kernels, batch, room)
    }

    /// The same device with other sizes, which no result depends on.
    #[doc(hidden)]
    #[must_use]
    pub fn with_tuning(self, tuning: Tuning) -> Self {
        Self { tuning, ..self }
    }

    /// What the adapter is.
    #[must_use]
    pub fn device(&self) -> &GpuDevice {
        &self.device.info
    }

    /// The adapter's name.
    #[must_use]
    pub fn adapter_name(&self) -> &str {
        &self.device.info.name
    }

    /// Whether the adapter is a program on the CPU: slower than the CPU backend.
    #[must_use]
    pub fn is_software(&self) -> bool {
        self.device.info.is_software()
    }

    /// Fills the bytes of a table, in smaller tiles once more where memory ran out.
    fn fill(
        &self,
        batch: &Batch,
        rows: Range<usize>,
        steps: &Steps,
        dtype: Dtype,
        tuning: Tuning,
        out: &mut [u8],
    ) -> Result<(), GpuError> {
        // A panic elsewhere leaves nothing worse than a buffer that is made anew.
        let mut resources = self.resources.lock().unwrap_or_else(PoisonError::into_inner);
        let mut request = Request { batch, rows, steps, dtype, tuning };
        match run(&self.device, &mut resources, &request, out) {
            Err(GpuError::OutOfMemory { .. }) => {
                request.tuning.tile_bytes /= 2;
                run(&self.device, &mut resources, &request, out)
            }
            result => result,
        }
    }
}

impl Evaluate for Gpu {
    fn evaluate_rows_into<T: Element>(
        &self,
        batch: &Batch,
        rows: Range<usize>,
        steps: &Steps,
        out: &mut [T],
    ) -> Result<(), Error> {
        batch.check_output(&rows, steps, out.len())?;
        if T::DTYPE == Dtype::F64 {
            return Err(EvaluateError::Dtype { backend: "gpu", dtype: "f64", remedy: "f32, or the CPU backend" }.into());
        }
        if out.is_empty() {
            return Ok(());
        }
        self.fill(batch, rows, steps, T::DTYPE, self.tuning, bytemuck::cast_slice_mut(out))?;
        Ok(())
    }
}

const _: () = {
    const fn shared<T: Send + Sync>() {}
    shared::<Gpu>();
};
