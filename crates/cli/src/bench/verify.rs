//! The error of a table against the reference, which is checked before the table is timed.

use super::BenchError;
use lrgrid::Steps;
use lrgrid::element::Element;
use lrgrid::packed::Batch;
use lrgrid::ulp::ulps;

/// The number of rows that are compared, and of values in each.
const ROWS: usize = 24;
const COLUMNS: usize = 2048;

/// The worst distance from the reference, in units in the last place, among values spread over a table.
///
/// # Errors
/// When a value is further off than `bound`.
pub fn worst_ulp<T: Element>(
    what: &str,
    batch: &Batch,
    steps: &Steps,
    table: &[T],
    bound: f64,
) -> Result<f64, BenchError> {
    let columns = steps.len();
    let mut worst = 0.0_f64;
    for row in spread(batch.len(), ROWS) {
        let looked_at: Vec<usize> = spread(columns, COLUMNS).collect();
        let mut values = looked_at.iter().map(|column| (*column, table[row * columns + column]));
        let mut furthest: Option<(u64, f64)> = None;
        batch.reference_values(row, &mut looked_at.iter().map(|column| steps.get(*column)), &mut |exact| {
            if let Some((column, value)) = values.next() {
                let off = ulps(value, exact);
                if furthest.is_none_or(|(_, furthest)| off > furthest) {
                    furthest = Some((steps.get(column), off));
                }
            }
        });
        if let Some((step, off)) = furthest {
            if off > bound {
                return Err(BenchError::Wrong { what: what.to_owned(), schedule: row, step, off, bound });
            }
            worst = worst.max(off);
        }
    }
    Ok(worst)
}

/// At most `most` places out of `count`, evenly spread, the first and the last among them.
fn spread(count: usize, most: usize) -> impl Iterator<Item = usize> {
    let places = count.min(most);
    (0..places).map(
        move |place| if places < 2 { 0 } else { (place as u128 * (count - 1) as u128 / (places - 1) as u128) as usize },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use lrgrid::evaluate::{Evaluate, Reference};
    use lrgrid::program::Program;

    #[test]
    fn places_reach_both_ends() {
        assert_eq!(spread(5, 9).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
        assert_eq!(spread(100, 3).collect::<Vec<_>>(), [0, 49, 99]);
        assert_eq!(spread(1, 3).collect::<Vec<_>>(), [0]);
        assert_eq!(spread(0, 3).count(), 0);
    }

    #[test]
    fn a_wrong_table_is_not_timed() {
        let batch = Batch::from_programs(&[Program::hold(0.1), Program::hold(0.3)]).unwrap();
        let steps = Steps::range(0..1000);
        let mut table: Vec<f32> = Reference.evaluate(&batch, &steps).unwrap();
        assert!(worst_ulp("test", &batch, &steps, &table, 0.5).unwrap() <= 0.5);
        table[1999] = 0.4;
        let error = worst_ulp("test", &batch, &steps, &table, 2.0).unwrap_err();
        assert!(matches!(error, BenchError::Wrong { schedule: 1, step: 999, .. }), "{error}");
    }
}
