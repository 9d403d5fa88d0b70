//! Values of 16-bit types from `f32` lanes, which decide all but one in a thousand of them.

use crate::cpu::rounding::Rounded;
use crate::cpu::simd::{NARROW_LINE, NarrowRounding, Simd};
use crate::cpu::working::Window;
use crate::cpu::writer::Writer;
use crate::double_double::power_of_two;

use super::extent::Extent;
use super::pieces::Piece;
use super::steps::PIECE;

/// Magnitudes of shapes, their height and a constant, between which no `f32` product is subnormal or infinite.
const USABLE: (f64, f64) = (1e-18, 1e18);

/// How far a value may be off, in units of its last place: two for shape and height, a half for its own rounding, the
/// same again where it is lifted. What `f64` leaves open is far below that. One more pattern of bits is called close than has
/// to be.
const UNITS: f64 = 3.0;

/// A row's values over a piece, in `f32`.
#[derive(Clone, Copy, Debug)]
pub struct Narrow {
    terms: [f32; 2],
    rounding: NarrowRounding,
    /// Whether some are below the normal range of `f16`.
    lifted: bool,
}

/// Which lanes of a piece are too close to call.
#[derive(Clone, Copy, Debug)]
pub struct CloseLanes {
    /// One bit for every value of a line.
    lanes: [u32; PIECE / NARROW_LINE],
    /// Which lines have any.
    lines: u64,
    /// The column of the first line.
    first: usize,
    /// The same of what is less than a line, in front and at the end.
    parts: [(u32, usize); 2],
}

const _: () = assert!(PIECE / NARROW_LINE == u64::BITS as usize);

impl CloseLanes {
    /// None.
    pub const NONE: Self = Self { lanes: [0; _], lines: 0, first: 0, parts: [(0, 0); 2] };

    /// Calls for a look at each column that is too close to call.
    #[inline(always)]
    pub fn for_each(&self, mut look: impl FnMut(usize)) {
        let mut lines = self.lines;
        while lines != 0 {
            let line = lines.trailing_zeros() as usize;
            for_each_lane(self.lanes[line], self.first + line * NARROW_LINE, &mut look);
            lines &= lines - 1;
        }
        for (lanes, first) in self.parts {
            for_each_lane(lanes, first, &mut look);
        }
    }
}

#[inline(always)]
fn for_each_lane(mut lanes: u32, first: usize, look: &mut impl FnMut(usize)) {
    while lanes != 0 {
        look(first + lanes.trailing_zeros() as usize);
        lanes &= lanes - 1;
    }
}

impl Narrow {
    /// The values `intercept + slope · shape` of some extent; nothing where `f64` has to decide too many of them.
    #[inline(always)]
    pub fn of<T: Rounded, S: Simd>(intercept: f64, slope: f64, extent: &Extent, shapes: &Extent) -> Option<Self> {
        if !T::IS_NARROW || !S::HAS_LINES {
            return None;
        }
        let within = |least: f64, greatest: f64| least >= USABLE.0 && greatest <= USABLE.1;
        let known = |number: f64| number == 0.0 || within(number.abs(), number.abs());
        let usable = within(shapes.least, shapes.greatest)
            && !shapes.negative
            && known(intercept)
            && known(slope)
            // Nothing cancels.
            && intercept * slope >= 0.0;
        let is_f16 = T::EXPONENTS.0 == -14;
        let normal = extent.least >= power_of_two(T::EXPONENTS.0 + 1) && !(is_f16 && extent.zero);
        let lifted = is_f16 && !normal && !extent.negative;
        if !usable || !(normal || lifted) || extent.greatest > power_of_two(T::EXPONENTS.1) {
            return None;
        }
        Some(Self {
            terms: [intercept as f32, slope as f32],
            rounding: Window::of_units::<T, f32>(UNITS)?.narrow_rounding::<T>(extent.negative),
            lifted,
        })
    }

    /// Writes them over a piece's columns, and which are too close to call to `close`.
    #[inline(always)]
    pub fn fill<T: Rounded, S: Simd>(
        &self,
        simd: S,
        writer: Writer,
        shapes: &[f32],
        piece: &Piece,
        out: &mut [T],
        close: &mut CloseLanes,
    ) {
        let Some(out) = T::as_narrow(out) else { return };
        let (from, to) = (piece.from, piece.to);
        let first = from + writer.lead(&out[from..to]);
        let end = first + (to - first) / NARROW_LINE * NARROW_LINE;
        close.first = first;
        close.lines =
            self.fill_lines::<S>(simd, &shapes[first..end], writer.streaming, &mut out[first..end], &mut close.lanes);
        for (part, columns) in close.parts.iter_mut().zip([from..first, end..to]) {
            *part = (0, columns.start);
            if !columns.is_empty() {
                let shapes = &shapes[columns.start..columns.start + NARROW_LINE];
                part.0 = self.fill_part::<S>(simd, shapes, &mut out[columns]);
            }
        }
    }

    /// Writes less than a line, and tells which values are too close to call.
    #[inline(always)]
    fn fill_part<S: Simd>(&self, simd: S, shapes: &[f32], out: &mut [u16]) -> u32 {
        let (mut line, mut close) = ([0; NARROW_LINE], [0; _]);
        self.fill_lines::<S>(simd, shapes, false, &mut line, &mut close);
        out.copy_from_slice(&line[..out.len()]);
        close[0] & ((1 << out.len()) - 1)
    }

    #[inline(always)]
    fn fill_lines<S: Simd>(
        &self,
        simd: S,
        shapes: &[f32],
        streaming: bool,
        out: &mut [u16],
        close: &mut [u32; PIECE / NARROW_LINE],
    ) -> u64 {
        let Self { terms, rounding, lifted } = *self;
        if lifted {
            simd.narrow_lines::<true>(terms, shapes, rounding, streaming, out, close)
        } else {
            simd.narrow_lines::<false>(terms, shapes, rounding, streaming, out, close)
        }
    }
}

#[cfg(test)]
mod tests {
    use half::{bf16, f16};

    use super::*;
    use crate::cpu::shared::pieces::TrackPiece;
    use crate::cpu::simd::{Kernel, Level};

    /// Columns of the piece, not a whole number of lines.
    const COLUMNS: usize = PIECE - 5;

    /// A line in some shapes as a kernel; answers its values and which of them are too close to call.
    struct Fill<'a, T> {
        terms: (f64, f64),
        shapes: &'a [f64],
        out: &'a mut [T],
        close: &'a mut CloseLanes,
    }

    impl<T: Rounded> Kernel for Fill<'_, T> {
        type Output = bool;

        #[inline(always)]
        fn run<S: Simd>(self, simd: S) -> bool {
            let (intercept, slope) = self.terms;
            let magnitudes = self.shapes.iter().map(|shape| shape.abs()).filter(|shape| *shape > 0.0);
            let least = magnitudes.clone().fold(f64::INFINITY, f64::min);
            let greatest = magnitudes.fold(0.0, f64::max);
            let zero = self.shapes.contains(&0.0);
            let shapes = Extent { least, greatest, zero, negative: false, roundings: 1.0 };
            let values = Extent {
                least: if intercept == 0.0 { slope.abs() * least } else { intercept.abs() },
                greatest: (intercept + slope * greatest).abs(),
                zero: zero && intercept == 0.0,
                negative: intercept + slope < 0.0,
                roundings: 4.0,
            };
            let Some(narrow) = Narrow::of::<T, S>(intercept, slope, &values, &shapes) else { return false };
            let mut single: Vec<f32> = self.shapes.iter().map(|shape| *shape as f32).collect();
            single.resize(COLUMNS + NARROW_LINE, 0.0);
            let piece = Piece { from: 0, to: COLUMNS, stage: 0, count: 1, tracks: [TrackPiece::NONE; _], window: None };
            let writer = Writer { level: Level::BASELINE, streaming: true };
            narrow.fill::<T, S>(simd, writer, &single, &piece, self.out, self.close);
            true
        }
    }

    /// How many values were decided, all of them rightly, of how many.
    fn decided<T: Rounded>(terms: (f64, f64), shapes: &[f64]) -> (usize, usize) {
        let mut out = [T::zeroed(); COLUMNS + 3];
        let mut close = CloseLanes::NONE;
        if !Level::detect().run(Fill { terms, shapes, out: &mut out[3..], close: &mut close }) {
            return (0, 0);
        }
        let mut open = vec![false; COLUMNS];
        close.for_each(|column| open[column] = true);
        for (column, (got, shape)) in out[3..].iter().zip(shapes).enumerate() {
            let value = terms.0 + terms.1 * shape;
            let (got, want) = (got.to_f64(), T::from_f64(value).to_f64());
            assert!(open[column] || got == want, "{got:e} for {value:e}, {terms:?} as {}", T::DTYPE.name());
        }
        (open.iter().filter(|open| !**open).count(), COLUMNS)
    }

    #[test]
    fn what_is_decided_is_rounded_correctly() {
        let mut random = 20_261_126_u64;
        let mut next = || {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (random >> 11) as f64 / (1_u64 << 53) as f64
        };
        let (mut decisions, mut all) = (0, 0);
        for slope in [1.0, 0.1, 7e-3, 1e-3, 6.2e-5, 3e-5, 1e-6, 3e-8, -0.3, 700.0] {
            for offset in [0.0, 1e-3, 0.7] {
                for _ in 0..20 {
                    let terms = (offset * slope, slope);
                    // Some of them as close to a midpoint as `f32` can tell, and one that is 0.
                    let shape = |column: usize| {
                        let shape = next();
                        let midpoint = f16::from_f64(shape * slope).to_f64() / slope * (1.0 + 1.0 / 2048.0);
                        if column.is_multiple_of(16) { midpoint * (1.0 + (next() - 0.5) / 1e6) } else { shape }
                    };
                    let mut shapes: Vec<f64> = (0..COLUMNS).map(shape).collect();
                    shapes[COLUMNS / 2] = 0.0;
                    for (decided, of) in [decided::<f16>(terms, &shapes), decided::<bf16>(terms, &shapes)] {
                        decisions += decided;
                        all += of;
                    }
                }
            }
        }
        assert_eq!(all > 0, Level::detect().has_lines(), "not tried at all");
        assert!(decisions as f64 >= all as f64 * 0.9, "{decisions} of {all} are few");
    }
}
