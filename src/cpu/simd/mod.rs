//! Which vector instructions to use; the only `unsafe` of the crate is in this folder.
//!
//! A [`Level`] can only be had where the processor supports it. [`Level::run`] hands a kernel a [`Simd`] value of that
//! level, which nothing else can make: whoever holds one has the proof that its methods may be called. A kernel is one
//! body, compiled once per level.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod level;
mod store;

use bytemuck::Pod;

pub use level::Level;
pub use store::{CACHE_LINE, CacheLine, finish_streams, touch_pages};

/// A loop over values: one body, compiled once for the instructions of every [`Level`].
///
/// `run` and all that it calls have to be `#[inline(always)]`, or they may end up compiled apart, without those
/// instructions.
pub trait Kernel {
    /// What it returns.
    type Output;
    /// Runs it with the instructions of a level.
    fn run<S: Simd>(self, simd: S) -> Self::Output;
}

/// Proof that the processor has the instructions of a level, with what the level does by hand.
pub trait Simd: Copy + sealed::Sealed {
    /// Whether it has a fused multiply-add; without the instruction it would be a library call per value.
    const FUSED: bool;

    /// Whether [`Simd::polynomial_lines`] and [`Simd::narrow_lines`] are more than their defaults.
    const HAS_LINES: bool = false;

    /// Copies `values` to `out`, of the same length, past the cache where the processor can: whole cache lines that are
    /// not read first. [`finish_streams`] makes them visible to other threads.
    #[inline(always)]
    fn stream<T: Pod>(self, values: &[T], out: &mut [T]) {
        store::stream_lines(self, values, out);
    }

    /// A streaming store of one cache line, where the processor has one.
    fn store_line(self, from: &[u8; CACHE_LINE], into: &mut CacheLine);

    /// Polynomials of `P` terms at `columns`, rounded to `f32` and stored line by line, past the cache if `streaming`;
    /// whether the rounding of any is ambiguous. The default leaves all to the caller.
    #[inline(always)]
    fn polynomial_lines<const P: usize>(
        self,
        terms: &[f64; P],
        columns: &[f64],
        rounding: BitRounding,
        streaming: bool,
        out: &mut [f32],
    ) -> bool {
        let _ = (terms, columns, rounding, streaming, out);
        true
    }

    /// `terms[0] + terms[1] · shape`, rounded to a 16-bit type and stored line by line, past the cache if `streaming`.
    /// Returns in which of at most 64 lines the rounding of some lane is ambiguous, and writes which lanes to `close`.
    /// The default leaves all to the caller.
    ///
    /// Where `LIFTED`, values below 2^-14, the least normal `f16`, are rounded as multiples of 2^-24; none is below 0.
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
        let _ = (terms, shapes, rounding, streaming, out);
        close.fill(u32::MAX);
        u64::MAX
    }
}

mod sealed {
    /// Keeps [`Simd`](super::Simd) to this folder.
    pub trait Sealed {}
}

/// The instructions that the crate was compiled for, which need no proof.
#[derive(Clone, Copy)]
pub struct Baseline;

impl sealed::Sealed for Baseline {}

impl Simd for Baseline {
    const FUSED: bool = cfg!(any(target_arch = "aarch64", target_feature = "fma"));

    #[inline(always)]
    fn store_line(self, from: &[u8; CACHE_LINE], into: &mut CacheLine) {
        store::store_line(from, into);
    }
}

/// How [`Simd::polynomial_lines`] rounds: by adding to the bits of the doubles.
#[derive(Clone, Copy, Debug)]
pub struct BitRounding {
    /// What is added: then bits 29 to 60 are those of the rounded `f32`.
    pub addend: u64,
    /// Of the lowest 29 bits, those all 0 in a sum whose rounding is ambiguous.
    pub mask: u64,
}

/// Values of a cache line of `f32`.
pub const LINE: usize = CACHE_LINE / size_of::<f32>();

/// How [`Simd::narrow_lines`] rounds: by adding to the bits of the singles.
#[derive(Clone, Copy, Debug)]
pub struct NarrowRounding {
    /// What is added.
    pub addend: u32,
    /// Of the bits of a sum, those that are all 0 if its rounding is ambiguous.
    pub mask: u32,
    /// How far the 16 bits of the rounded value are below the uppermost ones of the sum.
    pub shift: u32,
}

/// Values of a cache line of 16-bit types.
pub const NARROW_LINE: usize = CACHE_LINE / size_of::<u16>();
