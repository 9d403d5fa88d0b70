//! placeholder
#![deny(missing_docs)]
pub mod cpu;
pub mod curve;
pub mod double_double;
pub mod element;
pub mod error;
pub mod evaluate;
#[cfg(feature = "gpu")]
pub mod gpu;
pub mod packed;
pub mod program;
pub mod schedule;
pub mod spec;
pub mod sweep;
pub mod ulp;

pub use cpu::Cpu;
pub use element::{Dtype, Element};
pub use error::Error;
pub use evaluate::{Evaluate, Reference};
#[cfg(feature = "gpu")]
pub use gpu::Gpu;
pub use packed::{Batch, Steps};
pub use spec::Spec;
