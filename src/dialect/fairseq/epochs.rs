//! Schedulers with a rate per epoch, or per update.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Foreign, Shape, Translation, constant, first};
use crate::dialect::arguments::{Numbers, refused, require};
use crate::dialect::defaults::tenth;
use crate::dialect::pieces::ahead;
use crate::error::SpecError;
use crate::schedule::{Exponential, Linear, PiecewiseConstant, Schedule, Sequence};

/// A rate for each epoch, or one rate after a warmup.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::dialect) struct Fixed {
    /// The rate; or one for each epoch, and then steps are epochs from 1 on.
    lr: Numbers,
    /// The epoch from which the last rate shrinks; steps are epochs then.
    #[serde(default)]
    force_anneal: Option<u64>,
    /// The factor by which it shrinks each epoch.
    #[serde(default = "tenth")]
    lr_shrink: f64,
    /// Updates of warmup.
    #[serde(default)]
    warmup_updates: u64,
}

impl Fixed {
    /// The rate by epoch.
    fn by_epoch(&self) -> Result<Schedule, SpecError> {
        let why = "0 where rates change by epoch: the rate would depend on where epochs end";
        require("warmup_updates", self.warmup_updates, self.warmup_updates == 0, why)?;
        let values = self.lr.all().to_vec();
        let last = values.last().copied().unwrap_or(0.0);
        let boundaries: Vec<u64> = (2..).take(values.len() - 1).collect();
        let listed: Schedule = PiecewiseConstant { values, boundaries }.into();
        let (shrink, Some(from)) = (self.lr_shrink, self.force_anneal) else { return Ok(listed) };
        require("lr_shrink", shrink, shrink >= 0.0, "at least 0")?;
        let annealed = match shrink {
            0.0 => constant(0.0),
            rate => Exponential { start: last * rate, decay_rate: rate, decay_steps: 1, staircase: false }.into(),
        };
        Ok(match from {
            0 => annealed,
            from => Sequence { pieces: vec![listed, annealed], boundaries: Some(vec![from]) }.into(),
        })
    }
}

impl Foreign for Fixed {
    const SHAPE: Shape = Shape::MultiStep;
    const BITES: &'static str = "the warmup's first rate is `lr`/W, not 0; with a list, steps are epochs from 1 on";

    fn translate(&self) -> Result<Translation, SpecError> {
        let lr = first(&self.lr)?;
        if self.lr.all().len() > 1 || self.force_anneal.is_some() {
            return Ok(self.by_epoch()?.into());
        }
        Ok(match self.warmup_updates {
            0 => constant(lr).into(),
            steps => ahead(1.0, Linear { start: 0.0, end: lr, steps }.into()).into(),
        })
    }
}

/// Rates by epoch, or by update.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::dialect) struct Manual {
    /// The rate before the first that is listed.
    lr: Numbers,
    /// Rates by epoch, as the text of a Python dictionary: "{'1-3': 0.1, '4,6': 0.05}"; steps are epochs then.
    #[serde(default = "nothing")]
    epoch2lr: String,
    /// Rates by update, likewise.
    #[serde(default = "nothing")]
    update2lr: String,
}

fn nothing() -> String {
    "{}".to_owned()
}

/// The most entries of a dictionary.
const MOST_ENTRIES: usize = 2000;

/// A run of numbers with the same rate.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Run {
    from: i64,
    to: i64,
    rate: f64,
}

/// The runs that a dictionary lists, in its order.
fn runs(text: &str) -> Result<Vec<Run>, String> {
    let text: String = text.chars().filter(|&c| c != ' ').collect();
    let inner = text.strip_prefix('{').and_then(|text| text.strip_suffix('}'));
    let mut rest = inner.ok_or("not a dictionary: write \"{'1-3': 0.1, '5': 0.01}\"")?;
    let mut runs = Vec::new();
    while !rest.is_empty() {
        let quote = rest.chars().next().filter(|&c| c == '\'' || c == '"').ok_or("a key without quotes: write '5'")?;
        let (key, after) = rest[1..].split_once(quote).ok_or("a key whose quotes do not end")?;
        let after = after.strip_prefix(':').ok_or_else(|| format!("no `:` after the key '{key}'"))?;
        let (value, after) = after.split_once(',').unwrap_or((after, ""));
        let value = value.trim_matches(['\'', '"']);
        let rate: f64 = value.parse().map_err(|_| format!("{value} is not a number"))?;
        let number =
            |text: &str| text.parse::<i64>().map_err(|_| format!("'{key}' is not a number, \"a-b\" or \"a,b\""));
        if key.contains(',') {
            for part in key.split(',') {
                runs.push(Run { from: number(part)?, to: number(part)?, rate });
            }
        } else if let Some((from, to)) = key.split_once('-') {
            runs.push(Run { from: number(from)?, to: number(to.split('-').next().unwrap_or(to))?, rate });
        } else {
            runs.push(Run { from: number(key)?, to: number(key)?, rate });
        }
        if runs.len() > MOST_ENTRIES {
            return Err(format!("more than {MOST_ENTRIES} entries"));
        }
        rest = after;
    }
    runs.retain(|run| run.from <= run.to);
    Ok(runs)
}

/// The rate of the largest listed number that is at most `at`; a later entry goes before an earlier one.
fn rate_at(runs: &[Run], at: i64) -> Option<f64> {
    let begun = runs.iter().filter(|run| run.from <= at);
    // `max_by_key` returns the last of equal elements.
    begun.max_by_key(|run| run.to.min(at)).map(|run| run.rate)
}

impl Foreign for Manual {
    const SHAPE: Shape = Shape::MultiStep;
    const BITES: &'static str = "a rate goes on after its last epoch; epochs count from 1";

    fn translate(&self) -> Result<Translation, SpecError> {
        let read = |argument: &str, text: &str| runs(text).map_err(|message| SpecError::new(argument, message));
        let (epochs, updates) = (read("epoch2lr", &self.epoch2lr)?, read("update2lr", &self.update2lr)?);
        if !epochs.is_empty() && !updates.is_empty() {
            return refused("update2lr", "rates by epoch and by update: they would depend on where epochs end");
        }
        let runs = if epochs.is_empty() { updates } else { epochs };
        let listed_first = runs.iter().rev().find(|run| (run.from..=run.to).contains(&1)).map(|run| run.rate);
        let before = listed_first.map_or_else(|| first(&self.lr), Ok)?;
        let mut starts: Vec<i64> = runs.iter().flat_map(|run| [run.from, run.to.saturating_add(1)]).collect();
        starts.retain(|&start| start > 0);
        starts.sort_unstable();
        starts.dedup();
        let (mut values, mut boundaries) = (vec![rate_at(&runs, 0).unwrap_or(before)], Vec::new());
        for start in starts {
            let value = rate_at(&runs, start).unwrap_or(before);
            if values.last() != Some(&value) {
                values.push(value);
                boundaries.push(start.unsigned_abs());
            }
        }
        Ok(PiecewiseConstant { values, boundaries }.into())
    }
}
