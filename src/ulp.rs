//! The error metric: the distance of a value from the exact one in ULP, units in the last place of its type.
//!
//! Every error bound in the tests, in `lrgrid check` and in the documentation is in this unit.

use crate::double_double::DoubleDouble;
use crate::element::{Dtype, Element};

/// The binary exponent of the spacing of a type's numbers at a value.
///
/// At 0 and in the subnormal range it is that of the least subnormal number; beyond the largest finite number the
/// exponent range is taken as unbounded.
///
/// ```
/// use lrgrid::{Dtype, ulp::spacing_exponent};
///
/// assert_eq!(spacing_exponent(Dtype::F32, 1.0), -23);
/// assert_eq!(spacing_exponent(Dtype::F32, 0.0), -149);
/// ```
#[must_use]
pub fn spacing_exponent(dtype: Dtype, value: f64) -> i32 {
    // Bits of the significand, including the implicit one, and the exponent of the least normal number.
    let (bits, least) = match dtype {
        Dtype::F64 => (53, -1022),
        Dtype::F32 => (24, -126),
        Dtype::F16 => (11, -14),
        Dtype::Bf16 => (8, -126),
    };
    // A subnormal f64 is below the normal range of every type.
    let exponent =
        if value.abs() < f64::MIN_POSITIVE { least } else { ((value.to_bits() >> 52) & 0x7ff) as i32 - 1023 };
    exponent.max(least) - (bits - 1)
}

/// The distance of `got` from `exact` in units of the type's spacing at `exact` (ULP).
///
/// The distance is infinite, so that no finite bound accepts it, in these cases:
/// - `got` or `exact` is NaN, even if both are: a schedule has a number at every step;
/// - `got` or the rounded exact value is infinite and they differ. The exception is an exact value between the type's
///   largest number and the next power of two: there an infinity of the same sign counts as that power.
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

/// The exponent of the power of two after a type's largest number.
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
        // Between the largest number and the next power of two, infinity counts as that power.
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
