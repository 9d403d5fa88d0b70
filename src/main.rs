//! `lrgrid`: evaluate learning-rate schedules in batches.

mod cli;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match cli::Cli::parse().run() {
        Ok(status) => status,
        Err(failure) => failure.report(),
    }
}
