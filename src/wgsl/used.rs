//! Which curves and features of the lowered form a batch uses: a shader for it can omit the others.
//!
//! Bit n stands for curve n of [`table`](crate::curve::table), the bits `USES_*` for features.

use std::ops::Range;

use crate::curve::table::id;
use crate::packed::{Batch, EXPONENT_BIAS, FLAG_LEAD, FLAG_QUANTUM, PackedNumber, PackedSegment, REPEAT_NONE, integer};

/// Phases are bent (a `warp` other than 1).
pub const USES_WARP: u32 = 16;
/// Segments have stairs, or programs slower clocks.
pub const USES_QUANTUM: u32 = 17;
/// Tracks repeat.
pub const USES_REPETITION: u32 = 18;
/// Tracks or stages have bounds.
pub const USES_CLAMP: u32 = 19;
/// Steps of 2^32 or more are divided.
pub const USES_LONG_DIVISION: u32 = 20;
/// Stages have several tracks.
pub const USES_PRODUCT: u32 = 21;
/// Phase counts have fractions.
pub const USES_LEAD: u32 = 22;
/// Stages add their tracks.
pub const USES_SUM: u32 = 23;

const CURVE_MASK: u32 = 0xff;

/// The curves and features that these rows use for steps up to `furthest`.
pub(crate) fn used(batch: &Batch, rows: Range<usize>, furthest: u64) -> u32 {
    let bit = |on: bool, feature: u32| u32::from(on) << feature;
    let mut used = 0;
    let mut last = None;
    for program in &batch.programs()[rows] {
        // Most programs share their structure with the previous one.
        let shared = Some((program.stage_first, program.segment_first));
        if last != shared {
            let slow = batch.stages_of(program).iter().any(|stage| integer(stage.quantum) != 1);
            let segments = batch.segments_of(program);
            used = segments.iter().fold(used | bit(slow, USES_QUANTUM), |used, segment| used | segment_bits(segment));
            last = shared;
        }
    }
    // Stages and tracks are shared among programs, so these bits may be too many; that costs little.
    let mut ahead = 0;
    for track in batch.tracks() {
        used |= bit(track.clamped != 0, USES_CLAMP) | bit(track.repetition != REPEAT_NONE, USES_REPETITION);
        ahead = ahead.max(integer(track.advance));
    }
    for stage in batch.stages() {
        used |= bit(stage.clamped != 0, USES_CLAMP) | bit(stage.track_count > 1, USES_PRODUCT);
        used |= bit(stage.summed != 0, USES_SUM);
    }
    used | bit(furthest.saturating_add(ahead) >> 32 != 0, USES_LONG_DIVISION)
}

fn segment_bits(segment: &PackedSegment) -> u32 {
    let curve = segment.kind & CURVE_MASK;
    let bends = matches!(curve, id::POWER | id::COSINE_POWER) && segment.b != ONE;
    let stairs = segment.kind & FLAG_QUANTUM != 0;
    let between = segment.kind & FLAG_LEAD != 0;
    1 << (curve & 0xf)
        | u32::from(bends) << USES_WARP
        | u32::from(stairs) << USES_QUANTUM
        | u32::from(between) << USES_LEAD
}

const ONE: PackedNumber = PackedNumber { head: (EXPONENT_BIAS + 1) as u32, high: 1 << 31, low: 0 };

#[cfg(test)]
mod tests {
    use super::*;
    use crate::curve::Curve;
    use crate::program::{MAX_STEP, Program, Segment};

    #[test]
    fn one_is_one() {
        assert_eq!(PackedNumber::from(1.0), ONE);
    }

    #[test]
    fn only_what_the_rows_use_is_set() {
        let power = |warp| Program::of(vec![Segment::rising(0, 9, 0.0, 1.0, Curve::Power { exponent: 2.0, warp })]);
        let programs = [Program::hold(1.0), power(1.0), power(2.0), Program::hold(1.0).once_per(7).unwrap()];
        let batch = Batch::from_programs(&programs).unwrap();
        let short = 10;
        let bits = |features: &[u32]| features.iter().fold(0, |bits, feature| bits | 1 << feature);
        assert_eq!(used(&batch, 0..1, short), bits(&[id::HOLD]));
        assert_eq!(used(&batch, 0..2, short), bits(&[id::HOLD, id::POWER]));
        assert_eq!(used(&batch, 2..3, short), bits(&[id::POWER, USES_WARP]));
        assert_eq!(used(&batch, 3..4, short), bits(&[id::HOLD, USES_QUANTUM]));
        assert_eq!(used(&batch, 0..1, MAX_STEP), bits(&[id::HOLD, USES_LONG_DIVISION]));
        // A fraction of the phase count is stored in place of the quantum.
        let line = Segment::rising(0, 9, 0.0, 1.0, Curve::Linear);
        let between = Program::of(vec![Segment { lead: 7, ..line }]);
        let sum = Program::of(vec![line]).add(&between).unwrap();
        let batch = Batch::from_programs(&[between]).unwrap();
        assert_eq!(used(&batch, 0..1, short), bits(&[id::LINEAR, USES_LEAD]));
        let batch = Batch::from_programs(&[sum]).unwrap();
        assert_eq!(used(&batch, 0..1, short), bits(&[id::LINEAR, USES_LEAD, USES_PRODUCT, USES_SUM]));
    }
}
