//! Building blocks of formulas in forms without cancellation, for the reference only.

use crate::double_double::{DoubleDouble, Extended};

/// `from + (to − from)·t`, computed from the end with the smaller value; `left` is `1 − t`. Only one of the two
/// closures is called.
pub(super) fn between<X: Into<Extended>>(
    from: impl Into<Extended>,
    to: impl Into<Extended>,
    t: impl FnOnce() -> X,
    left: impl FnOnce() -> X,
) -> Extended {
    let (from, to) = (from.into(), to.into());
    if from.abs() <= to.abs() { from + (to - from) * t().into() } else { to + (from - to) * left().into() }
}

/// `½(1 − cos πt)` as sin²(πt/2).
pub(super) fn half_cosine(t: DoubleDouble) -> DoubleDouble {
    let sine = t.sin_half_pi();
    sine * sine
}

/// `1 − t^exponent` without cancellation, for t in [0, 1] and `left` = 1 − t.
///
/// Each of the two arguments is accurate where it is small, as needed for powers below 1, which are steep at t = 0.
pub(super) fn complement_power(t: DoubleDouble, left: DoubleDouble, exponent: f64) -> DoubleDouble {
    let octaves = if t < left { t.log2() } else { (-left).log2_1p() };
    if t <= DoubleDouble::ZERO { DoubleDouble::ONE } else { -(octaves * exponent).exp2_m1() }
}

/// `base^exponent` for a positive base.
pub(super) fn power(base: f64, exponent: DoubleDouble) -> Extended {
    Extended::from(base).powf(exponent)
}

/// e^x.
pub(super) fn exp(x: DoubleDouble) -> Extended {
    Extended::exp2(x / DoubleDouble::LN_2)
}
