//! Every format read back by the programs that people read it with: NumPy, safetensors, pyarrow, polars, duckdb.
//!
//! `scripts/python_readers` installs them; `LRGRID_REQUIRE_PYTHON=1` turns their absence into a failure.
#![expect(clippy::unwrap_used, reason = "a test's helpers may fail as tests do")]

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use lrgrid::{Cpu, Dtype, Element, Evaluate, Spec, Steps};
use lrgrid_tables::table::{Format, Layout, Rows};
use serde_json::{Value, json};

const SPEC: &str = r#"
schedule = { kind = "warmup", steps = "$warmup", then = { kind = "cosine", start = "$peak", end = 1e-6, steps = 400 } }
momentum = { kind = "linear", start = 0.95, end = 0.85, steps = 300 }
[sweep.parameters]
peak = { values = [1e-3, 0.1, 3.0] }
warmup = { values = [7, 50] }
"#;

const STEPS: &str = "0..500:7";

/// The Python that has the readers.
fn python() -> Option<PathBuf> {
    let root = lrgrid_testkit::root();
    let named = std::env::var_os("LRGRID_PYTHON").map(PathBuf::from);
    let found = named.unwrap_or_else(|| root.join("target/python-readers/bin/python"));
    if found.exists() {
        return Some(found);
    }
    let required = std::env::var_os("LRGRID_REQUIRE_PYTHON").is_some_and(|value| value == "1");
    assert!(!required, "LRGRID_REQUIRE_PYTHON=1, but there is no {}: run scripts/python_readers", found.display());
    eprintln!("skipped: there is no {}: run scripts/python_readers", found.display());
    None
}

/// The bits of the tables, straight from the engine: `[rate, momentum]`, `[schedule, step]` each.
fn bits(spec: &Spec, steps: &Steps, dtype: Dtype) -> [String; 2] {
    fn table<T: Element>(spec: &Spec, steps: &Steps) -> [String; 2] {
        let momentum = spec.compile_momentum().unwrap().unwrap();
        [spec.compile().unwrap(), momentum].map(|batch| {
            let values: Vec<T> = Cpu::new().unwrap().evaluate(&batch, steps).unwrap();
            let bytes = values.iter().flat_map(|value| {
                let mut bytes = bytemuck::bytes_of(value).to_vec();
                if cfg!(target_endian = "big") {
                    bytes.reverse();
                }
                bytes
            });
            bytes.map(|byte| format!("{byte:02x}")).collect()
        })
    }
    match dtype.name() {
        "f64" => table::<f64>(spec, steps),
        "f32" => table::<f32>(spec, steps),
        "f16" => table::<half::f16>(spec, steps),
        _ => table::<half::bf16>(spec, steps),
    }
}

#[test]
fn every_format_reads_back_to_the_bit() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let spec_path = folder.path().join("spec.toml");
    fs::write(&spec_path, SPEC).unwrap();
    let spec = Spec::from_toml(SPEC).unwrap();
    let steps = Steps::range(0..500).stride_by(7);
    let mut files: Vec<Value> = Vec::new();
    for dtype in Dtype::ALL {
        let [lr, momentum] = bits(&spec, &steps, dtype);
        for format in Format::ALL.into_iter().filter(|format| format.is_built() && format.holds(dtype)) {
            for (layout, rows) in
                [(Layout::Schedule, Rows::Value), (Layout::Step, Rows::Value), (Layout::Schedule, Rows::Schedule)]
            {
                let columnar = matches!(format, Format::Parquet | Format::Arrow);
                if rows == Rows::Schedule && !columnar {
                    continue;
                }
                let (layout, rows, ending) = (layout.name(), rows.name(), format.ending());
                let path = folder.path().join(format!("{}-{layout}-{rows}.{ending}", dtype.name()));
                let status = Command::new(env!("CARGO_BIN_EXE_lrgrid"))
                    .arg("eval")
                    .arg(&spec_path)
                    .args(["--backend", "cpu", "--dtype", dtype.name(), "--layout", layout, "--rows", rows])
                    .args(["--steps", STEPS, "-o"])
                    .arg(&path)
                    .status()
                    .unwrap();
                assert!(status.success(), "{}", path.display());
                files.push(json!({
                    "path": path, "format": ending, "dtype": dtype.name(), "layout": layout, "rows": rows,
                    "lr": lr, "momentum": momentum,
                }));
            }
        }
    }
    let count = files.len();
    let expected = json!({
        "files": files,
        "steps": steps.iter().collect::<Vec<_>>(),
        "parameters": spec.parameter_names(),
        "points": (0..spec.len()).map(|row| spec.point(row)).collect::<Vec<_>>(),
        "spec": spec.to_json(),
    });
    let expected_path = folder.path().join("expected.json");
    fs::write(&expected_path, expected.to_string()).unwrap();
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/interop/read.py");
    let output = Command::new(python).arg(script).arg(&expected_path).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    // Each file by at least one reader, and said so.
    assert_eq!(text.lines().filter(|line| line.starts_with("read ")).count(), count, "{text}");
}
