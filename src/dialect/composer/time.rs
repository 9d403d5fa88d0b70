//! Time strings (`"10ba"`, `"2ep"`, `"0.1dur"`), and the trainer's state that converts them to batches.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};

use crate::dialect::arguments::{refused, require};
use crate::error::SpecError;
use crate::program::MAX_STEP;

/// The units that have a length in batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Batch,
    Epoch,
    Whole,
}

/// A time string.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Duration {
    value: f64,
    unit: Unit,
}

impl Duration {
    /// `"1dur"`, the default of most.
    pub(super) fn whole() -> Self {
        Self { value: 1.0, unit: Unit::Whole }
    }

    /// `"1ep"`.
    pub(super) fn one_epoch() -> Self {
        Self { value: 1.0, unit: Unit::Epoch }
    }

    fn parse(text: &str) -> Result<Self, String> {
        let lower = text.to_lowercase();
        let units = [("ba", Unit::Batch), ("ep", Unit::Epoch), ("dur", Unit::Whole)];
        let found = units.into_iter().find_map(|(name, unit)| Some((lower.strip_suffix(name)?, unit)));
        let Some((number, unit)) = found else {
            return Err(match ["sp", "tok", "iter"].into_iter().find(|unit| lower.ends_with(unit)) {
                Some(unit) => format!("\"{text}\" counts {unit}, and how many a batch has is not known: write batches"),
                None => format!(
                    "\"{text}\" is not a time: write batches (\"10ba\"), epochs (\"2ep\") or a share (\"0.1dur\")"
                ),
            });
        };
        match number.trim().replace('_', "").parse::<f64>() {
            Ok(value) if !(value >= 0.0 && value.is_finite()) => Err(format!("\"{text}\" is not a length")),
            Ok(value) if unit != Unit::Whole && value.fract() != 0.0 => {
                Err(format!("\"{text}\" must be a whole number of batches or epochs"))
            }
            Ok(value) => Ok(Self { value, unit }),
            Err(_) => Err(format!("\"{text}\" is not a time: \"{number}\" is not a number")),
        }
    }
}

/// Reads a time string, and plain numbers as the unit says.
struct Written {
    of_number: Unit,
    whole_numbers_too: bool,
}

impl Visitor<'_> for Written {
    type Value = Duration;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a time such as \"10ba\", \"2ep\" or \"0.1dur\"")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Duration, E> {
        Duration::parse(text).map_err(E::custom)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Duration, E> {
        if !self.whole_numbers_too {
            return Err(E::custom(format!("{number} has no unit: write \"{number}ba\" or \"{number}ep\"")));
        }
        self.visit_f64(number as f64)
    }

    /// What a parameter of a sweep stands for.
    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Duration, E> {
        if number >= 0.0 && number.fract() == 0.0 && number.is_finite() {
            return Ok(Duration { value: number, unit: self.of_number });
        }
        Err(E::custom(format!("{number} is not a whole number of batches or epochs")))
    }
}

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Written { of_number: Unit::Batch, whole_numbers_too: false })
    }
}

impl JsonSchema for Duration {
    fn schema_name() -> Cow<'static, str> {
        "ComposerTime".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "(?i)^(.+(ba|ep|dur)|\\$.+)$" })
    }
}

/// `max_duration`: a plain number is one of epochs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct MaxDuration(Duration);

impl JsonSchema for MaxDuration {
    fn schema_name() -> Cow<'static, str> {
        "ComposerMaxDuration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "type": "string", "pattern": "(?i)^(.+(ba|ep)|\\$.+)$" }, { "type": "integer" }] })
    }
}

impl<'de> Deserialize<'de> for MaxDuration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = Written { of_number: Unit::Epoch, whole_numbers_too: true };
        let duration = deserializer.deserialize_any(written)?;
        if duration.unit == Unit::Whole {
            return Err(de::Error::custom("a share of itself: write batches (\"100ba\") or epochs (\"8ep\")"));
        }
        Ok(Self(duration))
    }
}

/// What schedulers need of the optimizer and the trainer.
#[derive(Clone, Copy, Debug)]
pub(super) struct State {
    pub(super) lr: f64,
    pub(super) max_duration: Option<MaxDuration>,
    pub(super) epoch_len: Option<u64>,
    pub(super) ssr: f64,
}

impl State {
    /// The learning rate that the optimizer is made with.
    pub(super) fn base(&self) -> Result<f64, SpecError> {
        require("lr", self.lr, self.lr >= 0.0, "at least 0")?;
        require("ssr", self.ssr, self.ssr >= 0.0 && self.ssr.is_finite(), "at least 0")?;
        Ok(self.lr)
    }

    fn max_duration(&self, argument: &str) -> Result<Duration, SpecError> {
        match self.max_duration {
            Some(MaxDuration(duration)) => Ok(duration),
            None => refused("max_duration", format!("missing: `{argument}` is a share of it, or compared with it")),
        }
    }

    fn epoch_len(&self, argument: &str) -> Result<f64, SpecError> {
        match self.epoch_len {
            Some(batches) => Ok(batches as f64),
            None => refused("epoch_len", format!("missing: the batches of an epoch, in which `{argument}` counts")),
        }
    }

    /// A time in batches, cut off to a whole number, and stretched by `ssr` where that is asked for and it is
    /// not a share of the whole.
    fn convert(&self, argument: &str, time: Duration, ssr: f64) -> Result<u64, SpecError> {
        let batches = match time.unit {
            Unit::Batch => time.value * ssr,
            Unit::Epoch => time.value * self.epoch_len(argument)? * ssr,
            Unit::Whole => {
                let whole = self.max_duration(argument)?;
                match whole.unit {
                    Unit::Epoch => time.value * self.epoch_len(argument)? * whole.value,
                    _ => time.value * whole.value,
                }
            }
        };
        require(argument, batches, batches <= MAX_STEP as f64, &format!("at most {MAX_STEP} batches"))?;
        Ok(batches as u64)
    }

    /// A time in batches, stretched by `ssr`.
    pub(super) fn batches(&self, argument: &str, time: Duration) -> Result<u64, SpecError> {
        self.convert(argument, time, self.ssr)
    }

    /// A time in batches, not stretched.
    pub(super) fn unscaled_batches(&self, argument: &str, time: Duration) -> Result<u64, SpecError> {
        self.convert(argument, time, 1.0)
    }

    /// A length in batches that is divided by, so at least 1.
    pub(super) fn length(&self, argument: &str, time: Duration) -> Result<u64, SpecError> {
        let batches = self.batches(argument, time)?;
        require(argument, format!("a time of {batches} batches"), batches > 0, "at least one: Composer divides by it")?;
        Ok(batches)
    }

    /// Refuses an end before the trainer's.
    pub(super) fn check_end(&self, t_max: u64) -> Result<(), SpecError> {
        let whole = self.max_duration("t_max")?;
        let batches = match (whole.unit, self.epoch_len) {
            (Unit::Epoch, None) => return Ok(()),
            (Unit::Epoch, Some(epoch_len)) => whole.value * epoch_len as f64,
            _ => whole.value,
        };
        let condition = format!("at least `max_duration`, {batches}");
        require("t_max", format!("{t_max} batches"), t_max as f64 >= batches, &condition)
    }
}

/// A scheduler's arguments, with the optimizer's and the trainer's beside them.
macro_rules! scheduler {
    ($(#[$attribute:meta])* $name:ident { $($(#[$of_field:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$attribute])*
        #[derive(Clone, Debug, serde::Deserialize, schemars::JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub(in crate::dialect) struct $name {
            $($(#[$of_field])* $field: $type,)*
            /// The learning rate that the optimizer is made with.
            lr: f64,
            /// Length of the training, in batches or epochs.
            #[serde(default)]
            max_duration: Option<crate::dialect::composer::time::MaxDuration>,
            /// Batches of an epoch.
            #[serde(default, alias = "dataloader_len")]
            epoch_len: Option<u64>,
            /// The scale schedule ratio, by which times other than shares are stretched.
            #[serde(default = "crate::dialect::defaults::one", alias = "scale_schedule_ratio")]
            ssr: f64,
        }

        impl $name {
            fn state(&self) -> crate::dialect::composer::time::State {
                crate::dialect::composer::time::State {
                    lr: self.lr,
                    max_duration: self.max_duration,
                    epoch_len: self.epoch_len,
                    ssr: self.ssr,
                }
            }
        }
    };
}

pub(super) use scheduler;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_composer_reads_them() {
        let duration = |value, unit| Ok(Duration { value, unit });
        assert_eq!(Duration::parse("10ba"), duration(10.0, Unit::Batch));
        assert_eq!(Duration::parse("1e3EP"), duration(1000.0, Unit::Epoch));
        assert_eq!(Duration::parse("0.1dur"), duration(0.1, Unit::Whole));
        assert_eq!(Duration::parse("1_000ba"), duration(1000.0, Unit::Batch));
        for wrong in ["", "ba", "10", "1.5ep", "-1ba", "10tok", "1h30m", "nandur", "infba"] {
            assert!(Duration::parse(wrong).is_err(), "{wrong}");
        }
    }
}
