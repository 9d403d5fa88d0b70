//! A bar on standard error, where a person watches.

use std::cell::Cell;
use std::fmt::Write;

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

/// The bar: how far, how fast, and how long still.
const TEMPLATE: &str = "{wide_bar} {percent:>3} %, {rate} values/s, {eta} left";

/// How many values are done of how many.
pub struct Progress {
    bar: ProgressBar,
    /// Values of the passes before this one.
    before: Cell<u128>,
    last: Cell<u128>,
}

impl Progress {
    /// A bar for so many values, or none where it is not wanted or no person watches.
    pub fn new(wanted: bool, total: u128) -> Self {
        let target = if wanted { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(u64::try_from(total).unwrap_or(u64::MAX)), target);
        // The template is fixed; were it wrong, indicatif's own would do.
        let style = ProgressStyle::with_template(TEMPLATE).unwrap_or_else(|_| ProgressStyle::default_bar());
        let style = style.with_key("rate", |state: &ProgressState, text: &mut dyn Write| {
            // A text on its way to the bar takes whatever it is given.
            let _ = write!(text, "{}", HumanCount(state.per_sec() as u64));
        });
        Self { bar: bar.with_style(style), before: Cell::new(0), last: Cell::new(0) }
    }

    /// Values done in this pass; fewer than before begin another.
    pub fn show(&self, values: u128) {
        if values < self.last.get() {
            self.before.set(self.before.get() + self.last.get());
        }
        self.last.set(values);
        self.bar.set_position(u64::try_from(self.before.get() + values).unwrap_or(u64::MAX));
    }

    /// Takes the bar away.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }
}
