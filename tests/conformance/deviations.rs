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
pub const DEVIATIONS: &[Deviation] = &[];

/// Schedules without a case: library and schedule.
pub const WITHOUT_CASES: &[(&str, &str)] = &[("thinc", "constant_then")];

/// What is not built yet: the file of a library, and its schedules; all of them where none is named.
pub const NOT_YET: &[(&str, &[&str])] = &[
    (
        "torch",
        &[
            "MultiStepLR",
            "ConstantLR",
            "LinearLR",
            "PolynomialLR",
            "CosineAnnealingWarmRestarts",
            "CyclicLR",
            "SequentialLR",
            "ChainedScheduler",
            "SWALR",
        ],
    ),
    ("optax", &[]),
    ("transformers", &[]),
    ("timm", &[]),
    ("keras", &[]),
    ("fastai", &[]),
    ("composer", &[]),
    ("burn", &[]),
];
