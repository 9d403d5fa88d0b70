//! Random parameters for every schedule.

use super::numbers::{ends, exponent, geometric_ends, length, ratio, rising, share, value};
use super::{Choices, Nesting, combinators};
use lrgrid::schedule::*;

/// A schedule of the kind that an example is of.
pub(super) fn like(example: &Schedule, nesting: Nesting, choices: &mut Choices<'_>) -> Schedule {
    // One arm for each kind, so that a new one does not compile before it is drawn.
    match example {
        Schedule::Constant(_) => Constant { value: value(choices) }.into(),
        Schedule::Linear(_) => {
            let ((start, end), steps) = (ends(choices), length(choices, nesting.most));
            Linear { start, end, steps }.into()
        }
        Schedule::Polynomial(_) => {
            let ((start, end), steps) = (ends(choices), length(choices, nesting.most));
            Polynomial { start, end, steps, power: exponent(choices) }.into()
        }
        Schedule::Cosine(_) => {
            let ((start, end), steps) = (ends(choices), length(choices, nesting.most));
            Cosine { start, end, steps }.into()
        }
        Schedule::CosinePower(_) => cosine_power(nesting, choices).into(),
        Schedule::Exponential(_) => {
            let (start, decay_rate, decay_steps) = (value(choices), ratio(choices), few_steps(nesting, choices));
            Exponential { start, decay_rate, decay_steps, staircase: choices.percent(40) }.into()
        }
        Schedule::NormalizedExponential(_) => {
            let ((start, end), steps) = (ends(choices), length(choices, nesting.most));
            NormalizedExponential { start, end, steps, ratio: proper_ratio(choices) }.into()
        }
        Schedule::Step(_) => {
            let (start, decay_rate) = (value(choices), ratio(choices));
            Step { start, decay_rate, step_size: length(choices, nesting.most) }.into()
        }
        Schedule::MultiStep(_) => {
            let (start, decay_rate, count) = (value(choices), ratio(choices), choices.below(6) as usize);
            MultiStep { start, decay_rate, milestones: rising(choices, count, 0, nesting.most) }.into()
        }
        Schedule::PiecewiseConstant(_) => {
            let count = choices.below(6) as usize;
            let boundaries = rising(choices, count, 1, nesting.most);
            PiecewiseConstant { values: values(choices, boundaries.len() + 1), boundaries }.into()
        }
        Schedule::PiecewiseLinear(_) => {
            let count = 1 + choices.below(5) as usize;
            let steps = rising(choices, count, 0, nesting.most);
            PiecewiseLinear { points: steps.into_iter().map(|step| Point(step, value(choices))).collect() }.into()
        }
        Schedule::PiecewiseInterpolate(_) => interpolate(choices).into(),
        Schedule::InverseSqrt(_) => {
            let (start, timescale) = (value(choices), length(choices, nesting.most));
            let shift = if choices.percent(50) { length(choices, nesting.most) } else { 0 };
            InverseSqrt { start, timescale, shift }.into()
        }
        Schedule::InverseTime(_) => {
            let decay_rate = if choices.percent(10) { 0.0 } else { choices.power_of_ten(-6.0, 2.0) };
            let (start, decay_steps) = (value(choices), few_steps(nesting, choices));
            InverseTime { start, decay_rate, decay_steps, staircase: choices.percent(40) }.into()
        }
        Schedule::InversePower(_) => {
            let staircase = choices.percent(40);
            let whole = length(choices, nesting.most) as f64;
            let timescale = if staircase { whole } else { choices.power_of_ten(-3.0, 6.0) };
            InversePower { start: value(choices), timescale, power: exponent(choices), staircase }.into()
        }
        Schedule::Noam(_) => {
            let model_dim = if choices.percent(80) {
                choices.pick([512.0, 64.0, 1024.0, 768.0])
            } else {
                choices.power_of_ten(-3.0, 6.0)
            };
            Noam { model_dim, warmup_steps: length(choices, nesting.most), scale: value(choices) }.into()
        }
        Schedule::OneCycle(_) => {
            let three_phase = choices.percent(40);
            let (max, initial, r#final) = (value(choices), value(choices), value(choices));
            let pct_start = if three_phase { share(choices) / 2.0 } else { share(choices) };
            let anneal = choices.pick([Anneal::Cosine, Anneal::Linear]);
            OneCycle { max, initial, r#final, steps: length(choices, nesting.most), pct_start, anneal, three_phase }
                .into()
        }
        Schedule::Cyclic(_) => cyclic(nesting, choices).into(),
        Schedule::SlantedTriangular(_) => {
            let (max, steps) = (value(choices), length(choices, nesting.most));
            let cut_fraction = share(choices).min(1.0 - f64::EPSILON);
            let ratio = if choices.percent(70) {
                choices.pick([32.0, 2.0, 1.0, 100.0])
            } else {
                choices.power_of_ten(-3.0, 6.0)
            };
            SlantedTriangular { max, steps, cut_fraction, ratio }.into()
        }
        Schedule::CosineRestarts(_) => {
            let (max, min) = ends(choices);
            let (multiplier, decay) = (combinators::growth(choices), height(choices));
            CosineRestarts { max, min, period: length(choices, nesting.most), multiplier, decay }.into()
        }
        Schedule::Wsd(_) => wsd(nesting, choices).into(),
        Schedule::Tanh(_) => {
            let ((start, end), steps) = (ends(choices), length(choices, nesting.most));
            let lower = if choices.percent(20) { choices.between(-1000.0, 900.0) } else { choices.between(-10.0, 1.0) };
            let upper = (lower + choices.power_of_ten(-2.0, 1.9)).min(1000.0);
            Tanh { start, end, steps, lower, upper }.into()
        }
        Schedule::Logistic(_) => {
            let ((start, end), steps) = (ends(choices), length(choices, nesting.most));
            let steepness = if choices.percent(20) {
                choices.power_of_ten(-3.0, 3.0).min(1000.0)
            } else {
                choices.between(1.0, 40.0)
            };
            Logistic { start, end, steps, steepness, midpoint: share(choices) }.into()
        }
        Schedule::Rex(_) => {
            let ((start, end), steps) = (ends(choices), length(choices, nesting.most));
            Rex { start, end, steps }.into()
        }
        Schedule::KDecay(_) => {
            let ((start, end), steps) = (ends(choices), length(choices, nesting.most));
            let form = choices.pick([KDecayForm::Cosine, KDecayForm::Polynomial]);
            let power = if form == KDecayForm::Polynomial { exponent(choices) } else { 1.0 };
            KDecay { start, end, steps, k: exponent(choices), form, power }.into()
        }
        Schedule::Sequence(_)
        | Schedule::Warmup(_)
        | Schedule::Product(_)
        | Schedule::Sum(_)
        | Schedule::Scale(_)
        | Schedule::Clamp(_)
        | Schedule::Delay(_)
        | Schedule::Clock(_)
        | Schedule::Restarts(_)
        | Schedule::Until(_)
        | Schedule::Cycle(_) => combinators::like(example, nesting, choices),
    }
}

/// A unit of time: often one step.
fn few_steps(nesting: Nesting, choices: &mut Choices<'_>) -> u64 {
    if choices.percent(40) { 1 } else { length(choices, nesting.most) }
}

fn values(choices: &mut Choices<'_>, count: usize) -> Vec<f64> {
    (0..count).map(|_| value(choices)).collect()
}

/// A ratio above 0 and below 1.
fn proper_ratio(choices: &mut Choices<'_>) -> f64 {
    match choices.below(8) {
        0..=2 => choices.pick([0.5, 0.1, 1e-6, 0.999]),
        3 => choices.pick([1.0 - 1e-12, 1.0 - f64::EPSILON, 1e-300, 1e-30]),
        _ => choices.power_of_ten(-8.0, -1e-4),
    }
}

/// How much lower or higher each cycle is.
pub(super) fn height(choices: &mut Choices<'_>) -> f64 {
    if choices.percent(50) { choices.pick([0.5, 0.9, 0.7, 1.1, 2.0, 0.1]) } else { 1.0 }
}

fn cosine_power(nesting: Nesting, choices: &mut Choices<'_>) -> CosinePower {
    let ((start, end), steps) = (ends(choices), length(choices, nesting.most));
    let form = choices.pick([CosinePowerForm::Normalized, CosinePowerForm::Unnormalized, CosinePowerForm::Exponential]);
    let power = match form {
        CosinePowerForm::Normalized => exponent(choices),
        CosinePowerForm::Unnormalized => exponent(choices).min(1000.0),
        CosinePowerForm::Exponential if choices.percent(30) => choices.pick([1.0, 1.000_001, 10.0, 1e3, 1e30]),
        CosinePowerForm::Exponential => 1.0 + exponent(choices),
    };
    CosinePower { start, end, steps, power, form }
}

fn interpolate(choices: &mut Choices<'_>) -> PiecewiseInterpolate {
    let count = 1 + choices.below(5) as usize;
    let mut at = if choices.percent(30) { choices.between(-100.0, 10.0) } else { 0.0 };
    let mut points = Vec::with_capacity(count);
    for _ in 0..count {
        points.push(Knot(at, value(choices)));
        let step = length(choices, 1 << 40) as f64;
        at += match choices.below(4) {
            0 => step,
            1 => step * 0.1,
            2 => step + choices.unit(),
            _ => 0.01 + choices.unit(),
        };
    }
    PiecewiseInterpolate { points, interpolation: choices.pick([Interpolation::Linear, Interpolation::Cosine]) }
}

fn cyclic(nesting: Nesting, choices: &mut Choices<'_>) -> Cyclic {
    let (base, max) = ends(choices);
    let half = (nesting.most / 2).max(1);
    let step_size_up = length(choices, half);
    let step_size_down = choices.percent(50).then(|| length(choices, half));
    let mode = choices.pick([CyclicMode::Triangular, CyclicMode::Triangular2, CyclicMode::ExpRange]);
    let gamma = if mode == CyclicMode::ExpRange { ratio(choices) } else { 1.0 };
    Cyclic { base, max, step_size_up, step_size_down, mode, gamma }
}

fn wsd(nesting: Nesting, choices: &mut Choices<'_>) -> Wsd {
    let third = nesting.most / 3;
    let mut steps = || if choices.percent(15) { 0 } else { length(choices, third).min(third) };
    let (warmup_steps, stable_steps, decay_steps) = (steps(), steps(), steps());
    let shape =
        choices.pick([DecayShape::Linear, DecayShape::Cosine, DecayShape::Exponential, DecayShape::OneMinusSqrt]);
    let (peak, end) = if shape == DecayShape::Exponential { geometric_ends(choices) } else { ends(choices) };
    let start = if choices.percent(40) { value(choices) } else { 0.0 };
    Wsd { peak, warmup_steps, stable_steps, decay_steps, start, end, shape }
}
