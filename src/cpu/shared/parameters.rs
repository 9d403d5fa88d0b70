//! Packed numbers as `f64`, and what two schedules must share for their curves to run alike.

use std::mem::offset_of;
use std::ops::Range;

use bytemuck::{bytes_of, cast_slice};

use crate::packed::{Batch, EXPONENT_BIAS, PackedNumber, PackedProgram, PackedSegment, PackedStage, SIGN_BIT};

use super::pattern::{stages, tracks};

/// Exponents beyond this are left to the exact way.
const LARGEST_EXPONENT: i32 = 900;

/// A number to half a unit in the last place; NaN beyond 2^±[`LARGEST_EXPONENT`].
#[inline(always)]
pub fn number(packed: PackedNumber) -> f64 {
    let mantissa = packed.mantissa();
    scaled(packed, mantissa as f64)
}

/// A number as the sum of two, the second below 2^-52 of the first.
#[inline(always)]
pub fn exact_number(packed: PackedNumber) -> (f64, f64) {
    const LOW: u64 = (1 << 11) - 1;
    let mantissa = packed.mantissa();
    (scaled(packed, (mantissa & !LOW) as f64), scaled(packed, (mantissa & LOW) as f64))
}

/// `± mantissa · 2^(exponent − 64)`.
#[inline(always)]
fn scaled(packed: PackedNumber, mantissa: f64) -> f64 {
    let exponent = (packed.head & !SIGN_BIT) as i32 - EXPONENT_BIAS - 64;
    let power = f64::from_bits((i64::from(exponent) + 1023).cast_unsigned() << 52);
    let known = exponent.abs() <= LARGEST_EXPONENT;
    let magnitude = if known { mantissa * power } else { f64::NAN };
    // Zero has no exponent.
    let magnitude = if mantissa == 0.0 { 0.0 } else { magnitude };
    f64::from_bits(magnitude.to_bits() | u64::from(packed.head & SIGN_BIT) << 32)
}

/// Bytes of a segment that tell when and along which curve it moves; what lies between is where from and where to.
const BEFORE_VALUES: usize = offset_of!(PackedSegment, base);
const AFTER_VALUES: Range<usize> = offset_of!(PackedSegment, a)..offset_of!(PackedSegment, base_rest);

const _: () = assert!(
    AFTER_VALUES.start == BEFORE_VALUES + 2 * size_of::<PackedNumber>()
        && AFTER_VALUES.end + 2 * size_of::<i32>() == size_of::<PackedSegment>()
);

/// Whether two segments have the same shape at every step.
///
/// Compared as bytes: from a loop over words LLVM makes a long chain of mask operations.
#[inline(always)]
pub fn same_timing(a: &PackedSegment, b: &PackedSegment) -> bool {
    let (a, b) = (bytes_of(a), bytes_of(b));
    a[..BEFORE_VALUES] == b[..BEFORE_VALUES] && a[AFTER_VALUES] == b[AFTER_VALUES]
}

/// Bytes of a stage beside those that tell where its tracks are, its offset and its scale.
const BEFORE_TRACKS: usize = offset_of!(PackedStage, track_first);
const TRACK_COUNT: Range<usize> = offset_of!(PackedStage, track_count)..offset_of!(PackedStage, offset);
const AFTER_SCALE: usize = offset_of!(PackedStage, lower);

const _: () = assert!(
    TRACK_COUNT.start == BEFORE_TRACKS + size_of::<u32>()
        && TRACK_COUNT.end + 2 * size_of::<PackedNumber>() == AFTER_SCALE
        && offset_of!(PackedStage, scale) + size_of::<PackedNumber>() == AFTER_SCALE
);

/// Whether two stages differ in scale, offset and the place of their tracks at most.
#[inline(always)]
fn same_stage(a: &PackedStage, b: &PackedStage) -> bool {
    let (a, b) = (bytes_of(a), bytes_of(b));
    a[..BEFORE_TRACKS] == b[..BEFORE_TRACKS] && a[TRACK_COUNT] == b[TRACK_COUNT] && a[AFTER_SCALE..] == b[AFTER_SCALE..]
}

/// Whether two stages have the same tracks.
#[inline(always)]
fn same_tracks(batch: &Batch, a: &PackedStage, b: &PackedStage) -> bool {
    a.track_first == b.track_first || cast_slice::<_, u8>(tracks(batch, a)) == cast_slice::<_, u8>(tracks(batch, b))
}

/// A schedule's program and segments.
pub type Row<'a> = (&'a PackedProgram, &'a [PackedSegment]);

/// That of a schedule.
#[inline(always)]
pub fn row_of(batch: &Batch, schedule: usize) -> Row<'_> {
    let program = &batch.programs()[schedule];
    let begin = program.segment_first as usize;
    (program, &batch.segments()[begin..begin + program.segment_count as usize])
}

/// Whether two schedules of a batch have the same shapes at every step.
#[inline(always)]
pub fn same_timings(batch: &Batch, (a, a_segments): Row<'_>, (b, b_segments): Row<'_>) -> bool {
    let alike = a.quantum == b.quantum && a.stage_count == b.stage_count && a_segments.len() == b_segments.len();
    if !alike {
        return false;
    }
    // A loop, since a closure may be compiled without the caller's instructions.
    for (a, b) in a_segments.iter().zip(b_segments) {
        if !same_timing(a, b) {
            return false;
        }
    }
    a.stage_first == b.stage_first || same_stages(batch, a, b)
}

/// Whether the stages of two programs differ in their numbers only.
fn same_stages(batch: &Batch, a: &PackedProgram, b: &PackedProgram) -> bool {
    stages(batch, a).iter().zip(stages(batch, b)).all(|(a, b)| same_stage(a, b) && same_tracks(batch, a, b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::double_double::DoubleDouble;

    #[test]
    fn numbers_are_decoded_as_they_were_packed() {
        for n in 1..2000_u64 {
            for value in [DoubleDouble::ONE / DoubleDouble::from(n * n), DoubleDouble::from(n).log2() * -1e-7] {
                let packed = PackedNumber::from(value);
                let whole = DoubleDouble::from(packed);
                assert_eq!(number(packed), whole.high(), "{n}");
                let (high, low) = exact_number(packed);
                assert_eq!(DoubleDouble::exact_sum(high, low), whole, "{n}");
            }
        }
        assert_eq!(number(PackedNumber::ZERO).to_bits(), 0);
        assert_eq!(exact_number(PackedNumber::ZERO), (0.0, 0.0));
        for value in [1e-300, f64::INFINITY, f64::MAX] {
            assert!(number(value.into()).is_nan(), "{value:e}");
        }
    }

    #[test]
    fn only_values_may_differ_in_one_timing() {
        let segment = PackedSegment { length: [7, 0], kind: 3, base: 0.5.into(), ..bytemuck::Zeroable::zeroed() };
        assert!(same_timing(&segment, &PackedSegment { base: 0.1.into(), amplitude_rest: 5, ..segment }));
        assert!(!same_timing(&segment, &PackedSegment { length: [7, 1], ..segment }));
        assert!(!same_timing(&segment, &PackedSegment { rate: 0.1.into(), ..segment }));
        assert!(!same_timing(&segment, &PackedSegment { kind: 4, ..segment }));
    }

    #[test]
    fn only_numbers_and_places_may_differ_in_one_stage() {
        let stage = PackedStage { start: [9, 0], track_count: 2, ..bytemuck::Zeroable::zeroed() };
        let other = PackedStage { track_first: 8, offset: 0.1.into(), scale: 3.0.into(), ..stage };
        assert!(same_stage(&stage, &other));
        assert!(!same_stage(&stage, &PackedStage { start: [9, 1], ..stage }));
        assert!(!same_stage(&stage, &PackedStage { track_count: 3, ..stage }));
        assert!(!same_stage(&stage, &PackedStage { lower: 0.1.into(), ..stage }));
        assert!(!same_stage(&stage, &PackedStage { summed: 1, ..stage }));
    }
}
