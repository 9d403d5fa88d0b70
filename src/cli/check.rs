//! `lrgrid check`: every backend against the reference.

use std::process::ExitCode;

use clap::Args;
use lrgrid::Batch;
use lrgrid::check::{Options, Report, check};

use super::Failure;
use super::arguments::{BackendArguments, number};
use super::columns::columns;
use super::input::SpecInput;
use super::output::print;

const EXAMPLES: &str = "\
Examples:
  lrgrid check examples/one_cycle.toml
  lrgrid check examples/sweep_peak.toml --backend gpu

Exit status 1 where a value is further from the reference than its bound.";

/// Compare every backend with the reference, in units in the last place.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
#[command(mut_arg("backend", |backend| backend.help("One backend; auto checks every one there is, a software GPU included")))]
pub struct Check {
    #[command(flatten)]
    spec: SpecInput,
    #[command(flatten)]
    backend: BackendArguments,
    /// Where the random steps start.
    #[arg(long, default_value = "1", value_parser = number)]
    seed: u64,
}

impl Check {
    /// Compares and prints.
    pub fn run(self) -> Result<ExitCode, Failure> {
        let adapter = self.backend.adapter()?.map(str::to_owned);
        let spec = self.spec.read()?;
        let in_spec = |error| Failure::in_spec(&self.spec.name(), error);
        let batches =
            [("lr", Some(spec.compile().map_err(in_spec)?)), ("momentum", spec.compile_momentum().map_err(in_spec)?)];
        let horizon = spec.table_steps().ok();
        let options = Options { backend: self.backend.backend, adapter, horizon, seed: self.seed };
        let mut breached = false;
        for (what, batch) in batches.into_iter().filter_map(|(what, batch)| Some((what, batch?))) {
            let report = check(&batch, &options)?;
            breached |= report.is_breached();
            print(&self.text(what, &batch, &report))?;
        }
        Ok(if breached { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }

    fn text(&self, what: &str, batch: &Batch, report: &Report) -> String {
        let mut lines = vec![
            ["backend", "dtype", "values", "worst ULP", "mean ULP", "worst at schedule, step", "bound", ""]
                .map(str::to_owned),
        ];
        for finding in &report.findings {
            lines.push([
                finding.backend.clone(),
                finding.dtype.name().to_owned(),
                finding.values.to_string(),
                format!("{:.4}", finding.worst),
                format!("{:.4}", finding.mean),
                format!("{}, {}", finding.at.0, finding.at.1),
                finding.bound.to_string(),
                if finding.breaches == 0 { "ok".to_owned() } else { format!("BREACH of {} values", finding.breaches) },
            ]);
        }
        let (looked_at, all, seed) = (report.schedules, batch.len(), self.seed);
        let mut text = format!("{what}: {looked_at} of {all} schedules, seed {seed}\n{}", columns(&lines));
        for reason in &report.skipped {
            text.push_str(&format!("not checked: {reason}\n"));
        }
        text
    }
}
