//! Random specs of the whole catalogue: every schedule, every combinator with nested schedules, and epochs.

mod choices;
mod combinators;
mod kinds;
mod numbers;

use serde_json::{Map, Value};

pub use choices::Choices;

use lrgrid::program::MAX_STEP;
use lrgrid::schedule::{KINDS, Kind, Schedule};

/// Schedules within schedules, at most.
pub(super) const DEEPEST: u32 = 4;

/// Where in a spec a schedule stands.
#[derive(Clone, Copy, Debug)]
struct Nesting {
    /// How many combinators are around it.
    depth: u32,
    /// The most steps that a length may have.
    most: u64,
}

impl Nesting {
    /// Within a combinator, whose own lengths want some room.
    fn within(self) -> Self {
        Self { depth: self.depth + 1, most: (self.most / 4).max(1) }
    }
}

/// Draws a schedule.
fn schedule(nesting: Nesting, choices: &mut Choices<'_>) -> Schedule {
    let (combinators, leaves): (Vec<&Kind>, Vec<&Kind>) = KINDS.iter().partition(|kind| kind.combinator);
    let nests = match nesting.depth {
        0 => choices.percent(60),
        DEEPEST.. => false,
        depth => choices.percent(40 - 10 * u64::from(depth)),
    };
    let kinds = if nests { combinators } else { leaves };
    let kind = kinds[choices.below(kinds.len() as u64) as usize];
    match (kind.examples)().first() {
        Some(example) => kinds::like(example, nesting, choices),
        // A kind without examples fails the tests of the catalogue.
        None => lrgrid::schedule::Constant { value: 1.0 }.into(),
    }
}

/// Draws a spec's document.
#[must_use]
pub fn document(choices: &mut Choices<'_>) -> Value {
    let epochs = choices.percent(25).then(|| match choices.below(4) {
        0 => 1 + choices.below(5),
        1 => choices.pick([100, 1000, 1234, 4096]),
        2 => 1 + choices.below(100_000),
        _ => choices.power_of_ten(0.0, 9.0) as u64,
    });
    let most = epochs.map_or(MAX_STEP, |steps| MAX_STEP / steps);
    let schedule = schedule(Nesting { depth: 0, most }, choices);
    let mut keys = Map::new();
    if let Some(steps) = epochs {
        keys.insert("steps_per_epoch".to_owned(), steps.into());
        match choices.below(4) {
            0 => {}
            1 => drop(keys.insert("fractional_epochs".to_owned(), false.into())),
            _ => drop(keys.insert("fractional_epochs".to_owned(), true.into())),
        }
    }
    if schedule.length().is_none_or(|length| length == 0) {
        keys.insert("steps".to_owned(), numbers::length(choices, most).into());
    }
    // A schedule always serializes; were it not to, the spec is refused for its missing kind.
    keys.insert("schedule".to_owned(), serde_json::to_value(schedule).unwrap_or(Value::Null));
    Value::Object(keys)
}
