//! Changes to documents that leave most of them readable: numbers, schedules within schedules, keys.

use serde_json::{Map, Number, Value};

use super::random::Random;

/// Numbers at the ends of their ranges.
const EXTREMES: [f64; 14] =
    [0.0, -0.0, 1.0, -1.0, 1e-308, 5e-324, 1e308, -1e308, 1e-3, 0.5, 9_007_199_254_740_991.0, 2e19, 1e9, 0.999_999];

const INTEGERS: [u64; 10] = [0, 1, 2, 3, 4095, 65_536, 4_294_967_296, (1 << 53) - 1, 1 << 53, u64::MAX];

const TEXTS: [&str; 10] = ["5%", "0%", "100%", "1e3", "$peak", "linear", "cosine", "", "grid", "\u{202e}x"];

/// Documents, and the schedules within them.
pub struct Trees {
    documents: Vec<Value>,
    schedules: Vec<Value>,
}

impl Trees {
    pub fn new(documents: Vec<Value>) -> Self {
        let mut schedules = Vec::new();
        for document in &documents {
            let found = pointers(document, &is_schedule);
            schedules.extend(found.iter().filter_map(|pointer| document.pointer(pointer)).cloned());
        }
        Self { documents, schedules }
    }

    /// A document with a few changes.
    pub fn document(&self, random: &mut Random) -> Value {
        let mut document = random.choose(&self.documents).clone();
        while random.one_in(2) {
            self.change(&mut document, random);
        }
        document
    }

    fn change(&self, document: &mut Value, random: &mut Random) {
        match random.below(10) {
            0..=4 => at_random(document, random, &Value::is_number, &mut number),
            5 => at_random(document, random, &|value| value.is_string() || value.is_boolean(), &mut scalar),
            6 if !self.schedules.is_empty() => {
                at_random(document, random, &is_schedule, &mut |value, random| {
                    *value = random.choose(&self.schedules).clone()
                });
            }
            7 if !self.schedules.is_empty() => {
                // In the place of a schedule within another.
                at_random(document, random, &is_schedule, &mut |value, random| {
                    let mut outer = random.choose(&self.schedules).clone();
                    let inner = pointers(&outer, &is_schedule);
                    if let Some(place) =
                        inner.get(1 + random.below(inner.len() - 1)).and_then(|at| outer.pointer_mut(at))
                    {
                        *place = value.take();
                        *value = outer;
                    }
                });
            }
            8 => at_random(
                document,
                random,
                &|value| value.as_array().is_some_and(|items| !items.is_empty()),
                &mut items,
            ),
            _ => at_random(
                document,
                random,
                &|value| value.as_object().is_some_and(|map| !map.is_empty()),
                &mut |value, random| {
                    let other = random.choose(&self.documents);
                    if let Value::Object(map) = value {
                        keys(map, other, random);
                    }
                },
            ),
        }
    }
}

fn is_schedule(value: &Value) -> bool {
    value.get("kind").is_some_and(Value::is_string) || value.get("library").is_some_and(Value::is_string)
}

/// JSON pointers to the values of a kind, an outer one before those within it.
fn pointers(value: &Value, is: &dyn Fn(&Value) -> bool) -> Vec<String> {
    fn walk(value: &Value, at: &str, is: &dyn Fn(&Value) -> bool, found: &mut Vec<String>) {
        if is(value) {
            found.push(at.to_owned());
        }
        match value {
            Value::Array(items) => {
                items.iter().enumerate().for_each(|(index, item)| walk(item, &format!("{at}/{index}"), is, found));
            }
            Value::Object(map) => map.iter().for_each(|(key, item)| {
                let key = key.replace('~', "~0").replace('/', "~1");
                walk(item, &format!("{at}/{key}"), is, found);
            }),
            _ => {}
        }
    }
    let mut found = Vec::new();
    walk(value, "", is, &mut found);
    found
}

/// Changes one of the values of a kind.
fn at_random(
    document: &mut Value,
    random: &mut Random,
    is: &dyn Fn(&Value) -> bool,
    change: &mut dyn FnMut(&mut Value, &mut Random),
) {
    let found = pointers(document, is);
    if found.is_empty() {
        return;
    }
    if let Some(value) = document.pointer_mut(random.choose::<String>(&found)) {
        change(value, random);
    }
}

fn number(value: &mut Value, random: &mut Random) {
    let old = value.as_f64().unwrap_or_default();
    let float = |number: f64| Number::from_f64(number).map_or(Value::Null, Value::Number);
    *value = match (value.as_u64(), random.below(8)) {
        (Some(whole), 0..=3) => {
            let near = [
                whole.saturating_add(1),
                whole.saturating_sub(1),
                whole.saturating_mul(2),
                whole / 2,
                whole.saturating_mul(1000),
            ];
            (*random.choose(&near)).into()
        }
        (_, 0..=3) => float(*random.choose(&[old * 2.0, old / 2.0, old * 0.999, old * 1e3, old * 1e-30])),
        (Some(_), 4 | 5) => (*random.choose(&INTEGERS)).into(),
        (_, 4..=6) => float(*random.choose(&EXTREMES)),
        _ if random.one_in(4) => (*random.choose(&TEXTS)).into(),
        _ => float(-old),
    };
}

fn scalar(value: &mut Value, random: &mut Random) {
    *value = match value {
        Value::Bool(value) if !random.one_in(4) => (!*value).into(),
        _ if random.one_in(3) => (*random.choose(&INTEGERS)).into(),
        _ => (*random.choose(&TEXTS)).into(),
    };
}

fn items(value: &mut Value, random: &mut Random) {
    let Value::Array(items) = value else { return };
    let at = random.below(items.len());
    match random.below(3) {
        0 => drop(items.remove(at)),
        1 => items.insert(at, items[at].clone()),
        _ => {
            let other = random.below(items.len());
            items.swap(at, other);
        }
    }
}

fn keys(map: &mut Map<String, Value>, other: &Value, random: &mut Random) {
    let names: Vec<String> = map.keys().cloned().collect();
    let name = random.choose(&names);
    match random.below(4) {
        0 => drop(map.remove(name)),
        1 => {
            let value = map.remove(name).unwrap_or_default();
            let mut misspelt = name.clone();
            misspelt.pop();
            map.insert(misspelt, value);
        }
        _ => {
            // A key of another document.
            let tables = pointers(other, &Value::is_object);
            let Some(table) = other.pointer(random.choose::<String>(&tables)).and_then(Value::as_object) else {
                return;
            };
            if let Some((key, value)) = table.iter().nth(random.below(table.len())) {
                map.insert(key.clone(), value.clone());
            }
        }
    }
}

/// A document as TOML, which has no nulls.
pub fn to_toml(mut document: Value) -> String {
    without_nulls(&mut document);
    toml::to_string(&document).unwrap_or_default()
}

fn without_nulls(value: &mut Value) {
    match value {
        Value::Array(items) => {
            items.retain(|item| !item.is_null());
            items.iter_mut().for_each(without_nulls);
        }
        Value::Object(map) => {
            map.retain(|_, item| !item.is_null());
            map.values_mut().for_each(without_nulls);
        }
        _ => {}
    }
}
