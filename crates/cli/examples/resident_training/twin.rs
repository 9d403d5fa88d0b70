//! The same training in f64 on the CPU, for a few networks: what the device is checked against.

use lrgrid::Batch;

use super::problem::{BATCH, HIDDEN, PARAMETERS};

const W1: usize = 0;
const B1: usize = W1 + 2 * HIDDEN;
const W2: usize = B1 + HIDDEN;
const B2: usize = W2 + HIDDEN * HIDDEN;
const W3: usize = B2 + HIDDEN;
const B3: usize = W3 + HIDDEN;

const BETA1: f64 = 0.9;
const BETA2: f64 = 0.99;
const EPSILON: f64 = 1e-8;

/// A network's weights after training, and its loss over all samples.
pub struct Trained {
    pub weights: Vec<f64>,
    pub loss: f64,
}

fn activation(x: f64) -> f64 {
    x / (1.0 + x.abs())
}

fn slope(y: f64) -> f64 {
    (1.0 - y.abs()).powi(2)
}

/// Both hidden layers' outputs, and the output.
pub fn forward(weights: &[f64], position: [f64; 2]) -> ([f64; HIDDEN], [f64; HIDDEN], f64) {
    let first = std::array::from_fn(|i| {
        let sum = weights[W1 + 2 * i] * position[0] + weights[W1 + 2 * i + 1] * position[1];
        activation(sum + weights[B1 + i])
    });
    let second = std::array::from_fn(|i| {
        let sum: f64 = (0..HIDDEN).map(|j| weights[W2 + i * HIDDEN + j] * first[j]).sum();
        activation(sum + weights[B2 + i])
    });
    let output = weights[B3] + (0..HIDDEN).map(|i| weights[W3 + i] * second[i]).sum::<f64>();
    (first, second, output)
}

fn gradient(weights: &[f64], batch: &[[f32; 4]]) -> Vec<f64> {
    let mut gradient = vec![0.0; PARAMETERS];
    for sample in batch {
        let position = [f64::from(sample[0]), f64::from(sample[1])];
        let (first, second, output) = forward(weights, position);
        let outer = (1.0 / (1.0 + (-output).exp()) - f64::from(sample[2])) / BATCH as f64;
        gradient[B3] += outer;
        let mut below = [0.0; HIDDEN];
        for i in 0..HIDDEN {
            gradient[W3 + i] += outer * second[i];
            let inner = outer * weights[W3 + i] * slope(second[i]);
            gradient[B2 + i] += inner;
            for j in 0..HIDDEN {
                gradient[W2 + i * HIDDEN + j] += inner * first[j];
                below[j] += weights[W2 + i * HIDDEN + j] * inner;
            }
        }
        for j in 0..HIDDEN {
            let inner = below[j] * slope(first[j]);
            gradient[B1 + j] += inner;
            gradient[W1 + 2 * j] += inner * position[0];
            gradient[W1 + 2 * j + 1] += inner * position[1];
        }
    }
    gradient
}

/// Mean loss over samples.
pub fn loss(weights: &[f64], samples: &[[f32; 4]]) -> f64 {
    let of = |sample: &[f32; 4]| {
        let output = forward(weights, [f64::from(sample[0]), f64::from(sample[1])]).2;
        output.max(0.0) - f64::from(sample[2]) * output + (-output.abs()).exp().ln_1p()
    };
    samples.iter().map(of).sum::<f64>() / samples.len() as f64
}

/// Trains one network with the reference's rates; `kept` makes of every number what is kept of it from step to step.
pub fn train(
    batch: &Batch,
    network: usize,
    steps: u64,
    samples: &[[f32; 4]],
    initial: &[f64],
    kept: fn(f64) -> f64,
) -> Trained {
    let mut weights = initial.to_vec();
    let (mut m, mut v) = (vec![0.0; PARAMETERS], vec![0.0; PARAMETERS]);
    let (mut first, mut second) = (0.0, 0.0);
    let batches = samples.len() / BATCH;
    for step in 0..steps {
        let at = (step % batches as u64) as usize * BATCH;
        let gradient = gradient(&weights, &samples[at..at + BATCH]);
        let rate = batch.value(network, step);
        first = BETA1 * first + (1.0 - BETA1);
        second = BETA2 * second + (1.0 - BETA2);
        for i in 0..PARAMETERS {
            let gradient = kept(gradient[i]);
            m[i] = kept(BETA1 * m[i] + (1.0 - BETA1) * gradient);
            v[i] = kept(BETA2 * v[i] + (1.0 - BETA2) * gradient * gradient);
            weights[i] = kept(weights[i] - rate * (m[i] / first) / ((v[i] / second).sqrt() + EPSILON));
        }
    }
    let loss = loss(&weights, samples);
    Trained { weights, loss }
}
