//! Runs of columns over which every track stands in one segment, and what their values are for a row.

use crate::cpu::lanes::multiply_add;
use crate::cpu::simd::Simd;
use crate::cpu::working::Window;
use crate::packed::PackedHeight;
use crate::program::{Clamp, MAX_TRACKS};

use super::extent::{Clamped, Extent};
use super::parameters::numbers;
use super::pattern::{COMPOSED, StageValues};
use super::steps::PIECE;

/// A track over the columns of a piece.
#[derive(Clone, Copy, Debug)]
pub struct TrackPiece {
    /// The segment, counted from the program's first, whose numbers make values of the shapes; nothing where the
    /// shapes are the values.
    pub segment: Option<usize>,
    /// Which of a pattern's shapes.
    pub shapes: usize,
    /// How large they are.
    pub extent: Extent,
    /// The one shape of all columns, where there is but one.
    pub still: Option<f64>,
}

impl TrackPiece {
    /// No track.
    pub const NONE: Self = Self {
        segment: None,
        shapes: 0,
        extent: Extent { least: 0.0, greatest: 0.0, zero: true, negative: false, roundings: 0.0 },
        still: None,
    };

    /// Where values start from and how far they go, for a row of these heights.
    #[inline(always)]
    pub fn reach(&self, heights: &[PackedHeight]) -> (f64, f64) {
        match self.segment {
            Some(segment) => numbers(&heights[segment]),
            None => (0.0, 1.0),
        }
    }
}

/// A run of columns over which every track stands in one segment.
#[derive(Clone, Copy, Debug)]
pub struct Piece {
    /// The first column.
    pub from: usize,
    /// The column after the last.
    pub to: usize,
    /// The stage, counted from the program's first.
    pub stage: usize,
    /// How many tracks there are.
    pub count: usize,
    /// The tracks.
    pub tracks: [TrackPiece; MAX_TRACKS],
    /// Which values are too close to call if nothing cancels, and for how many roundings.
    pub window: Option<(Window, f64)>,
}

/// Roundings of a plain value beside those of its shape: of base and amplitude, product and sum, each with scale and offset.
const PLAIN_ROUNDINGS: f64 = 12.0;

/// The same of every track more: of base and amplitude, product and sum, and of being joined and folded.
const TRACK_ROUNDINGS: f64 = 10.0;

/// Adds a piece, to the last one where both hang together.
#[inline(always)]
pub fn append(pieces: &mut Vec<Piece>, piece: Piece) {
    if let Some(last) = pieces.last_mut() {
        let within = !piece.from.is_multiple_of(PIECE) || piece.is_still();
        let mut same = within && last.stage == piece.stage && last.to == piece.from;
        for (own, other) in last.tracks[..last.count].iter().zip(&piece.tracks) {
            same &= own.segment == other.segment
                && own.still == other.still
                && own.extent.negative == other.extent.negative;
        }
        if same {
            last.to = piece.to;
            for (own, other) in last.tracks[..last.count].iter_mut().zip(&piece.tracks) {
                own.extent = own.extent.or(other.extent);
            }
            return;
        }
    }
    pieces.push(piece);
}

/// A row's values over a piece: `intercept + slope · Π (base + amplitude · shape)`, or with a sum for the product.
#[derive(Clone, Copy, Debug)]
pub struct Values {
    /// Added to the product, or the sum.
    pub intercept: f64,
    /// Multiplies it.
    pub slope: f64,
    /// Base, amplitude and place of the shapes of each track that moves.
    pub moving: [(f64, f64, usize); MAX_TRACKS],
    /// How many move.
    pub count: usize,
    /// How large the shapes of the last one are that moves.
    pub shapes: Extent,
    /// How large the values are, and how well known.
    pub extent: Extent,
}

impl Values {
    /// None yet.
    pub const NONE: Self = Self {
        intercept: 0.0,
        slope: 0.0,
        moving: [(0.0, 1.0, 0); MAX_TRACKS],
        count: 0,
        shapes: TrackPiece::NONE.extent,
        extent: TrackPiece::NONE.extent,
    };

    /// Turns to those of a row with these heights; false where they cancel, or are on both sides of a bound, or lie
    /// beyond `f64`.
    ///
    /// In place: returned, they would be copied in vectors that wait for their parts to be stored.
    #[inline(always)]
    pub fn turn_to(&mut self, piece: &Piece, stage: &StageValues, heights: &[PackedHeight]) -> bool {
        let mut still = if stage.summed { 0.0 } else { 1.0 };
        let mut all = Extent::of(still);
        let mut count = 0;
        for (index, track) in piece.tracks[..piece.count].iter().enumerate() {
            let (mut base, mut amplitude) = track.reach(heights);
            let mut shape = track.still;
            let Some(mut extent) = track.extent.times(Extent::of(amplitude)).plus(Extent::of(base)) else {
                return false;
            };
            // Composed values are within bounds.
            if stage.clamped && track.segment.is_some() {
                match extent.clamped(&stage.track_clamps[index]) {
                    Some(Clamped::Inside(inside)) => extent = inside,
                    Some(Clamped::At(bound)) => {
                        (base, amplitude, shape, extent) = (bound, 0.0, Some(0.0), Extent::of(bound));
                    }
                    None => return false,
                }
            }
            all = if index == 0 {
                extent
            } else if stage.summed {
                let Some(sum) = all.plus(extent) else { return false };
                sum
            } else {
                all.times(extent)
            };
            match shape {
                Some(shape) if stage.summed => still += amplitude * shape + base,
                Some(shape) => still *= amplitude * shape + base,
                None => {
                    self.moving[count] = (base, amplitude, track.shapes);
                    self.shapes = track.extent;
                    count += 1;
                }
            }
        }
        if stage.scale != 1.0 {
            all = all.times(Extent::of(stage.scale));
        }
        if stage.offset != 0.0 {
            let Some(sum) = all.plus(Extent::of(stage.offset)) else { return false };
            all = sum;
        }
        let (mut intercept, mut slope) = (stage.offset, stage.scale);
        if stage.summed {
            intercept += slope * still;
        } else {
            slope *= still;
        }
        if count == 0 {
            intercept += if stage.summed { 0.0 } else { slope };
            slope = 0.0;
        }
        if count == 1 {
            let (base, amplitude, shapes) = self.moving[0];
            intercept += slope * base;
            slope *= amplitude;
            self.moving[0] = (0.0, 1.0, shapes);
        }
        if stage.clamped {
            match all.clamped(&stage.clamp) {
                Some(Clamped::Inside(inside)) => all = inside,
                Some(Clamped::At(bound)) => (intercept, slope, count, all) = (bound, 0.0, 0, Extent::of(bound)),
                None => return false,
            }
        }
        // Each number that is folded into another is rounded once more.
        all.roundings += 2.0 * (piece.count as f64 + 1.0);
        (self.intercept, self.slope, self.count, self.extent) = (intercept, slope, count, all);
        true
    }
}

/// The values of a row whose one track makes sums of one sign, as most do.
#[derive(Clone, Copy, Debug)]
pub struct Plain {
    /// The value where the shape is 0.
    pub intercept: f64,
    /// The height of the shape.
    pub slope: f64,
    /// How large the values are, and how well known.
    pub extent: Extent,
}

impl Plain {
    /// Those of a row with these heights; nothing where they may cancel.
    #[inline(always)]
    pub fn of(track: &TrackPiece, stage: &StageValues, heights: &[PackedHeight]) -> Option<Self> {
        let (base, amplitude) = track.reach(heights);
        let (start, slope) = (stage.scale * base, stage.scale * amplitude);
        let intercept = stage.offset + start;
        let Extent { least, greatest, zero, negative, .. } = track.extent;
        let (near, far) = (intercept.abs(), slope.abs() * greatest);
        // False for NaN, too.
        let one_sign = (base * amplitude >= 0.0) & (stage.offset * (start + slope) >= 0.0);
        let plain = one_sign & (near + far > 0.0) & !negative;
        if !plain {
            return None;
        }
        let constant = near > 0.0;
        let extent = Extent {
            least: if constant { near } else { slope.abs() * least },
            greatest: near + far,
            zero: zero & !constant,
            negative: intercept + slope < 0.0,
            roundings: track.extent.roundings + PLAIN_ROUNDINGS,
        };
        Some(Self { intercept, slope, extent })
    }
}

impl Piece {
    /// Roundings of a row's values, if nothing cancels.
    pub fn roundings(&self) -> f64 {
        let tracks = &self.tracks[..self.count];
        let joined = TRACK_ROUNDINGS * tracks.len().saturating_sub(1) as f64;
        tracks.iter().map(|track| track.extent.roundings).sum::<f64>() + PLAIN_ROUNDINGS + joined
    }

    /// Whether one value is all of a row's.
    #[inline(always)]
    pub fn is_still(&self) -> bool {
        let mut still = true;
        for track in &self.tracks[..self.count] {
            still &= track.still.is_some();
        }
        still
    }

    /// The same with one track for all, whose values are written to `composed`.
    #[inline(always)]
    pub fn composed<S: Simd>(
        &self,
        stage: &StageValues,
        heights: &[PackedHeight],
        shapes: &[Vec<f64>],
        composed: &mut [f64],
    ) -> Option<Self> {
        let clamp = Clamp::NONE;
        let tracks_only = StageValues { scale: 1.0, offset: 0.0, clamp, ..*stage };
        let mut values = Values::NONE;
        if !values.turn_to(self, &tracks_only, heights) {
            return None;
        }
        // What stands still here and there must be the same: it is written first, perhaps before there is this.
        let still = self.is_still().then_some(values.intercept);
        for (column, made) in composed.iter_mut().enumerate().take(self.to).skip(self.from) {
            *made = match still {
                Some(value) => value,
                None if values.count == 0 => values.intercept,
                None => {
                    let [made] = values.made::<1, S>(stage.summed, shapes, column);
                    multiply_add::<S>(values.slope, made, values.intercept)
                }
            };
        }
        let track = TrackPiece { segment: None, shapes: COMPOSED, extent: values.extent, still };
        let mut tracks = [TrackPiece::NONE; MAX_TRACKS];
        tracks[0] = track;
        Some(Self { count: 1, tracks, window: None, ..*self })
    }
}

impl Values {
    /// What the moving tracks make, in lanes from a column on.
    #[inline(always)]
    pub fn made<const N: usize, S: Simd>(&self, summed: bool, shapes: &[Vec<f64>], column: usize) -> [f64; N] {
        let mut made = [if summed { 0.0 } else { 1.0 }; N];
        for &(base, amplitude, track) in &self.moving[..self.count] {
            let shapes = &shapes[track][column..column + N];
            for lane in 0..N {
                let value = multiply_add::<S>(amplitude, shapes[lane], base);
                made[lane] = if summed { made[lane] + value } else { made[lane] * value };
            }
        }
        made
    }
}
