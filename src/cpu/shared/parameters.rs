//! Packed numbers as `f64`, and what two schedules must share for their curves to run alike.

use bytemuck::cast_slice;

use crate::double_double::power_of_two;
use crate::packed::{Batch, EXPONENT_BIAS, PackedHeight, PackedProgram, PackedSegment, SIGN_BIT, integer};

/// Exponents beyond this are left to the exact way.
const LARGEST_EXPONENT: i32 = 900;

/// Base and amplitude of a height; NaN beyond 2^±[`LARGEST_EXPONENT`].
#[inline(always)]
pub fn numbers(height: &PackedHeight) -> (f64, f64) {
    const LARGEST: f64 = power_of_two(LARGEST_EXPONENT);
    const LEAST: f64 = power_of_two(-LARGEST_EXPONENT);
    let (base, amplitude) = height.doubles();
    let known = |number: f64| {
        let size = number.abs();
        let usable = (size <= LARGEST) & ((size >= LEAST) | (size == 0.0));
        if usable { number } else { f64::NAN }
    };
    (known(base), known(amplitude))
}

/// The phase per count of a segment to 106 bits as the sum of two, the second at most 2^-52 of the first in size; NaN
/// beyond 2^±[`LARGEST_EXPONENT`].
#[inline(always)]
pub fn rate(segment: &PackedSegment) -> (f64, f64) {
    const LOW: u64 = (1 << 11) - 1;
    let (packed, mantissa) = (segment.rate, segment.rate.mantissa());
    if mantissa == 0 {
        return (0.0, 0.0);
    }
    // `± 2^(exponent − 64)`, the unit of the mantissa.
    let exponent = (packed.head & !SIGN_BIT) as i32 - EXPONENT_BIAS - 64;
    let power = f64::from_bits((i64::from(exponent) + 1023).cast_unsigned() << 52);
    let unit = if exponent.abs() <= LARGEST_EXPONENT { power } else { f64::NAN };
    let unit = if packed.head & SIGN_BIT == 0 { unit } else { -unit };
    let rest = integer(segment.rate_rest) as i64 as f64 * power_of_two(-64);
    ((mantissa & !LOW) as f64 * unit, ((mantissa & LOW) as f64 + rest) * unit)
}

/// A schedule's records in the packed tables.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// Its program.
    pub program: &'a PackedProgram,
    /// Its segments.
    pub segments: &'a [PackedSegment],
    /// Their heights.
    pub heights: &'a [PackedHeight],
}

/// That of a schedule.
#[inline(always)]
pub fn row_of(batch: &Batch, schedule: usize) -> Row<'_> {
    let program = &batch.programs()[schedule];
    Row { program, segments: batch.segments_of(program), heights: batch.heights_of(program) }
}

impl<'a> Row<'a> {
    /// The heights of its segments.
    #[inline(always)]
    pub fn segment_heights(&self) -> &'a [PackedHeight] {
        &self.heights[..self.segments.len()]
    }
}

/// Whether two schedules of a batch have the same shapes at every step.
#[inline(always)]
pub fn same_timings(a: Row<'_>, b: Row<'_>) -> bool {
    // Structures are stored once, and segments mostly.
    let alike = a.program.stage_first == b.program.stage_first
        && a.program.stage_count == b.program.stage_count
        && a.segments.len() == b.segments.len();
    if !alike {
        return false;
    }
    a.program.segment_first == b.program.segment_first
        || cast_slice::<_, u8>(a.segments) == cast_slice::<_, u8>(b.segments)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::curve::Curve;
    use crate::double_double::DoubleDouble;
    use crate::program::Segment;

    fn rate_of(value: DoubleDouble) -> (f64, f64) {
        rate(&PackedSegment::from(&Segment { rate: value, ..Segment::rising(0, 1, 0.0, 1.0, Curve::Linear) }))
    }

    #[test]
    fn numbers_are_decoded_as_they_were_packed() {
        for n in 1..2000_u64 {
            for value in [DoubleDouble::one_over(n * n), DoubleDouble::from(n).log2() * -1e-7] {
                let (high, low) = rate_of(value);
                let error = (DoubleDouble::exact_sum(high, low) - value).high().abs();
                assert!(error <= value.high().abs() * power_of_two(-105), "{n}: {error:e}");
            }
        }
        assert_eq!(rate_of(DoubleDouble::ZERO), (0.0, 0.0));
        assert_eq!(numbers(&PackedHeight::new(0.0.into(), (-0.1).into())), (0.0, -0.1));
        for value in [1e-300, f64::INFINITY, f64::MAX] {
            let height = PackedHeight::new(value.into(), (-value).into());
            assert!(numbers(&height).0.is_nan() && numbers(&height).1.is_nan(), "{value:e}");
            assert!(rate_of(value.into()).0.is_nan(), "{value:e}");
        }
    }
}
