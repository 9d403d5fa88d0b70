//! Fills a smooth span: blocks as long as the curve allows, and single values where it allows none.

use super::block::{Block, Evaluate, Fill, MOST_VALUES, TERMS};
use super::interpolation::{Interpolate, NODES};
use super::pieces::{FillPieces, LONG, MOST_IN_PIECES, Pieces, SHORT};
use super::rounding::{LANES, Rounded, round_certain};
use super::sample::Sample;
use super::samples::{JoinSegment, SAMPLES, Samples};
use super::simd::{Baseline, Level};
use super::smoothness::smooth_columns;
use super::span::{Columns, Factor};
use super::writer::Writer;
use crate::curve::Curve;
use crate::double_double::DoubleDouble;
use crate::program::{Clamp, Program, Stage};

/// Fewer columns than a block's nodes are worth are evaluated one by one.
const FEWEST_COLUMNS: usize = SAMPLES + 8;

/// How many times longer than the one before a block may be: a block that fails costs its nodes.
const GROWTH: usize = 4;

/// How many times larger than at one end of a block a straight line's value may be at the other.
const LINE_RATIO: f64 = 1024.0;

/// Fewer columns are not worth cutting into pieces.
const FEWEST_IN_PIECES: usize = 2 * LONG;

/// The value at one step, correctly rounded.
pub fn value_at<T: Rounded>(program: &Program, step: u64) -> T {
    if T::FROM_F64 {
        let sample = Sample::of_program(program, step);
        if let Some(value) = round_certain(sample.value, sample.slack) {
            return value;
        }
    }
    T::from_exact(program.exact(step))
}

/// A smooth span, ready to be filled.
pub struct SmoothSpan<'p> {
    program: &'p Program,
    columns: Columns,
    stage: &'p Stage,
    moving: Vec<Factor<'p>>,
    /// The stage's value as far as it stands still.
    constant: Sample,
}

impl<'p> SmoothSpan<'p> {
    /// A span over `columns`, cut short where a track meets one of its bounds.
    pub fn new(program: &'p Program, mut columns: Columns, stage: &'p Stage, factors: &[Factor<'p>]) -> Self {
        let mut moving: Vec<Factor<'p>> = Vec::with_capacity(factors.len());
        let mut constant = Sample::none_of_stage(stage);
        for factor in factors {
            let at = |column: usize| Sample::of_segment(factor.segment, factor.phase_count_at(column).into());
            if factor.per_column == 0 {
                constant = constant.joined(stage, at(0).clamped(factor.clamp));
                continue;
            }
            if factor.clamp.is_none() {
                moving.push(*factor);
                continue;
            }
            // A value misjudged this close to its bound is within its slack of the truth either way.
            let state = |column: usize| BoundState::of(at(column).value, factor.clamp);
            let first = state(0);
            columns.count = first_where(columns.count, |column| state(column) != first);
            match first {
                BoundState::Below => constant = constant.joined(stage, Sample::rounded(factor.clamp.lower.into())),
                BoundState::Above => constant = constant.joined(stage, Sample::rounded(factor.clamp.upper.into())),
                BoundState::Inside => moving.push(*factor),
            }
        }
        Self { program, columns, stage, moving, constant }
    }

    /// How many columns it has.
    pub fn count(&self) -> usize {
        self.columns.count
    }

    /// Writes its values: `out.len() == self.count()`.
    pub fn fill<T: Rounded>(&self, writer: Writer, out: &mut [T]) {
        let mut column = 0;
        let mut longest = usize::MAX;
        while column < out.len() {
            let rest = out.len() - column;
            let mut count =
                whole_pieces(self.smooth_columns(column).min(longest).min(rest), writer.lead(&out[column..]));
            let written = loop {
                if count < FEWEST_COLUMNS {
                    count = rest.min(SAMPLES);
                    break false;
                }
                if self.fill_block(writer, column, &mut out[column..column + count]) {
                    break true;
                }
                count /= 2;
            };
            if !written {
                self.fill_singly(writer.level, column, &mut out[column..column + count]);
            }
            longest = count.saturating_mul(GROWTH);
            column += count;
        }
    }

    /// How many columns from `column` on one polynomial may carry, as far as one can tell beforehand.
    fn smooth_columns(&self, column: usize) -> usize {
        if let Some(factor) = self.linear() {
            return self.line_columns(factor, column);
        }
        let columns = |factor: &Factor| {
            smooth_columns(factor.segment, factor.phase_count_at(column) as f64, factor.per_column as f64)
        };
        self.moving.iter().map(columns).fold(f64::INFINITY, f64::min) as usize
    }

    /// How many columns of a straight line from `column` on go together: its error is that of its largest value.
    fn line_columns(&self, factor: &Factor, column: usize) -> usize {
        let value = self.with_factor(factor, factor.phase_count_at(column).into()).value;
        let slope = self.slope(factor) * factor.per_column as f64;
        let reach = if (value < 0.0) == (slope < 0.0) { LINE_RATIO - 1.0 } else { 1.0 - 1.0 / LINE_RATIO };
        ((value.abs() * reach / slope.abs()) as usize).saturating_add(1)
    }

    /// The value where one factor moves, at one of its phase counts.
    fn with_factor(&self, factor: &Factor, count: DoubleDouble) -> Sample {
        self.constant.joined(self.stage, Sample::of_segment(factor.segment, count)).of_stage(self.stage)
    }

    /// How steep the one factor that moves, a straight line, makes the value, per phase count.
    fn slope(&self, factor: &Factor) -> f64 {
        let steepness = if self.stage.summed { self.stage.scale.high() } else { self.constant.value };
        steepness * (factor.segment.amplitude * factor.segment.rate).high()
    }

    /// The one factor that moves, where it is a straight line.
    fn linear(&self) -> Option<&Factor<'p>> {
        match self.moving.as_slice() {
            [factor] if factor.segment.curve == Curve::Linear => Some(factor),
            _ => None,
        }
    }

    /// Writes a block of at least two columns, if one polynomial carries it.
    fn fill_block<T: Rounded>(&self, writer: Writer, column: usize, out: &mut [T]) -> bool {
        if self.moving.is_empty() {
            writer.constant(value_at(self.program, self.columns.step(column)), out);
            return true;
        }
        if let Some(factor) = self.linear() {
            return match self.line(factor, column, out.len()) {
                Some(block) => self.write::<T, 2, 2, 2>(&block, writer, column, out),
                None => false,
            };
        }
        match self.interpolated(writer.level, column, out.len()) {
            Some(block) => self.write::<T, TERMS, 4, 5>(&block, writer, column, out),
            None => false,
        }
    }

    /// The polynomial over `count` columns from `column` on, if they are smooth enough for one.
    fn interpolated(&self, level: Level, column: usize, count: usize) -> Option<Block<TERMS>> {
        let samples = self.samples(level, &NODES, |factor| centre(factor, column, count));
        level.run(Interpolate { columns: count, samples: &samples })
    }

    /// The values at `places`: 0 and 1 are where `scale` says that a factor's phase count is the first, and the
    /// sum of both.
    fn samples(
        &self,
        level: Level,
        places: &[f64; SAMPLES],
        scale: impl Fn(&Factor) -> (DoubleDouble, DoubleDouble),
    ) -> Samples {
        let mut samples = Samples::constant(self.constant);
        for factor in &self.moving {
            let (middle, half) = scale(factor);
            let (stage, segment) = (self.stage, factor.segment);
            level.run(JoinSegment { stage, segment, middle, half, places, samples: &mut samples });
        }
        samples.of_stage(self.stage)
    }

    /// Writes at most [`SAMPLES`] columns one by one.
    fn fill_singly<T: Rounded>(&self, level: Level, column: usize, out: &mut [T]) {
        let places = std::array::from_fn(|place| place as f64);
        let samples = self.samples(level, &places, |factor| {
            (factor.phase_count_at(column).into(), DoubleDouble::from(factor.per_column as f64))
        });
        for (place, slot) in out.iter_mut().enumerate() {
            let sample = samples.at(place).clamped(&self.stage.clamp);
            *slot = round_certain(sample.value, sample.slack)
                .unwrap_or_else(|| T::from_exact(self.program.exact(self.columns.step(column + place))));
        }
    }

    /// A straight line needs no nodes.
    fn line(&self, factor: &Factor, column: usize, count: usize) -> Option<Block<2>> {
        let (middle, half) = centre(factor, column, count);
        let at = |count: DoubleDouble| self.with_factor(factor, count);
        let (first, centre, last) = (at(middle - half), at(middle), at(middle + half));
        let slope = self.slope(factor) * half.high();
        if (first.value < 0.0) != (last.value < 0.0) {
            return None;
        }
        let greatest = first.magnitude.max(last.magnitude);
        let slack = first.slack.max(last.slack) + 4.0 * f64::EPSILON * greatest;
        Block::new([centre.value, slope], count, slack, first.value.abs().min(last.value.abs()) * 0.5, greatest * 2.0)
    }

    /// Writes a block's values, within the stage's bounds: where it is long, in pieces of `P` terms if those will do,
    /// else of `MORE`.
    fn write<T: Rounded, const N: usize, const P: usize, const MORE: usize>(
        &self,
        block: &Block<N>,
        writer: Writer,
        column: usize,
        out: &mut [T],
    ) -> bool {
        if !T::FROM_F64 {
            return false;
        }
        let (clamp, slack) = (&self.stage.clamp, block.tolerance.slack);
        if !clamp.is_none() {
            let centre = block.polynomial.coefficients[0];
            let reach = block.polynomial.coefficients[1..].iter().map(|c| c.abs()).sum::<f64>() + slack;
            let (low, high) = (BoundState::of(centre - reach, clamp), BoundState::of(centre + reach, clamp));
            if low != high {
                for (offset, slot) in out.iter_mut().enumerate() {
                    *slot = self.decided(block.polynomial.at::<Baseline>(offset as f64), slack, column + offset);
                }
                return true;
            }
            if low != BoundState::Inside {
                let bound = if low == BoundState::Below { clamp.lower } else { clamp.upper };
                writer.constant(T::from_f64(bound), out);
                return true;
            }
        }
        if out.len() < FEWEST_IN_PIECES {
            self.write_closely(block, writer.level, column, 0, out);
            return true;
        }
        if !self.write_pieces::<T, N, P>(block, &[LONG], writer, column, out)
            && !self.write_pieces::<T, N, MORE>(block, &[LONG, SHORT], writer, column, out)
        {
            self.write_closely(block, writer.level, column, 0, out);
        }
        true
    }

    /// Writes a block's values in pieces of `P` terms, if there are such pieces.
    fn write_pieces<T: Rounded, const N: usize, const P: usize>(
        &self,
        block: &Block<N>,
        lengths: &[usize],
        writer: Writer,
        column: usize,
        out: &mut [T],
    ) -> bool {
        let Some(pieces) = Pieces::<N, P>::new::<T>(&block.polynomial, &block.tolerance, lengths) else {
            return false;
        };
        let lead = writer.lead(out);
        let columns = out.len();
        let (before, rest) = out.split_at_mut(lead);
        let whole = rest.len() / LONG * LONG;
        let (whole, after) = rest.split_at_mut(whole);
        let fill = |first: usize, writer: Writer, part: &mut [T]| {
            let (pieces, streaming) = (&pieces, writer.streaming);
            let mut doubtful = writer.level.run(FillPieces { pieces, first, streaming, out: part });
            while doubtful != 0 {
                let piece = doubtful.trailing_zeros() as usize * LONG;
                let end = (piece + LONG).min(columns - first);
                self.write_closely(block, writer.level, column, first + piece, &mut part[piece..end]);
                doubtful &= doubtful - 1;
            }
        };
        for (index, part) in whole.chunks_mut(MOST_IN_PIECES).enumerate() {
            fill(lead + index * MOST_IN_PIECES, writer, part);
        }
        // What is less than a piece is written as one, and cut.
        let mut piece = [T::zeroed(); LONG];
        if !before.is_empty() {
            fill(0, writer.cached(), &mut piece);
            before.copy_from_slice(&piece[..before.len()]);
        }
        if !after.is_empty() {
            fill(lead + whole.len(), writer.cached(), &mut piece);
            after.copy_from_slice(&piece[..after.len()]);
        }
        true
    }

    /// Writes values of a block from its value `first` on, deciding those that are too close to call.
    fn write_closely<T: Rounded, const N: usize>(
        &self,
        block: &Block<N>,
        level: Level,
        column: usize,
        first: usize,
        out: &mut [T],
    ) {
        for (index, part) in out.chunks_mut(MOST_VALUES).enumerate() {
            let first = first + index * MOST_VALUES;
            let Block { polynomial, tolerance } = block;
            let mut close = level.run(Fill { polynomial, tolerance, first, out: part });
            while close != 0 {
                let chunk = close.trailing_zeros() as usize * LANES;
                let mut values = [0.0; LANES];
                level.run(Evaluate { polynomial, first: first + chunk, out: &mut values });
                for (offset, (slot, value)) in part[chunk..].iter_mut().zip(values).enumerate() {
                    *slot = self.decided(value, tolerance.slack, column + first + chunk + offset);
                }
                close &= close - 1;
            }
        }
    }

    /// The value at a column: an approximation's where that decides the rounding, and the exact one where not.
    fn decided<T: Rounded>(&self, value: f64, slack: f64, column: usize) -> T {
        let sample = Sample { value, magnitude: value.abs(), slack }.clamped(&self.stage.clamp);
        round_certain(sample.value, sample.slack)
            .unwrap_or_else(|| T::from_exact(self.program.exact(self.columns.step(column))))
    }
}

/// The greatest part of `count` columns that ends where a piece does, if it has as many; the first piece begins at `lead`.
fn whole_pieces(count: usize, lead: usize) -> usize {
    if count < FEWEST_IN_PIECES { count } else { lead + (count - lead) / LONG * LONG }
}

/// The phase count at the centre of a block, and from there to its last column.
fn centre(factor: &Factor, column: usize, count: usize) -> (DoubleDouble, DoubleDouble) {
    let counts = DoubleDouble::from(factor.per_column.unsigned_abs()) * DoubleDouble::from(count as u64 - 1);
    let half = counts * DoubleDouble::from(if factor.per_column < 0 { -0.5 } else { 0.5 });
    (DoubleDouble::from(factor.phase_count_at(column)) + half, half)
}

/// Where a value lies with respect to bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum BoundState {
    Below,
    Inside,
    Above,
}

impl BoundState {
    fn of(value: f64, clamp: &Clamp) -> Self {
        if value < clamp.lower {
            Self::Below
        } else if value > clamp.upper {
            Self::Above
        } else {
            Self::Inside
        }
    }
}

/// The first column in `1..count` where a monotone condition holds, or `count`.
fn first_where(count: usize, condition: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (1, count.max(1));
    while low < high {
        let middle = low + (high - low) / 2;
        if condition(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::span::{Kind, first_span};
    use crate::program::{Segment, Track};

    /// Curves with plain and with awkward constants.
    fn curves() -> Vec<Curve> {
        let mut curves = vec![Curve::Linear, Curve::Cosine, Curve::Exponential, Curve::ExponentialMinusOne];
        for exponent in [0.3, 0.5, 1.0, 1.7, 2.0, 9.5, 40.0] {
            for warp in [1.0, 0.4, 0.9, 3.0, 50.0] {
                curves.extend([Curve::Power { exponent, warp }, Curve::CosinePower { exponent, warp }]);
            }
        }
        curves
            .extend([0.1, 3.3, 40.0, -0.2, -30.0].map(|octaves| Curve::CosineExponential { octaves: octaves.into() }));
        curves.extend([-30.0, -0.5, 0.0, 4.0].map(|offset| Curve::Logistic { offset: DoubleDouble::from(offset) }));
        curves.extend([true, false].map(|rising| Curve::Rational { rising }));
        curves
    }

    fn programs() -> Vec<Program> {
        let mut programs = Vec::new();
        for curve in curves() {
            // Only these may run past phase 1; 40 phases reach into the tails of the sigmoid.
            let unbounded = matches!(
                curve,
                Curve::Exponential | Curve::ExponentialMinusOne | Curve::Logistic { .. } | Curve::Rational { .. }
            );
            let stretch = if unbounded { 40.0 } else { 1.0 };
            for length in [9001, 1 << 45] {
                for (from, to) in [(1e-3, 0.0), (3e-4, 2.9e-4), (0.3, -0.2), (0.0, 1.0)] {
                    let segment = Segment::transition(0, length, from, to, curve);
                    programs.push(Program::of(vec![Segment { rate: segment.rate * stretch, ..segment }]));
                }
            }
            let track = |curve| Track::of(vec![Segment::falling(0, 20_000, 1.0, 0.1, curve)]);
            programs.push(Program::of_stage(Stage {
                scale: DoubleDouble::from(0.01),
                offset: DoubleDouble::from(1e-3),
                tracks: vec![track(curve), track(Curve::Cosine), track(Curve::Exponential)],
                ..Stage::of(track(curve))
            }));
            programs.push(Program::of_stage(Stage {
                scale: DoubleDouble::from(0.01),
                offset: DoubleDouble::from(1e-3),
                tracks: vec![track(curve), track(Curve::Cosine)],
                summed: true,
                ..Stage::of(track(curve))
            }));
        }
        programs
    }

    /// Error over slack, which must not pass 1.
    fn ratio(program: &Program, step: u64, value: f64, slack: f64) -> f64 {
        let error = (DoubleDouble::from(value) - program.exact(step)).abs().high();
        let ratio = if error == 0.0 { 0.0 } else { error / slack };
        assert!(ratio <= 1.0, "error {error:e} beyond {slack:e} at step {step} of {program:?}");
        ratio
    }

    #[test]
    fn samples_are_within_their_slack() {
        let mut worst = 0f64;
        for program in programs() {
            let end = program.stages[0].tracks[0].segments[0].length;
            for step in (0..200).map(|n| end / 200 * n + n % 7).chain([1, 2, end - 2, end - 1]) {
                let sample = Sample::of_program(&program, step);
                worst = worst.max(ratio(&program, step, sample.value, sample.slack));
            }
        }
        assert!(worst > 0.1, "a bound {worst} times too large sends too many values the exact way");
    }

    #[test]
    fn blocks_are_within_their_slack() {
        let (mut worst, mut blocks, mut singles) = (0f64, 0, 0);
        for program in programs() {
            let end = program.stages[0].tracks[0].segments[0].length;
            for (start, stride) in [(0, 1), (end / 2, 1), (end - 3000, 1), (5, end / 9000 + 1)] {
                let columns = Columns { start, stride, count: 3000 };
                let span = first_span(&program, &columns);
                let Kind::Smooth { stage, factors } = &span.kind else { continue };
                let smooth = SmoothSpan::new(&program, Columns { count: span.count, ..columns }, stage, factors);
                let mut column = 0;
                while column < smooth.count() {
                    let mut count = smooth.smooth_columns(column).min(smooth.count() - column);
                    let block = loop {
                        if count < FEWEST_COLUMNS {
                            break None;
                        }
                        let block = smooth.interpolated(Level::detect(), column, count);
                        if block.is_some() {
                            break block;
                        }
                        count /= 2;
                    };
                    let Some(block) = block else {
                        (column, singles) = (column + SAMPLES, singles + 1);
                        continue;
                    };
                    for offset in (0..count).step_by(count / 12 + 1).chain([count - 1]) {
                        let step = columns.step(column + offset);
                        let value = block.polynomial.at::<Baseline>(offset as f64);
                        worst = worst.max(ratio(&program, step, value, block.tolerance.slack));
                        assert!(value.abs() >= block.tolerance.least && value.abs() <= block.tolerance.greatest);
                    }
                    (column, blocks) = (column + count, blocks + 1);
                }
            }
        }
        assert!(worst > 0.02 && blocks > 1000, "worst {worst} in {blocks} blocks");
        println!("worst {worst}, {blocks} blocks, {singles} runs of single values");
    }
}
