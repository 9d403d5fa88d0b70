//! The WGSL library: `lr_at(program, step)` for shaders of your own.

mod library;
mod reserved;
mod used;

pub use library::{Options, Uses, library};
pub use used::{
    USES_CLAMP, USES_LEAD, USES_LONG_DIVISION, USES_PRODUCT, USES_QUANTUM, USES_REPETITION, USES_SUM, USES_WARP,
};

#[cfg(feature = "gpu")]
pub(crate) use used::used;
