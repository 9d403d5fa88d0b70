//! The steps of up to 64 columns.

use crate::steps::Steps;

/// The most columns of a pattern: a row of them is some pages of memory, which take time to look up.
pub const BLOCK: usize = 4 * PIECE;

/// The most columns that rows are made of before the next row: their shapes stay in the cache nearest to a core.
pub const PIECE: usize = 2048;

/// The most columns laid out at a time.
pub const COLUMNS: usize = 64;

/// Lanes are computed in multiples of this: fewer the compiler would unroll instead of vectorising, and these many
/// stay in registers.
pub const CHUNK: usize = 16;

/// Lanes per track: those of the columns, and what a run may spill into.
pub const WIDTH: usize = COLUMNS + CHUNK;

/// Steps as whole `f64`.
#[derive(Clone, Debug)]
pub struct StepColumns {
    /// The steps, the last repeated in the lanes beyond.
    pub steps: [f64; WIDTH],
    /// How many there are.
    pub count: usize,
    /// The largest.
    pub largest: f64,
    /// Whether none is below the one before.
    pub sorted: bool,
}

impl StepColumns {
    /// The steps of `count` columns from a column on, at most [`COLUMNS`].
    pub fn new(steps: &Steps, first: usize, count: usize) -> Self {
        let lanes: [f64; WIDTH] = std::array::from_fn(|lane| steps.at(first + lane.min(count - 1)) as f64);
        Self { steps: lanes, count, largest: lanes.iter().copied().fold(0.0, f64::max), sorted: lanes.is_sorted() }
    }
}
