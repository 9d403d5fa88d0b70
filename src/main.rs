//! `lrgrid`: evaluate learning-rate schedules in batches.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::watch_for_signals();
    match cli::Cli::read().run() {
        Ok(status) => status,
        Err(failure) => failure.report(),
    }
}
