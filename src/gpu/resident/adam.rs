//! Factors for fused Adam-style optimizers: constants on the device, and the blocks written at each step.

use bytemuck::{Pod, Zeroable};

use super::region::Region;
use crate::double_double::DoubleDouble;
use crate::error::GpuError;
use crate::packed::PackedNumber;

/// Adam's constants.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam {
    /// Decay of the first moment, in [0, 1).
    pub beta1: f64,
    /// Decay of the second moment, in [0, 1).
    pub beta2: f64,
    /// Decoupled weight decay, as in AdamW; 0 for none.
    pub weight_decay: f64,
}

/// One program's block, 24 bytes: the factors of update `step`, for which Adam's `t` is `step + 1`.
///
/// Every value is within 0.6 ULP of `f32` of the value computed exactly from the schedule and the given `f64`
/// constants. For `decay` the bound is 0.6 ULP or 2^-29 of `lr·weight_decay`, whichever is larger: the terms may nearly
/// cancel.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub struct AdamBlock {
    /// The learning rate.
    pub lr: f32,
    /// `lr/(1 − β1^t)`.
    pub step_size: f32,
    /// `1/√(1 − β2^t)`.
    pub inverse_root: f32,
    /// `1 − lr·weight_decay`.
    pub decay: f32,
    /// The step of these factors, counted from 0, low word first.
    pub step: [u32; 2],
}

/// Adam's constants on the device; twin of `LrgridAdam`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct PackedAdam {
    /// `log2 β1`, minus infinity for β1 = 0.
    pub log2_beta1: PackedNumber,
    /// `log2 β2`, likewise.
    pub log2_beta2: PackedNumber,
    /// The weight decay.
    pub weight_decay: PackedNumber,
}

const _: () = assert!(size_of::<AdamBlock>() == 24);
const _: () = assert!(size_of::<PackedAdam>() == 36);

impl PackedAdam {
    pub(super) fn new(adam: &Adam) -> Result<Self, GpuError> {
        let wrong = |field, value: f64, remedy: &str| {
            Err(GpuError::Parameter { field, found: value.to_string(), remedy: remedy.to_owned() })
        };
        for (field, beta) in [("beta1", adam.beta1), ("beta2", adam.beta2)] {
            if !(0.0..1.0).contains(&beta) {
                return wrong(field, beta, "it has to be at least 0 and less than 1");
            }
        }
        if !adam.weight_decay.is_finite() {
            return wrong("weight_decay", adam.weight_decay, "it has to be finite");
        }
        let log2 = |beta: f64| match beta {
            0.0 => PackedNumber::from(f64::NEG_INFINITY),
            // `log2_1p` avoids cancellation for β near 1.
            _ if beta > 0.5 => (DoubleDouble::from(beta) - DoubleDouble::ONE).log2_1p().into(),
            _ => DoubleDouble::from(beta).log2().into(),
        };
        Ok(Self { log2_beta1: log2(adam.beta1), log2_beta2: log2(adam.beta2), weight_decay: adam.weight_decay.into() })
    }
}

/// Adam's constants on the device: one set for all programs, or one per program.
#[derive(Debug)]
pub struct AdamConstants {
    pub(super) region: Region,
}
