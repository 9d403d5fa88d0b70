//! The command line: one file per command, which reads its arguments and prints the result of the library.

mod arguments;
mod bench;
mod check;
mod compare;
mod completions;
mod describe;
mod devices;
mod eval;
mod failure;
mod fit;
mod input;
mod interrupt;
mod merge;
mod output;
mod plan;
mod plot;
mod progress;
mod run;
mod schedules;
mod schema;
mod screen;
mod stats;
mod status;
mod sweep;
mod table;
mod text;
mod wgsl;

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use lrgrid::readable;

pub use failure::Failure;
pub use interrupt::start as watch_for_signals;

const EXAMPLES: &str = "\
Examples:
  lrgrid eval examples/warmup_cosine.toml
  lrgrid eval examples/sweep_peak.toml -o table.npy
  lrgrid stats examples/sobol.toml
  lrgrid plot examples/one_cycle.toml
  lrgrid describe examples/wsd.toml
  lrgrid compare examples/wsd.toml log.csv
  lrgrid fit log.csv
  lrgrid check examples/one_cycle.toml
  lrgrid bench --quick
  lrgrid schedules cosine
  lrgrid wgsl spec.toml --block spec.bin

Exit status: 0 done; 1 the work failed (or `compare` and `check` found a difference); \
2 the command line or the spec is wrong.";

/// Evaluate learning-rate schedules in batches: whole sweeps, millions of steps, on CPU or GPU.
#[derive(Debug, Parser)]
#[command(name = "lrgrid", version, after_help = EXAMPLES, propagate_version = true, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Eval(eval::Eval),
    Plan(plan::Plan),
    Run(run::Run),
    Status(status::Status),
    Merge(merge::Merge),
    Check(check::Check),
    Bench(bench::Bench),
    Plot(plot::Plot),
    Describe(describe::Describe),
    Compare(compare::Compare),
    Fit(fit::FitLog),
    Stats(stats::Stats),
    Sweep(sweep::Sweep),
    Schedules(schedules::Schedules),
    Schema(schema::Schema),
    Devices(devices::Devices),
    Wgsl(wgsl::Wgsl),
    Completions(completions::Completions),
    Man(completions::Man),
}

impl Cli {
    /// Reads the command line. If it is wrong or asks for help, prints that and returns the exit status.
    pub fn of<A: Into<OsString> + Clone>(arguments: impl IntoIterator<Item = A>) -> Result<Self, ExitCode> {
        Self::try_parse_from(arguments).map_err(|error| {
            let text = error.to_string();
            let shown: Vec<String> = text.lines().map(readable::message).collect();
            // If standard output or error is closed, the status still reports it.
            if !error.use_stderr() || text.lines().eq(shown.iter()) {
                let _ = error.print();
            } else {
                // Without colours, so that long quotations can be shortened.
                let _ = writeln!(io::stderr(), "{}", shown.join("\n"));
            }
            u8::try_from(error.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from)
        })
    }

    /// Runs the command.
    pub fn run(self) -> Result<ExitCode, Failure> {
        match self.command {
            Command::Eval(command) => command.run(),
            Command::Plan(command) => command.run(),
            Command::Run(command) => command.run(),
            Command::Status(command) => command.run(),
            Command::Merge(command) => command.run(),
            Command::Check(command) => command.run(),
            Command::Bench(command) => command.run(),
            Command::Plot(command) => command.run(),
            Command::Describe(command) => command.run(),
            Command::Compare(command) => command.run(),
            Command::Fit(command) => command.run(),
            Command::Stats(command) => command.run(),
            Command::Sweep(command) => command.run(),
            Command::Schedules(command) => command.run(),
            Command::Schema(command) => command.run(),
            Command::Devices(command) => command.run(),
            Command::Wgsl(command) => command.run(),
            Command::Completions(command) => command.run(),
            Command::Man(command) => command.run(),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn every_command_is_well_formed_and_has_examples() {
        Cli::command().debug_assert();
        for command in Cli::command().get_subcommands() {
            let help = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("Example") || command.get_name() == "help", "{} has no examples", command.get_name());
        }
    }
}
