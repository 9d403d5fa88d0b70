//! AVX2 with FMA and F16C.
#![expect(unsafe_code, reason = "intrinsics of AVX, whose proof is the value they are methods of")]

use super::store::{CACHE_LINE, CacheLine};
use super::{Kernel, Simd, sealed};

/// Proof that this processor has AVX2, FMA and F16C.
#[derive(Clone, Copy)]
pub struct Avx2(());

impl Avx2 {
    /// Runs a kernel with these instructions.
    #[target_feature(enable = "avx2,fma,f16c")]
    pub(super) fn run<K: Kernel>(kernel: K) -> K::Output {
        kernel.run(Self(()))
    }
}

impl sealed::Sealed for Avx2 {}

impl Simd for Avx2 {
    const FUSED: bool = true;

    #[inline(always)]
    fn store_line(self, from: &[u8; CACHE_LINE], into: &mut CacheLine) {
        // SAFETY: `self` is the proof of AVX2, and so of AVX.
        unsafe { store_line(from, into) }
    }
}

/// A streaming store of one cache line, 32 bytes at a time.
///
/// # Safety
/// The processor must have AVX.
#[inline(always)]
pub(super) unsafe fn store_line(from: &[u8; CACHE_LINE], into: &mut CacheLine) {
    use std::arch::x86_64 as x86;
    // A kernel stores halves of 64 bytes, for which a load of the whole would have to wait.
    for offset in (0..CACHE_LINE).step_by(32) {
        // SAFETY: both are cache lines long and `into` is aligned as one; the caller vouches for AVX.
        unsafe {
            let (from, into) = (from.as_ptr().add(offset), into.0.as_mut_ptr().add(offset));
            x86::_mm256_stream_si256(into.cast(), x86::_mm256_loadu_si256(from.cast()));
        }
    }
}
