//! A progress bar on standard error, if that is a terminal.

use std::cell::Cell;
use std::fmt::Write;

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

/// The bar, the fraction done, the rate and the time left.
const TEMPLATE: &str = "{wide_bar} {percent:>3} %, {rate} values/s, {eta} left";

/// How many values are done of how many.
pub struct Progress {
    bar: ProgressBar,
    /// Values of the passes before this one.
    before: Cell<u128>,
    last: Cell<u128>,
}

impl Progress {
    /// A bar for a number of values; hidden if it is not wanted or standard error is no terminal.
    pub fn new(wanted: bool, total: u128) -> Self {
        let target = if wanted { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(u64::try_from(total).unwrap_or(u64::MAX)), target);
        // The template is constant; if it were wrong, that of indicatif would do.
        let style = ProgressStyle::with_template(TEMPLATE).unwrap_or_else(|_| ProgressStyle::default_bar());
        let style = style.with_key("rate", |state: &ProgressState, text: &mut dyn Write| {
            // Writing to the text of the bar cannot fail.
            let _ = write!(text, "{}", HumanCount(state.per_sec() as u64));
        });
        Self { bar: bar.with_style(style), before: Cell::new(0), last: Cell::new(0) }
    }

    /// Shows the values done in this pass; fewer than before mean that another pass began.
    pub fn show(&self, values: u128) {
        if values < self.last.get() {
            self.before.set(self.before.get() + self.last.get());
        }
        self.last.set(values);
        self.bar.set_position(u64::try_from(self.before.get() + values).unwrap_or(u64::MAX));
    }

    /// Removes the bar.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }
}
