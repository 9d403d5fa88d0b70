//! Schedules in a library's own terms, as users write them: anywhere, swept, misspelt, with momentum.
#![expect(clippy::unwrap_used, reason = "a test's helpers may fail as tests do")]

use lrgrid::error::EvaluateError;
use lrgrid::{Cpu, Error, Evaluate, Spec, Steps};

fn refused(text: &str, parts: &[&str]) {
    let error = match Spec::from_toml(text).and_then(|spec| spec.compile()) {
        Ok(batch) => panic!("accepted as {} schedules: {text}", batch.len()),
        Err(error) => error.to_string(),
    };
    for part in parts {
        assert!(error.contains(part), "no {part:?} in: {error}");
    }
    assert!(!error.contains('\n'), "more than one paragraph: {error}");
}

fn spec(text: &str) -> Spec {
    Spec::from_toml(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn arguments_may_be_swept_and_lengths_be_shares() {
    let text = r#"
        steps = 1000
        [schedule]
        library = "torch"
        name = "OneCycleLR"
        args = { max_lr = "$peak", total_steps = "50%", pct_start = "$pct" }
        [sweep.parameters]
        peak = { values = [0.1, 1.0] }
        pct = { values = [0.25, 0.5, 1] }
    "#;
    let batch = spec(text).compile().unwrap();
    assert_eq!(batch.len(), 6);
    assert_eq!([batch.value(0, 0), batch.value(3, 0)], [0.1 / 25.0, 1.0 / 25.0]);
    assert_eq!([batch.value(0, 124), batch.value(4, 249), batch.value(5, 499)], [0.1, 1.0, 1.0]);
}

#[test]
fn they_stand_wherever_a_schedule_may() {
    let text = r#"
        [schedule]
        kind = "warmup"
        steps = 10
        then = { kind = "scale", by = 2, of = { library = "torch", name = "StepLR", args = { lr = 0.5, step_size = 5 } } }
    "#;
    let batch = spec(text).compile().unwrap();
    assert_eq!([0, 5, 10, 15].map(|step| batch.value(0, step)), [0.0, 0.5, 1.0, 0.1]);
    let text = r#"
        schedule = { kind = "constant", value = 1 }
        momentum = { library = "torch", name = "LinearLR", args = { lr = 0.9, start_factor = 0.5 } }
    "#;
    let momentum = spec(text).compile_momentum().unwrap().unwrap();
    assert_eq!([0, 5, 9].map(|step| momentum.value(0, step)), [0.45, 0.9, 0.9]);
}

#[test]
fn momentum_comes_with_the_schedule_unless_it_is_given() {
    let cyclic = r#"library = "torch", name = "CyclicLR", args = { base_lr = 0.1, max_lr = 1, step_size_up = 2"#;
    let own = spec(&format!("schedule = {{ {cyclic} }} }}"));
    assert!(own.has_momentum());
    let momentum = own.compile_momentum().unwrap().unwrap();
    assert_eq!([0, 2, 4].map(|step| momentum.value(0, step)), [0.9, 0.8, 0.9]);
    assert!(!spec(&format!("schedule = {{ {cyclic}, cycle_momentum = false }} }}")).has_momentum());
    let given = spec(&format!("schedule = {{ {cyclic} }} }}\nmomentum = {{ kind = \"constant\", value = 0.5 }}"));
    assert_eq!(given.compile_momentum().unwrap().unwrap().value(0, 2), 0.5);
    // A part of a schedule has no momentum of its own.
    let part = spec(&format!("schedule = {{ kind = \"scale\", by = 2, of = {{ {cyclic} }} }} }}"));
    assert!(!part.has_momentum());
}

#[test]
fn what_is_misspelt_is_answered_with_the_nearest_name() {
    let step = |args: &str| format!(r#"schedule = {{ library = "torch", name = "StepLR", args = {{ {args} }} }}"#);
    refused(r#"schedule = { library = "torhc", name = "StepLR" }"#, &["`schedule.library`", "`torch`"]);
    refused(r#"schedule = { library = 3, name = "StepLR" }"#, &["`schedule.library`", "text"]);
    refused(r#"schedule = { library = "torch", name = "StpLR" }"#, &["`schedule.name`", "`StepLR`"]);
    refused(r#"schedule = { library = "torch" }"#, &["`schedule.name`", "missing"]);
    refused(r#"schedule = { library = "torch", name = "StepLR", arg = {} }"#, &["`schedule.arg`", "`args`"]);
    refused(r#"schedule = { library = "torch", name = "StepLR", lr = 1 }"#, &["`schedule.lr`", "`args`"]);
    refused(&step("lr = 1, step_sise = 3"), &["`schedule.args.step_sise`", "`step_size`"]);
    refused(&step("lr = 1"), &["`schedule.args.step_size`", "missing"]);
    refused(&step("step_size = 3"), &["`schedule.args.lr`", "missing"]);
    refused(&step("lr = 1, step_size = 0"), &["`schedule.args.step_size`", "greater than 0"]);
    refused(&step("lr = \"$lr\", step_size = 3"), &["`schedule.args.lr`", "sweep.parameters.lr"]);
    refused(
        r#"schedule = { library = "torch", name = "OneCycleLR", args = { max_lr = 1, total_steps = 9, pct_start = 1 } }"#,
        &["`schedule.args.pct_start`", "float"],
    );
    refused(
        r#"schedule = { library = "torch", name = "SequentialLR", args = { lr = 1, milestones = [3], schedulers = [
            { name = "ConstantLR" }, { schedule = "LinearLR", args = { end_factor = 2 } } ] } }"#,
        &["`schedule.args.schedulers[1].args.end_factor`", "from 0 to 1"],
    );
}

#[test]
fn a_schedule_that_ends_has_no_values_beyond() {
    let spec = spec(r#"schedule = { library = "torch", name = "OneCycleLR", args = { max_lr = 1, total_steps = 9 } }"#);
    let batch = spec.compile().unwrap();
    assert_eq!(batch.last_step(), Some(9));
    assert!(Cpu::new().unwrap().evaluate::<f32>(&batch, &Steps::range(0..10)).is_ok());
    match Cpu::new().unwrap().evaluate::<f32>(&batch, &Steps::range(0..11)) {
        Err(Error::Evaluate(EvaluateError::PastEnd { step: 10, last: 9 })) => {}
        other => panic!("{other:?}"),
    }
}

#[test]
fn epochs_count_for_libraries_too() {
    let cosine = r#"schedule = { library = "torch", name = "CosineAnnealingLR", args = { lr = 1, T_max = 2 } }"#;
    let batch = spec(&format!("steps_per_epoch = 5\nfractional_epochs = true\n{cosine}")).compile().unwrap();
    assert_eq!([0, 5, 10, 20].map(|step| batch.value(0, step)), [1.0, 0.5, 0.0, 1.0]);
    refused(
        r#"
        steps_per_epoch = 5
        fractional_epochs = true
        schedule = { library = "torch", name = "OneCycleLR", args = { max_lr = 1, total_steps = 9 } }
        "#,
        &["between two epochs"],
    );
}

#[test]
fn the_json_schema_knows_the_arguments() {
    let schema = lrgrid::spec::json_schema();
    let text = schema.to_string();
    assert!(text.contains(r#""library":{"const":"torch"}"#) && text.contains("final_div_factor"), "{text}");
}
