//! Shared checks of parameters; their errors name the field, the value and a remedy.

use crate::error::SpecError;
use crate::program::MAX_STEP;

type Checked = Result<(), SpecError>;

/// A finite number.
pub(super) fn finite(field: &str, value: f64) -> Checked {
    if value.is_finite() { Ok(()) } else { Err(SpecError::new(field, format!("{value} is not a finite number"))) }
}

/// A finite number that satisfies a condition; `condition` is its text.
pub(super) fn number(field: &str, value: f64, allowed: bool, condition: &str) -> Checked {
    finite(field, value)?;
    if allowed { Ok(()) } else { Err(SpecError::new(field, format!("{value} must be {condition}"))) }
}

/// A number above 0.
pub(super) fn positive(field: &str, value: f64) -> Checked {
    number(field, value, value > 0.0, "greater than 0")
}

/// The growth factor of cycles.
pub(super) fn growth(field: &str, value: f64) -> Checked {
    let allowed = (1.0..=MAX_STEP as f64).contains(&value);
    number(
        field,
        value,
        allowed,
        "at least 1 and at most 2^53: cycles that shrink never end, and longer ones never begin",
    )
}

/// A length of at least one step.
pub(super) fn length(field: &str, steps: u64) -> Checked {
    if steps == 0 {
        return Err(SpecError::new(field, "a length of 0 steps: at least 1 is needed"));
    }
    length_or_zero(field, steps)
}

/// A length that may be 0.
pub(super) fn length_or_zero(field: &str, steps: u64) -> Checked {
    if steps > MAX_STEP {
        return Err(SpecError::new(field, format!("{steps} steps are beyond the largest, {MAX_STEP}")));
    }
    Ok(())
}

/// Steps in strictly ascending order.
pub(super) fn rising(field: &str, steps: &[u64]) -> Checked {
    for (index, pair) in steps.windows(2).enumerate() {
        if pair[1] <= pair[0] {
            return Err(SpecError::new(
                format!("{field}[{}]", index + 1),
                format!(
                    "{} does not rise above {} before it: boundaries must be in strictly rising order",
                    pair[1], pair[0]
                ),
            ));
        }
    }
    steps.iter().enumerate().try_for_each(|(index, &step)| length_or_zero(&format!("{field}[{index}]"), step))
}
