//! The gallery and the README's pictures are what the tool draws: `LRGRID_BLESS=1 cargo test gallery` renews them.
#![expect(clippy::unwrap_used, reason = "a test's helpers may fail as tests do")]

use std::fs;
use std::path::PathBuf;

use lrgrid::program::{Program, Repetition};
use lrgrid::schedule::{KINDS, Schedule};
use lrgrid::{Batch, Spec};
use lrgrid_reports::plot::chart::Lowered;
use lrgrid_reports::plot::file::{Format, picture};
use lrgrid_reports::plot::{Chart, Options, Subject};
use serde_json::json;

/// The most bytes that a picture of the gallery may have.
const MOST_BYTES: usize = 12_000;

fn root() -> PathBuf {
    lrgrid_testkit::root().into()
}

/// Compares a file with what it should be, or writes it.
fn hold(path: &str, wanted: &str) {
    let file = root().join(path);
    if std::env::var_os("LRGRID_BLESS").is_some() {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, wanted).unwrap();
        return;
    }
    let found = fs::read_to_string(&file).unwrap_or_default();
    assert!(found == wanted, "{path} is stale: LRGRID_BLESS=1 cargo test gallery");
}

/// Steps that show what a schedule does.
fn horizon(schedule: &Schedule, program: &Program) -> u64 {
    if let Some(last) = schedule.last_step() {
        return last + 1;
    }
    if let Some(length) = schedule.length().filter(|&length| length > 1) {
        return length + length / 12 + 1;
    }
    let period = program.stages().iter().flat_map(|stage| &stage.tracks).map(|track| match track.repetition {
        Repetition::None => 0,
        Repetition::Restart { period } => period,
        Repetition::Reflect { period } => 2 * period,
    });
    if let Some(period) = period.max().filter(|&period| period > 1) {
        return 5 * period;
    }
    let mut steps = 40;
    let peak = |steps: u64| (0..40).map(|part| program.value(steps * part / 40)).fold(0.0_f64, f64::max);
    while steps < 1_000_000 && program.value(steps) > 0.3 * peak(steps) {
        steps *= 2;
    }
    if steps >= 1_000_000 { 1000 } else { steps }
}

fn draw(schedule: &Schedule, title: &str, size: (f64, f64)) -> String {
    let batch = Spec::from(schedule.clone()).compile().unwrap();
    let steps = horizon(schedule, &batch.program(0));
    let point = |_| Vec::new();
    let program = |_: usize| Ok(batch.program(0));
    let (name, parameters) = (title.to_owned(), Vec::new());
    let subject = Subject { name, count: 1, program: &program, parameters, point: &point, steps };
    let options = Options { title: title.to_owned(), columns: 320, ..Options::default() };
    let chart = Chart::new(&[subject], &options).unwrap().unwrap();
    String::from_utf8(picture(&chart, Format::Svg, size, false).unwrap()).unwrap()
}

#[test]
fn the_gallery_shows_every_kind_as_it_is() {
    let mut page = String::from(
        "# Gallery\n\nEvery schedule and combinator with its formula and an example, drawn by `lrgrid plot`. `s` counts from the piece's own\nstart, `t = min(s/steps, 1)`. Made by `LRGRID_BLESS=1 cargo test gallery`.\n",
    );
    for combinators in [false, true] {
        page += if combinators { "\n## Combinators\n" } else { "\n## Schedules\n" };
        for kind in KINDS.iter().filter(|kind| kind.combinator == combinators) {
            let schedule = (kind.examples)().into_iter().next().unwrap();
            let svg = draw(&schedule, kind.name, (420.0, 200.0));
            assert!(svg.len() <= MOST_BYTES, "{}: {} bytes", kind.name, svg.len());
            hold(&format!("docs/gallery/{}.svg", kind.name), &svg);
            let spec = toml::to_string(&json!({ "schedule": schedule })).unwrap();
            page += &format!(
                "\n### `{0}`\n\n{1} `{2}`\n\n![{0}](gallery/{0}.svg)\n\n```toml\n{3}```\n",
                kind.name, kind.summary, kind.formula, spec
            );
        }
    }
    hold("docs/gallery.md", &page);
}

/// The files that the README shows, and how each is drawn.
#[test]
fn the_readmes_pictures_are_drawn_from_the_examples() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let pictures: [(&str, &[&str]); 3] = [
        ("docs/overlay.svg", &["one_cycle", "wsd", "sgdr"]),
        ("docs/family.svg", &["grid"]),
        ("docs/heat.svg", &["sweep_peak"]),
    ];
    for (path, names) in pictures {
        assert!(readme.contains(path), "the README does not show {path}");
        let specs: Vec<Spec> = names
            .iter()
            .map(|name| {
                Spec::from_toml(&fs::read_to_string(root().join(format!("examples/{name}.toml"))).unwrap()).unwrap()
            })
            .collect();
        let batches: Vec<Batch> = specs.iter().map(|spec| spec.compile().unwrap()).collect();
        let programs: Vec<Box<Lowered<'_>>> =
            batches.iter().map(|batch| Box::new(|index| Ok(batch.program(index))) as Box<_>).collect();
        let points: Vec<Box<dyn Fn(usize) -> Vec<f64> + Sync + '_>> =
            specs.iter().map(|spec| Box::new(|index| spec.point(index)) as Box<_>).collect();
        let subjects: Vec<Subject<'_>> = (0..names.len())
            .map(|index| Subject {
                name: names[index].to_owned(),
                count: specs[index].len(),
                program: &*programs[index],
                parameters: specs[index].parameter_names().into_iter().map(str::to_owned).collect(),
                point: &*points[index],
                steps: specs[index].table_steps().unwrap(),
            })
            .collect();
        let options = Options { title: names.join(", "), columns: 700, ..Options::default() };
        let svg =
            picture(&Chart::new(&subjects, &options).unwrap().unwrap(), Format::Svg, (760.0, 300.0), false).unwrap();
        hold(path, std::str::from_utf8(&svg).unwrap());
    }
}

#[test]
fn pictures_are_svg_that_parses_and_follows_the_readers_setting() {
    for kind in KINDS {
        for schedule in (kind.examples)() {
            let svg = draw(&schedule, "a < b & \"c\"", (420.0, 200.0));
            assert!(svg.starts_with("<svg ") && svg.contains("prefers-color-scheme:dark"), "{schedule:?}");
            assert!(svg.contains("a &lt; b &amp;") && !svg.contains("NaN") && !svg.contains("inf"), "{schedule:?}");
        }
    }
}
