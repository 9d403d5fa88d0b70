//! Stores that bypass the cache, and prefetches of pages.
#![expect(unsafe_code, reason = "intrinsics of SSE, which every x86-64 processor has")]

use bytemuck::{Pod, Zeroable};

use super::Simd;

/// Bytes of a cache line, and so the alignment that a streaming store needs.
pub const CACHE_LINE: usize = 64;

/// Bytes of a whole cache line.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C, align(64))]
pub struct CacheLine(pub [u8; CACHE_LINE]);

/// Copies `values` to `out`, of the same length, with a streaming store for each whole cache line where `out` is aligned.
#[inline(always)]
pub fn stream_lines<T: Pod, S: Simd>(simd: S, values: &[T], out: &mut [T]) {
    let (from, into) = (bytemuck::cast_slice::<T, u8>(values), bytemuck::cast_slice_mut::<T, u8>(out));
    if from.len() == into.len() {
        let ((from, from_rest), (into, into_rest)) =
            (from.as_chunks::<CACHE_LINE>(), into.as_chunks_mut::<CACHE_LINE>());
        if let Ok(into) = bytemuck::try_cast_slice_mut::<_, CacheLine>(into) {
            for (from, into) in from.iter().zip(into) {
                simd.store_line(from, into);
            }
            into_rest.copy_from_slice(from_rest);
            return;
        }
    }
    out.copy_from_slice(values);
}

/// A streaming store of one cache line with SSE2.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub fn store_line(from: &[u8; CACHE_LINE], into: &mut CacheLine) {
    use std::arch::x86_64 as x86;
    for offset in (0..CACHE_LINE).step_by(16) {
        // SAFETY: both are cache lines long and `into` is aligned as one; every x86-64 processor has SSE2.
        unsafe {
            let (from, into) = (from.as_ptr().add(offset), into.0.as_mut_ptr().add(offset));
            x86::_mm_stream_si128(into.cast(), x86::_mm_loadu_si128(from.cast()));
        }
    }
}

/// A plain copy of one cache line, where the processor has no streaming stores.
#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
pub fn store_line(from: &[u8; CACHE_LINE], into: &mut CacheLine) {
    into.0 = *from;
}

/// Bytes of the smallest page.
const PAGE: usize = 4096;

/// Prefetches an address of each page of `values` into the TLB: the rows of a large table lie on different pages.
#[inline(always)]
pub fn touch_pages<T: Pod>(values: &[T]) {
    #[cfg(target_arch = "x86_64")]
    for page in bytemuck::cast_slice::<T, u8>(values).chunks(PAGE) {
        use std::arch::x86_64 as x86;
        // SAFETY: every x86-64 processor has SSE, and this one may be given any address.
        unsafe { x86::_mm_prefetch::<{ x86::_MM_HINT_T0 }>(page.as_ptr().cast()) };
    }
}

/// A store fence: streaming stores are not ordered with other stores without one.
pub fn finish_streams() {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: every x86-64 processor has SSE.
    unsafe {
        std::arch::x86_64::_mm_sfence();
    }
}
