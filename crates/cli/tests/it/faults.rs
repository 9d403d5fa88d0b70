//! What goes wrong while a table is written: no fault leaves a wrong file, and each says what happened.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test's helpers may fail as tests do")]

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

const SLOW: &str = r#"
schedule = { kind = "cosine", start = "$peak", end = 1e-6, steps = 1000 }
sweep.parameters.peak = { min = 1e-4, max = 1e-2, count = 1_000_000 }
"#;

/// A folder with a spec whose table takes the reference minutes.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("slow.toml"), SLOW).unwrap();
    fs::create_dir(folder.path().join("out")).unwrap();
    folder
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn lrgrid(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lrgrid"));
    command.current_dir(folder).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Starts the slow table, and returns when something is being written.
fn start_slow(folder: &Path, output: &str) -> Child {
    let child = lrgrid(folder)
        .args(["eval", "slow.toml", "--backend", "reference", "--memory", "4MiB", "-o", output])
        .spawn()
        .unwrap();
    let started = Instant::now();
    while !names(&folder.join("out")).iter().any(|name| name.starts_with(".lrgrid-")) {
        assert!(started.elapsed() < Duration::from_secs(60), "nothing is written");
        sleep(Duration::from_millis(5));
    }
    child
}

fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
}

fn message(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.starts_with("error: ") && text.trim_end().lines().count() == 1, "{text}");
    text
}

#[test]
fn signals_stop_the_work_and_leave_nothing() {
    let folder = folder();
    for (name, number) in [("-INT", 2), ("-TERM", 15)] {
        for output in ["out/table.npy", "out/table.csv", "out/table.safetensors"] {
            let child = start_slow(folder.path(), output);
            signal(&child, name);
            let output = child.wait_with_output().unwrap();
            assert_eq!(output.status.signal(), Some(number), "{output:?}");
            let text = message(&output);
            // How far the table came, where the machine is fast enough to say so in time.
            let (far, soon) = ("of 1000000000 values had been written", "no unfinished file is left behind");
            assert!(text.contains("interrupted") && (text.contains(far) || text.contains(soon)), "{text}");
            assert!(names(&folder.path().join("out")).is_empty());
        }
    }
}

#[test]
fn a_second_signal_does_not_wait() {
    let folder = folder();
    let child = start_slow(folder.path(), "out/table.npy");
    signal(&child, "-INT");
    signal(&child, "-INT");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.signal(), Some(2), "{output:?}");
    assert!(names(&folder.path().join("out")).is_empty());
}

#[test]
fn what_a_killed_run_left_is_removed_by_the_next() {
    let folder = folder();
    let mut child = start_slow(folder.path(), "out/table.npy");
    child.kill().unwrap();
    assert_eq!(child.wait().unwrap().signal(), Some(9));
    let left = names(&folder.path().join("out"));
    assert!(!left.is_empty() && left.iter().all(|name| name.starts_with(".lrgrid-")), "{left:?}");
    // Another that is still at work keeps its file.
    let other = start_slow(folder.path(), "out/other.npy");
    sleep(Duration::from_millis(200));
    let status =
        lrgrid(folder.path()).args(["eval", "slow.toml", "--at", "0", "-o", "out/table.npy"]).status().unwrap();
    assert!(status.success());
    let found = names(&folder.path().join("out"));
    assert!(found.iter().all(|name| !left.contains(name)) && found.contains(&"table.npy".to_owned()), "{found:?}");
    assert!(found.iter().any(|name| name.starts_with(".lrgrid-")), "{found:?}");
    signal(&other, "-TERM");
    other.wait_with_output().unwrap();
    assert_eq!(names(&folder.path().join("out")), ["table.npy", "table.parameters.csv"]);
}

#[test]
fn an_existing_table_stays_unless_told_otherwise() {
    let folder = folder();
    let path = folder.path().join("out/table.csv");
    fs::write(&path, "old").unwrap();
    let run = |extra: &[&str]| {
        let arguments = [&["eval", "slow.toml", "--at", "0", "--shard", "0/1000000", "-o", "out/table.csv"], extra];
        lrgrid(folder.path()).args(arguments.concat()).output().unwrap()
    };
    let output = run(&[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(message(&output).contains("is there already: replace it with --force"), "{output:?}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "old");
    assert!(run(&["--force"]).status.success());
    assert_eq!(fs::read_to_string(&path).unwrap(), "schedule,peak,step,lr\n0,0.0001,0,0.0001\n");
    // A companion of another table is as good as the table.
    fs::write(folder.path().join("out/t.momentum.npy"), "old").unwrap();
    let output = lrgrid(folder.path()).args(["eval", "slow.toml", "--at", "0", "-o", "out/t.npy"]).output().unwrap();
    assert!(message(&output).contains("t.momentum.npy"), "{output:?}");
    assert_eq!(names(&folder.path().join("out")), ["t.momentum.npy", "table.csv"]);
}

/// Runs a script in a file system of its own on `out`, mounted with some options; nothing where that is not allowed.
fn mounted(folder: &Path, options: &str, script: &str) -> Option<Output> {
    let script = format!("mount -t tmpfs -o {options} none out && touch .mounted && {script}");
    // As root in its own right, or as one in a namespace of its own.
    for unshare in [&["-m"][..], &["-rm"]] {
        let mut command = Command::new("unshare");
        command.args(unshare).args(["sh", "-c", &script]).env("LRGRID", env!("CARGO_BIN_EXE_lrgrid"));
        let Ok(output) = command.current_dir(folder).output() else { continue };
        if folder.join(".mounted").exists() {
            return Some(output);
        }
    }
    let required = std::env::var_os("LRGRID_REQUIRE_MOUNT").is_some_and(|value| value == "1");
    assert!(!required, "LRGRID_REQUIRE_MOUNT=1, but a tmpfs cannot be mounted here");
    eprintln!("skipped: a tmpfs cannot be mounted here");
    None
}

#[test]
fn a_full_disk_leaves_nothing() {
    let folder = folder();
    let script = |output: &str, steps: &str| {
        format!("\"$LRGRID\" eval slow.toml --shard 0/1000 --steps 0..{steps} -o out/{output}; echo $?; ls -A out")
    };
    // Too large to begin with: 1000 × 1000 × 4 bytes on a megabyte.
    let Some(output) = mounted(folder.path(), "size=1m", &script("table.npy", "1000")) else { return };
    assert!(message(&output).contains("has room for"), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "1\n");
    // As text, its size is known only on the way.
    let output = mounted(folder.path(), "size=1m", &script("table.csv", "150")).unwrap();
    let text = message(&output);
    assert!(text.contains("No space left on device") && text.contains(" of 150000 values had been written"), "{text}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "1\n");
    #[cfg(feature = "arrow")]
    {
        let output = mounted(folder.path(), "size=16k", &script("table.parquet", "500")).unwrap();
        assert!(message(&output).contains("No space left on device"), "{output:?}");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "1\n");
    }
}

#[test]
fn a_folder_that_cannot_be_written_to_is_an_error() {
    let folder = folder();
    let script = "\"$LRGRID\" eval slow.toml --at 0 -o out/table.npy; echo $?; ls -A out";
    if let Some(output) = mounted(folder.path(), "ro", script) {
        let text = message(&output);
        assert!(text.contains("out/table.npy") && text.to_lowercase().contains("read-only"), "{text}");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "1\n");
    }
}

#[test]
fn a_limit_on_the_size_of_files_is_an_error_too() {
    let folder = folder();
    // In blocks of 512 or 1024 bytes, as the shell likes it.
    let script =
        "ulimit -f 200; exec \"$LRGRID\" eval slow.toml --shard 0/1000 --at 0,1,2,3,4,5,6,7,8,9 -o out/table.csv";
    let mut command = Command::new("sh");
    command.args(["-c", script]).env("LRGRID", env!("CARGO_BIN_EXE_lrgrid")).current_dir(folder.path());
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(message(&output).contains("File too large"), "{output:?}");
    assert!(names(&folder.path().join("out")).is_empty());
}

/// The largest resident size that a child had, in bytes.
#[cfg(target_os = "linux")]
fn peak(mut child: Child) -> u64 {
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        if let Ok(text) = fs::read_to_string(&status) {
            let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            peak = line.map_or(peak, |line| line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10);
        }
        sleep(Duration::from_millis(2));
    }
    assert!(child.wait().unwrap().success());
    peak
}

#[cfg(target_os = "linux")]
#[test]
fn memory_stays_under_the_bound_whatever_the_table() {
    let folder = folder();
    // A quarter of a gigabyte in long rows, in either order, and a million schedules of a few steps.
    for (name, arguments) in [
        ("table.npy", &["--shard", "0/1000", "--steps", "0..65_536"][..]),
        ("turned.npy", &["--shard", "0/1000", "--steps", "0..65_536", "--layout", "step"]),
        ("short.safetensors", &["--steps", "0..16", "--layout", "step"]),
        ("short.csv", &["--steps", "0..2"]),
        #[cfg(feature = "arrow")]
        ("table.parquet", &["--shard", "0/1000", "--steps", "0..8_192", "--rows", "schedule"]),
        #[cfg(feature = "arrow")]
        ("long.parquet", &["--shard", "0/1000", "--steps", "0..8_192"]),
    ] {
        let output = format!("out/{name}");
        let child = lrgrid(folder.path())
            .args(["eval", "slow.toml", "--memory", "64MiB", "-o", &output])
            .args(arguments)
            .spawn()
            .unwrap();
        let peak = peak(child);
        println!("{name}: {} MiB", peak >> 20);
        assert!(peak > 0 && peak < 64 << 20, "{name}: {peak} bytes");
        fs::remove_file(folder.path().join(output)).unwrap();
    }
}

/// A sweep of schedules that take thousands of segments, each with a timing of its own.
#[cfg(target_os = "linux")]
const RESTARTS: &str = r#"
schedule = { kind = "cosine_restarts", max = "$p", min = 1e-6, period = "$n", multiplier = 1.01, decay = 0.99 }
steps = 100_000
sweep.parameters.p = { min = 1e-4, max = 1e-2, count = 100 }
sweep.parameters.n = { min = 1, max = 300 }
"#;

#[cfg(target_os = "linux")]
#[test]
fn memory_is_counted_in_bytes_and_not_in_schedules() {
    let folder = folder();
    fs::write(folder.path().join("restarts.toml"), RESTARTS).unwrap();
    let points: Vec<String> =
        (0..4000).map(|step| format!("[{step}, {}]", 1e-3 + f64::from(step % 7) * 1e-4)).collect();
    let points = format!(
        "schedule = {{ kind = 'piecewise_linear', points = [{}, [4000, '$last']] }}\nsteps = 4001\n\
         sweep.parameters.last = {{ min = 1e-5, max = 1e-3, count = 20_000 }}",
        points.join(", ")
    );
    fs::write(folder.path().join("points.toml"), points).unwrap();
    for name in ["restarts.toml", "points.toml"] {
        for (arguments, most) in [
            ("eval --memory 64MiB --shard 3/50 --at 0,7 -o out/table.npy", 64),
            ("eval --memory 64MiB --shard 3/50 --at 0,7 --layout step -o out/table.safetensors", 64),
            ("stats --shard 3/100 --at 0,1000", 128),
            ("describe --schedule 17", 128),
            ("plot -o out/picture.svg", 128),
            ("plot -o out/page.html", 128),
        ] {
            let (command, rest) = arguments.split_once(' ').unwrap();
            let child = lrgrid(folder.path())
                .args([command, name])
                .args(rest.split(' '))
                .stdout(Stdio::null())
                .stderr(Stdio::inherit())
                .spawn()
                .unwrap();
            let peak = peak(child);
            println!("{command} {name} {rest}: {} MiB", peak >> 20);
            assert!(peak > 0 && peak < most << 20, "{command} {name} {rest}: {peak} bytes");
            fs::remove_dir_all(folder.path().join("out")).unwrap();
            fs::create_dir(folder.path().join("out")).unwrap();
        }
    }
}
