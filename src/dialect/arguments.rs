//! Types of arguments that several libraries use, and shared checks.

use std::fmt;

use schemars::JsonSchema;
use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize};

use crate::error::SpecError;
use crate::program::MAX_STEP;

/// A number that must be written as a float: Python's `isinstance(x, float)`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub(super) struct Float(pub(super) f64);

impl<'de> Deserialize<'de> for Float {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Written;
        impl Visitor<'_> for Written {
            type Value = Float;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a float, with a decimal point")
            }
            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Float, E> {
                Ok(Float(value))
            }
        }
        deserializer.deserialize_any(Written)
    }
}

/// A length that need not be whole.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(extend("format" = "length"))]
pub(super) struct Length(pub(super) f64);

impl<'de> Deserialize<'de> for Length {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Written;
        impl Visitor<'_> for Written {
            type Value = Length;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a length")
            }
            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Length, E> {
                Ok(Length(value))
            }
        }
        // The parser reads a newtype of this name as a number of steps or a percentage of the horizon.
        deserializer.deserialize_newtype_struct("Length", Written)
    }
}

/// A number of steps that must be written as an integer: Python's `isinstance(x, int)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(super) struct Integer(pub(super) u64);

/// The error for an argument that the library rejects.
pub(super) fn refused<T>(argument: &str, message: impl Into<String>) -> Result<T, SpecError> {
    Err(SpecError::new(argument, message))
}

/// An error unless the condition `holds`; `condition` is its text.
pub(super) fn require(argument: &str, value: impl fmt::Display, holds: bool, condition: &str) -> Result<(), SpecError> {
    if holds { Ok(()) } else { refused(argument, format!("{value} must be {condition}")) }
}

/// One number, or a list of them.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Numbers {
    /// One number.
    One(f64),
    /// A list.
    Many(Vec<f64>),
}

impl<'de> Deserialize<'de> for Numbers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Written;
        impl<'de> Visitor<'de> for Written {
            type Value = Numbers;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number or a list of numbers")
            }
            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Numbers, E> {
                Ok(Numbers::One(value))
            }
            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Numbers, E> {
                Ok(Numbers::One(value as f64))
            }
            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Numbers, E> {
                Ok(Numbers::One(value as f64))
            }
            fn visit_seq<A: de::SeqAccess<'de>>(self, mut items: A) -> Result<Numbers, A::Error> {
                let mut numbers = Vec::new();
                while let Some(number) = items.next_element()? {
                    numbers.push(number);
                }
                Ok(Numbers::Many(numbers))
            }
        }
        deserializer.deserialize_any(Written)
    }
}

impl Numbers {
    /// The numbers in order.
    pub(super) fn all(&self) -> &[f64] {
        match self {
            Self::One(number) => std::slice::from_ref(number),
            Self::Many(numbers) => numbers,
        }
    }
}

/// A whole number of steps, which may be below 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub(super) struct Whole(pub(super) i64);

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Length(number) = Length::deserialize(deserializer)?;
        if number.fract() != 0.0 || number.abs() > MAX_STEP as f64 {
            return Err(de::Error::custom(format!("{number:?} is not a whole number of steps within ±{MAX_STEP}")));
        }
        Ok(Self(number as i64))
    }
}

impl Whole {
    /// The number of steps, if it is at least 1.
    pub(super) fn positive(self) -> Option<u64> {
        u64::try_from(self.0).ok().filter(|&steps| steps > 0)
    }
}
