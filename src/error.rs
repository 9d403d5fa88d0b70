//! The errors of the library. Each names what is wrong, the offending value, and a remedy.

/// Any error of the library.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The spec is wrong.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// A schedule with valid parameters cannot be lowered.
    #[error(transparent)]
    Lower(#[from] LowerError),
    /// An evaluation is not possible as requested.
    #[error(transparent)]
    Evaluate(#[from] EvaluateError),
    /// The GPU backend failed.
    #[error(transparent)]
    Gpu(#[from] GpuError),
    /// The names or numbers requested for the WGSL library are invalid.
    #[error(transparent)]
    Wgsl(#[from] WgslError),
}

/// An error in a spec: the key's path, the value found, and a remedy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}", if path.is_empty() { String::new() } else { format!("`{path}`: ") })]
pub struct SpecError {
    /// The key's path, such as `schedule.then.steps`; empty for the document as a whole.
    pub path: String,
    /// What is wrong, with the value, and the remedy.
    pub message: String,
}

impl SpecError {
    /// An error at a key path.
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into() }
    }

    /// The same error with `outer` in front of its path.
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
    /// The schedule would need too many segments.
    #[error(
        "the schedule needs {needed} segments written out, more than the limit of {limit}: use fewer, longer cycles or milestones"
    )]
    TooManySegments {
        /// The number of segments needed.
        needed: u64,
        /// The limit.
        limit: usize,
    },
    /// Too many factors in one product.
    #[error(
        "the product has {needed} factors that move, more than the limit of {limit}: multiply the constant ones beforehand"
    )]
    TooManyFactors {
        /// The number of factors.
        needed: usize,
        /// The limit.
        limit: usize,
    },
    /// A combination that the lowered form cannot represent.
    #[error("{what} cannot be compiled: {remedy}")]
    NotRepresentable {
        /// The combination.
        what: &'static str,
        /// What to write instead.
        remedy: &'static str,
    },
    /// A number of steps beyond what the lowered form counts exactly.
    #[error(
        "{what} is beyond {limit}, which is as far as steps are counted exactly: use shorter lengths or a faster clock"
    )]
    TooLong {
        /// The number that would be too large.
        what: &'static str,
        /// The limit, in words.
        limit: &'static str,
    },
    /// A schedule within another has no lowered form.
    #[error("`{path}`: {error}")]
    Within {
        /// The path of the schedule within the other.
        path: String,
        /// What is wrong with it.
        error: Box<LowerError>,
    },
}

impl LowerError {
    /// The same error with `outer` in front of its path.
    #[must_use]
    pub fn within(self, outer: &str) -> Self {
        match self {
            Self::Within { path, error } => Self::Within { path: format!("{outer}.{path}"), error },
            error => Self::Within { path: outer.to_owned(), error: Box::new(error) },
        }
    }
}

/// An error in a program that was not lowered from a schedule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the program cannot be evaluated: `{path}`: {message}")]
pub struct ProgramError {
    /// The field's path, such as `stages[0].tracks[1].segments[2].rate`.
    pub path: String,
    /// What is wrong, with the value.
    pub message: String,
}

impl ProgramError {
    /// The same error with `outer` in front of its path.
    #[must_use]
    pub(crate) fn within(self, outer: &str) -> Self {
        Self { path: format!("{outer}.{}", self.path), ..self }
    }
}

impl From<ProgramError> for Error {
    fn from(error: ProgramError) -> Self {
        Self::Evaluate(error.into())
    }
}

/// A name that is none of a few known ones.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown {what} {name:?}: there are {known}")]
pub struct UnknownName {
    /// What was to be named, such as "element type".
    pub what: &'static str,
    /// The name, shortened to a line.
    pub name: String,
    /// The known names, with commas.
    pub known: String,
}

impl UnknownName {
    /// The value of a name, among `all` values that have one.
    ///
    /// # Errors
    /// When none has it.
    pub fn find<T: Copy>(
        what: &'static str,
        wanted: &str,
        all: &[T],
        name: impl Fn(T) -> &'static str,
    ) -> Result<T, Self> {
        all.iter().copied().find(|value| name(*value) == wanted).ok_or_else(|| Self {
            what,
            name: wanted.chars().take(80).collect(),
            known: all.iter().map(|value| name(*value)).collect::<Vec<_>>().join(", "),
        })
    }
}

/// Why an evaluation is not possible as requested.
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
    /// The table does not fit in memory or in the address space.
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
    /// Statistics over no steps.
    #[error("there are no steps to take statistics of: give at least one")]
    NoSteps,
    /// The threshold is NaN.
    #[error("the threshold is not a number: give one, such as 1e-4")]
    Threshold,
    /// The backend cannot produce this element type.
    #[error("the {backend} backend cannot write {dtype}: use {remedy}")]
    Dtype {
        /// The backend.
        backend: &'static str,
        /// The element type asked for.
        dtype: &'static str,
        /// The alternatives.
        remedy: &'static str,
    },
    /// The processor lacks the vector instructions asked for.
    #[error("LRGRID_LEVEL is {wanted}, but this processor has: {available}")]
    Level {
        /// The level asked for.
        wanted: String,
        /// The available levels.
        available: String,
    },
    /// The rayon thread pool could not be made.
    #[error("could not start {threads} worker threads: {reason}")]
    Threads {
        /// The number of threads requested.
        threads: usize,
        /// The system's error message.
        reason: String,
    },
}

/// An error of the GPU backend.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GpuError {
    /// The crate was built without the backend.
    #[error("this lrgrid was built without its `gpu` feature: build it with the feature, or use `--backend cpu`")]
    NotBuilt,
    /// There is no adapter, or none that matches.
    #[error("no GPU adapter {wanted}: {found}; `lrgrid devices` lists them, and `--backend cpu` needs none")]
    NoAdapter {
        /// The requested adapter.
        wanted: String,
        /// The adapters found.
        found: String,
    },
    /// The adapter did not provide a device.
    #[error("adapter {adapter} gave no device: {reason}; try another with --adapter, or `--backend cpu`")]
    NoDevice {
        /// The adapter.
        adapter: String,
        /// The adapter's error message.
        reason: String,
    },
    /// The adapter's arithmetic is wrong.
    #[error("adapter {adapter} computes wrongly ({detail}) for {curves}: update its driver or use `--backend cpu`")]
    Probe {
        /// The adapter.
        adapter: String,
        /// The curves with wrong values.
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
    /// A limit of the caller's device, or of an adapter, is too small.
    #[error(
        "{adapter}: the device's {limit} is {found}, but at least {needed} are needed: request it with a larger limit"
    )]
    Limit {
        /// The adapter.
        adapter: String,
        /// The limit's name in `wgpu::Limits`.
        limit: &'static str,
        /// The least sufficient value.
        needed: u64,
        /// The device's value.
        found: u64,
    },
    /// A binding of the caller's that cannot be used.
    #[error("{what}: {field} is {found}, but {remedy}")]
    Binding {
        /// The binding.
        what: &'static str,
        /// The property that is wrong.
        field: &'static str,
        /// Its value.
        found: u64,
        /// The remedy.
        remedy: String,
    },
    /// A parameter that cannot be used on the device.
    #[error("{field} is {found}, but {remedy}")]
    Parameter {
        /// The parameter.
        field: &'static str,
        /// Its value.
        found: String,
        /// The remedy.
        remedy: String,
    },
    /// The GPU is out of memory.
    #[error("out of memory on {adapter}: {reason}; evaluate fewer values at once, or use `--backend cpu`")]
    OutOfMemory {
        /// The adapter.
        adapter: String,
        /// The driver's error message.
        reason: String,
    },
    /// The device was lost or rejected a command.
    #[error("{adapter} failed: {reason}; try again or use `--backend cpu`")]
    Failed {
        /// The adapter.
        adapter: String,
        /// The driver's error message.
        reason: String,
    },
}

/// Why the requested names or numbers of the WGSL library are invalid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WgslError {
    /// A name that WGSL does not allow, or that clashes.
    #[error("{option} `{value}` cannot be used in WGSL: {reason}; take another, such as `schedule_`")]
    Name {
        /// Which option.
        option: &'static str,
        /// Its value.
        value: String,
        /// The reason.
        reason: &'static str,
    },
    /// A bind group or binding beyond WebGPU's limits.
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
