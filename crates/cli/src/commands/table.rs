//! What several commands say and are told about a table.

use std::ops::Range;
use std::time::Instant;

use clap::Args;
use lrgrid::{Backend, Dtype, Spec};
use lrgrid_tables::job::Job;
use lrgrid_tables::table::{Layout, Stored};
use serde_json::{Value, json};

use super::Failure;
use super::arguments::{self, StepArguments};

/// The columns, the number type and the order of a table.
#[derive(Debug, Args)]
pub struct TableArguments {
    /// The number type of the values.
    #[arg(long, default_value = "f32", value_parser = arguments::dtypes())]
    pub dtype: Dtype,
    #[command(flatten)]
    steps: StepArguments,
    /// The axis that comes first: all steps of a schedule together, or all schedules at a step.
    #[arg(long, default_value = "schedule", value_parser = arguments::layouts())]
    layout: Layout,
}

impl TableArguments {
    /// The table that they ask for, of a spec by its name in messages.
    pub fn job(&self, spec: Spec, name: &str, backend: Backend) -> Result<Job, Failure> {
        let steps = self.steps.of(&spec, name)?;
        Ok(Job { spec, steps, dtype: self.dtype, layout: self.layout, backend })
    }
}

/// What was written, for other programs.
pub struct Summary<'a> {
    pub job: &'a Job,
    pub rows: Range<usize>,
    /// The table first.
    pub files: &'a [Stored],
    pub started: Instant,
    pub backend: String,
}

impl Summary<'_> {
    /// As a line of JSON.
    pub fn to_json(&self) -> String {
        format!("{}\n", self.value())
    }

    /// Rows and columns of the table, its bytes and checksum, and how it was made.
    pub fn value(&self) -> Value {
        let file = |file: &Stored| {
            json!({
                "path": file.path.display().to_string(),
                "bytes": file.bytes,
                "checksum": file.checksum.map(|checksum| format!("blake3:{checksum}")),
            })
        };
        let mut files = self.files.iter().map(file);
        let table = files.next().unwrap_or_default();
        json!({
            "output": table["path"],
            "bytes": table["bytes"],
            "checksum": table["checksum"],
            "companions": files.collect::<Vec<_>>(),
            "first_row": self.rows.start,
            "rows": self.rows.len(),
            "columns": self.job.steps.len(),
            "dtype": self.job.dtype.name(),
            "layout": self.job.layout.name(),
            "seconds": self.started.elapsed().as_secs_f64(),
            "backend": self.backend,
            "spec_hash": self.job.spec_hash(),
            "version": env!("CARGO_PKG_VERSION"),
        })
    }
}
