//! Sweep files of W&B, as they are.

use std::fs;

use crate::program::{WANDB, error, lrgrid, one_line, output};

#[test]
fn a_sweep_file_of_wandb_is_taken_as_it_is() {
    let notes = |arguments: &[&str]| {
        let assert = lrgrid().args(arguments).assert().success();
        String::from_utf8(assert.get_output().stderr.clone()).unwrap()
    };
    let said = notes(&["sweep", WANDB]);
    for word in ["`program`, `metric`, `early_terminate`:", "`optimizer`, `batch_size`:", "note: wandb_sweep.yaml: "] {
        assert!(said.contains(word), "{said}");
    }
    assert!(output(&["sweep", WANDB]).starts_with("random, 50 points, seed 0\n"));
    let whole = output(&["sweep", WANDB, "--list"]);
    for line in whole.lines().skip(1) {
        let values: Vec<f64> = line.split(',').map(|cell| cell.parse().unwrap()).collect();
        assert!((1e-4..=0.1).contains(&values[1]) && (0.05..=0.4).contains(&values[2]), "{line}");
    }
    // From the command line, and in JSON, to the same points.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sweep.json");
    let text = r#"{"program": "train.py", "method": "random", "run_cap": 50, "parameters": {"opt": {"values": ["a"]},
        "learning_rate": {"distribution": "log_uniform_values", "min": 1e-4, "max": 0.1},
        "nested": {"parameters": {"unused": {"value": true}}}, "warmup_ratio": {"min": 0.05, "max": 0.4}}}"#;
    fs::write(&path, text).unwrap();
    let arguments = ["sweep", WANDB, "--list", "--sweep", path.to_str().unwrap()];
    let assert = lrgrid().args(arguments).assert().success();
    assert_eq!(String::from_utf8_lossy(&assert.get_output().stdout), whole);
    fs::write(&path, text.replace("\"random\"", "\"bayes\"")).unwrap();
    let refused = error(&arguments, 2);
    assert!(one_line(&refused).contains("bayes") && refused.contains("sobol"), "{refused}");
    for (name, text, part) in
        [("a.yaml", "a: [1", "not YAML: line"), ("a.yaml", "5", "a table"), ("a.txt", "", ".yaml, .json or .toml")]
    {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        let refused = error(&["sweep", WANDB, "--sweep", path.to_str().unwrap()], 2);
        assert!(one_line(&refused).contains(part), "{refused}");
    }
}
