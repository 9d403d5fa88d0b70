//! Reduces a slice of values in lanes: one generic body, which a backend can compile for its vector instructions.

use crate::element::Element;

/// Number of lanes of sums, extremes and counts: a multiple of every vector width.
const LANES: usize = 16;

/// Values per block. Extremes are located by block first; a multiple of [`LANES`].
const BLOCK: usize = 512;

/// A compensated sum: the rounded sum and its accumulated rounding errors.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Sum {
    high: f64,
    low: f64,
}

impl Sum {
    /// Adds a value; its rounding error is exact (Knuth's two-sum).
    #[inline(always)]
    pub fn add(&mut self, value: f64) {
        let sum = self.high + value;
        let part = sum - self.high;
        self.low += (self.high - (sum - part)) + (value - part);
        self.high = sum;
    }

    /// Adds another sum.
    #[inline(always)]
    pub fn merge(&mut self, other: Self) {
        self.add(other.high);
        self.low += other.low;
    }

    /// The sum; infinite if it exceeds the range of `f64`.
    pub fn value(self) -> f64 {
        // The rounding error of an infinite sum is NaN.
        if self.high.is_finite() { self.high + self.low } else { self.high }
    }
}

/// The statistics of consecutive values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Partial {
    pub sum: Sum,
    pub squares: Sum,
    /// The least value and its first index.
    pub min: (f64, usize),
    pub max: (f64, usize),
    pub last: f64,
    pub above: u64,
}

impl Partial {
    /// Merges the statistics of the values that follow, whose indices are shifted by `shift`.
    pub fn merge(&mut self, next: &Self, shift: usize) {
        self.sum.merge(next.sum);
        self.squares.merge(next.squares);
        if next.min.0 < self.min.0 {
            self.min = (next.min.0, next.min.1 + shift);
        }
        if next.max.0 > self.max.0 {
            self.max = (next.max.0, next.max.1 + shift);
        }
        self.last = next.last;
        self.above += next.above;
    }
}

/// The sums of the values so far in each lane, and the extremes of a block.
struct Lanes {
    high: [f64; LANES],
    low: [f64; LANES],
    squares: [f64; LANES],
    above: [u64; LANES],
    min: [f64; LANES],
    max: [f64; LANES],
}

impl Lanes {
    #[inline(always)]
    fn take(&mut self, lane: usize, value: f64, threshold: f64) {
        let mut sum = Sum { high: self.high[lane], low: self.low[lane] };
        sum.add(value);
        (self.high[lane], self.low[lane]) = (sum.high, sum.low);
        self.squares[lane] += value * value;
        self.above[lane] += u64::from(value > threshold);
        self.min[lane] = if value < self.min[lane] { value } else { self.min[lane] };
        self.max[lane] = if value > self.max[lane] { value } else { self.max[lane] };
    }
}

/// Reduces values, of which there is at least one, counting those above a threshold.
#[inline(always)]
pub(crate) fn reduce<T: Element>(values: &[T], threshold: f64) -> Partial {
    let mut lanes = Lanes {
        high: [0.0; LANES],
        low: [0.0; LANES],
        squares: [0.0; LANES],
        above: [0; LANES],
        min: [f64::INFINITY; LANES],
        max: [f64::NEG_INFINITY; LANES],
    };
    // The extremes, and the first block that has them.
    let (mut min, mut max) = ((f64::INFINITY, 0), (f64::NEG_INFINITY, 0));
    for (block, values) in values.chunks(BLOCK).enumerate() {
        lanes.min = [f64::INFINITY; LANES];
        lanes.max = [f64::NEG_INFINITY; LANES];
        let (lines, rest) = values.as_chunks::<LANES>();
        for line in lines {
            for (lane, value) in line.iter().enumerate() {
                lanes.take(lane, value.to_f64(), threshold);
            }
        }
        for (lane, value) in rest.iter().enumerate() {
            lanes.take(lane, value.to_f64(), threshold);
        }
        for lane in 0..LANES {
            if lanes.min[lane] < min.0 {
                min = (lanes.min[lane], block);
            }
            if lanes.max[lane] > max.0 {
                max = (lanes.max[lane], block);
            }
        }
    }
    let (mut sum, mut squares) = (Sum::default(), Sum::default());
    for lane in 0..LANES {
        sum.merge(Sum { high: lanes.high[lane], low: lanes.low[lane] });
        squares.add(lanes.squares[lane]);
    }
    Partial {
        sum,
        squares,
        min: (min.0, place(values, min.0, min.1)),
        max: (max.0, place(values, max.0, max.1)),
        last: values.last().map_or(0.0, |value| value.to_f64()),
        above: lanes.above.iter().sum(),
    }
}

/// The first index of a value within a block.
#[inline(always)]
fn place<T: Element>(values: &[T], wanted: f64, block: usize) -> usize {
    let first = block * BLOCK;
    let mut place = first;
    while place < values.len() && values[place].to_f64() != wanted {
        place += 1;
    }
    // A value that is not found leaves the first index of its block.
    if place < values.len() { place } else { first }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::double_double::DoubleDouble;

    /// The same reduction, value by value.
    fn plain(values: &[f64], threshold: f64) -> Partial {
        let (mut sum, mut squares) = (DoubleDouble::from(0.0), DoubleDouble::from(0.0));
        for &value in values {
            sum = sum + DoubleDouble::from(value);
            squares = squares + DoubleDouble::from(value) * DoubleDouble::from(value);
        }
        let first = |better: fn(f64, f64) -> bool| {
            (1..values.len()).fold(0, |best, place| if better(values[place], values[best]) { place } else { best })
        };
        let (min, max) = (first(|a, b| a < b), first(|a, b| a > b));
        Partial {
            sum: Sum { high: sum.high(), low: 0.0 },
            squares: Sum { high: squares.high(), low: 0.0 },
            min: (values[min], min),
            max: (values[max], max),
            last: values[values.len() - 1],
            above: values.iter().filter(|value| **value > threshold).count() as u64,
        }
    }

    #[test]
    fn lanes_are_one_value_after_another_at_any_length() {
        let mut state = 1_u64;
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1_u64 << 53) as f64
        };
        for length in [1, 2, 15, 16, 17, 511, 512, 513, 1024, 5000, 16_384] {
            // Smooth, with ties, of both signs and cancelling, and far apart in size.
            for kind in 0..4 {
                let values: Vec<f64> = (0..length)
                    .map(|i| match kind {
                        0 => 1.0 - i as f64 / length as f64,
                        1 => f64::from((i * 7 % 5) as u32) - 2.0,
                        2 => (random() - 0.5) * 1e3,
                        _ => (random() * 80.0 - 40.0).exp2() * if i % 2 == 0 { 1.0 } else { -1.0 },
                    })
                    .collect();
                let (got, want) = (reduce(&values, 0.25), plain(&values, 0.25));
                let close = |got: f64, want: f64| (got - want).abs() <= 1e-13 * want.abs();
                assert!(close(got.sum.value(), want.sum.value()), "{length}, {kind}: {got:?} {want:?}");
                assert!(close(got.squares.value(), want.squares.value()), "{length}, {kind}: {got:?} {want:?}");
                assert_eq!((got.min, got.max), (want.min, want.max), "{length}, {kind}");
                assert_eq!((got.last, got.above), (want.last, want.above), "{length}, {kind}");
                // In two parts.
                let (first, second) = values.split_at(length / 3);
                if !first.is_empty() {
                    let mut parts = reduce(first, 0.25);
                    parts.merge(&reduce(second, 0.25), first.len());
                    assert!(close(parts.sum.value(), want.sum.value()), "{length}, {kind}");
                    assert_eq!((parts.min, parts.max, parts.above), (want.min, want.max, want.above));
                }
            }
        }
    }

    #[test]
    fn infinite_values_have_infinite_sums() {
        let infinite = [f64::INFINITY; 3];
        let got = reduce(&infinite, 0.0);
        assert_eq!((got.sum.value(), got.min, got.max), (f64::INFINITY, (f64::INFINITY, 0), (f64::INFINITY, 0)));
        let mixed = reduce(&[1.0, f64::NEG_INFINITY, 2.0], 0.0);
        assert_eq!((mixed.sum.value(), mixed.min, mixed.above), (f64::NEG_INFINITY, (f64::NEG_INFINITY, 1), 2));
    }
}
