//! The WGSL library: the function `lr_at(program, step)` for the caller's own shaders.

mod library;
mod reserved;
mod text;
mod used;

pub use library::{Options, Uses, library};
pub use used::{
    USES_CLAMP, USES_LEAD, USES_LONG_DIVISION, USES_PRODUCT, USES_QUANTUM, USES_REPETITION, USES_SUM, USES_WARP,
};

#[cfg(feature = "gpu")]
pub(crate) use text::library_text;
pub(crate) use text::shader;
#[cfg(feature = "gpu")]
pub(crate) use used::used;
