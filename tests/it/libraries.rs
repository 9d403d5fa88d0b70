//! `docs/libraries.md`: every shape, what each library calls it, and where they differ; made from the catalogue.

use std::fs;
use std::path::Path;

use lrgrid::dialect::{ForeignKind, LIBRARIES, Library, Shape};
use lrgrid::schedule::KINDS;

const HEAD: &str = "\
# Schedules by the names that libraries give them

Made by `LRGRID_BLESS=1 cargo test libraries`, from the list that also reads them. Each can be written as
it is there, `schedule = { library = \"torch\", name = \"OneCycleLR\", args = { … } }`, and returns what the library
returns; `lrgrid describe` prints the native spec with the same bits, and `lrgrid schedules --library torch`
the arguments. A name leads to what is the same elsewhere, and to the differences that bite.
";

/// The anchor of a schedule's entry.
fn anchor(library: &Library, schedule: &ForeignKind) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    format!("{}-{}", library.name, schedule.name.chars().map(plain).collect::<String>())
}

fn shape_anchor(shape: Shape) -> String {
    // As GitHub makes one of a heading: no commas, dashes for spaces.
    shape.title().0.replace(',', "").replace(' ', "-")
}

/// A library's schedules of a shape.
fn of_shape(library: &'static Library, shape: Shape) -> impl Iterator<Item = &'static ForeignKind> {
    library.schedules.iter().filter(move |schedule| schedule.shape == shape || schedule.also.contains(&shape))
}

fn kinds(shape: Shape) -> String {
    shape.title().1.iter().map(|kind| format!("`{kind}`")).collect::<Vec<_>>().join(", ")
}

fn page() -> String {
    let names: Vec<&str> = LIBRARIES.iter().map(|library| library.name).collect();
    let mut page = format!("{HEAD}\n| shape | here | {} |\n|{}\n", names.join(" | "), "---|".repeat(names.len() + 2));
    for &shape in Shape::ALL {
        let cell = |library| {
            let link = |schedule: &ForeignKind| format!("[`{}`](#{})", schedule.name, anchor(library, schedule));
            of_shape(library, shape).map(link).collect::<Vec<_>>().join(" ")
        };
        let cells: Vec<String> = LIBRARIES.iter().map(cell).collect();
        let title = shape.title().0;
        page += &format!("| [{title}](#{}) | {} | {} |\n", shape_anchor(shape), kinds(shape), cells.join(" | "));
    }
    for &shape in Shape::ALL {
        page += &format!("\n## {}\n\nHere: {}.\n\n", shape.title().0, kinds(shape));
        for library in LIBRARIES {
            for schedule in of_shape(library, shape) {
                let bites = if schedule.bites.is_empty() { "no surprises" } else { schedule.bites };
                // An entry that stands under several shapes has its anchor under the first.
                let name = if schedule.shape == shape {
                    format!("<a id=\"{}\"></a>", anchor(library, schedule))
                } else {
                    String::new()
                };
                page += &format!("- {name}**{}** `{}`: {bites}.\n", library.name, schedule.name);
            }
        }
    }
    page
}

#[test]
fn the_page_lists_every_schedule_as_it_is() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/libraries.md");
    let wanted = page();
    if std::env::var_os("LRGRID_BLESS").is_some() {
        fs::write(&path, &wanted).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(found == wanted, "the page is stale: LRGRID_BLESS=1 cargo test libraries");
}

#[test]
fn every_shape_is_of_kinds_that_there_are_and_every_link_leads_somewhere() {
    for shape in Shape::ALL {
        for kind in shape.title().1 {
            assert!(KINDS.iter().any(|known| known.name == *kind), "{shape:?}: no kind {kind}");
        }
    }
    let page = page();
    for link in page.split("](#").skip(1) {
        let target = link.split(')').next().unwrap();
        let heading = Shape::ALL.iter().any(|&shape| shape_anchor(shape) == target);
        assert!(heading || page.contains(&format!("<a id=\"{target}\">")), "#{target} leads nowhere");
    }
    for (library, schedule) in LIBRARIES.iter().flat_map(|library| library.schedules.iter().map(move |s| (library, s)))
    {
        assert!(Shape::ALL.contains(&schedule.shape), "{} {}", library.name, schedule.name);
    }
}
