//! Reduces a spec with an error to a smaller one with the same error: parts of it, fewer pieces, simpler numbers.

use serde_json::{Map, Value};

/// Candidates that are tried at most.
const MOST_TRIES: usize = 600;

/// The smallest document found for which `still` holds, as it does for `document`.
pub(super) fn shrink(document: Value, mut still: impl FnMut(&Value) -> bool) -> Value {
    let mut smallest = document;
    let mut tries = 0;
    'again: loop {
        for candidate in candidates(&smallest) {
            if tries == MOST_TRIES {
                return smallest;
            }
            tries += 1;
            if still(&candidate) {
                smallest = candidate;
                continue 'again;
            }
        }
        return smallest;
    }
}

/// Simpler documents, the simplest first.
fn candidates(document: &Value) -> Vec<Value> {
    let Value::Object(keys) = document else { return Vec::new() };
    let mut found = Vec::new();
    let with = |key: &str, value: Value| {
        let mut keys = keys.clone();
        keys.insert(key.to_owned(), value);
        Value::Object(keys)
    };
    let without = |keys: &Map<String, Value>, key: &str| {
        let mut keys = keys.clone();
        keys.shift_remove(key);
        keys
    };
    if keys.contains_key("steps_per_epoch") {
        found.push(Value::Object(without(&without(keys, "steps_per_epoch"), "fractional_epochs")));
    }
    if let Some(schedule) = keys.get("schedule") {
        found.extend(plainer_schedules(schedule).into_iter().map(|schedule| with("schedule", schedule)));
    }
    for key in ["steps_per_epoch", "steps"] {
        found.extend(keys.get(key).map(plainer_numbers).into_iter().flatten().map(|number| with(key, number)));
    }
    found
}

/// Whether this is a schedule.
fn is_schedule(value: &Value) -> bool {
    value.get("kind").is_some()
}

/// Simpler replacements of this schedule.
fn plainer_schedules(value: &Value) -> Vec<Value> {
    let mut found = Vec::new();
    if is_schedule(value) {
        // A part in the place of the whole.
        let Value::Object(keys) = value else { return found };
        for part in keys.values() {
            match part {
                Value::Array(items) => found.extend(items.iter().filter(|item| is_schedule(item)).cloned()),
                part if is_schedule(part) => found.push(part.clone()),
                _ => {}
            }
        }
        if !keys.is_empty() && keys["kind"] != "constant" {
            found.push(serde_json::json!({ "kind": "constant", "value": 1.0 }));
        }
        found.extend(shorter_lists(keys));
    }
    match value {
        Value::Object(keys) => {
            for (key, inner) in keys.iter().filter(|(key, _)| *key != "kind") {
                let mut left_out = keys.clone();
                left_out.shift_remove(key);
                // Refused where the key has no default.
                if !inner.is_object() && !inner.is_array() {
                    found.push(Value::Object(left_out));
                }
                for plainer in plainer_schedules(inner) {
                    let mut keys = keys.clone();
                    keys.insert(key.clone(), plainer);
                    found.push(Value::Object(keys));
                }
            }
        }
        Value::Array(items) => {
            for (index, inner) in items.iter().enumerate() {
                for plainer in plainer_schedules(inner) {
                    let mut items = items.clone();
                    items[index] = plainer;
                    found.push(Value::Array(items));
                }
            }
        }
        Value::Number(_) => found.extend(plainer_numbers(value)),
        _ => {}
    }
    found
}

/// The same schedule with one element less in its lists; lists that go together lose theirs together.
fn shorter_lists(keys: &Map<String, Value>) -> Vec<Value> {
    let longest = keys.values().filter_map(Value::as_array).map(Vec::len).max().unwrap_or(0);
    let mut found = Vec::new();
    for index in 0..longest {
        // Boundaries are one less than what they are between.
        for shift in [0, 1] {
            let mut shorter = keys.clone();
            for (key, list) in &mut shorter {
                let Value::Array(items) = list else { continue };
                let at = if key == "boundaries" { index.saturating_sub(shift) } else { index };
                if at < items.len() {
                    items.remove(at);
                }
            }
            if shorter != *keys {
                found.push(Value::Object(shorter));
            }
        }
    }
    found
}

/// Simpler numbers than this one.
fn plainer_numbers(value: &Value) -> Vec<Value> {
    if let Some(whole) = value.as_u64() {
        let smaller = [1, whole / 1000, whole / 10, whole / 2, whole - whole % 10, whole.saturating_sub(1)];
        let mut found: Vec<u64> = smaller.into_iter().filter(|&number| number < whole).collect();
        found.dedup();
        return found.into_iter().map(Value::from).collect();
    }
    let Some(number) = value.as_f64() else { return Vec::new() };
    let rounded = |digits: usize| format!("{number:.digits$e}").parse::<f64>().unwrap_or(number);
    let size = |number: f64| (format!("{number:e}").len(), number.abs().log10().abs());
    let plainer = [0.0, 1.0, 0.5, 2.0, -1.0, rounded(0), rounded(1), rounded(3), number.trunc(), number.abs()];
    let simpler = |&other: &f64| {
        other.is_finite() && other != number && (size(other).0, other != 0.0) < (size(number).0, number != 0.0)
    };
    let mut found: Vec<f64> = plainer.into_iter().filter(simpler).collect();
    found.dedup();
    found.into_iter().map(Value::from).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_does_not_matter_is_left_out() {
        let cosine = json!({ "kind": "cosine", "start": 0.123_456, "end": 1e-5, "steps": 1234 });
        let sequence = json!({
            "kind": "sequence",
            "pieces": [{ "kind": "constant", "value": 3.0 }, { "kind": "scale", "by": 0.7, "of": cosine }],
            "boundaries": [17],
        });
        let document = json!({ "steps_per_epoch": 7, "fractional_epochs": true, "schedule": sequence });
        let contains = |document: &Value| {
            document.to_string().contains("cosine") && document.to_string().contains("\"steps\":1234")
        };
        let smallest = shrink(document, contains);
        assert_eq!(smallest["schedule"]["kind"], "cosine");
        assert_eq!(smallest.as_object().map(Map::len), Some(1), "{smallest}");
        assert_eq!(smallest["schedule"].get("start"), None, "{smallest}");
    }

    #[test]
    fn what_always_holds_ends() {
        let document = json!({ "schedule": { "kind": "linear", "start": 1.5, "end": 0.25, "steps": 1000 } });
        let parses = |document: &Value| lrgrid::spec::Spec::from_json(&document.to_string()).is_ok();
        let smallest = shrink(document, parses);
        assert_eq!(smallest, json!({ "schedule": { "kind": "constant", "value": 0.0 } }));
    }
}
