//! Steps that the device counts, and the ring of those to come.

use lrgrid::error::{Error, EvaluateError, GpuError};
use lrgrid::gpu::CounterKind;
use lrgrid::program::{MAX_STEP, Program};
use lrgrid::{Batch, Spec, wgpu};

use super::host::{BOUND, assert_near, host, part};

/// Seventy schedules: more than a workgroup.
fn sweep() -> Batch {
    let text = r#"
        schedule = { kind = "warmup", steps = 10, then = { kind = "cosine", start = "$peak", end = 0, steps = 90 } }
        sweep.parameters.peak = { min = 1e-4, max = 1e-2, count = 70, distribution = "log_uniform_values" }"#;
    Spec::from_toml(text).unwrap().compile().unwrap()
}

#[test]
fn a_counter_for_all_goes_through_a_run_without_the_host() {
    let Some(host) = host() else { return };
    let batch = sweep();
    let programs = host.upload(&batch);
    let counter = programs.counter(95).unwrap();
    let (stride, rounds) = (512, 12);
    let memory = host.memory(stride / 4 * rounds);
    let mut encoder = host.encoder();
    for round in 0..rounds as u64 {
        let rates = part(&memory, stride as u64 * round, 4 * 70);
        if round % 2 == 0 {
            programs.encode_advance(&mut encoder, &counter, rates, None).unwrap();
        } else {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            programs.encode_advance(&mut pass, &counter, rates, None).unwrap();
        }
    }
    host.submit(encoder);
    assert_eq!(counter.read().unwrap(), [95 + rounds as u64]);
    let values = host.values(&memory);
    for (round, row) in values.chunks_exact(stride / 4).enumerate() {
        for (program, &got) in row[..70].iter().enumerate() {
            let step = 95 + round as u64;
            assert_near(got, batch.program(program).exact(step), BOUND, &format!("step {step} of {program}"));
        }
        assert!(row[70..].iter().all(|value| value.to_bits() == u32::MAX));
    }
    counter.set(3).unwrap();
    assert_eq!(counter.read().unwrap(), [3]);
}

#[test]
fn each_program_may_count_for_itself() {
    let Some(host) = host() else { return };
    let batch = sweep();
    let programs = host.upload(&batch);
    let starts: Vec<u64> = (0..70).map(|i| if i == 69 { (1 << 32) - 1 } else { i * i }).collect();
    let counter = programs.counters(&starts).unwrap();
    let memory = host.memory(70);
    let mut encoder = host.encoder();
    for _ in 0..3 {
        programs.encode_advance(&mut encoder, &counter, memory.as_entire_buffer_binding(), None).unwrap();
    }
    host.submit(encoder);
    let ends: Vec<u64> = starts.iter().map(|start| start + 3).collect();
    assert_eq!(counter.read().unwrap(), ends, "a low word carries into the high one");
    for (program, got) in host.values(&memory).into_iter().enumerate() {
        let step = starts[program] + 2;
        assert_near(got, batch.program(program).exact(step), BOUND, &format!("step {step} of {program}"));
    }
    counter.set_all(&starts).unwrap();
    assert_eq!(counter.read().unwrap(), starts);
}

#[test]
fn a_counter_may_lie_in_memory_of_the_callers() {
    let Some(host) = host() else { return };
    let programs = host.upload(&Batch::from_programs([&Program::hold(1.0), &Program::hold(2.0)]).unwrap());
    let memory = host.memory(128);
    host.queue.write_buffer(&memory, 256, bytemuck::cast_slice(&[41_u32, 1, 6, 0]));
    let rates = host.memory(2);
    let counter = programs.counter_in(part(&memory, 256, 16), CounterKind::PerProgram).unwrap();
    let mut encoder = host.encoder();
    programs.encode_advance(&mut encoder, &counter, rates.as_entire_buffer_binding(), None).unwrap();
    programs.encode_count(&mut encoder, &counter).unwrap();
    host.submit(encoder);
    assert_eq!(counter.read().unwrap(), [(1 << 32) + 43, 8]);
    assert_eq!(host.words(&memory)[64..68], [43, 1, 8, 0]);
    let refused = programs.counter_in(part(&memory, 256, 8), CounterKind::PerProgram).unwrap_err();
    assert!(matches!(refused, GpuError::Binding { what: "the counter", field: "size", .. }), "{refused}");
}

#[test]
fn a_ring_holds_the_steps_to_come() {
    let Some(host) = host() else { return };
    let batch = sweep();
    let programs = host.upload(&batch);
    for (start, depth) in [(0, 16_u64), (13, 16), (95, 8), (7, 1), (5, 2)] {
        let counter = programs.counter(start).unwrap();
        let ring = host.memory(70 * depth as usize);
        let mut encoder = host.encoder();
        programs.encode_look_ahead(&mut encoder, &counter, depth as u32, ring.as_entire_buffer_binding()).unwrap();
        for _ in 0..depth {
            programs.encode_count(&mut encoder, &counter).unwrap();
        }
        host.submit(encoder);
        assert_eq!(counter.read().unwrap(), [start + depth], "filling does not count");
        let values = host.values(&ring);
        for program in 0..70 {
            for step in start..start + depth {
                let got = values[program * depth as usize + (step & (depth - 1)) as usize];
                assert_near(got, batch.program(program).exact(step), BOUND, &format!("step {step} of {program}"));
            }
        }
    }
    let counter = programs.counter(0).unwrap();
    let ring = host.memory(70 * 12);
    let refused = programs.encode_look_ahead(&mut host.encoder(), &counter, 12, ring.as_entire_buffer_binding());
    assert!(matches!(refused, Err(Error::Gpu(GpuError::Parameter { field: "the ring's depth", .. }))));
}

#[test]
fn wrong_steps_and_counts_are_refused() {
    let Some(host) = host() else { return };
    let two = host.upload(&Batch::from_programs([&Program::hold(1.0), &Program::hold(2.0)]).unwrap());
    let three = host.upload(&Batch::from_programs([&Program::hold(1.0); 3]).unwrap());
    let range = |refused: Error| matches!(refused, Error::Evaluate(EvaluateError::StepRange { .. }));
    assert!(range(two.counter(MAX_STEP + 1).unwrap_err()));
    let counter = two.counters(&[1, 2]).unwrap();
    assert!(range(counter.set(u64::MAX).unwrap_err()));
    assert!(matches!(counter.set_all(&[1]), Err(Error::Gpu(GpuError::Parameter { .. }))));
    assert!(matches!(two.counters(&[1]), Err(Error::Gpu(GpuError::Parameter { .. }))));
    let rates = host.memory(3);
    let refused = three.encode_advance(&mut host.encoder(), &counter, rates.as_entire_buffer_binding(), None);
    assert!(matches!(refused, Err(Error::Gpu(GpuError::Parameter { field: "the counter's steps", .. }))));
    assert_eq!(counter.read().unwrap(), [1, 2], "what was refused changed nothing");
}
