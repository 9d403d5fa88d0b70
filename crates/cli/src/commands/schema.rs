//! `lrgrid schema`: the JSON schema of specs.

use std::process::ExitCode;

use clap::Args;
use lrgrid::spec::json_schema;

use super::Failure;
use super::output::print;

const EXAMPLES: &str = "\
Example:
  lrgrid schema > lrgrid.schema.json   for completion and checks in an editor";

/// Print the JSON schema of specs.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Schema {}

impl Schema {
    /// Prints the schema.
    pub fn run(self) -> Result<ExitCode, Failure> {
        print(&format!("{:#}\n", json_schema()))?;
        Ok(ExitCode::SUCCESS)
    }
}
