//! Short and safe texts for people: numbers in a few characters, and inputs quoted in messages.

/// A number of steps in a few characters: `500`, `20k`, `1.5M`, `15T`.
///
/// ```
/// use lrgrid::readable::steps;
///
/// assert_eq!([500, 20_000, 1_500_000, 15_000_000_000_000].map(steps), ["500", "20k", "1.5M", "15T"]);
/// ```
#[must_use]
pub fn steps(count: u64) -> String {
    for (unit, name) in
        [(1_000_000_000_000_000, "P"), (1_000_000_000_000, "T"), (1_000_000_000, "G"), (1_000_000, "M"), (1000, "k")]
    {
        if count >= unit {
            let thousandths = (u128::from(count) * 1000 / u128::from(unit)) as f64;
            return format!("{}{name}", thousandths / 1000.0);
        }
    }
    count.to_string()
}

/// A value in a few characters, to four digits.
///
/// ```
/// use lrgrid::readable::value;
///
/// assert_eq!([0.0, 0.25, 3e-4, 123456.0].map(value), ["0", "0.25", "3e-4", "1.235e5"]);
/// ```
#[must_use]
pub fn value(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return format!("{value}");
    }
    let rounded: f64 = format!("{value:.3e}").parse().unwrap_or(value);
    if (1e-3..1e5).contains(&rounded.abs()) { format!("{rounded}") } else { format!("{rounded:e}") }
}

/// The most characters that a message quotes of an input at one place.
const LINE: usize = 100;

/// The most characters of an unquoted word, such as a path.
const WORD: usize = 240;

/// The most characters of a whole message.
const MESSAGE: usize = 1000;

/// A text on one line with control and bidirectional formatting characters escaped, so that printing it cannot control
/// a terminal.
///
/// ```
/// use lrgrid::readable::printable;
///
/// assert_eq!(printable("peak\u{1b}[2J\n"), "peak\\u{1b}[2J\\n");
/// ```
#[must_use]
pub fn printable(text: &str) -> String {
    let hides = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if hides(c) { shown.extend(c.escape_default()) } else { shown.push(c) }
    }
    shown
}

/// A name, shortened to at most a line and escaped as by [`printable`].
///
/// ```
/// use lrgrid::readable::name;
///
/// assert_eq!(name("peak"), "peak");
/// assert_eq!(name(&"a".repeat(1000)).chars().count(), 101);
/// ```
#[must_use]
pub fn name(text: &str) -> String {
    let short: String = text.chars().take(LINE).collect();
    let rest = if short.len() < text.len() { "…" } else { "" };
    printable(&short) + rest
}

/// A message with long inputs shortened: quotations in backquotes, double quotes or brackets are cut at 100 characters,
/// and a message that is too long in its middle. Escaped as by [`printable`].
///
/// ```
/// use lrgrid::readable::message;
///
/// assert_eq!(message("`peak`: \"a\" is not a number"), "`peak`: \"a\" is not a number");
/// let long = format!("`peak`: \"{}\" is not a number", "a".repeat(5000));
/// assert_eq!(message(&long), format!("`peak`: \"{}…\" is not a number", "a".repeat(99)));
/// ```
#[must_use]
pub fn message(text: &str) -> String {
    // Quotations are searched one by one, so the message is shortened first.
    let text: Vec<char> = middle_cut(&printable(text).chars().collect::<Vec<_>>(), 16 * MESSAGE);
    let (mut short, mut word, mut place) = (Vec::with_capacity(text.len()), Vec::new(), 0);
    while let Some(&c) = text.get(place) {
        match span_end(&text, place).filter(|end| end - place > LINE) {
            Some(end) => {
                short.append(&mut middle_cut(&std::mem::take(&mut word), WORD));
                short.extend_from_slice(&text[place..place + LINE]);
                short.extend(['…', text[end]]);
                place = end;
            }
            None if c.is_whitespace() => {
                short.append(&mut middle_cut(&std::mem::take(&mut word), WORD));
                short.push(c);
            }
            None => word.push(c),
        }
        place += 1;
    }
    short.append(&mut middle_cut(&word, WORD));
    middle_cut(&short, MESSAGE).into_iter().collect()
}

/// The end of the quotation or bracket that opens at an index.
fn span_end(text: &[char], start: usize) -> Option<usize> {
    let rest = &text[start + 1..];
    let length = match text[start] {
        quote @ ('`' | '"') => rest.iter().position(|&c| c == quote)?,
        '[' | '{' => {
            let mut depth = 1;
            rest.iter().position(|c| {
                depth += i32::from(matches!(c, '[' | '{')) - i32::from(matches!(c, ']' | '}'));
                depth == 0
            })?
        }
        _ => return None,
    };
    Some(start + 1 + length)
}

/// Characters without their middle, if there are more than `most`.
fn middle_cut(text: &[char], most: usize) -> Vec<char> {
    if text.len() <= most {
        return text.to_vec();
    }
    [&text[..most / 2], &['…'], &text[text.len() - most / 2..]].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_keep_their_sense_and_lose_their_length() {
        let list = (0..5000).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
        let shown = message(&format!("a.toml: `schedule.end`: [{list}] is not a number: use one"));
        assert!(shown.starts_with("a.toml: `schedule.end`: [0,1,2") && shown.ends_with("…] is not a number: use one"));
        assert!(shown.chars().count() < 200, "{shown}");
        for long in ["x".repeat(100_000), "x y ".repeat(100_000), "[".repeat(100_000), "`\"".repeat(100_000)] {
            let shown = message(&format!("cannot read {long}: give a file"));
            assert!(shown.chars().count() <= MESSAGE + 1 && shown.starts_with("cannot read"), "{shown}");
            assert!(shown.ends_with(": give a file"), "{shown}");
        }
        assert_eq!(message("W&B's `a` and \"b\u{7}\""), "W&B's `a` and \"b\\u{7}\"");
    }
}
