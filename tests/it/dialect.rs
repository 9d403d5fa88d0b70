//! Schedules in a library's own terms, as users write them: anywhere, swept, misspelt, with momentum.

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
    refused(&step("lr = 1, step_size = \"1%\""), &["`schedule.args.step_size`", "steps = …"]);
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
fn what_fails_after_the_first_step_there_ends_here() {
    for (name, args) in [("StepLR", "step_size = 0"), ("CosineAnnealingLR", "T_max = 0")] {
        let call = format!(r#"schedule = {{ library = "torch", name = "{name}", args = {{ lr = 0.5, {args} }} }}"#);
        let batch = spec(&call).compile().unwrap();
        assert_eq!((batch.last_step(), batch.value(0, 0)), (Some(0), 0.5), "{name}");
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
    let length = &schema["$defs"]["Length"]["anyOf"][1]["pattern"];
    assert_eq!(length, "^(\\$.+|[0-9.]+ *%)$", "a length may be a share");
}

#[test]
fn each_library_names_its_own_arguments() {
    let call = |library: &str, name: &str, args: &str| {
        format!(r#"schedule = {{ library = "{library}", name = "{name}", args = {{ {args} }} }}"#)
    };
    refused(
        &call("optax", "join_schedules", r#"boundaries = [3], schedules = [{ name = "linear_shedule" }]"#),
        &["`schedule.args.schedules[0].name`", "`linear_schedule`"],
    );
    refused(
        &call(
            "optax",
            "sgdr_schedule",
            "cosine_kwargs = [{ init_value = 0, peak_value = 1, warmup_steps = 3, decay_steps = 3 }]",
        ),
        &["`schedule.args.cosine_kwargs[0].decay_steps`", "warmup"],
    );
    refused(
        &call("optax", "piecewise_constant_schedule", "init_value = 1, boundaries_and_scales = { 3 = -1 }"),
        &["`schedule.args.boundaries_and_scales.3`", "at least 0"],
    );
    let cosine = |kwargs: &str| {
        let args =
            format!("lr = 1, num_warmup_steps = 3, num_training_steps = 9, scheduler_specific_kwargs = {{ {kwargs} }}");
        call("transformers", "cosine", &args)
    };
    refused(&cosine("num_cycle = 1"), &["`schedule.args.scheduler_specific_kwargs.num_cycle`", "`num_cycles`"]);
    refused(&cosine("last_epoch = 3"), &["`schedule.args.scheduler_specific_kwargs.last_epoch`", "-1"]);
    refused(
        &call("transformers", "linear", "lr = 1, num_training_steps = 3"),
        &["`schedule.args.num_warmup_steps`", "missing"],
    );
    let composer = |args: &str| call("composer", "LinearScheduler", &format!("lr = 1, {args}"));
    refused(&composer("t_max = 10"), &["`schedule.args.t_max`", "\"10ba\""]);
    refused(&composer(r#"t_max = "10tok""#), &["`schedule.args.t_max`", "batches"]);
    refused(&composer(r#"t_max = "2ep""#), &["`schedule.args.epoch_len`", "missing"]);
    refused(&composer(""), &["`schedule.args.max_duration`", "missing"]);
    refused(
        &call(
            "burn",
            "Sequential",
            r#"milestones = [3, 3], schedulers = [{ name = "Constant", args = { lr = 1 } },
            { name = "Constant", args = { lr = 1 } }, { name = "Constant", args = { lr = 1 } }]"#,
        ),
        &["`schedule.args.milestones[1]`", "greater than 3"],
    );
}

#[test]
fn times_of_composer_may_be_swept() {
    let text = r#"
        [schedule]
        library = "composer"
        name = "LinearWithWarmupScheduler"
        args = { lr = 1, t_warmup = "$warmup", max_duration = "100ba" }
        [sweep.parameters]
        warmup = { values = [10, 20] }
    "#;
    let batch = spec(text).compile().unwrap();
    assert_eq!([batch.value(0, 5), batch.value(1, 5), batch.value(1, 60)], [0.5, 0.25, 0.5]);
}

#[test]
fn burn_adds_schedules_up() {
    let composed = |reduction: &str| {
        let children = r#"[{ name = "Linear", args = { initial_lr = 0.5, final_lr = 1, num_iters = 4 } },
            { name = "CosineAnnealing", args = { initial_lr = 1, num_iters = 2 } }, { name = "Constant", args = { lr = 0.75 } }]"#;
        let args = format!(r#"reduction = "{reduction}", schedulers = {children}"#);
        spec(&format!(r#"schedule = {{ library = "burn", name = "Composed", args = {{ {args} }} }}"#))
            .compile()
            .unwrap()
    };
    let steps = Steps::range(0..6);
    let sum: Vec<f64> = Cpu::new().unwrap().evaluate(&composed("Sum"), &steps).unwrap();
    assert_eq!(sum, [2.25, 1.875, 1.5, 2.125, 2.75, 2.25]);
    let mean: Vec<f32> = Cpu::new().unwrap().evaluate(&composed("Avg"), &steps).unwrap();
    assert_eq!(mean, [0.75, 0.625, 0.5, 2.125_f32 / 3.0, 2.75_f32 / 3.0, 0.75]);
}

#[test]
fn what_must_be_an_integer_there_must_be_one_here() {
    let restarts = |length: &str| {
        let args = format!("lr = 1, T_0 = {length}");
        format!(r#"schedule = {{ library = "torch", name = "CosineAnnealingWarmRestarts", args = {{ {args} }} }}"#)
    };
    refused(&restarts("5.0"), &["`schedule.args.T_0`", "without a decimal point"]);
    let swept = format!("{}\nsweep.parameters.length = {{ values = [2, 5] }}", restarts("\"$length\""));
    let batch = spec(&swept).compile().unwrap();
    assert_eq!([batch.value(0, 2), batch.value(1, 5)], [1.0, 1.0]);
    let share = spec(&format!("steps = 10\n{}", restarts("\"50%\""))).compile().unwrap();
    assert_eq!(share.value(0, 5), 1.0);
}

/// One schedule of each library, with an argument that stands for a sweep.
#[test]
fn arguments_of_every_library_may_be_swept() {
    let calls = [
        ("torch", "StepLR", "lr = \"$x\", step_size = 2"),
        ("optax", "cosine_decay_schedule", "init_value = \"$x\", decay_steps = 9"),
        ("transformers", "linear", "lr = \"$x\", num_warmup_steps = 0, num_training_steps = 9"),
        ("timm", "CosineLRScheduler", "lr = \"$x\", t_initial = 9"),
        ("keras", "PolynomialDecay", "initial_learning_rate = \"$x\", decay_steps = 9"),
        ("fastai", "fit_flat_cos", "n_epoch = 1, batches_per_epoch = 9, lr = \"$x\""),
        ("fairseq", "polynomial_decay", "lr = \"$x\", total_num_update = 9"),
        (
            "megatron",
            "OptimizerParamScheduler",
            "init_lr = 0, min_lr = 0, lr_warmup_steps = 0, lr_decay_steps = 9, lr_decay_style = \"cosine\", max_lr = \"$x\"",
        ),
        ("composer", "CosineAnnealingScheduler", "lr = \"$x\", max_duration = \"9ba\""),
        ("burn", "Linear", "initial_lr = \"$x\", final_lr = 0, num_iters = 9"),
        ("thinc", "decaying", "base_rate = \"$x\", decay = 0.1"),
        ("sharpdarts", "cosine_power_annealing", "epochs = 9, max_lr = \"$x\""),
    ];
    let libraries: Vec<&str> = lrgrid::dialect::LIBRARIES.iter().map(|library| library.name).collect();
    assert_eq!(calls.map(|call| call.0).to_vec(), libraries, "a library is missing here");
    for (library, name, args) in calls {
        let call = format!(r#"schedule = {{ library = "{library}", name = "{name}", args = {{ {args} }} }}"#);
        let batch = spec(&format!("{call}\nsweep.parameters.x = {{ values = [0.25, 0.5] }}")).compile().unwrap();
        assert_eq!([batch.value(0, 0), batch.value(1, 0)], [0.25, 0.5], "{library}");
    }
}

#[test]
fn lengths_beyond_the_largest_step_are_refused() {
    for (args, path) in [
        (r#"{ lr = 1, T_max = 9223372036854775807, resume_last_epoch = 5 }"#, "T_max"),
        (r#"{ lr = 1, T_max = 10, resume_last_epoch = 9223372036854775807 }"#, "last_epoch"),
        (r#"{ lr = 1, T_max = 10, last_epoch = 9007199254740991 }"#, "last_epoch"),
    ] {
        let text = format!(r#"schedule = {{ library = "torch", name = "CosineAnnealingLR", args = {args} }}"#);
        let error = Spec::from_toml(&text).unwrap_err().to_string();
        assert!(error.contains(path) && error.contains("beyond the largest"), "{error}");
    }
}
