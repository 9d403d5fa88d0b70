//! Reading a spec: from a file by its ending, or from standard input, with what the command line changes of it.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use lrgrid::Spec;
use lrgrid::spec::Overrides;
use lrgrid::sweep::Method;

use super::Failure;
use super::arguments::{methods, number};
use super::output::note;

/// The spec that a command works on.
#[derive(Debug, Default, Args)]
pub struct SpecInput {
    /// A .toml or .json file, or - for standard input.
    #[arg(value_name = "SPEC")]
    path: PathBuf,
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
    /// The number of points of a random or sobol sweep.
    #[arg(long, value_name = "N", help_heading = "Sweep", value_parser = number)]
    sweep_count: Option<u64>,
    /// What a random or sobol sweep is drawn from.
    #[arg(long, value_name = "N", help_heading = "Sweep", value_parser = number)]
    sweep_seed: Option<u64>,
}

/// A setting that can be understood, as it was.
fn parse_setting(text: &str) -> Result<String, String> {
    Overrides::default().set(text).map(|_| text.to_owned()).map_err(|error| error.to_string())
}

impl SpecInput {
    /// The spec in a file, where a command need not have one.
    pub fn of(path: PathBuf) -> Self {
        Self { path, ..Self::default() }
    }

    /// The name in messages.
    pub fn name(&self) -> String {
        if self.is_stdin() { "standard input".to_owned() } else { self.path.display().to_string() }
    }

    fn is_stdin(&self) -> bool {
        self.path == Path::new("-")
    }

    /// Reads and checks the spec.
    pub fn read(&self) -> Result<Spec, Failure> {
        let name = self.name();
        let unreadable = |error: io::Error| Failure::wrong(format!("could not read {name}: {error}"));
        let (text, is_json) = if self.is_stdin() {
            let mut text = String::new();
            io::stdin().read_to_string(&mut text).map_err(unreadable)?;
            // No TOML document starts with a brace.
            let is_json = text.trim_start().starts_with('{');
            (text, is_json)
        } else {
            let is_json = match self.path.extension().and_then(|ending| ending.to_str()) {
                Some(ending) if ending.eq_ignore_ascii_case("toml") => false,
                Some(ending) if ending.eq_ignore_ascii_case("json") => true,
                _ => {
                    return Err(Failure::wrong(format!(
                        "{name}: a spec is a .toml or .json file, or - for standard input"
                    )));
                }
            };
            (fs::read_to_string(&self.path).map_err(unreadable)?, is_json)
        };
        let in_spec = |error| Failure::in_spec(&name, error);
        let overrides = self.overrides().map_err(in_spec)?;
        let read = if is_json { Spec::from_json_with } else { Spec::from_toml_with };
        let spec = read(&text, &overrides).map_err(in_spec)?;
        spec.notes().iter().for_each(|text| note(text));
        Ok(spec)
    }

    /// What the command line changes of the spec.
    fn overrides(&self) -> Result<Overrides, lrgrid::Error> {
        let mut overrides = Overrides::default();
        if let Some(folder) = self.path.parent().filter(|_| !self.is_stdin()) {
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
