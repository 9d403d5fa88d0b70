//! The vector instructions that this processor has.
#![expect(unsafe_code, reason = "calling functions compiled for instructions beyond the crate's own")]

use std::fmt;
use std::str::FromStr;

use super::{Baseline, Kernel};
#[cfg(target_arch = "x86_64")]
use super::{avx2::Avx2, avx512::Avx512};
use crate::error::EvaluateError;

/// A set of vector instructions that this processor has.
///
/// Every level writes the same bits; they differ in speed only.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Level(Kind);

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Kind {
    Baseline,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Level {
    /// What the crate was compiled for: SSE2 on x86-64 and NEON on AArch64, unless told otherwise.
    pub const BASELINE: Self = Self(Kind::Baseline);

    /// The fastest level of this processor.
    #[must_use]
    pub fn detect() -> Self {
        Self::available().last().copied().unwrap_or(Self::BASELINE)
    }

    /// Every level of this processor, slowest first.
    #[must_use]
    pub fn available() -> Vec<Self> {
        #[cfg_attr(not(target_arch = "x86_64"), expect(unused_mut, reason = "only x86-64 has levels to add"))]
        let mut levels = vec![Self::BASELINE];
        #[cfg(target_arch = "x86_64")]
        {
            use std::arch::is_x86_feature_detected as has;
            let avx2 = has!("avx2") && has!("fma") && has!("f16c");
            if avx2 {
                levels.push(Self(Kind::Avx2));
            }
            if avx2 && has!("avx512f") && has!("avx512bw") && has!("avx512dq") && has!("avx512vl") {
                levels.push(Self(Kind::Avx512));
            }
        }
        levels
    }

    /// The name in `LRGRID_LEVEL`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self.0 {
            Kind::Baseline if cfg!(target_arch = "aarch64") => "neon",
            Kind::Baseline => "baseline",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => "avx512",
        }
    }

    /// Whether [`Simd::HAS_LINES`](super::Simd::HAS_LINES) holds for it.
    pub(in crate::cpu) const fn has_lines(self) -> bool {
        match self.0 {
            Kind::Baseline => false,
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => false,
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => true,
        }
    }

    /// Runs a kernel with this level's instructions.
    pub(in crate::cpu) fn run<K: Kernel>(self, kernel: K) -> K::Output {
        match self.0 {
            Kind::Baseline => kernel.run(Baseline),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: only `available` makes this level, after detecting avx2, fma and f16c.
            Kind::Avx2 => unsafe { Avx2::run(kernel) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: only `available` makes this level, after detecting all of the features enabled there.
            Kind::Avx512 => unsafe { Avx512::run(kernel) },
        }
    }
}

impl FromStr for Level {
    type Err = EvaluateError;

    /// The level of that name, if this processor has it; "baseline" always is there.
    fn from_str(name: &str) -> Result<Self, EvaluateError> {
        let found = Self::available().into_iter().find(|level| level.name() == name || name == "baseline");
        found.ok_or_else(|| EvaluateError::Level {
            wanted: name.to_owned(),
            available: Self::available().into_iter().map(Self::name).collect::<Vec<_>>().join(", "),
        })
    }
}

impl fmt::Display for Level {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl fmt::Debug for Level {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
