//! The catalogue is whole: every kind is documented, in `docs/schedules.md`, in the schema, and survives the parser.

use std::collections::BTreeSet;
use std::fs;

use lrgrid::Spec;
use lrgrid::dialect::LIBRARIES;
use lrgrid::schedule::{KINDS, Schedule};

const START: &str = "<!-- schedules: made by LRGRID_BLESS=1 cargo test catalogue -->\n";
const END: &str = "<!-- end of schedules -->";

/// The table of `docs/schedules.md`: name, parameters with defaults, formula.
fn table() -> String {
    let mut rows = String::from("| kind | parameters (defaults) | value |\n|---|---|---|\n");
    for kind in KINDS {
        let parameters: Vec<String> = lrgrid_reports::catalogue::parameters(kind)
            .into_iter()
            .map(|parameter| match parameter.default {
                Some(default) => format!("{} ({default})", parameter.name),
                None => parameter.name,
            })
            .collect();
        rows += &format!("| `{}` | {} | {} |\n", kind.name, parameters.join(", "), kind.formula);
    }
    rows
}

#[test]
fn the_table_lists_every_kind_as_it_is() {
    let path = lrgrid_testkit::root().join("docs/schedules.md");
    let page = fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(START).unwrap();
    let (listed, after) = rest.split_once(END).unwrap();
    let wanted = format!("\n{}\n", table());
    if std::env::var_os("LRGRID_BLESS").is_some() {
        fs::write(&path, [before, START, &wanted, END, after].concat()).unwrap();
        return;
    }
    assert_eq!(listed, wanted, "docs/schedules.md is stale: LRGRID_BLESS=1 cargo test catalogue");
}

#[test]
fn every_kind_has_examples_that_survive_the_parser_as_json_and_toml() {
    let mut names = BTreeSet::new();
    for kind in KINDS {
        assert!(names.insert(kind.name), "{} is listed twice", kind.name);
        assert!(!kind.summary.is_empty() && !kind.formula.is_empty(), "{}", kind.name);
        let examples = (kind.examples)();
        assert!(!examples.is_empty(), "{} has no examples", kind.name);
        for schedule in examples {
            assert_eq!(schedule.kind(), kind.name);
            let document = serde_json::json!({ "schedule": schedule });
            let read = |spec: Result<Spec, lrgrid::Error>| -> Schedule { spec.unwrap().schedule(0).unwrap() };
            assert_eq!(read(Spec::from_json(&document.to_string())), schedule);
            assert_eq!(read(Spec::from_toml(&toml::to_string(&document).unwrap())), schedule);
        }
    }
}

#[test]
fn every_example_validates_against_the_schemas_shape() {
    let schema = lrgrid::spec::json_schema();
    let alternatives = schema["$defs"]["Schedule"]["oneOf"].as_array().unwrap();
    assert_eq!(alternatives.len(), KINDS.len() + LIBRARIES.len());
    for (kind, alternative) in KINDS.iter().zip(alternatives) {
        assert_eq!(alternative["properties"]["kind"]["const"], kind.name);
        for schedule in (kind.examples)() {
            let value = serde_json::to_value(&schedule).unwrap();
            let keys: BTreeSet<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
            for key in keys {
                assert!(alternative["properties"].get(key).is_some(), "{}: the schema lacks `{key}`", kind.name);
            }
        }
    }
}

#[test]
fn a_number_may_be_swept_and_a_length_be_a_share() {
    let schema = lrgrid::spec::json_schema();
    let alternatives = schema["$defs"]["Schedule"]["oneOf"].as_array().unwrap();
    let properties = |kind: &str| {
        alternatives
            .iter()
            .map(|one| &one["properties"])
            .find(|properties| properties["kind"]["const"] == kind)
            .unwrap()
    };
    let cosine = properties("cosine");
    assert_eq!(cosine["start"]["anyOf"][1]["pattern"], "^\\$.+$");
    assert_eq!(properties("clamp")["min"]["anyOf"][1]["pattern"], "^\\$.+$");
    assert_eq!(cosine["steps"]["anyOf"][1]["pattern"], "^(\\$.+|[0-9.]+ *%)$");
}

#[test]
fn the_schema_knows_every_way_to_write_a_sweep() {
    let schema = lrgrid::spec::json_schema();
    let alternatives = &schema["properties"]["sweep"]["anyOf"];
    assert_eq!(alternatives[0]["type"], "string");
    for key in ["method", "count", "seed", "parameters", "file", "metric", "run_cap"] {
        assert!(alternatives[1]["properties"].get(key).is_some(), "the schema lacks `{key}`");
    }
    let parameter = &schema["$defs"]["Parameter"]["properties"];
    for key in ["values", "probabilities", "value", "min", "max", "count", "q", "mu", "sigma", "a", "b", "range"] {
        assert!(parameter.get(key).is_some(), "the schema lacks `{key}`");
    }
    assert!(schema["$defs"]["Method"].to_string().contains("sobol"));
    assert!(schema["$defs"]["Distribution"].to_string().contains("q_log_uniform_values"));
}
