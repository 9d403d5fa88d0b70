//! What standard output is: how wide, and whether it shows colours.

use std::env;
use std::io::{self, IsTerminal};

use terminal_size::{Height, Width, terminal_size_of};

/// Width of what is no terminal.
const WIDTH: usize = 80;

/// The widest that is drawn.
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
    /// What there is.
    pub fn of_stdout() -> Self {
        let is_set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
        let is_terminal = io::stdout().is_terminal();
        let dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
        let size = terminal_size_of(io::stdout()).filter(|_| is_terminal);
        let asked: Option<usize> = env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
        let width = size.map(|(Width(width), _)| usize::from(width)).or(asked).unwrap_or(WIDTH);
        Self {
            width: if width == 0 { WIDTH } else { width.min(MOST) },
            height: size.map(|(_, Height(height))| usize::from(height)),
            colour: is_terminal && !is_set("NO_COLOR") && !dumb,
        }
    }
}
