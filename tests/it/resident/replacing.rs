//! Schedules that are replaced while they run.

use lrgrid::error::{Error, EvaluateError, GpuError};
use lrgrid::gpu::Room;
use lrgrid::program::Program;
use lrgrid::{Batch, Programs, Steps};

use super::host::{BOUND, Host, assert_near, host};
use lrgrid_testkit::{Random, cases};

/// A table of 40 steps from the device.
fn table(host: &Host, resident: &Programs) -> Vec<f32> {
    let memory = host.memory(resident.len() * 40);
    let mut encoder = host.encoder();
    resident.encode(&mut encoder, &Steps::range(0..40), memory.as_entire_buffer_binding()).unwrap();
    host.submit(encoder);
    host.values(&memory)
}

#[test]
fn programs_are_replaced_at_random() {
    let Some(host) = host() else { return };
    let mut random = Random::fixed();
    let cases: Vec<Program> =
        cases::all(&mut random).into_iter().filter(|case| !case.cancels).map(|case| case.program).collect();
    let mut current: Vec<Program> = cases.iter().step_by(40).cloned().collect();
    let room = Room { segments: 600, stages: 200, tracks: 200 };
    let resident = host.gpu.upload_with(&Batch::from_programs(&current).unwrap(), room).unwrap();
    let mut refused = 0;
    for round in 0..120 {
        let row = random.below(current.len() as u64) as usize;
        let with = &cases[random.below(cases.len() as u64) as usize];
        // A row of a batch of several, whose own tables begin elsewhere.
        let batch = Batch::from_programs([&Program::hold(1.0), &cases[round], with]).unwrap();
        match resident.replace(row, &batch, 2) {
            Ok(()) => current[row] = with.clone(),
            Err(Error::Gpu(GpuError::Parameter { .. })) => refused += 1,
            Err(error) => panic!("{error}"),
        }
        if round % 15 == 0 || round == 119 {
            let values = table(host, &resident);
            for (row, program) in current.iter().enumerate() {
                for step in 0..40 {
                    let what = format!("round {round}, step {step} of {row}");
                    assert_near(values[row * 40 + step], program.exact(step as u64), BOUND, &what);
                }
            }
        }
    }
    assert!(refused < 60, "{refused} of 120 found no room");
}

#[test]
fn a_ring_takes_a_new_schedule_between_steps() {
    let Some(host) = host() else { return };
    let programs = host.upload(&Batch::from_programs([&Program::hold(1.0), &Program::hold(2.0)]).unwrap());
    let counter = programs.counter(6).unwrap();
    let ring = host.memory(8);
    let fill = || {
        let mut encoder = host.encoder();
        programs.encode_look_ahead(&mut encoder, &counter, 4, ring.as_entire_buffer_binding()).unwrap();
        host.submit(encoder);
    };
    fill();
    programs.replace(1, &Batch::from_programs([&Program::hold(5.0)]).unwrap(), 0).unwrap();
    assert_eq!(host.values(&ring), [1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 2.0], "until it is filled again");
    fill();
    assert_eq!(host.values(&ring), [1.0, 1.0, 1.0, 1.0, 5.0, 5.0, 5.0, 5.0]);
}

#[test]
fn what_has_no_place_is_refused_and_changes_nothing() {
    let Some(host) = host() else { return };
    let batch = Batch::from_programs([&Program::hold(1.0)]).unwrap();
    let none = Room { segments: 0, stages: 0, tracks: 0 };
    let resident = host.gpu.upload_with(&batch, none).unwrap();
    let long = r#"schedule = { kind = "multi_step", start = 1, decay_rate = 0.5, milestones = [3, 5, 8] }"#;
    let long = lrgrid::Spec::from_toml(long).unwrap().compile().unwrap();
    let error = resident.replace(0, &long, 0).unwrap_err();
    assert!(error.to_string().contains("upload with more Room"), "{error}");
    assert_eq!(table(host, &resident), [1.0; 40]);
    let ends = r#"schedule = { kind = "until", last = 30, of = { kind = "constant", value = 2 } }"#;
    resident.replace(0, &lrgrid::Spec::from_toml(ends).unwrap().compile().unwrap(), 0).unwrap();
    let past = resident.encode(&mut host.encoder(), &Steps::range(0..40), host.memory(40).as_entire_buffer_binding());
    assert!(matches!(past, Err(Error::Evaluate(EvaluateError::PastEnd { step: 39, last: 30 }))));
    for (program, schedule) in [(1, 0), (0, 1), (usize::MAX, 0)] {
        let refused = resident.replace(program, &batch, schedule);
        assert!(matches!(refused, Err(Error::Evaluate(EvaluateError::Rows { .. }))));
    }
}
