//! The manifest of a job in shards: the job, and its division.

use std::fmt;
use std::ops::Range;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Job;
use crate::error::{Error, JobError};
use crate::table::{AtomicFile, Existing};
use lrgrid::Steps;
use lrgrid::bounded;
use lrgrid::error::UnknownName;
use lrgrid::readable;
use lrgrid::spec::{Spec, parse_json};

/// The manifest's name in the job's folder.
pub(super) const NAME: &str = "manifest.json";

/// The version of the formats of manifests and parts.
const MANIFEST: u32 = 2;

/// The largest manifest that is read, in bytes: room for the largest spec, all shards and listed steps.
const MOST_BYTES: usize = 64 << 20;

/// The most shards of a job.
pub(super) const MOST_SHARDS: usize = 100_000;

/// The columns of a table in a manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Columns {
    Range { start: u64, end: u64, stride: u64 },
    List(Vec<u64>),
}

impl Columns {
    pub(super) fn of(steps: &Steps) -> Self {
        match steps.progression() {
            Some((start, stride)) => {
                let end = steps.largest().map_or(start, |last| last.saturating_add(1));
                Self::Range { start, end, stride }
            }
            None => Self::List(steps.iter().collect()),
        }
    }

    fn steps(&self) -> Steps {
        match self {
            Self::Range { start, end, stride } => Steps::range(*start..*end).stride_by(*stride),
            Self::List(steps) => Steps::list(steps),
        }
    }
}

/// The text for `--steps` or `--at`.
impl fmt::Display for Columns {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Range { start, end, stride } => write!(formatter, "{start}..{end}:{stride}"),
            Self::List(steps) => {
                let steps: Vec<String> = steps.iter().map(u64::to_string).collect();
                formatter.write_str(&steps.join(","))
            }
        }
    }
}

/// A shard in a manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    /// The first schedule.
    pub(super) start: usize,
    /// One past the last.
    pub(super) end: usize,
    /// The part's file name in the folder.
    pub(super) file: String,
}

impl Entry {
    /// A shard of some schedules, with its number.
    pub(super) fn new(rows: Range<usize>, index: usize, count: usize) -> Self {
        Self { start: rows.start, end: rows.end, file: Self::file(index, count) }
    }

    /// The file name of a part, distinct from those of other shards and of the job's other files.
    fn file(index: usize, count: usize) -> String {
        let digits = count.saturating_sub(1).to_string().len();
        format!("part-{index:0digits$}.safetensors")
    }
}

/// A job and its shards, as stored in the manifest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    manifest: u32,
    /// The version of the program that created the plan.
    version: String,
    spec_hash: String,
    /// The seed of a random sweep; it is in the spec too.
    seed: Option<u64>,
    dtype: String,
    layout: String,
    backend: String,
    /// The format of the parts.
    format: String,
    schedules: usize,
    steps: Columns,
    pub(super) shards: Vec<Entry>,
    spec: Value,
}

impl Manifest {
    pub(super) fn new(job: &Job, shards: Vec<Entry>) -> Result<Self, Error> {
        let spec: Value = serde_json::from_str(&job.spec.to_json())
            .map_err(|error| JobError::Shard(format!("the spec cannot be written as JSON: {error}")))?;
        Ok(Self {
            manifest: MANIFEST,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            spec_hash: job.spec_hash(),
            seed: spec.pointer("/sweep/seed").and_then(Value::as_u64),
            dtype: job.dtype.name().to_owned(),
            layout: job.layout.name().to_owned(),
            backend: job.backend.name().to_owned(),
            format: "safetensors".to_owned(),
            schedules: job.schedules(),
            steps: Columns::of(&job.steps),
            shards,
            spec,
        })
    }

    /// Whether another manifest describes the same job, regardless of the version that created it.
    pub(super) fn is_same_job(&self, other: &Self) -> bool {
        Self { version: other.version.clone(), ..self.clone() } == *other
    }

    /// Reads the manifest of a folder; `None` if there is none.
    pub(super) fn read(folder: &Path) -> Result<Option<Self>, Error> {
        let path = folder.join(NAME);
        let wrong = |reason: String| JobError::Manifest { path: path.clone(), reason };
        let text = match bounded::open(&path).and_then(|file| bounded::text(file, MOST_BYTES)) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(wrong(format!("could not be read: {error}")).into()),
        };
        // Check the version first: another version may have other keys.
        let value = parse_json(&text).map_err(|error| wrong(format!("is not a manifest: {error}")))?;
        match value.get("manifest").and_then(Value::as_u64) {
            Some(number) if number == u64::from(MANIFEST) => {}
            Some(number) => {
                let reason = format!(
                    "is of manifest version {number}, and this lrgrid knows {MANIFEST}: use the lrgrid that made the plan"
                );
                return Err(wrong(reason).into());
            }
            None => return Err(wrong("is not a manifest: it has no `manifest` number".to_owned()).into()),
        }
        let manifest = Self::deserialize(value)
            .map_err(|error| wrong(format!("is not a manifest: {}", readable::name(&error.to_string()))))?;
        Ok(Some(manifest))
    }

    /// Writes the manifest into a folder.
    pub(super) fn write(&self, folder: &Path, existing: Existing) -> Result<(), Error> {
        let path = folder.join(NAME);
        let text = serde_json::to_string_pretty(self)
            .map_err(|error| JobError::Manifest { path: path.clone(), reason: error.to_string() })?;
        let mut file = AtomicFile::create(&path, existing)?;
        file.append(text.as_bytes())?;
        file.append(b"\n")?;
        file.commit()?;
        Ok(())
    }

    /// The job and its shards, checked for consistency.
    pub(super) fn job(&self, folder: &Path) -> Result<Job, Error> {
        let wrong = |reason: String| JobError::Manifest { path: folder.join(NAME), reason };
        let sweep = self.spec.get("sweep");
        if sweep.is_some_and(|sweep| sweep.is_string() || sweep.get("file").is_some()) {
            return Err(
                wrong("`spec.sweep` names a file, and a plan has the sweep itself: plan again".to_owned()).into()
            );
        }
        let spec = Spec::from_json(&self.spec.to_string()).map_err(|error| wrong(format!("`spec`: {error}")))?;
        let unknown = |key: &str, error: UnknownName| wrong(format!("`{key}`: {error}"));
        let job = Job {
            spec,
            steps: self.steps.steps(),
            dtype: self.dtype.parse().map_err(|error| unknown("dtype", error))?,
            layout: self.layout.parse().map_err(|error| unknown("layout", error))?,
            backend: self.backend.parse().map_err(|error| unknown("backend", error))?,
        };
        if job.spec_hash() != self.spec_hash {
            return Err(wrong("`spec` is not what `spec_hash` is of: plan again".to_owned()).into());
        }
        if job.schedules() != self.schedules {
            let reason = format!("`schedules` is {}, but the spec has {}: plan again", self.schedules, job.schedules());
            return Err(wrong(reason).into());
        }
        self.check_shards().map_err(wrong)?;
        Ok(job)
    }

    /// Checks that the shards cover the schedules in order, each in its own file.
    fn check_shards(&self) -> Result<(), String> {
        let count = self.shards.len();
        if count > MOST_SHARDS {
            return Err(format!("`shards` are {count}, more than {MOST_SHARDS}: plan again"));
        }
        let mut next = 0;
        for (index, shard) in self.shards.iter().enumerate() {
            let (start, end) = (shard.start, shard.end);
            if start != next {
                let what = if start < next { "overlaps the one before" } else { "leaves a gap behind the one before" };
                return Err(format!("`shards[{index}]` {what}: it starts at schedule {start} instead of {next}"));
            }
            if end <= start {
                return Err(format!("`shards[{index}]` has no schedules: it goes from {start} to {end}"));
            }
            // The name must follow from the number, so that a part cannot be another's, the manifest, or outside the
            // folder.
            let file = Entry::file(index, count);
            if shard.file != file {
                let found = readable::name(&shard.file);
                return Err(format!("`shards[{index}].file` is \"{found}\": the part of shard {index} is {file}"));
            }
            next = end;
        }
        match next == self.schedules {
            true => Ok(()),
            false => Err(format!("`shards` end at schedule {next} of {}", self.schedules)),
        }
    }
}
