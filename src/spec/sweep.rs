//! Reads the `sweep` of a document: a table, W&B's sweep configuration, or the name of a file with either.

use std::collections::HashMap;
use std::path::Path;

use serde_json::{Map, Value};

use super::document::{self, MAX_BYTES};
use super::overrides::Overrides;
use super::{nearest, read};
use crate::bounded;
use crate::error::SpecError;
use crate::sweep::{Method, Parameter, Sweep};

/// The keys of a sweep.
const KEYS: &[&str] = &["method", "parameters", "count", "seed", "file"];

/// The other keys of W&B's sweep configuration; `run_cap` is used as `count` if that is missing.
pub(super) const WANDB_KEYS: &[&str] = &[
    "program",
    "project",
    "entity",
    "name",
    "description",
    "metric",
    "command",
    "early_terminate",
    "run_cap",
    "controller",
    "job",
    "image_uri",
];

/// A sweep, with notes on the keys that were ignored.
pub(super) struct ReadSweep {
    pub(super) sweep: Sweep,
    pub(super) notes: Vec<String>,
    /// The keys that it was read from, overrides applied; `None` without a sweep.
    pub(super) keys: Option<Map<String, Value>>,
}

/// Reads the sweep of a document; `used` are the names that its schedules use.
pub(super) fn read_sweep(
    document: Option<Value>,
    parameters: Vec<(String, Value)>,
    overrides: &Overrides,
    used: &[String],
) -> Result<ReadSweep, SpecError> {
    let (mut keys, file) = match (&overrides.sweep_file, document) {
        (Some(path), _) => (from_file(path)?, Some(path.display().to_string())),
        (None, Some(Value::String(name))) => (from_file(&overrides.path(&name))?, Some(name)),
        (None, Some(Value::Object(keys))) => with_file(keys, overrides)?,
        (None, Some(_)) => {
            return Err(SpecError::new("", "not a table: write [sweep.parameters.NAME], or the name of a file"));
        }
        (None, None) if parameters.is_empty() && overrides.method.is_none() => {
            let count = overrides.count.map(|_| "count").or(overrides.seed.map(|_| "seed"));
            return match count {
                Some(key) => Err(SpecError::new(key, "the spec has no sweep that it could go with")),
                None => Ok(ReadSweep { sweep: Sweep::single(), notes: Vec::new(), keys: None }),
            };
        }
        (None, None) => (Map::new(), None),
    };
    override_keys(&mut keys, parameters, overrides)?;
    let mut notes = Vec::new();
    // Only a configuration of W&B may have unrelated keys and parameters.
    let lenient = file.is_some() || keys.keys().any(|key| WANDB_KEYS.contains(&key.as_str()));
    if lenient {
        let name = file.unwrap_or_else(|| "sweep".to_owned());
        leave_out(&mut keys, used, &name, &mut notes)?;
    }
    if let Some(unknown) = keys.keys().find(|key| !KEYS.contains(&key.as_str())) {
        return Err(SpecError::new(unknown.as_str(), format!("unknown key: {}", nearest(unknown, KEYS))));
    }
    Ok(ReadSweep { sweep: sweep(&keys)?, notes, keys: Some(keys) })
}

/// The keys of a file, overridden by the keys beside its name.
fn with_file(
    mut keys: Map<String, Value>,
    overrides: &Overrides,
) -> Result<(Map<String, Value>, Option<String>), SpecError> {
    let name = match keys.remove("file") {
        None => return Ok((keys, None)),
        Some(Value::String(name)) => name,
        Some(other) => return Err(SpecError::new("file", format!("{other} is not the name of a file"))),
    };
    let mut merged = from_file(&overrides.path(&name))?;
    for (key, value) in keys {
        match (merged.get_mut(&key), value) {
            (Some(Value::Object(old)), Value::Object(new)) if key == "parameters" => old.extend(new),
            (_, value) => {
                merged.insert(key, value);
            }
        }
    }
    Ok((merged, Some(name)))
}

fn from_file(path: &Path) -> Result<Map<String, Value>, SpecError> {
    let name = path.display();
    let unreadable = |reason: String| SpecError::new("", format!("could not read {name}: {reason}"));
    let text = bounded::open(path).and_then(|file| bounded::text(file, MAX_BYTES));
    let text = text.map_err(|error| unreadable(error.to_string()))?;
    let ending = path.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase);
    let document = match ending.as_deref() {
        Some("yaml" | "yml") => document::from_yaml(&text),
        Some("json") => document::from_json(&text),
        Some("toml") => document::from_toml(&text),
        _ => return Err(SpecError::new("", format!("{name}: a sweep is a .yaml, .json or .toml file"))),
    };
    match document {
        Ok(Value::Object(keys)) => Ok(keys),
        Ok(_) => Err(SpecError::new("", format!("{name}: a sweep is a table with `method` and `parameters`"))),
        Err(error) => Err(SpecError::new("", format!("{name}: {error}"))),
    }
}

fn override_keys(
    keys: &mut Map<String, Value>,
    parameters: Vec<(String, Value)>,
    overrides: &Overrides,
) -> Result<(), SpecError> {
    let Overrides { method, count, seed, .. } = overrides;
    if let Some(method) = method {
        keys.insert("method".to_owned(), method.name().into());
        // These keys are meant for another method: points per axis, or points in total.
        if method.is_drawn() {
            if let Some(Value::Object(entries)) = keys.get_mut("parameters") {
                entries.values_mut().filter_map(Value::as_object_mut).for_each(|one| drop(one.remove("count")));
            }
        } else {
            ["count", "seed"].iter().for_each(|key| drop(keys.remove(*key)));
        }
    }
    for (key, number) in [("count", count), ("seed", seed)] {
        if let Some(number) = number {
            keys.insert(key.to_owned(), (*number).into());
        }
    }
    if parameters.is_empty() {
        return Ok(());
    }
    match keys.entry("parameters").or_insert_with(|| Map::new().into()) {
        Value::Object(entries) => entries.extend(parameters),
        _ => return Err(SpecError::new("parameters", "not a table: write [sweep.parameters.NAME]")),
    }
    Ok(())
}

/// Removes keys and parameters of a W&B configuration that are unrelated to the points, with a note for each.
fn leave_out(
    keys: &mut Map<String, Value>,
    used: &[String],
    name: &str,
    notes: &mut Vec<String>,
) -> Result<(), SpecError> {
    if let Some(cap) = keys.remove("run_cap") {
        let drawn = matches!(keys.get("method").and_then(Value::as_str), Some("random" | "sobol"));
        if drawn && !keys.contains_key("count") {
            keys.insert("count".to_owned(), cap);
        } else {
            notes.push(format!("{name}: `run_cap` is ignored: the sweep has the points it has"));
        }
    }
    let quoted = |names: &[String]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let others: Vec<String> = keys.keys().filter(|key| !KEYS.contains(&key.as_str())).cloned().collect();
    if !others.is_empty() {
        keys.retain(|key, _| KEYS.contains(&key.as_str()));
        notes.push(format!("{name}: ignored {}: not about the points", quoted(&others)));
    }
    let Some(Value::Object(entries)) = keys.get_mut("parameters") else { return Ok(()) };
    let mut flat = Map::new();
    flatten(std::mem::take(entries), "", &mut flat);
    let unused: Vec<String> = flat.keys().filter(|key| !used.contains(key)).cloned().collect();
    if unused.len() == flat.len() && !flat.is_empty() {
        let message = format!("the schedule uses none of {}: write one as \"$name\" in it", quoted(&unused));
        return Err(SpecError::new("parameters", format!("{name}: {message}")));
    }
    if !unused.is_empty() {
        flat.retain(|key, _| used.contains(key));
        notes.push(format!("{name}: ignored the parameters {}: not used in the schedule", quoted(&unused)));
    }
    if keys.get("method").is_none_or(|method| method == "grid")
        && let Some((key, _)) = flat.iter().find(|(_, one)| one.get("distribution").is_some_and(|d| d == "q_uniform"))
    {
        notes.push(format!("{name}: `{key}` includes its `max`, which W&B's grid leaves out"));
    }
    keys.insert("parameters".to_owned(), flat.into());
    Ok(())
}

/// W&B's nested parameters under dotted names.
fn flatten(entries: Map<String, Value>, prefix: &str, flat: &mut Map<String, Value>) {
    for (name, mut entry) in entries {
        let name = format!("{prefix}{name}");
        match entry.get_mut("parameters").map(Value::take) {
            Some(Value::Object(inner)) => flatten(inner, &format!("{name}."), flat),
            _ => {
                flat.insert(name, entry);
            }
        }
    }
}

/// The sweep of a table whose keys are all known.
fn sweep(keys: &Map<String, Value>) -> Result<Sweep, SpecError> {
    let context = read::Context::default();
    let method = match keys.get("method") {
        Some(Value::String(bayes)) if bayes == "bayes" => {
            let message = "bayes chooses each point by the results of those before it, so there are no points to \
                           compute beforehand: use \"grid\", \"random\" or \"sobol\"";
            return Err(SpecError::new("method", message));
        }
        Some(value) => read::read::<Method>(value, context).map_err(|error| error.within("method"))?,
        None => Method::default(),
    };
    // Not read as a length: a seed may be up to 2^64 − 1.
    let number = |key: &str| match keys.get(key) {
        None => Ok(None),
        Some(value) if value.is_u64() => Ok(value.as_u64()),
        Some(other) => Err(SpecError::new(key, format!("{other} is not a whole number of at least 0"))),
    };
    let (count, seed) = (number("count")?, number("seed")?);
    if !method.is_drawn()
        && let Some(key) = ["count", "seed"].iter().find(|key| keys.contains_key(**key))
    {
        return Err(SpecError::new(
            *key,
            "goes with random and sobol sweeps only: give a `count` per parameter instead",
        ));
    }
    let Some(Value::Object(entries)) = keys.get("parameters") else {
        return Err(SpecError::new("parameters", "missing: add [sweep.parameters.NAME] with `values` or a range"));
    };
    let mut parameters = Vec::with_capacity(entries.len());
    for (name, value) in entries {
        let mut parameter: Parameter =
            read::read(value, context).map_err(|error| error.within(&format!("parameters.{name}")))?;
        if method.is_drawn() && parameter.distribution.is_none() {
            parameter.distribution = drawn_default(value);
        }
        parameters.push((name.clone(), parameter));
    }
    check_columns(&parameters)?;
    if !method.is_drawn() {
        return Sweep::on_axes(method, parameters);
    }
    let Some(count) = count else {
        let message = format!("missing: how many points the {} sweep has", method.name());
        return Err(SpecError::new("count", message));
    };
    Sweep::drawn(method, count, seed.unwrap_or(0), parameters)
}

/// Tables write a parameter named like a column as `parameters.NAME`, so no other parameter may have that name.
fn check_columns(parameters: &[(String, Parameter)]) -> Result<(), SpecError> {
    let column = |name: &str| name.trim().to_lowercase();
    let plain: HashMap<String, &str> = parameters.iter().map(|(name, _)| (column(name), name.as_str())).collect();
    for (name, _) in parameters {
        if let Some(other) = column(name).strip_prefix("parameters.").and_then(|name| plain.get(name)) {
            let message = format!(
                "tables write a parameter with a column's name as `parameters.NAME`, so that `{other}` and `{name}` could \
                 not be told apart: rename one"
            );
            return Err(SpecError::new(format!("parameters.{name}"), message));
        }
    }
    Ok(())
}

/// The distribution of values drawn between two bounds: as in W&B, it depends on how the bounds are written.
fn drawn_default(parameter: &Value) -> Option<crate::sweep::Distribution> {
    use crate::sweep::Distribution::{IntUniform, Uniform};
    let (min, max) = (parameter.get("min")?, parameter.get("max")?);
    let whole = [min, max].iter().all(|bound| bound.is_i64() || bound.is_u64());
    Some(if whole { IntUniform } else { Uniform })
}
