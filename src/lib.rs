//! Learning-rate schedules in batches: whole sweeps, millions of steps, on the CPU or a GPU.
//!
//! Every schedule lowers to a few segments over ten curves and is packed into a small block of words. One spec runs
//! unchanged on a vectorised CPU engine, in a WGSL compute shader, and in a scalar reference, which evaluates each
//! schedule's published formula and against which the other two are tested.
//!
//! # Why use it
//! - A **CPU table is correctly rounded**: each `f32`, `f16` or `bf16` is the one nearest to the exact
//!   value, whatever the processor, the threads or the slicing.
//! - A **GPU table is within 2 ULP** whatever a driver does to floating point: the shader computes curves in integers,
//!   and the floating-point interpolation between them is arranged to be insensitive.
//! - Steps are exact to 2^53 − 1: horizons counted in tokens are ordinary.
//!
//! # Example
//! ```
//! use lrgrid::{Cpu, Evaluate, Spec, Steps};
//!
//! let spec = Spec::from_toml(r#"
//!     schedule = { kind = "warmup", steps = 100, then = { kind = "cosine", start = "$peak", end = 0, steps = 900 } }
//!     [sweep.parameters.peak]
//!     min = 1e-4
//!     max = 1e-2
//!     count = 5
//!     distribution = "log_uniform_values"
//! "#)?;
//! let batch = spec.compile()?;                            // one program per schedule
//! let steps = Steps::range(0..1000);
//! let mut table = vec![0f32; batch.len() * steps.len()];  // row-major [schedule, step]
//! Cpu::new()?.evaluate_into(&batch, &steps, &mut table)?;
//! assert_eq!(table[100], 1e-4);
//! assert_eq!(table[4 * 1000 + 100], 1e-2);
//! # Ok::<(), lrgrid::Error>(())
//! ```
//!
//! # Where things are
//! [`Spec`] reads TOML and JSON, [`schedule`] has every kind with its formula, and both compile to a [`Batch`].
//! [`Cpu`], `Gpu` and [`Reference`] are the backends behind [`Evaluate`]; [`Engine`] chooses one.
//! The crate `lrgrid-tables` writes tables of any size to files, at once or in shards; `lrgrid-reports` has pictures,
//! fits and comparisons.
//! `Programs` keeps a batch on a GPU for training loops there; [`wgsl`] prints `lr_at` for the caller's own shaders.
//! [`statistics`] computes summary statistics of rows without their table, [`survey`] those of a whole sweep.
//! [`program`] and [`curve`] are the lowered form; [`ulp`] defines the unit of every error bound.
#![deny(missing_docs)]
pub mod bounded;
pub mod cpu;
#[macro_use]
pub mod curve;
pub mod dialect;
pub mod double_double;
pub mod element;
pub mod engine;
pub mod error;
pub mod evaluate;
#[cfg(feature = "gpu")]
pub mod gpu;
pub mod packed;
pub mod program;
pub mod readable;
pub mod schedule;
pub mod spec;
pub mod statistics;
mod steps;
pub mod survey;
pub mod sweep;
pub mod ulp;
pub mod wgsl;

pub use cpu::Cpu;
pub use element::{Dtype, Element};
pub use engine::{Backend, Engine};
pub use error::Error;
pub use evaluate::{Evaluate, Reference};
#[cfg(feature = "gpu")]
pub use gpu::{Counter, Gpu, Programs};
pub use packed::Batch;
pub use spec::Spec;
pub use steps::Steps;
/// The version of wgpu that the GPU backend uses, for the caller's devices and buffers.
#[cfg(feature = "gpu")]
pub use wgpu;

/// The README's example, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// The example of training on a GPU, compiled.
#[cfg(all(doctest, feature = "gpu"))]
#[doc = include_str!("../docs/gpu-training.md")]
struct GpuTraining;
