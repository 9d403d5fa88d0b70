//! The JSON schema of specs, derived from the structs that parse them.

use schemars::generate::SchemaSettings;
use schemars::transform::transform_subschemas;
use schemars::{Schema, json_schema as schema};
use serde_json::{Map, Value};

use super::sweep::WANDB_KEYS;
use crate::dialect::call_schemas;
use crate::schedule::Schedule;
use crate::sweep::{Method, Parameter};

/// The JSON schema of a spec.
///
/// ```
/// let schema = lrgrid::spec::json_schema();
/// assert!(schema["properties"]["schedule"].is_object());
/// ```
#[must_use]
pub fn json_schema() -> Value {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let schedule = generator.subschema_for::<Schedule>();
    let calls = call_schemas(&mut generator);
    let (method, parameter) = (generator.subschema_for::<Method>(), generator.subschema_for::<Parameter>());
    let mut definitions: Map<String, Value> = generator.take_definitions(true).into_iter().collect();
    in_a_librarys_terms(&mut definitions, calls);
    let sweep = sweep(method, parameter);
    let mut document = schema!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "lrgrid spec",
        "description": "A learning-rate schedule, or a sweep of them.",
        "type": "object",
        "properties": {
            "steps": { "type": "integer", "minimum": 1, "description": "The horizon, in steps or epochs." },
            "schedule": schedule,
            "momentum": { "description": "A second schedule evaluated beside the first.", "$ref": "#/$defs/Schedule" },
            "steps_per_epoch": { "type": "integer", "minimum": 1, "description": "All lengths are then in epochs." },
            "fractional_epochs": { "type": "boolean", "description": "Whether the value moves within an epoch." },
            "sweep": { "anyOf": [
                { "type": "string", "description": "A .yaml, .json or .toml file with the sweep, such as one of W&B." },
                sweep,
            ] },
        },
        "required": ["schedule"],
        "additionalProperties": false,
    });
    for (name, definition) in &mut definitions {
        // Numbers of the sweep itself cannot be swept.
        if name != "Parameter"
            && name != "Range"
            && let Ok(inner) = <&mut Schema>::try_from(definition)
        {
            accept_names(inner);
        }
    }
    document.insert("$defs".to_owned(), Value::Object(definitions));
    document.to_value()
}

/// A sweep in the spec itself.
fn sweep(method: Schema, parameter: Schema) -> Value {
    let mut sweep = serde_json::json!({
        "type": "object",
        "properties": {
            "method": method,
            "count": { "type": "integer", "minimum": 1, "description": "Points of a random or sobol sweep." },
            "seed": { "type": "integer", "minimum": 0, "description": "What a random or sobol sweep is drawn from." },
            "parameters": { "type": "object", "additionalProperties": parameter },
            "file": { "type": "string", "description": "A file with the keys that are not here." },
        },
        "anyOf": [{ "required": ["parameters"] }, { "required": ["file"] }],
        "additionalProperties": false,
    });
    for key in WANDB_KEYS {
        sweep["properties"][key] = serde_json::json!({ "description": "A key of W&B, which is ignored." });
    }
    sweep["properties"]["run_cap"] = serde_json::json!({ "description": "W&B's name for `count`." });
    sweep
}

/// Adds the schedules of other libraries to the alternatives of a schedule.
fn in_a_librarys_terms(definitions: &mut Map<String, Value>, calls: Vec<(&str, Schema)>) {
    let Some(Value::Array(alternatives)) = definitions.get_mut("Schedule").and_then(|native| native.get_mut("oneOf"))
    else {
        return;
    };
    for (library, call) in calls {
        alternatives.push(serde_json::json!({
            "description": format!("A schedule in the terms of {library}."),
            "type": "object",
            "properties": { "library": { "const": library }, "name": {}, "args": {} },
            "required": ["library", "name"],
            "additionalProperties": false,
            "allOf": [call],
        }));
    }
}

/// Allows a `"$name"` in place of any number, and a percentage in place of any length.
fn accept_names(inner: &mut Schema) {
    transform_subschemas(&mut accept_names, inner);
    let types = match inner.get("type") {
        Some(Value::String(name)) => vec![name.clone()],
        // An optional number may also be null.
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => return,
    };
    let is = |name: &str| types.iter().any(|one| one == name);
    // A length that need not be an integer has the type number.
    let share = is("integer") || inner.get("format").is_some_and(|format| format == "length");
    let number = match (is("number"), share) {
        (_, true) => "^(\\$.+|[0-9.]+ *%)$",
        (true, _) => "^\\$.+$",
        _ => return,
    };
    let Some(object) = inner.as_object_mut() else { return };
    let mut plain = std::mem::take(object);
    let description = plain.remove("description");
    let default = plain.remove("default");
    object.insert("anyOf".to_owned(), serde_json::json!([plain, { "type": "string", "pattern": number }]));
    for (key, value) in [("description", description), ("default", default)] {
        if let Some(value) = value {
            object.insert(key.to_owned(), value);
        }
    }
}
