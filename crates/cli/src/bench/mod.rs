//! The benchmark of `lrgrid bench`: every curve on every engine of the machine, as a share of that engine's own limit.
//!
//! The limit of the CPU is a fill of the same buffer on the same threads; that of a GPU is a shader that only stores,
//! and, where the table comes back to the host, the way back alone. Work and limit take turns in one run, so a machine
//! that slows down slows both. Every table is compared with the reference before it is timed.

mod cases;
mod chart;
mod cpu;
mod crossover;
#[cfg(feature = "gpu")]
mod gpu;
mod timing;
mod verify;

use serde::Serialize;

pub use cases::{CASES, Case, Regime};
pub use chart::{html, svg};
pub use verify::worst_ulp;

use crate::error::{BenchError, Error};
use lrgrid::cpu::Cpu;
use lrgrid::element::Dtype;
use lrgrid::engine::Backend;
use lrgrid::error::GpuError;

/// The selection of cases and engines.
#[derive(Clone, Debug)]
pub struct Options {
    /// One engine, or all there are for [`Backend::Auto`]. The reference is not measured: nobody waits for it twice.
    pub backend: Backend,
    /// Part of the name of the adapter to use, or its place in the list.
    pub adapter: Option<String>,
    /// Only cases whose `engine/case/regime` contains this.
    pub filter: Option<String>,
    /// Element type of the tables.
    pub dtype: Dtype,
    /// Smaller tables and fewer repetitions: under 20 seconds in all.
    pub quick: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { backend: Backend::Auto, adapter: None, filter: None, dtype: Dtype::F32, quick: false }
    }
}

impl Options {
    fn selects(&self, engine: Engine, case: &Case, regime: Regime) -> bool {
        let name = format!("{}/{}/{}", engine.name(), case.name, regime.name());
        self.filter.as_ref().is_none_or(|filter| name.contains(filter.as_str()))
    }

    /// Seconds that one measurement may repeat for.
    fn budget(&self) -> f64 {
        if self.quick { 0.06 } else { 0.6 }
    }

    /// How many times smaller than the full table the tables of an engine are.
    fn divisor(&self, engine: Engine) -> usize {
        match (engine, self.quick) {
            (Engine::Software, false) => 32,
            (Engine::Software, true) => 256,
            (_, false) => 1,
            (_, true) => 4,
        }
    }
}

/// The engine. A software adapter is never called a GPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Engine {
    /// The vectorised CPU engine.
    Cpu,
    /// A hardware GPU.
    Gpu,
    /// A GPU's interface implemented on the CPU.
    Software,
}

impl Engine {
    /// The name in tables and filters.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Gpu => "gpu",
            Self::Software => "software adapter",
        }
    }
}

/// The part of an evaluation that was timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// All of it, into the caller's reused buffer. On a GPU the way back to the host is part of it.
    Whole,
    /// The kernel alone, by the device's own timestamps; the table stays on the device.
    Kernel,
    /// The same by the host's clock, where the device has no timestamps: an overestimate.
    KernelByWallTime,
}

impl Part {
    /// The name in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Whole => "into host memory",
            Self::Kernel => "kernel",
            Self::KernelByWallTime => "kernel (wall time)",
        }
    }
}

/// One measurement.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Measurement {
    /// The engine.
    pub engine: Engine,
    /// The part that was timed.
    pub part: Part,
    /// The case's name.
    pub case: &'static str,
    /// The shape of the table.
    pub regime: Regime,
    /// The element type's name.
    pub dtype: &'static str,
    /// Schedules in the table.
    pub rows: usize,
    /// Steps in the table.
    pub columns: usize,
    /// The least time of all repetitions.
    pub seconds: f64,
    /// The least time of the engine's limit over as many bytes, in the same run.
    pub limit_seconds: f64,
    /// Values per second.
    pub values_per_second: f64,
    /// Bytes per second.
    pub bytes_per_second: f64,
    /// Share of the limit, `limit_seconds / seconds`.
    pub share: f64,
    /// The worst distance from the reference seen, in units in the last place.
    pub worst_ulp: f64,
}

/// Times and shape of a measurement to be.
struct Measured {
    engine: Engine,
    part: Part,
    seconds: f64,
    limit_seconds: f64,
    worst_ulp: f64,
}

impl Measurement {
    fn new(case: &Case, regime: Regime, rows: usize, dtype: Dtype, measured: Measured) -> Self {
        let Measured { engine, part, seconds, limit_seconds, worst_ulp } = measured;
        let columns = regime.steps().len();
        let values_per_second = (rows * columns) as f64 / seconds;
        Self {
            engine,
            part,
            case: case.name,
            regime,
            dtype: dtype.name(),
            rows,
            columns,
            seconds,
            limit_seconds,
            values_per_second,
            bytes_per_second: values_per_second * dtype.size() as f64,
            share: limit_seconds / seconds,
            worst_ulp,
        }
    }
}

/// The size from which on a GPU is faster than the CPU.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Crossover {
    /// Whether the table comes back to the host.
    pub readback: bool,
    /// The least number of values from which the GPU was faster at every size tried; `None` if it never was.
    pub values: Option<u64>,
    /// The sizes tried: values, seconds on the CPU, seconds on the GPU.
    pub tried: Vec<(u64, f64, f64)>,
}

/// The machine that was measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Machine {
    /// The version of this crate.
    pub version: &'static str,
    /// Operating system and architecture.
    pub platform: String,
    /// Threads of the CPU engine.
    pub threads: usize,
    /// Its vector instructions.
    pub level: &'static str,
    /// Adapter, driver and interface, and whether it is software; `None` where none was measured.
    pub adapter: Option<Adapter>,
}

/// An adapter that was measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Adapter {
    /// The adapter's name.
    pub name: String,
    /// The interface it is reached through.
    pub backend: String,
    /// Name and version of the driver.
    pub driver: String,
    /// Whether it is a program on the CPU, and so no GPU.
    pub software: bool,
}

/// Everything that was measured.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The machine.
    pub machine: Machine,
    /// The measurements, in the order of engines, regimes and cases.
    pub measurements: Vec<Measurement>,
    /// The sizes from which a hardware GPU is faster, without and with the transfer to the host.
    pub crossovers: Vec<Crossover>,
    /// The engines that were not measured, with reasons.
    pub skipped: Vec<String>,
}

/// Measures the selected cases; `progress` receives the name of each before it is measured.
///
/// ```no_run
/// use lrgrid_cli::bench::{Options, run};
///
/// let options = Options { filter: Some("cpu/cosine/long".to_owned()), quick: true, ..Options::default() };
/// let report = run(&options, |_| {})?;
/// println!("{:.2} of a plain fill", report.measurements[0].share);
/// # Ok::<(), lrgrid_cli::Error>(())
/// ```
///
/// # Errors
/// When the filter selects nothing, an engine that was asked for is not there or fails, and when a table is further
/// from the reference than its engine's bound: nothing wrong is timed.
pub fn run(options: &Options, mut progress: impl FnMut(&str)) -> Result<Report, Error> {
    let cpu = Cpu::new()?;
    let mut report = Report {
        machine: Machine {
            version: env!("CARGO_PKG_VERSION"),
            platform: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            threads: rayon::current_num_threads(),
            level: cpu.level().name(),
            adapter: None,
        },
        measurements: Vec::new(),
        crossovers: Vec::new(),
        skipped: Vec::new(),
    };
    if matches!(options.backend, Backend::Auto | Backend::Cpu) {
        cpu::measure(&cpu, options, &mut report, &mut progress)?;
    }
    if matches!(options.backend, Backend::Auto | Backend::Gpu) {
        match measure_adapter(&cpu, options, &mut report, &mut progress) {
            Err(Error::Library(lrgrid::Error::Gpu(reason)))
                if options.backend == Backend::Auto && is_absent(&reason) =>
            {
                report.skipped.push(format!("gpu: {reason}"));
            }
            result => result?,
        }
    }
    if report.measurements.is_empty() && report.skipped.is_empty() {
        let names = CASES.map(|case| case.name).join(", ");
        return Err(BenchError::NothingSelected { filter: options.filter.clone().unwrap_or_default(), names }.into());
    }
    Ok(report)
}

fn is_absent(reason: &GpuError) -> bool {
    matches!(reason, GpuError::NotBuilt | GpuError::NoAdapter { .. } | GpuError::NoDevice { .. })
}

#[cfg(feature = "gpu")]
use gpu::measure as measure_adapter;

#[cfg(not(feature = "gpu"))]
fn measure_adapter(_: &Cpu, _: &Options, _: &mut Report, _: &mut dyn FnMut(&str)) -> Result<(), Error> {
    Err(GpuError::NotBuilt.into())
}
