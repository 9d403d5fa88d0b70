//! The choice of an adapter, and its device with handlers for all of its errors.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::error::GpuError;

/// The description of an adapter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GpuDevice {
    /// The adapter's name.
    pub name: String,
    /// The graphics API: `vulkan`, `metal` or `dx12`.
    pub backend: String,
    /// The kind of adapter.
    pub kind: GpuKind,
    /// Name and version of the driver.
    pub driver: String,
}

/// The kind of an adapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GpuKind {
    /// A discrete GPU.
    Discrete,
    /// A GPU integrated into the processor.
    Integrated,
    /// A virtual GPU.
    Virtual,
    /// Unknown.
    Other,
    /// A software rasterizer: suited to tests, slower than the CPU backend.
    Software,
}

impl GpuKind {
    /// Order of choice: lower is better.
    const fn rank(self, preference: wgpu::PowerPreference) -> u8 {
        match self {
            Self::Discrete => 1,
            Self::Integrated if matches!(preference, wgpu::PowerPreference::LowPower) => 0,
            Self::Integrated => 2,
            Self::Virtual => 3,
            Self::Other => 4,
            Self::Software => 5,
        }
    }
}

impl fmt::Display for GpuKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Discrete => "discrete",
            Self::Integrated => "integrated",
            Self::Virtual => "virtual",
            Self::Other => "other",
            Self::Software => "software",
        })
    }
}

impl GpuDevice {
    /// Whether it is a software rasterizer.
    #[must_use]
    pub fn is_software(&self) -> bool {
        self.kind == GpuKind::Software
    }
}

impl fmt::Display for GpuDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}, {}, {})", self.name, self.kind, self.backend, self.driver)
    }
}

impl From<wgpu::AdapterInfo> for GpuDevice {
    fn from(info: wgpu::AdapterInfo) -> Self {
        let driver = format!("{} {}", info.driver, info.driver_info);
        Self {
            name: info.name,
            backend: info.backend.to_string(),
            kind: match info.device_type {
                wgpu::DeviceType::DiscreteGpu => GpuKind::Discrete,
                wgpu::DeviceType::IntegratedGpu => GpuKind::Integrated,
                wgpu::DeviceType::VirtualGpu => GpuKind::Virtual,
                wgpu::DeviceType::Cpu => GpuKind::Software,
                wgpu::DeviceType::Other => GpuKind::Other,
            },
            driver: driver.trim().to_owned(),
        }
    }
}

/// Every adapter of the backends that `WGPU_BACKEND` allows, best first.
fn adapters() -> Vec<(wgpu::Adapter, GpuDevice)> {
    let backends = wgpu::Backends::from_env().unwrap_or(wgpu::Backends::all());
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor {
        backends,
        // Without this, debug builds ask for validation layers, which few machines have.
        flags: wgpu::InstanceFlags::empty().with_env(),
        ..wgpu::InstanceDescriptor::new_without_display_handle()
    });
    let preference = wgpu::PowerPreference::from_env().unwrap_or_default();
    let mut found: Vec<(wgpu::Adapter, GpuDevice)> = pollster::block_on(instance.enumerate_adapters(backends))
        .into_iter()
        .map(|adapter| {
            let device = GpuDevice::from(adapter.get_info());
            (adapter, device)
        })
        .collect();
    found.sort_by_key(|(_, device)| device.kind.rank(preference));
    found
}

/// All adapters, best first; [`Gpu::with_adapter`](super::Gpu::with_adapter) accepts their indices.
///
/// `WGPU_BACKEND` restricts the list, `WGPU_POWER_PREF=low` puts integrated adapters first.
#[must_use]
pub fn devices() -> Vec<GpuDevice> {
    adapters().into_iter().map(|(_, device)| device).collect()
}

/// Whether an adapter matches a request: a part of its name, or its index in the list.
fn answers(wanted: &str, index: usize, device: &GpuDevice) -> bool {
    match wanted.parse::<usize>() {
        Ok(place) => place == index,
        Err(_) => device.name.to_lowercase().contains(&wanted.to_lowercase()),
    }
}

/// The longest wait for one submission; a driver that takes longer is assumed to hang.
pub(super) const PATIENCE: Duration = Duration::from_secs(120);

/// An open device.
#[derive(Debug)]
pub(super) struct Device {
    pub info: GpuDevice,
    pub device: wgpu::Device,
    pub queue: wgpu::Queue,
    pub limits: wgpu::Limits,
    /// An error that the device reported outside any error scope: its loss, or an error from its threads.
    fault: Arc<Mutex<Option<String>>>,
}

impl Device {
    /// Opens the requested adapter, otherwise the one named by `WGPU_ADAPTER_NAME`, otherwise the best.
    pub fn open(wanted: Option<&str>) -> Result<Self, GpuError> {
        let environment = std::env::var("WGPU_ADAPTER_NAME").ok().filter(|name| !name.is_empty());
        let wanted = wanted.map(str::to_owned).or(environment);
        let found = adapters();
        let names: Vec<String> = found.iter().map(|(_, device)| device.name.clone()).collect();
        let mut candidates = found.into_iter().enumerate();
        let chosen = match &wanted {
            None => candidates.next(),
            Some(wanted) => candidates.find(|(index, (_, device))| answers(wanted, *index, device)),
        };
        let Some((_, (adapter, info))) = chosen else {
            return Err(GpuError::NoAdapter {
                wanted: wanted.map_or_else(|| "present".to_owned(), |wanted| format!("matches `{wanted}`")),
                found: if names.is_empty() {
                    "no Vulkan, Metal or DirectX 12 driver answered".to_owned()
                } else {
                    format!("there are {}", names.join(", "))
                },
            });
        };
        Self::on(&adapter, info)
    }

    /// Opens a device with all limits of an adapter.
    pub fn on(adapter: &wgpu::Adapter, info: GpuDevice) -> Result<Self, GpuError> {
        let limits = adapter.limits();
        let request = adapter.request_device(&wgpu::DeviceDescriptor {
            label: Some("lrgrid"),
            required_features: adapter.features() & wgpu::Features::TIMESTAMP_QUERY,
            required_limits: limits.clone(),
            ..wgpu::DeviceDescriptor::default()
        });
        let (device, queue) = pollster::block_on(request)
            .map_err(|reason| GpuError::NoDevice { adapter: info.name.clone(), reason: reason.to_string() })?;
        let fault = Arc::new(Mutex::new(None));
        let (on_error, on_loss) = (Arc::clone(&fault), Arc::clone(&fault));
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| note(&on_error, error.to_string())));
        device.set_device_lost_callback(move |reason, message| {
            note(&on_loss, format!("the device was lost ({reason:?}): {message}"));
        });
        Ok(Self { info, device, queue, limits, fault })
    }

    /// Wraps a caller's device, whose error and loss handlers stay in place.
    pub fn of(device: wgpu::Device, queue: wgpu::Queue) -> Self {
        let (info, limits) = (device.adapter_info().into(), device.limits());
        Self { info, device, queue, limits, fault: Arc::default() }
    }

    /// The largest buffer that can be bound for storage.
    pub fn binding_limit(&self) -> u64 {
        self.limits.max_buffer_size.min(self.limits.max_storage_buffer_binding_size)
    }

    /// Creates a buffer of at least 16 bytes, enough for any binding and copy.
    pub fn buffer(&self, label: &str, size: u64, usage: wgpu::BufferUsages) -> wgpu::Buffer {
        self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some(label),
            size: size.max(16),
            usage,
            mapped_at_creation: false,
        })
    }

    /// Waits until a submission is complete, or until [`PATIENCE`] runs out.
    pub fn wait(&self, submission: wgpu::SubmissionIndex) -> Result<(), GpuError> {
        let wait = wgpu::PollType::Wait { submission_index: Some(submission), timeout: Some(PATIENCE) };
        self.device.poll(wait).map(|_| ()).map_err(|error| self.failed(error.to_string()))
    }

    /// Reads bytes of a buffer, a multiple of 4; meant for small ranges.
    pub fn read(&self, buffer: &wgpu::Buffer, offset: u64, size: u64) -> Result<Vec<u8>, GpuError> {
        let staging = self.buffer("lrgrid read", size, wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST);
        let mut commands = self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        commands.copy_buffer_to_buffer(buffer, offset, &staging, 0, size);
        let submission = self.queue.submit([commands.finish()]);
        staging.map_async(wgpu::MapMode::Read, 0..size, |_| {});
        self.wait(submission)?;
        let view = staging.get_mapped_range(0..size).map_err(|error| self.failed(error.to_string()))?;
        Ok(view.to_vec())
    }

    /// An error that names this adapter.
    pub fn failed(&self, reason: impl Into<String>) -> GpuError {
        GpuError::Failed { adapter: self.info.name.clone(), reason: reason.into() }
    }

    /// The error that made the device unusable, if any.
    pub fn fault(&self) -> Option<GpuError> {
        let fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        fault.as_ref().map(|reason| self.failed(reason.as_str()))
    }

    /// Runs `work` and catches every error of the device; those take precedence over the result of `work`.
    pub fn guarded<R>(&self, work: impl FnOnce() -> Result<R, GpuError>) -> Result<R, GpuError> {
        if let Some(fault) = self.fault() {
            return Err(fault);
        }
        let memory = self.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let validation = self.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let internal = self.device.push_error_scope(wgpu::ErrorFilter::Internal);
        let result = work();
        let mut first = None;
        for scope in [internal, validation, memory] {
            if let Some(error) = pollster::block_on(scope.pop()) {
                // The outermost scope catches out-of-memory errors, which explain the errors that follow from them.
                first = Some(error);
            }
        }
        match (first, self.fault()) {
            (Some(wgpu::Error::OutOfMemory { source }), _) => {
                Err(GpuError::OutOfMemory { adapter: self.info.name.clone(), reason: source.to_string() })
            }
            (Some(error), _) => Err(self.failed(error.to_string())),
            (None, Some(fault)) => Err(fault),
            (None, None) => result,
        }
    }
}

fn note(fault: &Mutex<Option<String>>, reason: String) {
    fault.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(reason);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(name: &str, kind: GpuKind) -> GpuDevice {
        GpuDevice { name: name.to_owned(), backend: "vulkan".to_owned(), kind, driver: "1".to_owned() }
    }

    #[test]
    fn an_adapter_answers_to_part_of_its_name_or_its_place() {
        let card = device("NVIDIA H100", GpuKind::Discrete);
        assert!(answers("h100", 3, &card));
        assert!(answers("3", 3, &card));
        assert!(!answers("3", 2, &card), "a number is a place, not a part of a name");
        assert!(!answers("radeon", 3, &card));
    }

    #[test]
    fn cards_come_before_software() {
        use GpuKind::{Discrete, Integrated, Other, Software, Virtual};
        use wgpu::PowerPreference::{LowPower, None};
        let ranks = [Discrete, Integrated, Virtual, Other, Software].map(|kind| kind.rank(None));
        assert!(ranks.is_sorted());
        assert!(Integrated.rank(LowPower) < Discrete.rank(LowPower));
    }
}
