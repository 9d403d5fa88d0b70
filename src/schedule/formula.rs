//! Pieces of formulas in forms that do not cancel, for the reference values only.

use crate::double_double::DoubleDouble;

/// `from + (to − from)·t`, taken from the end with the smaller value; `left` is `1 − t`. Only one of the two is computed.
pub(super) fn between(
    from: impl Into<DoubleDouble>,
    to: impl Into<DoubleDouble>,
    t: impl FnOnce() -> DoubleDouble,
    left: impl FnOnce() -> DoubleDouble,
) -> DoubleDouble {
    let (from, to) = (from.into(), to.into());
    if from.abs() <= to.abs() { from + (to - from) * t() } else { to + (from - to) * left() }
}

/// `½(1 − cos πt)` as sin²(πt/2).
pub(super) fn half_cosine(t: DoubleDouble) -> DoubleDouble {
    let sine = t.sin_half_pi();
    sine * sine
}

/// `1 − (1 − u)^exponent` without cancellation for small u in [0, 1].
pub(super) fn complement_power(u: DoubleDouble, exponent: f64) -> DoubleDouble {
    if u >= DoubleDouble::ONE {
        return DoubleDouble::ONE;
    }
    -((-u).log2_1p() * exponent).exp2_m1()
}

/// `base^exponent` for a positive base.
pub(super) fn power(base: f64, exponent: DoubleDouble) -> DoubleDouble {
    DoubleDouble::from(base).powf(exponent)
}

/// e^x.
pub(super) fn exp(x: DoubleDouble) -> DoubleDouble {
    (x / DoubleDouble::LN_2).exp2()
}
