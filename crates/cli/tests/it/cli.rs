//! The results of the program: tables, files, sweeps, statistics and descriptions.

use std::collections::BTreeMap;
use std::fs;

use crate::program::{GRID, WARMUP, error, examples, f32s, last_column, lrgrid, names, output, read_npy, relative};

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
fn schema_devices_and_version() {
    let schema: serde_json::Value = serde_json::from_str(&output(&["schema"])).unwrap();
    assert!(schema["properties"]["schedule"].is_object());
    assert!(!output(&["devices"]).is_empty());
    assert_eq!(output(&["--version"]), format!("lrgrid {}\n", env!("CARGO_PKG_VERSION")));
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
