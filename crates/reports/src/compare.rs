//! Compares two curves: where and by how much they differ.

use half::{bf16, f16};

use lrgrid::element::{Dtype, Element};

/// The differences of two curves in one element type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Equality {
    /// The type.
    pub dtype: Dtype,
    /// The number of compared steps at which the values, rounded to the type, differ.
    pub different: usize,
    /// The first of these steps.
    pub first: Option<u64>,
}

/// The differences of two curves at common steps.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// The number of steps compared.
    pub steps: usize,
    /// The step with the largest difference, and both values there.
    pub largest: (u64, f64, f64),
    /// The step with the largest difference relative to the larger value, and both values there.
    pub largest_relative: (u64, f64, f64),
    /// The first step that differs at all, and both values there.
    pub first: Option<(u64, f64, f64)>,
    /// Whether the values are equal in each type, widest first.
    pub equality: Vec<Equality>,
}

/// Compares two curves at the same steps; `None` if there are no steps.
///
/// ```
/// use lrgrid_reports::compare::difference;
///
/// let found = difference(&[0, 1, 2], &[1.0, 0.5, 0.1], &[1.0, 0.5 + 1e-9, 0.1]).unwrap();
/// assert_eq!(found.first.unwrap().0, 1);
/// assert_eq!(found.equality.iter().map(|one| one.different).collect::<Vec<_>>(), [1, 0, 0, 0]);
/// ```
#[must_use]
pub fn difference(steps: &[u64], a: &[f64], b: &[f64]) -> Option<Difference> {
    let rows = || steps.iter().zip(a).zip(b).map(|((&step, &a), &b)| (step, a, b));
    let gap = |&(_, a, b): &(u64, f64, f64)| if a == b { 0.0 } else { (a - b).abs() };
    let share = |row: &(u64, f64, f64)| if gap(row) == 0.0 { 0.0 } else { gap(row) / row.1.abs().max(row.2.abs()) };
    // Among equal differences the first step, so that the report is deterministic.
    let largest = |of: &dyn Fn(&(u64, f64, f64)) -> f64| {
        rows().reduce(|best, row| if of(&row).total_cmp(&of(&best)).is_gt() { row } else { best })
    };
    fn equality<T: Element>(rows: impl Iterator<Item = (u64, f64, f64)>) -> Equality {
        let mut found = Equality { dtype: T::DTYPE, different: 0, first: None };
        for (step, a, b) in rows {
            if T::from_f64(a) != T::from_f64(b) {
                found.different += 1;
                found.first.get_or_insert(step);
            }
        }
        found
    }
    Some(Difference {
        steps: rows().count(),
        largest: largest(&gap)?,
        largest_relative: largest(&share)?,
        first: rows().find(|row| row.1 != row.2),
        equality: vec![
            equality::<f64>(rows()),
            equality::<f32>(rows()),
            equality::<f16>(rows()),
            equality::<bf16>(rows()),
        ],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_curves_do_not_differ() {
        let found = difference(&[3, 4], &[0.0, 1e-3], &[-0.0, 1e-3]).unwrap();
        assert_eq!((found.first, found.largest.0), (None, 3));
        assert!(found.equality.iter().all(|one| one.different == 0));
        assert_eq!(difference(&[], &[], &[]), None);
    }

    #[test]
    fn the_largest_differences_are_found() {
        let found = difference(&[0, 1, 2], &[10.0, 1.0, 1e-8], &[10.5, 1.0, 2e-8]).unwrap();
        assert_eq!((found.largest.0, found.largest_relative.0), (0, 2));
        assert_eq!(found.first, Some((0, 10.0, 10.5)));
        assert_eq!(found.equality[2], Equality { dtype: Dtype::F16, different: 1, first: Some(0) });
    }
}
