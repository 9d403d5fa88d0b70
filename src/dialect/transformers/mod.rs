//! Hugging Face `transformers.get_scheduler`, as of 5.23, and its types.
//!
//! Each type is a factor of the optimizer's learning rate, `lr`. The types driven by a metric, `reduce_lr_on_plateau`
//! and `greedy`, are not supported: they are not functions of the step.

mod arguments;
mod cosine;
mod stable;
mod warmed_up;
mod wave;

use super::{Foreign, Shape, Translation, library};
use arguments::{Base, scheduler};
use cosine::{Cosine, CosineWarmupWithMinLr, CosineWithMinLr, CosineWithRestarts};
use stable::WarmupStableDecay;
use warmed_up::{Constant, ConstantWithWarmup, InverseSqrt, Linear, Polynomial};

library! {
    Transformers "transformers" aliases ["huggingface", "hf"] "Hugging Face Transformers 5.23, get_scheduler"
    "constant" Constant,
    "constant_with_warmup" ConstantWithWarmup,
    "linear" Linear,
    "cosine" Cosine,
    "cosine_with_restarts" CosineWithRestarts,
    "polynomial" Polynomial,
    "inverse_sqrt" InverseSqrt,
    "cosine_with_min_lr" CosineWithMinLr,
    "cosine_warmup_with_min_lr" CosineWarmupWithMinLr,
    "warmup_stable_decay" WarmupStableDecay,
}
