//! The command line of lrgrid as a library: [`run`] executes a command of the program `lrgrid`.
//!
//! [`bench`](mod@bench) measures the engines of a machine; [`check`](mod@check) compares them with the reference.
pub mod bench;
pub mod check;
mod commands;
pub mod error;

use std::ffi::OsString;
use std::process::ExitCode;

pub use error::Error;

/// Runs the command line with these arguments, the program's name first, and returns its exit status: 0 done, 1 the work
/// failed, 2 the command line or the spec is wrong. Results go to standard output, everything else to standard error.
///
/// ```
/// use std::process::ExitCode;
///
/// assert_eq!(lrgrid_cli::run(["lrgrid", "schedules", "cosine"]), ExitCode::SUCCESS);
/// ```
pub fn run<A: Into<OsString> + Clone>(arguments: impl IntoIterator<Item = A>) -> ExitCode {
    match commands::Cli::of(arguments) {
        Ok(command) => command.run().unwrap_or_else(commands::Failure::report),
        Err(status) => status,
    }
}

/// Makes SIGINT and SIGTERM end the process soon and leave no unfinished file: for programs that do nothing but [`run`].
pub fn watch_for_signals() {
    commands::watch_for_signals();
}
