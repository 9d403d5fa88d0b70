//! Short runs of the fuzzers of `fuzz/` on stable Rust, the same inputs every time: whatever stands in a file, reading it
//! neither panics nor hangs nor takes memory without bound.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test's helpers may fail as tests do")]

mod random;
mod run;
mod seeds;
#[path = "../../../../fuzz/targets/mod.rs"]
mod targets;
mod text;
mod tree;

use std::sync::LazyLock;

use random::Random;
use run::{Tally, fuzz};
use targets::{SWEPT, TARGETS, manifest_seed};
use text::Texts;
use tree::{Trees, to_toml};

/// The least share of the inputs of specs that must be specs: the rest of the reader is reached by those only.
const LEAST_PARSED: f64 = 0.3;

static SPECS: LazyLock<Trees> = LazyLock::new(|| Trees::new(seeds::specs()));

/// Every how many documents are changed as texts, too.
const TEXT_CHANGES: usize = 4;

fn run(name: &'static str, ordinary: u64, make: impl Fn(&mut Random) -> Vec<u8> + Send + Sync + 'static) -> Tally {
    let target = TARGETS.iter().find(|target| target.name == name).unwrap();
    fuzz(name, ordinary, target.run, make)
}

/// Documents of a kind, written in a language, some of them changed as texts.
fn written(
    trees: &'static LazyLock<Trees>,
    texts: Texts,
    write: fn(serde_json::Value) -> String,
) -> impl Fn(&mut Random) -> Vec<u8> + Send + Sync + 'static {
    move |random| {
        if random.one_in(3 * TEXT_CHANGES) {
            return texts.input(random);
        }
        let mut bytes = write(trees.document(random)).into_bytes();
        if random.one_in(TEXT_CHANGES) {
            texts.change(&mut bytes, random);
        }
        bytes
    }
}

fn check_parsed(tally: &Tally) {
    let share = tally.accepted as f64 / tally.executed as f64;
    println!("{:.1} % are specs", 100.0 * share);
    assert!(share >= LEAST_PARSED, "only {share} of the texts are specs");
}

/// Makes an input.
type Maker = Box<dyn Fn(&mut Random) -> Vec<u8> + Send + Sync>;

#[test]
fn specs_in_toml() {
    let seeds = [seeds::files("examples", &["toml"]), seeds::files("fuzz/seeds/spec_toml", &[])].concat();
    check_parsed(&run("spec_toml", 60_000, written(&SPECS, Texts::new(seeds, seeds::words()), to_toml)));
}

#[test]
fn specs_in_json() {
    let seeds = [seeds::files("examples", &["json"]), seeds::files("fuzz/seeds/spec_json", &[])].concat();
    let write = |document: serde_json::Value| document.to_string();
    check_parsed(&run("spec_json", 60_000, written(&SPECS, Texts::new(seeds, seeds::words()), write)));
}

#[test]
fn sweeps() {
    static SWEEPS: LazyLock<Trees> = LazyLock::new(|| Trees::new(seeds::sweeps()));
    let texts = |ending| Texts::new(seeds::files("fuzz/seeds/sweep", &[ending]), seeds::words());
    let write = |document: serde_json::Value| document.to_string();
    // Every JSON text is YAML, too.
    let makers: [Maker; 3] = [
        Box::new(written(&SWEEPS, texts("yaml"), write)),
        Box::new(written(&SWEEPS, texts("json"), write)),
        Box::new(written(&SWEEPS, texts("toml"), to_toml)),
    ];
    let tally = run("sweep", 40_000, move |random| {
        let ending = random.below(makers.len());
        [vec![ending as u8], makers[ending](random)].concat()
    });
    assert!(tally.accepted > tally.executed / 10, "only {} of {SWEPT} were read", tally.accepted);
}

#[test]
fn logs() {
    let texts = Texts::new(seeds::files("fuzz/seeds/log", &[]), seeds::words());
    let tally = run("log", 80_000, move |random| texts.input(random));
    assert!(tally.accepted > tally.executed / 20, "only {} were read", tally.accepted);
}

#[test]
fn numpy_tables() {
    let texts = Texts::new(seeds::files("fuzz/seeds/npy", &[]), seeds::words());
    let tally = run("npy", 80_000, move |random| texts.input(random));
    assert!(tally.accepted > tally.executed / 50, "only {} were read", tally.accepted);
}

#[test]
fn manifests() {
    static MANIFESTS: LazyLock<Trees> =
        LazyLock::new(|| Trees::new(vec![serde_json::from_str(&manifest_seed()).unwrap()]));
    let texts = Texts::new(vec![manifest_seed().into_bytes()], seeds::words());
    let tally = run("manifest", 20_000, written(&MANIFESTS, texts, |document| document.to_string()));
    assert!(tally.accepted > tally.executed / 20, "only {} were read", tally.accepted);
}

#[test]
fn parts() {
    let tally = run("part", 20_000, |random| random.bytes(80));
    assert!((1..tally.executed / 2).contains(&tally.accepted), "{} parts were found whole", tally.accepted);
}

#[test]
fn programs() {
    let tally = run("program", 40_000, |random| random.bytes(600));
    assert!(tally.accepted > tally.executed / 2, "only {} were packed", tally.accepted);
}

#[test]
fn schedules() {
    let tally = run("schedules", 2000, |random| random.bytes(400));
    assert!(tally.accepted > tally.executed / 2, "only {} were evaluated", tally.accepted);
}
