//! Jobs: tables of specs, written at once or in shards on many machines.
//!
//! A [`Job`] is a spec with its columns, element type, order and backend. [`Job::write`] writes its table. A [`Plan`]
//! divides it into shards by a manifest in a folder. [`Plan::run`] computes one shard, on any machine and any number of
//! times; [`Plan::status`] verifies the existing parts; [`Plan::merge`] merges the parts into the table that
//! [`Job::write`] would have written, byte by byte.

mod cluster;
mod lock;
mod manifest;
mod merge;
mod part;
mod plan;
mod run;
mod status;

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

pub use merge::Merged;
pub use plan::{Plan, Shard, slice};
pub use run::Run;
pub use status::{Condition, Status};

use crate::error::{Error, TableError};
use crate::table::{
    self, Batches, Checksum, Control, Evaluated, Header, Layout, Memory, Options, Sink, Source, Stored,
};
use lrgrid::Steps;
use lrgrid::element::{Dtype, Element, ForDtype};
use lrgrid::engine::{Backend, Engine};
use lrgrid::spec::Spec;

/// A table to be written: everything that decides its bits.
///
/// ```
/// use std::sync::atomic::AtomicBool;
/// use lrgrid_tables::job::Job;
/// use lrgrid_tables::table::{Control, Memory, Options};
/// use lrgrid::{Spec, Steps};
///
/// let spec = Spec::from_toml(r#"
///     schedule = { kind = "linear", start = "$peak", end = 0, steps = 100 }
///     sweep.parameters.peak = { values = [1e-3, 1e-4] }
/// "#)?;
/// let job = Job::new(spec, Steps::range(0..100));
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("table.npy");
/// let (memory, stop) = (Memory::default(), AtomicBool::new(false));
/// let engine = job.engine(None, memory)?;
/// let mut control = Control { memory, stop: &stop, progress: &mut |_| {} };
/// let stored = job.write(0..job.schedules(), &path, &engine, &Options::default(), &mut control)?;
/// assert_eq!((stored[0].path.as_path(), stored[0].bytes), (path.as_path(), 128 + 2 * 100 * 4));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Job {
    /// The schedules.
    pub spec: Spec,
    /// The columns.
    pub steps: Steps,
    /// The element type of the values.
    pub dtype: Dtype,
    /// The order of the values.
    pub layout: Layout,
    /// The backend.
    pub backend: Backend,
}

impl Job {
    /// A job for a table in `f32`, schedule by schedule, with the backend `auto`.
    #[must_use]
    pub fn new(spec: Spec, steps: Steps) -> Self {
        Self { spec, steps, dtype: Dtype::F32, layout: Layout::default(), backend: Backend::default() }
    }

    /// The number of schedules in the whole sweep.
    #[must_use]
    pub fn schedules(&self) -> usize {
        self.spec.len()
    }

    /// The checksum of the spec, independent of comments and spacing.
    #[must_use]
    pub fn spec_hash(&self) -> String {
        format!("blake3:{}", Checksum::of(self.spec.to_json().as_bytes()))
    }

    /// The engine, on an adapter given by name or index. `auto` chooses the CPU if the memory bound leaves no room for
    /// a GPU's driver.
    ///
    /// # Errors
    /// When the backend is not available.
    pub fn engine(&self, adapter: Option<&str>, memory: Memory) -> Result<Engine, Error> {
        if self.backend == Backend::Auto && adapter.is_none() && !memory.has_room_for_gpu() {
            return Ok(Engine::new(Backend::Cpu, None)?);
        }
        // Of the whole sweep, so that every shard chooses the same backend.
        let values = (self.schedules() as u64).saturating_mul(self.steps.len() as u64);
        Ok(Engine::new(self.backend, adapter)?.expecting(values))
    }

    /// The header of a table of some of the schedules.
    #[must_use]
    pub fn header(&self, rows: Range<usize>) -> Header<'_> {
        let metadata: BTreeMap<String, String> = [
            ("version", env!("CARGO_PKG_VERSION").to_owned()),
            ("spec", self.spec.to_json()),
            ("spec_hash", self.spec_hash()),
            ("layout", self.layout.name().to_owned()),
            ("schedules", format!("{}..{}", rows.start, rows.end)),
            ("steps", manifest::Columns::of(&self.steps).to_string()),
        ]
        .map(|(key, text)| (key.to_owned(), text))
        .into();
        Header {
            layout: self.layout,
            rows,
            steps: self.steps.clone(),
            parameters: self.spec.parameter_names().into_iter().map(str::to_owned).collect(),
            point: Box::new(|schedule| self.spec.point(schedule)),
            momentum: self.spec.has_momentum(),
            metadata,
        }
    }

    /// Evaluates some of the schedules into a file, whose extension chooses the format.
    ///
    /// # Errors
    /// When one of the schedules is wrong, the backend fails, the format cannot hold the table, or the file system
    /// reports an error; no file is left behind then.
    pub fn write(
        &self,
        rows: Range<usize>,
        path: &Path,
        engine: &Engine,
        options: &Options,
        control: &mut Control<'_>,
    ) -> Result<Vec<Stored>, Error> {
        let header = self.header(rows);
        self.fill(&header, engine, control, File { path, header: &header, options })
    }

    /// Evaluates some of the schedules into a stream, as CSV.
    ///
    /// # Errors
    /// As [`Job::write`].
    pub fn stream(
        &self,
        rows: Range<usize>,
        stream: &mut dyn std::io::Write,
        name: &str,
        engine: &Engine,
        control: &mut Control<'_>,
    ) -> Result<(), Error> {
        let header = self.header(rows);
        self.fill(&header, engine, control, Stream { stream, name, header: &header }).map(drop)
    }

    fn fill<'a>(
        &'a self,
        header: &'a Header<'a>,
        engine: &'a Engine,
        control: &mut Control<'_>,
        opens: impl Opens<'a>,
    ) -> Result<Vec<Stored>, Error> {
        struct Fill<'j, 'a, 'c, O>(&'j Job, &'a Header<'a>, &'a Engine, &'j mut Control<'c>, O);
        impl<'a, O: Opens<'a>> ForDtype for Fill<'_, 'a, '_, O> {
            type Output = Result<Vec<Stored>, Error>;
            fn with<T: Element>(self) -> Self::Output {
                let Self(job, header, engine, control, opens) = self;
                let compile = |rows: Range<usize>, bytes: usize| {
                    let (rate, momentum) = job.spec.compile_block(rows, bytes)?;
                    Ok(Batches { rate, momentum })
                };
                // The first schedules are compiled before a file is created: most errors occur there.
                let mut source = Evaluated::<T, _, _>::new(engine, header, control.memory, compile)?;
                write_into(opens.open::<T>()?, &mut source, header, control)
            }
        }
        self.dtype.choose(Fill(self, header, engine, control, opens))
    }
}

/// Passes a table from a source to a sink and completes it.
fn write_into<T: Element>(
    mut sink: Box<dyn Sink<T> + '_>,
    source: &mut (impl Source<T> + Send),
    header: &Header<'_>,
    control: &mut Control<'_>,
) -> Result<Vec<Stored>, Error> {
    table::write_table(source, header, &mut *sink, control)?;
    let (written, total) = (header.values(), header.values());
    let finished = sink.finish();
    Ok(finished.map_err(|source| TableError::Unfinished { source: Box::new(source), written, total })?)
}

/// Opens a sink, generic over the element type.
trait Opens<'a> {
    fn open<T: Element>(self) -> Result<Box<dyn Sink<T> + 'a>, Error>;
}

/// A file, whose extension chooses the format.
struct File<'a> {
    path: &'a Path,
    header: &'a Header<'a>,
    options: &'a Options,
}

impl<'a> Opens<'a> for File<'a> {
    fn open<T: Element>(self) -> Result<Box<dyn Sink<T> + 'a>, Error> {
        Ok(table::create(self.path, self.header, self.options)?)
    }
}

/// A stream of CSV.
struct Stream<'a> {
    stream: &'a mut dyn std::io::Write,
    name: &'a str,
    header: &'a Header<'a>,
}

impl<'a> Opens<'a> for Stream<'a> {
    fn open<T: Element>(self) -> Result<Box<dyn Sink<T> + 'a>, Error> {
        Ok(table::stream(self.stream, self.name, self.header)?)
    }
}
