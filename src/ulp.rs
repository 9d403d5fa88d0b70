//! How far a value is from the exact one, in units in the last place of its type.
//!
//! Every bound in the tests, in `lrgrid check` and in the documentation is in this unit.

use crate::double_double::DoubleDouble;
use crate::element::{Dtype, Element};

/// The distance between neighbours of a type at a value, as a power of two.
///
/// At 0 and below the normal numbers it is the least subnormal; beyond the largest it is what it would be
/// if the exponents went on.
///
/// ```
/// use lrgrid::{Dtype, ulp::spacing_exponent};
///
/// assert_eq!(spacing_exponent(Dtype::F32, 1.0), -23);
/// assert_eq!(spacing_exponent(Dtype::F32, 0.0), -149);
/// ```
#[must_use]
pub fn spacing_exponent(dtype: Dtype, value: f64) -> i32 {
    // Bits of the significand, the implied one included, and the exponent of the least normal number.
    let (bits, least) = match dtype {
        Dtype::F64 => (53, -1022),
        Dtype::F32 => (24, -126),
        Dtype::F16 => (11, -14),
        Dtype::Bf16 => (8, -126),
    };
    // A subnormal f64 lies below the normal numbers of every type.
    let exponent =
        if value.abs() < f64::MIN_POSITIVE { least } else { ((value.to_bits() >> 52) & 0x7ff) as i32 - 1023 };
    exponent.max(least) - (bits - 1)
}

/// The distance of `got` from `exact` in spacings of the type at `exact`.
///
/// NaN agrees with nothing, NaN included: a schedule has a number at every step. Where the exact value rounds to
/// infinity, or `got` is infinite, only equality agrees, but for exact values between the type's largest number and the
/// power of two after it, for which infinity stands there. Everything else disagrees infinitely, so no finite bound lets it
/// pass.
///
/// ```
/// use lrgrid::ulp::ulps;
///
/// assert_eq!(ulps(1.0_f32.next_up(), 1.0.into()), 1.0);
/// assert_eq!(ulps(f32::NAN, f64::NAN.into()), f64::INFINITY);
/// ```
#[must_use]
pub fn ulps<T: Element>(got: T, exact: DoubleDouble) -> f64 {
    in_units_of(spacing_exponent(T::DTYPE, exact.high()), got, exact)
}

/// The power of two after a type's largest number.
fn greatest_exponent(dtype: Dtype) -> i32 {
    match dtype {
        Dtype::F64 => 1024,
        Dtype::F32 | Dtype::Bf16 => 128,
        Dtype::F16 => 16,
    }
}

/// The distance of `got` from `exact` in units of 2^`exponent`, with NaN and infinity as in [`ulps`].
#[must_use]
pub fn in_units_of<T: Element>(exponent: i32, got: T, exact: DoubleDouble) -> f64 {
    let (got, nearest) = (got.to_f64(), T::from_exact(exact).to_f64());
    if got.is_nan() || nearest.is_nan() {
        return f64::INFINITY;
    }
    if got.is_infinite() || nearest.is_infinite() {
        // Between the largest number and the power of two after it, infinity stands for that power.
        let next = f64::from(greatest_exponent(T::DTYPE)).exp2();
        let between = spacing_exponent(T::DTYPE, exact.high()) < spacing_exponent(T::DTYPE, next);
        let largest = next - f64::from(spacing_exponent(T::DTYPE, next) - 1).exp2();
        return match got == nearest {
            true => 0.0,
            false if next.is_finite() && between && exact.abs() > largest.into() && got * exact.high() > 0.0 => {
                (DoubleDouble::from(got.clamp(-next, next)) - exact).abs().scaled_by_power_of_two(-exponent).high()
            }
            false => f64::INFINITY,
        };
    }
    (DoubleDouble::from(got) - exact).abs().scaled_by_power_of_two(-exponent).high()
}

#[cfg(test)]
mod tests {
    use half::{bf16, f16};

    use super::*;

    fn exact(value: f64) -> DoubleDouble {
        value.into()
    }

    #[test]
    fn ordinary_values() {
        assert_eq!(ulps(1.0_f32, exact(1.0)), 0.0);
        assert_eq!(ulps(1.0_f32.next_up(), exact(1.0)), 1.0);
        assert_eq!(ulps(1.0_f32.next_down(), exact(1.0)), 0.5, "spacing is that above the exact value");
        assert_eq!(ulps(1.0_f32, exact(1.0 + 2f64.powi(-25))), 0.25);
        assert_eq!(ulps(1.0_f64, DoubleDouble::exact_sum(1.0, 2f64.powi(-54))), 0.25);
        assert_eq!(ulps(f16::from_f32(1.0), exact(1.0 + 2f64.powi(-11))), 0.5);
        assert_eq!(ulps(bf16::from_f32(2.0), exact(2.0 + 2f64.powi(-7))), 0.5);
    }

    #[test]
    fn zero_subnormals_and_signs() {
        assert_eq!(ulps(0.0_f32, exact(0.0)), 0.0);
        assert_eq!(ulps(-0.0_f32, exact(0.0)), 0.0);
        assert_eq!(ulps(0.0_f32, exact(-0.0)), 0.0);
        let least = f64::from(f32::from_bits(1));
        assert_eq!(ulps(f32::from_bits(1), exact(0.0)), 1.0);
        assert_eq!(ulps(f32::from_bits(3), exact(1.25 * least)), 1.75);
        assert_eq!(ulps(f32::from_bits(1), exact(-least)), 2.0, "a change of sign counts both sides");
        assert_eq!(ulps(-1.0_f32, exact(1.0)), 2f64.powi(24));
        assert_eq!(ulps(0.0_f32, exact(1e-310)), 1e-310 / least);
        assert_eq!(ulps(f64::from_bits(1), exact(0.0)), 1.0);
        assert_eq!(ulps(f16::from_bits(1), exact(2f64.powi(-25))), 0.5);
    }

    #[test]
    fn infinity_and_nan() {
        assert_eq!(ulps(f32::NAN, exact(1.0)), f64::INFINITY);
        assert_eq!(ulps(1.0_f32, exact(f64::NAN)), f64::INFINITY);
        assert_eq!(ulps(f32::NAN, exact(f64::NAN)), f64::INFINITY);
        assert_eq!(ulps(f32::INFINITY, exact(f64::INFINITY)), 0.0);
        assert_eq!(ulps(f32::INFINITY, exact(1e39)), 0.0);
        assert_eq!(ulps(f32::MAX, exact(1e39)), f64::INFINITY);
        assert_eq!(ulps(f32::NEG_INFINITY, exact(1e39)), f64::INFINITY);
        assert_eq!(ulps(f32::INFINITY, exact(f64::from(f32::MAX))), f64::INFINITY);
        // The midpoint between the largest f16 and infinity.
        assert_eq!(ulps(f16::MAX, exact(65520.0)), 0.5);
        assert_eq!(ulps(f16::INFINITY, exact(65519.0)), 17.0 / 32.0);
        assert_eq!(ulps(f16::NEG_INFINITY, exact(65519.0)), f64::INFINITY);
        assert_eq!(ulps(f16::MAX, exact(65536.0)), f64::INFINITY);
    }
}
