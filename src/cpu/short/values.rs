//! A row's values from the shapes of its pattern.

use std::ops::Range;

use crate::cpu::lanes::multiply_add;
use crate::cpu::rounding::Rounded;
use crate::cpu::sample::Sample;
use crate::cpu::working::{Window, Working};
use crate::double_double::DoubleDouble;
use crate::packed::PackedSegment;
use crate::program::Clamp;

use super::parameters::number;
use super::pattern::{Pattern, Run, StageColumns, VALUE_ROUNDINGS};
use super::steps::{CHUNK, WIDTH};

/// Magnitudes above this are far enough from underflow to be multiplied with their errors.
const LEAST_MAGNITUDE: f64 = 1e-200;

/// Where a segment starts from and how far it goes.
#[derive(Clone, Copy)]
struct Reach {
    base: f64,
    amplitude: f64,
}

impl Reach {
    #[inline(always)]
    fn of(segment: &PackedSegment) -> Self {
        Self { base: number(segment.base), amplitude: number(segment.amplitude) }
    }

    /// The least magnitude (as a sum of magnitudes) of a run's values that are not 0.
    #[inline(always)]
    fn least(self, run: &Run) -> f64 {
        let (base, moved) = (self.base.abs(), self.amplitude.abs() * run.least);
        if base > 0.0 { base } else { moved }
    }

    /// A value from its shape, which is so many half units in the last place from the truth.
    #[inline(always)]
    fn sample(self, shape: f64, roundings: f64) -> Sample {
        let moved = self.amplitude * shape;
        // As [`Sample::of_shape`], but exactly 0 where both are: shapes here are 0 or far from underflow.
        let slack = f64::EPSILON * (2.0 * self.base.abs() + roundings * moved.abs());
        Sample { value: self.base + moved, magnitude: self.base.abs() + moved.abs(), slack }
    }

    /// Whether all of a run's values add up without cancelling, and are 0 or normal numbers of the type.
    #[inline(always)]
    fn is_plain<T: Rounded>(self, run: &Run) -> bool {
        let power = |exponent: i32| f64::from_bits(((1023 + exponent) as u64) << 52);
        let greatest = self.base.abs() + self.amplitude.abs() * run.greatest;
        let zero = self.base == 0.0 && self.amplitude == 0.0;
        let normal = self.least(run) >= power(T::EXPONENTS.0 + 1) && greatest <= power(T::EXPONENTS.1);
        // False for a NaN of a number that was not decoded.
        self.base * self.amplitude >= 0.0 && (normal || zero)
    }
}

/// How many lanes are computed for so many columns.
#[inline(always)]
fn lanes(columns: usize) -> usize {
    columns.next_multiple_of(CHUNK)
}

/// Writes a stage's values from its first column's slot on, and some beyond its last; calls for a closer look at the
/// columns marked in the answer, one bit for each.
#[inline(always)]
pub fn fill_stage<T: Rounded, const FUSED: bool>(
    pattern: &Pattern,
    stage: &StageColumns,
    segments: &[PackedSegment],
    out: &mut [T],
) -> u64 {
    if !stage.plain {
        return fill_product::<T, FUSED>(pattern, stage, segments, out);
    }
    let track = pattern.tracks[stage.first];
    let mut close = 0;
    let mut index = track.first;
    while index < track.end {
        let run = &pattern.runs[index];
        let reach = Reach::of(&segments[run.segment]);
        index += 1;
        let Some(window) = run.window.filter(|_| reach.is_plain::<T>(run)) else {
            return fill_product::<T, FUSED>(pattern, stage, segments, out);
        };
        let lanes = lanes(run.to - run.from);
        let shapes = &pattern.shapes[0][run.from..run.from + lanes];
        let out = &mut out[run.from..run.from + lanes];
        if fill_plain::<T, FUSED>(shapes, reach, &window, out) {
            close |= close_columns::<FUSED>(shapes, reach, &window, run);
        }
    }
    close
}

/// Writes `base + amplitude · shape`; whether one of the lanes is too close to call.
#[inline(always)]
fn fill_plain<T: Rounded, const FUSED: bool>(shapes: &[f64], reach: Reach, window: &Window, out: &mut [T]) -> bool {
    let negative = reach.base < 0.0 || reach.amplitude < 0.0;
    let mut close = false;
    for (slot, shape) in out.iter_mut().zip(shapes) {
        let value = multiply_add::<FUSED>(reach.amplitude, *shape, reach.base);
        let rounded = T::rounded_normal(value, negative);
        *slot = if T::ZERO_IS_NORMAL || value != 0.0 { rounded } else { T::zeroed() };
        close |= value.is_close(window);
    }
    close
}

/// The columns of a run that are too close to call.
#[cold]
fn close_columns<const FUSED: bool>(shapes: &[f64], reach: Reach, window: &Window, run: &Run) -> u64 {
    let mut columns = 0;
    for column in run.from..run.to {
        let value = multiply_add::<FUSED>(reach.amplitude, shapes[column - run.from], reach.base);
        columns |= u64::from(value.is_close(window)) << column;
    }
    columns
}

/// A [`Sample`] per lane.
struct SampleLanes {
    values: [f64; WIDTH],
    magnitudes: [f64; WIDTH],
    slacks: [f64; WIDTH],
}

impl SampleLanes {
    /// The same everywhere.
    #[inline(always)]
    fn constant(sample: Sample) -> Self {
        Self { values: [sample.value; WIDTH], magnitudes: [sample.magnitude; WIDTH], slacks: [sample.slack; WIDTH] }
    }

    #[inline(always)]
    fn at(&self, lane: usize) -> Sample {
        Sample { value: self.values[lane], magnitude: self.magnitudes[lane], slack: self.slacks[lane] }
    }

    #[inline(always)]
    fn set(&mut self, lane: usize, sample: Sample) {
        (self.values[lane], self.magnitudes[lane], self.slacks[lane]) = (sample.value, sample.magnitude, sample.slack);
    }

    /// Holds some lanes within bounds.
    #[inline(always)]
    fn clamp(&mut self, clamp: &Clamp, lanes: Range<usize>) {
        if *clamp != Clamp::NONE {
            for lane in lanes {
                self.set(lane, self.at(lane).clamped(clamp));
            }
        }
    }
}

/// As [`fill_stage`], for any stage, sums included.
#[inline(always)]
fn fill_product<T: Rounded, const FUSED: bool>(
    pattern: &Pattern,
    stage: &StageColumns,
    segments: &[PackedSegment],
    out: &mut [T],
) -> u64 {
    let stage_lanes = stage.from..stage.from + lanes(stage.to - stage.from);
    let scale = Sample::rounded(stage.scale.into());
    let mut product = SampleLanes::constant(if stage.summed { Sample::rounded(DoubleDouble::ZERO) } else { scale });
    // Of magnitudes that are not 0.
    let mut least = stage.scale.abs();
    for (index, track) in pattern.tracks[stage.first..stage.end].iter().enumerate() {
        let mut factor = SampleLanes::constant(Sample::rounded(DoubleDouble::ZERO));
        let mut least_factor = f64::INFINITY;
        for run in &pattern.runs[track.first..track.end] {
            let reach = Reach::of(&segments[run.segment]);
            let shapes = &pattern.shapes[index][run.from..run.from + lanes(run.to - run.from)];
            for (lane, shape) in shapes.iter().enumerate() {
                factor.set(run.from + lane, reach.sample(*shape, run.roundings + VALUE_ROUNDINGS));
            }
            let zero = reach.base == 0.0 && reach.amplitude == 0.0;
            least_factor = if zero { least_factor } else { least_factor.min(reach.least(run)) };
        }
        factor.clamp(&track.clamp, stage_lanes.clone());
        if stage.summed {
            for lane in stage_lanes.clone() {
                product.set(lane, product.at(lane).plus(factor.at(lane)));
            }
        } else {
            for lane in stage_lanes.clone() {
                product.set(lane, product.at(lane).times(factor.at(lane)));
            }
        }
        // Less than the sum's, too.
        least *= least_factor.min(1.0);
    }
    if stage.summed {
        for lane in stage_lanes.clone() {
            product.set(lane, scale.times(product.at(lane)));
        }
    }
    let offset = Sample::rounded(stage.offset.into());
    for lane in stage_lanes.clone() {
        product.set(lane, offset.plus(product.at(lane)));
    }
    product.clamp(&stage.clamp, stage_lanes.clone());
    // Only far from underflow is a 0 without slack a true one. NaN must not pass either.
    let certain = least >= LEAST_MAGNITUDE || stage.scale == 0.0;
    let mut close = [0_u8; WIDTH];
    for lane in stage_lanes {
        let Sample { value, slack, .. } = product.at(lane);
        let (rounded, close_one) = <T as Rounded>::rounded(value, slack);
        let usable = value.abs() < 1e250 && (slack < value.abs() || (slack == 0.0 && certain));
        out[lane] = rounded;
        close[lane] = u8::from(close_one || !usable);
    }
    let mut columns = 0;
    for (lane, close) in close[..stage.to].iter().enumerate() {
        columns |= u64::from(*close) << lane;
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::short::steps::StepColumns;
    use crate::curve::Curve;
    use crate::packed::{Batch, Steps};
    use crate::program::{Program, Segment};

    fn curves() -> Vec<Curve> {
        let octaves = DoubleDouble::from(3.3);
        let mut curves = vec![Curve::Hold, Curve::Linear, Curve::Cosine, Curve::CosineExponential { octaves }];
        for exponent in [0.3, 0.5, 1.0, 1.7, 2.0, 9.5] {
            for warp in [1.0, 0.4, 3.0] {
                curves.extend([Curve::Power { exponent, warp }, Curve::CosinePower { exponent, warp }]);
            }
        }
        curves.extend([
            Curve::Exponential,
            Curve::ExponentialMinusOne,
            Curve::Logistic { offset: DoubleDouble::ONE / octaves },
        ]);
        curves.extend([true, false].map(|rising| Curve::Rational { rising }));
        curves
    }

    /// The largest error of a program's values over their bound, as plain values and as samples.
    fn worst<const FUSED: bool>(program: &Program, steps: &Steps) -> (f64, f64) {
        let batch = Batch::from_programs([program]).expect("a small batch");
        let program = batch.program(0);
        let mut pattern = Pattern::new();
        pattern.build::<FUSED>(&batch, &batch.programs()[0], batch.segments(), &StepColumns::new(steps, 0));
        assert!(pattern.is_usable(), "{program:?}");
        let (mut plain, mut sampled) = (0f64, 0f64);
        for run in &pattern.runs {
            let reach = Reach::of(&batch.segments()[run.segment]);
            for column in run.from..run.to {
                let (shape, exact) = (pattern.shapes[0][column], program.exact(steps.get(column)));
                let error = |value: f64| (DoubleDouble::from(value) - exact).abs().high();
                let roundings = run.roundings + VALUE_ROUNDINGS;
                let value = multiply_add::<FUSED>(reach.amplitude, shape, reach.base);
                let sample = reach.sample(shape, roundings);
                let ratio = |error: f64, bound: f64| if error == 0.0 { 0.0 } else { error / bound };
                if reach.is_plain::<f32>(run) {
                    plain = plain.max(ratio(error(value), value.abs() * roundings * 0.5 * f64::EPSILON));
                }
                sampled = sampled.max(ratio(error(sample.value), sample.slack));
                assert!(plain <= 1.0 && sampled <= 1.0, "{plain}, {sampled} at column {column} of {program:?}");
            }
        }
        (plain, sampled)
    }

    #[test]
    fn values_are_within_their_bounds() {
        let (mut plain, mut sampled) = (0f64, 0f64);
        for curve in curves() {
            for length in [64, 9001, 1 << 33] {
                for (from, to) in [(1e-3, 0.0), (3e-4, 2.9e-4), (0.3, -0.2), (1.0 / 3.0, 0.1)] {
                    let program = Program::of(vec![Segment::falling(0, length, from, to, curve)]);
                    for start in [0, length / 3, length - 60] {
                        let steps = Steps::range(start..start + 64);
                        let ratios = [worst::<false>(&program, &steps), worst::<true>(&program, &steps)];
                        for (of_plain, of_sampled) in ratios {
                            (plain, sampled) = (plain.max(of_plain), sampled.max(of_sampled));
                        }
                    }
                }
            }
        }
        assert!(plain > 0.1 && sampled > 0.05, "{plain} and {sampled} are loose bounds");
    }
}
