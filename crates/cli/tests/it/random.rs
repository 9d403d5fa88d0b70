//! Random specs over the whole catalogue on every backend, as `lrgrid check --random` draws them.
//!
//! `LRGRID_SEED` is the seed, `LRGRID_RANDOM_SPECS` how many; `LRGRID_EXHAUSTIVE=1` draws many more.
#![expect(clippy::unwrap_used, reason = "a test's helpers may fail as tests do")]

use lrgrid::{Backend, Spec};
use lrgrid_cli::check::{Options, random};

fn seed() -> u64 {
    std::env::var("LRGRID_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_130)
}

/// How many specs: as many as asked for, or so many in a short and in a long run.
fn specs(short: u64, long: u64) -> u64 {
    let wanted = std::env::var("LRGRID_RANDOM_SPECS").ok().and_then(|specs| specs.parse().ok());
    let exhaustive = std::env::var_os("LRGRID_EXHAUSTIVE").is_some_and(|value| value == "1");
    wanted.unwrap_or(if exhaustive { long } else { short })
}

#[test]
fn the_cpu_and_the_lowered_form_are_within_their_bounds() {
    within_bounds(Backend::Cpu, specs(1000, 50_000));
}

/// A software adapter takes half a second for each spec.
#[cfg(feature = "gpu")]
#[test]
fn the_gpu_is_within_its_bounds() {
    if let Err(error) = lrgrid::Gpu::new() {
        assert!(std::env::var_os("LRGRID_REQUIRE_GPU").is_none_or(|value| value != "1"), "{error}");
        eprintln!("skipped: {error}");
        return;
    }
    within_bounds(Backend::Gpu, specs(20, 1000));
}

fn within_bounds(backend: Backend, specs: u64) {
    let seed = seed();
    println!("LRGRID_SEED={seed} LRGRID_RANDOM_SPECS={specs}");
    let report = random::check(0..specs, &Options { backend, seed, ..Options::default() }).unwrap();
    for finding in &report.findings {
        let (number, step) = finding.at;
        println!(
            "{} {}: {} values, worst {} at spec {number}, step {step}",
            finding.backend,
            finding.dtype.name(),
            finding.values,
            finding.worst
        );
        assert!(finding.values > 20 * report.evaluated, "{finding:?}");
    }
    let shown: Vec<String> = report
        .breaches
        .iter()
        .map(|breach| match &breach.smaller {
            Some((document, wrong)) => format!("spec {}: {wrong:?}\n  {document}", breach.number),
            None => format!("spec {}: {:?}\n  {}", breach.number, breach.wrong, breach.document),
        })
        .collect();
    assert!(!report.is_breached(), "{} specs of seed {seed}:\n{}", report.breached, shown.join("\n"));
    assert!(report.evaluated * 10 >= report.specs * 9, "too many refused: {:?}", report.refused);
}

#[test]
fn the_default_number_of_specs_has_every_kind_and_form() {
    let seed = seed();
    println!("LRGRID_SEED={seed}");
    let drawn = random::drawn(0..random::DEFAULT_SPECS, seed);
    let missing: Vec<&str> = drawn.iter().filter(|count| count.drawn == 0).map(|count| &*count.name).collect();
    assert!(missing.is_empty(), "never drawn: {missing:?}");
    let kinds = drawn.iter().filter(|count| matches!(count.group, "schedules" | "combinators")).count();
    assert_eq!(kinds, lrgrid::schedule::KINDS.len());
    assert!(drawn.len() > 2 * kinds, "{drawn:?}");
}

#[test]
fn a_drawn_spec_is_a_file_that_check_reads() {
    let (mut refused, specs) = (0, 300);
    for number in 0..specs {
        let document = random::document(seed(), number);
        match Spec::from_json(&document.to_string()) {
            // What is read is what was drawn, to the last bit of every number.
            Ok(spec) => assert_eq!(serde_json::to_value(spec.schedule(0).unwrap()).unwrap(), document["schedule"]),
            Err(_) => refused += 1,
        }
    }
    assert!(refused * 10 < specs, "{refused} of {specs} are refused");
}
