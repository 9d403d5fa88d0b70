//! Specs and sweeps: what is read is written and read again, and its first and last schedules are evaluated.

use std::fs;

use lrgrid::spec::Overrides;
use lrgrid::{Cpu, Error, Evaluate, Reference, Spec, Steps};
use tempfile::TempDir;

use super::{check_said, folder};

/// The schedule that sweeps are read beside.
pub const SWEPT: &str = r#"
steps = 1000
schedule = { kind = "warmup", steps = "$warmup", then = { kind = "cosine", start = "$peak", end = "$lr", steps = 900 } }
"#;

thread_local! {
    static FOLDER: TempDir = folder();
}

/// A spec in TOML.
pub fn spec_toml(input: &[u8]) -> bool {
    std::str::from_utf8(input).is_ok_and(|text| used(Spec::from_toml(text)))
}

/// A spec in JSON.
pub fn spec_json(input: &[u8]) -> bool {
    std::str::from_utf8(input).is_ok_and(|text| used(Spec::from_json(text)))
}

/// The file of a sweep; the first byte of the input chooses its ending.
pub fn sweep(input: &[u8]) -> bool {
    let Some((first, text)) = input.split_first() else { return false };
    let name = ["sweep.yaml", "sweep.json", "sweep.toml"][usize::from(*first) % 3];
    let path = FOLDER.with(|folder| folder.path().join(name));
    fs::write(&path, text).unwrap();
    used(Spec::from_toml_with(SWEPT, &Overrides::default().sweep_file(path)))
}

fn used(read: Result<Spec, Error>) -> bool {
    match read {
        Ok(spec) => {
            use_spec(&spec);
            true
        }
        Err(error) => {
            check_said(&error.to_string());
            false
        }
    }
}

fn use_spec(spec: &Spec) {
    let text = spec.to_json();
    let again = Spec::from_json(&text).unwrap_or_else(|error| panic!("{error}: of its own text {text}"));
    assert_eq!((again.to_json(), again.len()), (text, spec.len()), "another text, or another number of schedules");
    let last = spec.len() - 1;
    assert_eq!(again.point(last).map_bits(), spec.point(last).map_bits(), "another point {last}");
    for row in [0, last] {
        match spec.compile_rows(row..row + 1) {
            Ok(batch) => {
                let steps = [0, 1, 99, spec.horizon().unwrap_or(1 << 20)];
                let steps = Steps::list(steps.map(|step| step.min(batch.last_step().unwrap_or(step))));
                let table = evaluate(&Cpu::new().unwrap(), &batch, &steps);
                assert_eq!(table.len(), evaluate(&Reference, &batch, &steps).len());
            }
            Err(error) => check_said(&error.to_string()),
        }
    }
}

/// Values of some steps, which every schedule that compiles has.
fn evaluate(backend: &impl Evaluate, batch: &lrgrid::Batch, steps: &Steps) -> Vec<f32> {
    backend.evaluate(batch, steps).unwrap_or_else(|error| panic!("{error}"))
}

/// Floats as bits, so that a NaN is itself.
trait MapBits {
    fn map_bits(&self) -> Vec<u64>;
}

impl MapBits for Vec<f64> {
    fn map_bits(&self) -> Vec<u64> {
        self.iter().map(|value| value.to_bits()).collect()
    }
}
