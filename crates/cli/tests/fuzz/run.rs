//! A run of a target: every input is made from the seed and its number, so a finding is made again by both.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fs;
use std::panic::{self, AssertUnwindSafe};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Once};
use std::thread;
use std::time::{Duration, Instant};

use super::random::Random;

/// No input may take as long, on however busy a machine.
const HANG: Duration = Duration::from_secs(60);

/// No input of a few kilobytes may need as much memory, in bytes, and those of the other targets beside it.
const MOST_MEMORY: usize = 1 << 27;

/// How many times more an exhaustive run executes.
const EXHAUSTIVE: u64 = 50;

/// Findings after which a run ends.
const MOST_FINDINGS: usize = 12;

/// Executions that a finding is made smaller with.
const SHRINKS: usize = 2000;

#[global_allocator]
static ALLOCATOR: peak_alloc::PeakAlloc = peak_alloc::PeakAlloc;

thread_local! {
    /// Where the last panic of this thread was, and what it said.
    static PANIC: RefCell<(String, String)> = const { RefCell::new((String::new(), String::new())) };
    /// Whether panics of this thread are caught and kept.
    static CAUGHT: Cell<bool> = const { Cell::new(false) };
}

/// What a run did.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    pub executed: u64,
    pub accepted: u64,
    /// The longest time and the most memory that an input took, and which one that was.
    slowest: (Duration, u64),
    most_memory: (usize, u64),
    findings: BTreeMap<String, String>,
}

/// The seed of all runs: `LRGRID_SEED`, or always the same.
fn seed() -> u64 {
    std::env::var("LRGRID_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_124)
}

/// `LRGRID_FUZZ_RUNS` executions, or as many as fit into an ordinary or an exhaustive run.
fn runs(ordinary: u64) -> u64 {
    let set = std::env::var("LRGRID_FUZZ_RUNS").ok().and_then(|runs| runs.parse().ok());
    let factor = if std::env::var_os("LRGRID_EXHAUSTIVE").is_some() { EXHAUSTIVE } else { 1 };
    set.unwrap_or(ordinary * factor)
}

/// Runs a target on inputs that `make` makes, and fails with the inputs that it does not stand.
pub fn fuzz(
    name: &'static str,
    ordinary: u64,
    target: fn(&[u8]) -> bool,
    make: impl Fn(&mut Random) -> Vec<u8> + Send + Sync + 'static,
) -> Tally {
    keep_panics();
    let (seed, runs, make) = (seed(), runs(ordinary), Arc::new(make));
    let (sender, receiver) = mpsc::channel();
    let (at, making) = (Arc::new(AtomicU64::new(0)), Arc::clone(&make));
    let counter = Arc::clone(&at);
    let worker = thread::spawn(move || {
        CAUGHT.set(true);
        let mut tally = Tally::default();
        for index in 0..runs {
            counter.store(index, Ordering::Relaxed);
            let input = making(&mut Random::at(seed, name, index));
            execute(&mut tally, name, seed, index, target, input);
            if tally.findings.len() == MOST_FINDINGS {
                break;
            }
        }
        // Nobody listens to a run that hung.
        let _ = sender.send(tally);
    });
    let mut last = (0, Instant::now());
    let tally = loop {
        match receiver.recv_timeout(Duration::from_secs(1)) {
            Ok(tally) => break tally,
            Err(RecvTimeoutError::Disconnected) => panic!("{name}: the run itself panicked"),
            Err(RecvTimeoutError::Timeout) => {
                let index = at.load(Ordering::Relaxed);
                if index != last.0 {
                    last = (index, Instant::now());
                }
                if last.1.elapsed() > HANG {
                    let file = keep(name, index, &make(&mut Random::at(seed, name, index)));
                    panic!("{name}: LRGRID_SEED={seed}: input {index} hangs: {}", file.display());
                }
            }
        }
    };
    // Its folder is removed as it ends.
    worker.join().unwrap();
    let Tally { executed, accepted, slowest, most_memory, .. } = &tally;
    println!(
        "{name}: LRGRID_SEED={seed}, {executed} executions, {accepted} accepted; the slowest, input {}, took {:?}, and \
         input {} {} KiB of memory",
        slowest.1,
        slowest.0,
        most_memory.1,
        most_memory.0 >> 10
    );
    let findings: Vec<&str> = tally.findings.values().map(String::as_str).collect();
    assert!(findings.is_empty(), "{} findings:\n{}", findings.len(), findings.join("\n"));
    tally
}

/// One input: what comes of it goes into the tally.
fn execute(tally: &mut Tally, name: &str, seed: u64, index: u64, target: fn(&[u8]) -> bool, input: Vec<u8>) {
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    let started = Instant::now();
    let outcome = run(target, &input);
    tally.slowest = tally.slowest.max((started.elapsed(), index));
    let memory = ALLOCATOR.peak_usage().saturating_sub(before);
    tally.most_memory = tally.most_memory.max((memory, index));
    tally.executed += 1;
    match outcome {
        Ok(accepted) => tally.accepted += u64::from(accepted),
        Err((place, message)) if !tally.findings.contains_key(&place) => {
            let small = shrink(target, &place, input.clone());
            let file = keep(name, index, &small);
            let text = String::from_utf8_lossy(&small);
            let told: String = text.chars().take(600).collect();
            let finding =
                format!("LRGRID_SEED={seed}, input {index} at {place}: {message}\n{}: {told:?}", file.display());
            eprintln!("{name}: {finding}");
            tally.findings.insert(place, finding);
        }
        Err(_) => {}
    }
    if memory > MOST_MEMORY && !tally.findings.contains_key("memory") {
        let file = keep(name, index, &input);
        let finding = format!("LRGRID_SEED={seed}, input {index} needs {memory} bytes of memory: {}", file.display());
        tally.findings.insert("memory".to_owned(), finding);
    }
}

/// Whether the input was accepted, or where the target panicked and why.
fn run(target: fn(&[u8]) -> bool, input: &[u8]) -> Result<bool, (String, String)> {
    panic::catch_unwind(AssertUnwindSafe(|| target(input))).map_err(|_| PANIC.take())
}

/// Has panics of the runs' threads noted instead of printed.
fn keep_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !CAUGHT.get() {
                return before(info);
            }
            let place = info.location().map(ToString::to_string).unwrap_or_default();
            PANIC.set((place, message(info.payload())));
        }));
    });
}

/// A smaller input that panics at the same place.
fn shrink(target: fn(&[u8]) -> bool, place: &str, mut input: Vec<u8>) -> Vec<u8> {
    let (mut left, mut size) = (SHRINKS, input.len().div_ceil(2));
    while size > 0 {
        let mut at = 0;
        while at < input.len() && left > 0 {
            left -= 1;
            let mut shorter = input.clone();
            shorter.drain(at..(at + size).min(input.len()));
            match run(target, &shorter) {
                Err((found, _)) if found == place => input = shorter,
                _ => at += size,
            }
        }
        size /= 2;
    }
    input
}

/// Keeps an input in a file of its own.
fn keep(name: &str, index: u64, input: &[u8]) -> PathBuf {
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("fuzz-{name}-{index}"));
    fs::write(&file, input).unwrap();
    file
}

/// What a panic says.
fn message(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or_default().to_owned()
}
