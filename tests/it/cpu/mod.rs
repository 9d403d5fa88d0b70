//! The CPU engine: every value is the correctly rounded one, however it was computed.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod bits;
mod oracle;
mod programs;
mod shared;
mod short;
mod values;

use lrgrid::program::Program;

/// Whether the long versions were asked for.
fn exhaustive() -> bool {
    std::env::var_os("LRGRID_EXHAUSTIVE").is_some_and(|value| value == "1")
}

/// `offset + scale ·` a program; the program itself where that underflows to 0, which is refused.
fn affine(program: &Program, scale: f64, offset: f64) -> Program {
    let moved = program.clone().affine(scale, offset);
    if moved.check().is_ok() { moved } else { program.clone() }
}
