//! The properties of standard output: its size, and whether it shows colours.

use std::env;
use std::io::{self, IsTerminal};

use terminal_size::{Height, Width, terminal_size_of};

/// The width of a picture where standard output is no terminal.
const WIDTH: usize = 80;

/// The largest width of a picture.
const MOST: usize = 400;

/// Standard output as a canvas.
#[derive(Clone, Copy, Debug)]
pub struct Screen {
    /// Characters in a line.
    pub width: usize,
    /// Lines, where that is known.
    pub height: Option<usize>,
    /// Whether colours may be used: on a terminal, unless `NO_COLOR` is set.
    pub colour: bool,
}

impl Screen {
    /// Standard output as it is now.
    pub fn of_stdout() -> Self {
        let is_set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
        let is_terminal = io::stdout().is_terminal();
        let dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self {
            width: width().unwrap_or(WIDTH).min(MOST),
            height: size().map(|(_, Height(height))| usize::from(height)),
            colour: is_terminal && !is_set("NO_COLOR") && !dumb,
        }
    }
}

/// The width at which text is wrapped: the terminal's, or that of `COLUMNS`. Text for another program is not wrapped,
/// because tools such as `grep` expect a row on one line.
pub fn text_width() -> usize {
    width().unwrap_or(usize::MAX)
}

/// The width of the terminal, or that of `COLUMNS` where standard output is no terminal.
fn width() -> Option<usize> {
    let asked = || env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    size().map(|(Width(width), _)| usize::from(width)).or_else(asked).filter(|&width| width > 0)
}

fn size() -> Option<(Width, Height)> {
    terminal_size_of(io::stdout()).filter(|_| io::stdout().is_terminal())
}
