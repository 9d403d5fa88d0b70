//! Programs that stay on the device: evaluated into the caller's memory, by the caller's encoder, on the caller's device.
//!
//! Without an adapter these tests print why and pass; with `LRGRID_REQUIRE_GPU=1` they fail instead.
#![cfg(feature = "gpu")]
#![expect(clippy::unwrap_used, reason = "a test's helpers may fail as tests do")]

mod adam;
mod counting;
mod device;
mod evaluating;
mod host;
mod replacing;
