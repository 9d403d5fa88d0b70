//! Defaults that schedules share.

/// The neutral factor.
pub(super) fn one() -> f64 {
    1.0
}

/// The least length.
pub(super) fn one_step() -> u64 {
    1
}
