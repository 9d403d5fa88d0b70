//! Heights: the pairs of numbers that differ from row to row of a sweep, each a double with a residual.

use bytemuck::{Pod, Zeroable};

use super::words::{integer, words};
use crate::double_double::{DoubleDouble, power_of_two};

/// Explicit bits of a double's significand.
const FRACTION: u32 = f64::MANTISSA_DIGITS - 1;

/// The unit of a residual is 2^-32 units in the last place of its double.
const REST_BITS: i32 = FRACTION as i32 + 32;

/// A [`Segment`](crate::program::Segment)'s base and amplitude, or a [`Stage`](crate::program::Stage)'s offset and
/// scale: 24 bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct PackedHeight {
    /// Bits of the base (the value where the shape is 0), or of the stage's offset.
    pub base: [u32; 2],
    /// Bits of the amplitude (the factor of the shape), or of the stage's scale.
    pub amplitude: [u32; 2],
    /// Residual added to the magnitude of `base`, in 2^-32 of its unit in the last place.
    pub base_rest: i32,
    /// The residual of `amplitude`, likewise.
    pub amplitude_rest: i32,
}

impl PackedHeight {
    /// Packs base and amplitude, or a stage's offset and scale, with 85 bits each.
    #[must_use]
    pub fn new(base: DoubleDouble, amplitude: DoubleDouble) -> Self {
        // Zero has one representation: −0 is packed as 0.
        let bits = |number: DoubleDouble| words((number.high() + 0.0).to_bits());
        Self { base: bits(base), amplitude: bits(amplitude), base_rest: rest(base), amplitude_rest: rest(amplitude) }
    }

    /// Base and amplitude (or offset and scale), each the nearest double.
    #[must_use]
    #[inline(always)]
    pub const fn doubles(&self) -> (f64, f64) {
        (f64::from_bits(integer(self.base)), f64::from_bits(integer(self.amplitude)))
    }

    /// Base and amplitude (or offset and scale), with their residuals.
    #[must_use]
    pub fn numbers(&self) -> (DoubleDouble, DoubleDouble) {
        let (base, amplitude) = self.doubles();
        (with_rest(base, self.base_rest), with_rest(amplitude, self.amplitude_rest))
    }
}

/// The power of two at or below a normal number; `None` for other numbers, which have no residual.
fn power_of(number: f64) -> Option<f64> {
    const EXPONENT: u64 = f64::INFINITY.to_bits();
    number.is_normal().then(|| f64::from_bits(number.to_bits() & EXPONENT))
}

fn rest(value: DoubleDouble) -> i32 {
    let Some(power) = power_of(value.high()) else { return 0 };
    let outwards = if value.high() < 0.0 { -value.low() } else { value.low() };
    // The residual is at most 2^31; the cast saturates at 2^31 − 1.
    (outwards / power * power_of_two(REST_BITS)).round_ties_even() as i32
}

fn with_rest(number: f64, rest: i32) -> DoubleDouble {
    let Some(power) = power_of(number) else { return number.into() };
    let outwards = f64::from(rest) * power_of_two(-REST_BITS) * power;
    DoubleDouble::exact_sum(number, if number < 0.0 { -outwards } else { outwards })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eighty_five_bits_are_kept() {
        let third = DoubleDouble::ONE / DoubleDouble::from(3_u64);
        for exponent in [-900, -30, 0, 900] {
            for value in [third, -third, third.log2(), DoubleDouble::exact_sum(1.0, -1e-17)] {
                let value = value.scaled_by_power_of_two(exponent);
                let height = PackedHeight::new(value, -value);
                let (base, amplitude) = height.numbers();
                let error = ((base - value).high() / value.high()).abs();
                assert!(error <= power_of_two(-85), "{value:?} {error:e}");
                assert_eq!((amplitude, height.doubles()), (-base, (value.high(), -value.high())));
            }
        }
    }

    #[test]
    fn doubles_are_kept_whatever_they_are() {
        for value in [0.1, f64::MIN_POSITIVE, f64::MIN_POSITIVE / 8.0, f64::MAX, f64::INFINITY] {
            let height = PackedHeight::new(value.into(), (-value).into());
            assert_eq!((height.base_rest, height.amplitude_rest), (0, 0));
            let (base, amplitude) = height.numbers();
            assert_eq!((base.high(), amplitude.high()), (value, -value));
        }
        let zero = PackedHeight::new(0.0.into(), (-0.0).into());
        assert_eq!((zero.base, zero.amplitude), ([0; 2], [0; 2]));
    }
}
