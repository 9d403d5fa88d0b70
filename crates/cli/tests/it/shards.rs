//! Tables in shards: parts that prove themselves, and merges that are what one run writes, to the byte.
#![expect(clippy::unwrap_used, reason = "a test's helpers may fail as tests do")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const SPEC: &str = r#"
schedule = { kind = "warmup", steps = "$warmup", then = { kind = "cosine", start = "$peak", end = 1e-6, steps = 400 } }
momentum = { kind = "linear", start = 0.95, end = 0.85, steps = 300 }
[sweep.parameters]
peak = { min = 1e-4, max = 1.0, count = 23 }
warmup = { values = [7, 50, 120] }
"#;

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("spec.toml"), SPEC).unwrap();
    folder
}

fn run(folder: &Path, arguments: &str, variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lrgrid"));
    for name in ["SLURM_ARRAY_TASK_ID", "JOB_COMPLETION_INDEX", "OMPI_COMM_WORLD_RANK"] {
        command.env_remove(name);
    }
    command.envs(variables.iter().copied()).current_dir(folder).args(arguments.split(' ')).output().unwrap()
}

/// Standard output of a command that succeeds.
fn output(folder: &Path, arguments: &str) -> String {
    let output = run(folder, arguments, &[]);
    assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Standard error of a command that fails with a status.
fn error(folder: &Path, arguments: &str, status: i32) -> String {
    let output = run(folder, arguments, &[]);
    assert_eq!(output.status.code(), Some(status), "{arguments}: {output:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_merge_is_what_one_run_writes() {
    let folder = folder();
    let folder = folder.path();
    for (dtype, layout, shards) in
        [("f32", "schedule", 8), ("f16", "step", 5), ("bf16", "schedule", 1), ("f64", "step", 69)]
    {
        let (job, table) = (format!("job-{dtype}"), format!("--dtype {dtype} --layout {layout} --steps 3..400:2"));
        output(folder, &format!("plan spec.toml --shards {shards} -o {job} {table}"));
        for shard in (0..shards).rev() {
            let said = output(folder, &format!("run {job} --shard {shard}/{shards}"));
            assert!(said.starts_with(&format!("shard {shard}/{shards}: made, ")), "{said}");
        }
        let status = output(folder, &format!("status {job}"));
        assert!(status.starts_with(&format!("{shards} of {shards} shards done\n{shards} by lrgrid ")), "{status}");
        for (ending, extra) in [
            ("csv", ""),
            ("npy", ""),
            ("safetensors", ""),
            #[cfg(feature = "arrow")]
            ("parquet", ""),
            #[cfg(feature = "arrow")]
            ("arrow", ""),
            #[cfg(feature = "arrow")]
            ("parquet", " --rows schedule"),
        ] {
            let refused = dtype == "bf16" && !["csv", "safetensors"].contains(&ending);
            if refused || (layout == "step" && !extra.is_empty()) {
                continue;
            }
            // Cut in different ways, to the same bytes.
            output(folder, &format!("merge {job} -o merged.{ending} --force --memory 64KiB{extra}"));
            output(folder, &format!("eval spec.toml --backend cpu -o whole.{ending} --force {table}{extra}"));
            for companion in ["", "parameters.csv", "momentum.npy"] {
                let name = |stem: &str| match companion {
                    "" => folder.join(format!("{stem}.{ending}")),
                    companion => folder.join(format!("{stem}.{companion}")),
                };
                if companion.is_empty() || ending == "npy" {
                    let same = fs::read(name("merged")).unwrap() == fs::read(name("whole")).unwrap();
                    assert!(same, "{dtype} {layout} {ending}{extra} {companion}");
                }
            }
        }
    }
}

#[test]
fn parts_are_safetensors_that_load_by_themselves() {
    let folder = folder();
    let folder = folder.path();
    output(folder, "plan spec.toml --shards 3 -o job --dtype bf16");
    output(folder, "run job --shard 1/3");
    let bytes = fs::read(folder.join("job/part-1.safetensors")).unwrap();
    let part = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(part.tensor("lr").unwrap().shape(), [23, 520]);
    let (_, metadata) = safetensors::SafeTensors::read_metadata(&bytes).unwrap();
    let metadata = metadata.metadata().as_ref().unwrap().clone();
    assert_eq!((metadata["schedules"].as_str(), metadata["backend"].as_str()), ("23..46", "cpu"));
    let manifest: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(folder.join("job/manifest.json")).unwrap()).unwrap();
    assert_eq!(manifest["spec_hash"], metadata["spec_hash"].as_str());
    assert_eq!((&manifest["shards"][1]["start"], &manifest["dtype"]), (&23.into(), &"bf16".into()));
}

#[test]
fn only_what_is_missing_or_damaged_is_made_again() {
    let folder = folder();
    let folder = folder.path();
    output(folder, "plan spec.toml --shards 12 -o job");
    assert!(error(folder, "merge job -o table.npy", 1).contains("12 missing and 0 damaged of 12 shards (0, 1, 2"));
    output(folder, "run job --resume --quiet");
    let part = |shard: usize| folder.join(format!("job/part-{shard:02}.safetensors"));
    let kept = fs::metadata(part(5)).unwrap().modified().unwrap();
    // A byte of the values, a byte of the header, a byte less, nothing at all.
    for (shard, place) in [(2, 1 << 12), (3, 40)] {
        let mut bytes = fs::read(part(shard)).unwrap();
        bytes[place] ^= 1;
        fs::write(part(shard), bytes).unwrap();
    }
    let bytes = fs::read(part(4)).unwrap();
    fs::write(part(4), &bytes[..bytes.len() - 1]).unwrap();
    fs::write(part(6), "").unwrap();
    fs::remove_file(part(11)).unwrap();
    // The right bytes of another shard.
    fs::copy(part(8), part(9)).unwrap();
    let status = run(folder, "status job", &[]);
    assert_eq!(status.status.code(), Some(1));
    let text = String::from_utf8(status.stdout).unwrap();
    assert!(text.starts_with("6 of 12 shards done\n") && text.contains("missing: 11"), "{text}");
    for shard in [2, 3, 4, 6, 9] {
        assert!(text.contains(&format!("damaged: {shard}, which ")), "{text}");
    }
    let json: serde_json::Value = serde_json::from_slice(&run(folder, "status job --json", &[]).stdout).unwrap();
    assert_eq!((&json["missing"], json["damaged"].as_array().unwrap().len()), (&serde_json::json!([11]), 5));
    let refused = error(folder, "merge job -o table.npy", 1);
    assert!(refused.contains("1 missing and 5 damaged") && refused.contains("lrgrid run job"), "{refused}");
    assert!(!folder.join("table.npy").exists());
    let said = output(folder, "run job --resume");
    assert_eq!(said.lines().filter(|line| line.contains("proves right")).count(), 6, "{said}");
    assert_eq!(said.lines().filter(|line| line.contains("made again")).count(), 5, "{said}");
    assert_eq!(fs::metadata(part(5)).unwrap().modified().unwrap(), kept);
    output(folder, "status job");
    output(folder, "merge job -o table.npy");
}

#[test]
fn runs_at_once_do_not_get_in_each_others_way() {
    let folder = folder();
    let folder = folder.path();
    output(folder, "plan spec.toml --shards 4 -o job --steps 0..40_000");
    let start = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lrgrid"));
        command.current_dir(folder).args(arguments).stdout(std::process::Stdio::null()).spawn().unwrap()
    };
    let one_shard = (0..4).map(|_| start(&["run", "job", "--shard", "2/4"]));
    let all = (0..2).map(|_| start(&["run", "job"]));
    let children: Vec<_> = one_shard.chain(all).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    output(folder, "status job");
    output(folder, "merge job -o merged.npy");
    output(folder, "eval spec.toml --backend cpu --steps 0..40_000 -o whole.npy");
    assert!(fs::read(folder.join("merged.npy")).unwrap() == fs::read(folder.join("whole.npy")).unwrap());
}

#[test]
fn clusters_say_which_shard() {
    let folder = folder();
    let folder = folder.path();
    output(folder, "plan spec.toml --shards 3 -o job");
    for (variable, shard) in [("SLURM_ARRAY_TASK_ID", 0), ("JOB_COMPLETION_INDEX", 1), ("OMPI_COMM_WORLD_RANK", 2)] {
        let made = run(folder, "run job --shard auto --json", &[(variable, &shard.to_string())]);
        let json: serde_json::Value = serde_json::from_slice(&made.stdout).unwrap();
        assert_eq!((&json["shard"], &json["made"]), (&shard.into(), &true.into()), "{variable}");
        let bytes = fs::metadata(folder.join(format!("job/part-{shard}.safetensors"))).unwrap().len();
        assert_eq!(json["bytes"], bytes);
    }
    let late = run(folder, "run job --shard auto", &[("SLURM_ARRAY_TASK_ID", "3")]);
    assert_eq!(late.status.code(), Some(2));
    let text = String::from_utf8(late.stderr).unwrap();
    assert!(text.contains("SLURM_ARRAY_TASK_ID is 3") && text.contains("--array=0-2"), "{text}");
    assert!(error(folder, "run job --shard auto", 2).contains("--shard I/N"));
    assert!(error(folder, "run job --shard 0/4", 2).contains("the plan has 3 shards, not 4"));
}

#[test]
fn shards_of_different_backends_are_joined_only_when_asked() {
    let folder = folder();
    let folder = folder.path();
    output(folder, "plan spec.toml --shards 2 -o job");
    output(folder, "run job --shard 0/2");
    output(folder, "plan spec.toml --shards 2 -o job --backend reference --force");
    output(folder, "run job --shard 1/2");
    let refused = error(folder, "merge job -o table.npy", 1);
    assert!(refused.contains("1 by lrgrid") && refused.contains("on reference") && refused.contains("--mixed"));
    let json: serde_json::Value =
        serde_json::from_str(&output(folder, "merge job -o table.npy --mixed --json")).unwrap();
    assert_eq!((&json["rows"], &json["columns"]), (&69.into(), &520.into()));
    let file = fs::read(folder.join("table.npy")).unwrap();
    assert_eq!(json["bytes"], file.len());
    assert_eq!(json["checksum"], format!("blake3:{}", lrgrid_tables::table::Checksum::of(&file)));
}

#[test]
fn plans_are_checked() {
    let folder = folder();
    let folder = folder.path();
    assert!(error(folder, "plan spec.toml --shards 70 -o job", 2).contains("use from 1 to 69"));
    assert!(error(folder, "plan spec.toml --shards 0 -o job", 2).contains("use from 1 to 69"));
    assert!(error(folder, "run job", 2).contains("lrgrid plan SPEC"));
    output(folder, "plan spec.toml --shards 4 -o job");
    output(folder, "run job --quiet");
    // The same again is no change, another is one.
    output(folder, "plan spec.toml --shards 4 -o job");
    assert!(error(folder, "plan spec.toml --shards 5 -o job", 2).contains("--force"));
    output(folder, "status job");
    let manifest = folder.join("job/manifest.json");
    let text = fs::read_to_string(&manifest).unwrap();
    for (from, to, says) in [
        ("0.95", "0.94", "spec_hash"),
        ("\"manifest\": 2", "\"manifest\": 9", "version 9"),
        ("\"start\": 17", "\"start\": 18", "`shards[1]` leaves a gap"),
        ("\"start\": 17", "\"start\": 16", "`shards[1]` overlaps"),
        ("\"end\": 34", "\"end\": 17", "`shards[1]` has no schedules"),
        ("\"end\": 69", "\"end\": 68", "end at schedule 68 of 69"),
        ("\"f32\"", "\"f23\"", "f23"),
        // A file outside the folder, that of another shard, and the manifest itself.
        ("part-0.safetensors", "../part", "`shards[0].file` is \"../part\": the part of shard 0 is part-0.safetensors"),
        ("part-0.safetensors", "part-1.safetensors", "`shards[0].file`"),
        ("part-3.safetensors", "manifest.json", "`shards[3].file`"),
        ("\"dtype\": \"f32\"", "\"dtype\": \"f32\", \"dtype\": \"f16\"", "`dtype`: duplicate key"),
        ("\"schedules\": 69", "\"schedules\": 18446744073709551615", "the spec has 69"),
        ("\"sweep\": {", "\"sweep\": \"/dev/zero\", \"swept\": {", "names a file"),
        ("{", "[", "not a manifest"),
    ] {
        assert!(text.contains(from), "{from}");
        fs::write(&manifest, text.replacen(from, to, 1)).unwrap();
        let said = error(folder, "status job", 2);
        assert!(said.contains(says) && said.contains("manifest.json"), "{said}");
    }
}

#[test]
fn who_made_a_part_is_under_its_checksum() {
    let folder = folder();
    let folder = folder.path();
    output(folder, "plan spec.toml --shards 2 -o job");
    output(folder, "run job --quiet");
    let path = folder.join("job/part-1.safetensors");
    let part = fs::read(&path).unwrap();
    let backend = b"\"backend\":\"cpu\"";
    let place = part.windows(backend.len()).position(|window| window == backend).unwrap();
    let mut other = part.clone();
    other[place..place + backend.len()].copy_from_slice(b"\"backend\":\"gpu\"");
    fs::write(&path, other).unwrap();
    let status = String::from_utf8(run(folder, "status job", &[]).stdout).unwrap();
    assert!(status.contains("damaged: 1, which its version and backend are not those"), "{status}");
    fs::write(&path, part).unwrap();
    output(folder, "status job");
}

#[test]
#[cfg(unix)]
fn a_pipe_in_a_parts_place_holds_nobody_up() {
    let folder = folder();
    let folder = folder.path();
    output(folder, "plan spec.toml --shards 2 -o job");
    let pipe = |path: &Path| assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
    pipe(&folder.join("job/part-0.safetensors"));
    fs::create_dir(folder.join("job/part-1.safetensors")).unwrap();
    let status = String::from_utf8(run(folder, "status job", &[]).stdout).unwrap();
    for (shard, what) in [(0, "a pipe"), (1, "a folder")] {
        let damaged = format!("damaged: {shard}, which could not be read: it is {what}");
        assert!(status.contains(&damaged), "{status}");
    }
    fs::remove_file(folder.join("job/manifest.json")).unwrap();
    pipe(&folder.join("job/manifest.json"));
    assert!(error(folder, "status job", 2).contains("manifest.json: could not be read: it is a pipe"));
}

#[test]
fn nothing_is_said_where_quiet_is_asked_for() {
    let folder = folder();
    let folder = folder.path();
    for arguments in [
        "plan spec.toml --shards 2 -o job --quiet",
        "run job --quiet",
        "merge job -o table.npy --quiet",
        "eval spec.toml -o table.csv --quiet",
    ] {
        let output = run(folder, arguments, &[]);
        assert!(output.status.success() && output.stdout.is_empty() && output.stderr.is_empty(), "{output:?}");
    }
    let json: serde_json::Value =
        serde_json::from_str(&output(folder, "eval spec.toml -o table.npy --force --json")).unwrap();
    for key in ["rows", "bytes", "seconds", "backend", "checksum", "companions"] {
        assert!(!json[key].is_null(), "{key}: {json}");
    }
}
