//! Where another value than the library's is returned, and why.

/// A case in which the library is not followed.
#[derive(Clone, Copy, Debug)]
pub struct Deviation {
    pub id: &'static str,
    pub reason: &'static str,
    pub instead: Instead,
}

/// What is returned there.
#[derive(Clone, Copy, Debug)]
pub enum Instead {
    /// These values, at some steps.
    Values(&'static [(u64, f64)]),
    /// A refusal at once, with these words.
    Refusal(&'static str),
}

/// Every deviation; an entry that no longer deviates fails the test.
pub const DEVIATIONS: &[Deviation] = &[
    Deviation {
        id: "torch/CosineAnnealingLR/long",
        reason: "past T_max its recursion has lost digits: 2e-9 off its own closed form",
        instead: Instead::Values(&[(106_666, 6.589_897_214_688_33e-5)]),
    },
    Deviation {
        id: "torch/CyclicLR/tri2-overflow",
        reason: "triangular2 raises OverflowError after 1024 cycles, where the height is long below every float",
        instead: Instead::Values(&[(2047, 5e-5), (2048, 5e-5), (2049, 5e-5)]),
    },
    Deviation {
        id: "transformers/cosine_with_restarts/negative",
        reason: "fewer than no cycles make cosines that rise and jump down, which nobody asks for",
        instead: Instead::Refusal("num_cycles"),
    },
    Deviation {
        id: "timm/CosineLRScheduler/noise",
        reason: "noise is drawn from torch's random numbers, so it is no function of the step",
        instead: Instead::Refusal("noise"),
    },
    Deviation {
        id: "keras/PiecewiseConstantDecay/falling",
        reason: "where boundaries do not rise it adds values up: 0.6 from 0.5, 0.3 and 0.1",
        instead: Instead::Refusal("boundaries[1]"),
    },
    Deviation {
        id: "keras/CosineDecayRestarts/fractional",
        reason: "cycles that begin between steps can be compiled only one by one, and these go on for ever",
        instead: Instead::Refusal("first_decay_steps"),
    },
    Deviation {
        id: "keras/CosineDecayRestarts/shrink",
        reason: "past the end of cycles that shrink it returns NaN, the logarithm of less than nothing",
        instead: Instead::Values(&[(0, 0.1), (8, 0.1), (12, 0.1), (15, 0.1)]),
    },
    Deviation {
        id: "megatron/OptimizerParamScheduler/bogus-after-warmup",
        reason: "a misspelt style is found out only when the warmup is over",
        instead: Instead::Refusal("lr_decay_style"),
    },
    Deviation {
        id: "fairseq/cosine/shorter-than-warmup",
        reason: "an end before the warmup's makes a period of less than nothing, and a rate that falls backwards",
        instead: Instead::Refusal("max_update"),
    },
];
