//! The parameters of each kind of schedule, taken from the JSON schema of the structs that parse them.

use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value};

use lrgrid::schedule::Kind;

/// One parameter of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// The key in specs.
    pub name: String,
    /// The form of the value: `number`, `whole number`, `schedule`, `"linear" | "cosine"`, or lists of these.
    pub form: String,
    /// The default; `None` if the parameter is required.
    pub default: Option<String>,
    /// The description.
    pub description: String,
}

/// The parameters of a kind, in order of declaration.
///
/// ```
/// use lrgrid_reports::catalogue::parameters;
/// use lrgrid::schedule::KINDS;
///
/// let cosine = KINDS.iter().find(|kind| kind.name == "cosine").unwrap();
/// let names: Vec<String> = parameters(cosine).into_iter().map(|parameter| parameter.name).collect();
/// assert_eq!(names, ["start", "end", "steps"]);
/// ```
#[must_use]
pub fn parameters(kind: &Kind) -> Vec<Parameter> {
    of_schema(kind.schema)
}

/// The properties of a schema, in order of declaration: for example the arguments of a library's schedule.
///
/// ```
/// use lrgrid_reports::catalogue::of_schema;
/// use lrgrid::dialect::LIBRARIES;
///
/// let torch = LIBRARIES.iter().find(|library| library.name == "torch").unwrap();
/// let step = torch.schedules.iter().find(|schedule| schedule.name == "StepLR").unwrap();
/// let gamma = of_schema(step.schema).into_iter().find(|argument| argument.name == "gamma").unwrap();
/// assert_eq!(gamma.default.as_deref(), Some("0.1"));
/// ```
#[must_use]
pub fn of_schema(schema: fn(&mut SchemaGenerator) -> Schema) -> Vec<Parameter> {
    let mut generator = SchemaGenerator::default();
    let schema = schema(&mut generator).to_value();
    let definitions: Map<String, Value> = generator.definitions().clone().into_iter().collect();
    let schema = resolve(&schema, &definitions);
    let required = schema["required"].as_array().map(Vec::as_slice).unwrap_or_default();
    let Some(properties) = schema["properties"].as_object() else { return Vec::new() };
    let parameter = |(name, property): (&String, &Value)| Parameter {
        name: name.clone(),
        form: form(property, &definitions),
        default: match property.get("default") {
            Some(Value::Null) | None if required.iter().any(|key| key == name) => None,
            Some(Value::Null) | None => Some("none".to_owned()),
            Some(value) => Some(plain(value)),
        },
        description: property["description"].as_str().map(one_line).unwrap_or_default(),
    };
    properties.iter().map(parameter).collect()
}

/// A number as a person writes it: `1` for 1.0.
fn plain(value: &Value) -> String {
    let text = value.to_string();
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The name of the definition that a schema refers to.
fn reference(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str().and_then(|path| path.rsplit('/').next())
}

fn resolve<'a>(schema: &'a Value, definitions: &'a Map<String, Value>) -> &'a Value {
    reference(schema).and_then(|name| definitions.get(name)).unwrap_or(schema)
}

fn form(schema: &Value, definitions: &Map<String, Value>) -> String {
    // Definitions of a library's schedules are named after the library.
    if reference(schema).is_some_and(|name| name.ends_with("Schedule")) {
        return "schedule".to_owned();
    }
    let schema = resolve(schema, definitions);
    if let Some(value) = schema.get("const") {
        return value.to_string();
    }
    for key in ["oneOf", "anyOf", "enum"] {
        if let Some(choices) = schema[key].as_array() {
            let one = |choice| if key == "enum" { Value::to_string(choice) } else { form(choice, definitions) };
            let choices: Vec<String> = choices.iter().map(one).filter(|choice| choice != "null").collect();
            return choices.join(" | ");
        }
    }
    if let Some(items) = schema["prefixItems"].as_array() {
        let items: Vec<String> = items.iter().map(|item| form(item, definitions)).collect();
        return format!("[{}]", items.join(", "));
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(name) => vec![name],
        Value::Array(names) => names.iter().filter_map(Value::as_str).filter(|name| *name != "null").collect(),
        _ => Vec::new(),
    };
    let name = |name: &&str| match *name {
        "integer" => "whole number".to_owned(),
        "boolean" => "true | false".to_owned(),
        "null" => "null".to_owned(),
        "array" => format!("list of {}", form(&schema["items"], definitions)),
        other => other.to_owned(),
    };
    if types.is_empty() { "any".to_owned() } else { types.iter().map(name).collect::<Vec<_>>().join(" | ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lrgrid::dialect::LIBRARIES;
    use lrgrid::schedule::KINDS;

    #[test]
    fn every_parameter_has_a_form_and_a_description() {
        for kind in KINDS {
            for parameter in parameters(kind) {
                assert!(!parameter.description.is_empty(), "{}.{}", kind.name, parameter.name);
                assert!(!parameter.form.contains("any"), "{}.{}: {}", kind.name, parameter.name, parameter.form);
            }
        }
    }

    #[test]
    fn every_argument_of_every_library_has_a_form_and_a_description() {
        for (library, schedule) in
            LIBRARIES.iter().flat_map(|library| library.schedules.iter().map(move |s| (library, s)))
        {
            for argument in of_schema(schedule.schema) {
                let name = format!("{} {}.{}", library.name, schedule.name, argument.name);
                assert!(!argument.description.is_empty(), "{name}");
                assert!(!argument.form.contains("any"), "{name}: {}", argument.form);
            }
        }
    }

    #[test]
    fn forms_are_what_a_user_writes() {
        let form = |kind: &str, name: &str| {
            let kind = KINDS.iter().find(|known| known.name == kind).unwrap();
            parameters(kind).into_iter().find(|parameter| parameter.name == name).unwrap()
        };
        assert_eq!(form("cosine", "steps").form, "whole number");
        assert_eq!(form("cosine", "steps").default, None);
        assert_eq!(form("polynomial", "power").default.as_deref(), Some("1"));
        assert_eq!(form("one_cycle", "anneal").form, "\"cosine\" | \"linear\"");
        assert_eq!(form("warmup", "then").form, "schedule");
        assert_eq!(form("product", "factors").form, "list of schedule");
    }
}
