//! Reads schedules from a document's values: resolves percentages and `$parameters`, rejects unknown keys.
//!
//! It is a serde deserializer over `serde_json::Value`, so that every error has the path of its key.

use std::fmt;
use std::sync::LazyLock;

use serde::de::{
    self, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use serde_json::{Map, Value};

use super::suggest::nearest;
use crate::error::SpecError;
use crate::program::MAX_STEP;

/// The name of the newtype for a number of steps that need not be an integer, or a percentage of the horizon.
const FRACTIONAL_LENGTH: &str = "Length";

/// The name of the newtype for a number of steps written without a decimal point.
const INTEGER: &str = "Integer";

/// The arguments of a library's schedule that is given without any.
static NOTHING: LazyLock<Value> = LazyLock::new(|| Value::Object(Map::new()));

/// The values that names and percentages in a document resolve to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Context<'c> {
    /// Names of the swept parameters.
    pub(super) names: &'c [String],
    /// Their values at one point of the sweep, in the same order.
    pub(super) values: &'c [f64],
    /// The number of steps that percentages refer to.
    pub(super) horizon: Option<u64>,
}

/// Reads a value of the document in a context.
pub(super) fn read<T: de::DeserializeOwned>(value: &Value, context: Context<'_>) -> Result<T, SpecError> {
    T::deserialize(Reader { value, context })
}

/// A deserializer of a value of the document, for types that are not read in one step.
pub(super) fn reader<'v>(value: &'v Value, context: Context<'v>) -> impl Deserializer<'v, Error = SpecError> {
    Reader { value, context }
}

#[derive(Clone, Copy)]
struct Reader<'v> {
    value: &'v Value,
    context: Context<'v>,
}

impl de::Error for SpecError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new("", message.to_string())
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(field, "missing: it has no default")
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self::new(field, format!("unknown key: {}", nearest(field, expected)))
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Self::new("", format!("unknown name `{variant}`: {}", nearest(variant, expected)))
    }
}

/// A value as quoted in a message, shortened.
fn quoted(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() > 60 { format!("{}…", text.chars().take(60).collect::<String>()) } else { text }
}

impl<'v> Reader<'v> {
    /// Reads a schedule of a library: its name, and a table of its arguments.
    fn call<V: Visitor<'v>>(
        self,
        map: &'v Map<String, Value>,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, SpecError> {
        const KEYS: &[&str] = &["library", "name", "schedule", "args"];
        if let Some(unknown) = map.keys().find(|key| !KEYS.contains(&key.as_str())) {
            let message = format!("unknown key: {}; arguments go into `args`", nearest(unknown, KEYS));
            return Err(SpecError::new(unknown.as_str(), message));
        }
        // The conformance cases use `schedule` instead of `name`.
        let (key, name) = match (map.get("name"), map.get("schedule")) {
            (Some(name), _) => ("name", name),
            (None, Some(name)) => ("schedule", name),
            (None, None) => return Err(SpecError::new("name", "missing: the library's name for the schedule")),
        };
        match name {
            Value::String(kind) if names.contains(&kind.as_str()) => {
                let reader = self.at(map.get("args").filter(|args| !args.is_null()).unwrap_or(&NOTHING));
                visitor.visit_enum(Tagged { kind, reader, within: "args" })
            }
            Value::String(kind) => {
                Err(SpecError::new(key, format!("unknown schedule \"{kind}\": {}", nearest(kind, names))))
            }
            other => Err(SpecError::new(key, format!("{} is not a text", quoted(other)))),
        }
    }

    fn at(self, value: &'v Value) -> Self {
        Self { value, ..self }
    }

    fn wrong(self, expected: &str) -> SpecError {
        SpecError::new("", format!("{} is not {expected}", quoted(self.value)))
    }

    /// The value of a `$name`; `None` if this is not a `$name`.
    fn parameter(self) -> Result<Option<f64>, SpecError> {
        let Some(name) = self.value.as_str().and_then(|text| text.strip_prefix('$')) else { return Ok(None) };
        match self.context.names.iter().position(|known| known == name) {
            Some(index) => Ok(self.context.values.get(index).copied()),
            None if self.context.names.is_empty() => Err(SpecError::new(
                "",
                format!("`${name}` is no parameter of the sweep: add [sweep.parameters.{name}]"),
            )),
            None => {
                let names: Vec<&str> = self.context.names.iter().map(String::as_str).collect();
                Err(SpecError::new("", format!("`${name}` is no parameter of the sweep: {}", nearest(name, &names))))
            }
        }
    }

    fn number(self) -> Result<f64, SpecError> {
        if let Some(value) = self.parameter()? {
            return Ok(value);
        }
        match self.value {
            Value::Number(number) => number.as_f64().ok_or_else(|| self.wrong("a number")),
            Value::String(text) if text.ends_with('%') => Err(SpecError::new(
                "",
                format!("\"{text}\" is a share of the horizon, and this is not a length: write a number"),
            )),
            Value::String(text) if text.parse::<f64>().is_ok() => {
                Err(SpecError::new("", format!("\"{text}\" is a text: write the number without quotes")))
            }
            _ => Err(self.wrong("a number")),
        }
    }

    /// A number of steps: an integer, or a percentage of the horizon.
    fn length(self) -> Result<u64, SpecError> {
        if let Some(text) = self.value.as_str().filter(|text| !text.starts_with('$')) {
            let Some(percent) = text.strip_suffix('%') else {
                return Err(SpecError::new(
                    "",
                    format!("\"{text}\" is not a length: write steps (1000) or a share (\"5%\")"),
                ));
            };
            let Some((numerator, denominator)) = decimal(percent.trim()) else {
                return Err(SpecError::new("", format!("\"{text}\" is not a percentage: write \"5%\" or \"0.5%\"")));
            };
            let Some(horizon) = self.context.horizon else {
                return Err(SpecError::new(
                    "",
                    format!("\"{text}\" is a share of the horizon: add `steps = …` at the top"),
                ));
            };
            // Rounded once, in integers: a floating-point product is off by one step at 2^52.
            let whole = denominator * 100;
            let steps = (numerator * u128::from(horizon) + whole / 2) / whole;
            return u64::try_from(steps)
                .ok()
                .filter(|&steps| steps <= MAX_STEP)
                .ok_or_else(|| SpecError::new("", format!("\"{text}\" is beyond the largest length, {MAX_STEP}")));
        }
        if let Some(steps) = self.value.as_u64() {
            // The limit leaves room for sums and products of a few lengths.
            let message = || format!("{steps} steps are beyond the largest length, {MAX_STEP}");
            return if steps <= MAX_STEP { Ok(steps) } else { Err(SpecError::new("", message())) };
        }
        let number = self.number()?;
        whole(number)
            .ok_or_else(|| SpecError::new("", format!("{number:?} is not a whole number of steps up to {MAX_STEP}")))
    }
}

/// A key's value in the table of a schedule; with so few keys, linear search is faster than hashing.
fn entry<'v>(map: &'v Map<String, Value>, key: &str) -> Option<&'v Value> {
    map.iter().find(|(name, _)| *name == key).map(|(_, value)| value)
}

/// A plain decimal such as `33.3` as a ratio of integers.
fn decimal(text: &str) -> Option<(u128, u128)> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = [whole, fraction].concat();
    // Eighteen digits times a horizon of 2^53 stay well inside 128 bits.
    let plain = digits.len() <= 18 && !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let numerator = plain.then(|| digits.parse().ok())??;
    Some((numerator, 10_u128.pow(fraction.len() as u32)))
}

/// The number of steps that a float represents, if it is an integer in range.
fn whole(number: f64) -> Option<u64> {
    (number >= 0.0 && number.fract() == 0.0 && number <= MAX_STEP as f64).then_some(number as u64)
}

macro_rules! numbers {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SpecError> {
            visitor.visit_f64(self.number()?)
        }
    )*};
}

macro_rules! lengths {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SpecError> {
            visitor.visit_u64(self.length()?)
        }
    )*};
}

impl<'de> Deserializer<'de> for Reader<'de> {
    type Error = SpecError;

    numbers! { deserialize_f32 deserialize_f64 }
    lengths! { deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SpecError> {
        match self.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Number(number) => match (number.as_u64(), number.as_i64()) {
                (Some(whole), _) => visitor.visit_u64(whole),
                (None, Some(whole)) => visitor.visit_i64(whole),
                (None, None) => visitor.visit_f64(self.number()?),
            },
            Value::String(text) => match self.parameter()? {
                Some(value) => visitor.visit_f64(value),
                None => visitor.visit_borrowed_str(text),
            },
            Value::Array(items) => visitor.visit_seq(Items { reader: self, items, next: 0 }),
            Value::Object(map) => visitor.visit_map(Entries::new(self, map)),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SpecError> {
        match self.value {
            Value::Bool(value) => visitor.visit_bool(*value),
            _ => Err(self.wrong("true or false")),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SpecError> {
        match self.value {
            Value::String(text) => visitor.visit_borrowed_str(text),
            _ => Err(self.wrong("a text")),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SpecError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SpecError> {
        if self.value.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, SpecError> {
        if name == INTEGER && self.value.is_f64() {
            return Err(self.wrong("an integer: write it without a decimal point"));
        }
        if name != FRACTIONAL_LENGTH {
            return visitor.visit_newtype_struct(self);
        }
        match self.value {
            Value::String(text) if text.ends_with('%') => visitor.visit_f64(self.length()? as f64),
            _ => visitor.visit_f64(self.number()?),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SpecError> {
        match self.value {
            Value::Array(items) => visitor.visit_seq(Items { reader: self, items, next: 0 }),
            _ => Err(self.wrong("a list")),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, SpecError> {
        match self.value {
            Value::Array(items) if items.len() == length => visitor.visit_seq(Items { reader: self, items, next: 0 }),
            _ => Err(self.wrong(&format!("a list of {length}"))),
        }
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, SpecError> {
        self.deserialize_tuple(length, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SpecError> {
        match self.value {
            Value::Object(map) => visitor.visit_map(Entries::new(self, map)),
            _ => Err(self.wrong("a table")),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, SpecError> {
        let Value::Object(map) = self.value else { return Err(self.wrong("a table")) };
        // `kind` is the tag of the surrounding enum, not a field of the struct.
        visitor.visit_map(Entries::new(self, map).without_kind())
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, SpecError> {
        match self.value {
            Value::String(text) if name != "Schedule" => {
                if !variants.contains(&text.as_str()) {
                    return Err(SpecError::new("", format!("unknown name \"{text}\": {}", nearest(text, variants))));
                }
                visitor.visit_enum(text.as_str().into_deserializer())
            }
            Value::Object(map) if name == "Schedule" => match entry(map, "kind") {
                Some(Value::String(kind)) if variants.contains(&kind.as_str()) => {
                    visitor.visit_enum(Tagged { kind, reader: self, within: "" })
                }
                Some(Value::String(kind)) => {
                    Err(SpecError::new("kind", format!("unknown kind \"{kind}\": {}", nearest(kind, variants))))
                }
                Some(other) => Err(SpecError::new("kind", format!("{} is not a text", quoted(other)))),
                None => Err(SpecError::new("kind", "missing: name the schedule, as in kind = \"cosine\"")),
            },
            Value::Object(map) => self.call(map, variants, visitor),
            _ if name == "Schedule" => Err(self.wrong("a schedule: write a table with a `kind`")),
            _ => Err(self.wrong(&format!("one of {}", variants.join(", ")))),
        }
    }

    serde::forward_to_deserialize_any! {
        i128 u128 char bytes byte_buf unit unit_struct identifier ignored_any
    }
}

struct Items<'v> {
    reader: Reader<'v>,
    items: &'v [Value],
    next: usize,
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = SpecError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, SpecError> {
        let Some(item) = self.items.get(self.next) else { return Ok(None) };
        let index = self.next;
        self.next += 1;
        seed.deserialize(self.reader.at(item)).map(Some).map_err(|error| error.within(&format!("[{index}]")))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len() - self.next)
    }
}

struct Entries<'v> {
    reader: Reader<'v>,
    entries: serde_json::map::Iter<'v>,
    skip_kind: bool,
    current: Option<(&'v str, &'v Value)>,
}

impl<'v> Entries<'v> {
    fn new(reader: Reader<'v>, map: &'v Map<String, Value>) -> Self {
        Self { reader, entries: map.iter(), skip_kind: false, current: None }
    }

    fn without_kind(self) -> Self {
        Self { skip_kind: true, ..self }
    }
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = SpecError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, SpecError> {
        let skip_kind = self.skip_kind;
        let Some((key, value)) = self.entries.by_ref().find(|(key, _)| !skip_kind || *key != "kind") else {
            return Ok(None);
        };
        self.current = Some((key, value));
        seed.deserialize(key.as_str().into_deserializer()).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, SpecError> {
        match self.current.take() {
            Some((key, value)) => seed.deserialize(self.reader.at(value)).map_err(|error| error.within(key)),
            None => Err(de::Error::custom("a value was read before its key")),
        }
    }
}

/// A tagged table: a name selects the variant, whose fields are the rest of the table, or the table under one of its
/// keys.
struct Tagged<'v> {
    kind: &'v str,
    reader: Reader<'v>,
    /// The key that is being read.
    within: &'static str,
}

impl<'de> EnumAccess<'de> for Tagged<'de> {
    type Error = SpecError;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), SpecError> {
        let kind: de::value::StrDeserializer<'_, SpecError> = self.kind.into_deserializer();
        Ok((seed.deserialize(kind)?, self))
    }
}

impl<'de> VariantAccess<'de> for Tagged<'de> {
    type Error = SpecError;

    fn unit_variant(self) -> Result<(), SpecError> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, SpecError> {
        seed.deserialize(self.reader).map_err(|error| error.within(self.within))
    }

    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, SpecError> {
        self.reader.deserialize_tuple(length, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, SpecError> {
        self.reader.deserialize_struct("", fields, visitor)
    }
}
