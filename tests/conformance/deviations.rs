//! Where another value than the library's is returned, and why.

/// A case in which the library is not followed.
#[derive(Clone, Copy, Debug)]
pub struct Deviation {
    pub id: &'static str,
    pub reason: &'static str,
    /// What is returned instead, at some steps.
    pub returned: &'static [(u64, f64)],
}

/// Every deviation; an entry that no longer deviates fails the test.
pub const DEVIATIONS: &[Deviation] = &[
    Deviation {
        id: "torch/CosineAnnealingLR/long",
        reason: "past T_max its recursion has lost digits: 2e-9 off its own closed form",
        returned: &[(106_666, 6.589_897_214_688_33e-5)],
    },
    Deviation {
        id: "torch/CyclicLR/tri2-overflow",
        reason: "triangular2 raises OverflowError after 1024 cycles, where the height is long below every float",
        returned: &[(2047, 5e-5), (2048, 5e-5), (2049, 5e-5)],
    },
];

/// Schedules without a case: library and schedule.
pub const WITHOUT_CASES: &[(&str, &str)] = &[
    ("thinc", "constant_then"),
    ("fastai", "SchedLin"),
    ("fastai", "SchedCos"),
    ("fastai", "SchedNo"),
    ("fastai", "SchedExp"),
    ("fastai", "SchedPoly"),
];
