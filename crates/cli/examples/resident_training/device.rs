//! The training on the device: with the schedules there, and with rates that the host writes before each step.

use std::cell::Cell;
use std::error::Error;
use std::time::Instant;

use lrgrid::wgpu::{self, BufferUsages as Usage};
use lrgrid::wgsl::{Options, Uses, library};
use lrgrid::{Batch, Counter, Cpu, Evaluate, Gpu, Programs, Steps};

use super::problem::{PARAMETERS, initial_weights, samples};

/// Rates that the uniform of the fed loop has room for.
pub const MOST_NETWORKS: usize = 4 * 4080;
/// Submissions under way at most: the queue stays short, and nothing long runs past a driver's patience.
const UNDER_WAY: usize = 4;

/// What a loop cost.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cost {
    pub dispatches: u64,
    pub submissions: u64,
    /// Bytes that went to the device in the loop.
    pub written: u64,
    /// Bytes that came back in the loop.
    pub read_in_loop: u64,
    /// Bytes that came back when it was over.
    pub read_at_end: u64,
    pub seconds: f64,
}

/// What came back at the end.
pub struct Outcome {
    pub cost: Cost,
    /// Loss and accuracy of each network.
    pub results: Vec<[f32; 2]>,
    /// Of one network after another.
    pub weights: Vec<f32>,
}

/// What the networks train with, and the device they train on.
pub struct Trainer {
    device: wgpu::Device,
    queue: wgpu::Queue,
    gpu: Gpu,
    module: wgpu::ShaderModule,
    batch: Batch,
    steps: u64,
    /// Steps that are recorded for one submission.
    chunk: u64,
    /// Bytes that have come back from the device.
    read: Cell<u64>,
}

/// The buffers of one run.
struct State {
    weights: wgpu::Buffer,
    results: wgpu::Buffer,
    all: Vec<wgpu::Buffer>,
}

impl Trainer {
    /// A training with a schedule of the batch for each network, on a device that the caller made.
    pub fn new(
        device: wgpu::Device,
        queue: wgpu::Queue,
        batch: Batch,
        steps: u64,
        chunk: u64,
    ) -> Result<Self, Box<dyn Error>> {
        let gpu = Gpu::from_device(device.clone(), queue.clone())?;
        let options = Options { group: 1, binding: 0, uses: Uses::of(&batch), ..Options::default() };
        let source = [include_str!("network.wgsl"), &library(&options)?].concat();
        let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some("training"),
            source: wgpu::ShaderSource::Wgsl(source.into()),
        });
        Ok(Self { device, queue, gpu, module, batch, steps, chunk: chunk.max(1), read: Cell::new(0) })
    }

    /// The adapter and its driver.
    pub fn name(&self) -> String {
        self.gpu.device().to_string()
    }

    fn networks(&self) -> usize {
        self.batch.len()
    }

    fn buffer(&self, bytes: &[u8], usage: Usage) -> wgpu::Buffer {
        let buffer = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: bytes.len() as u64,
            usage: usage | Usage::COPY_DST,
            mapped_at_creation: false,
        });
        self.queue.write_buffer(&buffer, 0, bytes);
        buffer
    }

    fn state(&self) -> State {
        let n = self.networks();
        let zeros = |words: usize| self.buffer(&vec![0; words * 4], Usage::STORAGE | Usage::COPY_SRC);
        let samples = self.buffer(bytemuck::cast_slice(&samples()), Usage::STORAGE);
        let initial = initial_weights().repeat(n);
        let weights = self.buffer(bytemuck::cast_slice(&initial), Usage::STORAGE | Usage::COPY_SRC);
        let results = zeros(2 * n);
        let others = [zeros(n * PARAMETERS), zeros(2 * n * PARAMETERS), zeros(2 * n)];
        let [gradients, moments, corrections] = others;
        let all = vec![samples, weights.clone(), gradients, moments, corrections, results.clone()];
        State { weights, results, all }
    }

    fn pipeline(&self, entry_point: &str) -> wgpu::ComputePipeline {
        self.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(entry_point),
            layout: None,
            module: &self.module,
            entry_point: Some(entry_point),
            // Whatever the kernels read there they have written.
            compilation_options: wgpu::PipelineCompilationOptions {
                zero_initialize_workgroup_memory: false,
                ..wgpu::PipelineCompilationOptions::default()
            },
            cache: None,
        })
    }

    fn group(
        &self,
        pipeline: &wgpu::ComputePipeline,
        index: u32,
        parts: &[(u32, wgpu::BufferBinding<'_>)],
    ) -> wgpu::BindGroup {
        let entries: Vec<_> = parts
            .iter()
            .map(|(binding, part)| wgpu::BindGroupEntry {
                binding: *binding,
                resource: wgpu::BindingResource::Buffer(part.clone()),
            })
            .collect();
        self.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: None,
            layout: &pipeline.get_bind_group_layout(index),
            entries: &entries,
        })
    }

    /// A pipeline with its bind groups.
    fn stage(
        &self,
        entry_point: &str,
        state: &State,
        own: &[u32],
        more: &[(u32, &[(u32, wgpu::BufferBinding<'_>)])],
    ) -> Stage {
        let pipeline = self.pipeline(entry_point);
        let parts: Vec<_> =
            own.iter().map(|&binding| (binding, state.all[binding as usize].as_entire_buffer_binding())).collect();
        let mut groups = vec![(0, self.group(&pipeline, 0, &parts))];
        groups.extend(more.iter().map(|(index, parts)| (*index, self.group(&pipeline, *index, parts))));
        Stage { pipeline, groups, workgroups: self.networks() as u32 }
    }

    /// Trains with `lr_at` in the optimizer, on a step that the device counts: the host only records.
    pub fn resident(&self, mut progress: impl FnMut(u64)) -> Result<Outcome, Box<dyn Error>> {
        let state = self.state();
        let programs: Programs = self.gpu.upload(&self.batch)?;
        let counter: Counter = programs.counter(0)?;
        let step = (1, counter.binding());
        let differentiate =
            self.stage("differentiate_resident", &state, &[0, 1, 2], &[(1, std::slice::from_ref(&step))]);
        let rates = [(0, programs.binding()), step];
        let optimize = self.stage("optimize_resident", &state, &[1, 2, 3, 4], &[(1, &rates)]);
        self.queue.submit([]);
        self.device.poll(wgpu::PollType::wait_indefinitely())?;
        let read = self.read.get();
        let (mut cost, mut under_way, start) = (Cost::default(), Vec::new(), Instant::now());
        let mut step = 0;
        while step < self.steps {
            let end = self.steps.min(step + self.chunk);
            let mut encoder = self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
            {
                let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
                for _ in step..end {
                    differentiate.record(&mut pass, &mut cost);
                    optimize.record(&mut pass, &mut cost);
                    programs.encode_count(&mut pass, &counter)?;
                    cost.dispatches += 1;
                }
            }
            self.submit(encoder, &mut cost, &mut under_way)?;
            step = end;
            progress(step);
        }
        self.device.poll(wgpu::PollType::wait_indefinitely())?;
        cost.seconds = start.elapsed().as_secs_f64();
        cost.read_in_loop = self.read.get() - read;
        self.outcome(&state, cost)
    }

    /// Trains with rates computed beforehand, which the host writes into a uniform before each step.
    pub fn fed(&self, mut progress: impl FnMut(u64)) -> Result<Outcome, Box<dyn Error>> {
        let state = self.state();
        let n = self.networks();
        let uniform = self.buffer(&vec![0; 16 * (1 + MOST_NETWORKS / 4)], Usage::UNIFORM);
        let fed = [(0, uniform.as_entire_buffer_binding())];
        let differentiate = self.stage("differentiate_fed", &state, &[0, 1, 2], &[(2, &fed)]);
        let optimize = self.stage("optimize_fed", &state, &[1, 2, 3, 4], &[(2, &fed)]);
        // A row for each step, so that the loop itself only copies.
        let table: Vec<f32> = Cpu::new()?.evaluate(&self.batch, &Steps::range(0..self.steps))?;
        let (columns, mut rows) = (self.steps as usize, vec![0.0_f32; table.len()]);
        for (network, of_network) in table.chunks_exact(columns.max(1)).enumerate() {
            for (step, &rate) in of_network.iter().enumerate() {
                rows[step * n + network] = rate;
            }
        }
        self.queue.submit([]);
        self.device.poll(wgpu::PollType::wait_indefinitely())?;
        let read = self.read.get();
        let (mut cost, mut under_way, start) = (Cost::default(), Vec::new(), Instant::now());
        for (step, rates) in (0_u32..).zip(rows.chunks_exact(n)) {
            self.queue.write_buffer(&uniform, 0, bytemuck::bytes_of(&[step, 0, 0, 0]));
            self.queue.write_buffer(&uniform, 16, bytemuck::cast_slice(rates));
            cost.written += 16 + size_of_val(rates) as u64;
            let mut encoder = self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
            {
                let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
                differentiate.record(&mut pass, &mut cost);
                optimize.record(&mut pass, &mut cost);
            }
            self.submit(encoder, &mut cost, &mut under_way)?;
            progress(u64::from(step) + 1);
        }
        self.device.poll(wgpu::PollType::wait_indefinitely())?;
        cost.seconds = start.elapsed().as_secs_f64();
        cost.read_in_loop = self.read.get() - read;
        self.outcome(&state, cost)
    }

    /// Submits, and waits for what was submitted a few submissions ago.
    fn submit(
        &self,
        encoder: wgpu::CommandEncoder,
        cost: &mut Cost,
        under_way: &mut Vec<wgpu::SubmissionIndex>,
    ) -> Result<(), Box<dyn Error>> {
        under_way.push(self.queue.submit([encoder.finish()]));
        cost.submissions += 1;
        if under_way.len() > UNDER_WAY {
            let oldest = under_way.remove(0);
            self.device.poll(wgpu::PollType::Wait { submission_index: Some(oldest), timeout: None })?;
        }
        Ok(())
    }

    /// Judges the networks, and only now reads anything back.
    fn outcome(&self, state: &State, mut cost: Cost) -> Result<Outcome, Box<dyn Error>> {
        let judge = self.stage("judge", state, &[0, 1, 5], &[]);
        let mut encoder = self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        judge.record(&mut encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default()), &mut Cost::default());
        self.queue.submit([encoder.finish()]);
        let read = self.read.get();
        let results = bytemuck::pod_collect_to_vec(&self.read(&state.results)?);
        let weights = bytemuck::pod_collect_to_vec(&self.read(&state.weights)?);
        cost.read_at_end = self.read.get() - read;
        Ok(Outcome { cost, results, weights })
    }

    fn read(&self, buffer: &wgpu::Buffer) -> Result<Vec<u8>, Box<dyn Error>> {
        let staging = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: buffer.size(),
            usage: Usage::MAP_READ | Usage::COPY_DST,
            mapped_at_creation: false,
        });
        let mut encoder = self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        encoder.copy_buffer_to_buffer(buffer, 0, &staging, 0, buffer.size());
        self.queue.submit([encoder.finish()]);
        staging.map_async(wgpu::MapMode::Read, .., |_| {});
        self.device.poll(wgpu::PollType::wait_indefinitely())?;
        let view = staging.get_mapped_range(..)?;
        self.read.set(self.read.get() + buffer.size());
        Ok(view.to_vec())
    }
}

struct Stage {
    pipeline: wgpu::ComputePipeline,
    groups: Vec<(u32, wgpu::BindGroup)>,
    workgroups: u32,
}

impl Stage {
    fn record(&self, pass: &mut wgpu::ComputePass<'_>, cost: &mut Cost) {
        pass.set_pipeline(&self.pipeline);
        for (index, group) in &self.groups {
            pass.set_bind_group(*index, group, &[]);
        }
        pass.dispatch_workgroups(self.workgroups, 1, 1);
        cost.dispatches += 1;
    }
}
