//! Arguments that describe a table, and the summary of a written one.

use std::ops::Range;
use std::time::Instant;

use clap::Args;
use lrgrid::{Backend, Dtype, Spec};
use lrgrid_tables::job::Job;
use lrgrid_tables::table::{Layout, Stored};
use serde_json::{Value, json};

use super::Failure;
use super::arguments::{self, StepArguments};

/// The steps, the number type and the layout of a table.
#[derive(Debug, Args)]
pub struct TableArguments {
    /// The number type of the values.
    #[arg(long, default_value = "f32", value_parser = arguments::dtypes())]
    pub dtype: Dtype,
    #[command(flatten)]
    steps: StepArguments,
    /// The outer axis: schedule keeps the steps of a schedule together, step the schedules of a step.
    #[arg(long, default_value = "schedule", value_parser = arguments::layouts())]
    layout: Layout,
}

impl TableArguments {
    /// The table that the arguments describe; `name` is that of the spec in messages.
    pub fn job(&self, spec: Spec, name: &str, backend: Backend) -> Result<Job, Failure> {
        let steps = self.steps.of(&spec, name)?;
        Ok(Job { spec, steps, dtype: self.dtype, layout: self.layout, backend })
    }
}

/// The summary of a written table, for other programs.
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

    /// Rows and columns of the table, its bytes and checksum, and its backend.
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
