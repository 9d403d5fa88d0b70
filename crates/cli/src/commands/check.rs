//! `lrgrid check`: compares every backend with the reference, on a spec or on random ones.

mod json;

use std::ops::Range;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::check::{Finding, Options, Report, check, random};
use clap::Args;
use serde_json::Map;

use super::Failure;
use super::arguments::{BackendArguments, number};
use super::input::{SpecChanges, SpecInput};
use super::output::{print, print_json};
use super::text::{columns, paragraph};

const EXAMPLES: &str = "\
Examples:
  lrgrid check examples/one_cycle.toml
  lrgrid check examples/sweep_peak.toml --backend gpu
  lrgrid check examples/one_cycle.toml --json
  # On random specs
  lrgrid check --random
  lrgrid check --random 10_000 --seed 7

Exit status 1 if the error of a value exceeds its bound.";

/// Compare every backend with the reference, in units in the last place.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
#[command(mut_arg("backend", |backend| backend.help("The backend to check; auto checks all, including a software adapter")))]
pub struct Check {
    /// A .toml or .json file, or - for standard input.
    #[arg(value_name = "SPEC", required_unless_present_any = ["random", "number"])]
    spec: Option<PathBuf>,
    #[command(flatten)]
    changes: SpecChanges,
    #[command(flatten)]
    backend: BackendArguments,
    /// The seed of the random steps and random specs.
    #[arg(long, value_name = "N", default_value = "1", value_parser = number)]
    seed: u64,
    /// Draw N random specs of every kind instead of reading one.
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "1000", value_parser = number)]
    #[arg(conflicts_with_all = ["spec", "SpecChanges"])]
    random: Option<u64>,
    /// Only the random spec with this number, which the report of a breach contains.
    #[arg(long, value_name = "I", value_parser = number, conflicts_with_all = ["spec", "SpecChanges", "random"])]
    number: Option<u64>,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
}

impl Check {
    /// Compares and prints.
    pub fn run(self) -> Result<ExitCode, Failure> {
        let adapter = self.backend.adapter()?.map(str::to_owned);
        let options = Options { backend: self.backend.backend, adapter, horizon: None, seed: self.seed };
        let breached = match (self.spec, self.number, self.random) {
            (Some(path), ..) => check_spec(&SpecInput::new(path, self.changes), options, self.json)?,
            (None, Some(number), _) => check_random(number..number.saturating_add(1), &options, self.json)?,
            (None, None, specs) => check_random(0..specs.unwrap_or(random::DEFAULT_SPECS), &options, self.json)?,
        };
        Ok(if breached { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}

/// The most bytes of a compiled sweep that is checked as a whole.
const MOST_BYTES: usize = 256 << 20;

/// The number of schedules of a larger sweep that are checked.
const FEW_ROWS: usize = 32;

/// Checks the learning rates and momenta of a spec, and returns whether an error exceeds its bound.
fn check_spec(input: &SpecInput, options: Options, as_json: bool) -> Result<bool, Failure> {
    let spec = input.read()?;
    let compile = |rows| spec.compile_block(rows, MOST_BYTES).map_err(|error| Failure::in_spec(&input.name(), error));
    let whole = compile(0..spec.len())?;
    // Of a sweep that does not fit, some evenly spaced rows, one after another.
    let blocks: Vec<usize> = match whole.0.len() == spec.len() {
        true => vec![0],
        false => (0..FEW_ROWS).map(|place| place * (spec.len() - 1) / (FEW_ROWS - 1)).collect(),
    };
    let mut whole = (blocks.len() == 1).then_some(whole);
    let mut reports: [Option<Report>; 2] = [None, None];
    for first in blocks {
        let (rates, momenta) = whole.take().map_or_else(|| compile(first..first + 1), Ok)?;
        let horizon = spec.table_steps_of(first..first + rates.len()).ok();
        let options = Options { horizon, ..options.clone() };
        for (report, batch) in reports.iter_mut().zip([Some(rates), momenta]) {
            let Some(batch) = batch else { continue };
            let found = check(&batch, &options)?.of_rows_from(first);
            *report = Some(report.take().map_or_else(|| found.clone(), |before| before.and(&found)));
        }
    }
    let mut breached = false;
    let mut all = Map::new();
    for (what, report) in ["lr", "momentum"].into_iter().zip(reports) {
        let Some(report) = report else { continue };
        breached |= report.is_breached();
        match as_json {
            true => drop(all.insert(what.to_owned(), json::of_spec(spec.len(), &report, options.seed))),
            false => print(&spec_text(what, spec.len(), &report, options.seed))?,
        }
    }
    if as_json {
        print_json(&all)?;
    }
    Ok(breached)
}

fn spec_text(what: &str, all: usize, report: &Report, seed: u64) -> String {
    let looked_at = report.schedules;
    let mut text =
        format!("{what}: {looked_at} of {all} schedules, seed {seed}\n{}", table("schedule", &report.findings));
    for reason in &report.skipped {
        text.push_str(&paragraph(&format!("not checked: {reason}")));
    }
    text
}

/// One line for each backend and number type; `row` names the first number of a place.
fn table(row: &str, findings: &[Finding]) -> String {
    let place = format!("worst at {row}, step");
    let mut lines =
        vec![["backend", "dtype", "values", "worst ULP", "mean ULP", &place, "bound", ""].map(str::to_owned)];
    for finding in findings {
        lines.push([
            finding.backend.clone(),
            finding.dtype.name().to_owned(),
            finding.values.to_string(),
            format!("{:.4}", finding.worst),
            format!("{:.4}", finding.mean),
            format!("{}, {}", finding.at.0, finding.at.1),
            finding.bound.to_string(),
            if finding.breaches == 0 { "ok".to_owned() } else { format!("BREACH of {} values", finding.breaches) },
        ]);
    }
    columns(&lines)
}

/// Checks the random specs of some numbers, and returns whether a backend is wrong on any.
fn check_random(numbers: Range<u64>, options: &Options, as_json: bool) -> Result<bool, Failure> {
    // A panic is reported with its spec. The smaller specs that are tried would repeat its message many times.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let report = random::check(numbers, options);
    std::panic::set_hook(hook);
    let report = report?;
    match as_json {
        true => print_json(&json::of_random(&report, options.seed))?,
        false => print(&random_text(&report, options.seed))?,
    }
    Ok(report.is_breached())
}

fn random_text(report: &random::Report, seed: u64) -> String {
    let mut text = format!("{} random specs, seed {seed}; {} evaluated\n", report.specs, report.evaluated);
    for (reason, &count) in &report.refused {
        let share = 100.0 * count as f64 / report.specs.max(1) as f64;
        text.push_str(&paragraph(&format!("refused {count} ({share:.1} %): {reason}")));
    }
    for group in random::GROUPS {
        let counts = report.drawn.iter().filter(|count| count.group == group);
        let drawn: Vec<String> = counts.map(|count| format!("{} {}", count.name, count.drawn)).collect();
        text.push_str(&paragraph(&format!("{group}: {}", drawn.join(", "))));
    }
    let missing: Vec<&str> = report.drawn.iter().filter(|count| count.drawn == 0).map(|count| &*count.name).collect();
    if !missing.is_empty() {
        text.push_str(&paragraph(&format!("never drawn: {}", missing.join(", "))));
    }
    text.push_str(&table("spec", &report.findings));
    for reason in &report.skipped {
        text.push_str(&paragraph(&format!("not checked: {reason}")));
    }
    for breach in &report.breaches {
        text.push_str(&breach_text(breach, seed));
    }
    if report.breached > 0 {
        let (all, described) = (report.breached, report.breaches.len());
        text.push_str(&format!("BREACH on {all} specs, {described} of them shown\n"));
    }
    text
}

fn breach_text(breach: &random::Breach, seed: u64) -> String {
    let mut text = format!("\nBREACH: seed {seed}, spec {}\n", breach.number);
    text.push_str(&wrong_text(&breach.wrong));
    text.push_str(&format!("  {}\n", breach.document));
    if let Some((document, wrong)) = &breach.smaller {
        text.push_str(&format!("  smaller:\n{}  {document}\n", wrong_text(wrong)));
    }
    text
}

fn wrong_text(wrong: &random::Wrong) -> String {
    let what = match wrong.problem {
        random::Problem::Bound => "beyond the bound",
        random::Problem::NotANumber => "not a number",
        random::Problem::OtherBits => "other bits",
        random::Problem::Failed => "failed",
    };
    let digits = 2 * wrong.dtype.size();
    let shown = |(value, bits): (f64, u64)| format!("{value:e} (0x{bits:0digits$x})");
    let place = format!("  {what}: {} {} at step {}", wrong.backend, wrong.dtype.name(), wrong.step);
    if wrong.problem == random::Problem::Failed {
        return format!("{place}: {}\n", wrong.note);
    }
    let (got, want, off, allowed) = (shown(wrong.got), shown(wrong.want), ulps(wrong.off), ulps(wrong.bound));
    format!("{place}: {got} for {want}, {off} ULP off, {allowed} allowed; {}\n", wrong.note)
}

/// A number of units in the last place as text.
fn ulps(off: f64) -> String {
    if off < 1e6 { format!("{off:.6}") } else { format!("{off:.3e}") }
}
