//! What the spec parser accepts, and that every refusal says where, what and what instead.

use lrgrid::Spec;

#[track_caller]
fn refused(text: &str, parts: &[&str]) {
    let error = match Spec::from_toml(text).and_then(|spec| spec.compile()) {
        Ok(batch) => panic!("accepted as {} schedules", batch.len()),
        Err(error) => error.to_string(),
    };
    for part in parts {
        assert!(error.contains(part), "no {part:?} in: {error}");
    }
    assert!(!error.contains('\n'), "more than one paragraph: {error}");
}

fn compiled(text: &str) -> lrgrid::Batch {
    Spec::from_toml(text).and_then(|spec| spec.compile()).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn a_misspelling_gets_the_nearest_name() {
    refused(
        r#"schedule = { kind = "cosin", start = 1, end = 0, steps = 5 }"#,
        &["`schedule.kind`", "cosin", "did you mean `cosine`"],
    );
    refused(
        r#"schedule = { kind = "cosine", strat = 1, end = 0, steps = 5 }"#,
        &["`schedule.strat`", "did you mean `start`"],
    );
    refused("shedule = 3", &["`shedule`", "did you mean `schedule`"]);
    refused(
        r#"schedule = { kind = "wsd", peak = 1, warmup_steps = 1, stable_steps = 1, decay_steps = 1, shape = "cosin" }"#,
        &["`schedule.shape`", "did you mean `cosine`"],
    );
    refused(
        "schedule = { kind = \"constant\", value = \"$paek\" }\n[sweep.parameters.peak]\nvalues = [1]",
        &["`schedule.value`", "$paek", "did you mean `peak`"],
    );
    refused(
        "schedule = { kind = \"constant\", value = \"$x\" }\n[sweep]\nmethod = \"gird\"\n[sweep.parameters.x]\nvalues = [1]",
        &["`sweep.method`", "did you mean `grid`"],
    );
}

#[test]
fn errors_inside_nested_schedules_carry_the_whole_path() {
    refused(
        r#"
        [schedule]
        kind = "sequence"
        pieces = [
          { kind = "constant", value = 1 },
          { kind = "warmup", steps = 3, then = { kind = "cosine", start = 1, end = 0, steps = 0 } },
        ]
        boundaries = [5]
        "#,
        &["`schedule.pieces[1].then.steps`", "0 steps", "at least 1"],
    );
    refused(
        r#"schedule = { kind = "piecewise_linear", points = [[0, 1.0], [10, "x"]] }"#,
        &["`schedule.points[1][1]`", "\"x\"", "number"],
    );
    refused(
        r#"schedule = { kind = "multi_step", start = 1, decay_rate = 0.1, milestones = [3, 3] }"#,
        &["milestones[1]", "rising"],
    );
    refused(r#"schedule = { kind = "constant" }"#, &["`schedule.value`", "missing"]);
    refused(r#"schedule = { value = 3 }"#, &["`schedule.kind`", "missing"]);
    refused(r#"schedule = "cosine""#, &["`schedule`", "kind"]);
    refused("steps = 3", &["`schedule`", "missing"]);
}

#[test]
fn numbers_are_checked_for_what_they_are() {
    for (value, part) in [
        ("inf", "finite"),
        ("nan", "finite"),
        ("\"3\"", "without quotes"),
        ("true", "not a number"),
        ("\"5%\"", "not a length"),
        ("1979-05-27", "date"),
    ] {
        refused(&format!("schedule = {{ kind = \"constant\", value = {value} }}"), &["`schedule.value`", part]);
    }
    for (steps, part) in [
        ("-5", "whole number"),
        ("2.5", "whole number"),
        ("\"5\"", "not a length"),
        ("\"5%\"", "add `steps"),
        ("\"x%\"", "percentage"),
        ("0", "at least 1"),
        ("9007199254740993", "largest"),
        ("1e300", "whole number"),
    ] {
        refused(
            &format!("schedule = {{ kind = \"cosine\", start = 1, end = 0, steps = {steps} }}"),
            &["`schedule.steps`", part],
        );
    }
    refused("steps = \"$n\"\nschedule = { kind = \"constant\", value = 1 }", &["`steps`", "neither swept"]);
    refused("steps = 0\nschedule = { kind = \"constant\", value = 1 }", &["`steps`", "from 1"]);
    refused(
        "steps = 10\nfractional_epochs = true\nschedule = { kind = \"constant\", value = 1 }",
        &["`fractional_epochs`", "steps_per_epoch"],
    );
    refused(
        "steps = 9_000_000_000\nsteps_per_epoch = 9_000_000_000\nschedule = { kind = \"constant\", value = 1 }",
        &["`steps`", "largest"],
    );
}

#[test]
fn every_parameter_is_checked() {
    for (schedule, path, part) in [
        (r#"kind = "exponential", start = 1, decay_rate = 0"#, "decay_rate", "greater than 0"),
        (r#"kind = "polynomial", start = 1, end = 0, steps = 3, power = -1"#, "power", "greater than 0"),
        (
            r#"kind = "cosine_power", start = 1, end = 0, steps = 3, power = 0.5, form = "exponential""#,
            "power",
            "at least 1",
        ),
        (r#"kind = "inverse_time", start = 1, decay_rate = -1"#, "decay_rate", "at least 0"),
        (
            r#"kind = "one_cycle", max = 1, initial = 0, final = 0, steps = 9, pct_start = 1.5"#,
            "pct_start",
            "in 0 to 1",
        ),
        (
            r#"kind = "one_cycle", max = 1, initial = 0, final = 0, steps = 9, pct_start = 0.7, three_phase = true"#,
            "pct_start",
            "0.5",
        ),
        (r#"kind = "cosine_restarts", max = 1, min = 0, period = 5, multiplier = 0.5"#, "multiplier", "at least 1"),
        (r#"kind = "slanted_triangular", max = 1, steps = 5, cut_fraction = 1"#, "cut_fraction", "below 1"),
        (r#"kind = "tanh", start = 1, end = 0, steps = 5, lower = 3, upper = 3"#, "upper", "above `lower`"),
        (
            r#"kind = "wsd", peak = 1, warmup_steps = 1, stable_steps = 1, decay_steps = 5, shape = "exponential""#,
            "end",
            "above 0",
        ),
        (
            r#"kind = "warmup", steps = 5, shape = "exponential", then = { kind = "constant", value = 1 }"#,
            "start",
            "above 0",
        ),
        (r#"kind = "piecewise_constant", values = [1, 2], boundaries = [1, 2]"#, "values", "one value more"),
        (r#"kind = "piecewise_linear", points = []"#, "points", "at least one"),
        (r#"kind = "sequence", pieces = []"#, "pieces", "at least one"),
        (
            r#"kind = "sequence", pieces = [{ kind = "constant", value = 1 }, { kind = "constant", value = 1 }]"#,
            "pieces[0]",
            "boundaries",
        ),
        (r#"kind = "product", factors = []"#, "factors", "at least one"),
        (r#"kind = "clamp", of = { kind = "constant", value = 1 }"#, "schedule", "without bounds"),
        (r#"kind = "clamp", min = 2, max = 1, of = { kind = "constant", value = 1 }"#, "min", "above `max`"),
        (r#"kind = "cycle", of = { kind = "constant", value = 1 }"#, "of", "no length"),
    ] {
        refused(&format!("schedule = {{ {schedule} }}"), &[path, part]);
    }
}

#[test]
fn what_cannot_be_lowered_names_both_numbers() {
    refused(
        r#"schedule = { kind = "cosine_restarts", max = 1, min = 0, period = 10, multiplier = 1.001 }"#,
        &["segments", "limit of 4096"],
    );
    let factor = r#"{ kind = "linear", start = 1, end = 0.5, steps = 9 }"#;
    refused(
        &format!("schedule = {{ kind = \"product\", factors = [{}] }}", [factor; 5].join(", ")),
        &["5 factors", "limit of 4"],
    );
    let restarts = r#"{ kind = "cosine_restarts", max = 1, min = 0.1, period = 10, decay = 0.5 }"#;
    refused(
        &format!("schedule = {{ kind = \"product\", factors = [{restarts}, {factor}] }}"),
        &["cannot be compiled", "whole product"],
    );
}

#[test]
fn sweeps_are_checked() {
    let swept = |sweep: &str| format!("schedule = {{ kind = \"constant\", value = \"$x\" }}\n[sweep]\n{sweep}");
    refused(&swept("[sweep.parameters.x]\nmin = 1.5\nmax = 2.0"), &["`sweep.parameters.x.count`", "missing"]);
    refused(
        &swept("[sweep.parameters.x]\nmin = 0.0\nmax = 2.0\ncount = 3\ndistribution = \"log_uniform_values\""),
        &["min", "above 0"],
    );
    refused(&swept("[sweep.parameters.x]\nmin = 3.0\nmax = 2.0\ncount = 3"), &["`min` must be at most `max`"]);
    refused(&swept("[sweep.parameters.x]\nvalues = []"), &["no values"]);
    refused(&swept("[sweep.parameters.x]\nvalues = [1]\nvalue = 1"), &["exactly one of"]);
    refused(&swept("[sweep.parameters.x]\nmin = 1\nmax = 99_999_999_999"), &["limit of 33554432"]);
    refused(&swept("[sweep.parameters.x]\nvalues = [1]\ncount = 3"), &["`sweep.parameters.x.count`", "leave it out"]);
    refused(
        &swept("[sweep.parameters.x]\nvalues = [1]\n[sweep.parameters.y]\nvalues = [1]"),
        &["`sweep.parameters.y`", "not used"],
    );
    for (sweep, parts) in [
        ("method = \"random\"\n[sweep.parameters.x]\nvalues = [1]", &["`sweep.count`", "missing"][..]),
        ("method = \"random\"\ncount = 0\n[sweep.parameters.x]\nvalues = [1]", &["`sweep.count`", "from 1 to"]),
        ("method = \"sobol\"\ncount = 2\nseed = -1\n[sweep.parameters.x]\nvalues = [1]", &["`sweep.seed`", "-1"]),
        ("method = \"bayes\"\n[sweep.parameters.x]\nvalues = [1]", &["`sweep.method`", "\"sobol\""]),
        ("count = 9\n[sweep.parameters.x]\nvalues = [1]", &["`sweep.count`", "random and sobol"]),
        ("[sweep.parameters.x]\nvalues = [1, 2]\nprobabilities = [0.5, 0.5]", &["x.probabilities`", "random or sobol"]),
        ("[sweep.parameters.x]\ndistribution = \"normal\"\nmin = 1", &["x.min`", "`mu`, `sigma`"]),
        ("[sweep.parameters.x]\ndistribution = \"normla\"", &["x.distribution`", "did you mean `normal`"]),
        ("[sweep.parameters.x]\ndistribution = \"beta\"\na = 1\ncount = 3", &["x.b`", "missing"]),
        ("[sweep.parameters.x]\ndistribution = \"beta\"\na = 1\nb = 2", &["x.count`", "missing"]),
        ("programme = \"train.py\"\n[sweep.parameters.x]\nvalues = [1]", &["`sweep.programme`", "unknown key"]),
        ("file = \"no such.yaml\"", &["`sweep`", "no such.yaml"]),
    ] {
        refused(&swept(sweep), parts);
    }
    let drawn = |parameter: &str| swept(&format!("method = \"random\"\ncount = 9\n[sweep.parameters.x]\n{parameter}"));
    for (parameter, parts) in [
        ("min = 1\nmax = 2\ncount = 3", &["x.count`", "beside `method`"][..]),
        ("values = [1, 2]\nprobabilities = [0.5]", &["x.probabilities`", "1 for 2 values"]),
        ("values = [1, 2]\nprobabilities = [0.5, 0.6]", &["x.probabilities`", "1.1"]),
        ("values = [1, 2]\nprobabilities = [1.5, -0.5]", &["x.probabilities`", "-0.5"]),
        ("distribution = \"q_normal\"\nq = 0", &["x.q`", "above 0"]),
        ("distribution = \"normal\"\nsigma = -1", &["x.sigma`", "above 0"]),
        ("distribution = \"log_normal\"\nmu = 700\nsigma = 9", &["parameters.x`", "range of f64"]),
        ("distribution = \"log_uniform\"\nmin = 1\nmax = 1000", &["x.max`", "log_uniform_values"]),
        ("distribution = \"inv_log_uniform_values\"\nmin = 0\nmax = 1000", &["x.min`", "above 0"]),
    ] {
        refused(&drawn(parameter), parts);
    }
    refused(
        "schedule = { kind = \"linear\", start = \"$x\", end = \"$y\", steps = 5 }\n[sweep]\nmethod = \"zip\"\n[sweep.parameters]\nx = { values = [1, 2, 3] }\ny = { values = [1, 2] }",
        &["`sweep.parameters.y`", "2 values", "3"],
    );
    refused(
        "schedule = { kind = \"cosine\", start = 1, end = 0, steps = \"$n\" }\n[sweep.parameters.n]\nvalues = [10, 2.5]",
        &["`schedule.steps`", "2.5", "schedule 1 of the sweep: n = 2.5"],
    );
}

#[test]
fn texts_that_are_no_specs_are_refused_quickly() {
    refused("schedule = {", &["not TOML", "line 1"]);
    assert!(Spec::from_json("{").unwrap_err().to_string().contains("not JSON"));
    assert!(Spec::from_json("[]").unwrap_err().to_string().contains("a table"));
    let deep = format!("{}1{}", "{\"kind\":\"scale\",\"by\":1,\"of\":".repeat(70), "}".repeat(70));
    assert!(Spec::from_json(&format!("{{\"schedule\":{deep}}}")).unwrap_err().to_string().contains("deep"));
    let deeper = "[".repeat(100_000);
    assert!(Spec::from_json(&deeper).is_err());
    assert!(Spec::from_toml(&format!("a = {deeper}")).is_err());
    assert!(Spec::from_toml(&"#".repeat(17 << 20)).unwrap_err().to_string().contains("limit"));
}

#[test]
fn percentages_round_to_the_nearest_step_of_the_horizon() {
    let batch = compiled("steps = 150\nschedule = { kind = \"linear\", start = 0, end = 8, steps = \"5%\" }");
    assert_eq!([0, 4, 8, 9].map(|step| batch.value(0, step)), [0.0, 4.0, 8.0, 8.0]);
}

#[test]
fn percentages_are_exact_at_the_largest_horizons() {
    for (share, steps) in [("50%", 2_251_799_813_685_249), ("33.3%", 1_499_698_675_914_376), ("0.0000001%", 4_503_600)]
    {
        let spec = Spec::from_toml(&format!(
            "steps = 4_503_599_627_370_497\nschedule = {{ kind = \"linear\", start = 0, end = 1, steps = \"{share}\" }}"
        ));
        assert_eq!(spec.unwrap().schedule(0).unwrap().length(), Some(steps), "{share}");
    }
}

#[test]
fn values_out_of_range_together_are_refused() {
    refused(
        r#"schedule = { kind = "linear", start = -1.7e308, end = 1.7e308, steps = 9 }"#,
        &["`schedule`", "too far apart"],
    );
    let constants = ["1e200", "1e200", "1e-300"].map(|value| format!("{{ kind = \"constant\", value = {value} }}"));
    refused(
        &format!("schedule = {{ kind = \"product\", factors = [{}] }}", constants.join(", ")),
        &["range of f64", "beforehand"],
    );
}

#[test]
fn a_grid_varies_its_last_parameter_fastest() {
    let spec = Spec::from_toml(
        r#"
        schedule = { kind = "linear", start = "$a", end = "$b", steps = 10 }
        [sweep.parameters]
        a = { min = 1e-4, max = 1e-2, count = 3, distribution = "log_uniform_values" }
        b = { range = { start = 0.0, end = 0.3, step = 0.1 } }
        "#,
    )
    .unwrap();
    assert_eq!(spec.len(), 9);
    assert_eq!(spec.parameter_names(), ["a", "b"]);
    assert_eq!([spec.point(0), spec.point(1), spec.point(8)], [[1e-4, 0.0], [1e-4, 0.1], [1e-2, 0.2]]);
    assert!((spec.point(3)[0] / 1e-3 - 1.0).abs() < 1e-15);
    let batch = spec.compile().unwrap();
    assert_eq!((batch.value(8, 0), batch.value(8, 10)), (1e-2, 0.2));
}

#[test]
fn a_zip_goes_in_step_and_repeats_single_values() {
    let spec = Spec::from_json(
        r#"{"schedule": {"kind": "linear", "start": "$a", "end": "$b", "steps": "$n"},
            "sweep": {"method": "zip", "parameters": {
              "a": {"values": [1, 2, 3]}, "b": {"value": 0.5}, "n": {"min": 4, "max": 6}}}}"#,
    )
    .unwrap();
    assert_eq!(spec.len(), 3);
    assert_eq!(spec.point(2), [3.0, 0.5, 6.0]);
    assert_eq!(spec.table_steps().unwrap(), 6);
}

#[test]
fn epochs_count_in_epochs() {
    let text = |fractional| {
        format!(
            "steps = 4\nsteps_per_epoch = 10\nfractional_epochs = {fractional}\nschedule = {{ kind = \"linear\", start = 4, end = 0, steps = 4 }}"
        )
    };
    let (whole, fractional) = (compiled(&text(false)), compiled(&text(true)));
    assert_eq!(Spec::from_toml(&text(true)).unwrap().horizon(), Some(40));
    assert_eq!([0, 9, 10, 39, 40].map(|step| whole.value(0, step)), [4.0, 4.0, 3.0, 1.0, 0.0]);
    assert_eq!([0, 5, 10, 35, 40].map(|step| fractional.value(0, step)), [4.0, 3.5, 3.0, 0.5, 0.0]);
}

#[test]
fn momentum_is_a_second_schedule_of_the_same_sweep() {
    let spec = Spec::from_toml(
        "schedule = { kind = \"constant\", value = \"$x\" }\nmomentum = { kind = \"scale\", by = \"$x\", of = { kind = \"constant\", value = 10 } }\n[sweep.parameters.x]\nvalues = [1, 2]",
    )
    .unwrap();
    let momentum = spec.compile_momentum().unwrap().unwrap();
    assert_eq!([0, 1].map(|row| momentum.value(row, 3)), [10.0, 20.0]);
}

#[test]
fn a_schedule_built_in_code_compiles_like_its_text() {
    use lrgrid::schedule::{Cosine, Schedule, Warmup, WarmupShape};
    let built = Schedule::from(Warmup {
        steps: 10,
        start: 0.0,
        shape: WarmupShape::Linear,
        then: Box::new(Cosine { start: 0.1, end: 1e-38, steps: (1 << 53) - 11 }.into()),
        overlay: false,
    });
    let batch = Spec::from(built.clone()).compile().unwrap();
    for step in [0, 5, 10, 1 << 40, (1 << 53) - 1] {
        assert_eq!(batch.value(0, step), built.value(step));
    }
    let broken = Schedule::from(Cosine { start: f64::NAN, end: 0.0, steps: 5 });
    assert!(Spec::from(broken).compile().unwrap_err().to_string().contains("schedule.start"));
}

#[test]
fn a_key_that_stands_twice_is_refused_with_its_path() {
    let json = |text: &str| Spec::from_json(text).unwrap_err().to_string();
    let twice = r#"{"schedule": {"kind": "linear", "start": 1, "end": 0, "steps": 10, "steps": 20}, "steps": 3}"#;
    let error = json(twice);
    assert!(error.contains("`schedule.steps`") && error.contains("duplicate key at line 1 column"), "{error}");
    // In TOML and in YAML it is an error of the language.
    let toml = "schedule = { kind = 'constant', value = 1 }\nsteps = 3\nsteps = 5";
    refused(toml, &["line 3", "duplicate key"]);
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("sweep.json", "{\"parameters\": {\"x\": {\"value\": 1, \"value\": 2}}}"),
        #[cfg(feature = "yaml")]
        ("sweep.yaml", "parameters:\n  x:\n    value: 1\n    value: 2\n"),
        ("sweep.toml", "[parameters.x]\nvalue = 1\nvalue = 2\n"),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        let overrides = lrgrid::spec::Overrides::default().sweep_file(&path);
        let spec = "schedule = { kind = 'constant', value = '$x' }";
        let error = Spec::from_toml_with(spec, &overrides).unwrap_err().to_string();
        assert!(error.contains(name) && error.contains("duplicate"), "{error}");
    }
}
