//! PyTorch's `torch.optim.lr_scheduler` and `torch.optim.swa_utils`, as of 2.15.
//!
//! Each scheduler's recursion is followed, as `scheduler.step()` runs it, not the closed form beside it.

mod cosine;
mod cycle;
mod optimizer;
mod stepped;

use super::{Foreign, Shape, Translation, library};
use cosine::CosineAnnealingLR;
use cycle::OneCycleLR;
use optimizer::{Optimizer, scheduler};
use stepped::{ExponentialLR, StepLR};

library! {
    Torch "torch" aliases ["pytorch"] "PyTorch 2.15, torch.optim.lr_scheduler and swa_utils"
    "StepLR" StepLR,
    "ExponentialLR" ExponentialLR,
    "CosineAnnealingLR" CosineAnnealingLR,
    "OneCycleLR" OneCycleLR,
}
