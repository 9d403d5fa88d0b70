//! Every error of the library, each with what was wrong, the value, and what would be right.

use std::path::PathBuf;

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
    /// A table could not be written.
    #[error(transparent)]
    Table(#[from] TableError),
    /// A measurement could not be made.
    #[error(transparent)]
    Bench(#[from] BenchError),
    /// A job in shards is not what it should be.
    #[error(transparent)]
    Job(#[from] JobError),
    /// A WGSL library was asked for under impossible names or numbers.
    #[error(transparent)]
    Wgsl(#[from] WgslError),
    /// A picture could not be made.
    #[error(transparent)]
    Plot(#[from] PlotError),
    /// A table could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
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

/// Why a table could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    /// The file system refused.
    #[error("could not write {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The ending names no format, or one that cannot hold the values.
    #[error("{path}: {reason}")]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong and what would be right.
        reason: String,
    },
    /// The file is there already.
    #[error("{path} is there already: replace it with --force, or choose another name")]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The disk has too little room.
    #[error("{path} takes at least {needed} bytes, but its disk has room for {available}")]
    NoRoom {
        /// The file.
        path: PathBuf,
        /// Bytes of the file, or a lower bound on them.
        needed: u64,
        /// Bytes free to this user.
        available: u64,
    },
    /// Writing began and did not come to its end.
    #[error("{source}; {written} of {total} values had been written, and no unfinished file is left behind")]
    Unfinished {
        /// What went wrong.
        source: Box<TableError>,
        /// Values written by then.
        written: u128,
        /// Values of the table.
        total: u128,
    },
    /// Someone asked to stop.
    #[error("interrupted")]
    Interrupted,
}

impl TableError {
    /// What went wrong, without how far the table had come.
    #[must_use]
    pub fn cause(&self) -> &Self {
        match self {
            Self::Unfinished { source, .. } => source.cause(),
            cause => cause,
        }
    }
}

/// What is wrong with a job that is spread over several machines.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JobError {
    /// A manifest that cannot be used.
    #[error("{path}: {reason}")]
    Manifest {
        /// The file.
        path: PathBuf,
        /// What is wrong and what would be right.
        reason: String,
    },
    /// A shard that the job does not have.
    #[error("{0}")]
    Shard(String),
    /// A part that is not what the manifest asks for.
    #[error("{path}: {reason}")]
    Part {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Parts are missing or damaged.
    #[error("{missing} missing and {damaged} damaged of {count} shards ({names}): `lrgrid run {folder}` computes them")]
    Incomplete {
        /// Shards without a part.
        missing: usize,
        /// Shards whose part does not prove right.
        damaged: usize,
        /// All shards.
        count: u64,
        /// The first of those by number.
        names: String,
        /// The job's folder.
        folder: PathBuf,
    },
    /// Parts were made by different backends or versions.
    #[error(
        "the shards were not all made alike ({found}), so the table may differ in its last bits from one made at once: \
         compute them again alike, or merge with --mixed"
    )]
    Mixed {
        /// Who made which.
        found: String,
    },
}

/// Why something is not measured.
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

/// Why a picture could not be made.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PlotError {
    /// The ending names no picture format.
    #[error("{path}: {reason}")]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong and what would be right.
        reason: String,
    },
    /// The picture would be empty or too large.
    #[error("a picture of {width} × {height} pixels: each side must be from 1 to {most}")]
    Size {
        /// Pixels across.
        width: f64,
        /// Pixels down.
        height: f64,
        /// The most that either may be.
        most: f64,
    },
    /// The encoder refused.
    #[error("could not encode the picture: {reason}")]
    Encode {
        /// What it said.
        reason: String,
    },
    /// There is nothing to draw.
    #[error("there is no step to draw: {reason}")]
    Empty {
        /// Why.
        reason: String,
    },
}

/// Why a table of learning rates could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The file system refused.
    #[error("could not read {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not what its ending says, or holds no usable values.
    #[error("{path}: {reason}")]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong, where, and what would be right.
        reason: String,
    },
}
