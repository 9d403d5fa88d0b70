//! Runs the program and reads what it writes, for the tests of this folder.
#![expect(clippy::unwrap_used, reason = "a test's helpers may fail as tests do")]

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use tempfile::TempDir;

pub fn lrgrid() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lrgrid"));
    command.current_dir(lrgrid_testkit::root()).env_remove("COLUMNS");
    // Mesa complains on standard error without one.
    if std::env::var_os("XDG_RUNTIME_DIR").is_none() {
        command.env("XDG_RUNTIME_DIR", std::env::temp_dir());
    }
    command
}

/// Standard output of a command that succeeds and says nothing else, but for notes on W&B's example.
pub fn output(arguments: &[&str]) -> String {
    let assert = lrgrid().args(arguments).assert().success();
    let output = assert.get_output();
    let said = String::from_utf8_lossy(&output.stderr);
    let notes = arguments.contains(&WANDB) && said.lines().all(|line| line.starts_with("note: wandb_sweep.yaml: "));
    assert!(said.is_empty() || notes, "{said}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Standard error of a command that fails with a status, checked to be one paragraph of an error.
pub fn error(arguments: &[&str], status: i32) -> String {
    error_with_input(arguments, "", status)
}

pub fn error_with_input(arguments: &[&str], input: &str, status: i32) -> String {
    let assert = lrgrid().args(arguments).write_stdin(input).assert().code(status);
    let output = assert.get_output();
    assert!(output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    assert!(text.starts_with("error: "), "{text}");
    assert!(!text.contains("panicked") && !text.contains("backtrace"), "{text}");
    text
}

/// An error of the work or the spec, which is a single line.
pub fn one_line(text: &str) -> &str {
    assert_eq!(text.trim_end().lines().count(), 1, "{text}");
    text
}

pub fn examples() -> Vec<PathBuf> {
    let folder = lrgrid_testkit::root().join("examples");
    let mut found: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.retain(|path| path.extension().is_some_and(|ending| ending == "toml" || ending == "json"));
    found.retain(|path| cfg!(feature = "yaml") || !path.ends_with("wandb.toml"));
    found.sort();
    assert!(found.len() >= 14, "only {} examples", found.len());
    found
}

/// A path as seen from the root of the project.
pub fn relative(path: &Path) -> &str {
    path.strip_prefix(lrgrid_testkit::root()).unwrap().to_str().unwrap()
}

pub fn names(folder: &TempDir) -> Vec<String> {
    let entries = fs::read_dir(folder.path()).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// A `.npy` file: its type, its shape and its bytes, read from the format's description.
pub fn read_npy(path: &Path) -> (String, Vec<usize>, Vec<u8>) {
    let bytes = fs::read(path).unwrap();
    assert_eq!(&bytes[..8], b"\x93NUMPY\x01\x00");
    let length = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    assert_eq!((10 + length) % 64, 0);
    let head = std::str::from_utf8(&bytes[10..10 + length]).unwrap();
    assert!(head.contains("'fortran_order': False") && head.ends_with('\n'), "{head}");
    let between = |from: &str, to: &str| head.split_once(from).unwrap().1.split_once(to).unwrap().0.to_owned();
    let shape = between("'shape': (", ")").split(", ").map(|axis| axis.parse().unwrap()).collect();
    (between("'descr': '", "'"), shape, bytes[10 + length..].to_vec())
}

pub fn f32s(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(|bytes| f32::from_ne_bytes(bytes.try_into().unwrap())).collect()
}

/// The last column of a CSV table.
pub fn last_column(csv: &str) -> Vec<&str> {
    csv.lines().skip(1).map(|line| line.rsplit_once(',').unwrap().1).collect()
}

pub const WANDB: &str = "examples/wandb.toml";
pub const WARMUP: &str = "examples/warmup_cosine.toml";
pub const GRID: &str = "examples/grid.toml";
