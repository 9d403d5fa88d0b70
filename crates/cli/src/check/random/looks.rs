//! The steps at which a random spec is checked: a list, and ranges as in tables.

use std::ops::Range;

use crate::check::draw::Choices;
use lrgrid::Steps;
use lrgrid::packed::Batch;
use lrgrid::program::{MAX_STEP, Program};

/// At most so many boundaries, each with its neighbours.
const MOST_MARKS: usize = 240;

/// Random steps in the list.
const RANDOM_STEPS: usize = 64;

/// Columns of a range that are compared with the reference; all are compared with a list's.
const JUDGED_COLUMNS: usize = 48;

/// Columns up to which rows are evaluated together.
const MOST_TOGETHER: usize = 300;

/// Steps that a backend evaluates at once.
#[derive(Clone, Debug)]
pub(super) struct Look {
    pub steps: Steps,
    /// The columns that are compared with the reference.
    pub columns: Vec<usize>,
    /// A part of the columns, for which a table of its own has to have the same bits.
    pub slice: Option<Range<usize>>,
    /// Whether the same row among others has to have the same bits, too.
    pub among_rows: bool,
}

/// What is looked at of a program, `end` steps long.
pub(super) fn looks(
    program: &Program,
    batch: &Batch,
    end: Option<u64>,
    also: Option<u64>,
    choices: &mut Choices<'_>,
) -> Vec<Look> {
    let last = batch.last_step().unwrap_or(MAX_STEP).min(MAX_STEP);
    let mut marks = program.marks(end);
    marks.retain(|&step| step <= last);
    let every = marks.len().div_ceil(MOST_MARKS).max(1);
    // The neighbours of a boundary stay together.
    let mut listed: Vec<u64> = marks.chunks(3).step_by(every).flatten().copied().collect();
    let settled = marks.iter().copied().rfind(|&step| step < MAX_STEP / 4).unwrap_or(0);
    listed.extend([last, settled.midpoint(0)]);
    listed.extend(also);
    for _ in 0..RANDOM_STEPS {
        listed.push(choices.below(settled + settled / 8 + 2));
        if choices.percent(40) {
            listed.push(choices.power_of_ten(0.0, 15.95) as u64);
        }
    }
    listed.retain(|&step| step <= last);
    let all = |steps: Vec<u64>| Look {
        columns: (0..steps.len()).collect(),
        steps: Steps::list(steps),
        slice: None,
        among_rows: false,
    };
    let mut looks = vec![all(listed)];
    let mark = |choices: &mut Choices<'_>| marks.get(choices.below(marks.len() as u64) as usize).copied().unwrap_or(0);
    let from = if choices.percent(50) { 0 } else { mark(choices) };
    looks.push(range(from, 1, last, choices));
    let from = mark(choices);
    looks.push(range(from, 1, last, choices));
    let stride = match choices.below(3) {
        0 => 2 + choices.below(100),
        1 => settled / 700 + 1,
        _ => choices.power_of_ten(0.0, 13.0) as u64,
    };
    let from = if choices.percent(50) { 0 } else { mark(choices) };
    looks.push(range(from, stride, last, choices));
    looks.retain(|look| !look.steps.is_empty());
    looks
}

/// Some columns around a step.
fn range(around: u64, stride: u64, last: u64, choices: &mut Choices<'_>) -> Look {
    let columns = match choices.below(8) {
        0 => 1 + choices.below(16),
        1..=3 => 64,
        4 => 65 + choices.below(500),
        5 => 600,
        6 => 1 + choices.below(300),
        _ => 1000 + choices.below(1600),
    };
    let start = around.saturating_sub(choices.below(columns).saturating_mul(stride)).min(last);
    let steps =
        Steps::range(start..(start.saturating_add(columns.saturating_mul(stride))).min(last + 1)).stride_by(stride);
    let found = steps.len();
    let judged = if found <= JUDGED_COLUMNS {
        (0..found).collect()
    } else {
        (0..JUDGED_COLUMNS).map(|_| choices.below(found as u64) as usize).collect()
    };
    let slice = (found > 2).then(|| {
        let first = choices.below(found as u64 - 1) as usize;
        first..first + 1 + choices.below((found - first) as u64) as usize
    });
    Look { steps, columns: judged, slice: slice.filter(|slice| slice.end <= found), among_rows: found <= MOST_TOGETHER }
}
