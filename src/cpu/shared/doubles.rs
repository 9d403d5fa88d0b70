//! Rows of `f64` that share their timing: shapes in two parts, and a sum of two products a value.
//!
//! As with the shorter types, but the shapes come from the polynomials of [`crate::cpu::doubles`], and what they leave
//! open is computed to 100 bits.

use std::ops::Range;
use std::ptr;

use crate::cpu::doubles::{Staged, USABLE, is_close, next_block};
use crate::cpu::lanes::{exact_sum, product_rest};
use crate::cpu::pieces::LONG;
use crate::cpu::repeat::{Cycles, cycles};
use crate::cpu::row::fill_columns;
use crate::cpu::simd::{Baseline, Kernel, Level, Simd};
use crate::cpu::span::{Columns, Factor, Kind, Span, first_span};
use crate::cpu::writer::Writer;
use crate::double_double::{DoubleDouble, Extended};
use crate::packed::Batch;
use crate::program::{Clamp, MAX_STEP, Program, Segment, Stage};
use crate::steps::Steps;

use super::close::Scratch;
use super::parameters::{Row, row_of, same_timings};
use super::patterns::SLOTS;

/// More pieces of a block are not worth it.
const MOST_PIECES: usize = 256;

/// Pieces whose errors differ by more are not put together.
const LIKE_SLACK: f64 = 2.0;

/// Relative error of what is computed to 100 bits, with much to spare.
const EXACT: f64 = 1.0 / (1_u128 << 92) as f64;

/// Relative error of the sum of products in two parts.
const ROUNDINGS: f64 = 64.0 * f64::EPSILON * f64::EPSILON;

/// A run of columns in one stage, over which its tracks move along one segment each or stand still.
#[derive(Clone, Debug)]
struct DoublePiece {
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
#[derive(Clone, Debug, PartialEq)]
enum Moves {
    /// Nothing.
    Nothing,
    /// One track, along the segment of these indices; the shapes are its curve's.
    One { track: usize, segment: usize, others: Vec<Still> },
    /// Several tracks; the shapes are what all of them make together.
    Several,
}

/// A track that stands still: its index, that of its segment, and the phase count.
#[derive(Clone, Copy, Debug, PartialEq)]
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
    pieces: Vec<DoublePiece>,
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
            let cycles = cycles(program, &left);
            let end = done + cycles.map_or(first_span(program, &left).count, |cycles| cycles.period);
            let first = done;
            while done < end {
                let left = Columns { count: end - done, ..columns.after(done) };
                let Some(count) = self.lay_out_span(level, program, left, done) else { return false };
                done += count;
            }
            if let Some(cycles) = cycles {
                self.repeat(first, cycles);
                done = first + cycles.count;
            }
            if self.pieces.len() > MOST_PIECES {
                return false;
            }
        }
        self.pieces.iter().all(|piece| piece.least >= USABLE.start && piece.greatest <= USABLE.end)
            && self.values.iter().all(|value| *value >= 0.0)
    }

    /// Writes those of the first span of `columns`, from column `at` of the block on, and tells how many it has.
    fn lay_out_span(&mut self, level: Level, program: &Program, columns: Columns, at: usize) -> Option<usize> {
        let Span { count, kind } = first_span(program, &columns);
        let tick = columns.start / program.quantum;
        let index = program.stages.partition_point(|stage| stage.start <= tick).max(1) - 1;
        match kind {
            Kind::Constant => self.append(at..at + count, index, Moves::Nothing, 0.0),
            Kind::Smooth { stage, factors } => {
                let free = stage.clamp.is_none() && factors.iter().all(|factor| factor.clamp.is_none());
                if !free || !self.lay_out_smooth(level, index, stage, &factors, at..at + count) {
                    return None;
                }
            }
            Kind::Irregular => return None,
        }
        Some(count)
    }

    /// Has a cycle, which is laid out from column `first` on, go round.
    fn repeat(&mut self, first: usize, Cycles { period, count }: Cycles) {
        let within = |piece: &&DoublePiece| piece.columns.end > first;
        let cycle: Vec<DoublePiece> = self.pieces.iter().filter(within).cloned().collect();
        for offset in (period..count).step_by(period) {
            let length = period.min(count - offset);
            self.values.copy_within(first..first + length, first + offset);
            self.rests.copy_within(first..first + length, first + offset);
            for DoublePiece { columns, stage, moves, slack, .. } in &cycle {
                let (from, to) = (columns.start.max(first), columns.end.min(first + length));
                if from < to && self.pieces.len() <= MOST_PIECES {
                    self.append(from + offset..to + offset, *stage, moves.clone(), *slack);
                }
            }
        }
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
                    if exact.high() == 0.0 && !is_zero_at(factors, column + offset) {
                        *value = f64::NAN;
                    }
                    greatest = greatest.max(exact.high().abs());
                }
                EXACT * greatest
            });
            self.append(at, index, moves.clone(), slack);
            column += length;
        }
        true
    }

    /// Adds a piece whose shapes are written, to the last one where both go alike.
    fn append(&mut self, columns: Range<usize>, stage: usize, moves: Moves, slack: f64) {
        let magnitudes = self.values[columns.clone()].iter().map(|value| value.abs()).filter(|value| *value > 0.0);
        let least = magnitudes.clone().fold(f64::INFINITY, f64::min);
        let greatest = magnitudes.fold(0.0, f64::max);
        if let Some(last) = self.pieces.last_mut() {
            let alike = last.stage == stage && last.moves == moves && moves != Moves::Nothing;
            if alike && slack <= last.slack * LIKE_SLACK && last.slack <= slack * LIKE_SLACK {
                last.columns.end = columns.end;
                last.slack = last.slack.max(slack);
                (last.least, last.greatest) = (last.least.min(least), last.greatest.max(greatest));
                return;
            }
        }
        self.pieces.push(DoublePiece { columns, stage, moves, slack, least, greatest });
    }

    /// Whether a row of this timing may be made of its shapes.
    fn is_for(&self, row: Row<'_>) -> bool {
        !self.pieces.is_empty() && (!self.same_values || self.row.segment_heights() == row.segment_heights())
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
                        if !USABLE.contains(&scale.high().abs()) {
                            return false;
                        }
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
            // 0 only where nothing has cancelled.
            let none = stage.offset.high() == 0.0 && base.high() == 0.0;
            let known = (none || USABLE.contains(&start.abs())) && USABLE.contains(&height.abs());
            // False for NaN, too.
            let moved = height.abs() * piece.least >= USABLE.start;
            if !(known && moved && start * height >= 0.0 && greatest <= USABLE.end) {
                return false;
            }
            let line = DoubleLine { intercept, slope, slack: height.abs() * piece.slack + ROUNDINGS * greatest };
            self.fill_moving(writer, line, columns, out, exact);
        }
        true
    }

    fn fill_moving(
        &self,
        writer: Writer,
        line: DoubleLine,
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

/// Whether what several factors make at a column is 0, and not merely too small for a double.
fn is_zero_at(factors: &[Factor<'_>], column: usize) -> bool {
    let value = |factor: &Factor<'_>| -> Extended { factor.segment.value_at(factor.phase_count_at(column).into()) };
    factors.iter().any(|factor| value(factor) == Extended::ZERO)
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
struct DoubleLine {
    intercept: DoubleDouble,
    slope: DoubleDouble,
    /// Bound on the error of its values.
    slack: f64,
}

impl DoubleLine {
    /// Its value at a shape, rounded, and what rounding left over.
    #[inline(always)]
    fn at<S: Simd>(&self, value: f64, rest: f64) -> (f64, f64) {
        let product = self.slope.high() * value;
        let product_low = product_rest::<S>(self.slope.high(), value, product)
            + (self.slope.high() * rest + self.slope.low() * value);
        let (sum, left) = exact_sum(self.intercept.high(), product);
        exact_sum(sum, left + (self.intercept.low() + product_low))
    }

    /// Its value at a shape, unless that is too close to call.
    fn certain(&self, value: f64, rest: f64) -> Option<f64> {
        let (sum, left) = self.at::<Baseline>(value, rest);
        (!is_close(sum, left, self.slack)).then_some(sum)
    }
}

/// Writes a line in some shapes; bit `i` of the answer tells that one of the values from `i ·` [`LONG`] on was too close
/// to call.
struct FillLine<'a> {
    line: DoubleLine,
    values: &'a [f64],
    rests: &'a [f64],
    streaming: bool,
    out: &'a mut [f64],
}

impl Kernel for FillLine<'_> {
    type Output = u64;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> u64 {
        let mut doubtful = 0;
        let parts = self.values.chunks(LONG).zip(self.rests.chunks(LONG));
        for (index, ((values, rests), out)) in parts.zip(self.out.chunks_mut(LONG)).enumerate() {
            let mut staged = Staged([0.0; LONG]);
            let mut close = false;
            for ((slot, value), rest) in staged.0.iter_mut().zip(values).zip(rests) {
                let (sum, left) = self.line.at::<S>(*value, *rest);
                *slot = sum;
                close |= is_close(sum, left, self.line.slack);
            }
            doubtful |= u64::from(close) << index;
            if self.streaming {
                simd.stream(&staged.0[..out.len()], out);
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
        let known = patterns.iter().position(|pattern| same_timings(pattern.row, row));
        let pattern = known.or_else(|| {
            let (start, stride) = steps.progression()?;
            let stride = stride.min(MAX_STEP + 1);
            let columns = Columns { start: start + begin as u64 * stride, stride, count: out.len() };
            let pattern = DoublePattern::new(writer.level, row, program, columns);
            if patterns.len() < SLOTS {
                patterns.push(pattern);
                return Some(patterns.len() - 1);
            }
            let slot = oldest;
            oldest = (oldest + 1) % SLOTS;
            patterns[slot] = pattern;
            Some(slot)
        });
        let exact = |column: usize| program.value(steps.at(begin + column));
        let pattern = pattern.map(|index| &patterns[index]).filter(|pattern| pattern.is_for(row));
        if !pattern.is_some_and(|pattern| pattern.fill(writer, program, out, &exact)) {
            fill_columns(writer, program, steps, begin, out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::curve::Curve;
    use crate::program::{Repetition, Track};

    /// How many pieces there are over 8000 columns, all of them in order; nothing where rows go alone.
    fn pieces(program: &Program) -> Option<usize> {
        let batch = Batch::from_programs([program]).expect("a small batch");
        let columns = Columns { start: 0, stride: 1, count: 8000 };
        let pattern = DoublePattern::new(Level::detect(), row_of(&batch, 0), program, columns);
        let mut next = 0;
        for piece in &pattern.pieces {
            assert_eq!(piece.columns.start, next, "{:?}", pattern.pieces);
            next = piece.columns.end;
            for column in [piece.columns.start, (piece.columns.start + next) / 2, next - 1] {
                let (value, rest) = (pattern.values[column], pattern.rests[column]);
                let line = DoubleLine { intercept: DoubleDouble::ZERO, slope: DoubleDouble::ONE, slack: piece.slack };
                let certain = line.certain(value, rest);
                // The shapes are the values where no other track stands still beside them.
                let whole = match &piece.moves {
                    Moves::Nothing => false,
                    Moves::One { others, .. } => others.is_empty(),
                    Moves::Several => true,
                };
                assert!(!whole || certain.is_none_or(|value| value == program.value(column as u64)), "{column}");
            }
        }
        (next == columns.count).then_some(pattern.pieces.len())
    }

    fn unit(length: u64, curve: Curve) -> Segment {
        Segment::rising(0, length, 0.0, 1.0, curve)
    }

    #[test]
    fn most_timings_have_a_pattern() {
        let cosine = Track::of(vec![unit(20_000, Curve::Cosine)]);
        let cycle =
            Track { repetition: Repetition::Restart { period: 700 }, ..Track::of(vec![unit(700, Curve::Cosine)]) };
        let stairs = Segment { quantum: Some(3000), ..unit(4, Curve::Exponential) };
        let both = |other: Track| Stage { tracks: vec![cosine.clone(), other], ..Stage::of(cosine.clone()) };
        for (stage, most) in [
            (Stage::of(cosine.clone()), 40),
            (Stage::of(cycle), 200),
            (both(Track::of(vec![unit(9000, Curve::Linear)])), 60),
        ] {
            let count = pieces(&Program::of_stage(stage));
            assert!(count.is_some_and(|count| count > 0 && count <= most), "{count:?} pieces");
        }
        let short = Track { repetition: Repetition::Restart { period: 5 }, ..Track::of(vec![unit(5, Curve::Cosine)]) };
        assert!(pieces(&Program::of_stage(both(Track::of(vec![stairs])))).is_some());
        assert!(pieces(&Program::of_stage(Stage::of(short))).is_some());
        let bounds = Clamp { lower: 0.1, upper: 0.7 };
        assert_eq!(pieces(&Program::of_stage(Stage { clamp: bounds, ..Stage::of(cosine) })), None);
    }
}
