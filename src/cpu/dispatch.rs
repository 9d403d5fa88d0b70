//! Which vector instructions to use: the one file with `unsafe`.
//!
//! A [`Level`] can only be had where the processor supports it, so holding one is the proof that its
//! functions may be called. They are one body, compiled once per level.
#![expect(unsafe_code, reason = "calling a function compiled for more instructions than the crate's own")]

use std::fmt;

use super::block::{Polynomial, fill};
use super::lanes::{Phases, shapes};
use super::rounding::{Rounded, Tolerance};
use super::short::{Pattern, ShortRows, StepColumns};
use crate::curve::Curve;
use crate::packed::{Batch, PackedProgram, PackedSegment};

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

    /// The level of that name, if this processor has it; "baseline" always is.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::available().into_iter().find(|level| level.name() == name || name == "baseline")
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

    /// [`fill`] with this level's instructions.
    pub(super) fn fill<T: Rounded, const N: usize>(
        self,
        polynomial: &Polynomial<N>,
        first: usize,
        tolerance: &Tolerance,
        out: &mut [T],
    ) -> u64 {
        match self.0 {
            Kind::Baseline => fill::<T, N, BASELINE_FUSES>(polynomial, first, tolerance, out),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: only `available` makes this level, after detecting avx2, fma and f16c.
            Kind::Avx2 => unsafe { fill_avx2(polynomial, first, tolerance, out) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: only `available` makes this level, after detecting all of the features enabled there.
            Kind::Avx512 => unsafe { fill_avx512(polynomial, first, tolerance, out) },
        }
    }

    /// [`shapes`] with this level's instructions.
    pub(super) fn shapes<const N: usize>(self, curve: &Curve, phases: &Phases<N>, out: &mut [f64; N]) -> f64 {
        match self.0 {
            Kind::Baseline => shapes::<N, BASELINE_FUSES>(curve, phases, out),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: only `available` makes this level, after detecting avx2, fma and f16c.
            Kind::Avx2 => unsafe { shapes_avx2(curve, phases, out) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: only `available` makes this level, after detecting all of the features enabled there.
            Kind::Avx512 => unsafe { shapes_avx512(curve, phases, out) },
        }
    }

    /// [`Pattern::build`] with this level's instructions.
    pub(super) fn build_pattern(
        self,
        pattern: &mut Pattern,
        batch: &Batch,
        program: &PackedProgram,
        segments: &[PackedSegment],
        steps: &StepColumns,
    ) {
        match self.0 {
            Kind::Baseline => pattern.build::<BASELINE_FUSES>(batch, program, segments, steps),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: only `available` makes this level, after detecting avx2, fma and f16c.
            Kind::Avx2 => unsafe { build_pattern_avx2(pattern, batch, program, segments, steps) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: only `available` makes this level, after detecting all of the features enabled there.
            Kind::Avx512 => unsafe { build_pattern_avx512(pattern, batch, program, segments, steps) },
        }
    }

    /// [`ShortRows::fill_with`] this level's instructions.
    pub(super) fn short_rows<T: Rounded>(
        self,
        rows: &mut ShortRows<'_>,
        first: usize,
        width: usize,
        out: &mut [T],
    ) -> usize {
        match self.0 {
            Kind::Baseline => rows.fill_with::<T, BASELINE_FUSES>(first, width, out),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: only `available` makes this level, after detecting avx2, fma and f16c.
            Kind::Avx2 => unsafe { short_rows_avx2(rows, first, width, out) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: only `available` makes this level, after detecting all of the features enabled there.
            Kind::Avx512 => unsafe { short_rows_avx512(rows, first, width, out) },
        }
    }
}

impl fmt::Debug for Level {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Without the instruction a fused multiply-add would be a library call per value.
const BASELINE_FUSES: bool = cfg!(any(target_arch = "aarch64", target_feature = "fma"));

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,f16c")]
fn fill_avx2<T: Rounded, const N: usize>(
    polynomial: &Polynomial<N>,
    first: usize,
    tolerance: &Tolerance,
    out: &mut [T],
) -> u64 {
    fill::<T, N, true>(polynomial, first, tolerance, out)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl")]
fn fill_avx512<T: Rounded, const N: usize>(
    polynomial: &Polynomial<N>,
    first: usize,
    tolerance: &Tolerance,
    out: &mut [T],
) -> u64 {
    fill::<T, N, true>(polynomial, first, tolerance, out)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,f16c")]
fn shapes_avx2<const N: usize>(curve: &Curve, phases: &Phases<N>, out: &mut [f64; N]) -> f64 {
    shapes::<N, true>(curve, phases, out)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl")]
fn shapes_avx512<const N: usize>(curve: &Curve, phases: &Phases<N>, out: &mut [f64; N]) -> f64 {
    shapes::<N, true>(curve, phases, out)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,f16c")]
fn build_pattern_avx2(
    pattern: &mut Pattern,
    batch: &Batch,
    program: &PackedProgram,
    segments: &[PackedSegment],
    steps: &StepColumns,
) {
    pattern.build::<true>(batch, program, segments, steps);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,f16c")]
fn short_rows_avx2<T: Rounded>(rows: &mut ShortRows<'_>, first: usize, width: usize, out: &mut [T]) -> usize {
    rows.fill_with::<T, true>(first, width, out)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl")]
fn build_pattern_avx512(
    pattern: &mut Pattern,
    batch: &Batch,
    program: &PackedProgram,
    segments: &[PackedSegment],
    steps: &StepColumns,
) {
    pattern.build::<true>(batch, program, segments, steps);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl")]
fn short_rows_avx512<T: Rounded>(rows: &mut ShortRows<'_>, first: usize, width: usize, out: &mut [T]) -> usize {
    rows.fill_with::<T, true>(first, width, out)
}
