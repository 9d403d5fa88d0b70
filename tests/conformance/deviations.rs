//! Where another value than the library's is returned, and why.

/// What is returned instead.
#[derive(Clone, Copy, Debug)]
pub enum Returned {
    /// An error that says so.
    Refusal,
    /// Values, at some steps.
    Values(&'static [(u64, f64)]),
}

/// A case in which the library is not followed.
#[derive(Clone, Copy, Debug)]
pub struct Deviation {
    pub id: &'static str,
    pub reason: &'static str,
    pub returned: Returned,
}

/// Every deviation; an entry that no longer deviates fails the test.
pub const DEVIATIONS: &[Deviation] = &[
    Deviation {
        id: "torch/CosineAnnealingLR/long",
        reason: "past T_max its recursion has lost digits: 2e-9 off its own closed form",
        returned: Returned::Values(&[(106_666, 6.589_897_214_688_33e-5)]),
    },
    Deviation {
        id: "torch/CyclicLR/tri2-overflow",
        reason: "triangular2 raises OverflowError after 1024 cycles, where the height is long below every float",
        returned: Returned::Values(&[(2047, 5e-5), (2048, 5e-5), (2049, 5e-5)]),
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

/// What is not built yet: the file of a library, and its schedules; all of them where none is named.
pub const NOT_YET: &[(&str, &[&str])] = &[];
