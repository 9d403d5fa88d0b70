//! The commands that people look at things with: plot, describe, compare, fit, completions and man.
#![expect(clippy::unwrap_used, reason = "a test's helpers may fail as tests do")]

use std::fs;

use assert_cmd::Command;
use tempfile::TempDir;

fn lrgrid() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lrgrid"));
    command.current_dir(lrgrid_testkit::root()).env_remove("COLUMNS");
    command
}

fn output(arguments: &[&str], status: i32) -> String {
    let assert = lrgrid().args(arguments).assert().code(status);
    String::from_utf8(assert.get_output().stdout.clone()).unwrap()
}

fn error(arguments: &[&str], status: i32) -> String {
    let assert = lrgrid().args(arguments).assert().code(status);
    let output = assert.get_output();
    assert!(output.stdout.is_empty());
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    assert!(text.starts_with("error: ") && !text.contains("panicked"), "{text}");
    text
}

fn file(folder: &TempDir, name: &str, text: &str) -> String {
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn every_example_is_plotted_within_the_width() {
    for path in crate::program::examples() {
        for width in [80, 200] {
            let assert = lrgrid().arg("plot").arg(&path).env("COLUMNS", width.to_string()).assert().success();
            let text = String::from_utf8(assert.get_output().stdout.clone()).unwrap();
            assert!(!text.contains('\x1b'), "no colours in a pipe");
            assert!(text.lines().count() > 10, "{text}");
            let widest = text.lines().map(|line| line.chars().count()).max().unwrap();
            assert!(widest <= width && widest > width - 25, "{}: {widest} of {width}\n{text}", path.display());
        }
    }
}

#[test]
fn what_is_there_is_replaced_only_by_force() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log.csv");
    let log = log.to_str().unwrap();
    output(&["eval", "examples/wsd.toml", "-o", log], 0);
    let commands: [(&[&str], &str); 9] = [
        (&["fit", log, "-o"], "spec.toml"),
        (&["plot", "examples/wsd.toml", "-o"], "picture.svg"),
        (&["compare", "examples/wsd.toml", log, "-o"], "both.svg"),
        (&["wgsl", "examples/wsd.toml", "-o"], "library.wgsl"),
        (&["wgsl", "examples/wsd.toml", "--block"], "block.bin"),
        (&["eval", "examples/wsd.toml", "-o"], "table.npy"),
        (&["stats", "examples/wsd.toml", "-o"], "stats.csv"),
        (&["sweep", "examples/grid.toml", "--list", "-o"], "points.csv"),
        (&["schema", "-o"], "schema.json"),
    ];
    for (command, name) in commands {
        let path = folder.path().join(name);
        fs::write(&path, "kept").unwrap();
        let arguments: Vec<&str> = command.iter().copied().chain([path.to_str().unwrap()]).collect();
        assert!(error(&arguments, 1).contains("is there already: replace it with --force"), "{arguments:?}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "kept", "{arguments:?}");
        output(&[&arguments[..], &["--force"]].concat(), 0);
        assert_ne!(fs::read(&path).unwrap(), b"kept", "{arguments:?}");
    }
}

#[test]
fn pictures_are_files_of_their_kind() {
    let folder = tempfile::tempdir().unwrap();
    for (name, start) in [("a.svg", "<svg".as_bytes()), ("a.html", b"<!doctype html>"), ("a.png", b"\x89PNG")] {
        let path = folder.path().join(name);
        let arguments = ["plot", "examples/wsd.toml", "examples/sgdr.toml", "-o", path.to_str().unwrap()];
        if name == "a.png" && !cfg!(feature = "png") {
            assert!(error(&arguments, 2).contains("png"));
            continue;
        }
        assert!(output(&arguments, 0).is_empty());
        assert!(fs::read(&path).unwrap().starts_with(start), "{name}");
    }
    let path = folder.path().join("a.gif");
    assert!(error(&["plot", "examples/wsd.toml", "-o", path.to_str().unwrap()], 2).contains(".svg, .png or .html"));
    assert!(error(&["plot", "examples/wsd.toml", "--schedule", "9"], 2).contains("from 0 up to 0"));
    assert!(error(&["plot", "examples/wsd.toml", "--momentum"], 2).contains("there is no momentum"));
    assert!(error(&["plot", "examples/wsd.toml", "--size", "5x5"], 2).contains("WIDTHxHEIGHT"));
    assert!(!path.exists());
}

#[test]
fn a_single_step_far_out_is_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let spec = file(
        &folder,
        "spike.toml",
        "steps = 15_000_000_000_000\n[schedule]\nkind = \"piecewise_constant\"\nvalues = [1, 9, 1]\nboundaries = [7_000_000_000_001, 7_000_000_000_002]\n",
    );
    let text = output(&["plot", &spec], 0);
    let high = text.lines().take(8).filter(|line| line.chars().any(|c| ('\u{2801}'..='\u{28ff}').contains(&c))).count();
    assert!(high >= 6, "the spike reaches the top:\n{text}");
}

#[test]
fn descriptions_tell_phases_and_warn() {
    let text = output(&["describe", "examples/wsd.toml"], 0);
    for expected in ["warmup", "hold", "decay", "area under the curve", "half of the peak", "largest"] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    let folder = tempfile::tempdir().unwrap();
    let spec = file(
        &folder,
        "late.toml",
        "steps = 200\nschedule = { kind = \"cosine\", start = 1, end = 0.1, steps = 100 }\n",
    );
    assert!(output(&["describe", &spec], 0).contains("warning: the decay ends at step 100, before training does"));
}

#[test]
fn comparisons_say_where_and_exit_with_1() {
    let folder = tempfile::tempdir().unwrap();
    let a = file(&folder, "a.toml", "schedule = { kind = \"linear\", start = 1, end = 0, steps = 100 }\n");
    let b = file(&folder, "b.toml", "schedule = { kind = \"linear\", start = 1, end = 0, steps = 101 }\n");
    let same = output(&["compare", &a, &a], 0);
    assert!(same.contains("equal at all 100 steps") && same.contains("are equal in f32"), "{same}");
    let text = output(&["compare", &a, &b], 1);
    assert!(text.contains("first difference    1 ") && text.contains("differ in f32"), "{text}");
    assert_eq!(output(&["compare", &a, &b, "--quiet"], 1), "");
    assert_eq!(output(&["compare", &a, &b, "--quiet", "--tolerance", "1"], 0), "");
    // What it writes itself agrees, as text and as a NumPy table.
    for name in ["log.csv", "log.npy"] {
        let log = folder.path().join(name);
        let log = log.to_str().unwrap();
        output(&["eval", &a, "-o", log], 0);
        output(&["compare", &a, log], 0);
        output(&["compare", log, &b, "--quiet"], 1);
    }
    assert!(error(&["compare", &a, "missing.csv"], 2).contains("missing.csv"));
    let words = file(&folder, "words.csv", "step,loss\n1,2\n");
    assert!(error(&["compare", &a, &words], 2).contains("--column"));
}

#[test]
fn a_fit_of_its_own_table_compares_equal() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log.csv");
    let found = folder.path().join("found.toml");
    let [log, found] = [&log, &found].map(|path| path.to_str().unwrap());
    output(&["eval", "examples/one_cycle.toml", "-o", log], 0);
    output(&["fit", log, "-o", found], 0);
    output(&["compare", found, log, "--quiet", "--tolerance", "1e-6"], 0);
    let empty = file(&folder, "empty.csv", "");
    assert!(error(&["fit", &empty], 2).contains("empty"));
}

#[test]
fn shells_and_manuals() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(output(&["completions", shell], 0).contains("lrgrid"));
    }
    assert!(output(&["man"], 0).contains(".TH lrgrid 1"));
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("share/man1");
    let arguments = ["man", "--folder", pages.to_str().unwrap()];
    output(&arguments, 0);
    assert!(pages.join("lrgrid-plot.1").exists() && pages.join("lrgrid.1").exists());
    // One page of the user's own, and none is written.
    fs::remove_file(pages.join("lrgrid-plot.1")).unwrap();
    fs::write(pages.join("lrgrid.1"), "kept").unwrap();
    assert!(error(&arguments, 1).contains("--force"));
    assert!(!pages.join("lrgrid-plot.1").exists());
    output(&[&arguments[..], &["--force"]].concat(), 0);
    assert!(pages.join("lrgrid-plot.1").exists() && fs::read(pages.join("lrgrid.1")).unwrap() != b"kept");
}
