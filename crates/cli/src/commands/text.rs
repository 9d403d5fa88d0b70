//! Tables and paragraphs as plain text, wrapped between words at the width of the terminal.

use lrgrid::readable;

use super::screen::text_width;

/// Spaces between two columns.
const GAP: usize = 2;

/// The indentation of the lines below a heading.
const INDENT: usize = 2;

/// Rows of cells in aligned columns, the first row being the header.
///
/// If the table is wider than the terminal, its widest columns are wrapped between words. If that is not enough, each row
/// becomes a list under its first cell.
pub fn columns<const N: usize>(rows: &[[String; N]]) -> String {
    columns_within(rows, text_width())
}

/// A paragraph, wrapped between words.
pub fn paragraph(text: &str) -> String {
    indented(text, 0, text_width())
}

/// A paragraph below a heading, indented and wrapped between words.
pub fn indented_paragraph(text: &str) -> String {
    indented(text, INDENT, text_width())
}

fn columns_within<const N: usize>(rows: &[[String; N]], width: usize) -> String {
    let rows: Vec<[String; N]> = rows.iter().map(|row| row.each_ref().map(|cell| readable::printable(cell))).collect();
    let widest = |column: usize, of: fn(&str) -> usize| rows.iter().map(|row| of(&row[column])).max().unwrap_or(0);
    let mut widths: Vec<usize> = (0..N).map(|column| widest(column, length)).collect();
    let least: Vec<usize> = (0..N).map(|column| widest(column, longest_word)).collect();
    // An empty column at the end takes no room.
    let used = N - widths.iter().rev().take_while(|&&width| width == 0).count();
    while widths.iter().sum::<usize>() + GAP * used.saturating_sub(1) > width {
        let shrinkable = (0..N).filter(|&column| widths[column] > least[column]);
        match shrinkable.max_by_key(|&column| widths[column]) {
            Some(column) => widths[column] -= 1,
            None => return lists(&rows, width),
        }
    }
    let mut text = String::new();
    for row in &rows {
        let cells: Vec<Vec<String>> = row.iter().zip(&widths).map(|(cell, &width)| wrapped(cell, width)).collect();
        for line in 0..cells.iter().map(Vec::len).max().unwrap_or(0) {
            let cell = |(cell, &width): (&Vec<String>, &usize)| {
                let part = cell.get(line).map_or("", String::as_str);
                format!("{part:width$}")
            };
            let cells: Vec<String> = cells.iter().zip(&widths).map(cell).collect();
            push_line(&mut text, &cells.join("  "));
        }
    }
    text
}

/// Each row as a list of its cells under the first, each with the header of its column.
fn lists<const N: usize>(rows: &[[String; N]], width: usize) -> String {
    let Some((header, rows)) = rows.split_first() else { return String::new() };
    let mut text = String::new();
    for row in rows {
        text.push_str(&indented(&row[0], 0, width));
        for (name, cell) in header.iter().zip(row).skip(1).filter(|(_, cell)| !cell.is_empty()) {
            let line = if name.is_empty() { cell.clone() } else { format!("{name}: {cell}") };
            text.push_str(&indented(&line, INDENT, width));
        }
    }
    text
}

fn indented(text: &str, indent: usize, width: usize) -> String {
    let mut lines = String::new();
    for line in wrapped(text, width.saturating_sub(indent)) {
        push_line(&mut lines, &format!("{:indent$}{line}", ""));
    }
    lines
}

fn push_line(text: &mut String, line: &str) {
    text.push_str(line.trim_end());
    text.push('\n');
}

/// The lines of a text, broken at single spaces; a longer word than the width stays whole.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if length(line) + 1 + length(word) <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

fn length(text: &str) -> usize {
    text.chars().count()
}

fn longest_word(text: &str) -> usize {
    text.split(' ').map(length).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<[String; 3]> {
        [["kind", "", "value"], ["constant", "The same value at every step", "value"], ["", "", ""], ["x", "y", "α β"]]
            .map(|row| row.map(str::to_owned))
            .to_vec()
    }

    #[test]
    fn a_table_that_fits_has_a_line_for_each_row() {
        let text = columns_within(&rows(), usize::MAX);
        assert_eq!(
            text,
            "kind                                    value\n\
             constant  The same value at every step  value\n\
             \n\
             x         y                             α β\n"
        );
        assert_eq!(columns_within(&rows(), 45), text);
    }

    #[test]
    fn a_wide_table_is_wrapped_between_words() {
        assert_eq!(
            columns_within(&rows(), 30),
            "kind                     value\n\
             constant  The same       value\n\
             \x20         value at\n\
             \x20         every step\n\
             \n\
             x         y              α β\n"
        );
    }

    #[test]
    fn a_table_with_long_words_becomes_lists() {
        assert_eq!(
            columns_within(&rows(), 16),
            "constant\n  The same value\n  at every step\n  value: value\n\nx\n  y\n  value: α β\n"
        );
    }

    #[test]
    fn paragraphs_keep_their_words_and_spaces() {
        assert_eq!(indented("one two three", 2, 9), "  one two\n  three\n");
        assert_eq!(indented("unbreakable  x", 0, 4), "unbreakable\n x\n");
        assert_eq!(indented("", 0, 4), "\n");
    }
}
