//! Swept parameters with the names of columns: every format tells them from the columns, and reads back.
#![expect(clippy::unwrap_used, reason = "a test's helpers may fail as tests do")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use assert_cmd::Command;

/// Every parameter has the name of a column of a table or of its statistics, but for the last.
const SPEC: &str = r#"
schedule = { kind = "linear", start = "$lr", end = "$step", steps = "$schedule" }
momentum = { kind = "linear", start = "$momentum", end = "$Mean", steps = "$peak" }
sweep.parameters = { lr = { values = [1, 2, 3] }, step = { value = 0.5 }, schedule = { value = 4 }, momentum = { value = 0.75 }, Mean = { value = 0.25 }, peak = { value = 4 } }
"#;

const NAMES: [&str; 5] = ["parameters.lr", "parameters.step", "parameters.schedule", "parameters.momentum", "peak"];

fn lrgrid(folder: &Path, arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lrgrid"));
    command.current_dir(folder).args(arguments.split(' '));
    command
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("spec.toml"), SPEC).unwrap();
    folder
}

fn output(folder: &Path, arguments: &str) -> String {
    let assert = lrgrid(folder, arguments).assert().success();
    String::from_utf8(assert.get_output().stdout.clone()).unwrap()
}

/// The names of a CSV table's columns, checked to be different whatever the case.
fn header(text: &str) -> Vec<String> {
    let names: Vec<String> = text.lines().next().unwrap().split(',').map(str::to_owned).collect();
    different(&names);
    names
}

fn different(names: &[String]) {
    let lower: BTreeSet<String> = names.iter().map(|name| name.to_lowercase()).collect();
    assert_eq!(lower.len(), names.len(), "{names:?}");
    for name in NAMES {
        assert!(names.iter().any(|known| known == name), "no {name} in {names:?}");
    }
}

#[test]
fn every_text_has_columns_of_different_names() {
    let folder = folder();
    let names = header(&output(folder.path(), "eval spec.toml"));
    assert_eq!(names[names.len() - 3..], ["step", "lr", "momentum"]);
    assert!(names.contains(&"Mean".to_owned()), "a table has no means");
    header(&output(folder.path(), "sweep spec.toml --list"));
    output(folder.path(), "eval spec.toml -o table.npy");
    header(&fs::read_to_string(folder.path().join("table.parameters.csv")).unwrap());
    for more in ["", " --above 0.5"] {
        let names = header(&output(folder.path(), &format!("stats spec.toml{more}")));
        assert!(names.contains(&"parameters.Mean".to_owned()), "{names:?}");
    }
}

#[test]
fn every_file_has_columns_of_different_names() {
    let folder = folder();
    output(folder.path(), "eval spec.toml -o table.safetensors");
    let bytes = fs::read(folder.path().join("table.safetensors")).unwrap();
    let (_, metadata) = safetensors::SafeTensors::read_metadata(&bytes).unwrap();
    let names: Vec<String> = metadata.tensors().into_keys().collect();
    for name in ["lr", "momentum", "parameters.lr", "parameters.momentum", "parameters.peak", "parameters.Mean"] {
        assert!(names.iter().any(|known| known == name), "no {name} in {names:?}");
    }
    #[cfg(feature = "arrow")]
    for rows in ["value", "schedule"] {
        let fields = |schema: &arrow_schema::Schema| {
            let names: Vec<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
            different(&names);
        };
        output(folder.path(), &format!("eval spec.toml --force -o table.arrow --rows {rows}"));
        let file = fs::File::open(folder.path().join("table.arrow")).unwrap();
        fields(&arrow_ipc::reader::FileReader::try_new(file, None).unwrap().schema());
        output(folder.path(), &format!("eval spec.toml --force -o table.parquet --rows {rows}"));
        let file = fs::File::open(folder.path().join("table.parquet")).unwrap();
        let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
        fields(reader.schema());
    }
}

#[test]
fn a_table_reads_back_as_its_rates_and_not_as_its_parameters() {
    let folder = folder();
    let spec = r#"{"schedule": {"kind": "linear", "start": "$lr", "end": 0, "steps": 4}, "sweep": {"parameters": {"lr": {"values": [1, 2, 3]}}}}"#;
    fs::write(folder.path().join("lr.json"), spec).unwrap();
    output(folder.path(), "eval lr.json --steps 0..8 -o lr.csv");
    let text = fs::read_to_string(folder.path().join("lr.csv")).unwrap();
    assert!(text.starts_with("schedule,parameters.lr,step,lr\n0,1,0,1\n0,1,1,0.75\n"), "{text}");
    let compared = output(folder.path(), "compare lr.csv lr.json");
    assert!(compared.contains("lr.csv and lr.json are equal in f32"), "{compared}");
    let compared = output(folder.path(), "compare lr.csv lr.json --schedule 2 --log-schedule 2");
    assert!(compared.contains("lr.csv and lr.json are equal in f32"), "{compared}");
    let found = output(folder.path(), "fit lr.csv --log-schedule 1");
    assert!(found.contains("linear") && found.contains("start = 2"), "{found}");
}

#[test]
fn two_parameters_of_one_column_are_refused_by_name() {
    let folder = folder();
    let spec = r#"{"schedule": {"kind": "linear", "start": "$lr", "end": "$parameters.lr", "steps": 4}, "sweep": {"parameters": {"lr": {"value": 1}, "parameters.lr": {"value": 2}}}}"#;
    fs::write(folder.path().join("two.json"), spec).unwrap();
    let assert = lrgrid(folder.path(), "eval two.json").assert().code(2);
    let text = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    assert!(text.contains("`lr` and `parameters.lr`") && text.contains("rename one"), "{text}");
}
