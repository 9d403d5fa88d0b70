//! `lrgrid status`: the state of every shard of a job.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use lrgrid_tables::job::{self, Condition};
use lrgrid_tables::table::{Control, Memory};
use serde_json::json;

use super::progress::Progress;
use super::{Failure, interrupt, output};

const EXAMPLES: &str = "\
Examples:
  lrgrid status job
  lrgrid status job && lrgrid merge job -o table.npy";

/// Show which shards of a planned table are done, missing or damaged.
///
/// Every shard is read and its checksum verified. Exit status 1 if not all are done.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Status {
    /// The folder of the job, made by `lrgrid plan`.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Show no progress.
    #[arg(short, long)]
    quiet: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Status {
    /// Verifies and prints.
    pub fn run(self) -> Result<ExitCode, Failure> {
        let plan = job::Plan::open(&self.folder)?;
        let job = plan.job();
        let progress = Progress::new(!self.quiet, job.schedules() as u128 * job.steps.len() as u128);
        let mut control = Control {
            memory: Memory::default(),
            stop: interrupt::watch(),
            progress: &mut |values| progress.show(values),
        };
        let status = plan.status(&mut control);
        progress.clear();
        let status = status?;
        let numbers = |is: &dyn Fn(&Condition) -> bool| -> Vec<usize> {
            status.shards.iter().filter(|(_, condition)| is(condition)).map(|(shard, _)| shard.index).collect()
        };
        let missing = numbers(&|condition| *condition == Condition::Missing);
        let running = numbers(&|condition| *condition == Condition::Running);
        let damaged: Vec<(usize, &str)> = status
            .shards
            .iter()
            .filter_map(|(shard, condition)| match condition {
                Condition::Damaged(reason) => Some((shard.index, reason.as_str())),
                _ => None,
            })
            .collect();
        let done = status.count(|condition| *condition == Condition::Done);
        let text = if self.json {
            let damaged: Vec<_> =
                damaged.iter().map(|(shard, reason)| json!({ "shard": shard, "reason": reason })).collect();
            let summary = json!({
                "shards": status.shards.len(),
                "done": done,
                "missing": missing,
                "running": running,
                "damaged": damaged,
                "makers": status.makers,
                "complete": status.is_complete(),
            });
            format!("{summary}\n")
        } else {
            let mut text = format!("{done} of {} shards done", status.shards.len());
            for (maker, count) in &status.makers {
                text.push_str(&format!("\n{count} by {maker}"));
            }
            for (what, shards) in [("missing", &missing), ("running", &running)] {
                if !shards.is_empty() {
                    text.push_str(&format!("\n{what}: {}", ranges(shards)));
                }
            }
            for (shard, reason) in &damaged {
                text.push_str(&format!("\ndamaged: {shard}, which {reason}"));
            }
            text + "\n"
        };
        output::print(&text)?;
        Ok(if status.is_complete() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// Ascending numbers as `0-3,5`, the form that cluster schedulers accept.
fn ranges(numbers: &[usize]) -> String {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for &number in numbers {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => runs.push((number, number)),
        }
    }
    let text = |(first, last): &(usize, usize)| {
        if first == last { first.to_string() } else { format!("{first}-{last}") }
    };
    runs.iter().map(text).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_joined() {
        assert_eq!(ranges(&[0, 1, 2, 5, 7, 8]), "0-2,5,7-8");
        assert_eq!(ranges(&[]), "");
    }
}
