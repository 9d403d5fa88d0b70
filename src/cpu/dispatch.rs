//! Which vector instructions to use: the one file with `unsafe`.
//!
//! A [`Level`] can only be had where the processor supports it, so holding one is the proof that its
//! functions may be called. They are one body, compiled once per level.
#![expect(unsafe_code, reason = "calling a function compiled for more instructions than the crate's own")]

use std::fmt;

use bytemuck::Pod;

/// A loop over values: one body, compiled once for the instructions of every [`Level`].
///
/// `run` and all that it calls have to be `#[inline(always)]` and no closures, or they may end up compiled
/// apart, without those instructions.
pub trait Kernel {
    /// What it answers.
    type Output;
    /// Runs it; `FUSED` tells that there is a fused multiply-add, and `STORE` how many bytes [`stream`] stores at a time.
    fn run<const FUSED: bool, const STORE: usize>(self) -> Self::Output;
}

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

    /// Runs a kernel with this level's instructions.
    pub(super) fn run<K: Kernel>(self, kernel: K) -> K::Output {
        match self.0 {
            Kind::Baseline => kernel.run::<BASELINE_FUSES, 16>(),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: only `available` makes this level, after detecting avx2, fma and f16c.
            Kind::Avx2 => unsafe { run_avx2(kernel) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: only `available` makes this level, after detecting all of the features enabled there.
            Kind::Avx512 => unsafe { run_avx512(kernel) },
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
fn run_avx2<K: Kernel>(kernel: K) -> K::Output {
    kernel.run::<true, 32>()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl")]
fn run_avx512<K: Kernel>(kernel: K) -> K::Output {
    // Vectors of f32 come out of the kernels in halves, and a longer load would have to wait for two stores.
    kernel.run::<true, 32>()
}

/// Bytes of a cache line, and so the alignment that [`stream`] takes.
pub const CACHE_LINE: usize = 64;

/// Copies `values` to `out`, of the same length, past the cache where the processor can: whole cache lines
/// that are not read first. [`finish_streams`] makes them visible to other threads.
#[inline(always)]
pub fn stream<T: Pod, const STORE: usize>(values: &[T], out: &mut [T]) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64 as x86;
        let (from, into) = (bytemuck::cast_slice::<T, u8>(values), bytemuck::cast_slice_mut::<T, u8>(out));
        let aligned = into.as_ptr().addr().is_multiple_of(CACHE_LINE);
        if aligned && from.len() == into.len() {
            let (from, from_rest) = from.as_chunks::<CACHE_LINE>();
            let (into, into_rest) = into.as_chunks_mut::<CACHE_LINE>();
            for (from, into) in from.iter().zip(into) {
                let (from, into) = (from.as_ptr(), into.as_mut_ptr());
                for offset in (0..CACHE_LINE).step_by(STORE) {
                    // SAFETY: both are cache lines long and `into` is aligned as one; a `STORE` of 32 is only
                    // used by [`run_avx2`] and [`run_avx512`], and every x86-64 processor has SSE2.
                    unsafe {
                        let (from, into) = (from.add(offset), into.add(offset));
                        match STORE {
                            32 => x86::_mm256_stream_si256(into.cast(), x86::_mm256_loadu_si256(from.cast())),
                            _ => x86::_mm_stream_si128(into.cast(), x86::_mm_loadu_si128(from.cast())),
                        }
                    }
                }
            }
            into_rest.copy_from_slice(from_rest);
            return;
        }
    }
    out.copy_from_slice(values);
}

/// Orders streamed values before whatever this thread does next: they obey no other order.
pub fn finish_streams() {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: every x86-64 processor has SSE.
    unsafe {
        std::arch::x86_64::_mm_sfence();
    }
}
