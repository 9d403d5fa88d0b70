//! PyTorch's `torch.optim.lr_scheduler` and `torch.optim.swa_utils`, as of 2.15.
//!
//! Each scheduler follows the recursion that `scheduler.step()` runs, not PyTorch's closed form of it.

mod chain;
mod cosine;
mod cycle;
mod factor;
mod one_cycle;
mod optimizer;
mod sequence;
mod stepped;
mod swa;

use super::library;
use chain::ChainedScheduler;
use cosine::{CosineAnnealingLR, CosineAnnealingWarmRestarts};
use cycle::CyclicLR;
use one_cycle::OneCycleLR;
use optimizer::{Optimizer, Scheduler, foreign, scheduler};
use sequence::SequentialLR;
use stepped::{ConstantLR, ExponentialLR, LinearLR, MultiStepLR, PolynomialLR, StepLR};
use swa::Swalr;

library! {
    Torch "torch" aliases ["pytorch"] "PyTorch 2.15, torch.optim.lr_scheduler and swa_utils"
    "StepLR" StepLR,
    "MultiStepLR" MultiStepLR,
    "ConstantLR" ConstantLR,
    "LinearLR" LinearLR,
    "ExponentialLR" ExponentialLR,
    "PolynomialLR" PolynomialLR,
    "CosineAnnealingLR" CosineAnnealingLR,
    "CosineAnnealingWarmRestarts" CosineAnnealingWarmRestarts,
    "CyclicLR" CyclicLR,
    "OneCycleLR" OneCycleLR,
    "SequentialLR" SequentialLR,
    "ChainedScheduler" ChainedScheduler,
    "SWALR" Swalr,
}

impl Torch {
    /// The scheduler as a trait object.
    fn scheduler(&self) -> &dyn Scheduler {
        match self {
            Self::StepLR(scheduler) => scheduler,
            Self::MultiStepLR(scheduler) => scheduler,
            Self::ConstantLR(scheduler) => scheduler,
            Self::LinearLR(scheduler) => scheduler,
            Self::ExponentialLR(scheduler) => scheduler,
            Self::PolynomialLR(scheduler) => scheduler,
            Self::CosineAnnealingLR(scheduler) => scheduler,
            Self::CosineAnnealingWarmRestarts(scheduler) => scheduler,
            Self::CyclicLR(scheduler) => scheduler,
            Self::OneCycleLR(scheduler) => scheduler,
            Self::SequentialLR(scheduler) => scheduler,
            Self::ChainedScheduler(scheduler) => scheduler,
            Self::Swalr(scheduler) => scheduler,
        }
    }
}
