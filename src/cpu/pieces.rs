//! Long blocks in short pieces: a block's polynomial, expanded anew around the centre of every piece, is
//! good enough with its first few terms, so that a value costs a few operations instead of a dozen.

use super::block::{LANE_NUMBERS, Polynomial};
use super::dispatch::stream;
use super::rounding::{LANES, Rounded, Tolerance};
use super::working::{Window, Working};

/// Values of a long piece, which are computed, looked at and then stored together: so few that the stores
/// of one go on while the next is computed.
pub const LONG: usize = 128;

/// Values of a short piece.
const SHORT: usize = 32;

/// The most values that [`fill_pieces`] takes: one bit of its answer for every [`LONG`].
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
    pub fn new<T: Rounded>(polynomial: &Polynomial<N>, tolerance: &Tolerance) -> Option<Self> {
        let all = derivatives(polynomial);
        let allowed = tolerance.least * T::LARGEST_REMAINDER;
        let cut = |length: usize| (length, remainder::<N, P>(&all, 0.5 * length as f64));
        let (length, remainder) = [LONG, SHORT].into_iter().map(cut).find(|(_, remainder)| *remainder <= allowed)?;
        let tolerance = Tolerance { slack: tolerance.slack + remainder, ..*tolerance };
        let window = Window::new::<T, T::Working>(&tolerance, PIECE_ROUNDINGS)?;
        let mut derivatives: [[f64; N]; P] = std::array::from_fn(|order| all[order]);
        for (order, row) in derivatives.iter_mut().enumerate() {
            if let Some((dropped, share)) = economy::<N, P>(order, 0.5 * length as f64) {
                row.iter_mut().zip(all[dropped]).for_each(|(slot, coefficient)| *slot += share * coefficient);
            }
        }
        Some(Self { derivatives, step: polynomial.step, length, window, negative: tolerance.negative })
    }

    /// The coefficients of pieces side by side, the first from column `first` on.
    #[inline(always)]
    fn expand<L: Working, const FUSED: bool>(&self, first: usize) -> [[L; WIDTH]; P] {
        let centre = first as f64 + (self.length - 1) as f64 * 0.5;
        let mut x = [0.0; WIDTH];
        for (x, piece) in x.iter_mut().zip(&LANE_NUMBERS) {
            *x = piece.multiply_add::<FUSED>(self.length as f64, centre).multiply_add::<FUSED>(self.step, -1.0);
        }
        let mut coefficients = [[L::default(); WIDTH]; P];
        for (order, (row, narrowed)) in self.derivatives.iter().zip(&mut coefficients).enumerate() {
            let mut values = [row[N - 1 - order]; WIDTH];
            for coefficient in row[..N - 1 - order].iter().rev() {
                for (value, x) in values.iter_mut().zip(&x) {
                    *value = value.multiply_add::<FUSED>(*x, *coefficient);
                }
            }
            for (slot, value) in narrowed.iter_mut().zip(&values) {
                *slot = L::narrowed(*value);
            }
        }
        coefficients
    }
}

/// What rounding in the lane adds, in units in its last place: half for the first coefficient, half for
/// the last sum, and next to nothing for the terms between, which are small.
const PIECE_ROUNDINGS: f64 = 1.5;

/// Row k: the coefficients of a polynomial's k-th derivative over k!, with respect to the column.
fn derivatives<const N: usize>(polynomial: &Polynomial<N>) -> [[f64; N]; N] {
    let mut rows = [polynomial.coefficients; N];
    for order in 1..N {
        for power in 0..N {
            let next = if power + 1 < N { rows[order - 1][power + 1] } else { 0.0 };
            rows[order][power] = next * polynomial.step * ((power + 1) as f64 / order as f64);
        }
    }
    rows
}

/// The term left out whose best approximation of lower degree has a term of `order`, with its factor:
/// of t⁴ ≈ t² − 1/8 and t⁵ ≈ 5/4·t³ − 5/16·t over |t| ≤ 1, where t is the column over `half`.
fn economy<const N: usize, const P: usize>(order: usize, half: f64) -> Option<(usize, f64)> {
    let square = half * half;
    match order {
        _ if P != 4 || N < 6 => None,
        0 => Some((4, square * square / -8.0)),
        1 => Some((5, square * square / -3.2)),
        2 => Some((4, square)),
        _ => Some((5, square * 1.25)),
    }
}

/// Bound on what leaving out the terms from the `P`-th on changes within `half` a piece's columns, of any
/// piece of the block.
fn remainder<const N: usize, const P: usize>(derivatives: &[[f64; N]; N], half: f64) -> f64 {
    let mut scale = half.powi(P as i32);
    let mut sum = 0.0;
    for (order, row) in derivatives.iter().enumerate().skip(P) {
        let derivative: f64 = row.iter().map(|coefficient| coefficient.abs()).sum();
        // What stays of t⁴ and t⁵, see [`economy`].
        let kept = if P == 4 && order < 6 { 0.5_f64.powi(order as i32 - 1) } else { 1.0 };
        sum += derivative * scale * kept;
        scale *= half;
    }
    sum
}

/// Writes long pieces of the polynomial from column `first` on, at most [`MOST_IN_PIECES`] values, past the
/// cache if `streaming`, when `out` has to begin on a cache line. Bit `i` of the answer tells that one of the
/// values from `i ·` [`LONG`] on was too close to call.
#[inline(always)]
pub fn fill_pieces<T: Rounded, const N: usize, const P: usize, const FUSED: bool, const STORE: usize>(
    pieces: &Pieces<N, P>,
    first: usize,
    streaming: bool,
    out: &mut [T],
) -> u64 {
    // Known at run time only, or the compiler unrolls the loop over a piece instead of vectorising it.
    let length = pieces.length;
    let nodes = &<T::Working as Working>::CENTRED[(LONG - length) / 2..(LONG + length) / 2];
    let shift = length.trailing_zeros();
    let mut coefficients = [[T::Working::default(); WIDTH]; P];
    let mut doubtful = 0;
    for (index, group) in out.as_chunks_mut::<LONG>().0.iter_mut().enumerate() {
        let mut staged = Staged([T::zeroed(); LONG]);
        let mut close = false;
        for (piece, slots) in staged.0.chunks_exact_mut(length).enumerate() {
            let column = index * LONG + (piece << shift);
            let number = (column >> shift) % WIDTH;
            if number == 0 {
                coefficients = pieces.expand::<T::Working, FUSED>(first + column);
            }
            let terms = coefficients.each_ref().map(|row| row[number]);
            for (slot, node) in slots.iter_mut().zip(nodes) {
                let mut value = terms[P - 1];
                for term in terms[..P - 1].iter().rev() {
                    value = value.multiply_add::<FUSED>(*node, *term);
                }
                *slot = T::from_working(value, pieces.negative);
                close |= value.is_close(&pieces.window);
            }
        }
        doubtful |= u64::from(close) << index;
        if streaming {
            stream::<T, STORE>(&staged.0, group);
        } else {
            group.copy_from_slice(&staged.0);
        }
    }
    doubtful
}

/// On cache lines of its own.
#[repr(align(64))]
struct Staged<T>([T; LONG]);
