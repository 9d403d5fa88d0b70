//! The size from which a GPU is faster than the CPU.
#![cfg(feature = "gpu")]

use super::timing::in_turns;
use super::{CASES, Crossover, Options, Regime};
use crate::error::Error;
use lrgrid::Steps;
use lrgrid::cpu::Cpu;
use lrgrid::element::Dtype;
use lrgrid::evaluate::Evaluate;
use lrgrid::gpu::Gpu;

/// The case that is measured, the most common schedule.
const CASE: &str = "warmup_cosine";

/// The least and the largest table, as powers of two of its values.
const LEAST: u32 = 12;
const LARGEST: u32 = 28;

/// Seconds that one size may repeat for.
const BUDGET: f64 = 0.05;

/// The sizes without and with the transfer to the host, in `f32`.
pub fn crossovers(cpu: &Cpu, gpu: &Gpu, options: &Options) -> Result<Vec<Crossover>, Error> {
    let case = CASES.iter().find(|case| case.name == CASE).unwrap_or(&CASES[0]);
    let largest = if options.quick { LARGEST - 2 } else { LARGEST };
    let (mut stays, mut returns) = (Vec::new(), Vec::new());
    let columns = Regime::LongRows.steps().len() as u64;
    let (mut ours, mut theirs) = (vec![0_f32; 1 << largest], vec![0_f32; 1 << largest]);
    for power in (LEAST..=largest).step_by(2) {
        let values = 1_u64 << power;
        let rows = (values / columns).max(1);
        let batch = case.compile(rows as usize)?;
        let steps = Steps::range(0..values / rows);
        let (ours, theirs) = (&mut ours[..values as usize], &mut theirs[..values as usize]);
        let (on_cpu, with_readback) =
            in_turns(BUDGET, || cpu.evaluate_into(&batch, &steps, ours), || gpu.evaluate_into(&batch, &steps, theirs))?;
        let kernel = gpu.time_kernel(&batch, &steps, Dtype::F32, 3)?;
        stays.push((values, on_cpu, kernel.seconds));
        returns.push((values, on_cpu, with_readback));
    }
    Ok(vec![crossover(false, stays), crossover(true, returns)])
}

fn crossover(readback: bool, tried: Vec<(u64, f64, f64)>) -> Crossover {
    let slower = tried.iter().rposition(|(_, cpu, gpu)| gpu >= cpu);
    let values = tried.get(slower.map_or(0, |last| last + 1)).map(|(values, ..)| *values);
    Crossover { readback, values, tried }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gpu_pays_from_where_it_stays_faster() {
        let found = |tried: &[(u64, f64, f64)]| crossover(true, tried.to_vec()).values;
        assert_eq!(found(&[(1, 1.0, 9.0), (2, 2.0, 9.0), (4, 10.0, 9.0)]), Some(4));
        assert_eq!(found(&[(1, 1.0, 0.5), (2, 2.0, 9.0), (4, 10.0, 9.0), (8, 20.0, 9.0)]), Some(4));
        assert_eq!(found(&[(1, 1.0, 0.5), (2, 2.0, 1.0)]), Some(1));
        assert_eq!(found(&[(1, 1.0, 2.0), (2, 2.0, 3.0)]), None);
    }
}
