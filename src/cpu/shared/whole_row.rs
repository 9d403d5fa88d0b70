//! A short row in one go: its pieces are straight lines in shapes, which all have one window.

use crate::cpu::lanes::multiply_add;
use crate::cpu::rounding::Rounded;
use crate::cpu::simd::Simd;
use crate::cpu::working::{Window, Working};
use crate::double_double::power_of_two;
use crate::packed::PackedHeight;
use crate::program::MAX_TRACKS;

use super::extent::Extent;
use super::pattern::StageValues;
use super::pieces::Piece;
use super::steps::{CHUNK, COLUMNS, WIDTH};

/// What the short rows of a pattern have in common.
#[derive(Debug, Default)]
pub struct WholeRow {
    /// Whether it was looked whether rows can be made so.
    pub prepared: bool,
    /// None where rows take more than this.
    pieces: Vec<WholePiece>,
    /// Whether no piece has several tracks, or a stage that scales them.
    simple: bool,
    /// How many columns there are.
    columns: usize,
    /// The products of all tracks' shapes, and of all but the last one's.
    products: Vec<f64>,
    others: Vec<f64>,
    /// The columns where products are zero.
    zeros: Vec<usize>,
    /// Which values are too close to call.
    window: Option<Window>,
}

/// A run of columns in which each track follows one segment.
#[derive(Clone, Copy, Debug)]
struct WholePiece {
    from: usize,
    to: usize,
    /// Which zeros lie in it.
    zeros: (usize, usize),
    /// The index of the stage.
    stage: usize,
    /// The segment of the last track, and of the others, counted from the program's first; nothing for a track whose shapes
    /// are its values.
    last: Option<usize>,
    others: [usize; MAX_TRACKS],
    other_count: usize,
    /// The last track's least shape; 0 where it has a zero.
    last_least: f64,
    /// The least product of the others that is not 0, and the greatest.
    others_least: f64,
    others_greatest: f64,
    /// The least product of all that is not 0, and the greatest.
    least: f64,
    greatest: f64,
}

/// A row's values over a piece: `constant + other · others + slope · products`.
struct Line {
    constant: f64,
    other: f64,
    slope: f64,
    /// Whether they are that, and so well known as the window supposes.
    known: bool,
    /// The least magnitude that is not 0, and the greatest.
    least: f64,
    greatest: f64,
}

/// By how much errors may grow where a base takes something off an amplitude: by half of it at most.
const MAGNIFIED: f64 = 3.0;

/// Products below this may have lost digits.
const LEAST: f64 = 1e-280;

impl WholeRow {
    /// Gets ready for rows of these pieces, of which the tracks have these shapes.
    pub fn prepare<T: Rounded>(&mut self, pieces: &[Piece], stages: &[StageValues], shapes: &[Vec<f64>]) {
        self.prepared = true;
        self.pieces.clear();
        self.columns = pieces.last().map_or(0, |last| last.to);
        // Types whose zero is no normal number need to know more of a piece.
        if !T::ZERO_IS_NORMAL || self.columns > COLUMNS {
            return;
        }
        for products in [&mut self.products, &mut self.others] {
            products.clear();
            products.resize(WIDTH, 1.0);
        }
        self.zeros.clear();
        let mut units: f64 = 0.0;
        for piece in pieces {
            let tracks = &piece.tracks[..piece.count];
            let usable = !stages[piece.stage].clamped
                && (piece.count == 1 || !stages[piece.stage].summed)
                && tracks.iter().all(|track| (track.segment.is_some() || piece.count == 1) && !track.extent.negative);
            let (true, Some((last, others))) = (usable, tracks.split_last()) else {
                self.pieces.clear();
                return;
            };
            let columns = piece.from..piece.to;
            let (mut segments, mut extent) = ([0; MAX_TRACKS], Extent::of(1.0));
            for (slot, track) in segments.iter_mut().zip(others) {
                *slot = track.segment.unwrap_or(0);
                extent = extent.times(track.extent);
                multiply(&mut self.others[columns.clone()], &shapes[track.shapes][columns.clone()]);
            }
            let (others_least, others_greatest) = (extent.least, extent.greatest);
            extent = extent.times(last.extent);
            self.products[columns.clone()].copy_from_slice(&self.others[columns.clone()]);
            multiply(&mut self.products[columns.clone()], &shapes[last.shapes][columns]);
            // Where a product has lost digits the extent's roundings are infinite, and so there is no window.
            let first_zero = self.zeros.len();
            self.zeros.extend((piece.from..piece.to).filter(|&column| self.products[column] == 0.0));
            let magnified = if others.is_empty() { 1.0 } else { MAGNIFIED };
            units = units.max(magnified * piece.roundings().max(extent.roundings));
            self.pieces.push(WholePiece {
                from: piece.from,
                to: piece.to,
                zeros: (first_zero, self.zeros.len()),
                stage: piece.stage,
                last: last.segment,
                others: segments,
                other_count: others.len(),
                last_least: if last.extent.zero { 0.0 } else { last.extent.least },
                others_least,
                others_greatest,
                least: extent.least,
                greatest: extent.greatest,
            });
        }
        let simple =
            |piece: &WholePiece| piece.other_count == 0 && piece.last.is_some() && stages[piece.stage].height.is_none();
        self.simple = self.pieces.iter().all(simple);
        self.window = Window::of_units::<T, f64>(units);
    }

    /// Writes a row, and some lanes beyond its columns; false where it takes more than this. `exact` tells values that are
    /// too close to call.
    #[inline(always)]
    pub fn fill<T: Rounded, S: Simd>(
        &self,
        simd: S,
        stages: &[StageValues],
        heights: &[PackedHeight],
        out: &mut [T],
        exact: impl FnMut(usize) -> T,
    ) -> bool {
        if self.simple {
            self.fill_lines::<T, true, S>(simd, stages, heights, out, exact)
        } else {
            self.fill_lines::<T, false, S>(simd, stages, heights, out, exact)
        }
    }

    #[inline(always)]
    fn fill_lines<T: Rounded, const SIMPLE: bool, S: Simd>(
        &self,
        simd: S,
        stages: &[StageValues],
        heights: &[PackedHeight],
        out: &mut [T],
        mut exact: impl FnMut(usize) -> T,
    ) -> bool {
        let (Some(window), false, true) = (&self.window, self.pieces.is_empty(), self.columns + CHUNK <= out.len())
        else {
            return false;
        };
        let mut limits = Limits { known: true, least: f64::INFINITY };
        let mut close = false;
        for piece in &self.pieces {
            let line = piece.line::<SIMPLE>(stages, heights);
            limits.add::<T>(&line);
            close |= self.write::<T, S>(simd, piece, &line, window, out);
        }
        if !limits.allow::<T>() {
            return false;
        }
        if close {
            self.look_closer::<T, S>(stages, heights, window, out, &mut exact);
        }
        true
    }

    /// Writes a piece and some lanes beyond; whether any value is too close to call.
    #[inline(always)]
    fn write<T: Rounded, S: Simd>(
        &self,
        simd: S,
        piece: &WholePiece,
        line: &Line,
        window: &Window,
        out: &mut [T],
    ) -> bool {
        let lanes = piece.from..piece.from + (piece.to - piece.from).next_multiple_of(CHUNK);
        let (products, others) = (&self.products[lanes.clone()], &self.others[lanes.clone()]);
        let zeros = self.zeros[piece.zeros.0..piece.zeros.1].iter().map(|column| column - piece.from);
        let out = &mut out[lanes];
        if line.other == 0.0 {
            let terms = [line.constant, line.slope];
            return write_line::<T, S>(simd, &terms, products, line.is_negative(), window, zeros, out);
        }
        let mut made = [0.0; WIDTH];
        let made = &mut made[..products.len()];
        for ((made, product), others) in made.iter_mut().zip(products).zip(others) {
            *made = line.at::<S>(*product, *others);
        }
        write_line::<T, S>(simd, &[0.0, 1.0], made, line.is_negative(), window, zeros, out)
    }

    /// Computes values again that lie in the window.
    #[cold]
    fn look_closer<T: Rounded, S: Simd>(
        &self,
        stages: &[StageValues],
        heights: &[PackedHeight],
        window: &Window,
        out: &mut [T],
        exact: &mut impl FnMut(usize) -> T,
    ) {
        for piece in &self.pieces {
            let line =
                if self.simple { piece.line::<true>(stages, heights) } else { piece.line::<false>(stages, heights) };
            let columns = out.iter_mut().enumerate().take(piece.to).skip(piece.from);
            for (column, slot) in columns {
                if line.at::<S>(self.products[column], self.others[column]).is_close(window) {
                    *slot = exact(column);
                }
            }
        }
    }
}

fn multiply(products: &mut [f64], shapes: &[f64]) {
    products.iter_mut().zip(shapes).for_each(|(product, shape)| *product *= shape);
}

impl WholePiece {
    /// The line of a row of these heights.
    #[inline(always)]
    fn line<const SIMPLE: bool>(&self, stages: &[StageValues], heights: &[PackedHeight]) -> Line {
        let (base, amplitude) = match self.last {
            Some(segment) => heights[segment].doubles(),
            None => (0.0, 1.0),
        };
        if SIMPLE {
            let (near, far) = (base.abs(), amplitude.abs());
            let least = if near > 0.0 { near } else { far * self.least };
            let known = have_one_sign(base, amplitude);
            let greatest = near + far * self.greatest;
            return Line { constant: base, other: 0.0, slope: amplitude, known, least, greatest };
        }
        let (scale, offset) = stages[self.stage].numbers(heights);
        let mut all = scale;
        let mut known = true;
        for &segment in &self.others[..self.other_count] {
            let (base, amplitude) = heights[segment].doubles();
            // A product of two sums has a term more.
            known &= base == 0.0;
            all *= amplitude;
            known &= all.abs() >= LEAST;
        }
        let (other, slope) = (all * base, all * amplitude);
        known &= ((other.abs() >= LEAST) | (base == 0.0)) & ((slope.abs() >= LEAST) | (amplitude == 0.0));
        let with_base = have_one_sign(base, amplitude);
        known &= with_base | (2.0 * base.abs() <= amplitude.abs() * self.last_least);
        known &= have_one_sign(offset, if amplitude == 0.0 { other } else { slope });
        let (near, far) = (offset.abs(), slope.abs());
        let (with_last, without) = (0.5 * far * self.least, other.abs() * self.others_least);
        // Where the last track has a zero, only the base is left.
        let lowest = if self.last_least == 0.0 && other != 0.0 { with_last.min(without) } else { with_last };
        let lowest = if amplitude == 0.0 { without } else { lowest };
        let greatest = near + other.abs() * self.others_greatest + far * self.greatest;
        if self.other_count == 0 {
            // The product of no shapes is 1.
            let constant = offset + other;
            let least = if constant == 0.0 { far * self.least } else { constant.abs() };
            known &= with_base;
            return Line { constant, other: 0.0, slope, known, least, greatest };
        }
        Line { constant: offset, other, slope, known, least: if near > 0.0 { near } else { lowest }, greatest }
    }
}

impl Line {
    /// Whether its values are below 0.
    #[inline(always)]
    fn is_negative(&self) -> bool {
        // All that is not 0 has their sign, but for what a base takes off an amplitude.
        if self.constant != 0.0 {
            self.constant < 0.0
        } else if self.slope != 0.0 {
            self.slope < 0.0
        } else {
            self.other < 0.0
        }
    }

    /// The value where all tracks make `product`, and all but the last one `others`.
    #[inline(always)]
    fn at<S: Simd>(&self, product: f64, others: f64) -> f64 {
        if self.other == 0.0 {
            return multiply_add::<S>(self.slope, product, self.constant);
        }
        let constant = multiply_add::<S>(self.other, others, self.constant);
        multiply_add::<S>(self.slope, product, constant)
    }
}

/// Writes a straight line in some numbers, which may be zero where the indices `zeros` say so; whether any value is too close
/// to call.
#[inline(always)]
fn write_line<T: Rounded, S: Simd>(
    simd: S,
    terms: &[f64; 2],
    numbers: &[f64],
    negative: bool,
    window: &Window,
    zeros: impl Iterator<Item = usize>,
    out: &mut [T],
) -> bool {
    let value = |number: f64| multiply_add::<S>(terms[1], number, terms[0]);
    if S::HAS_LINES
        && let Some(out) = T::as_singles(out)
    {
        let close = simd.polynomial_lines::<2>(terms, numbers, window.bit_rounding(negative), false, out);
        // No bits of a normal number are those of zero.
        for index in zeros {
            let value = value(numbers[index]);
            if value == 0.0 {
                out[index] = value as f32;
            }
        }
        return close;
    }
    let mut close = false;
    for (slot, number) in out.iter_mut().zip(numbers) {
        let value = value(*number);
        *slot = T::rounded_normal(value, false);
        close |= value.is_close(window);
    }
    close
}

/// What a row's values are like.
struct Limits {
    known: bool,
    /// The least magnitude that is not 0.
    least: f64,
}

impl Limits {
    #[inline(always)]
    fn add<T: Rounded>(&mut self, line: &Line) {
        // False for NaN, too.
        self.known &= line.known & (line.greatest <= power_of_two(T::EXPONENTS.1));
        self.least = if line.least < self.least { line.least } else { self.least };
    }

    /// Whether all can be rounded as normal numbers.
    #[inline(always)]
    fn allow<T: Rounded>(&self) -> bool {
        self.known & (self.least >= power_of_two(T::EXPONENTS.0 + 1))
    }
}

/// Whether neither number takes anything off the other; a product would not tell where it underflows. False for NaN.
#[inline(always)]
fn have_one_sign(a: f64, b: f64) -> bool {
    ((a >= 0.0) & (b >= 0.0)) | ((a <= 0.0) & (b <= 0.0))
}
