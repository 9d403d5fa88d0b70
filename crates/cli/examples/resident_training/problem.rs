//! What is learnt, from where, and at which rates.

use lrgrid::{Batch, Error, Spec};

/// Samples in a step.
pub const BATCH: usize = 64;
/// Units of a hidden layer.
pub const HIDDEN: usize = 16;
/// Weights and biases: 2 → 16 → 16 → 1.
pub const PARAMETERS: usize = 2 * HIDDEN + HIDDEN + HIDDEN * HIDDEN + HIDDEN + HIDDEN + 1;

/// SplitMix64 in [0, 1).
struct Random(u64);

impl Random {
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / 2f64.powi(53)
    }
}

/// Two spirals of one turn and a half, one in the other: x, y, the class, 0. Every batch has both classes from end to end.
pub fn samples() -> Vec<[f32; 4]> {
    let (batches, per_class) = (4, 128_u32);
    let mut samples = Vec::new();
    for batch in 0..batches {
        for i in (batch..per_class).step_by(batches as usize) {
            let along = f64::from(i) / f64::from(per_class - 1);
            let (angle, radius) = (1.5 * along * std::f64::consts::TAU, 0.15 + 0.85 * along);
            for class in [0.0, 1.0] {
                let (sine, cosine) = (angle + class * std::f64::consts::PI).sin_cos();
                samples.push([(radius * cosine) as f32, (radius * sine) as f32, class as f32, 0.0]);
            }
        }
    }
    samples
}

/// Where every network begins: the same, so that the schedules make the difference.
pub fn initial_weights() -> Vec<f32> {
    let mut random = Random(7);
    let mut layer = |count: usize, inputs: usize| -> Vec<f32> {
        let reach = (3.0 / inputs as f64).sqrt() * 1.5;
        (0..count).map(|_| ((2.0 * random.unit() - 1.0) * reach) as f32).collect()
    };
    let (first, first_bias) = (layer(2 * HIDDEN, 2), layer(HIDDEN, 2));
    let (second, second_bias) = (layer(HIDDEN * HIDDEN, HIDDEN), layer(HIDDEN, HIDDEN));
    [first, first_bias, second, second_bias, layer(HIDDEN, HIDDEN), vec![0.0]].concat()
}

/// A schedule's parameters, by which the sweep differs.
#[derive(Clone, Copy, Debug)]
pub struct Point {
    pub peak: f64,
    pub warmup_steps: u64,
    pub decay_steps: u64,
    /// The last value as a share of the peak.
    pub end: f64,
}

/// So many warmup-stable-decay schedules, spread evenly over peak, warmup, decay and end.
pub fn sweep(networks: usize, steps: u64) -> Result<(Batch, Vec<Point>), Error> {
    // Additive recurrence with powers of the generalised golden ratio in four dimensions: any number fills the space.
    let step = |power: i32| 1.167_303_978_261_418_7_f64.powi(-power);
    let along = |i: usize, power| (0.5 + step(power) * (i + 1) as f64).fract();
    let share = |part: f64| ((part * steps as f64) as u64).max(1);
    let points: Vec<Point> = (0..networks)
        .map(|i| {
            let warmup_steps = share(0.3 * along(i, 2));
            let decay_steps = share(along(i, 3)).min(steps.saturating_sub(warmup_steps)).max(1);
            let peak = 1e-4 * 1000f64.powf(along(i, 1));
            Point { peak, warmup_steps, decay_steps, end: 0.2 * along(i, 4) }
        })
        .collect();
    let list = |of: &dyn Fn(&Point) -> String| points.iter().map(of).collect::<Vec<_>>().join(", ");
    let stable = |p: &Point| (steps.saturating_sub(p.warmup_steps + p.decay_steps)).to_string();
    let text = format!(
        "schedule = {{ kind = \"wsd\", peak = \"$peak\", warmup_steps = \"$warmup\", stable_steps = \"$stable\", \
           decay_steps = \"$decay\", end = \"$end\" }}\n\
         sweep.method = \"zip\"\n\
         sweep.parameters.peak.values = [{}]\nsweep.parameters.warmup.values = [{}]\n\
         sweep.parameters.stable.values = [{}]\nsweep.parameters.decay.values = [{}]\n\
         sweep.parameters.end.values = [{}]\n",
        list(&|p| format!("{:e}", p.peak)),
        list(&|p| p.warmup_steps.to_string()),
        list(&stable),
        list(&|p| p.decay_steps.to_string()),
        list(&|p| format!("{:e}", p.peak * p.end)),
    );
    Ok((Spec::from_toml(&text)?.compile()?, points))
}
