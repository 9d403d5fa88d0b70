//! Axes: positions and labels of ticks, and the choice between linear and logarithmic.

use lrgrid::readable::steps;

/// Ratio of the largest to the smallest value from which a logarithmic axis is chosen.
const DECADES: f64 = 1e3;

/// The most octaves that a logarithmic axis extends below the largest value.
const MOST_DECADES: f64 = 8.0;

/// The scale of the vertical axis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scale {
    /// Linear, or logarithmic if positive values span three decades or more in much of the picture.
    #[default]
    Auto,
    /// Linear.
    Linear,
    /// Logarithmic; values of 0 and below are at the bottom.
    Log,
}

/// A vertical axis.
#[derive(Clone, Debug, PartialEq)]
pub struct ValueAxis {
    /// Whether it is logarithmic.
    pub log: bool,
    /// Value at the bottom.
    pub low: f64,
    /// Value at the top.
    pub high: f64,
    /// Values and labels of the ticks.
    pub ticks: Vec<(f64, String)>,
}

impl ValueAxis {
    /// The axis for values, with about `ticks` ticks.
    #[must_use]
    pub fn new(values: impl Iterator<Item = f64> + Clone, scale: Scale, ticks: usize) -> Self {
        let finite = values.filter(|value| value.is_finite());
        let (low, high) = finite.clone().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
        if low > high {
            return Self::linear(0.0, 1.0, ticks);
        }
        let mut positive: Vec<f64> = finite.filter(|&value| value > 0.0).collect();
        positive.sort_unstable_by(f64::total_cmp);
        let log = match scale {
            Scale::Linear => false,
            Scale::Log => high > 0.0,
            // A warmup from 0 or a last step near 0 does not suffice: a tenth of the picture must be that low.
            Scale::Auto => {
                low >= 0.0 && positive.get(positive.len() / 10).is_some_and(|&tenth| high / tenth >= DECADES)
            }
        };
        if !log {
            return Self::linear(low.min(0.0), if high > 0.0 || low < 0.0 { high.max(0.0) } else { 1.0 }, ticks);
        }
        let least = positive.first().copied().unwrap_or(high);
        let low = least.max(high * 10f64.powf(-MOST_DECADES)).log10().floor().max(-300.0);
        let top = high.log10().ceil().max(low + 1.0);
        let every = ((top - low) / ticks.max(1) as f64).ceil().max(1.0);
        let exponents = (0..).map(|index| low + every * f64::from(index)).take_while(|&exponent| exponent <= top);
        let ticks = exponents.map(|exponent| (10f64.powf(exponent), format!("1e{exponent}"))).collect();
        Self { log, low: 10f64.powf(low), high: 10f64.powf(top), ticks }
    }

    fn linear(low: f64, high: f64, count: usize) -> Self {
        let step = nice_step((high - low) / count.max(1) as f64);
        let first = (low / step).floor();
        let last = (high / step - 1e-9).ceil().max(first + 1.0);
        let values = (first as i64..=last as i64).map(|index| index as f64 * step);
        let ticks = values.map(|value| (value, number(value, step))).collect();
        // The product of a decimal step may fall short by its last bit.
        Self { log: false, low: low.min(first * step), high: high.max(last * step), ticks }
    }

    /// The position of a value, from 0 at the bottom to 1 at the top.
    #[must_use]
    pub fn place(&self, value: f64) -> f64 {
        let share = if self.log {
            (value.max(self.low) / self.low).ln() / (self.high / self.low).ln()
        } else {
            (value - self.low) / (self.high - self.low)
        };
        share.clamp(0.0, 1.0)
    }
}

/// Ticks on the axis of steps: at most about `count` round ones within `start..end`.
#[must_use]
pub fn step_ticks(start: u64, end: u64, count: usize) -> Vec<(u64, String)> {
    let length = end.saturating_sub(start).max(1);
    let step = nice_step(length as f64 / count.max(1) as f64).max(1.0) as u64;
    let first = start.div_ceil(step.max(1));
    let at = (first..).map(|index| index.saturating_mul(step)).take_while(|&at| at <= end && at < u64::MAX);
    at.take(count * 4 + 4).map(|at| (at, steps(at))).collect()
}

/// The least of 1, 2, 5 times a power of ten that is at least `step`.
fn nice_step(step: f64) -> f64 {
    if !(step > 0.0 && step.is_finite()) {
        return 1.0;
    }
    let power = 10f64.powf(step.log10().floor());
    [1.0, 2.0, 5.0]
        .map(|times| times * power)
        .into_iter()
        .find(|&nice| nice >= step * 0.999_999)
        .unwrap_or(10.0 * power)
}

/// A value on an axis whose ticks are `step` apart.
fn number(value: f64, step: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let largest = value.abs();
    // Depends on the step only, so that all ticks of an axis have the same format.
    if (1e-3..1e4).contains(&step) {
        let decimals = (-step.log10() - 1e-6).ceil().clamp(0.0, 6.0) as usize;
        return format!("{value:.decimals$}");
    }
    // From the value's first digit to the step's.
    let first = |number: f64| (number.log10() + 1e-9).floor();
    let digits = (first(largest) - first(step)).clamp(0.0, 6.0) as usize;
    let text = format!("{value:.digits$e}");
    // 2.50e-4 and 2.5e-4 are the same tick.
    match text.split_once('e') {
        Some((mantissa, exponent)) if mantissa.contains('.') => {
            format!("{}e{exponent}", mantissa.trim_end_matches('0').trim_end_matches('.'))
        }
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linear_ticks_are_round_and_hold_every_value() {
        for (values, labels) in [
            (vec![0.0, 3e-4], vec!["0", "1e-4", "2e-4", "3e-4"]),
            (vec![0.0, 2e-5], vec!["0", "5e-6", "1e-5", "1.5e-5", "2e-5"]),
            (vec![0.0, 0.1], vec!["0", "0.05", "0.10"]),
            (vec![-1.0, 1.0], vec!["-1.0", "-0.5", "0", "0.5", "1.0"]),
        ] {
            let axis = ValueAxis::new(values.iter().copied(), Scale::Auto, 4);
            assert!(!axis.log && values.iter().all(|&value| value >= axis.low && value <= axis.high), "{axis:?}");
            let found: Vec<&str> = axis.ticks.iter().map(|tick| tick.1.as_str()).collect();
            assert_eq!(found, labels);
        }
    }

    #[test]
    fn the_logarithm_is_for_values_over_decades() {
        let falling = (0..100).map(|n| 10f64.powf(-0.06 * f64::from(n)));
        let axis = ValueAxis::new(falling, Scale::Auto, 6);
        assert!(axis.log);
        assert_eq!((axis.place(1.0), axis.place(0.0)), (1.0, 0.0));
        let warmup = (0..100).map(|n| f64::from(n) / 100.0);
        assert!(!ValueAxis::new(warmup, Scale::Auto, 6).log);
        assert!(!ValueAxis::new([-1.0, 1e-9].into_iter(), Scale::Auto, 6).log);
    }

    #[test]
    fn odd_values_make_an_axis_too() {
        for values in [vec![], vec![0.0], vec![f64::NAN], vec![f64::INFINITY], vec![5e-324], vec![-3.0], vec![f64::MAX]]
        {
            for scale in [Scale::Auto, Scale::Linear, Scale::Log] {
                let axis = ValueAxis::new(values.iter().copied(), scale, 5);
                assert!(axis.high > axis.low && axis.ticks.len() < 100, "{values:?} {scale:?}: {axis:?}");
            }
        }
    }

    #[test]
    fn step_ticks_are_round() {
        let labels =
            |start, end, count| step_ticks(start, end, count).into_iter().map(|tick| tick.1).collect::<Vec<_>>();
        assert_eq!(labels(0, 100_000, 5), ["0", "20k", "40k", "60k", "80k", "100k"]);
        assert_eq!(labels(0, 3, 10), ["0", "1", "2", "3"]);
        assert_eq!(labels(95, 105, 2), ["95", "100", "105"]);
    }
}
