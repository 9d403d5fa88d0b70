//! The steps at which a batch is evaluated: the columns of a table.

use std::borrow::Borrow;
use std::ops::Range;
use std::sync::Arc;

use crate::error::EvaluateError;
use crate::program::MAX_STEP;

/// An arithmetic progression of steps, or an explicit list; the columns of a table.
///
/// ```
/// use lrgrid::Steps;
///
/// let steps = Steps::range(0..10).stride_by(4);
/// assert_eq!(steps.iter().collect::<Vec<_>>(), [0, 4, 8]);
/// assert_eq!(Steps::list([7, 0, 7]), Steps::list(&vec![7, 0, 7]));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Steps(Kind);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Range { start: u64, end: u64, stride: u64 },
    List(Arc<[u64]>),
}

impl Steps {
    /// Every step of a range.
    #[must_use]
    pub fn range(range: Range<u64>) -> Self {
        Self(Kind::Range { start: range.start, end: range.end.max(range.start), stride: 1 })
    }

    /// Exactly these steps, in this order.
    #[must_use]
    pub fn list(steps: impl IntoIterator<Item: Borrow<u64>>) -> Self {
        Self(Kind::List(steps.into_iter().map(|step| *step.borrow()).collect()))
    }

    /// Every `stride`-th of these steps, from the first; a stride of 0 counts as 1.
    #[must_use]
    pub fn stride_by(self, stride: u64) -> Self {
        let stride = stride.max(1);
        match self.0 {
            Kind::Range { start, end, stride: old } => {
                Self(Kind::Range { start, end, stride: old.saturating_mul(stride) })
            }
            Kind::List(list) => Self::list(list.iter().copied().step_by(usize::try_from(stride).unwrap_or(usize::MAX))),
        }
    }

    /// The number of steps.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.0 {
            Kind::Range { start, end, stride } => {
                usize::try_from((end - start).div_ceil(*stride)).unwrap_or(usize::MAX)
            }
            Kind::List(list) => list.len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The step of a column.
    ///
    /// # Panics
    /// When `index` is not below [`Steps::len`], as of a slice.
    #[must_use]
    pub fn get(&self, index: usize) -> u64 {
        assert!(index < self.len(), "column {index} of {} steps", self.len());
        self.at(index)
    }

    /// The step of a column, unchecked: beyond the last, a progression continues, and a list repeats its last step.
    pub(crate) fn at(&self, index: usize) -> u64 {
        match &self.0 {
            Kind::Range { start, stride, .. } => start.saturating_add((index as u64).saturating_mul(*stride)),
            Kind::List(list) => list.get(index).or(list.last()).copied().unwrap_or(0),
        }
    }

    /// The steps in order.
    pub fn iter(&self) -> impl Iterator<Item = u64> + '_ {
        (0..self.len()).map(|index| self.at(index))
    }

    /// The steps at `columns` (a range of indices within `0..len()`).
    #[must_use]
    pub fn slice(&self, columns: Range<usize>) -> Self {
        match &self.0 {
            Kind::Range { stride, end, .. } => {
                let stop = if columns.end >= self.len() { *end } else { self.at(columns.end) };
                let start = self.at(columns.start).min(stop);
                Self(Kind::Range { start, end: stop, stride: *stride })
            }
            Kind::List(list) => {
                Self(Kind::List(list[columns.start.min(list.len())..columns.end.min(list.len())].into()))
            }
        }
    }

    /// Start and stride if the steps are an arithmetic progression.
    #[must_use]
    pub fn progression(&self) -> Option<(u64, u64)> {
        match self.0 {
            Kind::Range { start, stride, .. } => Some((start, stride)),
            Kind::List(_) => None,
        }
    }

    /// The largest step.
    #[must_use]
    pub fn largest(&self) -> Option<u64> {
        match &self.0 {
            Kind::Range { .. } => self.len().checked_sub(1).map(|last| self.at(last)),
            Kind::List(list) => list.iter().copied().max(),
        }
    }

    /// Checks that no step is beyond the largest that backends count to.
    ///
    /// # Errors
    /// When the largest step is beyond 2^53 − 1.
    pub fn check(&self) -> Result<(), EvaluateError> {
        match self.largest() {
            Some(step) if step > MAX_STEP => Err(EvaluateError::StepRange { step, largest: MAX_STEP }),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_are_the_same_steps() {
        for steps in [Steps::range(3..50).stride_by(7), Steps::list([5, 1, 9, 1 << 52])] {
            for from in 0..=steps.len() {
                for to in from..=steps.len() {
                    let want: Vec<u64> = steps.iter().skip(from).take(to - from).collect();
                    assert_eq!(steps.slice(from..to).iter().collect::<Vec<_>>(), want);
                }
            }
        }
    }

    #[test]
    fn the_largest_step_is_exact() {
        assert!(Steps::range(0..MAX_STEP + 1).stride_by(1 << 40).check().is_ok());
        assert!(Steps::list([MAX_STEP]).check().is_ok());
        assert_eq!(
            Steps::list([1, MAX_STEP + 1]).check(),
            Err(EvaluateError::StepRange { step: MAX_STEP + 1, largest: MAX_STEP })
        );
    }
}
