//! fastai's `fit_one_cycle`, `fit_flat_cos`, `fit_sgdr` and `combine_scheds`, as of 2.8.12.
//!
//! fastai's unit of time is the completed fraction of the training. Here step `s` is batch `s` of
//! `n_epoch·batches_per_epoch`, and there is no value after the last batch.

mod annealers;
mod combined;
mod fit;
mod training;

use super::{Foreign, Shape, Translation, library};
use annealers::{SchedCos, SchedExp, SchedLin, SchedNo, SchedPoly};
use combined::{CombineScheds, CombinedCos};
use fit::{FitFlatCos, FitOneCycle, FitSgdr};

library! {
    FastAi "fastai" aliases [] "fastai 2.8, fastai.callback.schedule: by batch"
    "fit_one_cycle" FitOneCycle,
    "fit_flat_cos" FitFlatCos,
    "fit_sgdr" FitSgdr,
    "combine_scheds" CombineScheds,
    "combined_cos" CombinedCos,
    "SchedLin" SchedLin,
    "SchedCos" SchedCos,
    "SchedNo" SchedNo,
    "SchedExp" SchedExp,
    "SchedPoly" SchedPoly,
}
