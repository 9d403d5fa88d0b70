//! The command line: one file per command, none with logic of its own.

mod arguments;
mod bench;
mod check;
mod columns;
mod describe;
mod devices;
mod eval;
mod failure;
mod input;
mod interrupt;
mod merge;
mod output;
mod plan;
mod progress;
mod run;
mod schedules;
mod schema;
mod stats;
mod status;
mod sweep;
mod table;
mod wgsl;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub use failure::Failure;

const EXAMPLES: &str = "\
Examples:
  lrgrid eval examples/warmup_cosine.toml
  lrgrid eval examples/sweep_peak.toml -o table.npy
  lrgrid stats examples/sobol.toml
  lrgrid describe examples/wsd.toml
  lrgrid check examples/one_cycle.toml
  lrgrid bench --quick
  lrgrid schedules cosine
  lrgrid wgsl spec.toml --block spec.bin

Exit status: 0 done; 1 the work failed; 2 the command line or the spec is wrong.";

/// Evaluate learning-rate schedules in batches: whole sweeps, millions of steps, on CPU or GPU.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES, propagate_version = true, max_term_width = 100)]
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
    Describe(describe::Describe),
    Stats(stats::Stats),
    Sweep(sweep::Sweep),
    Schedules(schedules::Schedules),
    Schema(schema::Schema),
    Devices(devices::Devices),
    Wgsl(wgsl::Wgsl),
}

impl Cli {
    /// Does what was asked for.
    pub fn run(self) -> Result<ExitCode, Failure> {
        match self.command {
            Command::Eval(command) => command.run(),
            Command::Plan(command) => command.run(),
            Command::Run(command) => command.run(),
            Command::Status(command) => command.run(),
            Command::Merge(command) => command.run(),
            Command::Check(command) => command.run(),
            Command::Bench(command) => command.run(),
            Command::Describe(command) => command.run(),
            Command::Stats(command) => command.run(),
            Command::Sweep(command) => command.run(),
            Command::Schedules(command) => command.run(),
            Command::Schema(command) => command.run(),
            Command::Devices(command) => command.run(),
            Command::Wgsl(command) => command.run(),
        }
    }
}
