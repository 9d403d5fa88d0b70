//! `lrgrid schema`: prints the JSON schema of specs.

use std::process::ExitCode;

use clap::Args;
use lrgrid::spec::json_schema;

use super::Failure;
use super::output::Destination;

const EXAMPLES: &str = "\
Examples:
  # For completion and checks in an editor
  lrgrid schema -o lrgrid.schema.json";

/// Print the JSON schema of specs.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Schema {
    #[command(flatten)]
    destination: Destination,
}

impl Schema {
    /// Writes the schema.
    pub fn run(self) -> Result<ExitCode, Failure> {
        self.destination.write(&format!("{:#}\n", json_schema()))?;
        Ok(ExitCode::SUCCESS)
    }
}
