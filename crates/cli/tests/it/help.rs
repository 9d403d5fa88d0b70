//! Help texts and tables at several widths of the terminal.

use crate::program::{WARMUP, examples, lrgrid, output, relative};

const WIDTHS: [usize; 3] = [80, 100, 200];

/// The width at which help texts are wrapped on a wider terminal too.
const WIDEST_HELP: usize = 100;

/// Standard output of a command that succeeds, on a terminal of this width.
fn at(width: usize, arguments: &[&str]) -> String {
    let assert = lrgrid().args(arguments).env("COLUMNS", width.to_string()).assert().success();
    String::from_utf8_lossy(&assert.get_output().stdout).into_owned()
}

fn length(text: &str) -> usize {
    text.chars().count()
}

/// The lines below a heading, up to the next empty line.
fn section<'a>(text: &'a str, heading: &str) -> Vec<&'a str> {
    text.lines().skip_while(|line| *line != heading).skip(1).take_while(|line| !line.is_empty()).collect()
}

/// The names of all commands but `help`.
fn commands() -> Vec<String> {
    let help = at(WIDEST_HELP, &["--help"]);
    let lines = section(&help, "Commands:").into_iter().filter(|line| !line.starts_with("   "));
    let names = lines.filter_map(|line| line.split_whitespace().next());
    let names: Vec<String> = names.filter(|name| *name != "help").map(str::to_owned).collect();
    assert!(names.len() >= 19, "{names:?}");
    names
}

/// Whether a line ends within a sentence although the next word would fit.
fn is_cut(line: &str, next: &str, width: usize) -> bool {
    let indentation = |line: &str| length(line) - length(line.trim_start());
    let Some(word) = next.split_whitespace().next() else { return false };
    !line.trim().is_empty()
        && indentation(line) == indentation(next)
        && word.starts_with(char::is_lowercase)
        && length(line) + 1 + length(word) <= width
}

#[test]
fn every_help_text_is_wrapped_at_the_width() {
    for command in commands() {
        for width in WIDTHS {
            let help = at(width, &[&command, "--help"]);
            let widest = help.lines().map(length).max().unwrap();
            assert!(widest <= width.min(WIDEST_HELP), "{command}: {widest} of {width}\n{help}");
            let examples = section(&help, "Examples:");
            let lines: Vec<&str> = help.lines().filter(|line| !examples.contains(line)).collect();
            for pair in lines.windows(2) {
                assert!(!is_cut(pair[0], pair[1], width.min(WIDEST_HELP)), "{command}, {width}: {pair:#?}");
            }
            assert!(help.contains("Print help (see a summary with '-h')"), "{command}: {help}");
        }
        assert!(at(80, &[&command, "-h"]).contains("Print help (see more with '--help')"), "{command}");
    }
    let help = at(80, &["--help"]);
    assert!(help.lines().all(|line| length(line) <= 80), "{help}");
}

#[test]
fn examples_are_the_same_at_every_width() {
    for command in commands() {
        let [narrow, medium, wide] = WIDTHS.map(|width| at(width, &[&command, "--help"]));
        let examples = section(&narrow, "Examples:");
        assert!(!examples.is_empty(), "{command}: {narrow}");
        assert_eq!(examples, section(&medium, "Examples:"), "{command}");
        assert_eq!(examples, section(&wide, "Examples:"), "{command}");
        assert!(examples.iter().all(|line| length(line) <= 78 && line.starts_with("  ")), "{command}: {examples:#?}");
    }
}

/// Checks that lines fit, and that wrapping breaks no word.
fn check_wrapped(arguments: &[&str], part: impl Fn(&str) -> String) {
    let sorted = |text: &str| {
        let mut words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        words.sort_unstable();
        words
    };
    let whole = part(&output(arguments));
    for width in WIDTHS {
        let text = part(&at(width, arguments));
        assert!(text.lines().all(|line| length(line) <= width), "{arguments:?} at {width}:\n{text}");
        assert_eq!(sorted(&text), sorted(&whole), "{arguments:?} at {width}:\n{text}");
    }
}

#[test]
fn the_catalogue_is_wrapped_between_words() {
    let before_example = |text: &str| text.split("for example").next().unwrap_or_default().to_owned();
    check_wrapped(&["schedules"], str::to_owned);
    for kind in lrgrid::schedule::KINDS {
        check_wrapped(&["schedules", kind.name], before_example);
    }
    for library in lrgrid::dialect::LIBRARIES {
        check_wrapped(&["schedules", "--library", library.name], str::to_owned);
        for name in library.aliases {
            assert_eq!(output(&["schedules", "--library", name]), output(&["schedules", "--library", library.name]));
        }
        for schedule in library.schedules {
            check_wrapped(&["schedules", "--library", library.name, schedule.name], str::to_owned);
        }
    }
}

#[test]
fn descriptions_and_comparisons_are_wrapped_between_words() {
    // The spec itself is not wrapped.
    let after_spec = |text: &str| {
        let lines = text.lines().skip_while(|line| !(line.starts_with("start ") && line.contains("curve")));
        lines.collect::<Vec<_>>().join("\n")
    };
    for path in examples() {
        let path = relative(&path);
        for width in WIDTHS {
            let text = after_spec(&at(width, &["describe", path]));
            assert!(text.lines().count() > 3 && text.lines().all(|line| length(line) <= width), "{path}:\n{text}");
            let arguments = ["compare", path, path, "--steps", "0..100"];
            let text = at(width, &arguments);
            assert!(text.lines().all(|line| length(line) <= width), "{path}:\n{text}");
        }
    }
    for width in WIDTHS {
        let other = "examples/torch_one_cycle.toml";
        let mut command = lrgrid();
        command.args(["compare", WARMUP, other, "--steps", "0..300"]).env("COLUMNS", width.to_string());
        let assert = command.assert().code(1);
        let text = String::from_utf8_lossy(&assert.get_output().stdout).into_owned();
        assert!(text.contains("relative") && text.lines().all(|line| length(line) <= width), "{text}");
    }
}
