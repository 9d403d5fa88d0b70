//! What the fuzzers do with an input: the same for cargo-fuzz and for the runs of `cargo test`.
//!
//! A target says whether the input was accepted. It panics where a promise is broken.
#![allow(dead_code, unused_imports, reason = "a binary of cargo-fuzz has one target of all")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a target may fail as tests do")]

mod job;
mod program;
mod spec;

use lrgrid_reports::logged::{Logged, Selection};
use tempfile::TempDir;

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

targets! { spec_toml spec_json sweep log npy part manifest program schedules }

/// The longest message about a log, a table or a part, in bytes.
const MOST_MESSAGE: usize = 600;

/// The most characters of an input that such a message may quote at one place.
const MOST_QUOTED: usize = 110;

/// A message about a log, a table or a part is one line, and tells little of an input: the dictionary has a long word for
/// this.
fn check_message(message: &str) {
    check_said(message);
    assert!(!message.contains('\n'), "not one line: {message:?}");
    assert!(message.len() <= MOST_MESSAGE, "{} bytes of message: {message}", message.len());
    assert!(!message.contains(&"x".repeat(MOST_QUOTED)), "an input at length: {message}");
}

/// Something is said. What is wrong with a spec names its keys and values as they are; it is cut where it is shown.
fn check_said(message: &str) {
    assert!(message.chars().any(char::is_alphabetic), "nothing is said: {message:?}");
}

/// A folder in memory where the system has a place for that: some targets write a file for every input.
fn folder() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// A log as CSV, or whatever else stands in a file of that name.
pub fn log(input: &[u8]) -> bool {
    // A log has one schedule, a table several.
    [0, 1].map(|schedule| logged(input, schedule))[0]
}

/// Bytes as the choices of a spec over the whole catalogue: every value within its bound of the reference.
pub fn schedules(input: &[u8]) -> bool {
    lrgrid_cli::check::random::check_bytes(input)
        .unwrap_or_else(|breach| panic!("{:?}\n{}", breach.wrong, breach.document))
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
