//! Compares every backend with the reference, at the boundaries of segments and at random steps.

mod bounds;
pub mod draw;
pub mod random;
mod samples;

use half::{bf16, f16};

use lrgrid::Steps;
use lrgrid::cpu::Cpu;
use lrgrid::element::{Dtype, Element};
use lrgrid::engine::Backend;
use lrgrid::error::{Error, GpuError};
use lrgrid::evaluate::{Evaluate, Reference};
#[cfg(feature = "gpu")]
use lrgrid::gpu::Gpu;
use lrgrid::packed::Batch;

use bounds::Allowance;
pub use bounds::bound;
use samples::{Sample, samples};

/// The options of a check.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// One backend, or all there are for [`Backend::Auto`].
    pub backend: Backend,
    /// Part of the name of the adapter to use, or its place in the list.
    pub adapter: Option<String>,
    /// The number of steps of the tables; steps at and past the end are checked too.
    pub horizon: Option<u64>,
    /// The seed of the random steps.
    pub seed: u64,
}

/// The error of one backend against the reference in one element type.
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

/// The report of a check.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// The number of schedules that were checked.
    pub schedules: usize,
    /// One entry for each backend and element type.
    pub findings: Vec<Finding>,
    /// The backends that could not be checked, with reasons.
    pub skipped: Vec<String>,
}

impl Report {
    /// The same report of rows of a sweep that begin at one of its own.
    #[must_use]
    pub fn of_rows_from(mut self, first: usize) -> Self {
        self.findings.iter_mut().for_each(|finding| finding.at.0 += first);
        self
    }

    /// This report and that of further schedules, checked with the same options.
    #[must_use]
    pub fn and(mut self, further: &Self) -> Self {
        self.schedules += further.schedules;
        for (finding, more) in self.findings.iter_mut().zip(&further.findings) {
            if more.worst > finding.worst {
                (finding.worst, finding.at) = (more.worst, more.at);
            }
            let sum = finding.mean * finding.values as f64 + more.mean * more.values as f64;
            finding.values += more.values;
            finding.mean = sum / finding.values.max(1) as f64;
            finding.breaches += more.breaches;
        }
        self
    }

    /// Whether any value was further off than allowed.
    #[must_use]
    pub fn is_breached(&self) -> bool {
        self.findings.iter().any(|finding| finding.breaches > 0)
    }
}

/// Compares every backend that the options allow with the reference, over all schedules of a batch, or evenly
/// spaced ones where they are many.
///
/// # Errors
/// When a backend fails, or the one asked for is not there.
pub fn check(batch: &Batch, options: &Options) -> Result<Report, Error> {
    let samples = samples(batch, options.horizon, options.seed);
    let mut judge = Judge { batch, samples: &samples, report: Report::default() };
    judge.report.schedules = samples.iter().map(|sample| sample.rows.len()).sum();
    match options.backend {
        Backend::Reference => judge.all_types(&Reference, "reference", Backend::Reference)?,
        Backend::Cpu => judge.all_types(&Cpu::new()?, "cpu", Backend::Cpu)?,
        Backend::Gpu => judge.gpu(options.adapter.as_deref())?,
        Backend::Auto => {
            judge.all_types(&Cpu::new()?, "cpu", Backend::Cpu)?;
            if let Err(error) = judge.gpu(options.adapter.as_deref()) {
                match error {
                    Error::Gpu(
                        reason @ (GpuError::NotBuilt | GpuError::NoAdapter { .. } | GpuError::NoDevice { .. }),
                    ) => {
                        judge.report.skipped.push(format!("gpu: {reason}"));
                    }
                    error => return Err(error),
                }
            }
        }
    }
    Ok(judge.report)
}

/// The values to judge by, and what was found so far.
struct Judge<'a> {
    batch: &'a Batch,
    samples: &'a [Sample],
    report: Report,
}

impl Judge<'_> {
    fn all_types(&mut self, engine: &impl Evaluate, name: &str, backend: Backend) -> Result<(), Error> {
        self.one_type::<f64>(engine, name, backend)?;
        self.narrow_types(engine, name, backend)
    }

    fn narrow_types(&mut self, engine: &impl Evaluate, name: &str, backend: Backend) -> Result<(), Error> {
        self.one_type::<f32>(engine, name, backend)?;
        self.one_type::<f16>(engine, name, backend)?;
        self.one_type::<bf16>(engine, name, backend)
    }

    #[cfg(feature = "gpu")]
    fn gpu(&mut self, adapter: Option<&str>) -> Result<(), Error> {
        let gpu = adapter.map_or_else(Gpu::new, Gpu::with_adapter)?;
        self.narrow_types(&gpu, &format!("gpu ({})", gpu.adapter_name()), Backend::Gpu)
    }

    #[cfg(not(feature = "gpu"))]
    fn gpu(&mut self, _adapter: Option<&str>) -> Result<(), Error> {
        Err(GpuError::NotBuilt.into())
    }

    fn one_type<T: Element>(&mut self, engine: &impl Evaluate, name: &str, backend: Backend) -> Result<(), Error> {
        let bound = bound(backend, T::DTYPE);
        let mut finding = Finding {
            backend: name.to_owned(),
            dtype: T::DTYPE,
            values: 0,
            worst: 0.0,
            mean: 0.0,
            at: (0, 0),
            bound,
            breaches: 0,
        };
        let mut sum = 0.0;
        let mut table = Vec::new();
        for sample in self.samples {
            table.clear();
            table.resize(sample.values.len(), T::zeroed());
            let steps = Steps::list(sample.steps.iter().copied());
            engine.evaluate_rows_into(self.batch, sample.rows.clone(), &steps, &mut table)?;
            let columns = sample.steps.len();
            for (offset, (row, exact)) in table.chunks(columns).zip(sample.values.chunks(columns)).enumerate() {
                let schedule = sample.rows.start + offset;
                let allowance = Allowance::new::<T>(bound, backend, sample.terms[offset]);
                for ((&got, &exact), &step) in row.iter().zip(exact).zip(&sample.steps) {
                    let off = allowance.distance(got, exact);
                    if finding.values == 0 || off > finding.worst {
                        (finding.worst, finding.at) = (off, (schedule, step));
                    }
                    finding.values += 1;
                    finding.breaches += u64::from(!allowance.permits(off));
                    sum += off;
                }
            }
        }
        finding.mean = sum / finding.values.max(1) as f64;
        self.report.findings.push(finding);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use super::*;
    use lrgrid::curve::Curve;
    use lrgrid::program::{Program, Segment};
    use lrgrid_testkit::of_segments;

    fn batch() -> Batch {
        let decay = |height: f64| of_segments(vec![Segment::transition(0, 1000, height, 0.0, Curve::Cosine)]);
        let programs: Vec<Program> = (1..=40).map(|i| decay(f64::from(i) * 1e-3)).collect();
        Batch::from_programs(&programs).unwrap()
    }

    #[test]
    fn the_cpu_is_within_its_bounds() {
        let options = Options { backend: Backend::Cpu, horizon: Some(1000), seed: 3, ..Options::default() };
        let report = check(&batch(), &options).unwrap();
        assert!(!report.is_breached(), "{report:?}");
        assert_eq!(report.schedules, 40);
        assert_eq!(report.findings.iter().map(|finding| finding.dtype).collect::<Vec<_>>(), Dtype::ALL);
        assert!(report.findings.iter().all(|finding| finding.values >= 40 * 64));
    }

    #[test]
    fn reports_of_rows_add_up_to_one_of_the_sweep() {
        let (batch, options) = (batch(), Options { backend: Backend::Cpu, horizon: Some(9), ..Options::default() });
        let one = Batch::from_programs(&[batch.program(17)]).unwrap();
        let whole = check(&batch, &options).unwrap();
        let part = check(&one, &options).unwrap().of_rows_from(100);
        let both = whole.clone().and(&part);
        assert_eq!(both.schedules, 41);
        for ((both, whole), part) in both.findings.iter().zip(&whole.findings).zip(&part.findings) {
            assert_eq!(both.values, whole.values + part.values);
            assert_eq!(part.at.0, 100);
            let (larger, smaller) = if part.worst > whole.worst { (part, whole) } else { (whole, part) };
            assert_eq!((both.worst, both.at), (larger.worst, larger.at));
            assert!(
                (smaller.mean..=larger.mean).contains(&both.mean) || (larger.mean..=smaller.mean).contains(&both.mean)
            );
        }
    }

    /// The reference, but for one value.
    struct Wrong {
        step: u64,
    }

    impl Evaluate for Wrong {
        fn evaluate_rows_into<T: Element>(
            &self,
            batch: &Batch,
            rows: Range<usize>,
            steps: &Steps,
            out: &mut [T],
        ) -> Result<(), Error> {
            Reference.evaluate_rows_into(batch, rows.clone(), steps, out)?;
            for (row, values) in rows.zip(out.chunks_mut(steps.len())) {
                for (value, step) in values.iter_mut().zip(steps.iter()) {
                    if row == 17 && step == self.step {
                        *value = T::from_f64(value.to_f64() * 1.001);
                    }
                }
            }
            Ok(())
        }
    }

    #[test]
    fn one_wrong_value_is_found_and_named() {
        let batch = batch();
        let samples = samples(&batch, Some(1000), 3);
        let mut judge = Judge { batch: &batch, samples: &samples, report: Report::default() };
        judge.one_type::<f32>(&Wrong { step: 999 }, "wrong", Backend::Cpu).unwrap();
        judge.one_type::<f32>(&Wrong { step: 0 }, "wrong", Backend::Gpu).unwrap();
        assert!(judge.report.is_breached());
        assert_eq!(judge.report.findings[0].at, (17, 999));
        assert_eq!(judge.report.findings[1].at, (17, 0));
        assert_eq!(judge.report.findings[0].breaches, 1);
    }

    #[test]
    fn a_missing_adapter_is_a_line_for_auto_and_an_error_for_gpu() {
        let adapter = Some("no such adapter".to_owned());
        let options = Options { adapter, seed: 3, ..Options::default() };
        assert_eq!(check(&batch(), &options).unwrap().skipped.len(), 1);
        assert!(check(&batch(), &Options { backend: Backend::Gpu, ..options }).is_err());
    }
}
