//! A sweep's batch is that of its schedules one by one, however the work is cut, shared and cut short.
#![expect(clippy::unwrap_used, reason = "a test's helpers may fail as tests do")]

use lrgrid::packed::{PackedHeight, PackedSegment, PackedStage, PackedTrack};
use lrgrid::schedule::{KINDS, Schedule};
use lrgrid::{Batch, Spec};
use proptest::prelude::*;
use rayon::ThreadPoolBuilder;
use serde_json::{Value, json};

/// The schedule with every number that belongs to its height swept, or 0 where `zeros` says so.
fn swept(one: &Value, twice: &Value, zeros: &mut u64) -> Value {
    match (one, twice) {
        (Value::Array(a), Value::Array(b)) => a.iter().zip(b).map(|(a, b)| swept(a, b, zeros)).collect(),
        (Value::Object(a), Value::Object(b)) => {
            a.iter().map(|(key, value)| (key.clone(), swept(value, &b[key], zeros))).collect()
        }
        (a, b) if a == b => a.clone(),
        _ => {
            *zeros = zeros.rotate_right(1);
            if *zeros >> 63 == 1 { json!(0) } else { json!("$peak") }
        }
    }
}

type Row = (Vec<PackedStage>, Vec<PackedTrack>, Vec<PackedSegment>, Vec<PackedHeight>);

/// The packed form of one row, its indices counted from the row's own.
fn row(batch: &Batch, index: usize) -> Row {
    let program = &batch.programs()[index];
    let (stage, segment) = (program.stage_first as usize, program.segment_first as usize);
    let height = program.height_first as usize;
    let mut stages = batch.stages()[stage..stage + program.stage_count as usize].to_vec();
    let first = stages[0].track_first;
    let tracks = stages.iter().map(|stage| stage.track_count as usize).sum::<usize>();
    stages.iter_mut().for_each(|stage| stage.track_first -= first);
    (
        stages,
        batch.tracks()[first as usize..first as usize + tracks].to_vec(),
        batch.segments()[segment..segment + program.segment_count as usize].to_vec(),
        batch.heights()[height..height + program.height_count as usize].to_vec(),
    )
}

fn compile(schedule: &Value, peaks: &[f64]) -> Result<Batch, String> {
    let spec = json!({ "schedule": schedule, "sweep": { "parameters": { "peak": { "values": peaks } } } });
    Spec::from_json(&spec.to_string()).and_then(|spec| spec.compile()).map_err(|error| error.to_string())
}

/// Schedules of every kind, some within others.
fn schedules() -> Vec<Schedule> {
    let plain: Vec<Schedule> = KINDS.iter().flat_map(|kind| (kind.examples)()).collect();
    let within = |schedule: &Schedule| {
        ["delay", "scale", "warmup", "overlay"].map(|kind| match kind {
            "delay" => json!({ "kind": kind, "steps": 7, "of": schedule }),
            "scale" => json!({ "kind": kind, "by": 0.3, "of": schedule }),
            _ => json!({ "kind": "warmup", "steps": 77, "overlay": kind == "overlay", "then": schedule }),
        })
    };
    let read = |value: Value| Spec::from_json(&json!({ "schedule": value }).to_string()).unwrap().schedule(0).unwrap();
    let nested: Vec<Schedule> = plain.iter().flat_map(within).map(read).collect();
    [plain, nested].concat()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_sweep_over_the_peak_packs_the_same_bits_as_its_schedules_one_by_one(
        peaks in prop::collection::vec((-40.0..40.0_f64, -1.0..1.0_f64), 8..12), zeros in any::<u64>(), all in any::<bool>(),
    ) {
        let peaks: Vec<f64> = peaks.iter().map(|(exponent, mantissa)| mantissa * exponent.exp2()).chain([0.0, 1.0, 5e-324, 1e308]).collect();
        let mut compared = 0;
        for schedule in schedules() {
            let Some(twice) = schedule.scaled(2.0) else { continue };
            let (one, twice) = (serde_json::to_value(&schedule).unwrap(), serde_json::to_value(twice).unwrap());
            let document = swept(&one, &twice, &mut if all { 0 } else { zeros });
            // What is refused alone is refused in a sweep.
            let singles = peaks.iter().filter_map(|&peak| Some((peak, compile(&document, &[peak]).ok()?)));
            let (valid, singles): (Vec<f64>, Vec<Batch>) = singles.unzip();
            if valid.len() < 8 {
                continue;
            }
            let batch = compile(&document, &valid).unwrap();
            for (index, single) in singles.iter().enumerate() {
                prop_assert_eq!(row(&batch, index), row(single, 0), "{} at {:e}", document, valid[index]);
                compared += 1;
            }
        }
        prop_assert!(compared > 1000 || !all, "{} rows", compared);
    }
}

fn in_pool(threads: usize, spec: &Spec) -> Result<Batch, String> {
    let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| spec.compile()).map_err(|error| error.to_string())
}

#[test]
fn a_batch_is_the_same_for_any_number_of_threads() {
    let spec = Spec::from_toml(
        r#"
        schedule = { kind = "sequence", boundaries = ["$n"], pieces = [
          { kind = "cosine_restarts", max = "$peak", min = 1e-6, period = "$n" },
          { kind = "cosine", start = "$peak", end = 0, steps = 1000 },
        ] }
        [sweep.parameters]
        n = { min = 100, max = 399 }
        peak = { min = 1e-4, max = 1e-2, count = 37, distribution = "log_uniform_values" }
        "#,
    )
    .unwrap();
    let whole = in_pool(1, &spec).unwrap();
    assert_eq!(whole.len(), 300 * 37);
    for threads in [2, 5] {
        let batch = in_pool(threads, &spec).unwrap();
        assert_eq!(batch.programs(), whole.programs());
        assert_eq!((batch.stages(), batch.tracks()), (whole.stages(), whole.tracks()));
        assert_eq!((batch.segments(), batch.heights()), (whole.segments(), whole.heights()));
    }
    // Each structure once, and each timing: the stages and the two segments of 300 periods.
    assert_eq!(whole.stages().len(), 2 * 300);
    assert_eq!((whole.segments().len(), whole.heights().len()), (2 * 300, 2 * 300 * 37));
}

#[test]
fn a_schedule_of_one_piece_takes_few_bytes() {
    let bytes = |parameters: &str| {
        let text = format!("schedule = {{ kind = 'cosine', start = '$peak', end = 1e-6, steps = '$n' }}\n{parameters}");
        let batch = Spec::from_toml(&text).unwrap().compile().unwrap();
        assert_eq!((batch.len(), batch.as_bytes().len()), (10_000, batch.size()));
        batch.size() as f64 / batch.len() as f64
    };
    let peaks = bytes("[sweep.parameters]\npeak = { min = 1e-4, max = 1e-2, count = 10_000 }\nn = { value = 900 }");
    assert!(peaks < 49.0, "{peaks}");
    let lengths = bytes("[sweep.parameters]\npeak = { value = 1e-3 }\nn = { min = 1000, max = 10_999 }");
    assert!(lengths < 129.0, "{lengths}");
}

#[test]
fn the_first_wrong_point_is_the_one_reported() {
    let mut lengths: Vec<f64> = (1..20_000).map(f64::from).collect();
    for wrong in [19_000, 7_001, 7_000, 1_500] {
        lengths[wrong] = 0.0;
        let spec = json!({
            "schedule": { "kind": "cosine", "start": 1, "end": 0, "steps": "$n" },
            "sweep": { "parameters": { "n": { "values": lengths } } },
        });
        let spec = Spec::from_json(&spec.to_string()).unwrap();
        for threads in [1, 3] {
            let error = in_pool(threads, &spec).unwrap_err();
            assert!(error.contains(&format!("(schedule {wrong} of the sweep: n = 0)")), "{error}");
            assert!(error.contains("`schedule.steps`"), "{error}");
        }
    }
}

#[test]
fn a_library_computes_with_its_arguments_at_every_point() {
    for call in [
        json!({ "library": "torch", "name": "OneCycleLR", "args": { "max_lr": "$peak", "total_steps": 90 } }),
        json!({ "library": "torch", "name": "LinearLR", "args": { "lr": "$peak" } }),
        json!({ "library": "optax", "name": "cosine_decay_schedule", "args": {
            "init_value": "$peak", "decay_steps": 90, "alpha": 0.1 } }),
    ] {
        let peaks: Vec<f64> = (1..40).map(|n| 0.1 / f64::from(n)).collect();
        let batch = compile(&call, &peaks).unwrap();
        for (index, &peak) in peaks.iter().enumerate() {
            assert_eq!(row(&batch, index), row(&compile(&call, &[peak]).unwrap(), 0), "{call} at {peak}");
        }
    }
}

#[test]
fn a_batch_ends_with_its_first_schedule_wherever_that_lies() {
    let of = json!({ "kind": "linear", "start": "$peak", "end": 0, "steps": 9 });
    let ends: Vec<u64> = (0..5000).map(|point| 100 + (point + 1500) % 5000).collect();
    for (schedule, last) in [
        (json!({ "kind": "until", "last": "$end", "of": of }), Some(100)),
        (json!({ "kind": "until", "last": 77, "of": of }), Some(77)),
        (of, None),
    ] {
        let mut parameters = json!({ "peak": { "min": 1, "max": 20, "count": 20, "distribution": "uniform" } });
        if schedule["last"] == "$end" {
            parameters = json!({ "end": { "values": ends }, "peak": { "value": 2 } });
        }
        let spec = json!({ "schedule": schedule, "sweep": { "parameters": parameters } });
        let spec = Spec::from_json(&spec.to_string()).unwrap();
        for threads in [1, 3] {
            let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            assert_eq!(pool.install(|| spec.compile()).unwrap().last_step(), last, "{schedule} on {threads} threads");
        }
    }
}
