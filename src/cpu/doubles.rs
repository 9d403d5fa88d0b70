//! Smooth spans in `f64`: as [`super::smooth`], with everything in about 100 bits that `f64` output needs.
//!
//! A block's nodes are sampled in double-double arithmetic and so is its polynomial. Of a piece the first two
//! coefficients keep both parts, and the vector kernel adds them up exactly enough to decide nearly every
//! rounding; the few that are too close to call are computed on their own.

use super::block::{LANE_NUMBERS, TERMS};
use super::interpolation::NODES;
use super::lanes::{exact_sum, product_rest};
use super::pieces::{LONG, MOST_IN_PIECES, SHORT, derivatives};
use super::simd::{Kernel, Level, Simd};
use super::smoothness::smooth_columns;
use super::span::{Columns, Factor};
use super::working::Working;
use super::writer::Writer;
use crate::double_double::DoubleDouble;
use crate::program::{Program, Stage};

/// How much shorter blocks are than those of the shorter types: the error falls with the twelfth power.
const SHORTER: f64 = 0.3;

/// How far from the curve an interpolation may be where it is checked, relative to its greatest value.
const CHECKED: f64 = 1.0 / (1u128 << 70) as f64;

/// What is allowed where it is not checked.
const ALLOWED: f64 = 4.0 * CHECKED;

/// Largest part of the least value that leaving out terms of a piece may change.
const LARGEST_REMAINDER: f64 = 1.0 / (1u128 << 67) as f64;

/// Blocks of fewer columns are not worth their nodes.
const FEWEST_COLUMNS: usize = 32;

/// Values beyond this ratio in one block would leave too many roundings open.
const LARGEST_RATIO: f64 = 32.0;

/// Magnitudes where the arithmetic below is far from underflow and overflow.
pub const USABLE: std::ops::Range<f64> = 1e-200..1e250;

/// Terms of a piece.
const PIECE_TERMS: usize = 8;

/// Pieces whose coefficients are made at a time.
const WIDTH: usize = 16;

/// Writes a span where `factors` move smoothly.
pub fn fill(writer: Writer, program: &Program, columns: Columns, stage: &Stage, factors: &[Factor], out: &mut [f64]) {
    let singly = |from: usize, out: &mut [f64]| {
        out.iter_mut().enumerate().for_each(|(offset, slot)| *slot = program.value(columns.step(from + offset)));
    };
    // Near a bound only the value itself tells on which side it is.
    if factors.iter().any(|factor| !factor.clamp.is_none()) {
        return singly(0, out);
    }
    let mut column = 0;
    while column < out.len() {
        let (count, block) = next_block(stage, factors, column, out.len() - column);
        let rest = &mut out[column..column + count];
        match block {
            Some(block) => block.write(writer, rest, |offset| program.value(columns.step(column + offset))),
            None => singly(column, rest),
        }
        column += count;
    }
}

/// The polynomial over some of `left` columns of a span, from `column` on, and how many they are; nothing where the
/// curves are not smooth enough for any that is worth it.
pub fn next_block(stage: &Stage, factors: &[Factor], column: usize, left: usize) -> (usize, Option<DoubleBlock>) {
    let lengths = factors
        .iter()
        .filter(|factor| factor.per_column != 0)
        .map(|factor| smooth_columns(factor.segment, factor.phase_count_at(column) as f64, factor.per_column as f64));
    let mut count = ((lengths.fold(f64::INFINITY, f64::min) * SHORTER) as usize).min(left);
    while count >= FEWEST_COLUMNS {
        if let Some(block) = DoubleBlock::new(stage, factors, column, count) {
            return (count, Some(block));
        }
        count /= 2;
    }
    (FEWEST_COLUMNS.min(left), None)
}

/// A block's polynomial, in x = −1 at its first and 1 at its last column.
pub struct DoubleBlock {
    coefficients: [DoubleDouble; TERMS],
    columns: usize,
    /// Bound on the error.
    slack: f64,
    /// No magnitude is less.
    least: f64,
}

impl DoubleBlock {
    /// Interpolates; nothing where the curves are not smooth enough.
    fn new(stage: &Stage, factors: &[Factor], column: usize, count: usize) -> Option<Self> {
        let at = |x: f64| {
            let values = factors.iter().map(|factor| {
                let half = DoubleDouble::from(factor.per_column as f64) * DoubleDouble::from((count - 1) as f64 * 0.5);
                let phase_count = DoubleDouble::from(factor.phase_count_at(column)) + half + half * x;
                factor.segment.value_at::<DoubleDouble>(phase_count)
            });
            let combined = if stage.summed {
                stage.scale * values.fold(DoubleDouble::ZERO, |sum, value| sum + value)
            } else {
                DoubleDouble::product(std::iter::once(stage.scale).chain(values))
            };
            stage.offset + combined
        };
        let nodes: [DoubleDouble; TERMS] = std::array::from_fn(|node| at(NODES[node]));
        let ends = [at(-1.0), at(1.0)];
        let magnitudes = nodes.iter().chain(&ends).map(|value| value.high().abs());
        let least = magnitudes.clone().fold(f64::INFINITY, f64::min);
        let greatest = magnitudes.fold(0.0, f64::max);
        let negative = ends[0].high() < 0.0;
        let one_sign = nodes.iter().chain(&ends).all(|value| (value.high() < 0.0) == negative);
        let inside = |value: &DoubleDouble| {
            let (value, reach) = (value.high(), greatest * 0.25);
            stage.clamp.is_none() || (value - reach > stage.clamp.lower && value + reach < stage.clamp.upper)
        };
        let usable = USABLE.contains(&least) && USABLE.contains(&greatest) && greatest <= least * LARGEST_RATIO;
        if !usable || !one_sign || !nodes.iter().chain(&ends).all(inside) {
            return None;
        }
        let coefficients = monomials(&nodes);
        let sum = |sign: f64| {
            let start = DoubleDouble::ZERO;
            coefficients.iter().rev().fold(start, |sum, coefficient| sum * sign + *coefficient)
        };
        let missed = |got: DoubleDouble, want: DoubleDouble| (got - want).abs().high();
        let error = missed(sum(-1.0), ends[0]).max(missed(sum(1.0), ends[1]));
        (error <= CHECKED * greatest).then_some(Self {
            coefficients,
            columns: count,
            slack: ALLOWED * greatest,
            least: least * 0.5,
        })
    }

    /// Writes its values, rounded, and what rounding left over; a bound on the error of their sums, if there are pieces
    /// that will do.
    pub fn write_sums(&self, level: Level, values: &mut [f64], rests: &mut [f64]) -> Option<f64> {
        // Short ones are known better, and what is shared may take its time.
        let pieces = DoublePieces::new(self, &[SHORT])?;
        for (index, (values, rests)) in values.chunks_mut(LONG).zip(rests.chunks_mut(LONG)).enumerate() {
            let (mut piece, mut piece_rests) = ([0.0; LONG], [0.0; LONG]);
            let (sums, first) = ((&mut piece, &mut piece_rests), index * LONG);
            level.run(Sums { pieces: &pieces, first, values: sums.0, rests: sums.1 });
            values.copy_from_slice(&piece[..values.len()]);
            rests.copy_from_slice(&piece_rests[..rests.len()]);
        }
        Some(pieces.slack)
    }

    /// Writes the block; `exact` tells a value that is too close to call.
    fn write(&self, writer: Writer, out: &mut [f64], exact: impl Fn(usize) -> f64) {
        let Some(pieces) = DoublePieces::new(self, &[LONG, SHORT]) else {
            out.iter_mut().enumerate().for_each(|(offset, slot)| *slot = exact(offset));
            return;
        };
        let lead = writer.lead(out);
        let (before, rest) = out.split_at_mut(lead);
        let whole = rest.len() / LONG * LONG;
        let (whole, after) = rest.split_at_mut(whole);
        let mut piece = [0.0; LONG];
        let after_first = lead + whole.len();
        for (first, part) in [(0, before), (after_first, after)] {
            let count = part.len();
            pieces.fill(writer.cached(), first, &mut piece, &|offset| {
                if offset < first + count { exact(offset) } else { 0.0 }
            });
            part.copy_from_slice(&piece[..count]);
        }
        pieces.fill(writer, lead, whole, &exact);
    }
}

/// The interpolating polynomial in powers of x, by Newton's divided differences.
fn monomials(values: &[DoubleDouble; TERMS]) -> [DoubleDouble; TERMS] {
    let mut differences = *values;
    for order in 1..TERMS {
        for node in (order..TERMS).rev() {
            let distance = DoubleDouble::exact_sum(NODES[node], -NODES[node - order]);
            differences[node] = (differences[node] - differences[node - 1]) / distance;
        }
    }
    let mut coefficients = [DoubleDouble::ZERO; TERMS];
    for node in (0..TERMS).rev() {
        for power in (1..TERMS).rev() {
            coefficients[power] = coefficients[power - 1] - coefficients[power] * NODES[node];
        }
        coefficients[0] = differences[node] - coefficients[0] * NODES[node];
    }
    coefficients
}

/// A block, ready to be cut into pieces.
struct DoublePieces {
    /// Both parts of the coefficients of the polynomial, and of its derivative per column.
    value: [[f64; TERMS]; 2],
    slope: [[f64; TERMS]; 2],
    /// Row k: the coefficients of the k-th derivative over k!, per column.
    derivatives: [[f64; TERMS]; TERMS],
    /// x per column.
    step: DoubleDouble,
    /// Values of a piece.
    length: usize,
    /// Bound on the error of what the kernel adds up.
    slack: f64,
}

impl DoublePieces {
    /// In pieces of one of some lengths.
    fn new(block: &DoubleBlock, lengths: &[usize]) -> Option<Self> {
        let step = DoubleDouble::from(2.0) / DoubleDouble::from((block.columns - 1) as f64);
        let high = block.coefficients.map(DoubleDouble::high);
        let derivatives = derivatives(&high, step.high());
        // How far the terms of some orders reach within a piece.
        let reach = |length: usize, orders: std::ops::Range<usize>| -> f64 {
            let size = |row: &[f64; TERMS]| row.iter().map(|coefficient| coefficient.abs()).sum::<f64>();
            orders.map(|order| size(&derivatives[order]) * (0.5 * length as f64).powi(order as i32)).sum()
        };
        let cut = |length: usize| (length, reach(length, PIECE_TERMS..TERMS));
        let (length, remainder) =
            lengths.iter().copied().map(cut).find(|(_, remainder)| *remainder <= block.least * LARGEST_REMAINDER)?;
        // Terms from the second power on are rounded; so is what is left over of the first two.
        let rounding =
            f64::EPSILON * (4.0 * reach(length, 2..PIECE_TERMS) + 64.0 * f64::EPSILON * reach(length, 0..PIECE_TERMS));
        let parts = |coefficients: &[DoubleDouble; TERMS]| {
            [coefficients.map(DoubleDouble::high), coefficients.map(DoubleDouble::low)]
        };
        let slope: [DoubleDouble; TERMS] = std::array::from_fn(|power| match block.coefficients.get(power + 1) {
            Some(coefficient) => *coefficient * step * (power + 1) as f64,
            None => DoubleDouble::ZERO,
        });
        Some(Self {
            value: parts(&block.coefficients),
            slope: parts(&slope),
            derivatives,
            step,
            length,
            slack: block.slack + remainder + rounding,
        })
    }

    /// Writes whole long pieces from column `first` on; `exact` tells a value that is too close to call.
    fn fill(&self, writer: Writer, first: usize, out: &mut [f64], exact: &impl Fn(usize) -> f64) {
        for (index, part) in out.chunks_mut(MOST_IN_PIECES).enumerate() {
            let first = first + index * MOST_IN_PIECES;
            let streaming = writer.streaming;
            let mut doubtful = writer.level.run(FillDoubles { pieces: self, first, streaming, out: part });
            while doubtful != 0 {
                let piece = doubtful.trailing_zeros() as usize * LONG;
                self.decide(writer.level, first + piece, &mut part[piece..piece + LONG], exact);
                doubtful &= doubtful - 1;
            }
        }
    }

    /// Computes those values of a piece again that are too close to call.
    fn decide(&self, level: Level, first: usize, out: &mut [f64], exact: &impl Fn(usize) -> f64) {
        let mut values = [0.0; LONG];
        let mut rests = [0.0; LONG];
        level.run(Sums { pieces: self, first, values: &mut values, rests: &mut rests });
        for (offset, slot) in out.iter_mut().enumerate() {
            if is_close(values[offset], rests[offset], self.slack) {
                *slot = exact(first + offset);
            }
        }
    }

    /// The coefficients of `count` pieces side by side, the first from column `first` on: high and low parts of the
    /// first two, then the others.
    #[inline(always)]
    fn expand<S: Simd>(&self, first: usize, count: usize) -> [[f64; WIDTH]; PIECE_TERMS + 2] {
        let mut coefficients = [[0.0; WIDTH]; PIECE_TERMS + 2];
        let centre = first as f64 + (self.length - 1) as f64 * 0.5;
        for piece in 0..count.min(WIDTH) {
            let column = LANE_NUMBERS[piece].multiply_add::<S>(self.length as f64, centre);
            let product = column * self.step.high();
            let rest = product_rest::<S>(column, self.step.high(), product) + column * self.step.low();
            let (x, left) = exact_sum(product, -1.0);
            let (x, x_low) = exact_sum(x, left + rest);
            let (slope, slope_low) = horner::<S>(&self.slope, x, x_low);
            let (value, value_low) = horner::<S>(&self.value, x, x_low);
            coefficients[0][piece] = value;
            coefficients[1][piece] = value_low;
            coefficients[2][piece] = slope;
            coefficients[3][piece] = slope_low;
            for order in 2..PIECE_TERMS {
                let mut sum = self.derivatives[order][TERMS - 1];
                let mut power = TERMS - 1;
                while power > 0 {
                    power -= 1;
                    sum = sum.multiply_add::<S>(x, self.derivatives[order][power]);
                }
                coefficients[order + 2][piece] = sum;
            }
        }
        coefficients
    }
}

/// A polynomial with coefficients in two parts, at x in two parts.
#[inline(always)]
fn horner<S: Simd>(coefficients: &[[f64; TERMS]; 2], x: f64, x_low: f64) -> (f64, f64) {
    let [high, low] = coefficients;
    let (mut sum, mut rest) = (high[TERMS - 1], low[TERMS - 1]);
    let mut power = TERMS - 1;
    while power > 0 {
        power -= 1;
        let product = sum * x;
        let product_low = product_rest::<S>(sum, x, product) + (sum * x_low + rest * x);
        let (next, left) = exact_sum(product, high[power]);
        (sum, rest) = exact_sum(next, left + (product_low + low[power]));
    }
    (sum, rest)
}

/// One value of a piece, from its column counted from the middle: rounded, and what rounding left over.
#[inline(always)]
fn sum<S: Simd>(terms: &[f64; PIECE_TERMS + 2], node: f64) -> (f64, f64) {
    let mut curved = terms[PIECE_TERMS + 1];
    let mut order = PIECE_TERMS + 1;
    while order > 4 {
        order -= 1;
        curved = curved.multiply_add::<S>(node, terms[order]);
    }
    let product = terms[2] * node;
    let product_low = product_rest::<S>(terms[2], node, product);
    let (value, left) = exact_sum(terms[0], product);
    let low = terms[3].multiply_add::<S>(node, terms[1] + product_low);
    let rest = curved.multiply_add::<S>(node * node, left + low);
    exact_sum(value, rest)
}

/// Whether a midpoint lies within `slack` of the sum of a rounded value and its rest.
#[inline(always)]
pub fn is_close(value: f64, rest: f64, slack: f64) -> bool {
    // Of a power of two the neighbour below is half as far, so its exponent is taken. 0 wraps to the greatest, so
    // that it is never close: callers see to it that it is a true one.
    let exponent = value.to_bits().wrapping_sub(1) & (0x7ff << 52);
    let half_unit = f64::from_bits(exponent) * (1.0 / (1u64 << 53) as f64);
    rest.abs() + slack >= half_unit
}

/// Writes long pieces from column `first` on, at most [`MOST_IN_PIECES`] values; bit `i` of the answer tells that one
/// of the values from `i ·` [`LONG`] on was too close to call.
struct FillDoubles<'a> {
    pieces: &'a DoublePieces,
    first: usize,
    streaming: bool,
    out: &'a mut [f64],
}

impl Kernel for FillDoubles<'_> {
    type Output = u64;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> u64 {
        let pieces = self.pieces;
        let (total, each) = (self.out.len(), LONG / pieces.length);
        let mut coefficients = [[0.0; WIDTH]; PIECE_TERMS + 2];
        let mut doubtful = 0;
        for (index, group) in self.out.as_chunks_mut::<LONG>().0.iter_mut().enumerate() {
            let number = index * each % WIDTH;
            if number == 0 {
                let left = (total - index * LONG) / pieces.length;
                coefficients = pieces.expand::<S>(self.first + index * LONG, left.min(WIDTH));
            }
            let mut values = Staged([0.0; LONG]);
            let mut rests = [0.0; LONG];
            sums::<S>(pieces.length, &coefficients, number, &mut values.0, &mut rests);
            let mut close = false;
            for (value, rest) in values.0.iter().zip(&rests) {
                close |= is_close(*value, *rest, pieces.slack);
            }
            doubtful |= u64::from(close) << index;
            if self.streaming {
                simd.stream(&values.0, group);
            } else {
                group.copy_from_slice(&values.0);
            }
        }
        doubtful
    }
}

/// On cache lines of its own.
#[repr(align(64))]
pub struct Staged(pub [f64; LONG]);

/// The values of a long piece, rounded, and what rounding left over.
struct Sums<'a> {
    pieces: &'a DoublePieces,
    first: usize,
    values: &'a mut [f64; LONG],
    rests: &'a mut [f64; LONG],
}

impl Kernel for Sums<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let length = self.pieces.length;
        let coefficients = self.pieces.expand::<S>(self.first, LONG / length);
        sums::<S>(length, &coefficients, 0, self.values, self.rests);
    }
}

/// [`Sums`] with the coefficients of its pieces from the `number`-th on.
#[inline(always)]
fn sums<S: Simd>(
    length: usize,
    coefficients: &[[f64; WIDTH]; PIECE_TERMS + 2],
    number: usize,
    values: &mut [f64; LONG],
    rests: &mut [f64; LONG],
) {
    let nodes = &f64::CENTRED[(LONG - length) / 2..(LONG + length) / 2];
    let slots = values.chunks_exact_mut(length).zip(rests.chunks_exact_mut(length));
    for (piece, (values, rests)) in slots.enumerate() {
        let mut terms = [0.0; PIECE_TERMS + 2];
        for (term, row) in terms.iter_mut().zip(coefficients) {
            *term = row[number + piece];
        }
        for ((value, rest), node) in values.iter_mut().zip(rests).zip(nodes) {
            (*value, *rest) = sum::<S>(&terms, *node);
        }
    }
}
