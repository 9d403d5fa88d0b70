//! Specs: documents with a schedule or a sweep of schedules, and their compilation to batches.

mod compile;
mod document;
mod json;
mod library;
mod overrides;
mod read;
mod schema;
mod suggest;
mod sweep;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;
use serde_json::{Map, Value};

pub use document::MAX_BYTES;
pub use json::parse as parse_json;
pub use overrides::Overrides;
pub use schema::json_schema;
pub use suggest::nearest;

use crate::error::{Error, SpecError};
use crate::packed::Batch;
use crate::program::MAX_STEP;
use crate::schedule::Schedule;
use crate::sweep::{Sweep, names_used};

/// The keys of a document.
const KEYS: &[&str] = &["steps", "schedule", "sweep", "steps_per_epoch", "fractional_epochs", "momentum"];

/// The clock of schedules whose lengths are in epochs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Epochs {
    steps: u64,
    fractional: bool,
}

/// A schedule, or a sweep of schedules, as a user writes it.
///
/// ```
/// use lrgrid::{Cpu, Evaluate, Reference, Spec, Steps};
///
/// let spec = Spec::from_toml(r#"
///     steps = 1000
///     [schedule]
///     kind = "warmup"
///     steps = "10%"
///     then = { kind = "cosine", start = "$peak", end = 0.0, steps = 900 }
///     [sweep.parameters.peak]
///     values = [1e-3, 3e-4]
/// "#)?;
/// let batch = spec.compile()?;
/// let steps = Steps::range(0..1000);
/// let table: Vec<f32> = Cpu::new()?.evaluate(&batch, &steps)?;
/// assert_eq!(table.len(), 2 * 1000);
/// assert_eq!([table[0], table[50], table[100]], [0.0, 5e-4, 1e-3]);
/// assert_eq!(table, Reference.evaluate::<f32>(&batch, &steps)?);
/// # Ok::<(), lrgrid::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Spec {
    /// The whole document, with overrides applied.
    document: Arc<Value>,
    schedule: Arc<Value>,
    momentum: Option<Arc<Value>>,
    /// Whether the document contains schedules of other libraries.
    foreign: bool,
    /// Whether the momentum comes from the library of the schedule.
    library_momentum: bool,
    /// In epochs if the spec counts epochs, otherwise in steps.
    horizon: Option<u64>,
    epochs: Option<Epochs>,
    sweep: Arc<Sweep>,
    notes: Vec<String>,
}

/// One of a spec's two schedules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Rate,
    Momentum,
}

impl Part {
    fn key(self) -> &'static str {
        match self {
            Self::Rate => "schedule",
            Self::Momentum => "momentum",
        }
    }
}

impl Spec {
    /// Reads a TOML text.
    ///
    /// # Errors
    /// When the text is not TOML or not a spec: with the key's path, the value and a remedy.
    pub fn from_toml(text: &str) -> Result<Self, Error> {
        Self::from_toml_with(text, &Overrides::default())
    }

    /// Reads a TOML text and applies overrides.
    ///
    /// # Errors
    /// As [`Spec::from_toml`], and when an override has no place in the document or a file cannot be read.
    pub fn from_toml_with(text: &str, overrides: &Overrides) -> Result<Self, Error> {
        Self::from_document(document::from_toml(text)?, overrides)
    }

    /// Reads a JSON text.
    ///
    /// # Errors
    /// When the text is not JSON or not a spec: with the key's path, the value and a remedy.
    pub fn from_json(text: &str) -> Result<Self, Error> {
        Self::from_json_with(text, &Overrides::default())
    }

    /// Reads a JSON text and applies overrides.
    ///
    /// # Errors
    /// As [`Spec::from_json`], and when an override has no place in the document or a file cannot be read.
    pub fn from_json_with(text: &str, overrides: &Overrides) -> Result<Self, Error> {
        Self::from_document(document::from_json(text)?, overrides)
    }

    fn from_document(document: Value, overrides: &Overrides) -> Result<Self, Error> {
        let Value::Object(mut keys) = document else {
            return Err(SpecError::new("", "a spec is a table of keys, with `schedule` among them").into());
        };
        if let Some(unknown) = keys.keys().find(|key| !KEYS.contains(&key.as_str())) {
            return Err(SpecError::new(unknown.as_str(), format!("unknown key: {}", nearest(unknown, KEYS))).into());
        }
        let parameters = overrides.apply(&mut keys)?;
        let mut document = keys.clone();
        let Some(schedule) = keys.remove("schedule") else {
            return Err(SpecError::new("schedule", "missing: add [schedule] with a `kind`").into());
        };
        let momentum = keys.remove("momentum");
        let mut used = Vec::new();
        std::iter::once(&schedule).chain(&momentum).for_each(|part| names_used(part, &mut used));
        let swept = sweep::read_sweep(keys.remove("sweep"), parameters, overrides, &used);
        let sweep::ReadSweep { sweep, notes, keys: sweep_keys } = swept.map_err(|error| error.within("sweep"))?;
        // Keep the effective sweep: overrides applied, and the contents of its file in place of the name.
        if let Some(sweep_keys) = sweep_keys {
            document.insert("sweep".to_owned(), Value::Object(sweep_keys));
        }
        let mut spec = Self {
            document: Arc::new(Value::Object(document)),
            foreign: library::is_used(&schedule) || momentum.as_ref().is_some_and(library::is_used),
            library_momentum: false,
            schedule: Arc::new(schedule),
            momentum: momentum.map(Arc::new),
            horizon: positive_length(&keys, "steps")?,
            epochs: epochs(&keys)?,
            sweep: Arc::new(sweep),
            notes,
        };
        spec.check_horizon()?;
        spec.program(Part::Rate, 0, &spec.point(0))?;
        spec.library_momentum = spec.momentum.is_none() && spec.read_library_momentum(0, &spec.point(0))?.is_some();
        if spec.has_momentum() {
            spec.program(Part::Momentum, 0, &spec.point(0))?;
        }
        // Last, because a misspelt `$name` is better reported where it stands than as an unused parameter.
        spec.check_names(&used)?;
        Ok(spec)
    }

    /// Checks that every `$name` is a parameter and every parameter is used.
    fn check_names(&self, used: &[String]) -> Result<(), SpecError> {
        match self.sweep.names().iter().find(|name| !used.contains(name)) {
            Some(name) => Err(SpecError::new(
                format!("sweep.parameters.{name}"),
                format!("not used: write \"${name}\" somewhere in the schedule, or remove it"),
            )),
            None => Ok(()),
        }
    }

    fn check_horizon(&self) -> Result<(), SpecError> {
        let (horizon, per_unit) = (self.horizon.unwrap_or(0), self.epochs.map_or(1, |epochs| epochs.steps));
        if u128::from(horizon) * u128::from(per_unit) > u128::from(MAX_STEP) {
            let message = format!("{horizon} × {per_unit} steps are beyond the largest step, {MAX_STEP}");
            return Err(SpecError::new("steps", message));
        }
        Ok(())
    }

    /// Number of schedules: the points of the sweep, or 1.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sweep.len()
    }

    /// Whether there are no schedules; a spec always has one.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sweep.is_empty()
    }

    /// The horizon in steps, if the spec gives one.
    #[must_use]
    pub fn horizon(&self) -> Option<u64> {
        self.horizon.map(|units| units * self.steps_per_unit())
    }

    /// Steps per epoch, if the spec's lengths are in epochs.
    #[must_use]
    pub fn steps_per_epoch(&self) -> Option<u64> {
        self.epochs.map(|epochs| epochs.steps)
    }

    fn steps_per_unit(&self) -> u64 {
        self.epochs.map_or(1, |epochs| epochs.steps)
    }

    /// The number of steps in a table of this spec: the horizon, or the length of the longest schedule.
    ///
    /// # Errors
    /// When there is no horizon and a schedule never ends, or a schedule is wrong.
    pub fn table_steps(&self) -> Result<u64, Error> {
        self.table_steps_of(0..self.len())
    }

    /// The number of steps in a table of some schedules, given by their indices in the sweep; no others are read.
    ///
    /// # Errors
    /// As [`Spec::table_steps`].
    pub fn table_steps_of(&self, schedules: impl IntoParallelIterator<Item = usize>) -> Result<u64, Error> {
        if let Some(horizon) = self.horizon() {
            return Ok(horizon);
        }
        let longest = schedules
            .into_par_iter()
            .map(|index| match self.schedule(index)?.length() {
                Some(length) if length > 0 => Ok(length),
                _ => Err(SpecError::new(
                    "steps",
                    "missing: the schedule has no length of its own, so say how long the table is",
                )
                .into()),
            })
            .try_reduce(|| 0, |a, b| Ok::<u64, Error>(a.max(b)))?;
        Ok(longest.saturating_mul(self.steps_per_unit()))
    }

    /// The points of the sweep.
    #[must_use]
    pub fn sweep(&self) -> &Sweep {
        &self.sweep
    }

    /// Notes on the parts of the sweep's configuration that were ignored, one sentence each.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Names of the swept parameters, in order of declaration.
    #[must_use]
    pub fn parameter_names(&self) -> Vec<&str> {
        self.sweep.names().iter().map(String::as_str).collect()
    }

    /// The swept parameters' values for one schedule, in the order of their names.
    #[must_use]
    pub fn point(&self, index: usize) -> Vec<f64> {
        self.sweep.point(index)
    }

    /// Whether the spec has a second schedule, `momentum`.
    #[must_use]
    pub fn has_momentum(&self) -> bool {
        self.momentum.is_some() || self.library_momentum
    }

    /// The schedule at one point of the sweep; its lengths are in epochs if the spec counts epochs.
    ///
    /// # Errors
    /// When a parameter is wrong at that point.
    pub fn schedule(&self, index: usize) -> Result<Schedule, Error> {
        Ok(self.read(Part::Rate, index, &self.point(index))?)
    }

    /// The momentum schedule at one point of the sweep, if the spec has one.
    ///
    /// # Errors
    /// When a parameter is wrong at that point.
    pub fn momentum(&self, index: usize) -> Result<Option<Schedule>, Error> {
        Ok(self.has_momentum().then(|| self.read(Part::Momentum, index, &self.point(index))).transpose()?)
    }

    /// The last step at which a schedule has a value, or its momentum if `momentum` is set; `None` if it does not end.
    ///
    /// # Errors
    /// When a parameter is wrong at that point.
    pub fn last_step(&self, index: usize, momentum: bool) -> Result<Option<u64>, Error> {
        let part = if momentum && self.has_momentum() { Part::Momentum } else { Part::Rate };
        Ok(self.last_step_of(&self.read(part, index, &self.point(index))?))
    }

    /// Compiles every schedule of the sweep.
    ///
    /// # Errors
    /// When a schedule of the sweep is wrong or cannot be lowered; the message names the point.
    pub fn compile(&self) -> Result<Batch, Error> {
        self.compile_rows(0..self.len())
    }

    /// Compiles some schedules of the sweep: row 0 of the batch is the first of them.
    ///
    /// ```
    /// use lrgrid::Spec;
    ///
    /// let spec = Spec::from_toml(r#"
    ///     schedule = { kind = "linear", start = "$peak", end = 0, steps = 10 }
    ///     sweep.parameters.peak = { values = [1, 2, 3, 4] }
    /// "#)?;
    /// let batch = spec.compile_rows(2..4)?;
    /// assert_eq!((batch.len(), batch.value(0, 0), batch.value(1, 5)), (2, 3.0, 2.0));
    /// # Ok::<(), lrgrid::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Spec::compile`], and when the sweep lacks one of the rows.
    pub fn compile_rows(&self, rows: Range<usize>) -> Result<Batch, Error> {
        self.compile_part(Part::Rate, rows)
    }

    /// Compiles as many of the first rows as fit into `bytes`, at least one.
    ///
    /// ```
    /// use lrgrid::Spec;
    ///
    /// let spec = Spec::from_toml(r#"
    ///     schedule = { kind = "linear", start = "$peak", end = 0, steps = "$steps" }
    ///     sweep.parameters.peak = { min = 1, max = 2, count = 100 }
    ///     sweep.parameters.steps = { min = 1, max = 100 }
    /// "#)?;
    /// let batch = spec.compile_rows_within(7..spec.len(), 1 << 16)?;
    /// assert!((100..1000).contains(&batch.len()) && batch.size() <= 1 << 16);
    /// # Ok::<(), lrgrid::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Spec::compile_rows`].
    pub fn compile_rows_within(&self, rows: Range<usize>, bytes: usize) -> Result<Batch, Error> {
        self.compile_within(Part::Rate, rows, bytes)
    }

    /// As [`Spec::compile_rows_within`], with the momenta: both batches together fit into `bytes` and have equally many
    /// rows.
    ///
    /// # Errors
    /// As [`Spec::compile_rows`].
    pub fn compile_block(&self, rows: Range<usize>, bytes: usize) -> Result<(Batch, Option<Batch>), Error> {
        if !self.has_momentum() {
            return Ok((self.compile_within(Part::Rate, rows, bytes)?, None));
        }
        let start = rows.start;
        let rate = self.compile_within(Part::Rate, rows, bytes / 2)?;
        let momentum = self.compile_within(Part::Momentum, start..start + rate.len(), bytes / 2)?;
        if momentum.len() == rate.len() {
            return Ok((rate, Some(momentum)));
        }
        drop(rate);
        Ok((self.compile_part(Part::Rate, start..start + momentum.len())?, Some(momentum)))
    }

    /// Compiles the `momentum` schedules, if the spec has them.
    ///
    /// # Errors
    /// As [`Spec::compile`].
    pub fn compile_momentum(&self) -> Result<Option<Batch>, Error> {
        self.compile_momentum_rows(0..self.len())
    }

    /// Compiles some of the `momentum` schedules, if the spec has them.
    ///
    /// # Errors
    /// As [`Spec::compile_rows`].
    pub fn compile_momentum_rows(&self, rows: Range<usize>) -> Result<Option<Batch>, Error> {
        self.has_momentum().then(|| self.compile_part(Part::Momentum, rows)).transpose()
    }

    /// The spec as a JSON text that reads back as the same spec, with its keys in order.
    ///
    /// ```
    /// use lrgrid::Spec;
    ///
    /// let spec = Spec::from_toml("schedule = { kind = 'constant', value = 1e-3 } # comment")?;
    /// assert_eq!(spec.to_json(), r#"{"schedule":{"kind":"constant","value":0.001}}"#);
    /// assert_eq!(Spec::from_json(&spec.to_json())?.to_json(), spec.to_json());
    /// # Ok::<(), lrgrid::Error>(())
    /// ```
    #[must_use]
    pub fn to_json(&self) -> String {
        self.document.to_string()
    }

    /// Reads and checks one schedule; errors name the point of the sweep.
    fn read(&self, part: Part, index: usize, point: &[f64]) -> Result<Schedule, SpecError> {
        let value: &Value = match (part, &self.momentum) {
            (Part::Momentum, Some(momentum)) => momentum,
            (Part::Momentum, None) => {
                return self.read_library_momentum(index, point)?.ok_or_else(|| {
                    SpecError::new(
                        "schedule",
                        format!("schedule {index} of the sweep moves no momentum, the first does"),
                    )
                });
            }
            (Part::Rate, _) => &self.schedule,
        };
        let context = self.context(point);
        let native = if self.foreign { library::translated(value, context) } else { Ok(Cow::Borrowed(value)) };
        let checked = native.and_then(|native| {
            let schedule: Schedule = read::read(&native, context)?;
            schedule.validate()?;
            Ok(schedule)
        });
        checked.map_err(|error| self.at_point(part, index, error))
    }

    /// The momentum that the schedule's library defines together with it.
    fn read_library_momentum(&self, index: usize, point: &[f64]) -> Result<Option<Schedule>, SpecError> {
        if !self.foreign {
            return Ok(None);
        }
        library::momentum(&self.schedule, self.context(point)).map_err(|error| self.at_point(Part::Rate, index, error))
    }

    fn context<'c>(&'c self, point: &'c [f64]) -> read::Context<'c> {
        read::Context { names: self.sweep.names(), values: point, horizon: self.horizon }
    }

    /// An error of one schedule, with its path in the document and its point of the sweep.
    fn at_point(&self, part: Part, index: usize, error: SpecError) -> SpecError {
        let (mut error, point) = (error.within(part.key()), self.sweep.point(index));
        if !point.is_empty() {
            let values = self.sweep.names().iter().zip(&point);
            let values: Vec<String> = values.map(|(name, value)| format!("{name} = {value}")).collect();
            error.message = format!("{} (schedule {index} of the sweep: {})", error.message, values.join(", "));
        }
        error
    }
}

impl From<Schedule> for Spec {
    /// One schedule, without horizon or sweep.
    ///
    /// Parameters that [`Schedule::validate`] rejects are reported when the spec is compiled.
    fn from(schedule: Schedule) -> Self {
        // Serialization of a schedule never fails; if it did, compiling would report the missing kind.
        let schedule = serde_json::to_value(&schedule).unwrap_or(Value::Null);
        Self {
            document: Arc::new(serde_json::json!({ "schedule": schedule })),
            schedule: Arc::new(schedule),
            momentum: None,
            foreign: false,
            library_momentum: false,
            horizon: None,
            epochs: None,
            sweep: Arc::new(Sweep::single()),
            notes: Vec::new(),
        }
    }
}

fn positive_length(keys: &Map<String, Value>, key: &str) -> Result<Option<u64>, SpecError> {
    let Some(value) = keys.get(key) else { return Ok(None) };
    if let Value::String(text) = value {
        let message = format!("\"{text}\" is a text: this is a plain number of steps, neither swept nor a share");
        return Err(SpecError::new(key, message));
    }
    let length: u64 = read::read(value, read::Context::default()).map_err(|error| error.within(key))?;
    if length == 0 || length > MAX_STEP {
        return Err(SpecError::new(key, format!("{length} must be from 1 to {MAX_STEP}")));
    }
    Ok(Some(length))
}

fn epochs(keys: &Map<String, Value>) -> Result<Option<Epochs>, SpecError> {
    let fractional = match keys.get("fractional_epochs") {
        Some(value) => Some(
            read::read::<bool>(value, read::Context::default()).map_err(|error| error.within("fractional_epochs"))?,
        ),
        None => None,
    };
    match (positive_length(keys, "steps_per_epoch")?, fractional) {
        (None, Some(_)) => Err(SpecError::new("fractional_epochs", "goes with `steps_per_epoch` only: add that")),
        (None, None) => Ok(None),
        (Some(steps), fractional) => Ok(Some(Epochs { steps, fractional: fractional.unwrap_or(false) })),
    }
}
