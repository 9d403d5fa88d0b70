//! Shared by the tests of lrgrid's crates: programs with edge cases, significant steps, random numbers.
#![expect(clippy::unwrap_used, reason = "a test's helpers may fail as tests do")]

pub mod cases;
mod random;
pub mod steps;

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

pub use random::Random;

use lrgrid::program::{Program, Segment, Stage};

/// A program of plain segments.
pub fn of_segments(segments: Vec<Segment>) -> Program {
    Program::from_segments(segments).unwrap()
}

/// A program of one stage.
pub fn of_stage(stage: Stage) -> Program {
    Program::new(vec![stage]).unwrap()
}

/// The folder of the repository, with examples, test cases and documents.
pub fn root() -> &'static Path {
    static ROOT: LazyLock<PathBuf> =
        LazyLock::new(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap());
    &ROOT
}
