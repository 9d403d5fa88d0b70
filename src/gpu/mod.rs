//! The GPU backend, through wgpu and WGSL.
//!
//! The shader computes curves in 32-bit integers, with a small soft-float library of its own, because drivers may fuse,
//! reorder and flush WGSL's floating point. It divides long rows into blocks: a polynomial interpolates a few exactly
//! computed values, is checked at one more, and gives the other values in floating point. That part of the arithmetic
//! is arranged so that no driver can add an error of more than 2 ULP.

mod buffers;
mod device;
mod dispatch;
mod kernel;
mod measure;
mod probe;
mod readback;
mod reducer;
mod request;
mod requirements;
mod resident;
mod resources;
mod ring;
pub mod shader;
mod statistics;
mod tables;
mod tile;
mod used;

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

pub use device::{GpuDevice, GpuKind, devices};
pub use measure::{Clock, Timing};
#[doc(hidden)]
pub use request::Tuning;
pub use resident::{Adam, AdamBlock, AdamConstants, Counter, CounterKind, PackedAdam, Programs, Record, Room};

use crate::element::Dtype;
use crate::error::{Error, EvaluateError, GpuError};
use crate::evaluate::{Evaluation, Evaluator};
use crate::packed::Batch;
use device::Device;
use request::Request;
use resident::ResidentKernels;
use resources::Resources;

/// Evaluates batches on a GPU, through Vulkan, Metal or DirectX 12.
///
/// Supports `f32`, `f16` and `bf16`. Concurrent evaluations through one `Gpu` run one after another.
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
    /// The kernels of [`Programs`], compiled when the first batch is uploaded.
    resident: OnceLock<Arc<ResidentKernels>>,
}

impl Gpu {
    /// Opens the best adapter: discrete before integrated, virtual and software.
    ///
    /// The environment variables `WGPU_BACKEND`, `WGPU_ADAPTER_NAME` and `WGPU_POWER_PREF` are respected.
    ///
    /// # Errors
    /// When there is no adapter, the adapter provides no device, or its arithmetic is wrong.
    pub fn new() -> Result<Self, GpuError> {
        Self::checked(Device::open(None)?)
    }

    /// Opens the adapter whose name contains `name` (ignoring case) or whose index in [`devices`] it is.
    ///
    /// # Errors
    /// When there is no such adapter, the adapter provides no device, or its arithmetic is wrong.
    pub fn with_adapter(name: &str) -> Result<Self, GpuError> {
        Self::checked(Device::open(Some(name))?)
    }

    /// Opens a device, with all limits of the adapter, on the caller's adapter.
    ///
    /// # Errors
    /// When the adapter provides no device, one of its limits is too small, or its arithmetic is wrong.
    pub fn from_adapter(adapter: &wgpu::Adapter) -> Result<Self, GpuError> {
        Self::checked(Device::on(adapter, adapter.get_info().into())?)
    }

    /// Uses the caller's device and queue: no second device is created, and the caller's error handlers stay in place.
    ///
    /// Limits and features are those of the device. WebGPU's default limits suffice.
    ///
    /// # Errors
    /// When one of the device's limits is too small, with its name, or its arithmetic is wrong.
    pub fn from_device(device: wgpu::Device, queue: wgpu::Queue) -> Result<Self, GpuError> {
        Self::checked(Device::of(device, queue))
    }

    fn checked(device: Device) -> Result<Self, GpuError> {
        requirements::check(&device.info.name, &device.limits)?;
        let (tuning, mut resources) = (Tuning::default(), Resources::default());
        probe::check(&device, &mut resources, tuning)?;
        Ok(Self { device: Arc::new(device), tuning, resources: Mutex::new(resources), resident: OnceLock::new() })
    }

    /// Uploads a batch to the device, to be evaluated there by the caller's commands.
    ///
    /// # Errors
    /// When the batch is larger than the device can bind, or the device fails.
    pub fn upload(&self, batch: &Batch) -> Result<Programs, GpuError> {
        self.upload_with(batch, Room::default())
    }

    /// As [`Gpu::upload`], with a given room for programs that replace others.
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

    /// The same device with other sizes, on which no result depends.
    #[doc(hidden)]
    #[must_use]
    pub fn with_tuning(self, tuning: Tuning) -> Self {
        Self { tuning, ..self }
    }

    /// The adapter's description.
    #[must_use]
    pub fn device(&self) -> &GpuDevice {
        &self.device.info
    }

    /// The adapter's name.
    #[must_use]
    pub fn adapter_name(&self) -> &str {
        &self.device.info.name
    }

    /// Whether the adapter is a software rasterizer, which is slower than the CPU backend.
    #[must_use]
    pub fn is_software(&self) -> bool {
        self.device.info.is_software()
    }
}

impl Evaluator for Gpu {
    fn run(&self, Evaluation { batch, rows, steps, table }: Evaluation<'_>) -> Result<(), Error> {
        let dtype = table.dtype();
        if dtype == Dtype::F64 {
            return Err(EvaluateError::Dtype { backend: "gpu", dtype: "f64", remedy: "f32, or the CPU backend" }.into());
        }
        if table.is_empty() {
            return Ok(());
        }
        let request = Request { batch, rows, steps, dtype, tuning: self.tuning };
        // A panic of another thread leaves at worst a buffer that is allocated again.
        let mut resources = self.resources.lock().unwrap_or_else(PoisonError::into_inner);
        dispatch::fill(&self.device, &mut resources, request, table.into_bytes())?;
        Ok(())
    }
}

const _: () = {
    const fn shared<T: Send + Sync>() {}
    shared::<Gpu>();
};
