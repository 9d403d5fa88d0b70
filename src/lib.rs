//! placeholder
#![deny(missing_docs)]
pub mod curve;
pub mod double_double;
pub mod element;
pub mod error;
pub mod evaluate;
pub mod packed;
pub mod program;
pub mod schedule;

pub use element::{Dtype, Element};
pub use error::Error;
pub use evaluate::{Evaluate, Reference};
pub use packed::{Batch, Steps};
