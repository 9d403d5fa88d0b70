//! Reads a spec from a file or from standard input, with the changes that the command line makes to it.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use lrgrid::spec::{MAX_BYTES, Overrides};
use lrgrid::sweep::Method;
use lrgrid::{Spec, bounded};

use super::Failure;
use super::arguments::{methods, number};
use super::output::note;

/// The spec that a command works on.
#[derive(Debug, Args)]
pub struct SpecInput {
    /// A .toml or .json file, or - for standard input.
    #[arg(value_name = "SPEC")]
    path: PathBuf,
    #[command(flatten)]
    changes: SpecChanges,
}

/// The changes that the command line makes to a spec.
#[derive(Clone, Debug, Args)]
pub struct SpecChanges {
    /// Set a parameter, or a key such as schedule.end, in Hydra's syntax: peak=1e-3, peak=choice(1e-3,1e-4),
    /// peak=range(1,10,2), peak=interval(1e-4,1e-2), peak=tag(log,interval(1e-4,1e-2)).
    #[arg(long, value_name = "NAME=VALUE", help_heading = "Sweep", value_parser = parse_setting)]
    set: Vec<String>,
    /// Take the sweep from a .yaml, .json or .toml file, such as one of W&B, instead of the spec's own.
    #[arg(long, value_name = "FILE", help_heading = "Sweep")]
    sweep: Option<PathBuf>,
    /// How the parameters combine.
    #[arg(long, value_name = "METHOD", help_heading = "Sweep", value_parser = methods())]
    sweep_method: Option<Method>,
    /// The number of points of a random or Sobol sweep.
    #[arg(long, value_name = "N", help_heading = "Sweep", value_parser = number)]
    sweep_count: Option<u64>,
    /// The seed of a random or Sobol sweep.
    #[arg(long, value_name = "N", help_heading = "Sweep", value_parser = number)]
    sweep_seed: Option<u64>,
}

/// Checks the syntax of a setting.
fn parse_setting(text: &str) -> Result<String, String> {
    Overrides::default().set(text).map(|_| text.to_owned()).map_err(|error| error.to_string())
}

impl SpecInput {
    /// A spec with changes, for commands that take several specs or none.
    pub fn new(path: PathBuf, changes: SpecChanges) -> Self {
        Self { path, changes }
    }

    /// The name in messages.
    pub fn name(&self) -> String {
        if self.is_stdin() { "standard input".to_owned() } else { self.path.display().to_string() }
    }

    fn is_stdin(&self) -> bool {
        self.path == Path::new("-")
    }

    /// Whether the shell has opened the file, as for `<(command)`: a pipe, but one with a writer.
    fn is_open(&self) -> bool {
        ["/dev/fd", "/proc/self/fd"].iter().any(|folder| self.path.starts_with(folder))
    }

    /// Reads and checks the spec.
    pub fn read(&self) -> Result<Spec, Failure> {
        let name = self.name();
        let unreadable = |error: io::Error| Failure::wrong(format!("could not read {name}: {error}"));
        let ending = self.path.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase);
        let text = match ending.as_deref() {
            _ if self.is_stdin() => bounded::text(io::stdin().lock(), MAX_BYTES),
            _ if self.is_open() => File::open(&self.path).and_then(|file| bounded::text(file, MAX_BYTES)),
            Some("toml" | "json") => bounded::open(&self.path).and_then(|file| bounded::text(file, MAX_BYTES)),
            _ => {
                let message = format!("{name}: a spec is a .toml or .json file, or - for standard input");
                return Err(Failure::wrong(message));
            }
        };
        let text = text.map_err(unreadable)?;
        let is_json = match ending.as_deref() {
            Some(ending) => ending == "json",
            // No TOML document starts with a brace.
            None => text.trim_start().starts_with('{'),
        };
        let in_spec = |error| Failure::in_spec(&name, error);
        let folder = self.path.parent().filter(|_| !self.is_stdin());
        let overrides = self.changes.overrides(folder).map_err(in_spec)?;
        let read = if is_json { Spec::from_json_with } else { Spec::from_toml_with };
        let spec = read(&text, &overrides).map_err(in_spec)?;
        spec.notes().iter().for_each(|text| note(text));
        Ok(spec)
    }
}

impl SpecChanges {
    /// Whether the command line changes nothing.
    pub fn is_empty(&self) -> bool {
        let Self { set, sweep, sweep_method, sweep_count, sweep_seed } = self;
        set.is_empty() && sweep.is_none() && sweep_method.is_none() && sweep_count.is_none() && sweep_seed.is_none()
    }

    /// The changes as the library takes them, with paths relative to the folder of the spec.
    fn overrides(&self, folder: Option<&Path>) -> Result<Overrides, lrgrid::Error> {
        let mut overrides = Overrides::default();
        if let Some(folder) = folder {
            overrides = overrides.in_folder(folder);
        }
        if let Some(path) = &self.sweep {
            overrides = overrides.sweep_file(path);
        }
        if let Some(method) = self.sweep_method {
            overrides = overrides.method(method);
        }
        if let Some(count) = self.sweep_count {
            overrides = overrides.count(count);
        }
        if let Some(seed) = self.sweep_seed {
            overrides = overrides.seed(seed);
        }
        for text in &self.set {
            overrides = overrides.set(text)?;
        }
        Ok(overrides)
    }
}
