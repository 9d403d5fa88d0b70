//! Packed numbers as `f64`, and what two schedules must share for their curves to run alike.

use bytemuck::cast;

use crate::packed::{EXPONENT_BIAS, PackedNumber, PackedSegment, SIGN_BIT};

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

/// All ones where a segment's field tells when and along which curve it moves, not from where to where.
const TIMING: PackedSegment = {
    const ALL: PackedNumber = PackedNumber { head: u32::MAX, high: u32::MAX, low: u32::MAX };
    PackedSegment {
        start: [u32::MAX; 2],
        length: [u32::MAX; 2],
        quantum: [u32::MAX; 2],
        origin: [u32::MAX; 2],
        rate: ALL,
        base: PackedNumber::ZERO,
        amplitude: PackedNumber::ZERO,
        a: ALL,
        b: ALL,
        kind: u32::MAX,
        base_rest: 0,
        amplitude_rest: 0,
    }
};

/// Words of a segment.
const WORDS: usize = size_of::<PackedSegment>() / 4;

/// Whether two segments have the same shape at every step.
#[inline(always)]
pub fn same_timing(a: &PackedSegment, b: &PackedSegment) -> bool {
    let (a, b, mask): ([u32; WORDS], [u32; WORDS], [u32; WORDS]) = (cast(*a), cast(*b), cast(TIMING));
    let mut different = 0;
    for word in 0..WORDS {
        different |= (a[word] ^ b[word]) & mask[word];
    }
    different == 0
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
}
