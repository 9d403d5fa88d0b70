//! Reading a spec: from a file by its ending, or from standard input.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use lrgrid::Spec;

use super::Failure;

/// The spec that a command works on.
#[derive(Debug, Args)]
pub struct SpecInput {
    /// A .toml or .json file, or - for standard input.
    #[arg(value_name = "SPEC")]
    path: PathBuf,
}

impl SpecInput {
    /// The spec of a file, for commands that take several.
    pub fn at(path: PathBuf) -> Self {
        Self { path }
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
        let spec = if is_json { Spec::from_json(&text) } else { Spec::from_toml(&text) };
        spec.map_err(|error| Failure::in_spec(&name, error))
    }
}
