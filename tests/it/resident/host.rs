//! A device as a training program would have it, and its memory.

use std::sync::LazyLock;

use lrgrid::double_double::DoubleDouble;
use lrgrid::ulp::ulps;
use lrgrid::wgpu::{self, BufferUsages as Usage};
use lrgrid::{Batch, Gpu, Programs};

/// Worst distance of a value computed by itself, in units in the last place; tests/gpu.rs has a bound for each curve.
pub const BOUND: f64 = 0.56;

pub struct Host {
    pub device: wgpu::Device,
    pub queue: wgpu::Queue,
    pub gpu: Gpu,
}

/// The best adapter; `None`, with the reason printed, where there is none and none is required.
pub fn adapter() -> Option<wgpu::Adapter> {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
    let found = pollster::block_on(instance.request_adapter(&wgpu::RequestAdapterOptions::default()));
    match found {
        Ok(adapter) => Some(adapter),
        Err(error) if std::env::var_os("LRGRID_REQUIRE_GPU").is_some_and(|value| value == "1") => {
            panic!("LRGRID_REQUIRE_GPU=1, but {error}")
        }
        Err(error) => {
            eprintln!("skipped: no GPU adapter: {error}");
            None
        }
    }
}

/// A device of the caller's with WebGPU's default limits, features none.
pub fn device() -> Option<(wgpu::Device, wgpu::Queue)> {
    Some(pollster::block_on(adapter()?.request_device(&wgpu::DeviceDescriptor::default())).unwrap())
}

/// One for all tests.
pub fn host() -> Option<&'static Host> {
    static HOST: LazyLock<Option<Host>> = LazyLock::new(|| {
        let (device, queue) = device()?;
        let gpu = Gpu::from_device(device.clone(), queue.clone()).unwrap();
        Some(Host { device, queue, gpu })
    });
    HOST.as_ref()
}

impl Host {
    pub fn upload(&self, batch: &Batch) -> Programs {
        self.gpu.upload(batch).unwrap()
    }

    /// Memory for so many words, all ones.
    pub fn memory(&self, words: usize) -> wgpu::Buffer {
        let buffer = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: words as u64 * 4,
            usage: Usage::STORAGE | Usage::COPY_SRC | Usage::COPY_DST,
            mapped_at_creation: false,
        });
        self.queue.write_buffer(&buffer, 0, &vec![0xff; words * 4]);
        buffer
    }

    pub fn encoder(&self) -> wgpu::CommandEncoder {
        self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default())
    }

    pub fn submit(&self, encoder: wgpu::CommandEncoder) {
        self.queue.submit([encoder.finish()]);
    }

    /// The words of a buffer, once all is done.
    pub fn words(&self, buffer: &wgpu::Buffer) -> Vec<u32> {
        let staging = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: buffer.size(),
            usage: Usage::MAP_READ | Usage::COPY_DST,
            mapped_at_creation: false,
        });
        let mut encoder = self.encoder();
        encoder.copy_buffer_to_buffer(buffer, 0, &staging, 0, buffer.size());
        self.submit(encoder);
        staging.map_async(wgpu::MapMode::Read, .., |mapped| mapped.unwrap());
        self.device.poll(wgpu::PollType::wait_indefinitely()).unwrap();
        let view = staging.get_mapped_range(..).unwrap();
        view.chunks_exact(4).map(|word| u32::from_le_bytes(word.try_into().unwrap())).collect()
    }

    pub fn values(&self, buffer: &wgpu::Buffer) -> Vec<f32> {
        self.words(buffer).into_iter().map(f32::from_bits).collect()
    }
}

/// Part of a buffer.
pub fn part(buffer: &wgpu::Buffer, offset: u64, size: u64) -> wgpu::BufferBinding<'_> {
    wgpu::BufferBinding { buffer, offset, size: wgpu::BufferSize::new(size) }
}

/// Fails where a value is not near enough to the exact one.
pub fn assert_near(got: f32, exact: DoubleDouble, bound: f64, what: &str) {
    let off = ulps(got, exact);
    assert!(off <= bound, "{what}: {got:e} is {off} ULP from {:e}", exact.high());
}
