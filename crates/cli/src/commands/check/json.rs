//! The reports of checks as JSON.

use serde_json::{Map, Value, json};

use crate::check::random::{self, Problem, Wrong};
use crate::check::{Finding, Report};

/// The report on a spec of `all` schedules.
pub fn of_spec(all: usize, report: &Report, seed: u64) -> Value {
    json!({
        "schedules": all,
        "checked": report.schedules,
        "seed": seed,
        "breached": report.is_breached(),
        "findings": findings("schedule", &report.findings),
        "skipped": report.skipped,
    })
}

/// The report on random specs.
pub fn of_random(report: &random::Report, seed: u64) -> Value {
    let mut drawn = Map::new();
    for group in random::GROUPS {
        let counts = report.drawn.iter().filter(|count| count.group == group);
        drawn.insert(group.to_owned(), counts.map(|count| (count.name.clone(), json!(count.drawn))).collect());
    }
    json!({
        "specs": report.specs,
        "seed": seed,
        "evaluated": report.evaluated,
        "refused": report.refused,
        "drawn": drawn,
        "breached": report.is_breached(),
        "breached_specs": report.breached,
        "findings": findings("spec", &report.findings),
        "breaches": report.breaches.iter().map(breach).collect::<Vec<_>>(),
        "skipped": report.skipped,
    })
}

/// One object for each backend and number type; `row` names the first number of a place.
fn findings(row: &str, findings: &[Finding]) -> Value {
    let finding = |finding: &Finding| {
        json!({
            "backend": finding.backend,
            "dtype": finding.dtype.name(),
            "values": finding.values,
            "worst_ulp": finding.worst,
            "mean_ulp": finding.mean,
            "worst_at": { row: finding.at.0, "step": finding.at.1 },
            "bound_ulp": finding.bound,
            "breaches": finding.breaches,
        })
    };
    findings.iter().map(finding).collect()
}

fn breach(breach: &random::Breach) -> Value {
    let mut object = json!({ "number": breach.number, "spec": breach.document, "wrong": wrong(&breach.wrong) });
    if let Some((document, smaller)) = &breach.smaller {
        object["smaller"] = json!({ "spec": document, "wrong": wrong(smaller) });
    }
    object
}

fn wrong(wrong: &Wrong) -> Value {
    let problem = match wrong.problem {
        Problem::Bound => "bound",
        Problem::NotANumber => "not a number",
        Problem::OtherBits => "other bits",
        Problem::Failed => "failed",
    };
    json!({
        "problem": problem,
        "backend": wrong.backend,
        "dtype": wrong.dtype.name(),
        "step": wrong.step,
        "got": wrong.got.0,
        "want": wrong.want.0,
        "ulp": wrong.off,
        "bound_ulp": wrong.bound,
        "note": wrong.note,
    })
}
