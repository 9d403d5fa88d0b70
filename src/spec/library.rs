//! Replaces schedules of other libraries by native ones before a document is read.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::nearest;
use super::read::{Context, reader};
use crate::dialect::{self, LIBRARIES, Translation};
use crate::error::SpecError;
use crate::schedule::Schedule;

/// Whether a value contains a schedule of another library.
pub(super) fn is_used(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.contains_key("library") || map.values().any(is_used),
        Value::Array(items) => items.iter().any(is_used),
        _ => false,
    }
}

/// The document with each library's schedule replaced by a native one.
pub(super) fn translated<'v>(value: &'v Value, context: Context<'_>) -> Result<Cow<'v, Value>, SpecError> {
    if !is_used(value) {
        return Ok(Cow::Borrowed(value));
    }
    Ok(Cow::Owned(match value {
        Value::Object(map) if map.contains_key("library") => written(&call(value, map, context)?.schedule)?,
        Value::Object(map) => {
            let native = |(key, item): (&String, &'v Value)| match translated(item, context) {
                Ok(item) => Ok((key.clone(), item.into_owned())),
                Err(error) => Err(error.within(key)),
            };
            Value::Object(map.iter().map(native).collect::<Result<_, _>>()?)
        }
        Value::Array(items) => {
            let native = |(index, item): (usize, &'v Value)| {
                translated(item, context).map(Cow::into_owned).map_err(|error| error.within(&format!("[{index}]")))
            };
            Value::Array(items.iter().enumerate().map(native).collect::<Result<_, _>>()?)
        }
        other => other.clone(),
    }))
}

/// The momentum that a library defines together with the rate, if the whole value is its schedule.
pub(super) fn momentum(value: &Value, context: Context<'_>) -> Result<Option<Schedule>, SpecError> {
    match value {
        Value::Object(map) if map.contains_key("library") => Ok(call(value, map, context)?.momentum),
        _ => Ok(None),
    }
}

fn call(value: &Value, map: &Map<String, Value>, context: Context<'_>) -> Result<Translation, SpecError> {
    let Some(Value::String(name)) = map.get("library") else {
        return Err(SpecError::new("library", "not a text: name the library, as in library = \"torch\""));
    };
    if !LIBRARIES.iter().any(|library| library.is_called(name)) {
        let names: Vec<&str> = LIBRARIES.iter().map(|library| library.name).collect();
        return Err(SpecError::new("library", format!("unknown library \"{name}\": {}", nearest(name, &names))));
    }
    dialect::read(name, reader(value, context))
}

/// The schedule as a value of a document.
fn written(schedule: &Schedule) -> Result<Value, SpecError> {
    serde_json::to_value(schedule).map_err(|error| SpecError::new("", error.to_string()))
}
