//! Counts how often each kind, each of its forms and each unit of time was drawn.

use serde_json::Value;

use lrgrid::schedule::KINDS;
use lrgrid_reports::catalogue::{Parameter, parameters};

/// Something that can be drawn, and how often it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// `schedules`, `combinators`, `forms`, `time` or `depth`.
    pub group: &'static str,
    /// Its name: `cosine`, `cosine_power.form = "exponential"`.
    pub name: String,
    /// How often it was drawn.
    pub drawn: u64,
}

/// The groups, in the order of the report.
pub const GROUPS: [&str; 5] = ["schedules", "combinators", "forms", "time", "depth"];

const STEPS: &str = "steps";
const WHOLE_EPOCHS: &str = "one value per epoch";
const FRACTIONAL_EPOCHS: &str = "fractions of epochs";

/// Counts over the whole catalogue: what was never drawn has a 0.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tally(Vec<Count>);

impl Tally {
    /// Nothing drawn yet.
    pub fn new() -> Self {
        let mut tally = Self(Vec::new());
        for kind in KINDS {
            tally.add(if kind.combinator { "combinators" } else { "schedules" }, kind.name.to_owned(), 0);
            for parameter in parameters(kind) {
                choices(&parameter).for_each(|choice| tally.add("forms", named(kind.name, &parameter, &choice), 0));
            }
        }
        [STEPS, WHOLE_EPOCHS, FRACTIONAL_EPOCHS].into_iter().for_each(|name| tally.add("time", name.to_owned(), 0));
        (0..=crate::check::draw::DEEPEST).for_each(|depth| tally.add("depth", depth.to_string(), 0));
        tally
    }

    /// Counts what a document has in it.
    pub fn count(&mut self, document: &Value) {
        let time = match (document.get("steps_per_epoch"), document.get("fractional_epochs")) {
            (None, _) => STEPS,
            (_, Some(Value::Bool(true))) => FRACTIONAL_EPOCHS,
            _ => WHOLE_EPOCHS,
        };
        self.add("time", time.to_owned(), 1);
        let depth = self.count_schedule(&document["schedule"]);
        self.add("depth", depth.to_string(), 1);
    }

    /// Counts a schedule and those within; how many combinators lie in each other.
    fn count_schedule(&mut self, value: &Value) -> u32 {
        let Some(kind) = KINDS.iter().find(|kind| value["kind"] == kind.name) else {
            return value.as_array().into_iter().flatten().map(|item| self.count_schedule(item)).max().unwrap_or(0);
        };
        self.add(if kind.combinator { "combinators" } else { "schedules" }, kind.name.to_owned(), 1);
        for parameter in parameters(kind) {
            let chosen = match &value[parameter.name.as_str()] {
                Value::Null => "none".to_owned(),
                chosen => chosen.to_string(),
            };
            if let Some(choice) = choices(&parameter).find(|choice| *choice == chosen) {
                self.add("forms", named(kind.name, &parameter, &choice), 1);
            }
        }
        let within = value.as_object().into_iter().flat_map(|keys| keys.values());
        let deepest = within.map(|inner| self.count_schedule(inner)).max().unwrap_or(0);
        deepest + u32::from(kind.combinator)
    }

    fn add(&mut self, group: &'static str, name: String, drawn: u64) {
        match self.0.iter_mut().find(|count| count.group == group && count.name == name) {
            Some(count) => count.drawn += drawn,
            None => self.0.push(Count { group, name, drawn }),
        }
    }

    /// All counts, group by group.
    pub fn into_counts(mut self) -> Vec<Count> {
        self.0.sort_by_key(|count| GROUPS.iter().position(|group| *group == count.group));
        self.0
    }
}

/// What may be chosen for a parameter: the names of an enum, true and false, and nothing where it may be left out.
fn choices(parameter: &Parameter) -> impl Iterator<Item = String> {
    let named = parameter.form.starts_with('"') || parameter.form == "true | false";
    let names = named.then(|| parameter.form.split(" | ").map(str::to_owned)).into_iter().flatten();
    names.chain(parameter.default.clone().filter(|default| default == "none"))
}

fn named(kind: &str, parameter: &Parameter, choice: &str) -> String {
    format!("{kind}.{} = {choice}", parameter.name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn kinds_forms_and_depths_are_counted() {
        let mut tally = Tally::new();
        let cosine =
            json!({ "kind": "cosine_power", "form": "exponential", "start": 1, "end": 0, "steps": 9, "power": 2 });
        let document = json!({ "steps_per_epoch": 3, "schedule": { "kind": "sum", "terms": [cosine, { "kind": "delay", "steps": 1, "of": cosine }] } });
        tally.count(&document);
        let drawn: Vec<(String, u64)> = tally
            .into_counts()
            .into_iter()
            .filter(|count| count.drawn > 0)
            .map(|count| (count.name, count.drawn))
            .collect();
        let want = [
            ("cosine_power", 2),
            ("sum", 1),
            ("delay", 1),
            ("cosine_power.form = \"exponential\"", 2),
            (WHOLE_EPOCHS, 1),
            ("2", 1),
        ];
        assert_eq!(drawn, want.map(|(name, count)| (name.to_owned(), count)));
    }
}
