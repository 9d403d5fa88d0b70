//! `lrgrid completions` and `lrgrid man`: prints shell completions and manual pages.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory};
use clap_complete::Shell;
use lrgrid_tables::error::TableError;

use super::output::{Overwrite, print};
use super::{Cli, Failure};

const EXAMPLES: &str = "\
Examples:
  lrgrid completions bash > ~/.local/share/bash-completion/completions/lrgrid
  lrgrid completions zsh > ~/.zfunc/_lrgrid
  lrgrid completions fish > ~/.config/fish/completions/lrgrid.fish";

/// Print shell completions.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
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
  # lrgrid.1, lrgrid-eval.1, …
  lrgrid man --folder ~/.local/share/man/man1";

/// Print the manual page, or write those of all commands to a folder.
#[derive(Debug, Args)]
#[command(after_long_help = MAN_EXAMPLES)]
pub struct Man {
    /// Write lrgrid.1 and a page for each command to this folder, which is created if needed.
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
        let page = |of: &clap::Command| (folder.join(format!("lrgrid-{}.1", of.get_name())), of.clone());
        let mut pages: Vec<(PathBuf, clap::Command)> = command.get_subcommands().map(page).collect();
        pages.push((folder.join("lrgrid.1"), command));
        // All of them before the first is written, so that a refusal leaves the folder as it was.
        pages.iter().try_for_each(|(path, _)| self.overwrite.check(Some(path)))?;
        fs::create_dir_all(&folder).map_err(|source| TableError::Io { path: folder.clone(), source })?;
        for (path, command) in pages {
            self.overwrite.write(&path, &render(command)?)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
