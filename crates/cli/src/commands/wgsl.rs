//! `lrgrid wgsl`: prints the WGSL library for your own shaders, and writes the block of schedules that it reads.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use lrgrid::wgsl::{Options, Uses, library};

use super::Failure;
use super::input::{SpecChanges, SpecInput};
use super::output::{Overwrite, print};

const EXAMPLES: &str = "\
Examples:
  # lr_at(program, step) for every schedule
  lrgrid wgsl -o lr.wgsl
  # sched_lr_at, at a binding that your shader leaves free
  lrgrid wgsl --group 1 --binding 3 --prefix sched_
  # Only the functions that this spec uses, and its packed block
  lrgrid wgsl spec.toml -o lr.wgsl --block schedules.bin

Append the text to your shader and bind the block as a read-only storage buffer. docs/block.md describes its bytes.";

/// The most bytes of a block: twice the binding size that WebGPU guarantees.
const MOST_BLOCK: usize = 256 << 20;

/// The most bytes of schedules that are compiled together if no block is written.
const MOST_AT_ONCE: usize = 8 << 20;

/// Print WGSL that computes learning rates in your own shader.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Wgsl {
    /// A .toml or .json file, or - for standard input: functions that the spec does not need are left out.
    #[arg(value_name = "SPEC")]
    spec: Option<PathBuf>,
    #[command(flatten)]
    changes: SpecChanges,
    /// The bind group of the block.
    #[arg(long, value_name = "N", default_value_t = 0)]
    group: u32,
    /// The binding of the block in its group.
    #[arg(long, value_name = "N", default_value_t = 0)]
    binding: u32,
    /// The prefix of every name [default: lrgrid_, but none for the function lr_at].
    #[arg(long, value_name = "P")]
    prefix: Option<String>,
    /// The name of the function.
    #[arg(long, value_name = "NAME")]
    entry: Option<String>,
    /// Write the spec's packed block, the bytes to bind, to this file.
    #[arg(long, value_name = "FILE", requires = "spec")]
    block: Option<PathBuf>,
    /// Write the text to this file instead of standard output.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    overwrite: Overwrite,
}

impl Wgsl {
    /// Prints or writes the text, and the block.
    pub fn run(self) -> Result<ExitCode, Failure> {
        let Self { spec, changes, group, binding, prefix, entry, block, output, overwrite } = self;
        overwrite.check(block.as_deref())?;
        overwrite.check(output.as_deref())?;
        if spec.is_none() && !changes.is_empty() {
            return Err(Failure::wrong("--set and --sweep change a spec, and there is none: name its file too"));
        }
        let mut uses = Uses::default();
        let mut bytes = None;
        if let Some(path) = spec {
            let input = SpecInput::new(path, changes);
            let spec = input.read()?;
            let in_spec = |error| Failure::in_spec(&input.name(), error);
            let most = if block.is_some() { MOST_BLOCK } else { MOST_AT_ONCE };
            let batch = spec.compile_rows_within(0..spec.len(), most).map_err(in_spec)?;
            let mut done = batch.len();
            uses = Uses::of(&batch);
            if block.is_some() {
                if done < spec.len() || batch.size() > MOST_BLOCK {
                    let message = format!(
                        "the block of {} schedules would have more than {MOST_BLOCK} bytes, more than devices bind: sweep fewer",
                        spec.len()
                    );
                    return Err(Failure::wrong(format!("{}: {message}", input.name())));
                }
                bytes = Some(batch.as_bytes());
            }
            drop(batch);
            while done < spec.len() {
                let batch = spec.compile_rows_within(done..spec.len(), most).map_err(in_spec)?;
                done += batch.len();
                uses = uses.or(Uses::of(&batch));
            }
        }
        let text = library(&Options { group, binding, prefix, entry, uses }).map_err(lrgrid::Error::from)?;
        if let (Some(path), Some(bytes)) = (block, bytes) {
            overwrite.write(&path, &bytes)?;
        }
        match output {
            Some(path) => overwrite.write(&path, text.as_bytes())?,
            None => print(&text)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}
