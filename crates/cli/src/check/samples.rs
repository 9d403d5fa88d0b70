//! The sampled schedules and steps of a check, with the values of the reference.

use std::ops::Range;

use rayon::prelude::*;

use super::bounds::cancelling_terms;
use super::draw::Choices;
use lrgrid::double_double::DoubleDouble;
use lrgrid::packed::Batch;
use lrgrid::program::MAX_STEP;

/// The most schedules that are checked.
const MOST_SCHEDULES: usize = 1000;

/// About as many values are compared at most: the reference takes some microseconds for each.
const MOST_VALUES: usize = 2_000_000;

/// Random steps per schedule.
const RANDOM_STEPS: usize = 64;

/// Schedules with the same steps, and the reference's values: `[schedule, step]`.
pub(super) struct Sample {
    pub rows: Range<usize>,
    pub steps: Vec<u64>,
    pub values: Vec<DoubleDouble>,
    /// For each schedule, the size of the terms that cancel, if any do.
    pub terms: Vec<Option<f64>>,
}

/// Every schedule, or evenly spaced ones, at every boundary and at random steps.
pub(super) fn samples(batch: &Batch, horizon: Option<u64>, seed: u64) -> Vec<Sample> {
    if batch.is_empty() {
        return Vec::new();
    }
    let typical = batch.program(0).marks(horizon).len() + RANDOM_STEPS;
    let count = batch.len().min(MOST_SCHEDULES).min((MOST_VALUES / typical).max(1));
    // Evenly spaced, the first and the last among them.
    let rows = |index: usize| if count == 1 { 0 } else { index * (batch.len() - 1) / (count - 1) };
    let mut samples: Vec<(Sample, Vec<u64>)> = Vec::new();
    for row in (0..count).map(rows) {
        let program = batch.program(row);
        let marks = program.marks(horizon);
        match samples.last_mut() {
            // Neighbours with the same boundaries share a call to the backend.
            Some((last, known)) if last.rows.end == row && *known == marks => {
                last.rows.end = row + 1;
            }
            _ => {
                let mut steps = marks.clone();
                let end = marks.iter().copied().rfind(|&step| step < MAX_STEP / 4).unwrap_or(0);
                let mut choices = Choices::seeded(seed, row as u64);
                steps.extend((0..RANDOM_STEPS).map(|_| choices.below(end + end / 8 + 2)));
                steps.retain(|&step| batch.last_step().is_none_or(|last| step <= last));
                samples.push((Sample { rows: row..row + 1, steps, values: Vec::new(), terms: Vec::new() }, marks));
            }
        }
    }
    let mut samples: Vec<Sample> = samples.into_iter().map(|(sample, _)| sample).collect();
    samples.par_iter_mut().for_each(|sample| {
        let rows: Vec<Vec<DoubleDouble>> = sample
            .rows
            .clone()
            .into_par_iter()
            .map(|row| {
                let mut values = Vec::with_capacity(sample.steps.len());
                batch.reference_values(row, &mut sample.steps.iter().copied(), &mut |value| values.push(value));
                values
            })
            .collect();
        sample.values = rows.concat();
        let terms = |row| cancelling_terms(&batch.program(row), sample.steps.iter().copied());
        sample.terms = sample.rows.clone().map(terms).collect();
    });
    samples
}

#[cfg(test)]
mod tests {
    use super::*;
    use lrgrid::program::Program;

    #[test]
    fn many_schedules_are_thinned_with_both_ends() {
        let programs: Vec<Program> = (0..5000).map(|i| Program::hold(f64::from(i))).collect();
        let batch = Batch::from_programs(&programs).unwrap();
        let samples = samples(&batch, None, 1);
        assert_eq!(samples.iter().map(|sample| sample.rows.len()).sum::<usize>(), MOST_SCHEDULES);
        assert_eq!((samples[0].rows.start, samples.last().unwrap().rows.end), (0, 5000));
        assert!(samples.iter().all(|sample| sample.values.len() == sample.rows.len() * sample.steps.len()));
    }
}
