//! Parses TOML, JSON and YAML to a tree of values of bounded size and depth.

use serde_json::{Map, Number, Value};

use super::json;
use crate::error::SpecError;

/// The largest text that is read as a spec, in bytes.
pub const MAX_BYTES: usize = 16 << 20;

/// The deepest nesting of tables and lists: about thirty schedules within one another.
const MAX_DEPTH: usize = 64;

/// Reads a TOML document.
pub(super) fn from_toml(text: &str) -> Result<Value, SpecError> {
    check_size(text)?;
    let table: toml::Table = toml::from_str(text).map_err(|error| {
        let (line, column) = error.span().map_or((1, 1), |span| position(text, span.start));
        SpecError::new("", format!("not TOML: line {line}, column {column}: {}", one_line(error.message())))
    })?;
    let mut document = Map::new();
    for (key, value) in table {
        let value = convert(value).map_err(|error| error.within(&key))?;
        document.insert(key, value);
    }
    bounded(Value::Object(document))
}

/// Reads a JSON document.
pub(super) fn from_json(text: &str) -> Result<Value, SpecError> {
    check_size(text)?;
    bounded(json::parse(text)?)
}

/// Reads a YAML document.
#[cfg(feature = "yaml")]
pub(super) fn from_yaml(text: &str) -> Result<Value, SpecError> {
    check_size(text)?;
    let document: Value = serde_saphyr::from_str(text).map_err(|error| {
        // The lines after the first quote the document.
        let message = error.to_string();
        let first = message.lines().next().unwrap_or_default();
        SpecError::new("", format!("not YAML: {}", first.trim_start_matches("error: ")))
    })?;
    bounded(document)
}

/// Rejects YAML, with a remedy: this build cannot read it.
#[cfg(not(feature = "yaml"))]
pub(super) fn from_yaml(_: &str) -> Result<Value, SpecError> {
    Err(SpecError::new("", "this lrgrid was built without its `yaml` feature: build it with that, or write JSON"))
}

fn check_size(text: &str) -> Result<(), SpecError> {
    if text.len() > MAX_BYTES {
        let message = format!("the spec has {} bytes, more than the limit of {MAX_BYTES}", text.len());
        return Err(SpecError::new("", message));
    }
    Ok(())
}

fn bounded(document: Value) -> Result<Value, SpecError> {
    if depth_exceeds(&document, MAX_DEPTH) {
        return Err(SpecError::new("", format!("the spec is nested more than {MAX_DEPTH} levels deep")));
    }
    Ok(document)
}

fn depth_exceeds(value: &Value, levels: usize) -> bool {
    match value {
        Value::Array(items) => levels == 0 || items.iter().any(|item| depth_exceeds(item, levels - 1)),
        Value::Object(map) => levels == 0 || map.values().any(|item| depth_exceeds(item, levels - 1)),
        _ => false,
    }
}

fn convert(value: toml::Value) -> Result<Value, SpecError> {
    Ok(match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(number) => Value::Number(number.into()),
        toml::Value::Float(number) => match Number::from_f64(number) {
            Some(number) => Value::Number(number),
            None => return Err(SpecError::new("", format!("{number} is not a finite number"))),
        },
        toml::Value::Boolean(value) => Value::Bool(value),
        toml::Value::Datetime(date) => {
            return Err(SpecError::new("", format!("{date} is a date: numbers, texts, lists and tables are allowed")));
        }
        toml::Value::Array(items) => Value::Array(
            items
                .into_iter()
                .enumerate()
                .map(|(index, item)| convert(item).map_err(|error| error.within(&format!("[{index}]"))))
                .collect::<Result<_, _>>()?,
        ),
        toml::Value::Table(table) => Value::Object(
            table
                .into_iter()
                .map(|(key, item)| match convert(item) {
                    Ok(item) => Ok((key, item)),
                    Err(error) => Err(error.within(&key)),
                })
                .collect::<Result<_, _>>()?,
        ),
    })
}

/// Line and column of a byte, both counted from 1.
fn position(text: &str, byte: usize) -> (usize, usize) {
    let before = &text.as_bytes()[..byte.min(text.len())];
    let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
    let column = before.iter().rev().take_while(|&&byte| byte != b'\n').count() + 1;
    (line, column)
}

fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}
