//! The cases: one a line, what a library was asked and what it returned.

use std::fs;
use std::path::Path;

use serde_json::Value;

/// The library's arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arithmetic {
    Double,
    Single,
}

/// What the library did.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It refused the arguments.
    Refused,
    /// It returned values.
    Values {
        steps: Vec<u64>,
        lr: Vec<f64>,
        closed_form: Option<Vec<f64>>,
        momentum: Option<Vec<f64>>,
        arithmetic: Arithmetic,
        /// The step at which it failed later.
        fails_at: Option<u64>,
    },
}

/// One case.
#[derive(Clone, Debug)]
pub struct Case {
    pub file: String,
    pub id: String,
    pub library: String,
    pub schedule: String,
    pub args: Value,
    pub outcome: Outcome,
}

/// NaN and infinities stand as texts or nothing.
fn number(value: &Value) -> f64 {
    match value {
        Value::Number(number) => number.as_f64().unwrap(),
        Value::String(text) => text.to_lowercase().parse().unwrap(),
        _ => f64::NAN,
    }
}

fn numbers(value: &Value) -> Option<Vec<f64>> {
    value.as_array().map(|values| values.iter().map(number).collect())
}

fn read(file: &str, line: &str) -> Case {
    let case: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{file}: {error}: {line}"));
    let text = |key: &str| case[key].as_str().unwrap_or_else(|| panic!("{file}: no {key}: {line}")).to_owned();
    let single = |key: &str| case[key] == "float32";
    let outcome = match numbers(&case["lr"]) {
        // Without a single value it was refused when it was first asked for one.
        None => Outcome::Refused,
        Some(lr) if lr.is_empty() => Outcome::Refused,
        Some(lr) => Outcome::Values {
            steps: case["steps"].as_array().unwrap().iter().map(|step| step.as_u64().unwrap()).collect(),
            lr,
            closed_form: numbers(&case["lr_closed_form"]),
            momentum: numbers(&case["momentum"]),
            arithmetic: if single("dtype") || single("internal_precision") {
                Arithmetic::Single
            } else {
                Arithmetic::Double
            },
            fails_at: case["error_at_step"].as_u64(),
        },
    };
    Case {
        file: file.to_owned(),
        id: text("id"),
        library: text("library"),
        schedule: text("schedule"),
        args: case["args"].clone(),
        outcome,
    }
}

/// Every case of every file.
pub fn all() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance");
    let mut cases = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "jsonl") {
            let file = path.file_stem().unwrap().to_string_lossy().into_owned();
            cases.extend(fs::read_to_string(&path).unwrap().lines().map(|line| read(&file, line)));
        }
    }
    assert!(cases.len() > 450, "found only {} cases", cases.len());
    cases
}
