//! Random and Sobol sweeps: distributions by their moments, slices of the whole, and what a seed settles.
#![expect(clippy::unwrap_used, reason = "a test's helpers may fail as tests do")]

use lrgrid::Spec;
use lrgrid::sweep::MAX_SCHEDULES;
use serde_json::{Value, json};

fn spec(method: &str, count: usize, seed: u64, parameters: Value) -> Spec {
    let product: Vec<Value> = parameters
        .as_object()
        .unwrap()
        .keys()
        .map(|name| json!({ "kind": "constant", "value": format!("${name}") }))
        .collect();
    let text = json!({
        "steps": 4,
        "schedule": { "kind": "sum", "terms": product },
        "sweep": { "method": method, "count": count, "seed": seed, "parameters": parameters },
    });
    Spec::from_json(&text.to_string()).unwrap()
}

fn column(spec: &Spec, parameter: usize) -> Vec<f64> {
    (0..spec.len()).map(|index| spec.point(index)[parameter]).collect()
}

/// Mean and standard deviation.
fn moments(values: &[f64]) -> (f64, f64) {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let square = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64;
    (mean, square.sqrt())
}

#[test]
fn every_distribution_has_its_moments() {
    let third = 1.0 / 12_f64.sqrt();
    let (low, high) = (1e-4_f64.ln(), 1e-1_f64.ln());
    // Parameter, whether the logarithm is looked at, mean and standard deviation.
    let cases = [
        (json!({ "min": -1.0, "max": 3.0 }), false, 1.0, 4.0 * third),
        (json!({ "min": 1, "max": 6 }), false, 3.5, (35.0_f64 / 12.0).sqrt()),
        (
            json!({ "min": 1e-4, "max": 1e-1, "distribution": "log_uniform_values" }),
            true,
            (low + high) / 2.0,
            (high - low) * third,
        ),
        (
            json!({ "min": low, "max": high, "distribution": "log_uniform" }),
            true,
            (low + high) / 2.0,
            (high - low) * third,
        ),
        (
            json!({ "min": 1e-4, "max": 1e-1, "distribution": "inv_log_uniform_values" }),
            true,
            (low + high) / 2.0,
            (high - low) * third,
        ),
        (
            json!({ "min": low, "max": high, "distribution": "inv_log_uniform" }),
            true,
            -(low + high) / 2.0,
            (high - low) * third,
        ),
        (json!({ "distribution": "normal", "mu": 2, "sigma": 0.5 }), false, 2.0, 0.5),
        (json!({ "distribution": "normal" }), false, 0.0, 1.0),
        (json!({ "distribution": "log_normal", "mu": -3, "sigma": 0.7 }), true, -3.0, 0.7),
        (json!({ "distribution": "beta", "a": 2, "b": 5 }), false, 2.0 / 7.0, (10.0_f64 / 392.0).sqrt()),
        (json!({ "values": [1, 2, 10], "probabilities": [0.5, 0.3, 0.2] }), false, 3.1, 12.09_f64.sqrt()),
        (json!({ "values": [1, 2, 3] }), false, 2.0, (2.0_f64 / 3.0).sqrt()),
        (json!({ "range": { "start": 10, "end": 14, "step": 1 } }), false, 11.5, 1.25_f64.sqrt()),
        (json!({ "value": 7 }), false, 7.0, 0.0),
        (json!({ "distribution": "constant", "value": 7 }), false, 7.0, 0.0),
        // Half the weight at either end.
        (json!({ "distribution": "q_uniform", "min": 0, "max": 4, "q": 2 }), false, 2.0, 2_f64.sqrt()),
    ];
    let parameters: Value = cases
        .iter()
        .enumerate()
        .map(|(index, case)| (format!("p{index}"), case.0.clone()))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let count = 1 << 14;
    for (method, within) in [("random", 5.0 / f64::from(count).sqrt()), ("sobol", 0.02 / f64::from(count).sqrt())] {
        let spec = spec(method, count as usize, 3, parameters.clone());
        for (index, (parameter, logarithm, mean, deviation)) in cases.iter().enumerate() {
            let values = column(&spec, index);
            let values: Vec<f64> = if *logarithm { values.iter().map(|value| value.ln()).collect() } else { values };
            let found = moments(&values);
            // Listed values are off by their share of the last point at most; a normal's tails weigh more.
            let bound = within.max(2.0 / f64::from(count)) * deviation * 4.0;
            assert!((found.0 - mean).abs() <= bound, "{method} {parameter}: mean {} for {mean}", found.0);
            assert!((found.1 - deviation).abs() <= 4.0 * bound, "{method} {parameter}: {} for {deviation}", found.1);
        }
    }
}

#[test]
fn rounded_distributions_are_multiples_of_q() {
    for (parameter, q) in [
        (json!({ "distribution": "q_log_uniform_values", "min": 32, "max": 256, "q": 8 }), 8.0),
        (json!({ "distribution": "q_log_uniform", "min": 1, "max": 5, "q": 0.5 }), 0.5),
        (json!({ "distribution": "q_normal", "sigma": 9 }), 1.0),
        (json!({ "distribution": "q_log_normal", "mu": 3, "q": 4 }), 4.0),
        (json!({ "distribution": "q_beta", "a": 2, "b": 2, "q": 0.125 }), 0.125),
    ] {
        let spec = spec("random", 500, 1, json!({ "x": parameter }));
        let values = column(&spec, 0);
        assert!(values.iter().all(|value| (value / q).fract() == 0.0), "{parameter}");
        assert!(values.iter().any(|value| *value != values[0]), "{parameter}");
    }
}

#[test]
fn a_slice_of_a_sweep_is_that_slice_of_the_whole() {
    let parameters =
        json!({ "a": { "min": 0.0, "max": 1.0 }, "b": { "distribution": "log_normal" }, "c": { "values": [1, 2] } });
    for method in ["random", "sobol"] {
        let spec = spec(method, 3000, 11, parameters.clone());
        let whole = spec.compile().unwrap();
        for rows in [0..1, 17..530, 2999..3000, 1000..1000] {
            let slice = spec.compile_rows(rows.clone()).unwrap();
            assert_eq!(slice.len(), rows.len());
            for (local, row) in rows.enumerate() {
                assert_eq!(slice.program(local), whole.program(row), "{method} {row}");
                assert_eq!(slice.value(local, 1), whole.value(row, 1), "{method} {row}");
                assert_eq!(slice.value(local, 1), spec.schedule(row).unwrap().value(1), "{method} {row}");
            }
        }
        assert!(spec.compile_rows(2999..3001).unwrap_err().to_string().contains("3000"));
    }
}

#[test]
fn a_seed_settles_every_value_and_another_parameter_changes_none() {
    let a = json!({ "min": 0.0, "max": 1.0 });
    let of = |method, seed, parameters| column(&spec(method, 64, seed, parameters), 0);
    let alone = of("random", 5, json!({ "a": a }));
    assert_eq!(alone, of("random", 5, json!({ "a": a })));
    assert_eq!(alone, of("random", 5, json!({ "a": a, "b": a })));
    assert_eq!(alone, column(&spec("random", 64, 5, json!({ "b": a, "a": a })), 1));
    assert_ne!(alone, of("random", 6, json!({ "a": a })));
    assert_ne!(alone, of("random", 5, json!({ "b": a })));
    assert_ne!(of("sobol", 5, json!({ "a": a })), of("sobol", 6, json!({ "a": a })));
    // More points begin with the same ones.
    assert_eq!(column(&spec("sobol", 1000, 5, json!({ "a": a })), 0)[..64], of("sobol", 5, json!({ "a": a })));
    // These are the values that any later version must give too.
    let known = [0.4323968376378774, 0.5009461585985354, 0.6891846141236074];
    assert_eq!(of("random", 0, json!({ "x": a }))[..3], known);
}

#[test]
fn a_sobol_sweep_has_one_point_in_every_interval() {
    let parameters: Value =
        (0..6).map(|n| (format!("p{n}"), json!({ "min": 0.0, "max": 1.0 }))).collect::<serde_json::Map<_, _>>().into();
    let spec = spec("sobol", 1024, 9, parameters);
    for parameter in 0..6 {
        let mut places: Vec<usize> = column(&spec, parameter).iter().map(|value| (value * 1024.0) as usize).collect();
        places.sort_unstable();
        assert!(places.into_iter().eq(0..1024), "parameter {parameter}");
    }
}

#[test]
fn the_largest_sweep_has_a_last_point() {
    for method in ["random", "sobol"] {
        let spec = spec(method, MAX_SCHEDULES, 1, json!({ "x": { "min": 0.0, "max": 1.0 } }));
        let last = spec.point(MAX_SCHEDULES - 1)[0];
        assert!(last > 0.0 && last < 1.0);
        assert_eq!(spec.compile_rows(MAX_SCHEDULES - 1..MAX_SCHEDULES).unwrap().value(0, 3), last);
    }
}

#[test]
fn too_many_dimensions_are_refused() {
    let parameters: serde_json::Map<_, _> =
        (0..257).map(|n| (format!("p{n}"), json!({ "min": 0.0, "max": 1.0 }))).collect();
    let terms: Vec<Value> =
        parameters.keys().map(|name| json!({ "kind": "constant", "value": format!("${name}") })).collect();
    let text = json!({ "steps": 4, "schedule": { "kind": "sum", "terms": terms },
        "sweep": { "method": "sobol", "count": 4, "parameters": parameters } });
    let error = Spec::from_json(&text.to_string()).unwrap_err().to_string();
    assert!(error.contains("257 parameters") && error.contains("random"), "{error}");
}

#[test]
fn grids_of_distributions_without_ends_lie_evenly_in_probability() {
    let text = json!({ "steps": 4, "schedule": { "kind": "constant", "value": "$x" },
        "sweep": { "parameters": { "x": { "distribution": "normal", "mu": 1, "count": 3 } } } });
    let spec = Spec::from_json(&text.to_string()).unwrap();
    let values = column(&spec, 0);
    assert_eq!((spec.len(), values[1]), (3, 1.0));
    // The quantile of 1/6.
    assert!(
        (values[0] - (1.0 - 0.967_421_566_101_701)).abs() < 1e-14 && (values[2] - 1.967_421_566_101_701).abs() < 1e-14
    );
    let listed = |parameter: Value| {
        let text = json!({ "steps": 4, "schedule": { "kind": "constant", "value": "$x" }, "sweep": { "parameters": { "x": parameter } } });
        column(&Spec::from_json(&text.to_string()).unwrap(), 0)
    };
    assert_eq!(
        listed(json!({ "distribution": "q_uniform", "min": 0, "max": 1, "q": 0.25 })),
        [0.0, 0.25, 0.5, 0.75, 1.0]
    );
    assert_eq!(listed(json!({ "distribution": "int_uniform", "min": 1, "max": 9, "count": 3 })), [1.0, 5.0, 9.0]);
    assert_eq!(listed(json!({ "min": 1, "max": 3 })), [1.0, 2.0, 3.0]);
    assert_eq!(
        listed(json!({ "distribution": "inv_log_uniform_values", "min": 0.01, "max": 1, "count": 2 })),
        [1.0, 0.01]
    );
}
