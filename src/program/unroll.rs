//! Tracks written out as plain segments: their cycles one after another, from any step on.

use super::{FOREVER, MAX_SEGMENTS, MOST_COUNTS, Repetition, Segment, Track};
use crate::curve::Curve;
use crate::double_double::DoubleDouble;
use crate::error::LowerError;

/// The error for counts beyond [`MOST_COUNTS`].
const TOO_LONG: LowerError = LowerError::TooLong { what: "the sum or the product of lengths", limit: "2^62 steps" };

/// The sum of two steps or lengths, within the limit.
pub(super) fn sum(a: u64, b: u64) -> Result<u64, LowerError> {
    a.checked_add(b).filter(|&sum| sum <= MOST_COUNTS).ok_or(TOO_LONG)
}

/// The product of a step or length and a factor, within the limit.
pub(super) fn product(a: u64, b: u64) -> Result<u64, LowerError> {
    a.checked_mul(b).filter(|&product| product <= MOST_COUNTS).ok_or(TOO_LONG)
}

/// The end of an interval that begins at `start`; [`FOREVER`] if its length is.
pub(super) fn end(start: u64, length: u64) -> Result<u64, LowerError> {
    if length == FOREVER { Ok(FOREVER) } else { sum(start, length) }
}

impl Segment {
    /// The rest of this segment after its first `steps` steps, moved to `start`; `None` if that lies within a stair.
    pub(super) fn skipped(self, steps: u64, start: u64) -> Result<Option<Self>, LowerError> {
        let quantum = self.quantum.unwrap_or(1);
        let count = (steps / quantum).min(self.length);
        if !steps.is_multiple_of(quantum) && count < self.length {
            return Ok(None);
        }
        let length = if self.length == FOREVER { FOREVER } else { self.length - count };
        if self.curve == Curve::Hold {
            return Ok(Some(Self { start, length, ..self }));
        }
        // A reversed phase count stops at 0, even if the length is greater.
        let origin = if self.reversed { self.origin.saturating_sub(count) } else { sum(self.origin, count)? };
        Ok(Some(Self { start, length, origin, ..self }))
    }
}

impl Track {
    pub(super) fn is_plain(&self) -> bool {
        self.repetition == Repetition::None && self.clamp.is_none()
    }

    /// The value of a constant track.
    pub(super) fn constant(&self) -> Option<DoubleDouble> {
        match self.segments.as_slice() {
            [only] if only.curve == Curve::Hold => {
                Some(self.clamp.apply((only.base + only.amplitude).into()).rounded())
            }
            _ => None,
        }
    }

    /// Removes a track's advance by shifting its segments; `false` if the track cannot be written as plain segments.
    pub(super) fn take_advance(&mut self) -> Result<bool, LowerError> {
        if self.advance > 0 {
            let Some(segments) = self.unrolled(FOREVER)? else { return Ok(false) };
            (self.segments, self.advance) = (segments, 0);
        }
        Ok(true)
    }

    /// This track as plain segments over `[0, until)`; `None` if that is not possible.
    pub(super) fn unrolled(&self, until: u64) -> Result<Option<Vec<Segment>>, LowerError> {
        if !self.clamp.is_none() {
            return Ok(None);
        }
        let (period, clock_end) = match self.repetition {
            Repetition::None => (FOREVER, end(self.advance, until)?),
            Repetition::Restart { period } => (period, end(self.advance, until)?),
            Repetition::Reflect { .. } => return Ok(None),
        };
        let first_cycle = self.advance / period;
        let cycles = clock_end.max(1).div_ceil(period) - first_cycle;
        let needed = u128::from(cycles) * self.segments.len() as u128;
        if needed > MAX_SEGMENTS as u128 {
            let needed = u64::try_from(needed).unwrap_or(u64::MAX);
            return Err(LowerError::TooManySegments { needed, limit: MAX_SEGMENTS });
        }
        let mut out = Vec::with_capacity(needed as usize);
        for cycle in first_cycle..first_cycle + cycles {
            // Without repetition there is one cycle, which begins at 0.
            let cycle_start = if cycle == 0 { 0 } else { product(cycle, period)? };
            for (index, segment) in self.segments.iter().enumerate() {
                let begin = sum(cycle_start, segment.start)?;
                let next = self.segments.get(index + 1).map_or(period, |next| next.start.min(period));
                let part_end = end(cycle_start, next)?;
                // A segment that begins at a restart or after it is never reached.
                if part_end <= self.advance.max(begin) || begin >= clock_end {
                    continue;
                }
                let (skip, start) = (self.advance.saturating_sub(begin), begin.saturating_sub(self.advance));
                let Some(part) = segment.skipped(skip, start)? else { return Ok(None) };
                out.push(part);
            }
        }
        Ok(Some(out))
    }
}
