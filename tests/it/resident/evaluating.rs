//! Steps that the host knows, into memory of the caller's.

use lrgrid::error::{Error, EvaluateError, GpuError};
use lrgrid::program::{MAX_STEP, Program};
use lrgrid::{Batch, Steps, wgpu};

use super::host::{BOUND, assert_near, host, part};
use lrgrid_testkit::{Random, cases};

/// Every corner of the lowered form whose values do not cancel.
fn programs(every: usize) -> Vec<Program> {
    let cases = cases::all(&mut Random::fixed());
    cases.into_iter().filter(|case| !case.cancels).step_by(every).map(|case| case.program).collect()
}

#[test]
fn every_corner_of_the_lowered_form_comes_out_right() {
    let Some(host) = host() else { return };
    let programs = programs(3);
    let resident = host.upload(&Batch::from_programs(&programs).unwrap());
    let ranges = [
        Steps::range(0..37),
        Steps::range(999..1003),
        Steps::range(5..MAX_STEP).stride_by(MAX_STEP / 21 + 12_345),
        Steps::range(MAX_STEP - 2..MAX_STEP + 1),
    ];
    for steps in ranges {
        let memory = host.memory(programs.len() * steps.len());
        let mut encoder = host.encoder();
        resident.encode(&mut encoder, &steps, memory.as_entire_buffer_binding()).unwrap();
        host.submit(encoder);
        let values = host.values(&memory);
        for (program, row) in programs.iter().zip(values.chunks_exact(steps.len())) {
            for (&got, step) in row.iter().zip(steps.iter()) {
                assert_near(got, program.exact(step), BOUND, &format!("step {step} of {program:?}"));
            }
        }
    }
}

#[test]
fn what_is_recorded_keeps_its_steps_and_its_place() {
    let Some(host) = host() else { return };
    let programs = [Program::hold(0.5), programs(50).swap_remove(3)];
    let resident = host.upload(&Batch::from_programs(&programs).unwrap());
    // Parts of one buffer, at the offsets of WebGPU's default alignment, from one encoder and one pass.
    let memory = host.memory(64 * 7);
    let mut encoder = host.encoder();
    let place = |i: u64| part(&memory, 256 * i, 2 * 4 * (i + 1));
    let steps = |i: u64| Steps::range(1000 * i..1000 * i + i + 1);
    for i in 0..3 {
        resident.encode(&mut encoder, &steps(i), place(i)).unwrap();
    }
    {
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        for i in 3..6 {
            resident.encode(&mut pass, &steps(i), place(i)).unwrap();
        }
    }
    host.submit(encoder);
    let words = host.words(&memory);
    for i in 0..7 {
        let row = &words[64 * i as usize..64 * (i + 1) as usize];
        let written = if i < 6 { 2 * (i as usize + 1) } else { 0 };
        for (index, word) in row[..written].iter().enumerate() {
            let (program, step) = (&programs[index / (i as usize + 1)], 1000 * i + index as u64 % (i + 1));
            assert_near(f32::from_bits(*word), program.exact(step), BOUND, &format!("step {step}"));
        }
        assert!(row[written..].iter().all(|&word| word == u32::MAX), "what is outside the binding is left alone");
    }
}

#[test]
fn a_larger_binding_does_not_change_the_rows() {
    let Some(host) = host() else { return };
    let programs = [Program::hold(1.0), Program::hold(2.0), Program::hold(3.0)];
    let resident = host.upload(&Batch::from_programs(&programs).unwrap());
    let memory = host.memory(100);
    let mut encoder = host.encoder();
    resident.encode(&mut encoder, &Steps::range(0..5), memory.as_entire_buffer_binding()).unwrap();
    host.submit(encoder);
    let values = host.values(&memory);
    assert_eq!(values[..15], [[1.0; 5], [2.0; 5], [3.0; 5]].concat());
    assert!(values[15..].iter().all(|value| value.to_bits() == u32::MAX));
}

#[test]
fn memory_that_cannot_be_bound_is_refused_with_the_remedy() {
    let Some(host) = host() else { return };
    let resident = host.upload(&Batch::from_programs([&Program::hold(1.0)]).unwrap());
    let memory = host.memory(128);
    let steps = Steps::range(0..4);
    let refusal = |binding: wgpu::BufferBinding<'_>| {
        let mut encoder = host.encoder();
        match resident.encode(&mut encoder, &steps, binding) {
            Err(Error::Gpu(GpuError::Binding { field, found, remedy, .. })) => (field, found, remedy),
            other => panic!("{other:?}"),
        }
    };
    let (field, found, remedy) = refusal(part(&memory, 100, 16));
    assert_eq!((field, found), ("offset", 100));
    assert!(remedy.contains("multiples of 256") && remedy.contains("use 0 or 256"), "{remedy}");
    assert_eq!(refusal(part(&memory, 1024, 16)).0, "offset");
    assert_eq!(refusal(part(&memory, 256, 15)), ("size", 15, "16 bytes are written".to_owned()));
    assert_eq!(refusal(part(&memory, 256, 512)).0, "size");
    let uniform = host.device.create_buffer(&wgpu::BufferDescriptor {
        label: None,
        size: 64,
        usage: wgpu::BufferUsages::UNIFORM,
        mapped_at_creation: false,
    });
    assert_eq!(refusal(uniform.as_entire_buffer_binding()).0, "buffer usage");
    // A table that no binding holds.
    let far = Steps::range(0..1 << 40);
    let refused = resident.encode(&mut host.encoder(), &far, memory.as_entire_buffer_binding()).unwrap_err();
    assert!(matches!(refused, Error::Gpu(GpuError::Binding { field: "size", .. })), "{refused}");
}

#[test]
fn steps_that_cannot_be_recorded_are_refused() {
    let Some(host) = host() else { return };
    let resident = host.upload(&Batch::from_programs([&Program::hold(1.0)]).unwrap());
    let memory = host.memory(16);
    let mut encoder = host.encoder();
    let mut encode = |steps: &Steps| resident.encode(&mut encoder, steps, memory.as_entire_buffer_binding());
    assert!(matches!(encode(&Steps::list([3, 1])), Err(Error::Gpu(GpuError::Parameter { field: "steps", .. }))));
    let far = Steps::range(MAX_STEP..MAX_STEP + 2);
    assert!(matches!(encode(&far), Err(Error::Evaluate(EvaluateError::StepRange { .. }))));
    assert!(encode(&Steps::range(7..7)).is_ok(), "no steps, nothing to do");
    let ends = r#"schedule = { kind = "until", last = 9, of = { kind = "constant", value = 1 } }"#;
    let ends = host.upload(&lrgrid::Spec::from_toml(ends).unwrap().compile().unwrap());
    let refused = ends.encode(&mut host.encoder(), &Steps::range(8..11), memory.as_entire_buffer_binding());
    assert!(matches!(refused, Err(Error::Evaluate(EvaluateError::PastEnd { step: 10, last: 9 }))));
}

#[test]
fn an_empty_batch_records_nothing() {
    let Some(host) = host() else { return };
    let resident = host.upload(&Batch::default());
    assert!(resident.is_empty());
    let memory = host.memory(4);
    let mut encoder = host.encoder();
    resident.encode(&mut encoder, &Steps::range(0..4), memory.as_entire_buffer_binding()).unwrap();
    resident
        .encode_advance(&mut encoder, &resident.counter(0).unwrap(), memory.as_entire_buffer_binding(), None)
        .unwrap();
    host.submit(encoder);
    assert_eq!(host.words(&memory), [u32::MAX; 4]);
}
