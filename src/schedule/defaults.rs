//! Defaults that schedules share.

/// A factor that changes nothing.
pub(super) fn one() -> f64 {
    1.0
}

/// The shortest length.
pub(super) fn one_step() -> u64 {
    1
}
