//! Rung 1 of the ladder: what real libraries return, and what is returned here in their terms.
//!
//! `tests/conformance/*.jsonl` was made by running the libraries themselves; its README says how to read it.
#![expect(clippy::unwrap_used, reason = "a test's helpers may fail as tests do")]

mod case;
mod deviations;

use std::collections::{BTreeMap, BTreeSet};

use case::{Arithmetic, Case, Outcome};
use deviations::{DEVIATIONS, Instead};
use lrgrid::dialect::LIBRARIES;
use lrgrid::schedule::Time;
use lrgrid::ulp::ulps;
use lrgrid::{Batch, Cpu, Evaluate, Reference, Spec, Steps};

/// Relative deviation allowed from recursions in `f64`, and from closed forms.
const RECURSION: f64 = 1e-9;
const CLOSED_FORM: f64 = 1e-12;
/// Of a case's largest value where the library computes in `f32`.
const SINGLE: f64 = 4e-6;

/// What came of a case.
enum Verdict {
    Agreed,
    Refused,
    Differs(String),
}

/// The case's spec, as a user would write it.
fn spec(case: &Case) -> Result<Spec, lrgrid::Error> {
    let call = serde_json::json!({ "library": case.library, "name": case.schedule, "args": case.args });
    Spec::from_json(&serde_json::json!({ "schedule": call }).to_string())
}

/// The worst deviation of our values from the library's, where it is beyond what is allowed.
fn difference(
    what: &str,
    steps: &[u64],
    ours: &[f64],
    theirs: &[f64],
    tolerance: f64,
    of_largest: bool,
) -> Option<String> {
    let largest = theirs.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
    steps.iter().zip(ours).zip(theirs).find_map(|((step, &ours), &theirs)| {
        // What a recursion leaves where it has come to 0 is its rounding.
        let allowed = if of_largest { tolerance * largest } else { (tolerance * theirs.abs()).max(1e-16 * largest) };
        // Also where both are not a number: neither is a learning rate.
        let difference = (ours - theirs).abs();
        let differs = ours != theirs && (difference.is_nan() || difference > allowed);
        differs.then(|| format!("{what} at step {step}: {ours:e} here, {theirs:e} there"))
    })
}

fn judge(case: &Case) -> Verdict {
    let compiled = spec(case).and_then(|spec| Ok((spec.compile()?, spec.compile_momentum()?)));
    let (batch, momentum) = match (compiled, &case.outcome) {
        (Err(_), Outcome::Refused) => return Verdict::Refused,
        (Ok(_), Outcome::Refused) => return Verdict::Differs("accepted here, refused there".to_owned()),
        (Err(error), Outcome::Values { .. }) => return Verdict::Differs(format!("refused here: {error}")),
        (Ok(compiled), Outcome::Values { .. }) => compiled,
    };
    let Outcome::Values { steps, lr, closed_form, momentum: their_momentum, arithmetic, fails_at } = &case.outcome
    else {
        return Verdict::Refused;
    };
    let evaluate = |batch: &Batch| Reference.evaluate::<f64>(batch, &Steps::list(steps.iter().copied()));
    let ours = match evaluate(&batch) {
        Ok(ours) => ours,
        Err(error) => return Verdict::Differs(format!("not evaluated here: {error}")),
    };
    let single = *arithmetic == Arithmetic::Single;
    let tolerance = if single { SINGLE } else { RECURSION };
    let mut found = difference("lr", steps, &ours, lr, tolerance, single);
    if let Some(closed_form) = closed_form.as_ref().filter(|_| !single && found.is_none()) {
        // Where the closed form is another schedule than the recursion, the recursion is followed.
        let same = difference("", steps, closed_form, lr, RECURSION, false).is_none();
        found = if same { difference("closed form", steps, &ours, closed_form, CLOSED_FORM, false) } else { None };
    }
    match (their_momentum, &momentum) {
        (Some(theirs), Some(momentum)) => {
            let ours = evaluate(momentum).unwrap();
            found = found.or(difference("momentum", steps, &ours, theirs, tolerance, single));
        }
        (Some(_), None) => found = found.or(Some("no momentum here".to_owned())),
        (None, _) => {}
    }
    if let (None, Some(step)) = (&found, fails_at)
        && Reference.evaluate::<f64>(&batch, &Steps::list([*step])).is_ok()
    {
        found = Some(format!("a value at step {step} here, an error there"));
    }
    found.map_or(Verdict::Agreed, Verdict::Differs)
}

/// Cases agreed, refused as the library refuses, and deviating.
#[derive(Default)]
struct Count([usize; 3]);

#[test]
fn libraries_are_followed() {
    let mut counts: BTreeMap<String, Count> = BTreeMap::new();
    let (mut wrong, mut used) = (Vec::new(), BTreeSet::new());
    for case in case::all() {
        let count = &mut counts.entry(case.file.clone()).or_default().0;
        let deviation = DEVIATIONS.iter().find(|deviation| deviation.id == case.id);
        used.extend(deviation.map(|deviation| deviation.id));
        match (judge(&case), deviation) {
            (Verdict::Agreed, None) => count[0] += 1,
            (Verdict::Refused, None) => count[1] += 1,
            (Verdict::Differs(how), None) => wrong.push(format!("{}: {how}", case.id)),
            (Verdict::Differs(how), Some(deviation)) => {
                count[2] += 1;
                println!("{} deviates ({how}): {}", case.id, deviation.reason);
                if let Some(how) = not_returned(&case, deviation.instead) {
                    wrong.push(format!("{}: not what the list says: {how}", case.id));
                }
            }
            (_, Some(_)) => wrong.push(format!("{}: no deviation any more, take it off the list", case.id)),
        }
    }
    wrong
        .extend(DEVIATIONS.iter().filter(|d| !used.contains(d.id)).map(|d| format!("{}: there is no such case", d.id)));
    println!("{:14} agreed refused deviating", "");
    for (library, Count([agreed, refused, deviating])) in &counts {
        println!("{library:14} {agreed:6} {refused:7} {deviating:9}");
    }
    assert!(wrong.is_empty(), "{} cases:\n{}", wrong.len(), wrong.join("\n"));
    assert!(counts.len() >= 12, "only {} files of cases", counts.len());
}

/// How a deviation is other than the list says, if it is.
fn not_returned(case: &Case, instead: Instead) -> Option<String> {
    let (batch, values) = match (spec(case).and_then(|spec| spec.compile()), instead) {
        (Ok(batch), Instead::Values(values)) => (batch, values),
        (Ok(_), Instead::Refusal(_)) => return Some("accepted".to_owned()),
        (Err(error), Instead::Refusal(words)) if error.to_string().contains(words) => return None,
        (Err(error), _) => return Some(error.to_string()),
    };
    values.iter().find_map(|&(step, value)| {
        let ours = batch.value(0, step);
        ((ours - value).abs() > 1e-12 * value.abs()).then(|| format!("{ours:e} at step {step}"))
    })
}

/// Every case that has values here: its batch, and steps to look at.
fn batches() -> Vec<(String, Spec, Batch, Vec<u64>)> {
    let mut all = Vec::new();
    for case in case::all() {
        if let (Ok(spec), Outcome::Values { mut steps, .. }) = (spec(&case), case.outcome.clone()) {
            let batch = spec.compile().unwrap();
            steps.extend([(1 << 24) - 1, 1 << 24, (1 << 24) + 1, (1 << 53) - 1]);
            steps.retain(|&step| batch.last_step().is_none_or(|last| step <= last));
            all.push((case.id, spec, batch, steps));
        }
    }
    all
}

/// The worst distance in ULP of a backend from our own reference, which must be within the bound.
fn worst(engine: &impl Evaluate, bound: f64, cancelling: f64) -> f64 {
    let mut worst = 0.0_f64;
    for (id, spec, batch, steps) in batches() {
        let schedule = spec.schedule(0).unwrap();
        let got: Vec<f32> = engine.evaluate(&batch, &Steps::list(steps.iter().copied())).unwrap();
        let exact: Vec<_> = steps.iter().map(|&step| schedule.exact(Time::step(step))).collect();
        let sizes = exact.iter().map(|value| value.high().abs()).filter(|size| size.is_finite());
        let largest = sizes.fold(0.0_f64, f64::max);
        for ((&step, &got), &exact) in steps.iter().zip(&got).zip(&exact) {
            let distance = ulps(got, exact);
            // Sums that cancel to nothing keep the bits of what was added up.
            let cancelled = (f64::from(got) - exact.high()).abs() <= cancelling * largest;
            assert!(distance <= bound || cancelled, "{id} at {step}: {got:e} for {:e}, {distance} ULP", exact.high());
            worst = worst.max(if cancelled { 0.0 } else { distance });
        }
    }
    worst
}

#[test]
fn the_cpu_follows_our_reference() {
    println!("worst ULP: {}", worst(&Cpu::new().unwrap(), 0.500_001, 2f64.powi(-60)));
}

#[cfg(feature = "gpu")]
#[test]
fn the_gpu_follows_our_reference() {
    match lrgrid::Gpu::new() {
        Ok(gpu) => println!("worst ULP: {}", worst(&gpu, 0.55, 2f64.powi(-32))),
        Err(error) => {
            assert!(std::env::var_os("LRGRID_REQUIRE_GPU").is_none_or(|value| value != "1"), "{error}");
            eprintln!("skipped: {error}");
        }
    }
}

/// `describe` prints the native spec: it must evaluate to the same bits.
#[test]
fn the_equivalent_native_spec_has_the_same_bits() {
    let cpu = Cpu::new().unwrap();
    for (id, spec, batch, steps) in batches() {
        let native = serde_json::json!({ "schedule": spec.schedule(0).unwrap() });
        let text = toml::to_string(&native).unwrap();
        assert!(!text.contains("library"), "{id}: {text}");
        let native = Spec::from_toml(&text).unwrap_or_else(|error| panic!("{id}: {error}\n{text}")).compile().unwrap();
        let steps = Steps::list(steps);
        let bits = |batch: &Batch| -> Vec<u64> {
            cpu.evaluate::<f64>(batch, &steps).unwrap().into_iter().map(f64::to_bits).collect()
        };
        assert_eq!(bits(&native), bits(&batch), "{id}\n{text}");
    }
}

/// Every schedule of every library has a case.
#[test]
fn every_schedule_has_a_case() {
    let cases = case::all();
    for library in LIBRARIES {
        for schedule in library.schedules {
            // A case's name may go on with a style.
            let names = |case: &Case| case.schedule.split(':').next() == Some(schedule.name);
            let known = cases.iter().any(|case| library.is_called(&case.library) && names(case));
            assert!(known, "{} {}", library.name, schedule.name);
        }
    }
}
