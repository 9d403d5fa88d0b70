//! What stays on the device between evaluations.

use super::kernel::Kernels;
use super::readback::Readback;
use super::reducer::Reducer;

/// Resources kept on the device between evaluations.
#[derive(Debug, Default)]
pub(super) struct Resources {
    pub kernels: Kernels,
    pub readback: Option<Readback>,
    pub reducer: Option<Reducer>,
}
