//! `lrgrid`: evaluate learning-rate schedules in batches.

use std::process::ExitCode;

fn main() -> ExitCode {
    lrgrid_cli::watch_for_signals();
    lrgrid_cli::run(std::env::args_os())
}
