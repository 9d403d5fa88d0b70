//! The CPU engine: every value is the correctly rounded one, however it was computed.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod bits;
mod oracle;
mod programs;
mod shared;
mod short;
mod values;

/// Whether the long versions were asked for.
fn exhaustive() -> bool {
    std::env::var_os("LRGRID_EXHAUSTIVE").is_some_and(|value| value == "1")
}
