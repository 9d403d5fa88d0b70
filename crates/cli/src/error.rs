//! The errors of benchmarks and checks. A message names the wrong value and the remedy.

/// An error of a benchmark or a check.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The library refused or failed.
    #[error(transparent)]
    Library(#[from] lrgrid::Error),
    /// A measurement could not be made.
    #[error(transparent)]
    Bench(#[from] BenchError),
}

impl From<lrgrid::error::EvaluateError> for Error {
    fn from(error: lrgrid::error::EvaluateError) -> Self {
        Self::Library(error.into())
    }
}

impl From<lrgrid::error::GpuError> for Error {
    fn from(error: lrgrid::error::GpuError) -> Self {
        Self::Library(error.into())
    }
}

/// The reason why a case is not measured.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BenchError {
    /// A value is further from the reference than its bound.
    #[error(
        "{what}: schedule {schedule} at step {step} is {off:.3} ULP off, more than the {bound} allowed, so its time means nothing: \
         `lrgrid check` looks closer"
    )]
    Wrong {
        /// Engine, case and regime.
        what: String,
        /// The schedule's number in the batch.
        schedule: usize,
        /// The step.
        step: u64,
        /// How far it is off, in units in the last place.
        off: f64,
        /// The most that is allowed.
        bound: f64,
    },
    /// No case is left.
    #[error(
        "the filter `{filter}` selects nothing: it is part of engine/case/regime, such as cpu/cosine/long; cases are {names}"
    )]
    NothingSelected {
        /// The filter.
        filter: String,
        /// The cases there are.
        names: String,
    },
}
