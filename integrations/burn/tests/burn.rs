//! Schedules in Burn: stepped, saved and loaded; tensors filled on Burn's device.

use burn::lr_scheduler::{DynLrScheduler, LrScheduler};
use burn::tensor::{Device, Tensor};
use lrgrid::{Batch, Gpu, Spec, Steps};
use lrgrid_burn::{Schedule, WriteError, write_into};

fn sweep() -> Batch {
    let text = r#"
        schedule = { kind = "warmup", steps = 10, then = { kind = "cosine", start = "$peak", end = 1e-6, steps = 90 } }
        sweep.parameters.peak = { values = [1e-4, 3e-3, 0.1] }"#;
    Spec::from_toml(text).unwrap().compile().unwrap()
}

#[test]
fn a_scheduler_steps_through_the_references_values() {
    for row in 0..3 {
        let mut schedule = Schedule::new(sweep(), row).unwrap();
        for step in 0..120 {
            assert_eq!(schedule.step(), sweep().value(row, step), "step {step} of {row}");
        }
    }
    assert!(Schedule::new(sweep(), 3).is_err());
}

#[test]
fn its_state_is_saved_and_loaded() {
    let mut first: DynLrScheduler = Schedule::new(sweep(), 1).unwrap().into();
    for _ in 0..37 {
        first.step();
    }
    let record = first.to_record();
    let mut second = DynLrScheduler::from(Schedule::new(sweep(), 1).unwrap()).load_record(record);
    for _ in 0..5 {
        assert_eq!(first.step(), second.step());
    }
    // A record of something else changes nothing.
    let mut plain = Schedule::new(sweep(), 1).unwrap();
    plain.load_record(burn::lr_scheduler::LrSchedulerRecord::new());
    assert_eq!(plain.next_step(), 0);
}

#[test]
fn a_schedule_that_ends_keeps_its_last_value() {
    let text = r#"schedule = { kind = "until", last = 3, of = { kind = "linear", start = 1, end = 0, steps = 10 } }"#;
    let mut schedule = Schedule::new(Spec::from_toml(text).unwrap().compile().unwrap(), 0).unwrap();
    let values: Vec<f64> = (0..6).map(|_| schedule.step()).collect();
    assert_eq!(values, [1.0, 0.9, 0.8, 0.7, 0.7, 0.7]);
}

#[test]
fn tensors_are_filled_on_burns_device() {
    let (device, setup) = Device::wgpu_options().init_with_setup().unwrap();
    let gpu = Gpu::from_device(setup.device.clone(), setup.queue.clone()).unwrap();
    let batch = sweep();
    let programs = gpu.upload(&batch).unwrap();
    let steps = Steps::range(5..105).stride_by(3);
    // Work of Burn's own before and after, in the same memory.
    let tensor = Tensor::<2>::zeros([3, steps.len()], &device);
    let doubled = write_into(tensor, &setup, &programs, &steps).unwrap() * 2.0;
    let values = doubled.into_data().try_to_vec::<f32>().unwrap();
    for row in 0..3 {
        for (column, step) in steps.iter().enumerate() {
            let (got, exact) = (f64::from(values[row * steps.len() + column]), 2.0 * batch.value(row, step));
            assert!((got - exact).abs() <= exact * 2f64.powi(-23), "step {step} of {row}: {got:e} for {exact:e}");
        }
    }
    let small = Tensor::<1>::zeros([7], &device);
    assert!(matches!(write_into(small, &setup, &programs, &steps), Err(WriteError::Tensor { .. })));
    let shared = Tensor::<1>::zeros([3 * steps.len()], &device);
    let other = shared.clone();
    let refused = write_into(shared, &setup, &programs, &steps).unwrap_err();
    assert!(refused.to_string().contains("shared"), "{refused}");
    assert_eq!(other.into_data().try_to_vec::<f32>().unwrap(), vec![0.0; 3 * steps.len()]);
}
