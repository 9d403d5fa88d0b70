//! `lrgrid completions` and `lrgrid man`: what shells and readers of manuals need.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::output::{Overwrite, print};
use super::{Cli, Failure};

const EXAMPLES: &str = "\
Examples:
  lrgrid completions bash > ~/.local/share/bash-completion/completions/lrgrid
  lrgrid completions zsh > ~/.zfunc/_lrgrid
  lrgrid completions fish > ~/.config/fish/completions/lrgrid.fish";

/// Print a shell's completions for this command.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Completions {
    /// The shell.
    shell: Shell,
}

impl Completions {
    /// Prints the script.
    pub fn run(self) -> Result<ExitCode, Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "lrgrid", &mut script);
        print(&String::from_utf8_lossy(&script))?;
        Ok(ExitCode::SUCCESS)
    }
}

const MAN_EXAMPLES: &str = "\
Examples:
  lrgrid man | man -l -
  lrgrid man --folder ~/.local/share/man/man1    lrgrid.1, lrgrid-eval.1, …";

/// Print the manual page, or write those of every command into a folder.
#[derive(Debug, Args)]
#[command(after_help = MAN_EXAMPLES)]
pub struct Man {
    /// Write lrgrid.1 and a page for each command into this folder.
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
    #[command(flatten)]
    overwrite: Overwrite,
}

impl Man {
    /// Prints or writes the pages.
    pub fn run(self) -> Result<ExitCode, Failure> {
        let mut command = Cli::command();
        command.build();
        let render = |command: clap::Command| {
            let mut page = Vec::new();
            clap_mangen::Man::new(command).render(&mut page).map_err(Failure::from_stdout).map(|()| page)
        };
        let Some(folder) = self.folder else {
            let page = render(command)?;
            let mut stdout = io::stdout().lock();
            stdout.write_all(&page).and_then(|()| stdout.flush()).map_err(Failure::from_stdout)?;
            return Ok(ExitCode::SUCCESS);
        };
        for of in command.get_subcommands() {
            let name = format!("lrgrid-{}", of.get_name());
            self.overwrite.write(&folder.join(format!("{name}.1")), &render(of.clone())?)?;
        }
        self.overwrite.write(&folder.join("lrgrid.1"), &render(command.clone())?)?;
        Ok(ExitCode::SUCCESS)
    }
}
