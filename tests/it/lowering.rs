//! Rung 2 of the ladder: the lowered form against each schedule's published formula.

use lrgrid::Spec;
use lrgrid::program::MAX_STEP;
use lrgrid::schedule::{KINDS, Time};
use lrgrid_testkit::steps;
use steps::telling_steps;

/// Relative deviation allowed between two double-double evaluations: rounding of phases and parameters.
const RELATIVE: f64 = 1e-15;
/// Where terms of opposite sign meet, relative to the schedule's largest value.
const OF_LARGEST: f64 = 1e-17;

#[test]
fn every_schedule_lowers_to_its_formula() {
    let mut checked = 0_u64;
    for kind in KINDS {
        for schedule in (kind.examples)() {
            schedule.validate().unwrap_or_else(|error| panic!("{}: {error}", kind.name));
            let program = schedule.lower().unwrap_or_else(|error| panic!("{}: {error}", kind.name));
            let steps = telling_steps(&schedule);
            // A growth may leave the range of f64; both forms must then say so.
            let finite = steps.iter().map(|&step| schedule.value(step).abs()).filter(|value| value.is_finite());
            let largest = finite.fold(0.0, f64::max);
            for step in steps {
                let (want, got) = (schedule.exact(Time::step(step)), program.exact(step));
                let difference = (got - want).high().abs();
                let allowed = (RELATIVE * want.high().abs()).max(OF_LARGEST * largest).min(largest * RELATIVE);
                assert!(
                    difference <= allowed || got == want || (got.high() == want.high() && got.high().is_infinite()),
                    "{schedule:?} at {step}: {:e} lowered, {:e} by formula ({difference:e} apart)",
                    got.high(),
                    want.high(),
                );
                checked += 1;
            }
        }
    }
    println!("{checked} values of {} kinds", KINDS.len());
    assert!(checked > 5_000);
}

#[test]
fn a_scaled_schedule_lowers_to_a_scaled_program() {
    for kind in KINDS {
        let mut found = false;
        for schedule in (kind.examples)() {
            let Some(scaled) = schedule.scaled(2.0) else { continue };
            found = true;
            let (program, twice) = (schedule.lower().unwrap(), scaled.lower().unwrap());
            for step in telling_steps(&schedule) {
                // Doubling is exact, so whatever scales is equal to the bit.
                let (value, lowered) = (schedule.exact(Time::step(step)), program.exact(step));
                if value.is_finite() && (value.high() == 0.0 || value.high().abs() > 1e-200) {
                    assert_eq!(scaled.exact(Time::step(step)), value * 2.0, "{schedule:?} at {step}");
                    assert_eq!(twice.exact(step), lowered * 2.0, "{schedule:?} at {step}, lowered");
                }
            }
        }
        // What a sum adds up is rounded.
        assert!(found || kind.name == "sum", "no example of `{}` can be scaled", kind.name);
    }
}

#[test]
fn fractions_of_an_epoch_lower_to_the_formula_at_that_time() {
    for kind in KINDS {
        for schedule in (kind.examples)() {
            let per_epoch = 7;
            let Ok(program) = schedule.lower() else { continue };
            // What turns between two epochs is refused there.
            let refused = schedule.turns_between_steps();
            if refused || program.segments().any(|segment| segment.origin > MAX_STEP / per_epoch) {
                continue;
            }
            let (moving, once) =
                (program.clone().stretched(per_epoch).unwrap(), program.with_quantum(per_epoch).unwrap());
            for step in 0..3000 {
                let (fraction, whole) = (Time::within_epoch(step, per_epoch), Time::step(step / per_epoch));
                for (got, want) in
                    [(moving.exact(step), schedule.exact(fraction)), (once.exact(step), schedule.exact(whole))]
                {
                    let difference = (got - want).high().abs();
                    assert!(
                        difference <= RELATIVE * want.high().abs() + 1e-20,
                        "{schedule:?} at {step}: {:e} and {:e}",
                        got.high(),
                        want.high()
                    );
                }
            }
        }
    }
}

#[test]
fn segments_past_a_cycle_are_left_out_where_it_is_written_out() {
    // The innermost cycles grow past the middle one's 1092 steps, with several segments beyond it.
    let spec = r#"{ "steps": 55149, "schedule": { "kind": "restarts", "decay": 2, "of": { "kind": "until", "last": 22193, "of": {
        "kind": "cycle", "of": { "kind": "until", "last": 1091, "of": {
        "kind": "cosine_restarts", "max": 0.1, "min": 0.001, "period": 93, "multiplier": 2 } } } } } }"#;
    let batch = Spec::from_json(spec).unwrap().compile().unwrap();
    let program = batch.program(0);
    assert_eq!(program.check(), Ok(()));
    for cycle in [0, 1, 19, 20, 21, 40] {
        for step in [0, 92, 93, 650, 651, 1091].map(|step| cycle * 1092 + step) {
            let (got, want) = (program.exact(step).high(), batch.value(0, step));
            assert!((got - want).abs() <= 1e-15 * want, "step {step}: {got} for {want}");
        }
    }
}

#[test]
fn growing_cycles_in_a_fast_clock_are_refused_beyond_the_limit() {
    let spec = r#"{ "steps": 4503599627370495, "schedule": { "kind": "clock", "multiplier": 5, "of": {
        "kind": "cosine_restarts", "max": 0, "min": 9e-7, "period": 16735, "multiplier": 1.01 } } }"#;
    let compiled = Spec::from_json(spec).and_then(|spec| spec.compile());
    let error = compiled.map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("segments") && error.contains("4096"), "{error}");
}

#[test]
fn what_cannot_be_lowered_exactly_is_refused() {
    let refused = |schedule: &str| {
        let spec = format!(r#"{{ "steps": 99, "schedule": {schedule} }}"#);
        Spec::from_json(&spec).and_then(|spec| spec.compile()).map(|_| ()).unwrap_err().to_string()
    };
    let bounded = r#"{ "kind": "clamp", "min": -0.004, "of": { "kind": "tanh", "start": -1, "end": 0, "steps": 4 } }"#;
    let scaled = format!(r#"{{ "kind": "restarts", "multiplier": 10, "decay": 0.9, "of": {bounded} }}"#);
    let step = r#"{ "kind": "step", "start": 0.04, "decay_rate": 0.99, "step_size": 2 }"#;
    let error = refused(&format!(r#"{{ "kind": "sum", "terms": [{step}, {scaled}] }}"#));
    assert!(error.contains("scaled term within bounds"), "{error}");
    let error = refused(
        r#"{ "kind": "clock", "multiplier": 0.06, "of": {
            "kind": "noam", "model_dim": 1, "warmup_steps": 562949953421150, "scale": 2e-308 } }"#,
    );
    assert!(error.contains("too far apart"), "{error}");
    let growth = r#"{ "kind": "exponential", "start": 3.5e-6, "decay_rate": 2 }"#;
    let error = refused(&format!(
        r#"{{ "kind": "warmup", "steps": 1349, "start": 0.17, "shape": "exponential", "overlay": true, "then": {growth} }}"#
    ));
    assert!(error.contains("beyond f64"), "{error}");
}
