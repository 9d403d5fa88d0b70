//! What the tests of lrgrid's crates share: programs that reach every corner, steps that tell, random numbers.
#![expect(clippy::unwrap_used, reason = "a test's helpers may fail as tests do")]

pub mod cases;
mod random;
pub mod steps;

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

pub use random::Random;

/// The repository's folder, where the examples, the cases and the documents are.
pub fn root() -> &'static Path {
    static ROOT: LazyLock<PathBuf> =
        LazyLock::new(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap());
    &ROOT
}
