//! The start-up probe: compares every curve on the device with the scalar evaluator of programs, before first use.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use super::device::Device;
use super::dispatch::fill;
use super::request::{Request, Tuning};
use super::resources::Resources;
use crate::curve::Curve;
use crate::curve::table::TABLE;
use crate::element::Dtype;
use crate::error::GpuError;
use crate::packed::Batch;
use crate::program::{Program, Segment};
use crate::steps::Steps;

/// Steps per curve for the block kernel: enough for blocks of many sizes.
const STEPS: u64 = 2500;

/// Steps per curve for the kernel that computes value by value.
const SINGLE_STEPS: u64 = 256;

/// Largest error that is accepted, in ULP of `f32`; correct devices stay below 0.6.
const TOLERANCE: f64 = 2.0;

/// Results of the probe by adapter and driver.
static VERDICTS: LazyLock<Mutex<HashMap<String, Result<(), GpuError>>>> = LazyLock::new(Mutex::default);

/// Rejects a device whose arithmetic is wrong; each adapter and driver is probed once per process.
pub(super) fn check(device: &Device, resources: &mut Resources, tuning: Tuning) -> Result<(), GpuError> {
    let key = device.info.to_string();
    // The lock is held during the probe, so that two threads do not both run it.
    let mut verdicts = VERDICTS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(verdict) = verdicts.get(&key) {
        return verdict.clone();
    }
    let verdict = probe(device, resources, tuning);
    // Other failures, such as running out of memory, may be temporary.
    if matches!(verdict, Ok(()) | Err(GpuError::Probe { .. })) {
        verdicts.insert(key, verdict.clone());
    }
    verdict
}

/// A falling and a rising segment of a curve, over an odd number of steps.
fn program(curve: Curve, steps: u64) -> Program {
    let half = steps / 2;
    let rising = Segment::rising(0, half - 1, 1e-5, 0.75, curve);
    let falling = Segment { start: half, ..Segment::falling(0, half - 3, 3e-3, 1e-9, curve) };
    Program::of(vec![rising, falling])
}

/// Every curve by name, with constants that reach every function of the shader.
fn programs(steps: u64) -> Vec<(&'static str, Program)> {
    let examples = TABLE.iter().flat_map(|row| (row.examples)().into_iter().map(|curve| (row.name, curve)));
    examples.map(|(name, curve)| (name, program(curve, steps))).collect()
}

/// Probes both kernels.
fn probe(device: &Device, resources: &mut Resources, tuning: Tuning) -> Result<(), GpuError> {
    let blocks = Tuning { blocks_from: 0, ..tuning };
    let values = Tuning { blocks_from: usize::MAX, ..tuning };
    probe_with(device, resources, values, SINGLE_STEPS)?;
    probe_with(device, resources, blocks, STEPS)
}

fn probe_with(device: &Device, resources: &mut Resources, tuning: Tuning, steps: u64) -> Result<(), GpuError> {
    let programs = programs(steps);
    let steps = Steps::range(0..steps);
    let batch = Batch::from_programs(programs.iter().map(|(_, program)| program));
    let batch = batch.map_err(|error| device.failed(error.to_string()))?;
    let mut table = vec![0.0_f32; batch.len() * steps.len()];
    let request = Request { batch: &batch, rows: 0..batch.len(), steps: &steps, dtype: Dtype::F32, tuning };
    fill(device, resources, request, bytemuck::cast_slice_mut(&mut table))?;
    let (mut wrong, mut worst) = (Vec::new(), 0.0_f64);
    for ((name, program), row) in programs.iter().zip(table.chunks_exact(steps.len())) {
        let off = row.iter().zip(steps.iter()).map(|(got, step)| ulps(*got, program.value(step)));
        let off = off.fold(0.0_f64, |a, b| if b.is_nan() { f64::INFINITY } else { a.max(b) });
        if off > TOLERANCE {
            wrong.push(*name);
            worst = worst.max(off);
        }
    }
    if wrong.is_empty() {
        return Ok(());
    }
    Err(GpuError::Probe {
        adapter: device.info.name.clone(),
        curves: wrong.join(", "),
        detail: format!("{worst:.1} units in the last place"),
    })
}

/// Distance in ULP of `f32`; the exact values are far from the ends of its range here.
fn ulps(got: f32, exact: f64) -> f64 {
    let spacing = (exact.abs() as f32).next_up() - exact.abs() as f32;
    (f64::from(got) - exact).abs() / f64::from(spacing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_value_is_far_off() {
        assert_eq!(ulps(1.0, 1.0), 0.0);
        assert_eq!(ulps(1.0_f32.next_up(), 1.0), 1.0);
        assert!(ulps(f32::INFINITY, 1.0).is_infinite() && ulps(f32::NAN, 1.0).is_nan());
    }
}
