//! `lrgrid devices`: lists the adapters of the GPU backend.

use std::process::ExitCode;

use clap::Args;

use super::Failure;
use super::output::print;

const EXAMPLES: &str = "\
Examples:
  # By its number in this list
  lrgrid eval spec.toml --backend gpu --adapter 0
  # By part of its name
  lrgrid eval spec.toml --backend gpu --adapter nvidia

WGPU_BACKEND restricts the list; WGPU_ADAPTER_NAME and WGPU_POWER_PREF influence the choice.";

/// List the GPU adapters, best first.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Devices {}

impl Devices {
    /// Prints the list.
    pub fn run(self) -> Result<ExitCode, Failure> {
        print(&list())?;
        Ok(ExitCode::SUCCESS)
    }
}

#[cfg(feature = "gpu")]
fn list() -> String {
    let devices = lrgrid::gpu::devices();
    if devices.is_empty() {
        return "no adapter: install a Vulkan driver; `--backend cpu` needs none\n".to_owned();
    }
    let mut lines = vec![["", "name", "type", "backend", "driver", ""].map(str::to_owned)];
    for (place, device) in devices.into_iter().enumerate() {
        let software = if device.is_software() { "software: never chosen by auto" } else { "" };
        let (kind, place) = (device.kind.to_string(), place.to_string());
        lines.push([place, device.name, kind, device.backend, device.driver, software.to_owned()]);
    }
    super::text::columns(&lines)
}

#[cfg(not(feature = "gpu"))]
fn list() -> String {
    "no adapter: this lrgrid was built without its `gpu` feature\n".to_owned()
}
