//! The program as a user runs it: outputs, files, exit codes and every class of error.
#![expect(clippy::unwrap_used, reason = "a test's helpers may fail as tests do")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use tempfile::TempDir;

fn lrgrid() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lrgrid"));
    command.current_dir(lrgrid_testkit::root());
    // Mesa complains on standard error without one.
    if std::env::var_os("XDG_RUNTIME_DIR").is_none() {
        command.env("XDG_RUNTIME_DIR", std::env::temp_dir());
    }
    command
}

/// Standard output of a command that succeeds and says nothing else, but for notes on W&B's example.
fn output(arguments: &[&str]) -> String {
    let assert = lrgrid().args(arguments).assert().success();
    let output = assert.get_output();
    let said = String::from_utf8_lossy(&output.stderr);
    let notes = arguments.contains(&WANDB) && said.lines().all(|line| line.starts_with("note: wandb_sweep.yaml: "));
    assert!(said.is_empty() || notes, "{said}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Standard error of a command that fails with a status, checked to be one paragraph of an error.
fn error(arguments: &[&str], status: i32) -> String {
    error_with_input(arguments, "", status)
}

fn error_with_input(arguments: &[&str], input: &str, status: i32) -> String {
    let assert = lrgrid().args(arguments).write_stdin(input).assert().code(status);
    let output = assert.get_output();
    assert!(output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    assert!(text.starts_with("error: "), "{text}");
    assert!(!text.contains("panicked") && !text.contains("backtrace"), "{text}");
    text
}

/// An error of the work or the spec, which is a single line.
fn one_line(text: &str) -> &str {
    assert_eq!(text.trim_end().lines().count(), 1, "{text}");
    text
}

fn examples() -> Vec<PathBuf> {
    let folder = lrgrid_testkit::root().join("examples");
    let mut found: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.retain(|path| path.extension().is_some_and(|ending| ending == "toml" || ending == "json"));
    found.sort();
    assert!(found.len() >= 14, "only {} examples", found.len());
    found
}

/// A path as seen from the root of the project.
fn relative(path: &Path) -> &str {
    path.strip_prefix(lrgrid_testkit::root()).unwrap().to_str().unwrap()
}

fn names(folder: &TempDir) -> Vec<String> {
    let entries = fs::read_dir(folder.path()).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// A `.npy` file: its type, its shape and its bytes, read from the format's description.
fn read_npy(path: &Path) -> (String, Vec<usize>, Vec<u8>) {
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

fn f32s(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(|bytes| f32::from_ne_bytes(bytes.try_into().unwrap())).collect()
}

/// The last column of a CSV table.
fn last_column(csv: &str) -> Vec<&str> {
    csv.lines().skip(1).map(|line| line.rsplit_once(',').unwrap().1).collect()
}

const WANDB: &str = "examples/wandb.toml";
const WARMUP: &str = "examples/warmup_cosine.toml";
const GRID: &str = "examples/grid.toml";

#[test]
fn the_first_command_of_the_readme() {
    let csv = output(&["eval", WARMUP]);
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines.len(), 101);
    assert_eq!(&lines[..3], ["schedule,step,lr", "0,0,0", "0,1,0.0001"]);
    assert_eq!(lines[11], "0,10,0.001");
}

#[test]
fn every_example_says_what_it_shows_evaluates_and_checks() {
    for path in examples() {
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("# ") || path.extension().unwrap() == "json", "{}", path.display());
        let path = relative(&path);
        for backend in ["cpu", "reference", "auto"] {
            let csv = output(&["eval", path, "--backend", backend, "--at", "0,1,100"]);
            assert!((csv.lines().count() - 1).is_multiple_of(3), "{path}: {csv}");
        }
        let report = output(&["check", path, "--backend", "cpu"]);
        assert_eq!(report.lines().filter(|line| line.ends_with("ok")).count() % 4, 0, "{report}");
        assert!(report.contains("seed 1") && !report.contains("BREACH"), "{report}");
        assert!(output(&["describe", path]).contains("[schedule]"));
    }
}

#[test]
fn steps_as_a_range_with_a_stride_and_as_a_list() {
    let steps =
        |csv: String| csv.lines().skip(1).map(|line| line.split(',').nth(1).unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(steps(output(&["eval", WARMUP, "--steps", "5..8"])), ["5", "6", "7"]);
    assert_eq!(steps(output(&["eval", WARMUP, "--steps", "0..1_000:400"])), ["0", "400", "800"]);
    assert_eq!(steps(output(&["eval", WARMUP, "--steps", "98.."])), ["98", "99"]);
    assert_eq!(
        steps(output(&["eval", WARMUP, "--at", "7,0,7,9_007_199_254_740_991"])),
        ["7", "0", "7", "9007199254740991"]
    );
    let tokens =
        output(&["eval", "examples/tokens.toml", "--steps", "14_999_995_000_000..15_000_000_000_000:4_194_304"]);
    assert_eq!(tokens.lines().count(), 3);
}

#[test]
fn specs_from_standard_input_in_both_languages() {
    let toml = "[schedule]\nkind = 'linear'\nstart = 1\nend = 0\nsteps = 4\n";
    let json = r#" {"schedule": {"kind": "linear", "start": 1, "end": 0, "steps": 4}}"#;
    for text in [toml, json] {
        let assert = lrgrid().args(["eval", "-"]).write_stdin(text).assert().success();
        assert.stdout("schedule,step,lr\n0,0,1\n0,1,0.75\n0,2,0.5\n0,3,0.25\n");
    }
}

#[test]
fn shards_are_slices_of_the_whole() {
    let whole = output(&["eval", GRID, "--steps", "0..20"]);
    let mut joined = vec!["schedule,peak,warmup,step,lr".to_owned()];
    for index in 0..5 {
        let part = output(&["eval", GRID, "--steps", "0..20", "--shard", &format!("{index}/5")]);
        joined.extend(part.lines().skip(1).map(str::to_owned));
    }
    assert_eq!(joined, whole.lines().collect::<Vec<_>>());
    let empty = output(&["eval", WARMUP, "--shard", "0/2"]);
    assert_eq!(empty, "schedule,step,lr\n");
}

#[test]
fn a_sweep_is_listed_and_changed_from_the_command_line() {
    let csv = output(&["sweep", "examples/random.toml", "--list"]);
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!((lines.len(), lines[0]), (257, "schedule,peak,floor,warmup"));
    let slice = output(&["sweep", "examples/random.toml", "--list", "--shard", "3/8"]);
    assert_eq!(slice.lines().skip(1).collect::<Vec<_>>(), lines[1 + 96..1 + 128]);
    let json = output(&["sweep", "examples/random.toml", "--list", "--json", "--shard", "0/256"]);
    let point: serde_json::Value = serde_json::from_str(&json).unwrap();
    let peak = point["parameters"]["peak"].as_f64().unwrap();
    assert!(lines[1].starts_with(&format!("0,{peak},")), "{json}");
    assert!(output(&["sweep", "examples/sobol.toml"]).starts_with("sobol, 64 points, seed 1\n"));
    let other = output(&["sweep", "examples/random.toml", "--list", "--sweep-seed", "8", "--sweep-count", "2"]);
    assert_eq!(other.lines().count(), 3);
    assert_ne!(other.lines().nth(1), Some(lines[1]));

    let set = |settings: &[&str]| {
        let settings = settings.iter().flat_map(|setting| ["--set", setting]);
        output(&["sweep", WARMUP, "--list"].into_iter().chain(settings).collect::<Vec<_>>())
    };
    assert_eq!(
        set(&["schedule.then.start=choice(1e-3,3e-4)", "schedule.steps=range(5,15,5)"]),
        "schedule,schedule.then.start,schedule.steps\n0,0.001,5\n1,0.001,10\n2,0.0003,5\n3,0.0003,10\n"
    );
    let csv = output(&["eval", WARMUP, "--at", "0,10", "--set", "schedule.then.start=0.5", "--set", "steps=11"]);
    assert_eq!(csv, "schedule,step,lr\n0,0,0\n0,10,0.5\n");
    let grid =
        output(&["sweep", GRID, "--list", "--set", "peak=tag(log,interval(1e-4,1e-2,count=2))", "--set", "warmup=50"]);
    assert_eq!(grid, "schedule,peak,warmup\n0,0.0001,50\n1,0.01,50\n");
}

#[test]
fn a_sweep_file_of_wandb_is_taken_as_it_is() {
    let notes = |arguments: &[&str]| {
        let assert = lrgrid().args(arguments).assert().success();
        String::from_utf8(assert.get_output().stderr.clone()).unwrap()
    };
    let said = notes(&["sweep", WANDB]);
    for word in ["`program`, `metric`, `early_terminate`:", "`optimizer`, `batch_size`:", "note: wandb_sweep.yaml: "] {
        assert!(said.contains(word), "{said}");
    }
    assert!(output(&["sweep", WANDB]).starts_with("random, 50 points, seed 0\n"));
    let whole = output(&["sweep", WANDB, "--list"]);
    for line in whole.lines().skip(1) {
        let values: Vec<f64> = line.split(',').map(|cell| cell.parse().unwrap()).collect();
        assert!((1e-4..=0.1).contains(&values[1]) && (0.05..=0.4).contains(&values[2]), "{line}");
    }
    // From the command line, and in JSON, to the same points.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sweep.json");
    let text = r#"{"program": "train.py", "method": "random", "run_cap": 50, "parameters": {"opt": {"values": ["a"]},
        "learning_rate": {"distribution": "log_uniform_values", "min": 1e-4, "max": 0.1},
        "nested": {"parameters": {"unused": {"value": true}}}, "warmup_ratio": {"min": 0.05, "max": 0.4}}}"#;
    fs::write(&path, text).unwrap();
    let arguments = ["sweep", WANDB, "--list", "--sweep", path.to_str().unwrap()];
    let assert = lrgrid().args(arguments).assert().success();
    assert_eq!(String::from_utf8_lossy(&assert.get_output().stdout), whole);
    fs::write(&path, text.replace("\"random\"", "\"bayes\"")).unwrap();
    let refused = error(&arguments, 2);
    assert!(one_line(&refused).contains("bayes") && refused.contains("sobol"), "{refused}");
    for (name, text, part) in
        [("a.yaml", "a: [1", "not YAML: line"), ("a.yaml", "5", "a table"), ("a.txt", "", ".yaml, .json or .toml")]
    {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        let refused = error(&["sweep", WANDB, "--sweep", path.to_str().unwrap()], 2);
        assert!(one_line(&refused).contains(part), "{refused}");
    }
}

#[test]
fn statistics_are_those_of_the_table() {
    for path in ["examples/random.toml", "examples/momentum.toml", "examples/cyclic.toml"] {
        let rows = |csv: &str| {
            let rows =
                csv.lines().skip(1).map(|line| line.split(',').map(|cell| cell.parse::<f64>().unwrap()).collect());
            rows.collect::<Vec<Vec<f64>>>()
        };
        let table = output(&["eval", path, "--dtype", "f64", "--steps", "0..1_001", "--shard", "0/8"]);
        let (names, table) = (table.lines().next().unwrap().to_owned(), rows(&table));
        let stats = output(&["stats", path, "--steps", "0..1_001", "--above", "1e-4", "--shard", "0/8"]);
        let header: Vec<String> = stats.lines().next().unwrap().split(',').map(str::to_owned).collect();
        let value = names.split(',').position(|name| name == "lr").unwrap();
        for row in rows(&stats) {
            let values: Vec<f64> = table.iter().filter(|line| line[0] == row[0]).map(|line| line[value]).collect();
            let of = |name: &str| row[header.iter().position(|known| known == name).unwrap()];
            let sum: f64 = values.iter().sum();
            assert!((of("sum") / sum - 1.0).abs() < 1e-9 && (of("mean") / (sum / 1001.0) - 1.0).abs() < 1e-9, "{path}");
            let squares: f64 = values.iter().map(|value| value * value).sum();
            assert!((of("sum_of_squares") / squares - 1.0).abs() < 1e-9, "{path}");
            let max = values.iter().copied().fold(f64::MIN, f64::max);
            assert_eq!((of("max"), of("steps"), of("final")), (max, 1001.0, values[1000]), "{path}");
            assert_eq!(of("max_step"), values.iter().position(|&value| value == max).unwrap() as f64, "{path}");
            assert_eq!(of("above"), values.iter().filter(|value| **value > 1e-4).count() as f64, "{path}");
        }
    }
    let lines = output(&["stats", GRID, "--json"]);
    assert_eq!(lines.lines().count(), 12);
    let first: serde_json::Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert!(first["parameters"]["peak"].is_f64() && first["lr"]["max"]["step"].is_u64(), "{first}");
    let momentum = output(&["stats", "examples/momentum.toml", "--at", "0,300", "--json"]);
    let momentum: serde_json::Value = serde_json::from_str(&momentum).unwrap();
    assert_eq!(momentum["momentum"]["min"], serde_json::json!({ "value": 0.85, "step": 300 }));
    let listed = output(&["stats", WARMUP, "--at", "10,0,10", "--dtype", "f32"]);
    assert_eq!(listed.lines().nth(1).unwrap().split(',').nth(1), Some("3"));
}

#[test]
fn memory_changes_no_byte() {
    for layout in ["schedule", "step"] {
        let arguments = ["eval", GRID, "--steps", "0..50", "--layout", layout];
        let whole = output(&arguments);
        for memory in ["1", "100", "4KiB"] {
            assert_eq!(output(&[&arguments[..], &["--memory", memory]].concat()), whole, "{memory} by {layout}");
        }
    }
}

#[test]
fn layouts_hold_the_same_rows_in_another_order() {
    let by_schedule = output(&["eval", GRID, "--steps", "10..13"]);
    let by_step = output(&["eval", GRID, "--steps", "10..13", "--layout", "step"]);
    let second: Vec<&str> = by_step.lines().skip(1).take(2).collect();
    assert!(second[0].starts_with("0,0.0001,50,10,") && second[1].starts_with("1,0.0001,100,10,"), "{second:?}");
    let sorted = |csv: &str| {
        let mut lines: Vec<String> = csv.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&by_schedule), sorted(&by_step));
    assert_ne!(by_schedule, by_step);
}

#[test]
fn npy_reads_back_with_its_companions() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.npy");
    let file = path.to_str().unwrap();
    output(&["eval", GRID, "--steps", "0..30", "-o", file, "--shard", "1/3"]);
    assert_eq!(names(&folder), ["table.npy", "table.parameters.csv"]);
    let (dtype, shape, bytes) = read_npy(&path);
    assert_eq!((dtype.as_str(), shape), ("<f4", vec![4, 30]));
    let csv = output(&["eval", GRID, "--steps", "0..30", "--shard", "1/3"]);
    let want: Vec<f32> = last_column(&csv).iter().map(|value| value.parse().unwrap()).collect();
    assert_eq!(f32s(&bytes), want);
    let parameters = fs::read_to_string(folder.path().join("table.parameters.csv")).unwrap();
    assert_eq!(parameters.lines().take(2).collect::<Vec<_>>(), ["schedule,peak,warmup", "4,0.0003,50"]);
    assert_eq!(parameters.lines().count(), 5);

    // The other layout replaces the file with its transpose.
    output(&["eval", GRID, "--steps", "0..30", "-o", file, "--shard", "1/3", "--layout", "step", "--force"]);
    let (_, shape, bytes) = read_npy(&path);
    assert_eq!(shape, [30, 4]);
    let turned = f32s(&bytes);
    assert!((0..4).all(|row| (0..30).all(|column| turned[column * 4 + row] == want[row * 30 + column])));
}

#[test]
fn momentum_is_a_column_or_a_second_file() {
    let csv = output(&["eval", "examples/momentum.toml", "--at", "0,300"]);
    assert_eq!(csv, "schedule,step,lr,momentum\n0,0,0.004,0.95\n0,300,0.1,0.85\n");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.npy");
    output(&["eval", "examples/momentum.toml", "--at", "0,300", "-o", path.to_str().unwrap()]);
    assert_eq!(names(&folder), ["table.momentum.npy", "table.npy"]);
    assert_eq!(f32s(&read_npy(&path).2), [0.004, 0.1]);
    assert_eq!(f32s(&read_npy(&folder.path().join("table.momentum.npy")).2), [0.95, 0.85]);
}

#[test]
fn csv_files_are_what_standard_output_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.CSV");
    assert_eq!(output(&["eval", WARMUP, "-o", path.to_str().unwrap()]), "");
    assert_eq!(fs::read_to_string(&path).unwrap(), output(&["eval", WARMUP]));
    assert_eq!(names(&folder), ["table.CSV"]);
}

#[test]
fn every_type_reads_back_to_its_bits() {
    let folder = tempfile::tempdir().unwrap();
    for (dtype, descr) in [("f64", "<f8"), ("f32", "<f4"), ("f16", "<f2")] {
        let path = folder.path().join(format!("{dtype}.npy"));
        output(&["eval", WARMUP, "--dtype", dtype, "-o", path.to_str().unwrap()]);
        let (found, shape, bytes) = read_npy(&path);
        assert_eq!((found.as_str(), shape), (descr, vec![1, 100]));
        let csv = output(&["eval", WARMUP, "--dtype", dtype]);
        let back: Vec<u8> = last_column(&csv)
            .iter()
            .flat_map(|text| match dtype {
                "f64" => text.parse::<f64>().unwrap().to_ne_bytes().to_vec(),
                "f32" => text.parse::<f32>().unwrap().to_ne_bytes().to_vec(),
                _ => text.parse::<half::f16>().unwrap().to_ne_bytes().to_vec(),
            })
            .collect();
        assert_eq!(back, bytes, "{dtype}");
    }
    let csv = output(&["eval", WARMUP, "--dtype", "bf16"]);
    assert!(last_column(&csv).iter().all(|text| text.trim_start_matches(['0', '.']).len() <= 8), "{csv}");
}

#[test]
fn backends_agree() {
    let table = |backend| output(&["eval", "examples/wsd.toml", "--backend", backend, "--steps", "0..5_100:7"]);
    assert_eq!(table("cpu"), table("reference"));
    assert_eq!(table("cpu"), table("auto"));
}

#[test]
fn the_catalogue_lists_and_explains_every_kind() {
    let list = output(&["schedules"]);
    for kind in lrgrid::schedule::KINDS {
        assert!(list.lines().any(|line| line.split_whitespace().next() == Some(kind.name)), "{}", kind.name);
        let text = output(&["schedules", kind.name]);
        assert!(text.contains(kind.formula) && text.contains("parameter"), "{text}");
        // The example is a spec that reads.
        let example = text.split_once("for example\n\n").unwrap().1;
        lrgrid::Spec::from_toml(example).unwrap_or_else(|error| panic!("{}: {error}\n{example}", kind.name));
    }
}

#[test]
fn schema_devices_version_and_help() {
    let schema: serde_json::Value = serde_json::from_str(&output(&["schema"])).unwrap();
    assert!(schema["properties"]["schedule"].is_object());
    assert!(!output(&["devices"]).is_empty());
    assert_eq!(output(&["--version"]), format!("lrgrid {}\n", env!("CARGO_PKG_VERSION")));
    for command in [
        "eval",
        "plan",
        "run",
        "status",
        "merge",
        "check",
        "bench",
        "describe",
        "stats",
        "sweep",
        "schedules",
        "schema",
        "devices",
        "wgsl",
    ] {
        assert!(output(&[command, "--help"]).contains("Example"), "{command}");
    }
}

#[test]
fn a_description_shows_segments_values_and_the_sweep() {
    let text = output(&["describe", WARMUP]);
    let mut lines: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        lines.insert(words.first().unwrap_or(&""), words);
    }
    assert_eq!(lines["0"], ["0", "10", "linear", "0", "0.001"]);
    assert_eq!(lines["10"], ["10", "100", "cosine", "0.001", "1e-5"]);
    assert_eq!(lines["largest"], ["largest", "0.001", "at", "step", "10"]);
    let text = output(&["describe", "examples/sweep_peak.toml", "--schedule", "999"]);
    assert!(text.starts_with("schedule 999 of 1000: peak = 0.01\n") && text.contains("999 more schedules"), "{text}");
    let text = output(&["describe", "examples/sgdr.toml"]);
    assert!(text.contains("more after the last step"), "{text}");
}

/// What `describe` prints before the segments: the native spec.
fn native_spec(path: &str) -> String {
    let text = output(&["describe", path]);
    let spec = text.lines().skip(2).take_while(|line| !(line.starts_with("start ") && line.contains("curve")));
    spec.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_librarys_schedule_is_described_in_native_terms() {
    for (path, steps) in [
        ("examples/torch_imagenet.toml", "0..600"),
        ("examples/transformers_sft.toml", "0..1090"),
        ("examples/composer_mpt_125m.toml", "0..4800"),
        ("examples/torch_one_cycle.toml", "0..300"),
    ] {
        let native = native_spec(path);
        assert!(native.contains("[schedule]") && !native.contains("library"), "{native}");
        let spec = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
        fs::write(spec.path(), &native).unwrap();
        let table = |path: &str| output(&["eval", path, "--steps", steps, "--dtype", "f64"]);
        assert_eq!(table(path), table(spec.path().to_str().unwrap()), "{path}");
    }
    let path = "examples/torch_one_cycle.toml";
    assert!(native_spec(path).contains("[momentum]"));
    assert!(output(&["eval", path, "--steps", "0..3"]).starts_with("schedule,step,lr,momentum\n"));
    assert_eq!(error(&["eval", path, "--steps", "0..100_000"], 2).lines().count(), 1);
    let list = output(&["schedules", "--library", "torch"]);
    assert!(list.contains("OneCycleLR") && list.contains("pct_start (0.3)"), "{list}");
    let one = output(&["schedules", "--library", "torch", "OneCycleLR"]);
    assert!(one.contains("total_steps") && one.contains("\"cos\" | \"linear\""), "{one}");
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    use std::io::Read;
    use std::process::Stdio;
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_lrgrid"))
        .args(["eval", "examples/sweep_peak.toml", "--steps", "0..2_000"])
        .current_dir(lrgrid_testkit::root())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0; 16];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
}

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
        (&["eval", WARMUP, "--shard", "4/4"], "count from 0"),
        (&["eval", WARMUP, "--shard", "1"], "I/N"),
        (&["eval", WARMUP, "--memory", "12parsec"], "GiB"),
        (&["eval", WARMUP, "--layout", "steps"], "step"),
        (&["eval", WARMUP, "--backend", "gpu", "--dtype", "f64"], "--backend cpu"),
        (&["eval", WARMUP, "--backend", "cpu", "--adapter", "0"], "gpu or auto"),
        (&["eval", WARMUP, "-o", "table.xyz"], ".csv, .npy, .safetensors"),
        (&["eval", WARMUP, "-o", "table"], ".csv, .npy, .safetensors"),
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

#[cfg(feature = "gpu")]
#[test]
fn every_example_on_the_gpu() {
    if let Err(error) = lrgrid::Gpu::new() {
        let required = std::env::var_os("LRGRID_REQUIRE_GPU").is_some_and(|value| value == "1");
        assert!(!required, "LRGRID_REQUIRE_GPU=1, but {error}");
        eprintln!("skipped: {error}");
        return;
    }
    for path in examples() {
        let path = relative(&path);
        let report = output(&["check", path, "--backend", "gpu"]);
        assert!(report.lines().any(|line| line.ends_with("ok")) && !report.contains("BREACH"), "{report}");
        let csv = output(&["eval", path, "--backend", "gpu", "--at", "0,1,100"]);
        assert!((csv.lines().count() - 1).is_multiple_of(3), "{path}: {csv}");
    }
    assert!(output(&["devices"]).lines().nth(1).is_some_and(|line| line.starts_with("0  ")));
}

#[test]
fn vector_levels_are_forced_by_name_and_change_no_value() {
    let eval = ["eval", "examples/wsd.toml"];
    let want = output(&eval);
    let baseline = lrgrid().args(eval).env("LRGRID_LEVEL", "baseline").assert().success();
    assert_eq!(String::from_utf8_lossy(&baseline.get_output().stdout), want);
    let refused = lrgrid().args(eval).env("LRGRID_LEVEL", "mmx").assert().code(1);
    let message = String::from_utf8_lossy(&refused.get_output().stderr).into_owned();
    assert!(message.contains("mmx") && message.contains("baseline"), "{message}");
}
