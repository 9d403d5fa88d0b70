//! Every backend against the reference, at the steps where things happen and at random ones.

mod samples;

use crate::cpu::Cpu;
use crate::double_double::DoubleDouble;
use crate::element::{Dtype, Element};
use crate::engine::Backend;
use crate::error::Error;
use crate::evaluate::{Evaluate, Reference};
#[cfg(feature = "gpu")]
use crate::gpu::Gpu;
use crate::packed::{Batch, Steps};
use crate::ulp::{spacing_exponent, ulps};

use samples::{Sample, samples};

/// What to look at.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// One backend, or all there are for [`Backend::Auto`].
    pub backend: Backend,
    /// Part of the name of the adapter to use, or its place in the list.
    pub adapter: Option<String>,
    /// The steps that the tables are meant for; steps at and past the end are looked at too.
    pub horizon: Option<u64>,
    /// Where the random steps start.
    pub seed: u64,
}

/// How far one backend is from the reference in one element type.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The backend, `cpu` or the adapter's name after `gpu`.
    pub backend: String,
    /// The element type.
    pub dtype: Dtype,
    /// How many values were compared.
    pub values: u64,
    /// The worst deviation in units in the last place.
    pub worst: f64,
    /// The mean deviation.
    pub mean: f64,
    /// Schedule and step of the worst.
    pub at: (usize, u64),
    /// The most that is allowed.
    pub bound: f64,
    /// How many values are further off than allowed.
    pub breaches: u64,
}

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// How many schedules were looked at.
    pub schedules: usize,
    /// One entry for each backend and element type.
    pub findings: Vec<Finding>,
    /// The backends that could not be looked at, and why.
    pub skipped: Vec<String>,
}

impl Report {
    /// Whether any value was further off than allowed.
    #[must_use]
    pub fn is_breached(&self) -> bool {
        self.findings.iter().any(|finding| finding.breaches > 0)
    }
}

/// The most units in the last place that a backend may be off, and why.
#[must_use]
pub const fn bound(backend: Backend, dtype: Dtype) -> f64 {
    match (backend, dtype) {
        // The reference itself, rounded once.
        (Backend::Reference, _) => 0.5,
        // Interpolated in f64, then rounded; the reference rounds as well.
        (_, Dtype::F64) => 2.0,
        // Faithful: one of the two neighbours.
        (Backend::Auto | Backend::Cpu, Dtype::F32) => 1.0,
        // Own arithmetic in 32-bit words, rounded once.
        (Backend::Gpu, Dtype::F32) => 2.0,
        // Rounded once from far more digits: only near-ties may differ.
        (_, Dtype::F16 | Dtype::Bf16) => 0.51,
    }
}

/// Compares every backend that the options allow with the reference, over all schedules of a batch, or evenly
/// spaced ones where they are many.
///
/// # Errors
/// When a backend fails, or the one asked for is not there.
pub fn check(batch: &Batch, options: &Options) -> Result<Report, Error> {
    let samples = samples(batch, options.horizon, options.seed);
    let mut report =
        Report { schedules: samples.iter().map(|sample| sample.rows.len()).sum(), ..Report::default() };
    let Options { backend, adapter, .. } = options;
    if matches!(backend, Backend::Auto | Backend::Cpu) {
        let cpu = Cpu::new()?;
        report.judge::<f64>(&cpu, "cpu", Backend::Cpu, batch, &samples)?;
        report.judge_narrow(&cpu, "cpu", Backend::Cpu, batch, &samples)?;
    }
    if *backend == Backend::Reference {
        report.judge::<f64>(&Reference, "reference", *backend, batch, &samples)?;
        report.judge_narrow(&Reference, "reference", *backend, batch, &samples)?;
    }
    match backend {
        Backend::Auto => report.skipped.extend(report_gpu(&mut report, adapter.as_deref(), batch, &samples)?),
        Backend::Gpu => {
            if let Some(reason) = report_gpu(&mut report, adapter.as_deref(), batch, &samples)? {
                return Err(reason.into());
            }
        }
        Backend::Cpu | Backend::Reference => {}
    }
    Ok(report)
}
