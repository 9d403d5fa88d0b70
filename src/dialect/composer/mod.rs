//! MosaicML Composer's `composer.optim`, as of 0.32.1.
//!
//! One step is one batch. A scheduler returns a multiplier of the optimizer's learning rate, `lr`.

mod annealed;
mod stepped;
mod time;
mod warmed_up;

use super::{Foreign, Shape, Translation, library};
use annealed::{
    CosineAnnealingScheduler, CosineAnnealingWarmRestartsScheduler, ExponentialScheduler, LinearScheduler,
    PolynomialScheduler,
};
use stepped::{ConstantFactor, MultiStepScheduler, StepScheduler};
use time::{Duration, scheduler};
use warmed_up::{
    ConstantWithWarmupScheduler, CosineAnnealingWithWarmupScheduler, LinearWithWarmupScheduler,
    MultiStepWithWarmupScheduler, PolynomialWithWarmupScheduler,
};

library! {
    Composer "composer" aliases ["mosaicml"] "MosaicML Composer 0.32.1, composer.optim"
    "StepScheduler" StepScheduler,
    "MultiStepScheduler" MultiStepScheduler,
    "ConstantScheduler" ConstantFactor,
    "LinearScheduler" LinearScheduler,
    "ExponentialScheduler" ExponentialScheduler,
    "CosineAnnealingScheduler" CosineAnnealingScheduler,
    "CosineAnnealingWarmRestartsScheduler" CosineAnnealingWarmRestartsScheduler,
    "PolynomialScheduler" PolynomialScheduler,
    "MultiStepWithWarmupScheduler" MultiStepWithWarmupScheduler,
    "ConstantWithWarmupScheduler" ConstantWithWarmupScheduler,
    "LinearWithWarmupScheduler" LinearWithWarmupScheduler,
    "CosineAnnealingWithWarmupScheduler" CosineAnnealingWithWarmupScheduler,
    "PolynomialWithWarmupScheduler" PolynomialWithWarmupScheduler,
}
