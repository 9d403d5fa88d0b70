//! Signals at random moments: every command ends soon after one, and leaves whole files or none.
//!
//! 20 signals by default, 500 with `LRGRID_EXHAUSTIVE=1`; `LRGRID_SEED=n` repeats the moments of a run.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test's helpers may fail as tests do")]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use lrgrid_testkit::Random;

/// What the README promises.
const PROMISED: Duration = Duration::from_secs(2);

/// What the test allows: other tests run meanwhile, and a machine may have fewer processors than threads that want one.
const ALLOWED: Duration = Duration::from_secs(10);

/// A sweep that takes seconds to compile, and one whose table takes about one to evaluate and to write.
const LARGE: &str = r#"
schedule = { kind = "cosine_restarts", max = "$p", min = 1e-6, period = "$n", multiplier = 1.01, decay = 0.99 }
steps = 100_000
sweep.parameters.p = { min = 1e-4, max = 1e-2, count = 100 }
sweep.parameters.n = { min = 1, max = 300 }
"#;
const SMALL: &str = r#"
schedule = { kind = "cosine", start = "$peak", end = 1e-6, steps = "$steps" }
momentum = { kind = "linear", start = 0.85, end = 0.95, steps = 500 }
sweep.method = "random"
sweep.count = 1000
sweep.seed = 1
sweep.parameters.peak = { min = 1e-4, max = 1e-2 }
sweep.parameters.steps = { min = 100, max = 1000 }
steps = 1000
"#;

/// Command lines, with the exit statuses of a run that comes to its end; files go into `out`.
const COMMANDS: &[(&str, &[i32])] = &[
    ("eval large.toml --memory 64MiB -o out/table.npy", &[0]),
    ("eval large.toml --memory 64MiB -o out/table.csv", &[0]),
    ("eval large.toml --memory 64MiB -o out/table.safetensors --layout step", &[0]),
    ("eval large.toml", &[0]),
    ("eval small.toml -o out/table.npy", &[0]),
    ("eval small.toml -o out/table.csv", &[0]),
    ("eval small.toml -o out/table.safetensors", &[0]),
    #[cfg(feature = "arrow")]
    ("eval small.toml -o out/table.parquet", &[0]),
    #[cfg(feature = "arrow")]
    ("eval small.toml -o out/table.arrow --rows schedule", &[0]),
    ("eval small.toml", &[0]),
    ("stats large.toml", &[0]),
    ("stats small.toml --json", &[0]),
    ("describe large.toml --schedule 29999", &[0]),
    ("plot large.toml -o out/picture.svg", &[0]),
    ("plot small.toml -o out/page.html", &[0]),
    ("plot large.toml", &[0]),
    ("check small.toml --backend cpu", &[0, 1]),
    ("sweep large.toml --list", &[0]),
    ("wgsl small.toml -o out/lr.wgsl --block out/block.bin", &[0]),
    ("plan small.toml --shards 4 -o out/job", &[0]),
    ("run job --quiet", &[0]),
    ("merge job -o out/merged.npy", &[0, 1]),
    ("fit log.csv -o out/found.toml", &[0, 1]),
    ("compare small.toml log.csv", &[0, 1]),
    ("bench --quick --backend cpu --filter linear/long --json out/bench.json", &[0]),
];

fn lrgrid(folder: &Path, arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lrgrid"));
    command.current_dir(folder).args(arguments.split(' ')).stdin(Stdio::null());
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// The files under a folder with their bytes.
fn files(folder: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        match entry.file_type().unwrap().is_dir() {
            true => files(&entry.path(), found),
            false => {
                found.insert(entry.path().display().to_string(), fs::read(entry.path()).unwrap());
            }
        }
    }
}

/// A folder with the specs, a log and a job whose shards are half made.
fn prepared() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("large.toml"), LARGE).unwrap();
    fs::write(folder.path().join("small.toml"), SMALL).unwrap();
    let run = |arguments: &str| assert!(lrgrid(folder.path(), arguments).status().unwrap().success(), "{arguments}");
    fs::create_dir(folder.path().join("out")).unwrap();
    run("eval small.toml --shard 0/1000 -o log.csv");
    run("plan small.toml --shards 4 -o job");
    run("run job --shard 0/4 --quiet");
    folder
}

/// Runs a command in a folder of its own and sends it a signal after a while. How long it then took to end.
fn interrupted(arguments: &str, ordinary: &[i32], (name, number): (&str, i32), after: Duration) -> Duration {
    let folder = prepared();
    // Merging needs all parts, and running only some of them.
    if arguments.starts_with("merge") {
        assert!(lrgrid(folder.path(), "run job --quiet").status().unwrap().success());
    }
    let mut child = lrgrid(folder.path(), arguments).spawn().unwrap();
    sleep(after);
    let sent = Instant::now();
    assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
    let status = child.wait().unwrap();
    let took = sent.elapsed();
    let what = format!("{arguments}, {name} after {after:?}");
    assert!(took < ALLOWED, "{what}: ended after {took:?}");
    match status.code() {
        None => assert_eq!(status.signal(), Some(number), "{what}"),
        Some(code) => assert!(ordinary.contains(&code), "{what}: exit status {code}"),
    }
    check(&folder, arguments, &what);
    took
}

/// Every file that is there is what an undisturbed run writes, and no other is.
fn check(folder: &tempfile::TempDir, arguments: &str, what: &str) {
    let mut left = BTreeMap::new();
    files(&folder.path().join("out"), &mut left);
    assert!(left.keys().all(|name| !name.contains(".lrgrid-")), "{what} left {:?}", left.keys());
    if arguments.starts_with("run") {
        // Parts prove themselves, and what is missing can be made.
        assert!(lrgrid(folder.path(), "run job --quiet").status().unwrap().success(), "{what}");
        assert!(lrgrid(folder.path(), "status job --quiet").status().unwrap().success(), "{what}");
    }
    // Measurements differ from run to run, and name their moment.
    if left.is_empty() || arguments.starts_with("bench") {
        return left.values().for_each(|bytes| drop(serde_json::from_slice::<serde_json::Value>(bytes).unwrap()));
    }
    fs::remove_dir_all(folder.path().join("out")).unwrap();
    fs::create_dir(folder.path().join("out")).unwrap();
    lrgrid(folder.path(), arguments).status().unwrap();
    let mut whole = BTreeMap::new();
    files(&folder.path().join("out"), &mut whole);
    // A table and its companions appear together; a shader and its block, one after another.
    if !arguments.starts_with("wgsl") {
        assert!(left.keys().eq(whole.keys()), "{what} left {:?} of {:?}", left.keys(), whole.keys());
    }
    for (name, bytes) in &left {
        assert!(whole.get(name) == Some(bytes), "{what}: {name} is not whole");
    }
}

#[test]
fn every_command_ends_soon_after_a_signal_and_leaves_nothing_half_written() {
    let exhaustive = std::env::var_os("LRGRID_EXHAUSTIVE").is_some_and(|value| value == "1");
    let seed = std::env::var("LRGRID_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_201);
    println!("LRGRID_SEED={seed}");
    let (count, mut random) = (if exhaustive { 500 } else { 20 }, Random::of(seed));
    let start = random.bits() as usize;
    let mut worst = (Duration::ZERO, "");
    let mut late = 0;
    for index in 0..count {
        let (arguments, ordinary) = COMMANDS[(start + index) % COMMANDS.len()];
        let signal = if random.bits() & 1 == 0 { ("-INT", 2) } else { ("-TERM", 15) };
        // From a hundredth of a second to two: starting, compiling, evaluating, writing, naming.
        let after = Duration::from_secs_f64(0.01 * 200_f64.powf(random.unit()));
        let took = interrupted(arguments, ordinary, signal, after);
        worst = worst.max((took, arguments));
        late += usize::from(took > PROMISED);
    }
    println!("{count} signals, {late} of them took longer than {PROMISED:?}; the worst, {:?}: {}", worst.0, worst.1);
}

#[test]
fn a_command_that_cannot_write_ends_too() {
    let folder = prepared();
    // Standard output is a pipe that nobody reads.
    let mut child = lrgrid(folder.path(), "eval large.toml").stdout(Stdio::piped()).spawn().unwrap();
    sleep(Duration::from_secs(1));
    let sent = Instant::now();
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().signal(), Some(15));
    assert!(sent.elapsed() < ALLOWED, "{:?}", sent.elapsed());
}

#[test]
fn a_pipe_that_nobody_writes_to_is_not_waited_for() {
    let folder = prepared();
    let pipe = |name: &str| assert!(Command::new("mkfifo").arg(folder.path().join(name)).status().unwrap().success());
    pipe("spec.toml");
    pipe("sweep.json");
    fs::remove_file(folder.path().join("job/part-0.safetensors")).unwrap();
    pipe("job/part-0.safetensors");
    let run = |arguments: &str| {
        let started = Instant::now();
        let output = lrgrid(folder.path(), arguments).stderr(Stdio::piped()).output().unwrap();
        assert!(started.elapsed() < ALLOWED, "{arguments}: {:?}", started.elapsed());
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    for arguments in ["eval spec.toml", "describe small.toml --sweep sweep.json", "plot spec.toml"] {
        let (code, said) = run(arguments);
        assert!(code == Some(2) && said.contains("no regular file"), "{arguments}: {code:?} {said}");
    }
    assert_eq!(run("status job --quiet").0, Some(1));
}

#[test]
fn a_file_that_the_shell_opens_is_read() {
    let folder = prepared();
    let script = "exec \"$LRGRID\" describe <(printf 'schedule = { kind = \"constant\", value = 0.25 }\\nsteps = 3')";
    let mut command = Command::new("bash");
    command.args(["-c", script]).env("LRGRID", env!("CARGO_BIN_EXE_lrgrid")).current_dir(folder.path());
    let Ok(output) = command.output() else { return eprintln!("skipped: there is no bash here") };
    assert!(output.status.success(), "{output:?}");
    assert!(String::from_utf8(output.stdout).unwrap().contains("0.25"));
    let script = "exec \"$LRGRID\" describe <(yes)";
    let mut command = Command::new("bash");
    command.args(["-c", script]).env("LRGRID", env!("CARGO_BIN_EXE_lrgrid")).current_dir(folder.path());
    let output = command.output().unwrap();
    assert!(String::from_utf8(output.stderr).unwrap().contains("more than 16777216 bytes"));
}
