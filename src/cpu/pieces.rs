//! Long blocks in short pieces: a block's polynomial, expanded anew around the centre of every piece, is
//! good enough with its first few terms, so that a value costs a few operations instead of a dozen.

use super::block::{LANE_NUMBERS, Polynomial, TERMS};
use super::interpolation::chebyshev_powers;
use super::rounding::{Rounded, Tolerance};
use super::simd::{Kernel, Simd};
use super::working::{Window, Working};

/// Values of a long piece, which are computed, looked at and then stored together: so few that the stores
/// of one go on while the next is computed.
pub const LONG: usize = 128;

/// Values of a short piece.
pub const SHORT: usize = 32;

/// The most values that [`FillPieces`] takes: one bit of its answer for every [`LONG`].
pub const MOST_IN_PIECES: usize = 64 * LONG;

/// Expansions made at a time: many enough that the compiler keeps the loop, see [`LANES`].
const WIDTH: usize = 64;

/// A block's polynomial of `N` terms, ready to be cut into pieces of `P` terms.
#[derive(Clone, Copy, Debug)]
pub struct Pieces<const N: usize, const P: usize> {
    /// Row k: the polynomial's k-th derivative over k!, per column.
    derivatives: [[f64; N]; P],
    /// x per column.
    step: f64,
    /// Values of a piece.
    length: usize,
    /// Which values are too close to call.
    window: Window,
    /// Whether the values are below zero.
    negative: bool,
}

impl<const N: usize, const P: usize> Pieces<N, P> {
    /// The longest pieces that will do for an element type; nothing where none does.
    pub fn new<T: Rounded>(polynomial: &Polynomial<N>, tolerance: &Tolerance, lengths: &[usize]) -> Option<Self> {
        if tolerance.least < T::Working::LEAST {
            return None;
        }
        let all = derivatives(&polynomial.coefficients, polynomial.step);
        let allowed = tolerance.least * T::LARGEST_REMAINDER;
        let cut = |length: &usize| (*length, remainder::<N, P>(&all, 0.5 * *length as f64));
        let (length, remainder) = lengths.iter().map(cut).find(|(_, remainder)| *remainder <= allowed)?;
        let tolerance = Tolerance { slack: tolerance.slack + remainder, ..*tolerance };
        // Where the value changes much within a piece, its middle and its terms are known in larger units.
        let swing = swing(&all, 0.5 * length as f64) / tolerance.least;
        let window = Window::new::<T, T::Working>(&tolerance, PIECE_ROUNDINGS * (1.0 + swing))?;
        let mut derivatives: [[f64; N]; P] = std::array::from_fn(|order| all[order]);
        for dropped in economized::<N, P>() {
            for (order, row) in derivatives.iter_mut().enumerate() {
                let share = economy(dropped, order) * (0.5 * length as f64).powi((dropped - order) as i32);
                row.iter_mut().zip(all[dropped]).for_each(|(slot, coefficient)| *slot += share * coefficient);
            }
        }
        Some(Self { derivatives, step: polynomial.step, length, window, negative: tolerance.negative })
    }

    /// The coefficients of `count` pieces side by side, at most `WIDTH`, the first from column `first` on.
    #[inline(always)]
    fn expand<L: Working, S: Simd>(&self, first: usize, count: usize) -> [[L; WIDTH]; P] {
        let centre = first as f64 + (self.length - 1) as f64 * 0.5;
        let length = self.length as f64;
        let mut coefficients = [[L::default(); WIDTH]; P];
        for piece in 0..count.min(WIDTH) {
            let column = LANE_NUMBERS[piece].multiply_add::<S>(length, centre);
            let x = column.multiply_add::<S>(self.step, -1.0);
            for (row, derivative) in coefficients.iter_mut().zip(&self.derivatives) {
                let mut value = derivative[N - 1];
                let mut power = N - 1;
                while power > 0 {
                    power -= 1;
                    value = value.multiply_add::<S>(x, derivative[power]);
                }
                row[piece] = L::narrowed(value);
            }
        }
        coefficients
    }
}

/// What rounding to the working float adds, in units in its last place: half for the first coefficient, half for
/// the last sum, and of what the terms between add up to as much again.
const PIECE_ROUNDINGS: f64 = 1.5;

/// Row k: the coefficients of a polynomial's k-th derivative over k!, with respect to the column, of which there is
/// one every `step`.
pub fn derivatives<const N: usize>(coefficients: &[f64; N], step: f64) -> [[f64; N]; N] {
    let mut rows = [[0.0; N]; N];
    let mut scale = 1.0;
    for (order, row) in rows.iter_mut().enumerate() {
        for power in 0..N - order {
            row[power] = coefficients[power + order] * (BINOMIALS[order][power] * scale);
        }
        scale *= step;
    }
    rows
}

/// Row k, column n: n + k over k.
static BINOMIALS: [[f64; TERMS]; TERMS] = {
    let mut table = [[1.0; TERMS]; TERMS];
    let mut k = 1;
    while k < TERMS {
        let mut n = 1;
        while n < TERMS {
            table[k][n] = table[k - 1][n] + table[k][n - 1];
            n += 1;
        }
        k += 1;
    }
    table
};

/// The terms left out that are not simply forgotten, but replaced by what is best of lower degree.
fn economized<const N: usize, const P: usize>() -> std::ops::Range<usize> {
    P..N.min(P + 2)
}

/// The factor of t^`order` in the best approximation of t^`dropped` over |t| ≤ 1 of lower degree, from the
/// Chebyshev polynomial: t⁴ ≈ t² − 1/8, for one.
fn economy(dropped: usize, order: usize) -> f64 {
    let powers = &chebyshev_powers()[dropped];
    -powers[order] / powers[dropped]
}

/// Bound on what leaving out the terms from the `P`-th on changes within `half` a piece's columns, of any
/// piece of the block.
fn remainder<const N: usize, const P: usize>(derivatives: &[[f64; N]; N], half: f64) -> f64 {
    let mut scale = half.powi(P as i32);
    let mut sum = 0.0;
    for (order, row) in derivatives.iter().enumerate().skip(P) {
        let derivative: f64 = row.iter().map(|coefficient| coefficient.abs()).sum();
        let economized = economized::<N, P>().contains(&order);
        let kept = if economized { 1.0 / chebyshev_powers()[order][order] } else { 1.0 };
        sum += derivative * scale * kept;
        scale *= half;
    }
    sum
}

/// Bound on how far any value of a piece of the block is from its middle one, within `half` a piece's columns.
fn swing<const N: usize>(derivatives: &[[f64; N]; N], half: f64) -> f64 {
    let mut scale = 1.0;
    let mut sum = 0.0;
    for row in &derivatives[1..] {
        scale *= half;
        sum += scale * row.iter().map(|coefficient| coefficient.abs()).sum::<f64>();
    }
    sum
}

/// Writes long pieces of a polynomial from column `first` on, at most [`MOST_IN_PIECES`] values; bit `i` of
/// the answer tells that one of the values from `i ·` [`LONG`] on was too close to call.
pub struct FillPieces<'a, T, const N: usize, const P: usize> {
    /// The polynomial.
    pub pieces: &'a Pieces<N, P>,
    /// The first column.
    pub first: usize,
    /// Whether to write past the cache; then `out` has to begin on a cache line.
    pub streaming: bool,
    /// Where to: whole long pieces.
    pub out: &'a mut [T],
}

impl<T: Rounded, const N: usize, const P: usize> Kernel for FillPieces<'_, T, N, P> {
    type Output = u64;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> u64 {
        let pieces = self.pieces;
        // Known at run time only, or the compiler unrolls the loop over a piece instead of vectorising it.
        let length = pieces.length;
        let nodes = (LONG - length) / 2..(LONG + length) / 2;
        let rounding = pieces.window.bit_rounding(pieces.negative);
        let coefficients = [[T::Working::default(); WIDTH]; P];
        let mut expansions = Expansions { pieces, first: self.first, columns: self.out.len(), coefficients };
        let mut doubtful = 0;
        for (index, group) in self.out.as_chunks_mut::<LONG>().0.iter_mut().enumerate() {
            let column = index * LONG;
            let mut close = false;
            if S::HAS_LINES
                && let Some(lines) = T::as_singles(group)
            {
                let nodes = &<f64 as Working>::CENTRED[nodes.clone()];
                for (piece, slots) in lines.chunks_exact_mut(length).enumerate() {
                    let terms = expansions.terms::<S>(column + piece * length).map(Working::widened);
                    close |= simd.polynomial_lines::<P>(&terms, nodes, rounding, self.streaming, slots);
                }
            } else {
                let nodes = &<T::Working as Working>::CENTRED[nodes.clone()];
                let mut staged = Staged([T::zeroed(); LONG]);
                for (piece, slots) in staged.0.chunks_exact_mut(length).enumerate() {
                    let terms = expansions.terms::<S>(column + piece * length);
                    for (slot, node) in slots.iter_mut().zip(nodes) {
                        let mut value = terms[P - 1];
                        for term in terms[..P - 1].iter().rev() {
                            value = value.multiply_add::<S>(*node, *term);
                        }
                        *slot = T::from_working(value, pieces.negative);
                        close |= value.is_close(&pieces.window);
                    }
                }
                if self.streaming {
                    simd.stream(&staged.0, group);
                } else {
                    group.copy_from_slice(&staged.0);
                }
            }
            doubtful |= u64::from(close) << index;
        }
        doubtful
    }
}

/// The expansions of one piece after the other.
struct Expansions<'a, L, const N: usize, const P: usize> {
    pieces: &'a Pieces<N, P>,
    /// The first column, and how many there are.
    first: usize,
    columns: usize,
    /// Those of the last [`WIDTH`] pieces.
    coefficients: [[L; WIDTH]; P],
}

impl<L: Working, const N: usize, const P: usize> Expansions<'_, L, N, P> {
    /// The terms of the piece that begins so many columns after the first.
    #[inline(always)]
    fn terms<S: Simd>(&mut self, column: usize) -> [L; P] {
        let shift = self.pieces.length.trailing_zeros();
        let number = (column >> shift) % WIDTH;
        if number == 0 {
            let left = (self.columns - column) >> shift;
            self.coefficients = self.pieces.expand::<L, S>(self.first + column, left.min(WIDTH));
        }
        let mut terms = [L::default(); P];
        for (term, row) in terms.iter_mut().zip(&self.coefficients) {
            *term = row[number];
        }
        terms
    }
}

/// On cache lines of its own.
#[repr(align(64))]
struct Staged<T>([T; LONG]);
