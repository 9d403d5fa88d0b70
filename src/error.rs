//! Every error of the library, each with what was wrong, the value, and what would be right.

/// Anything the library can refuse or fail at.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The spec is wrong.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// A schedule's parameters are fine but it cannot be lowered.
    #[error(transparent)]
    Lower(#[from] LowerError),
    /// An evaluation was asked for that cannot be done.
    #[error(transparent)]
    Evaluate(#[from] EvaluateError),
    /// The GPU backend failed.
    #[error(transparent)]
    Gpu(#[from] GpuError),
    /// A WGSL library was asked for under impossible names or numbers.
    #[error(transparent)]
    Wgsl(#[from] WgslError),
}

/// What is wrong with a spec: where, what was found, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}", if path.is_empty() { String::new() } else { format!("`{path}`: ") })]
pub struct SpecError {
    /// The key's path, `schedule.then.steps`; empty where the whole text is meant.
    pub path: String,
    /// What is wrong, with the value, and the remedy.
    pub message: String,
}

impl SpecError {
    /// An error at a key path.
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into() }
    }

    /// The same error one level further out.
    #[must_use]
    pub fn within(mut self, outer: &str) -> Self {
        self.path = match (outer.is_empty(), self.path.is_empty()) {
            (true, _) => self.path,
            (_, true) => outer.to_owned(),
            (_, false) if self.path.starts_with('[') => format!("{outer}{}", self.path),
            _ => format!("{outer}.{}", self.path),
        };
        self
    }
}

/// Why a valid schedule has no lowered form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LowerError {
    /// Writing the schedule out would take too many segments.
    #[error(
        "the schedule needs {needed} segments written out, more than the limit of {limit}: use fewer, longer cycles or milestones"
    )]
    TooManySegments {
        /// How many it would take.
        needed: u64,
        /// The limit.
        limit: usize,
    },
    /// Too many factors in one product.
    #[error(
        "the product has {needed} factors that move, more than the limit of {limit}: multiply the constant ones beforehand"
    )]
    TooManyFactors {
        /// How many there are.
        needed: usize,
        /// The limit.
        limit: usize,
    },
    /// A combination outside the lowered form.
    #[error("{what} cannot be compiled: {remedy}")]
    NotRepresentable {
        /// The combination.
        what: &'static str,
        /// What to write instead.
        remedy: &'static str,
    },
    /// A number of steps that the lowered form cannot hold exactly.
    #[error(
        "{what} is beyond {limit}, which is as far as steps are counted exactly: use shorter lengths or a faster clock"
    )]
    TooLong {
        /// What would be too long.
        what: &'static str,
        /// The limit, in words.
        limit: &'static str,
    },
    /// Why a schedule within another has no lowered form.
    #[error("`{path}`: {error}")]
    Within {
        /// The path of the schedule within the other.
        path: String,
        /// What is wrong with it.
        error: Box<LowerError>,
    },
}

impl LowerError {
    /// The same error one level further out.
    #[must_use]
    pub fn within(self, outer: &str) -> Self {
        match self {
            Self::Within { path, error } => Self::Within { path: format!("{outer}.{path}"), error },
            error => Self::Within { path: outer.to_owned(), error: Box::new(error) },
        }
    }
}

/// What is wrong with a program that was not lowered from a schedule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the program cannot be evaluated: `{path}`: {message}")]
pub struct ProgramError {
    /// The field's path, `stages[0].tracks[1].segments[2].rate`.
    pub path: String,
    /// What is wrong, with the value.
    pub message: String,
}

impl ProgramError {
    /// The same error one level further out.
    #[must_use]
    pub(crate) fn within(self, outer: &str) -> Self {
        Self { path: format!("{outer}.{}", self.path), ..self }
    }
}

/// Why an evaluation cannot be done as asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EvaluateError {
    /// The output buffer has the wrong length.
    #[error("the output holds {found} values, but {schedules} schedules × {steps} steps are {}", *schedules as u128 * *steps as u128)]
    OutputLength {
        /// Schedules in the batch.
        schedules: usize,
        /// Steps asked for.
        steps: u64,
        /// Length of the buffer.
        found: usize,
    },
    /// The table does not fit in memory or in an address.
    #[error(
        "a table of {schedules} schedules × {steps} steps × {bytes} bytes does not fit in memory: evaluate it in parts"
    )]
    TooLarge {
        /// Schedules in the batch.
        schedules: usize,
        /// Steps asked for.
        steps: u64,
        /// Bytes per value.
        bytes: usize,
    },
    /// A program that no backend can evaluate.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// Rows that the batch does not have.
    #[error("rows {start}..{end} are not all in a batch of {schedules} schedules")]
    Rows {
        /// First row asked for.
        start: usize,
        /// One past the last.
        end: usize,
        /// Schedules in the batch.
        schedules: usize,
    },
    /// A step beyond the largest.
    #[error("step {step} is beyond the largest, {largest}")]
    StepRange {
        /// The step.
        step: u64,
        /// The largest step.
        largest: u64,
    },
    /// A step past the end of a schedule that ends.
    #[error("step {step} is past the end: the schedule has values up to step {last} only")]
    PastEnd {
        /// The step.
        step: u64,
        /// The last one with a value.
        last: u64,
    },
    /// Statistics of nothing.
    #[error("there are no steps to take statistics of: give at least one")]
    NoSteps,
    /// A threshold that no number is above or below.
    #[error("the threshold is not a number: give one, such as 1e-4")]
    Threshold,
    /// The backend cannot produce this element type.
    #[error("the {backend} backend cannot write {dtype}: use {remedy}")]
    Dtype {
        /// The backend.
        backend: &'static str,
        /// The element type asked for.
        dtype: &'static str,
        /// What can.
        remedy: &'static str,
    },
    /// The processor lacks the vector instructions asked for.
    #[error("LRGRID_LEVEL is {wanted}, but this processor has: {available}")]
    Level {
        /// The level asked for.
        wanted: String,
        /// Those there are.
        available: String,
    },
    /// The rayon thread pool could not be made.
    #[error("could not start {threads} worker threads: {reason}")]
    Threads {
        /// How many were asked for.
        threads: usize,
        /// What the system said.
        reason: String,
    },
}

/// What went wrong on the way to, on, or from a GPU.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GpuError {
    /// The crate was built without the backend.
    #[error("this lrgrid was built without its `gpu` feature: build it with the feature, or use `--backend cpu`")]
    NotBuilt,
    /// There is no adapter, or none that matches.
    #[error("no GPU adapter {wanted}: {found}; `lrgrid devices` lists them, and `--backend cpu` needs none")]
    NoAdapter {
        /// What was asked for.
        wanted: String,
        /// What there is.
        found: String,
    },
    /// The adapter would not give a device.
    #[error("adapter {adapter} gave no device: {reason}; try another with --adapter, or `--backend cpu`")]
    NoDevice {
        /// The adapter.
        adapter: String,
        /// What it said.
        reason: String,
    },
    /// The adapter's arithmetic is off.
    #[error("adapter {adapter} computes wrongly ({detail}) for {curves}: update its driver or use `--backend cpu`")]
    Probe {
        /// The adapter.
        adapter: String,
        /// The curves that came out wrong.
        curves: String,
        /// The worst deviation.
        detail: String,
    },
    /// The batch does not fit the adapter's limits.
    #[error(
        "the batch's {table} take {needed} bytes, more than the {limit} that {adapter} can bind: evaluate fewer schedules at once"
    )]
    TooLarge {
        /// Which table.
        table: &'static str,
        /// Its size.
        needed: u64,
        /// The limit.
        limit: u64,
        /// The adapter.
        adapter: String,
    },
    /// A device that the caller made, or an adapter, can do too little.
    #[error(
        "{adapter}: the device's {limit} is {found}, but at least {needed} are needed: request it with a larger limit"
    )]
    Limit {
        /// The adapter.
        adapter: String,
        /// The limit's name in `wgpu::Limits`.
        limit: &'static str,
        /// The least that will do.
        needed: u64,
        /// What the device has.
        found: u64,
    },
    /// Memory of the caller's that cannot be bound as it is.
    #[error("{what}: {field} is {found}, but {remedy}")]
    Binding {
        /// Which memory.
        what: &'static str,
        /// What of it is wrong.
        field: &'static str,
        /// Its value.
        found: u64,
        /// What would be right.
        remedy: String,
    },
    /// A parameter that cannot be used on the device.
    #[error("{field} is {found}, but {remedy}")]
    Parameter {
        /// The parameter.
        field: &'static str,
        /// Its value.
        found: String,
        /// What would be right.
        remedy: String,
    },
    /// The GPU ran out of memory.
    #[error("out of memory on {adapter}: {reason}; evaluate fewer values at once, or use `--backend cpu`")]
    OutOfMemory {
        /// The adapter.
        adapter: String,
        /// What the driver said.
        reason: String,
    },
    /// The device was lost or refused a command.
    #[error("{adapter} failed: {reason}; try again or use `--backend cpu`")]
    Failed {
        /// The adapter.
        adapter: String,
        /// What the driver said.
        reason: String,
    },
}

/// Why there is no WGSL library under the names and numbers asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WgslError {
    /// A name that WGSL does not allow there.
    #[error("{option} `{value}` cannot be used in WGSL: {reason}; take another, such as `schedule_`")]
    Name {
        /// Which option.
        option: &'static str,
        /// Its value.
        value: String,
        /// Why not.
        reason: &'static str,
    },
    /// A number beyond what can be bound.
    #[error("{option} {value} is beyond the largest, {largest}")]
    Number {
        /// Which option.
        option: &'static str,
        /// Its value.
        value: u32,
        /// The largest.
        largest: u32,
    },
}
