//! The errors of the program: wrong command lines and specs, and files that cannot be written.

use std::fs;

use crate::program::{GRID, WARMUP, error, error_with_input, names, one_line, output};

#[test]
fn wrong_command_lines_are_refused_with_a_remedy() {
    for (arguments, remedy) in [
        (&["eval", WARMUP, "--backend", "gpuu"][..], "gpu"),
        (&["eval", WARMUP, "--dtype", "f23"], "f32"),
        (&["eval", WARMUP, "--steps", "9..3"], "up to, but not including"),
        (&["eval", WARMUP, "--steps", "5"], "A..B"),
        (&["eval", WARMUP, "--steps", "0..9:0"], "1 or more"),
        (&["eval", WARMUP, "--steps", "100.."], "after the spec's last step"),
        (&["eval", WARMUP, "--at", "1,x"], "whole number"),
        (&["eval", WARMUP, "--at", "9007199254740992"], "9007199254740991"),
        (&["eval", WARMUP, "--at", "1", "--steps", "0..2"], "cannot be used with"),
        (&["eval", WARMUP, "--shard", "4/4"], "from 0 up to 3"),
        (&["eval", WARMUP, "--shard", "0/0"], "0/1"),
        (&["eval", WARMUP, "--shard", "1"], "I/N"),
        (&["eval", WARMUP, "--memory", "12parsec"], "GiB"),
        (&["eval", WARMUP, "--layout", "steps"], "step"),
        (&["eval", WARMUP, "--backend", "gpu", "--dtype", "f64"], "--backend cpu"),
        (&["eval", WARMUP, "--backend", "cpu", "--adapter", "0"], "gpu or auto"),
        (&["eval", WARMUP, "-o", "table.xyz"], ".csv, .npy"),
        (&["eval", WARMUP, "-o", "table"], ".csv, .npy"),
        (&["eval", WARMUP, "-o", "table.npy", "--dtype", "bf16"], ".csv or .safetensors"),
        (&["eval", WARMUP, "-o", "table.npy", "--rows", "schedule"], ".parquet"),
        (&["eval", WARMUP, "--json"], "--output"),
        #[cfg(feature = "arrow")]
        (&["eval", WARMUP, "-o", "table.parquet", "--rows", "schedule", "--layout", "step"], "leave out --layout step"),
        #[cfg(feature = "arrow")]
        (&["eval", WARMUP, "-o", "table.arrow", "--rows", "schedule", "--memory", "1KiB"], "--rows value"),
        #[cfg(not(feature = "arrow"))]
        (&["eval", WARMUP, "-o", "table.parquet"], "`arrow` feature"),
        (&["plan", WARMUP, "--shards", "2", "-o", "job"], "from 1 to 1"),
        (&["eval", WARMUP, "--set", "peak"], "NAME=VALUE"),
        (&["eval", WARMUP, "--set", "peak=chioce(1,2)"], "`choice`"),
        (&["eval", WARMUP, "--set", "peak=3"], "not used"),
        (&["eval", WARMUP, "--set", "schedule.then.ned=3"], "`end`"),
        (&["eval", WARMUP, "--set", "steps=choice(1,2)"], "cannot be swept"),
        (&["sweep", WARMUP, "--sweep-method", "bayes"], "sobol"),
        (&["sweep", WARMUP, "--sweep-count", "3"], "no sweep"),
        (&["sweep", WARMUP, "--shard", "0/2"], "--list"),
        (&["stats", WARMUP, "--above", "nan"], "give a number"),
        (&["stats", WARMUP, "--backend", "gpu", "--dtype", "f64"], "--dtype f32"),
        (&["stats", WARMUP, "--steps", "100.."], "after the spec's last step"),
        (&["eval"], "SPEC"),
        (&["evla", WARMUP], "eval"),
        (&["schedules", "cosin"], "`cosine`"),
        (&["schedules", "--library", "torch", "OneCycle"], "`OneCycleLR`"),
        (&["schedules", "--library", "torhc"], "'torch'"),
        (&["describe", WARMUP, "--schedule", "1"], "from 0 up to 0"),
        (&["plot", WARMUP, "--steps", "0..9:3"], "leave the stride out"),
        (&["plot", WARMUP, "--set", "schedule.then.ned=3"], "`end`"),
        (&["compare", WARMUP, WARMUP, "--json", "--quiet"], "cannot be used with"),
        (&["wgsl", "--set", "peak=3"], "name its file"),
        (&["check", "--random", "1", "--set", "peak=3"], "cannot be used with"),
    ] {
        let text = error(arguments, 2);
        assert!(text.contains(remedy), "{arguments:?}: {text}");
    }
    assert!(!lrgrid_testkit::root().join("table.npy").exists());
}

#[test]
fn wrong_specs_are_refused_by_key_and_value() {
    for (spec, words) in [
        ("schedule = {kind = 'cosin', start = 1, end = 0, steps = 9}", &["schedule", "`cosine`"][..]),
        ("schedule = {kind = 'cosine', start = 1, end = 0, stpes = 9}", &["`schedule", "`steps`"]),
        ("schedule = {kind = 'cosine', start = 1, end = 0, steps = 0}", &["schedule.steps", "0"]),
        ("schedule = {kind = 'cosine', start = '$peak', end = 0, steps = 9}", &["schedule.start", "peak"]),
        ("schedule = {kind = 'constant', value = nan}", &["schedule.value", "finite"]),
        ("schedule = {kind = 'constant', value = 1}", &["steps", "missing"]),
        ("shcedule = {kind = 'constant', value = 1}", &["shcedule", "`schedule`"]),
        ("schedule = {kind = 'constant', value = 1", &["line 1"]),
        ("{\"schedule\": 5", &["JSON"]),
        ("", &["schedule", "missing"]),
    ] {
        let text = error_with_input(&["eval", "-"], spec, 2);
        assert!(one_line(&text).starts_with("error: standard input: "), "{text}");
        assert!(words.iter().all(|word| text.contains(word)), "{spec}: {text}");
    }
    let text = error(&["check", "no/such.toml"], 2);
    assert!(one_line(&text).contains("no/such.toml"), "{text}");
    let text = error(&["describe", "Cargo.lock"], 2);
    assert!(one_line(&text).contains(".toml or .json"), "{text}");
}

#[test]
fn what_cannot_be_written_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let inside = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let text = error(&["eval", WARMUP, "-o", &inside("missing/table.npy")], 1);
    assert!(one_line(&text).contains("table.npy"), "{text}");
    fs::create_dir(folder.path().join("folder.csv")).unwrap();
    let text = error(&["eval", WARMUP, "-o", &inside("folder.csv")], 1);
    assert!(one_line(&text).contains("is a folder"), "{text}");
    // A companion that cannot be made stops the table too.
    fs::create_dir(folder.path().join("table.parameters.csv")).unwrap();
    error(&["eval", GRID, "-o", &inside("table.npy")], 1);
    assert_eq!(names(&folder), ["folder.csv", "table.parameters.csv"]);
}

#[cfg(unix)]
#[test]
fn loops_of_links_and_full_devices_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("loop.csv");
    std::os::unix::fs::symlink(&path, &path).unwrap();
    let text = error(&["eval", WARMUP, "-o", path.to_str().unwrap()], 1);
    assert!(one_line(&text).contains("loop.csv"), "{text}");
    if let Ok(full) = fs::OpenOptions::new().write(true).open("/dev/full") {
        let status = std::process::Command::new(env!("CARGO_BIN_EXE_lrgrid"))
            .args(["eval", WARMUP])
            .current_dir(lrgrid_testkit::root())
            .stdout(full)
            .stderr(std::process::Stdio::null())
            .status()
            .unwrap();
        assert_eq!(status.code(), Some(1));
    }
}

#[test]
fn a_missing_gpu_is_an_error_for_gpu_only() {
    let text = error(&["eval", WARMUP, "--backend", "gpu", "--adapter", "no such card"], 1);
    assert!(one_line(&text).contains("--backend cpu"), "{text}");
    output(&["eval", WARMUP, "--backend", "auto", "--adapter", "no such card"]);
    let text = error(&["check", WARMUP, "--backend", "gpu", "--adapter", "no such card"], 1);
    assert!(one_line(&text).contains("--backend cpu"), "{text}");
    let report = output(&["check", WARMUP, "--adapter", "no such card"]);
    assert!(report.contains("not checked: gpu"), "{report}");
}
