//! What the fuzzers do with an input: the same for cargo-fuzz and for the runs of `cargo test`.
//!
//! A target says whether the input was accepted. It panics where a promise is broken.
#![allow(dead_code, reason = "a binary of cargo-fuzz has one target of all")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a target may fail as tests do")]

mod job;
mod program;
mod spec;

use lrgrid::logged::{Logged, Selection};

pub use job::{manifest, manifest_seed, part};
pub use program::program;
pub use spec::{SWEPT, spec_json, spec_toml, sweep};

/// A target by its name.
pub struct Target {
    pub name: &'static str,
    pub run: fn(&[u8]) -> bool,
}

macro_rules! targets {
    ($($name:ident)*) => {
        pub const TARGETS: &[Target] = &[$(Target { name: stringify!($name), run: $name }),*];
    };
}

targets! { spec_toml spec_json sweep log npy part manifest program }

/// The longest message that a reader may answer with, in bytes, whatever it reads.
const MOST_MESSAGE: usize = 600;

/// A message is one line, and tells little of an input.
fn check_message(message: &str) {
    assert!(!message.is_empty() && !message.contains('\n'), "not one line: {message:?}");
    assert!(message.len() <= MOST_MESSAGE, "{} bytes of message: {message}", message.len());
}

/// A log as CSV, or whatever else stands in a file of that name.
pub fn log(input: &[u8]) -> bool {
    // A log has one schedule, a table several.
    [0, 1].map(|schedule| logged(input, schedule))[0]
}

/// A NumPy table, by what follows its magic number.
pub fn npy(input: &[u8]) -> bool {
    let bytes = [b"\x93NUMPY", input.strip_prefix(b"\x93NUMPY").unwrap_or(input)].concat();
    [0, 1].map(|schedule| logged(&bytes, schedule))[0]
}

fn logged(bytes: &[u8], schedule: usize) -> bool {
    match Logged::from_bytes(bytes, &Selection { column: None, schedule }) {
        Ok(Logged { steps, values, .. }) => {
            assert_eq!(steps.len(), values.len());
            assert!(steps.is_sorted_by(|a, b| a < b), "steps that do not rise");
            assert!(values.iter().all(|value| value.is_finite()), "a value that is not finite");
            true
        }
        Err(error) => {
            check_message(&error.to_string());
            false
        }
    }
}
