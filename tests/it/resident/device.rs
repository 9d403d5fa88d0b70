//! The caller's device, or one on the caller's adapter.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use lrgrid::error::GpuError;
use lrgrid::program::Program;
use lrgrid::wgpu;
use lrgrid::{Batch, Evaluate, Gpu, Steps};

use super::host::{adapter, device};

#[test]
fn a_table_can_be_had_through_the_callers_device() {
    let Some((device, queue)) = device() else { return };
    let gpu = Gpu::from_device(device.clone(), queue).unwrap();
    assert_eq!(gpu.adapter_name(), device.adapter_info().name);
    let batch = Batch::from_programs([&Program::hold(0.5), &Program::hold(0.25)]).unwrap();
    assert_eq!(gpu.evaluate::<f32>(&batch, &Steps::range(0..300)).unwrap()[299..301], [0.5, 0.25]);
}

#[test]
fn the_callers_handlers_stay_the_callers() {
    let Some((device, queue)) = device() else { return };
    let seen = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&seen);
    device.on_uncaptured_error(Arc::new(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
    }));
    let _gpu = Gpu::from_device(device.clone(), queue).unwrap();
    assert_eq!(seen.load(Ordering::Relaxed), 0);
    // An error of the caller's own.
    let _wrong = device.create_buffer(&wgpu::BufferDescriptor {
        label: None,
        size: 4,
        usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::STORAGE,
        mapped_at_creation: false,
    });
    assert_eq!(seen.load(Ordering::Relaxed), 1);
}

#[test]
fn an_adapter_gives_a_device() {
    let Some(adapter) = adapter() else { return };
    let gpu = Gpu::from_adapter(&adapter).unwrap();
    assert_eq!(gpu.adapter_name(), adapter.get_info().name);
    assert!(gpu.upload(&Batch::from_programs([&Program::hold(0.5)]).unwrap()).is_ok());
}

#[test]
fn a_device_that_can_do_too_little_is_refused() {
    let Some(adapter) = adapter() else { return };
    let limits = wgpu::Limits { max_storage_buffers_per_shader_stage: 4, ..wgpu::Limits::default() };
    let request = wgpu::DeviceDescriptor { required_limits: limits, ..wgpu::DeviceDescriptor::default() };
    let (device, queue) = pollster::block_on(adapter.request_device(&request)).unwrap();
    let error = Gpu::from_device(device, queue).unwrap_err();
    let limit = "max_storage_buffers_per_shader_stage";
    assert_eq!(error, GpuError::Limit { adapter: adapter.get_info().name, limit, needed: 7, found: 4 });
    assert!(error.to_string().contains("request it with a larger limit"), "{error}");
}

#[test]
fn a_batch_beyond_what_the_device_binds_is_refused() {
    let Some(adapter) = adapter() else { return };
    let limits = wgpu::Limits { max_storage_buffer_binding_size: 1 << 16, ..wgpu::Limits::default() };
    let request = wgpu::DeviceDescriptor { required_limits: limits, ..wgpu::DeviceDescriptor::default() };
    let (device, queue) = pollster::block_on(adapter.request_device(&request)).unwrap();
    let gpu = Gpu::from_device(device, queue).unwrap();
    let programs: Vec<Program> = (1..1000).map(|i| Program::hold(f64::from(i))).collect();
    let refused = gpu.upload(&Batch::from_programs(&programs).unwrap()).unwrap_err();
    assert!(matches!(refused, GpuError::TooLarge { limit: 65_536, .. }), "{refused}");
}
