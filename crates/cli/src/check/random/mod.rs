//! Compares every backend of the machine with the reference on random specs of the whole catalogue.
//!
//! A spec depends on a seed and its number alone. The error of each backend must be within its bound, and the CPU must
//! give the same bits for a range of steps, for parts of it and for a list.

mod judge;
mod looks;
mod shrink;
mod tally;

use std::collections::BTreeMap;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

use rayon::prelude::*;
use serde_json::Value;

use super::bounds::bound;
use super::draw::{self, Choices};
use super::{Finding, Options};
use judge::{Case, Contender, Score};
use lrgrid::Error;
use lrgrid::element::Dtype;
use lrgrid::engine::Backend;
use lrgrid::error::EvaluateError;
use lrgrid::spec::Spec;
use tally::Tally;

pub use judge::{Problem, Wrong};
pub use tally::{Count, GROUPS};

/// The default number of specs.
pub const DEFAULT_SPECS: u64 = 1000;

/// The number of specs that are checked in parallel before their results are merged.
const AT_ONCE: usize = 64;

/// Specs whose breach is described; the rest is counted.
const MOST_DESCRIBED: usize = 20;

/// The stream of a spec's number from which the steps are drawn.
const LOOKS: u32 = 1;

/// A drawn spec on which a backend is wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct Breach {
    /// The spec's number.
    pub number: u64,
    /// The error of the spec as it was drawn.
    pub wrong: Wrong,
    /// The spec as it was drawn.
    pub document: Value,
    /// A smaller spec with the same problem, and its error.
    pub smaller: Option<(Value, Wrong)>,
}

/// The report of a random check.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// How many specs were drawn.
    pub specs: u64,
    /// How many of them were evaluated.
    pub evaluated: u64,
    /// How many were refused, by reason.
    pub refused: BTreeMap<String, u64>,
    /// How often each thing was drawn, refused specs left out.
    pub drawn: Vec<Count>,
    /// One entry for each backend and element type; the schedule of the worst is the spec's number.
    pub findings: Vec<Finding>,
    /// The first specs on which a backend is wrong.
    pub breaches: Vec<Breach>,
    /// How many such specs there are in all.
    pub breached: u64,
    /// The backends that could not be checked, with reasons.
    pub skipped: Vec<String>,
}

impl Report {
    /// Whether any value was wrong.
    #[must_use]
    pub fn is_breached(&self) -> bool {
        self.breached > 0
    }
}

/// Draws the specs of these numbers and compares every backend that the options allow with the reference on each.
///
/// # Errors
/// When the backend asked for is not there.
pub fn check(numbers: Range<u64>, options: &Options) -> Result<Report, Error> {
    let (contenders, skipped) = Contender::all(options.backend, options.adapter.as_deref())?;
    let mut findings: Vec<Finding> = contenders.iter().flat_map(empty_findings).collect();
    let mut report = Report { skipped, ..Report::default() };
    let (mut tally, mut sums) = (Tally::new(), vec![0.0; findings.len()]);
    let mut next = numbers.start;
    while next < numbers.end {
        let chunk = next..numbers.end.min(next.saturating_add(AT_ONCE as u64));
        next = chunk.end;
        let outcomes: Vec<Outcome> =
            chunk.into_par_iter().map(|number| Outcome::of(options.seed, number, &contenders)).collect();
        for outcome in outcomes {
            report.specs += 1;
            if let Some(reason) = outcome.refused {
                *report.refused.entry(reason).or_default() += 1;
                continue;
            }
            report.evaluated += 1;
            tally.count(&outcome.document);
            for ((finding, sum), score) in findings.iter_mut().zip(&mut sums).zip(&outcome.scores) {
                finding.add(score, outcome.number);
                *sum += score.sum;
            }
            let Some(wrong) = worst(&outcome.scores) else { continue };
            report.breached += 1;
            if report.breaches.len() < MOST_DESCRIBED {
                let Outcome { number, document, .. } = outcome;
                let smaller = smaller(options.seed, number, &document, &wrong, &contenders);
                report.breaches.push(Breach { number, wrong, document, smaller });
            }
        }
    }
    for (finding, sum) in findings.iter_mut().zip(sums) {
        finding.mean = sum / finding.values.max(1) as f64;
    }
    report.drawn = tally.into_counts();
    report.findings = findings;
    Ok(report)
}

/// Draws a spec from a fuzzer's bytes and holds the CPU and the lowered form to their bounds on it; whether there was
/// something to evaluate, because the spec was not refused.
///
/// # Errors
/// With the error that was found.
pub fn check_bytes(bytes: &[u8]) -> Result<bool, Box<Breach>> {
    let mut choices = Choices::from_bytes(bytes);
    let document = draw::document(&mut choices);
    let spec = Spec::from_json(&document.to_string());
    let Some(case) = spec.ok().and_then(|spec| case(&spec, None, &mut choices).ok()) else { return Ok(false) };
    // Without a backend there is nothing to evaluate with.
    let Ok((contenders, _)) = Contender::all(Backend::Cpu, None) else { return Ok(false) };
    let wrong = worst(&each(&contenders, |contender, dtype| case.judge(contender, dtype)));
    wrong.map_or(Ok(true), |wrong| Err(Box::new(Breach { number: 0, wrong, document, smaller: None })))
}

/// How often each thing is drawn among these numbers, refused specs left out; nothing is evaluated.
#[must_use]
pub fn drawn(numbers: Range<u64>, seed: u64) -> Vec<Count> {
    let documents = numbers.map(|number| document(seed, number));
    let mut tally = Tally::new();
    documents
        .filter(|document| Spec::from_json(&document.to_string()).is_ok())
        .for_each(|document| tally.count(&document));
    tally.into_counts()
}

/// The spec of a number, as a document.
#[must_use]
pub fn document(seed: u64, number: u64) -> Value {
    draw::document(&mut Choices::seeded(seed, number))
}

fn empty_findings(contender: &Contender) -> Vec<Finding> {
    let empty = |&dtype: &Dtype| Finding {
        backend: contender.name.clone(),
        dtype,
        values: 0,
        worst: 0.0,
        mean: 0.0,
        at: (0, 0),
        bound: bound(contender.backend(), dtype),
        breaches: 0,
    };
    contender.dtypes().iter().map(empty).collect()
}

impl Finding {
    /// Adds the score of one spec.
    fn add(&mut self, score: &Score, number: u64) {
        self.values += score.values;
        self.breaches += score.breaches;
        let (off, step) = score.first.as_ref().map_or(score.worst, |wrong| (wrong.off, wrong.step));
        if off > self.worst {
            (self.worst, self.at) = (off, (number as usize, step));
        }
    }
}

/// The result of one spec.
struct Outcome {
    number: u64,
    document: Value,
    refused: Option<String>,
    /// For each contender and type.
    scores: Vec<Score>,
}

impl Outcome {
    fn of(seed: u64, number: u64, contenders: &[Contender]) -> Self {
        let document = document(seed, number);
        let outcome = |refused, scores| Self { number, document: document.clone(), refused, scores };
        let tried = tried(seed, number, &document, None, contenders);
        match tried {
            Ok(scores) => outcome(None, scores),
            Err(reason) => outcome(Some(reason), Vec::new()),
        }
    }
}

/// Judges a document; a reason where it is refused.
fn tried(
    seed: u64,
    number: u64,
    document: &Value,
    also: Option<u64>,
    contenders: &[Contender],
) -> Result<Vec<Score>, String> {
    let compiled = guarded(|| {
        let spec = Spec::from_json(&document.to_string()).map_err(|error| reason(&error))?;
        let mut choices = Choices::of_stream(seed, number, LOOKS);
        match case(&spec, also, &mut choices) {
            // Lowering made the program, so the spec is not to blame.
            Err(Error::Evaluate(EvaluateError::Program(error))) => Ok(Err(error.to_string())),
            other => other.map(Ok).map_err(|error| reason(&error)),
        }
    });
    match compiled {
        Ok(Ok(Ok(case))) => Ok(scores(&case, contenders)),
        Ok(Err(reason)) => Err(reason),
        // Nothing can be evaluated, so every backend has failed.
        Ok(Ok(Err(message))) | Err(message) => {
            Ok(each(contenders, |contender, dtype| Score::failed(contender, dtype, &message)))
        }
    }
}

/// Does some work; what it panicked with is a finding like any other, with a spec to be shown with.
fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        format!("panicked: {}", text.unwrap_or("without a message"))
    })
}

/// Something for each contender in each of its types.
fn each<T>(contenders: &[Contender], work: impl Fn(&Contender, Dtype) -> T) -> Vec<T> {
    let types = contenders.iter().flat_map(|contender| contender.dtypes().iter().map(move |dtype| (contender, *dtype)));
    types.map(|(contender, dtype)| work(contender, dtype)).collect()
}

fn case(spec: &Spec, also: Option<u64>, choices: &mut Choices<'_>) -> Result<Case, Error> {
    let batch = spec.compile()?;
    let end = spec.table_steps().ok();
    let looks = looks::looks(&batch.program(0), &batch, end, also, choices);
    Case::new(batch, looks)
}

fn scores(case: &Case, contenders: &[Contender]) -> Vec<Score> {
    each(contenders, |contender, dtype| {
        let judged = guarded(|| case.judge(contender, dtype));
        judged.unwrap_or_else(|message| Score::failed(contender, dtype, &message))
    })
}

/// The first of the worst: what is not a number at all comes before what is a bit off.
fn worst(scores: &[Score]) -> Option<Wrong> {
    let wrongs = scores.iter().filter_map(|score| score.first.as_ref());
    wrongs.reduce(|worst, wrong| if wrong.problem > worst.problem { wrong } else { worst }).cloned()
}

/// A smaller document on which the same backend has the same problem in the same type.
fn smaller(
    seed: u64,
    number: u64,
    document: &Value,
    wrong: &Wrong,
    contenders: &[Contender],
) -> Option<(Value, Wrong)> {
    let contender = contenders.iter().position(|contender| contender.name == wrong.backend)?;
    let alone = &contenders[contender..=contender];
    let mut found = None;
    let shows = |document: &Value| {
        let Ok(scores) = tried(seed, number, document, Some(wrong.step), alone) else { return false };
        let mut wrongs = scores.into_iter().filter_map(|score| score.first);
        let same = wrongs.find(|other| (other.problem, other.dtype) == (wrong.problem, wrong.dtype));
        let shows = same.is_some();
        found = same.or_else(|| found.take());
        shows
    };
    let smallest = shrink::shrink(document.clone(), shows);
    Some((smallest, found?))
}

/// Why a spec was refused, without its numbers and paths, so that equal reasons count together.
fn reason(error: &Error) -> String {
    let (key, text) = match error {
        Error::Spec(error) => (error.path.rsplit('.').next().unwrap_or_default(), error.message.clone()),
        other => ("", other.to_string()),
    };
    if let Some((what, _)) = text.split_once(" cannot be compiled") {
        return format!("lowering: {}", what.rsplit("`: ").next().unwrap_or(what));
    }
    if let Some(limit) = ["segments written out", "factors that move"].into_iter().find(|known| text.contains(known)) {
        return format!("lowering: too many {limit}");
    }
    let is_number = |word: &str| word.trim_matches(|c: char| !c.is_ascii_digit()).parse::<f64>().is_ok();
    let word = |word| if is_number(word) { "…" } else { word };
    let words: Vec<&str> = text.split_whitespace().map(word).collect();
    format!("`{key}`: {}", words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_reasons_count_together() {
        let of = |schedule: &str| {
            reason(&Spec::from_json(&format!("{{\"schedule\": {schedule}, \"steps\": 9}}")).unwrap_err())
        };
        let linear = |steps: u64| format!(r#"{{ "kind": "linear", "start": 1, "end": 0, "steps": {steps} }}"#);
        assert_eq!(of(&linear(1 << 53)), of(&linear((1 << 53) + 5)));
        assert_eq!(of(&linear(0)), "`steps`: a length of … steps: at least … is needed");
        let clocked = r#"{ "kind": "clock", "divisor": 1.5, "of": { "kind": "step", "start": 1, "decay_rate": 0.5, "step_size": 3 } }"#;
        let within = format!(r#"{{ "kind": "delay", "steps": 1, "of": {clocked} }}"#);
        assert!(of(clocked).starts_with("lowering: stairs"), "{}", of(clocked));
        assert_eq!(of(clocked), of(&within));
    }

    #[test]
    fn a_spec_depends_on_seed_and_number_alone() {
        let options = Options { backend: Backend::Cpu, seed: 5, ..Options::default() };
        let (few, more) = (check(3..5, &options).unwrap(), check(0..5, &options).unwrap());
        assert_eq!(document(5, 4), document(5, 4));
        assert!(document(5, 4) != document(5, 3) && document(5, 4) != document(6, 4));
        assert_eq!((few.specs, more.specs), (2, 5));
    }
}
