//! Measures the CPU engine against filling the same buffer.

use half::{bf16, f16};

use super::timing::in_turns;
use super::verify::worst_ulp;
use super::{CASES, Case, Engine, Measured, Measurement, Options, Part, Regime, Report};
use crate::check::bound;
use crate::error::Error;
use lrgrid::cpu::Cpu;
use lrgrid::element::{Dtype, Element};
use lrgrid::engine::Backend;
use lrgrid::evaluate::Evaluate;

/// Appends the measurements that the options select.
pub fn measure(cpu: &Cpu, options: &Options, report: &mut Report, progress: &mut dyn FnMut(&str)) -> Result<(), Error> {
    for regime in Regime::ALL {
        let selected: Vec<&Case> = CASES.iter().filter(|case| options.selects(Engine::Cpu, case, regime)).collect();
        if selected.is_empty() {
            continue;
        }
        match options.dtype {
            Dtype::F64 => measure_type::<f64>(cpu, options, regime, &selected, report, progress)?,
            Dtype::F32 => measure_type::<f32>(cpu, options, regime, &selected, report, progress)?,
            Dtype::F16 => measure_type::<f16>(cpu, options, regime, &selected, report, progress)?,
            Dtype::Bf16 => measure_type::<bf16>(cpu, options, regime, &selected, report, progress)?,
        }
    }
    Ok(())
}

fn measure_type<T: Element>(
    cpu: &Cpu,
    options: &Options,
    regime: Regime,
    cases: &[&Case],
    report: &mut Report,
    progress: &mut dyn FnMut(&str),
) -> Result<(), Error> {
    let rows = regime.rows(options.divisor(Engine::Cpu));
    let steps = regime.steps();
    let mut table = vec![T::zeroed(); rows * steps.len()];
    for case in cases {
        let what = format!("{}/{}/{}", Engine::Cpu.name(), case.name, regime.name());
        progress(&what);
        let batch = case.compile(rows)?;
        cpu.evaluate_into(&batch, &steps, &mut table)?;
        let worst_ulp = worst_ulp(&what, &batch, &steps, &table, bound(Backend::Cpu, T::DTYPE))?;
        let table = std::cell::RefCell::new(&mut table);
        let (limit_seconds, seconds) = in_turns(
            options.budget(),
            || {
                cpu.fill(T::from_f64(1e-3), *table.borrow_mut());
                Ok::<(), lrgrid::Error>(())
            },
            || cpu.evaluate_into(&batch, &steps, *table.borrow_mut()),
        )?;
        let measured = Measured { engine: Engine::Cpu, part: Part::Whole, seconds, limit_seconds, worst_ulp };
        report.measurements.push(Measurement::new(case, regime, rows, T::DTYPE, measured));
    }
    Ok(())
}
