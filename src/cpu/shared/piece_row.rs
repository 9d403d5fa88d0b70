//! One piece of one row, by whichever way its values allow.

use crate::cpu::rounding::Rounded;
use crate::cpu::simd::Simd;
use crate::cpu::writer::Writer;

use super::close::Close;
use super::extent::Extent;
use super::narrow::{CloseLanes, Narrow};
use super::parameters::Row;
use super::pattern::Pattern;
use super::pieces::{Piece, Plain, Values};
use super::rounding::{GROUP, Line, Rounding};
use super::steps::CHUNK;

/// A piece of a row, and what it takes to fill it.
pub struct PieceRow<'r, 's, 'a, 'b> {
    /// How to write.
    pub writer: Writer,
    /// The row's schedule.
    pub schedule: usize,
    /// Its records.
    pub row: Row<'r>,
    /// Its pattern.
    pub pattern: &'r Pattern,
    /// The piece.
    pub piece: &'r Piece,
    /// What takes a closer look.
    pub close: &'r mut Close<'s, 'a, 'b>,
    /// Room for the row's values.
    pub values: &'r mut Values,
    /// Room for which of them are too close to call.
    pub close_lanes: &'r mut CloseLanes,
}

impl PieceRow<'_, '_, '_, '_> {
    /// Writes the piece's columns of `out`, and perhaps some beyond them.
    #[inline(always)]
    pub fn fill<T: Rounded, S: Simd>(&mut self, simd: S, out: &mut [T]) {
        let (writer, schedule, pattern, piece) = (self.writer, self.schedule, self.pattern, self.piece);
        let Row { heights, .. } = self.row;
        let track = &piece.tracks[0];
        let own_stage;
        let mut stage = &pattern.stages[piece.stage];
        if stage.height.is_some() {
            own_stage = stage.of_row(heights);
            stage = &own_stage;
        }
        if piece.count == 1
            && !stage.clamped
            && let Some(Plain { intercept, slope, extent }) = Plain::of(track, stage, heights)
            && let Some(rounding) = Rounding::of::<T>(&extent, piece.window)
        {
            let line = Line { intercept, slope, rounding, writer };
            match track.still {
                Some(shape) => self.close.fill_still(line, line.at::<S>(shape), schedule, piece, out),
                None => self.fill_line::<T, S>(simd, line, &extent, &track.extent, track.shapes, out),
            }
            return;
        }
        let known = self.values.turn_to(piece, stage, heights);
        let rounding = if known { Rounding::of::<T>(&self.values.extent, piece.window) } else { None };
        let Some(rounding) = rounding else {
            self.close.fill_uncertain(writer, schedule, pattern, piece, stage, heights, out);
            return;
        };
        let Values { intercept, slope, count, extent, .. } = *self.values;
        let line = Line { intercept, slope, rounding, writer };
        if count == 0 {
            self.close.fill_still(line, line.intercept, schedule, piece, out);
        } else if count == 1 {
            let Values { moving, shapes, .. } = *self.values;
            self.fill_line::<T, S>(simd, line, &extent, &shapes, moving[0].2, out);
        } else if self.fill_made::<T, S>(simd, line, stage.summed, out) {
            let (values, summed, shapes) = (&*self.values, stage.summed, &pattern.shapes);
            self.close.look_closer::<T, S>(line, schedule, piece, out, |column| {
                values.made::<1, S>(summed, shapes, column)[0]
            });
        }
    }

    /// Writes a straight line in the shapes of one track, in lanes of `f32` where those will do.
    #[inline(always)]
    fn fill_line<T: Rounded, S: Simd>(
        &mut self,
        simd: S,
        line: Line,
        extent: &Extent,
        shape_extent: &Extent,
        shapes: usize,
        out: &mut [T],
    ) {
        let Self { writer, schedule, pattern, piece, .. } = *self;
        if let Some(narrow) = Narrow::of::<T, S>(line.intercept, line.slope, extent, shape_extent) {
            narrow.fill::<T, S>(simd, writer, &pattern.narrow_shapes[shapes], piece, out, self.close_lanes);
            let (shapes, close) = (&pattern.shapes[shapes], &mut *self.close);
            self.close_lanes.for_each(|column| {
                let value = line.rounding.certain(line.at::<S>(shapes[column]));
                out[column] = value.unwrap_or_else(|| close.value_at(schedule, column));
            });
            return;
        }
        let shapes = &pattern.shapes[shapes];
        let count = piece.to - piece.from;
        if line.fill::<T, S>(simd, &shapes[piece.from..], count, &mut out[piece.from..]) {
            self.close.look_closer::<T, S>(line, schedule, piece, out, |column| shapes[column]);
        }
    }

    /// Writes what several moving tracks make; whether any value is too close to call.
    #[inline(always)]
    fn fill_made<T: Rounded, S: Simd>(&mut self, simd: S, line: Line, summed: bool, out: &mut [T]) -> bool {
        let (values, shapes, piece) = (&*self.values, &self.pattern.shapes, self.piece);
        let out = &mut out[piece.from..];
        let mut doubtful = false;
        let count = piece.to - piece.from;
        let lead = line.writer.lead(out).min(count);
        let mut done = 0;
        while done < count {
            let wanted = if done < lead { lead } else { GROUP };
            let group = wanted.min(count - done);
            let mut made = [0.0; GROUP + CHUNK];
            let mut lane = 0;
            while lane < group {
                let lanes = values.made::<CHUNK, S>(summed, shapes, piece.from + done + lane);
                made[lane..lane + CHUNK].copy_from_slice(&lanes);
                lane += CHUNK;
            }
            doubtful |= line.fill::<T, S>(simd, &made, group, &mut out[done..]);
            done += group;
        }
        doubtful
    }
}
