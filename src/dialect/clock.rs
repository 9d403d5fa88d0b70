//! Schedules whose clock is ahead, or that last no whole number of steps.

use crate::program::MAX_STEP;
use crate::schedule::{Clock, Schedule};

/// A schedule whose clock shows `ahead` at step 0.
pub(super) fn ahead(ahead: f64, of: Schedule) -> Schedule {
    clock(ahead, 1.0, of)
}

fn clock(ahead: f64, divisor: f64, of: Schedule) -> Schedule {
    if ahead == 0.0 && divisor == 1.0 {
        return of;
    }
    Clock { multiplier: 1.0, ahead, divisor, of: Box::new(of) }.into()
}

/// What is made for a number of steps, over a length above 0 that need not be one; `ahead` steps of it are over.
pub(super) fn over(length: f64, ahead: f64, body: impl Fn(u64) -> Schedule) -> Schedule {
    // No schedule is longer than the largest step, but the clock may be slow.
    const PART: u64 = 1 << 52;
    if length > MAX_STEP as f64 {
        clock(ahead, length / PART as f64, body(PART))
    } else if length.fract() == 0.0 {
        clock(ahead, 1.0, body(length as u64))
    } else {
        clock(ahead, length, body(1))
    }
}
