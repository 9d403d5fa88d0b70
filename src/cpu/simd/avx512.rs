//! AVX-512 with the F, BW, DQ and VL sets: loops by hand where the compiler's own are half as fast.
#![expect(unsafe_code, reason = "intrinsics of AVX-512, whose proof is the value they are methods of")]

use super::store::{CACHE_LINE, CacheLine};
use super::{BitRounding, Kernel, LINE, NARROW_LINE, NarrowRounding, Simd, avx2, sealed};

/// Proof that this processor has AVX-512 F, BW, DQ and VL, and what [`Avx2`](super::avx2::Avx2) proves.
#[derive(Clone, Copy)]
pub struct Avx512(());

impl Avx512 {
    /// Runs a kernel with these instructions.
    #[target_feature(enable = "avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl")]
    pub(super) fn run<K: Kernel>(kernel: K) -> K::Output {
        kernel.run(Self(()))
    }
}

impl sealed::Sealed for Avx512 {}

impl Simd for Avx512 {
    const FUSED: bool = true;
    const HAS_LINES: bool = true;

    #[inline(always)]
    fn store_line(self, from: &[u8; CACHE_LINE], into: &mut CacheLine) {
        // SAFETY: `self` is the proof of AVX2, and so of AVX.
        unsafe { avx2::store_line(from, into) }
    }

    // By hand, because the compiler's own conversion takes twice as long, and its values reach the table by way of the cache.
    #[inline(always)]
    fn polynomial_lines<const P: usize>(
        self,
        terms: &[f64; P],
        columns: &[f64],
        rounding: BitRounding,
        streaming: bool,
        out: &mut [f32],
    ) -> bool {
        if columns.len() != out.len() {
            return true;
        }
        use std::arch::x86_64::*;
        let streaming = streaming && out.as_ptr().addr().is_multiple_of(CACHE_LINE);
        // SAFETY: `self` is the proof of the instructions; every load and store is within a chunk of `LINE` values,
        // and what is stored past the cache is aligned.
        let close = unsafe {
            let low_halves = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
            let high_halves = _mm512_add_epi32(low_halves, _mm512_set1_epi32(1));
            let addend = _mm512_set1_epi64(rounding.addend as i64);
            let mask = _mm512_set1_epi32((rounding.mask << 3) as i32);
            let mut closest = mask;
            for (columns, out) in columns.as_chunks::<LINE>().0.iter().zip(out.as_chunks_mut::<LINE>().0) {
                let (first, second) =
                    (_mm512_loadu_pd(columns.as_ptr()), _mm512_loadu_pd(columns[LINE / 2..].as_ptr()));
                let last = _mm512_set1_pd(terms[P - 1]);
                let (mut low, mut high) = (last, last);
                for term in terms[..P - 1].iter().rev() {
                    low = _mm512_fmadd_pd(low, first, _mm512_set1_pd(*term));
                    high = _mm512_fmadd_pd(high, second, _mm512_set1_pd(*term));
                }
                // Bits 29 to 60 become the upper half, the bits that tell how close it was the lower one.
                let low = _mm512_slli_epi64::<3>(_mm512_add_epi64(_mm512_castpd_si512(low), addend));
                let high = _mm512_slli_epi64::<3>(_mm512_add_epi64(_mm512_castpd_si512(high), addend));
                let rounded = _mm512_permutex2var_epi32(low, high_halves, high);
                let dropped = _mm512_permutex2var_epi32(low, low_halves, high);
                if streaming {
                    _mm512_stream_si512(out.as_mut_ptr().cast(), rounded);
                } else {
                    _mm512_storeu_si512(out.as_mut_ptr().cast(), rounded);
                }
                // One comparison for all lines: the least is 0 where any is.
                closest = _mm512_min_epu32(closest, _mm512_and_epi32(dropped, mask));
            }
            _mm512_testn_epi32_mask(closest, closest)
        };
        close != 0
    }

    #[inline(always)]
    fn narrow_lines<const LIFTED: bool>(
        self,
        terms: [f32; 2],
        shapes: &[f32],
        rounding: NarrowRounding,
        streaming: bool,
        out: &mut [u16],
        close: &mut [u32; 64],
    ) -> u64 {
        // SAFETY: `self` is the proof of the instructions.
        unsafe { narrow_lines::<LIFTED>(terms, shapes, rounding, streaming, out, close) }
    }
}

/// [`Simd::narrow_lines`], apart from its callers so that its constants stay in registers.
#[inline(never)]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
fn narrow_lines<const LIFTED: bool>(
    terms: [f32; 2],
    shapes: &[f32],
    rounding: NarrowRounding,
    streaming: bool,
    out: &mut [u16],
    close: &mut [u32; 64],
) -> u64 {
    use std::arch::x86_64::*;
    const LANES: usize = NARROW_LINE / 2;
    const UPPER: [u16; NARROW_LINE] = upper_halves();
    let streaming = streaming && out.as_ptr().addr().is_multiple_of(CACHE_LINE);
    let (shapes, out) = (shapes.as_chunks::<NARROW_LINE>().0, out.as_chunks_mut::<NARROW_LINE>().0);
    // SAFETY: as long as the array.
    let upper_halves = unsafe { _mm512_loadu_si512(UPPER.as_ptr().cast()) };
    let (intercept, slope) = (_mm512_set1_ps(terms[0]), _mm512_set1_ps(terms[1]));
    let addend = _mm512_set1_epi32(rounding.addend.cast_signed());
    let mask = _mm512_set1_epi32(rounding.mask.cast_signed());
    let shift = _mm_cvtsi32_si128(rounding.shift.cast_signed());
    let lift = _mm512_set1_ps(1.0 / (1 << 14) as f32);
    // A lifted value has an exponent of 1 where its own is 0.
    let lifted_addend = _mm512_sub_epi32(addend, _mm512_set1_epi32(1 << 23));
    let mut any = 0;
    for line in 0..shapes.len().min(out.len()).min(close.len()) {
        let mut sums = [_mm512_setzero_si512(); 2];
        let mut lanes = [0_u32; 2];
        for half in 0..2 {
            // SAFETY: half a line.
            let shape = unsafe { _mm512_loadu_ps(shapes[line][half * LANES..].as_ptr()) };
            let value = _mm512_fmadd_ps(slope, shape, intercept);
            let mut sum = _mm512_add_epi32(_mm512_castps_si512(value), addend);
            if LIFTED {
                let small = _mm512_cmp_ps_mask::<_CMP_LT_OQ>(value, lift);
                let lifted = _mm512_castps_si512(_mm512_add_ps(value, lift));
                sum = _mm512_mask_add_epi32(sum, small, lifted, lifted_addend);
            }
            lanes[half] = u32::from(_mm512_testn_epi32_mask(sum, mask));
            sums[half] = _mm512_sll_epi32(sum, shift);
        }
        let rounded = _mm512_permutex2var_epi16(sums[0], upper_halves, sums[1]);
        let slot = out[line].as_mut_ptr().cast();
        // SAFETY: a whole line, aligned as one where it goes past the cache.
        unsafe {
            if streaming {
                _mm512_stream_si512(slot, rounded);
            } else {
                _mm512_storeu_si512(slot, rounded);
            }
        }
        close[line] = lanes[0] | lanes[1] << LANES;
        any |= u64::from(close[line] != 0) << line;
    }
    any
}

/// Where the upper halves of the 32-bit lanes of two vectors lie among their 16-bit lanes.
const fn upper_halves() -> [u16; NARROW_LINE] {
    let mut halves = [0; NARROW_LINE];
    let mut lane = 0;
    while lane < NARROW_LINE {
        halves[lane] = 2 * lane as u16 + 1;
        lane += 1;
    }
    halves
}
