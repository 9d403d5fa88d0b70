//! Reports as JSON on standard output, and results written to files.

use std::fs;

use serde_json::{Value, json};

use crate::program::{GRID, WARMUP, error, last_column, lrgrid, output};

/// The JSON of a command with an exit status.
fn json_of(arguments: &[&str], status: i32) -> Value {
    let assert = lrgrid().args(arguments).arg("--json").assert().code(status);
    let stdout = String::from_utf8_lossy(&assert.get_output().stdout);
    serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{arguments:?}: {error}\n{stdout}"))
}

#[test]
fn a_description_as_json() {
    let found = json_of(&["describe", WARMUP], 0);
    assert_eq!((&found["schedule"], &found["schedules"], &found["steps"]), (&json!(0), &json!(1), &json!(100)));
    assert_eq!(found["spec"]["schedule"]["kind"], "warmup");
    assert_eq!(found["segments"][1]["curve"], "cosine");
    assert_eq!(found["largest"], json!({ "step": 10, "value": 0.001 }));
    assert_eq!(found["phases"][0]["phase"], "warmup");
    assert!(found["area"]["sum"].is_f64() && found["falls_to"]["half"].is_u64() && found["warnings"].is_array());
    assert!(found.get("momentum").is_none());
    // The spec is a spec, but for its number of steps.
    let spec = found["spec"].to_string();
    let assert = lrgrid().args(["eval", "-", "--steps", "0..100"]).write_stdin(spec).assert().success();
    assert_eq!(String::from_utf8_lossy(&assert.get_output().stdout), output(&["eval", WARMUP]));

    let found = json_of(&["describe", "examples/sweep_peak.toml", "--schedule", "999"], 0);
    assert_eq!((&found["parameters"], &found["schedules"]), (&json!({ "peak": 0.01 }), &json!(1000)));
    assert!(json_of(&["describe", "examples/momentum.toml"], 0)["momentum"]["segments"].is_array());
    assert_eq!(json_of(&["describe", "examples/sgdr.toml"], 0)["segments"][0]["curve"], "cosine");
}

#[test]
fn a_comparison_as_json() {
    let same = json_of(&["compare", WARMUP, WARMUP], 0);
    assert_eq!(
        (&same["equal"], &same["first_difference"], &same["largest"]),
        (&json!(true), &json!(null), &json!(null))
    );
    assert_eq!(same["ends"], json!({ "a": 100, "b": 100 }));
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log.csv");
    let log = log.to_str().unwrap();
    output(&["eval", WARMUP, "--set", "schedule.then.start=0.002", "-o", log]);
    let found = json_of(&["compare", WARMUP, log], 1);
    assert_eq!((&found["equal"], &found["steps"], &found["dtype"]), (&json!(false), &json!(100), &json!("f32")));
    assert_eq!(found["first_difference"]["step"], 1);
    assert_eq!(found["largest"], json!({ "step": 10, "a": 0.001, "b": 0.002 }));
    assert_eq!(found["different"]["f64"], 99);
    // The settings apply to every spec.
    output(&["compare", WARMUP, log, "--set", "schedule.then.start=0.002", "--quiet"]);
    assert_eq!(json_of(&["compare", WARMUP, log, "--tolerance", "1"], 0)["tolerance"], 1.0);
}

#[test]
fn checks_as_json() {
    let found = json_of(&["check", "examples/momentum.toml", "--backend", "cpu"], 0);
    assert_eq!((&found["lr"]["breached"], &found["momentum"]["checked"]), (&json!(false), &json!(1)));
    let finding = &found["lr"]["findings"][0];
    assert_eq!(
        (&finding["backend"], &finding["dtype"], &finding["breaches"]),
        (&json!("cpu"), &json!("f64"), &json!(0))
    );
    assert!(finding["worst_at"]["schedule"].is_u64() && finding["bound_ulp"].is_f64(), "{finding}");
    let found = json_of(&["check", "--random", "3", "--backend", "cpu"], 0);
    assert_eq!((&found["specs"], &found["breached"], &found["breaches"]), (&json!(3), &json!(false), &json!([])));
    assert!(found["drawn"]["schedules"]["cosine"].is_u64(), "{found}");
}

#[test]
fn a_fit_as_json() {
    let folder = tempfile::tempdir().unwrap();
    let [log, spec] = ["log.csv", "spec.json"].map(|name| folder.path().join(name));
    let (log, spec) = (log.to_str().unwrap(), spec.to_str().unwrap());
    output(&["eval", WARMUP, "-o", log]);
    let found = json_of(&["fit", log], 0);
    assert_eq!((&found["rows"], &found["first_step"], &found["last_step"]), (&json!(100), &json!(0), &json!(99)));
    assert!(["certain", "likely"].iter().any(|sure| found["confidence"] == *sure), "{found}");
    assert!(found["worst"]["logged"].is_number() && found["worst"]["fitted"].is_number(), "{found}");
    assert!(found["alternatives"].is_array());
    fs::write(spec, found["spec"].to_string()).unwrap();
    output(&["compare", spec, log, "--tolerance", "1e-6", "--quiet"]);
}

#[test]
fn statistics_points_and_the_schema_are_written_to_files() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, name) in [
        (&["stats", GRID][..], "stats.csv"),
        (&["stats", GRID, "--json"], "stats.jsonl"),
        (&["sweep", GRID], "sweep.txt"),
        (&["sweep", GRID, "--json"], "sweep.json"),
        (&["sweep", GRID, "--list"], "points.csv"),
        (&["sweep", GRID, "--list", "--json"], "points.jsonl"),
        (&["schema"], "schema.json"),
    ] {
        let path = folder.path().join(name);
        let file = path.to_str().unwrap();
        assert_eq!(output(&[arguments, &["--output", file]].concat()), "", "{arguments:?}");
        assert_eq!(fs::read_to_string(&path).unwrap(), output(arguments), "{arguments:?}");
    }
    let missing = folder.path().join("missing/stats.csv");
    error(&["stats", GRID, "-o", missing.to_str().unwrap()], 1);
}

#[test]
fn a_setting_changes_what_is_drawn_and_translated() {
    let folder = tempfile::tempdir().unwrap();
    let block = |name: &str, settings: &[&str]| {
        let path = folder.path().join(name);
        let arguments = ["wgsl", WARMUP, "--block", path.to_str().unwrap()];
        output(&[&arguments[..], settings].concat());
        fs::read(path).unwrap()
    };
    assert_ne!(block("a", &[]), block("b", &["--set", "schedule.then.start=0.002"]));
    let plain = output(&["plot", WARMUP]);
    let higher = output(&["plot", WARMUP, "--set", "schedule.then.start=0.002"]);
    assert_ne!(plain, higher);
    let value = output(&["eval", WARMUP, "--at", "10", "--set", "schedule.then.start=0.002"]);
    assert_eq!(last_column(&value), ["0.002"]);
}
