//! The device's training against the same in f64.

use lrgrid::Batch;

use super::device::Outcome;
use super::problem::{PARAMETERS, initial_weights, samples};
use super::twin::{Trained, train};

/// How much further apart than two f64 trainings the device's and the f64 one may end.
///
/// The device rounds to f32 in every operation, and training carries that on and magnifies it. How far a training ends that
/// computes in f64 and keeps its numbers in f32 from step to step is measured beside it. The device rounds within a step,
/// too, in sums and activations: up to four times as much has been seen. WGSL lets other drivers round division and the
/// exponential several times as coarsely.
pub const ALLOWED: f64 = 30.0;

/// One network's deviations.
#[derive(Clone, Copy, Debug)]
pub struct Deviation {
    pub network: usize,
    pub loss: f64,
    pub exact_loss: f64,
    /// Relative distance of the weights, as vectors.
    pub weights: f64,
    /// The same of an f64 training that keeps f32 from step to step.
    pub sensitivity: f64,
}

impl Deviation {
    /// Relative deviation of the loss.
    pub fn of_loss(&self) -> f64 {
        (self.loss - self.exact_loss).abs() / self.exact_loss
    }

    /// The relative distance that is allowed.
    pub fn allowed(&self) -> f64 {
        ALLOWED * self.sensitivity
    }

    /// Whether the weights are further away than that, or no numbers.
    pub fn is_breached(&self) -> bool {
        self.weights.is_nan() || self.weights > self.allowed()
    }
}

fn distance(weights: impl Iterator<Item = f64>, exact: &[f64]) -> f64 {
    let square: f64 = weights.zip(exact).map(|(a, b)| (a - b).powi(2)).sum();
    (square / exact.iter().map(|b| b * b).sum::<f64>()).sqrt()
}

/// Trains some of the networks again in f64, and once more keeping f32 from step to step.
pub fn check(batch: &Batch, steps: u64, outcome: &Outcome, networks: &[usize]) -> Vec<Deviation> {
    let samples = samples();
    let initial: Vec<f64> = initial_weights().into_iter().map(f64::from).collect();
    let one = |&network: &usize| {
        let Trained { weights: exact, loss } = train(batch, network, steps, &samples, &initial, |number| number);
        let other = train(batch, network, steps, &samples, &initial, |number| f64::from(number as f32)).weights;
        let found = &outcome.weights[network * PARAMETERS..(network + 1) * PARAMETERS];
        Deviation {
            network,
            loss: f64::from(outcome.results[network][0]),
            exact_loss: loss,
            weights: distance(found.iter().map(|&w| f64::from(w)), &exact),
            sensitivity: distance(other.into_iter(), &exact),
        }
    };
    networks.iter().map(one).collect()
}
