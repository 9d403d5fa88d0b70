//! What fused Adam-style optimizers take, against products of double-doubles.

use lrgrid::double_double::DoubleDouble;
use lrgrid::error::{Error, GpuError};
use lrgrid::gpu::{Adam, AdamBlock};
use lrgrid::program::{MAX_STEP, Program};
use lrgrid::ulp::ulps;
use lrgrid::{Batch, Spec};

use super::host::{Host, assert_near, host};
use lrgrid_testkit::Random;

/// The bound that [`AdamBlock`] states: rounding, the schedule's own error, and 2^-30 for each of two functions.
const BOUND: f64 = 0.6;
/// The same where the schedule is exact.
const CONSTANT_BOUND: f64 = 0.52;

/// β^t by squaring, which shares nothing with the shader's 2^(t·log2 β).
fn power(beta: f64, mut t: u64) -> DoubleDouble {
    let (mut result, mut square) = (DoubleDouble::ONE, DoubleDouble::from(beta));
    while t > 0 {
        if t & 1 == 1 {
            result = result * square;
        }
        square = square * square;
        t >>= 1;
    }
    result
}

/// The blocks of every program at its own step.
fn blocks(host: &Host, batch: &Batch, steps: &[u64], adam: &[Adam]) -> Vec<AdamBlock> {
    let programs = host.upload(batch);
    let counter = programs.counters(steps).unwrap();
    let constants = programs.adam(adam).unwrap();
    let (rates, blocks) = (host.memory(batch.len()), host.memory(batch.len() * 6));
    let mut encoder = host.encoder();
    let into = Some((&constants, blocks.as_entire_buffer_binding()));
    programs.encode_advance(&mut encoder, &counter, rates.as_entire_buffer_binding(), into).unwrap();
    host.submit(encoder);
    let found: Vec<AdamBlock> = bytemuck::cast_slice(&host.words(&blocks)).to_vec();
    let rates = host.values(&rates);
    assert!(rates.iter().zip(&found).all(|(rate, block)| rate.to_bits() == block.lr.to_bits()));
    assert!(steps.iter().zip(&found).all(|(step, block)| block.step == lrgrid::packed::words(*step)));
    assert_eq!(counter.read().unwrap(), steps.iter().map(|step| step + 1).collect::<Vec<_>>());
    found
}

#[test]
fn blocks_are_within_their_bound() {
    let Some(host) = host() else { return };
    let mut random = Random::fixed();
    let betas = [0.0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.999, 0.9999, 1.0 - 1e-9, 1e-3, f64::from(0.9_f32)];
    let mut steps: Vec<u64> =
        (0..40).chain([99, 999, 9999, 99_999, 1 << 24, (1 << 32) - 1, 1 << 32, MAX_STEP - 1]).collect();
    steps.extend((0..400).map(|_| random.log_uniform(1.0, 1e7) as u64));
    let (mut programs, mut at, mut adam) = (Vec::new(), Vec::new(), Vec::new());
    for &beta1 in &betas {
        for &step in &steps {
            let beta2 = betas[random.below(betas.len() as u64) as usize];
            let weight_decay = [0.0, 0.1, 0.01, 30.0, -0.2][random.below(5) as usize];
            programs.push(Program::hold(random.log_uniform(1e-6, 1e-2)));
            at.push(step);
            adam.push(Adam { beta1, beta2, weight_decay });
        }
    }
    let batch = Batch::from_programs(&programs).unwrap();
    let mut worst = [0.0_f64; 3];
    for (((block, &step), adam), program) in blocks(host, &batch, &at, &adam).iter().zip(&at).zip(&adam).zip(&programs)
    {
        let lr = program.exact(step);
        let size = lr / (DoubleDouble::ONE - power(adam.beta1, step + 1));
        let root = DoubleDouble::ONE / (DoubleDouble::ONE - power(adam.beta2, step + 1)).sqrt();
        let decay = DoubleDouble::ONE - lr * DoubleDouble::from(adam.weight_decay);
        for (worst, (got, exact)) in
            worst.iter_mut().zip([(block.step_size, size), (block.inverse_root, root), (block.decay, decay)])
        {
            *worst = worst.max(ulps(got, exact));
            assert_near(got, exact, CONSTANT_BOUND, &format!("step {step} with {adam:?}: {block:?}"));
        }
    }
    println!("step_size, inverse_root, decay: worst {worst:.4?} ULP of {} blocks", at.len());
    // A bound of more than half an ULP beyond what is seen says little.
    assert!(worst[0] > 0.5 && worst[1] > 0.49, "{worst:?}");
}

#[test]
fn a_decay_that_nearly_cancels_keeps_what_it_states() {
    let Some(host) = host() else { return };
    let rates: Vec<f64> = (0..200).map(|i| 0.9 + 0.001 * f64::from(i)).collect();
    let programs: Vec<Program> = rates.iter().map(|&rate| Program::hold(rate)).collect();
    let batch = Batch::from_programs(&programs).unwrap();
    let adam = Adam { beta1: 0.9, beta2: 0.999, weight_decay: 1.0 };
    for (block, &rate) in blocks(host, &batch, &[0; 200], &[adam]).iter().zip(&rates) {
        let exact = DoubleDouble::ONE - DoubleDouble::from(rate);
        let off = (DoubleDouble::from(f64::from(block.decay)) - exact).abs().high();
        assert!(ulps(block.decay, exact) <= BOUND || off <= rate * 2f64.powi(-29), "{rate}: {block:?}");
    }
}

#[test]
fn the_rate_is_the_schedules_own() {
    let Some(host) = host() else { return };
    let text = r#"schedule = { kind = "cosine", start = 3e-4, end = 0, steps = 1000 }"#;
    let batch = Spec::from_toml(text).unwrap().compile().unwrap();
    for step in [0, 1, 500, 998, 999, 1000, 2000] {
        let adam = Adam { beta1: 0.9, beta2: 0.999, weight_decay: 0.1 };
        let block = blocks(host, &batch, &[step], &[adam])[0];
        let lr = batch.program(0).exact(step);
        assert_near(block.lr, lr, super::host::BOUND, "lr");
        assert_near(block.step_size, lr / (DoubleDouble::ONE - power(0.9, step + 1)), BOUND, "step_size");
    }
}

#[test]
fn constants_out_of_range_are_refused() {
    let Some(host) = host() else { return };
    let programs = host.upload(&Batch::from_programs([&Program::hold(1.0), &Program::hold(2.0)]).unwrap());
    let good = Adam { beta1: 0.9, beta2: 0.999, weight_decay: 0.0 };
    let refused = |adam: &[Adam]| match programs.adam(adam) {
        Err(Error::Gpu(GpuError::Parameter { field, .. })) => field,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(&[Adam { beta1: 1.0, ..good }]), "beta1");
    assert_eq!(refused(&[Adam { beta1: -0.1, ..good }]), "beta1");
    assert_eq!(refused(&[Adam { beta2: f64::NAN, ..good }]), "beta2");
    assert_eq!(refused(&[Adam { weight_decay: f64::INFINITY, ..good }]), "weight_decay");
    assert_eq!(refused(&[]), "the number of Adam's constants");
    assert_eq!(refused(&[good; 3]), "the number of Adam's constants");
    assert!(programs.adam(&[good; 2]).is_ok());
}
