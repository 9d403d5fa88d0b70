//! Values that may cancel, cross zero or meet their bounds, each with a bound on its own error.

use crate::cpu::rounding::Rounded;
use crate::cpu::sample::Sample;
use crate::double_double::DoubleDouble;
use crate::packed::PackedHeight;
use crate::program::Clamp;

use super::pattern::StageValues;
use super::pieces::Piece;
use super::steps::{CHUNK, COLUMNS};

/// Magnitudes above this are far enough from underflow to be multiplied with their errors.
const LEAST_MAGNITUDE: f64 = 1e-200;

/// Roundings of a value beside those of its shape: of base and amplitude, product and sum, and a spare one.
const VALUE_ROUNDINGS: f64 = 5.0;

/// A [`Sample`] per lane.
struct SampleLanes {
    values: [f64; COLUMNS],
    magnitudes: [f64; COLUMNS],
    slacks: [f64; COLUMNS],
}

impl SampleLanes {
    /// The same everywhere.
    #[inline(always)]
    fn constant(sample: Sample) -> Self {
        let Sample { value, magnitude, slack } = sample;
        Self { values: [value; COLUMNS], magnitudes: [magnitude; COLUMNS], slacks: [slack; COLUMNS] }
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
    fn clamp(&mut self, clamp: &Clamp, lanes: usize) {
        if *clamp != Clamp::NONE {
            for lane in 0..lanes {
                self.set(lane, self.at(lane).clamped(clamp));
            }
        }
    }
}

/// A value from its shape, which is so many half units in the last place from the truth.
#[inline(always)]
fn sample((base, amplitude): (f64, f64), shape: f64, roundings: f64) -> Sample {
    let moved = amplitude * shape;
    // As [`Sample::of_shape`], but exactly 0 where both are: shapes here are 0 or far from underflow.
    let slack = f64::EPSILON * (2.0 * base.abs() + roundings * moved.abs());
    Sample { value: base + moved, magnitude: base.abs() + moved.abs(), slack }
}

/// Writes a row's values at `out.len()` columns of a piece, from column `from` of the block on, at most [`COLUMNS`];
/// calls for a closer look at those marked in the answer, one bit for each.
#[inline(always)]
pub fn fill_closely<T: Rounded>(
    piece: &Piece,
    stage: &StageValues,
    heights: &[PackedHeight],
    shapes: &[Vec<f64>],
    from: usize,
    out: &mut [T],
) -> u64 {
    let columns = out.len();
    // Known to the compiler to be a multiple of its vectors.
    let lanes = columns.next_multiple_of(CHUNK).min(COLUMNS);
    let scale = Sample::rounded(stage.scale.into());
    let mut joined = SampleLanes::constant(if stage.summed { Sample::rounded(DoubleDouble::ZERO) } else { scale });
    // Of magnitudes that are not 0.
    let mut least = stage.scale.abs();
    for (index, track) in piece.tracks[..piece.count].iter().enumerate() {
        let mut factor = SampleLanes::constant(Sample::rounded(DoubleDouble::ZERO));
        let reach = track.reach(heights);
        let shapes = &shapes[track.shapes][from..from + lanes];
        for (lane, shape) in shapes.iter().enumerate() {
            factor.set(lane, sample(reach, *shape, track.extent.roundings + VALUE_ROUNDINGS));
        }
        let (base, amplitude) = (reach.0.abs(), reach.1.abs());
        let mut least_factor = match (base > 0.0, amplitude > 0.0) {
            (true, _) => base,
            (false, true) => amplitude * track.extent.least,
            (false, false) => f64::INFINITY,
        };
        // Composed values are within bounds.
        if track.segment.is_some() {
            let clamp = &stage.track_clamps[index];
            factor.clamp(clamp, lanes);
            for bound in [clamp.lower, clamp.upper].map(f64::abs).into_iter().filter(|bound| *bound > 0.0) {
                least_factor = least_factor.min(bound);
            }
        }
        if stage.summed {
            for lane in 0..lanes {
                joined.set(lane, joined.at(lane).plus(factor.at(lane)));
            }
        } else {
            for lane in 0..lanes {
                joined.set(lane, joined.at(lane).times(factor.at(lane)));
            }
        }
        // Less than the sum's, too.
        least *= least_factor.min(1.0);
    }
    if stage.summed {
        for lane in 0..lanes {
            joined.set(lane, scale.times(joined.at(lane)));
        }
    }
    let offset = Sample::rounded(stage.offset.into());
    for lane in 0..lanes {
        joined.set(lane, offset.plus(joined.at(lane)));
    }
    joined.clamp(&stage.clamp, lanes);
    // Only far from underflow is a 0 without slack a true one. NaN must not pass either.
    let certain = least >= LEAST_MAGNITUDE || stage.scale == 0.0;
    let mut rounded = [T::zeroed(); COLUMNS];
    let mut close = [0_u8; COLUMNS];
    for lane in 0..lanes {
        let Sample { value, slack, .. } = joined.at(lane);
        let (value_rounded, close_one) = <T as Rounded>::rounded(value, slack);
        let usable = value.abs() < 1e250 && (slack < value.abs() || (slack == 0.0 && certain));
        rounded[lane] = value_rounded;
        close[lane] = u8::from(close_one || !usable);
    }
    out.copy_from_slice(&rounded[..columns]);
    let mut marked = 0;
    for (lane, close) in close[..columns].iter().enumerate() {
        marked |= u64::from(*close) << lane;
    }
    marked
}
