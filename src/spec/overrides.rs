//! Overrides: changes that a command line makes to a spec before it is read, in Hydra's syntax.

use std::path::{Path, PathBuf};

use serde_json::{Map, Number, Value, json};

use super::nearest;
use crate::error::SpecError;
use crate::sweep::Method;

/// Changes to a document that are applied before it is read as a spec.
///
/// ```
/// use lrgrid::Spec;
/// use lrgrid::spec::Overrides;
///
/// let text = "schedule = { kind = 'linear', start = '$peak', end = 0, steps = 100 }";
/// let overrides = Overrides::default().set("peak=choice(1e-3,1e-4)")?.set("schedule.steps=range(50,200,50)")?;
/// let spec = Spec::from_toml_with(text, &overrides)?;
/// assert_eq!(spec.len(), 6);
/// assert_eq!(spec.point(5), [1e-4, 150.0]);
/// # Ok::<(), lrgrid::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    pub(super) folder: PathBuf,
    pub(super) sweep_file: Option<PathBuf>,
    pub(super) method: Option<Method>,
    pub(super) count: Option<u64>,
    pub(super) seed: Option<u64>,
    settings: Vec<Setting>,
}

/// A new value for a parameter, or for a key of the document given by its path.
#[derive(Clone, Debug, PartialEq)]
struct Setting {
    name: String,
    value: Setted,
}

#[derive(Clone, Debug, PartialEq)]
enum Setted {
    /// A value of the document.
    Plain(Value),
    /// A parameter of the sweep.
    Swept(Value),
}

impl Overrides {
    /// The folder of files named in the spec; by default the current one.
    #[must_use]
    pub fn in_folder(self, folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), ..self }
    }

    /// Takes the sweep from a file instead of from the spec: `.yaml` or `.json` as in W&B, or `.toml`.
    #[must_use]
    pub fn sweep_file(self, path: impl Into<PathBuf>) -> Self {
        Self { sweep_file: Some(path.into()), ..self }
    }

    /// How the parameters combine.
    #[must_use]
    pub fn method(self, method: Method) -> Self {
        Self { method: Some(method), ..self }
    }

    /// The number of points of a random or Sobol sweep.
    #[must_use]
    pub fn count(self, count: u64) -> Self {
        Self { count: Some(count), ..self }
    }

    /// The seed of a random or Sobol sweep.
    #[must_use]
    pub fn seed(self, seed: u64) -> Self {
        Self { seed: Some(seed), ..self }
    }

    /// Sets a parameter, or a key of the schedule by its path, as Hydra's command line does: `peak=1e-3`,
    /// `peak=1e-3,1e-4`, `peak=choice(1e-3,1e-4)`, `peak=range(1,10,2)` (the end excluded), `peak=interval(1e-4,1e-2)`,
    /// `peak=tag(log,interval(1e-4,1e-2))`.
    ///
    /// # Errors
    /// When the text is none of these.
    pub fn set(mut self, text: &str) -> Result<Self, SpecError> {
        let Some((name, value)) = text.split_once('=') else {
            return Err(SpecError::new("", format!("`{text}` sets nothing: write NAME=VALUE, such as peak=1e-3")));
        };
        // Hydra's prefixes for a new key.
        let name = name.trim().trim_start_matches('+');
        if name.is_empty() || name.starts_with('~') {
            return Err(SpecError::new(
                "",
                format!("`{text}` names no parameter: write NAME=VALUE, such as peak=1e-3"),
            ));
        }
        let value = setted(value.trim()).map_err(|error| error.within(name))?;
        self.settings.push(Setting { name: name.to_owned(), value });
        Ok(self)
    }

    /// Applies the changes to the document's keys, and returns those of its sweep's parameters.
    pub(super) fn apply(&self, document: &mut Map<String, Value>) -> Result<Vec<(String, Value)>, SpecError> {
        let mut parameters = Vec::new();
        for Setting { name, value } in &self.settings {
            let keys: Vec<&str> = name.split(['.', '[']).map(|key| key.trim_end_matches(']')).collect();
            let in_document = ["schedule", "momentum", "steps", "steps_per_epoch"].contains(&keys[0]);
            match value {
                Setted::Plain(plain) if in_document => *slot(document, name, &keys)? = plain.clone(),
                Setted::Swept(swept) if in_document && keys.len() > 1 => {
                    *slot(document, name, &keys)? = Value::String(format!("${name}"));
                    parameters.push((name.clone(), swept.clone()));
                }
                Setted::Swept(_) if in_document => {
                    let message = "this is a plain number, and cannot be swept: set it to one value";
                    return Err(SpecError::new(name.as_str(), message));
                }
                Setted::Plain(Value::Number(number)) => parameters.push((name.clone(), json!({ "value": number }))),
                Setted::Plain(other) => {
                    return Err(SpecError::new(name.as_str(), format!("{other} is not a number")));
                }
                Setted::Swept(swept) => parameters.push((name.clone(), swept.clone())),
            }
        }
        Ok(parameters)
    }

    /// The path of a file named in the spec.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(Path::new(name))
    }
}

/// The value of a key in the document; the last key of the path may be new.
fn slot<'v>(document: &'v mut Map<String, Value>, path: &str, keys: &[&str]) -> Result<&'v mut Value, SpecError> {
    let missing = |key: &str, there: Vec<&String>| {
        let there: Vec<&str> = there.into_iter().map(String::as_str).collect();
        SpecError::new(path, format!("the spec has no `{key}` here: {}", nearest(key, &there)))
    };
    if keys.len() == 1 {
        return Ok(document.entry(keys[0]).or_insert(Value::Null));
    }
    if !document.contains_key(keys[0]) {
        return Err(missing(keys[0], document.keys().collect()));
    }
    let mut place = &mut document[keys[0]];
    for (index, key) in keys.iter().enumerate().skip(1) {
        place = match place {
            Value::Object(map) => {
                if index + 1 == keys.len() {
                    return Ok(map.entry(*key).or_insert(Value::Null));
                }
                if !map.contains_key(*key) {
                    return Err(missing(key, map.keys().collect()));
                }
                &mut map[*key]
            }
            Value::Array(items) => match key.parse::<usize>() {
                Ok(index) if index < items.len() => &mut items[index],
                _ => {
                    let message = format!("there is no element {key}: a list of {} starts at 0", items.len());
                    return Err(SpecError::new(path, message));
                }
            },
            other => return Err(SpecError::new(path, format!("`{key}` is looked for in {other}, which has no keys"))),
        };
    }
    Ok(place)
}

/// Parses the text after the equals sign.
fn setted(text: &str) -> Result<Setted, SpecError> {
    if let Some((function, arguments)) = call(text)? {
        return Ok(Setted::Swept(swept(function, arguments, text)?));
    }
    if text.contains(',') {
        return Ok(Setted::Swept(choice(text)?));
    }
    Ok(Setted::Plain(match (number(text), text) {
        (Ok(number), _) => Value::Number(number),
        (_, "true" | "false") => Value::Bool(text == "true"),
        (_, "") => return Err(SpecError::new("", "set to nothing: write NAME=VALUE")),
        _ => Value::String(text.trim_matches(['\'', '"']).to_owned()),
    }))
}

/// The name and the arguments of a call such as `choice(1,2)`; `None` for other texts.
fn call(text: &str) -> Result<Option<(&str, &str)>, SpecError> {
    let Some((function, rest)) = text.split_once('(') else { return Ok(None) };
    match rest.strip_suffix(')') {
        Some(arguments) => Ok(Some((function.trim(), arguments))),
        None => Err(SpecError::new("", format!("`{text}` has no closing bracket at its end"))),
    }
}

/// A parameter of the sweep.
fn swept(function: &str, arguments: &str, text: &str) -> Result<Value, SpecError> {
    match function {
        "choice" => choice(arguments),
        "range" => {
            let [start, stop, step] = named(arguments, ["start", "stop", "step"], text)?;
            // A single argument is the end, as in Python.
            let (start, stop) = if stop.is_none() { (None, start) } else { (start, stop) };
            let Some(end) = stop else {
                return Err(SpecError::new("", format!("`{text}` has no end: write range(START,STOP,STEP)")));
            };
            let or = |number: Option<Number>, default: u64| number.unwrap_or_else(|| default.into());
            Ok(json!({ "range": { "start": or(start, 0), "end": end, "step": or(step, 1) } }))
        }
        "interval" => interval(arguments, "uniform", text),
        "tag" => {
            let within = |(tags, rest): (&'static str, _)| Some((tags, call(rest).ok()??));
            let tagged = arguments.split_once(',').and_then(|(tag, rest)| match tag.trim() {
                "log" => within(("log_uniform_values", rest.trim())),
                "int" => within(("int_uniform", rest.trim())),
                _ => None,
            });
            match tagged {
                Some((distribution, ("interval", arguments))) => interval(arguments, distribution, text),
                _ => {
                    Err(SpecError::new("", format!("`{text}`: write tag(log,interval(A,B)) or tag(int,interval(A,B))")))
                }
            }
        }
        other => {
            let known = ["choice", "range", "interval", "tag"];
            Err(SpecError::new("", format!("unknown function `{other}`: {}", nearest(other, &known))))
        }
    }
}

fn choice(arguments: &str) -> Result<Value, SpecError> {
    let values: Result<Vec<Number>, SpecError> = arguments.split(',').map(|item| number(item.trim())).collect();
    Ok(json!({ "values": values? }))
}

fn interval(arguments: &str, distribution: &str, text: &str) -> Result<Value, SpecError> {
    let [start, end, count] = named(arguments, ["start", "end", "count"], text)?;
    let (Some(start), Some(end)) = (start, end) else {
        return Err(SpecError::new("", format!("`{text}` has no two ends: write interval(A,B)")));
    };
    let mut parameter = json!({ "min": start, "max": end, "distribution": distribution });
    if let Some(count) = count {
        parameter["count"] = Value::Number(count);
    }
    Ok(parameter)
}

/// Arguments by position or name.
fn named<const N: usize>(arguments: &str, names: [&str; N], text: &str) -> Result<[Option<Number>; N], SpecError> {
    let mut found = [const { None }; N];
    for (place, item) in arguments.split(',').enumerate().filter(|(_, item)| !item.trim().is_empty()) {
        let (place, item) = match item.split_once('=') {
            Some((name, item)) => (names.iter().position(|known| *known == name.trim()), item),
            None => (Some(place), item),
        };
        match place.and_then(|place| found.get_mut(place)) {
            Some(slot) => *slot = Some(number(item.trim())?),
            None => return Err(SpecError::new("", format!("`{text}`: its arguments are {}", names.join(", ")))),
        }
    }
    Ok(found)
}

/// A JSON number; integers stay integers.
fn number(text: &str) -> Result<Number, SpecError> {
    let plain = text.replace('_', "");
    let whole = plain.parse::<i64>().ok().map(Number::from);
    let number = whole.or_else(|| plain.parse::<f64>().ok().and_then(Number::from_f64));
    number.ok_or_else(|| SpecError::new("", format!("`{text}` is not a finite number, such as 3, 0.5 or 1e-3")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Result<Setted, String> {
        setted(text).map_err(|error| error.to_string())
    }

    #[test]
    fn hydras_forms() {
        let swept = |value: Value| Ok(Setted::Swept(value));
        assert_eq!(one("1e-3"), Ok(Setted::Plain(json!(1e-3))));
        assert_eq!(one("1_000"), Ok(Setted::Plain(json!(1000))));
        assert_eq!(one("5%"), Ok(Setted::Plain(json!("5%"))));
        assert_eq!(one("true"), Ok(Setted::Plain(json!(true))));
        assert_eq!(one("choice(1, 2.5)"), swept(json!({ "values": [1, 2.5] })));
        assert_eq!(one("1,2"), swept(json!({ "values": [1, 2] })));
        assert_eq!(one("range(5)"), swept(json!({ "range": { "start": 0, "end": 5, "step": 1 } })));
        assert_eq!(one("range(1,5)"), swept(json!({ "range": { "start": 1, "end": 5, "step": 1 } })));
        assert_eq!(
            one("range(start=1,stop=2,step=0.5)"),
            swept(json!({ "range": { "start": 1, "end": 2, "step": 0.5 } }))
        );
        assert_eq!(one("interval(0,1)"), swept(json!({ "min": 0, "max": 1, "distribution": "uniform" })));
        assert_eq!(
            one("tag(log, interval(1e-5,1e-2,count=4))"),
            swept(json!({ "min": 1e-5, "max": 1e-2, "distribution": "log_uniform_values", "count": 4 }))
        );
    }

    #[test]
    fn what_is_none_of_them_is_refused() {
        for (text, part) in [
            ("choice(adam)", "`adam`"),
            ("choice(1,,2)", "finite number"),
            ("choice(1", "closing bracket"),
            ("range()", "no end"),
            ("range(1,2,3,4)", "start, stop, step"),
            ("range(1,2,stride=3)", "start, stop, step"),
            ("interval(1)", "two ends"),
            ("tag(x,interval(1,2))", "tag(log"),
            ("choose(1,2)", "`choice`"),
            ("", "set to nothing"),
            ("choice(inf)", "finite"),
        ] {
            let error = one(text).expect_err(text);
            assert!(error.contains(part), "{text}: {error}");
        }
        for text in ["peak", "=3", "~peak=3"] {
            assert!(Overrides::default().set(text).is_err(), "{text}");
        }
    }
}
