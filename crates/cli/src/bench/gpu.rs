//! Measures an adapter: its kernel against a shader that only stores, and evaluation into host memory against the
//! transfer alone.

use half::{bf16, f16};

use super::crossover::crossovers;
use super::timing::in_turns;
use super::verify::worst_ulp;
use super::{Adapter, CASES, Case, Engine, Measured, Measurement, Options, Part, Regime, Report};
use crate::check::bound;
use crate::error::Error;
use lrgrid::cpu::Cpu;
use lrgrid::element::{Dtype, Element};
use lrgrid::engine::Backend;
use lrgrid::error::EvaluateError;
use lrgrid::evaluate::Evaluate;
use lrgrid::gpu::{Clock, Gpu, devices};

/// Repetitions of a kernel, of which the least time counts.
const REPEATS: u32 = 15;

/// Appends the measurements that the options select.
pub fn measure(cpu: &Cpu, options: &Options, report: &mut Report, progress: &mut dyn FnMut(&str)) -> Result<(), Error> {
    if options.dtype == Dtype::F64 {
        let no_f64 = EvaluateError::Dtype { backend: "gpu", dtype: "f64", remedy: "f32, or --backend cpu" };
        if options.backend == Backend::Auto {
            report.skipped.push(no_f64.to_string());
            return Ok(());
        }
        return Err(no_f64.into());
    }
    let selected =
        |engine| CASES.iter().any(|case| Regime::ALL.iter().any(|regime| options.selects(engine, case, *regime)));
    // Opening a device takes tenths of a second and compiles shaders.
    if !selected(Engine::Gpu) && !selected(Engine::Software) {
        return Ok(());
    }
    if options.backend == Backend::Auto && options.quick && devices().iter().all(|device| device.is_software()) {
        report
            .skipped
            .push("software adapter: left out by --quick, since it is no GPU; --backend gpu measures it".to_owned());
        return Ok(());
    }
    progress("opening the adapter");
    let gpu = options.adapter.as_deref().map_or_else(Gpu::new, Gpu::with_adapter)?;
    let engine = if gpu.is_software() { Engine::Software } else { Engine::Gpu };
    let device = gpu.device();
    report.machine.adapter = Some(Adapter {
        name: device.name.clone(),
        backend: device.backend.clone(),
        driver: device.driver.clone(),
        software: device.is_software(),
    });
    for regime in Regime::ALL {
        for case in CASES.iter().filter(|case| options.selects(engine, case, regime)) {
            let bench = Bench { gpu: &gpu, engine, options, case, regime };
            progress(&bench.what());
            let measurements = match options.dtype {
                Dtype::F16 => bench.measure::<f16>()?,
                Dtype::Bf16 => bench.measure::<bf16>()?,
                Dtype::F32 | Dtype::F64 => bench.measure::<f32>()?,
            };
            report.measurements.extend(measurements);
        }
    }
    if engine == Engine::Gpu && options.filter.is_none() {
        progress("from which size on the GPU pays");
        report.crossovers = crossovers(cpu, &gpu, options)?;
    }
    Ok(())
}

/// One case on one adapter.
struct Bench<'a> {
    gpu: &'a Gpu,
    engine: Engine,
    options: &'a Options,
    case: &'a Case,
    regime: Regime,
}

impl Bench<'_> {
    fn what(&self) -> String {
        format!("{}/{}/{}", self.engine.name(), self.case.name, self.regime.name())
    }

    fn measure<T: Element>(&self) -> Result<[Measurement; 2], Error> {
        let rows = self.regime.rows(self.options.divisor(self.engine));
        let steps = self.regime.steps();
        let batch = self.case.compile(rows)?;
        let mut table = vec![T::zeroed(); rows * steps.len()];
        self.gpu.evaluate_into(&batch, &steps, &mut table)?;
        let worst_ulp = worst_ulp(&self.what(), &batch, &steps, &table, bound(Backend::Gpu, T::DTYPE))?;
        let bytes = size_of_val(table.as_slice()) as u64;
        let repeats = if self.options.quick { 5 } else { REPEATS };
        let stores = self.gpu.time_store_only(bytes, repeats)?;
        let kernel = self.gpu.time_kernel(&batch, &steps, T::DTYPE, repeats)?;
        let part = match kernel.clock {
            Clock::Timestamps => Part::Kernel,
            Clock::Wall => Part::KernelByWallTime,
        };
        let mut back = f64::INFINITY;
        let (_, whole) = in_turns(
            self.options.budget(),
            || {
                back = back.min(self.gpu.time_readback(bytes, 1)?.seconds);
                Ok::<(), lrgrid::Error>(())
            },
            || self.gpu.evaluate_into(&batch, &steps, &mut table),
        )?;
        let measurement = |part, seconds, limit_seconds| {
            let measured = Measured { engine: self.engine, part, seconds, limit_seconds, worst_ulp };
            Measurement::new(self.case, self.regime, rows, T::DTYPE, measured)
        };
        Ok([measurement(part, kernel.seconds, stores.seconds), measurement(Part::Whole, whole, back)])
    }
}
