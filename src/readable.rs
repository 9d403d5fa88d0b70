//! Numbers in a few characters, for people.

/// A number of steps in a few characters: `500`, `20k`, `1.5M`, `15T`.
///
/// ```
/// use lrgrid::readable::steps;
///
/// assert_eq!([500, 20_000, 1_500_000, 15_000_000_000_000].map(steps), ["500", "20k", "1.5M", "15T"]);
/// ```
#[must_use]
pub fn steps(count: u64) -> String {
    for (unit, name) in
        [(1_000_000_000_000_000, "P"), (1_000_000_000_000, "T"), (1_000_000_000, "G"), (1_000_000, "M"), (1000, "k")]
    {
        if count >= unit {
            let thousandths = (u128::from(count) * 1000 / u128::from(unit)) as f64;
            return format!("{}{name}", thousandths / 1000.0);
        }
    }
    count.to_string()
}

/// A value in a few characters, to four digits.
///
/// ```
/// use lrgrid::readable::value;
///
/// assert_eq!([0.0, 0.25, 3e-4, 123456.0].map(value), ["0", "0.25", "3e-4", "1.235e5"]);
/// ```
#[must_use]
pub fn value(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return format!("{value}");
    }
    let rounded: f64 = format!("{value:.3e}").parse().unwrap_or(value);
    if (1e-3..1e5).contains(&rounded.abs()) { format!("{rounded}") } else { format!("{rounded:e}") }
}
