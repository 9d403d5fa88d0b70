//! What inputs are made from: the examples, the catalogue, what libraries return, and `fuzz/seeds`.

use std::fs;
use std::path::PathBuf;

use lrgrid::schedule::KINDS;
use serde_json::{Value, json};

/// Every how many cases of a library are taken: they mostly differ in numbers.
const CASES: usize = 7;

/// A path within the repository.
pub fn path(relative: &str) -> PathBuf {
    lrgrid_testkit::root().join(relative)
}

/// The contents of a folder's files with some ending, in the order of their names; of all where there is none.
pub fn files(folder: &str, endings: &[&str]) -> Vec<Vec<u8>> {
    let entries = fs::read_dir(path(folder)).unwrap_or_else(|error| panic!("{folder}: {error}"));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file()).collect();
    paths.retain(|path| {
        endings.is_empty() || endings.iter().any(|ending| path.extension().is_some_and(|e| e == *ending))
    });
    paths.sort();
    assert!(!paths.is_empty(), "no seeds in {folder}");
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

fn texts(folder: &str, endings: &[&str]) -> Vec<String> {
    files(folder, endings).into_iter().filter_map(|bytes| String::from_utf8(bytes).ok()).collect()
}

/// Documents of specs.
pub fn specs() -> Vec<Value> {
    let mut specs: Vec<Value> = texts("examples", &["toml"]).iter().map(|text| toml::from_str(text).unwrap()).collect();
    specs.extend(texts("examples", &["json"]).iter().map(|text| serde_json::from_str::<Value>(text).unwrap()));
    specs.extend(texts("fuzz/seeds/spec_json", &["json"]).iter().filter_map(|text| serde_json::from_str(text).ok()));
    specs.extend(KINDS.iter().flat_map(|kind| (kind.examples)()).map(|schedule| json!({ "schedule": schedule })));
    let cases = texts("tests/conformance", &["jsonl"]);
    specs.extend(cases.iter().flat_map(|text| text.lines().step_by(CASES)).map(|line| {
        let case: Value = serde_json::from_str(line).unwrap();
        json!({ "schedule": { "library": case["library"], "name": case["schedule"], "args": case["args"] } })
    }));
    specs
}

/// Documents of sweeps over `peak`, `warmup` and `lr`.
pub fn sweeps() -> Vec<Value> {
    texts("fuzz/seeds/sweep", &["json"]).iter().map(|text| serde_json::from_str(text).unwrap()).collect()
}

/// The words of the dictionary that cargo-fuzz uses too.
pub fn words() -> Vec<Vec<u8>> {
    let text = fs::read_to_string(path("fuzz/dictionary.txt")).unwrap();
    text.lines().filter(|line| line.starts_with('"')).map(word).collect()
}

/// A word as libFuzzer writes it: `\\`, `\"` and `\xAB` stand for bytes.
fn word(line: &str) -> Vec<u8> {
    let quoted = line.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).expect("a word in quotes");
    let (mut bytes, mut rest) = (Vec::new(), quoted);
    while let Some(at) = rest.find('\\') {
        bytes.extend_from_slice(&rest.as_bytes()[..at]);
        rest = &rest[at + 1..];
        let (byte, taken) = match rest.as_bytes()[0] {
            b'x' => (u8::from_str_radix(&rest[1..3], 16).unwrap(), 3),
            other => (other, 1),
        };
        bytes.push(byte);
        rest = &rest[taken..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}
