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

    /// Whether it has [`polynomial_lines`] and [`narrow_lines`].
    pub(super) const fn has_lines(self) -> bool {
        match self.0 {
            Kind::Baseline => false,
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => false,
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => true,
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
    kernel.run::<true, LARGEST_STORE>()
}

/// Bytes that AVX-512 stores at a time.
pub const LARGEST_STORE: usize = 64;

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
                for offset in (0..CACHE_LINE).step_by(if STORE > 32 { 32 } else { STORE }) {
                    // SAFETY: both are cache lines long and `into` is aligned as one; a `STORE` of 32 or more is only
                    // used by [`run_avx2`] and [`run_avx512`], and every x86-64 processor has SSE2.
                    unsafe {
                        let (from, into) = (from.add(offset), into.add(offset));
                        match STORE {
                            // What the compiler makes of a kernel stores halves of 64 bytes, which a whole load would wait for.
                            32.. => x86::_mm256_stream_si256(into.cast(), x86::_mm256_loadu_si256(from.cast())),
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

/// How [`polynomial_lines`] rounds: by adding to the bits of the doubles.
#[derive(Clone, Copy, Debug)]
pub struct BitRounding {
    /// What is added: then bits 29 to 60 are those of the rounded `f32`.
    pub addend: u64,
    /// Of the lowest 29 bits, those that are all 0 in a sum that was too close to call.
    pub mask: u64,
}

/// Values of a cache line of `f32`.
pub const LINE: usize = CACHE_LINE / size_of::<f32>();

/// Polynomials of `P` terms at `columns`, rounded to `f32` and stored line by line, past the cache if `streaming`; whether
/// any is too close to call. Only for a `STORE` of [`LARGEST_STORE`].
///
/// By hand, because the compiler's own conversion takes twice as long, and its values reach the table by way of the cache.
#[inline(always)]
pub fn polynomial_lines<const P: usize, const STORE: usize>(
    terms: &[f64; P],
    columns: &[f64],
    rounding: BitRounding,
    streaming: bool,
    out: &mut [f32],
) -> bool {
    #[cfg(target_arch = "x86_64")]
    if STORE == LARGEST_STORE && columns.len() == out.len() {
        use std::arch::x86_64::*;
        let streaming = streaming && out.as_ptr().addr().is_multiple_of(CACHE_LINE);
        // SAFETY: this `STORE` is only used by [`run_avx512`]; every load and store is within a chunk of `LINE` values,
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
        return close != 0;
    }
    let _ = (terms, columns, rounding, streaming, out);
    // The caller decides them otherwise.
    true
}

/// How [`narrow_lines`] rounds: by adding to the bits of the singles.
#[derive(Clone, Copy, Debug)]
pub struct NarrowRounding {
    /// What is added.
    pub addend: u32,
    /// Of the bits of a sum, those that are all 0 if it was too close to call.
    pub mask: u32,
    /// How far the 16 bits of the rounded value are below the uppermost ones of the sum.
    pub shift: u32,
}

/// Values of a cache line of 16-bit types.
pub const NARROW_LINE: usize = CACHE_LINE / size_of::<u16>();

/// `terms[0] + terms[1] · shape`, rounded to a 16-bit type and stored line by line, past the cache if `streaming`. Tells in
/// which of at most 64 lines some lane is too close to call, and writes which to `close`. Only for a `STORE` of
/// [`LARGEST_STORE`].
///
/// Where `LIFTED`, values below 2^-14, the least normal `f16`, are rounded as multiples of 2^-24; none is below 0.
#[inline(always)]
pub fn narrow_lines<const LIFTED: bool, const STORE: usize>(
    terms: [f32; 2],
    shapes: &[f32],
    rounding: NarrowRounding,
    streaming: bool,
    out: &mut [u16],
    close: &mut [u32; 64],
) -> u64 {
    #[cfg(target_arch = "x86_64")]
    if STORE == LARGEST_STORE {
        // SAFETY: this `STORE` is only used by [`run_avx512`].
        return unsafe { narrow_lines_avx512::<LIFTED>(terms, shapes, rounding, streaming, out, close) };
    }
    let _ = (terms, shapes, rounding, streaming, out);
    // The caller decides all of them otherwise.
    close.fill(u32::MAX);
    u64::MAX
}

/// [`narrow_lines`], apart from its callers so that its constants stay in registers.
#[cfg(target_arch = "x86_64")]
#[inline(never)]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
fn narrow_lines_avx512<const LIFTED: bool>(
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
#[cfg(target_arch = "x86_64")]
const fn upper_halves() -> [u16; NARROW_LINE] {
    let mut halves = [0; NARROW_LINE];
    let mut lane = 0;
    while lane < NARROW_LINE {
        halves[lane] = 2 * lane as u16 + 1;
        lane += 1;
    }
    halves
}

/// Bytes of the smallest page.
const PAGE: usize = 4096;

/// Has the processor look up where the pages of `values` lie: rows of a large table are all on other ones.
#[inline(always)]
pub fn touch_pages<T: Pod>(values: &[T]) {
    #[cfg(target_arch = "x86_64")]
    for page in bytemuck::cast_slice::<T, u8>(values).chunks(PAGE) {
        use std::arch::x86_64 as x86;
        // SAFETY: every x86-64 processor has SSE, and this one may be given any address.
        unsafe { x86::_mm_prefetch::<{ x86::_MM_HINT_T0 }>(page.as_ptr().cast()) };
    }
}

/// Orders streamed values before whatever this thread does next: they obey no other order.
pub fn finish_streams() {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: every x86-64 processor has SSE.
    unsafe {
        std::arch::x86_64::_mm_sfence();
    }
}
