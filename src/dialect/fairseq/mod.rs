//! fairseq's `fairseq.optim.lr_scheduler`, as of 3d262bb.
//!
//! The value at step `s` is the rate that `step_update(s)` returns. If fairseq changes the rate by epoch, steps are
//! epochs, counted from 1 as in fairseq.

mod cyclic;
mod decay;
mod epochs;

use super::arguments::{Numbers, refused};
use super::pieces::constant;
use super::{Foreign, Shape, Translation, library};
use crate::error::SpecError;
use crate::schedule::{Schedule, Warmup, WarmupShape};
use cyclic::{Cosine, Triangular};
use decay::{InverseSqrt, PolynomialDecay, Step, TriStage};
use epochs::{Fixed, Manual};

library! {
    Fairseq "fairseq" aliases [] "fairseq, fairseq.optim.lr_scheduler"
    "inverse_sqrt" InverseSqrt,
    "polynomial_decay" PolynomialDecay,
    "cosine" Cosine,
    "tri_stage" TriStage,
    "triangular" Triangular,
    "step" Step,
    "fixed" Fixed,
    "manual" Manual,
}

/// The rate, where a list of them is refused.
fn only(lr: &Numbers) -> Result<f64, SpecError> {
    match lr.all() {
        [lr] => Ok(*lr),
        [] => refused("lr", "an empty list: a rate is needed"),
        _ => refused("lr", "a list of rates: only `fixed` changes them from epoch to epoch"),
    }
}

/// The first of the rates.
fn first(lr: &Numbers) -> Result<f64, SpecError> {
    lr.all().first().copied().map_or_else(|| refused("lr", "an empty list: a rate is needed"), Ok)
}

/// A linear warmup up to what follows.
fn warmed_up(steps: u64, start: f64, then: Schedule) -> Schedule {
    match steps {
        0 => then,
        steps => Warmup { steps, start, shape: WarmupShape::Linear, then: Box::new(then), overlay: false }.into(),
    }
}
