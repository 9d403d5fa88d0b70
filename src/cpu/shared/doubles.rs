//! Rows of `f64` that share their timing: shapes in two parts, and a sum of two products a value.
//!
//! As with the shorter types, but the shapes come from the polynomials of [`crate::cpu::doubles`], and what they leave
//! open is computed to 100 bits.

use std::ops::Range;
use std::ptr;

use crate::cpu::dispatch::{Kernel, Level, stream};
use crate::cpu::doubles::{Staged, is_close, next_block};
use crate::cpu::lanes::{exact_sum, product_rest};
use crate::cpu::pieces::LONG;
use crate::cpu::repeat::cycles;
use crate::cpu::row::fill_columns;
use crate::cpu::span::{Columns, Factor, Kind, Span, first_span};
use crate::cpu::writer::Writer;
use crate::double_double::DoubleDouble;
use crate::packed::{Batch, Steps};
use crate::program::{Clamp, MAX_STEP, Program, Segment, Stage};

use super::close::Scratch;
use super::parameters::{Row, row_of, same_timings};
use super::patterns::SLOTS;

/// More pieces of a block are not worth it.
const MOST_PIECES: usize = 256;

/// Shorter cycles are copied rather than evaluated.
const SHORTEST_CYCLE: usize = 1024;

/// Relative error of what is computed to 100 bits, with much to spare.
const EXACT: f64 = 1.0 / (1_u128 << 92) as f64;

/// Relative error of the sum of products in two parts.
const ROUNDINGS: f64 = 64.0 * f64::EPSILON * f64::EPSILON;

/// Magnitudes where the arithmetic below is far from underflow and overflow.
const USABLE: Range<f64> = 1e-200..1e250;

/// A run of columns in one stage, over which its tracks move along one segment each or stand still.
#[derive(Clone, Debug)]
struct Piece {
    columns: Range<usize>,
    /// The index of the stage.
    stage: usize,
    moves: Moves,
    /// Bound on the error of the shapes.
    slack: f64,
    /// The least and the greatest shape that is not 0.
    least: f64,
    greatest: f64,
}

/// What moves over a piece.
#[derive(Clone, Debug)]
enum Moves {
    /// Nothing.
    Nothing,
    /// One track, along the segment of these indices; the shapes are its curve's.
    One { track: usize, segment: usize, others: Vec<Still> },
    /// Several tracks; the shapes are what all of them make together.
    Several,
}

/// A track that stands still: its index, that of its segment, and the phase count.
#[derive(Clone, Copy, Debug)]
struct Still {
    track: usize,
    segment: usize,
    phase_count: u64,
}

/// The shapes of a timing over a block of columns.
struct DoublePattern<'b> {
    row: Row<'b>,
    /// Whether rows must have the same values of the segments, too.
    same_values: bool,
    /// Empty where rows are better evaluated by themselves.
    pieces: Vec<Piece>,
    values: Vec<f64>,
    rests: Vec<f64>,
}

impl<'b> DoublePattern<'b> {
    fn new(level: Level, row: Row<'b>, program: &Program, columns: Columns) -> Self {
        let (values, rests) = (vec![0.0; columns.count], vec![0.0; columns.count]);
        let mut pattern = Self { row, same_values: false, pieces: Vec::new(), values, rests };
        if !pattern.lay_out(level, program, columns) {
            pattern.pieces.clear();
        }
        pattern
    }

    /// Writes the shapes of a program; false where rows are better evaluated by themselves.
    fn lay_out(&mut self, level: Level, program: &Program, columns: Columns) -> bool {
        let mut done = 0;
        while done < columns.count {
            let left = columns.after(done);
            if cycles(program, &left).is_some_and(|cycles| cycles.period < SHORTEST_CYCLE) {
                return false;
            }
            let Span { count, kind } = first_span(program, &left);
            let tick = left.start / program.quantum;
            let index = program.stages.partition_point(|stage| stage.start <= tick).max(1) - 1;
            match kind {
                Kind::Constant => self.append(done..done + count, index, Moves::Nothing, 0.0),
                Kind::Smooth { stage, factors } => {
                    let free = stage.clamp.is_none() && factors.iter().all(|factor| factor.clamp.is_none());
                    if !free || !self.lay_out_smooth(level, index, stage, &factors, done..done + count) {
                        return false;
                    }
                }
                Kind::Irregular => return false,
            }
            done += count;
            if self.pieces.len() > MOST_PIECES {
                return false;
            }
        }
        self.pieces.iter().all(|piece| piece.least >= USABLE.start && piece.greatest <= USABLE.end)
            && self.values.iter().all(|value| *value >= 0.0)
    }

    /// Writes those of a span without bounds.
    fn lay_out_smooth(
        &mut self,
        level: Level,
        index: usize,
        stage: &Stage,
        factors: &[Factor<'_>],
        columns: Range<usize>,
    ) -> bool {
        let mut moving = factors.iter().enumerate().filter(|(_, factor)| factor.per_column != 0);
        let (unit, joined, moves);
        let factors = match (moving.next(), moving.next()) {
            (Some((track, factor)), None) => {
                let segment_of = |track: usize| {
                    let segments = &stage.tracks[track].segments;
                    segments.iter().position(|segment| ptr::eq(segment, factors[track].segment))
                };
                let others = (0..factors.len()).filter(|other| *other != track).map(|track| {
                    segment_of(track).map(|segment| Still { track, segment, phase_count: factors[track].phase_count })
                });
                let (Some(segment), Some(others)) = (segment_of(track), others.collect::<Option<Vec<_>>>()) else {
                    return false;
                };
                // What stands still may cancel in a sum.
                if stage.summed && !others.is_empty() {
                    return false;
                }
                moves = Moves::One { track, segment, others };
                unit = Segment { base: DoubleDouble::ZERO, amplitude: DoubleDouble::ONE, ..*factor.segment };
                joined = vec![Factor { segment: &unit, ..*factor }];
                &joined
            }
            _ => {
                self.same_values = true;
                moves = Moves::Several;
                factors
            }
        };
        let plain = Stage {
            scale: DoubleDouble::ONE,
            offset: DoubleDouble::ZERO,
            tracks: Vec::new(),
            clamp: Clamp::NONE,
            ..*stage
        };
        let mut column = 0;
        while column < columns.len() {
            let (length, block) = next_block(&plain, factors, column, columns.len() - column);
            let at = columns.start + column..columns.start + column + length;
            let (values, rests) = (&mut self.values[at.clone()], &mut self.rests[at.clone()]);
            let slack = block.and_then(|block| block.write_sums(level, values, rests)).unwrap_or_else(|| {
                let mut greatest: f64 = 0.0;
                for (offset, (value, rest)) in values.iter_mut().zip(rests).enumerate() {
                    let exact = joined_at(&plain, factors, column + offset);
                    (*value, *rest) = (exact.high(), exact.low());
                    greatest = greatest.max(exact.high().abs());
                }
                EXACT * greatest
            });
            self.append(at, index, moves.clone(), slack);
            column += length;
        }
        true
    }

    fn append(&mut self, columns: Range<usize>, stage: usize, moves: Moves, slack: f64) {
        let magnitudes = self.values[columns.clone()].iter().map(|value| value.abs()).filter(|value| *value > 0.0);
        let least = magnitudes.clone().fold(f64::INFINITY, f64::min);
        let greatest = magnitudes.fold(0.0, f64::max);
        self.pieces.push(Piece { columns, stage, moves, slack, least, greatest });
    }

    /// Whether a row of this timing may be made of its shapes.
    fn is_for(&self, row: Row<'_>) -> bool {
        !self.pieces.is_empty() && (!self.same_values || self.row.1 == row.1)
    }

    /// Writes the row of a schedule; `exact` tells a value that is too close to call. False where that may cancel or is
    /// out of range.
    fn fill(&self, writer: Writer, program: &Program, out: &mut [f64], exact: &impl Fn(usize) -> f64) -> bool {
        for piece in &self.pieces {
            let stage = &program.stages[piece.stage];
            let columns = piece.columns.clone();
            let (base, slope) = match &piece.moves {
                Moves::Nothing => {
                    writer.constant(exact(columns.start), &mut out[columns]);
                    continue;
                }
                Moves::One { track, segment, others } => {
                    let mut scale = stage.scale;
                    for Still { track, segment, phase_count } in others {
                        let segment = &stage.tracks[*track].segments[*segment];
                        scale = scale * segment.value_at::<DoubleDouble>((*phase_count).into());
                    }
                    let segment = &stage.tracks[*track].segments[*segment];
                    (scale * segment.base, scale * segment.amplitude)
                }
                Moves::Several => (DoubleDouble::ZERO, stage.scale),
            };
            let intercept = stage.offset + base;
            let (start, height) = (intercept.high(), slope.high());
            let reach = height.abs() * piece.greatest;
            let greatest = stage.offset.high().abs() + base.high().abs() + reach;
            let constant = start == 0.0 || USABLE.contains(&start.abs());
            let moved = height == 0.0 || height.abs() * piece.least >= USABLE.start;
            // False for NaN, too.
            if !(constant && moved && start * height >= 0.0 && greatest <= USABLE.end) {
                return false;
            }
            let line = Line { intercept, slope, slack: height.abs() * piece.slack + ROUNDINGS * greatest };
            self.fill_moving(writer, line, columns, out, exact);
        }
        true
    }

    fn fill_moving(
        &self,
        writer: Writer,
        line: Line,
        columns: Range<usize>,
        out: &mut [f64],
        exact: &impl Fn(usize) -> f64,
    ) {
        let lead = writer.lead(&out[columns.clone()]);
        let mut column = columns.start;
        while column < columns.end {
            let wanted = if column == columns.start && lead > 0 { lead } else { MOST_AT_ONCE };
            let end = (column + wanted).min(columns.end);
            let part = column..end;
            let (values, rests) = (&self.values[part.clone()], &self.rests[part.clone()]);
            let streaming = writer.streaming;
            let mut doubtful = writer.level.run(FillLine { line, values, rests, streaming, out: &mut out[part] });
            while doubtful != 0 {
                let first = column + doubtful.trailing_zeros() as usize * LONG;
                let last = (first + LONG).min(end);
                for (column, slot) in out.iter_mut().enumerate().take(last).skip(first) {
                    let value = line.certain(self.values[column], self.rests[column]);
                    *slot = value.unwrap_or_else(|| exact(column));
                }
                doubtful &= doubtful - 1;
            }
            column = end;
        }
    }
}

/// What the tracks of a stage make together at a column of a span.
fn joined_at(stage: &Stage, factors: &[Factor<'_>], column: usize) -> DoubleDouble {
    let values =
        factors.iter().map(|factor| factor.segment.value_at::<DoubleDouble>(factor.phase_count_at(column).into()));
    if stage.summed { values.fold(DoubleDouble::ZERO, |sum, value| sum + value) } else { DoubleDouble::product(values) }
}

/// Values that one kernel writes: one bit of its answer for every [`LONG`].
const MOST_AT_ONCE: usize = u64::BITS as usize * LONG;

/// A straight line in shapes of two parts.
#[derive(Clone, Copy)]
struct Line {
    intercept: DoubleDouble,
    slope: DoubleDouble,
    /// Bound on the error of its values.
    slack: f64,
}

impl Line {
    /// Its value at a shape, rounded, and what rounding left over.
    #[inline(always)]
    fn at<const FUSED: bool>(&self, value: f64, rest: f64) -> (f64, f64) {
        let product = self.slope.high() * value;
        let product_low = product_rest::<FUSED>(self.slope.high(), value, product)
            + (self.slope.high() * rest + self.slope.low() * value);
        let (sum, left) = exact_sum(self.intercept.high(), product);
        exact_sum(sum, left + (self.intercept.low() + product_low))
    }

    /// Its value at a shape, unless that is too close to call.
    fn certain(&self, value: f64, rest: f64) -> Option<f64> {
        let (sum, left) = self.at::<false>(value, rest);
        (!is_close(sum, left, self.slack)).then_some(sum)
    }
}

/// Writes a line in some shapes; bit `i` of the answer tells that one of the values from `i ·` [`LONG`] on was too close
/// to call.
struct FillLine<'a> {
    line: Line,
    values: &'a [f64],
    rests: &'a [f64],
    streaming: bool,
    out: &'a mut [f64],
}

impl Kernel for FillLine<'_> {
    type Output = u64;

    #[inline(always)]
    fn run<const FUSED: bool, const STORE: usize>(self) -> u64 {
        let mut doubtful = 0;
        let parts = self.values.chunks(LONG).zip(self.rests.chunks(LONG));
        for (index, ((values, rests), out)) in parts.zip(self.out.chunks_mut(LONG)).enumerate() {
            let mut staged = Staged([0.0; LONG]);
            let mut close = false;
            for ((slot, value), rest) in staged.0.iter_mut().zip(values).zip(rests) {
                let (sum, left) = self.line.at::<FUSED>(*value, *rest);
                *slot = sum;
                close |= is_close(sum, left, self.line.slack);
            }
            doubtful |= u64::from(close) << index;
            if self.streaming {
                stream::<f64, STORE>(&staged.0[..out.len()], out);
            } else {
                out.copy_from_slice(&staged.0[..out.len()]);
            }
        }
        doubtful
    }
}

/// Fills a block of columns from `begin` on of rows from schedule `first` on.
pub fn fill_block(writer: Writer, batch: &Batch, first: usize, steps: &Steps, begin: usize, rows: &mut [&mut [f64]]) {
    let mut scratch = Scratch::new(batch);
    let mut patterns: Vec<DoublePattern<'_>> = Vec::new();
    let mut oldest = 0;
    for (index, out) in rows.iter_mut().enumerate() {
        let schedule = first + index;
        let row = row_of(batch, schedule);
        let program = scratch.unpacked(schedule);
        let known = patterns.iter().position(|pattern| same_timings(batch, pattern.row, row));
        let pattern = known.or_else(|| {
            let (start, stride) = steps.progression()?;
            let stride = stride.min(MAX_STEP + 1);
            let columns = Columns { start: start + begin as u64 * stride, stride, count: out.len() };
            let pattern = DoublePattern::new(writer.level, row, program, columns);
            if patterns.len() < SLOTS {
                patterns.push(pattern);
                return Some(patterns.len() - 1);
            }
            oldest = (oldest + 1) % SLOTS;
            patterns[oldest] = pattern;
            Some(oldest)
        });
        let exact = |column: usize| program.value(steps.get(begin + column));
        let pattern = pattern.map(|index| &patterns[index]).filter(|pattern| pattern.is_for(row));
        if !pattern.is_some_and(|pattern| pattern.fill(writer, program, out, &exact)) {
            fill_columns(writer, program, steps, begin, out);
        }
    }
}
