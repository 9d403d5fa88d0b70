//! Parses JSON and rejects duplicate keys, of which most parsers silently keep the last.

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::error::SpecError;
use crate::readable;

/// Parses a JSON text.
///
/// ```
/// let error = lrgrid::spec::parse_json(r#"{ "steps": 5, "steps": 6 }"#).unwrap_err();
/// assert_eq!(error.path, "steps");
/// ```
///
/// # Errors
/// When the text is not JSON, or has a duplicate key, with its path.
pub fn parse(text: &str) -> Result<Value, SpecError> {
    let twice = RefCell::new(None);
    let mut reader = serde_json::Deserializer::from_str(text);
    let read = Tree(&twice).deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    read.map_err(|error| match twice.take() {
        Some(path) => {
            let (line, column) = (error.line(), error.column());
            SpecError { message: format!("duplicate key at line {line} column {column}: keep one of them"), ..path }
        }
        None => SpecError::new("", format!("not JSON: {error}")),
    })
}

/// A visitor of values; the cell receives the path of a duplicate key, completed from the inside out.
#[derive(Clone, Copy)]
struct Tree<'t>(&'t RefCell<Option<SpecError>>);

impl Tree<'_> {
    /// Adds a level to the path of an error from further inside.
    fn within<E>(self, outer: &str, error: E) -> E {
        self.0.replace_with(|path| path.take().map(|path| path.within(outer)));
        error
    }
}

impl<'de> DeserializeSeed<'de> for Tree<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Tree<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut read = Vec::new();
        loop {
            match items.next_element_seed(self) {
                Ok(Some(item)) => read.push(item),
                Ok(None) => return Ok(Value::Array(read)),
                Err(error) => return Err(self.within(&format!("[{}]", read.len()), error)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut read = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if read.contains_key(&key) {
                self.0.replace(Some(SpecError::new(readable::name(&key), "")));
                return Err(A::Error::custom("duplicate key"));
            }
            let value = entries.next_value_seed(self).map_err(|error| self.within(&readable::name(&key), error))?;
            read.insert(key, value);
        }
        Ok(Value::Object(read))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_what_serde_json_reads() {
        for text in [
            r#"{"a": [1, -2, 2.5, 1e-300, 18446744073709551615, true, null, "x\u00e9\n"], "b": {"c": {}}, "": []}"#,
            "[]",
            "3",
            "\"$peak\"",
        ] {
            assert_eq!(parse(text).unwrap(), serde_json::from_str::<Value>(text).unwrap(), "{text}");
        }
        for text in ["", "{", "[1, 2", "{\"a\" 1}", "1 2", "nul", &"[".repeat(1000)] {
            assert!(parse(text).unwrap_err().message.starts_with("not JSON: "), "{text}");
        }
    }

    #[test]
    fn a_key_that_stands_twice_is_found_by_its_path() {
        for (text, path, place) in [
            (r#"{"steps": 3, "steps": 5}"#, "steps", "line 1 column 20"),
            (r#"{"schedule": {"kind": "linear", "steps": 10, "steps": 20}}"#, "schedule.steps", "line 1 column 52"),
            ("{\"a\": [0, {\"b\": {\"c\": 1,\n\"c\": 1}}]}", "a[1].b.c", "line 2 column 3"),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!(error.path, path, "{text}");
            assert!(error.message.contains(place) && error.message.contains("duplicate"), "{error}");
        }
    }
}
