//! The float that the lanes of a vector compute in: just wide enough to decide the rounding to an element
//! type, `f64` for `f32` and `f32` for the 16-bit types.

use super::pieces::LONG;
use super::rounding::{Rounded, Tolerance};
use super::simd::{BitRounding, NarrowRounding, Simd};
use crate::double_double::power_of_two;

/// A float with what the kernel needs of it.
pub trait Working: Copy + Default + 'static {
    /// Bits after the first.
    const FRACTION: u32;
    /// Below this the last terms of a piece may be subnormal, and so known to a few digits only.
    const LEAST: f64;
    /// The columns of a long piece, counted from its middle.
    const CENTRED: [Self; LONG];
    /// Rounds to this type.
    fn narrowed(value: f64) -> Self;
    /// The same value as a double.
    fn widened(self) -> f64;
    /// `self · factor + term`, in one rounding where there is an instruction for it.
    fn multiply_add<S: Simd>(self, factor: Self, term: Self) -> Self;
    /// Whether the value lies in the window.
    fn is_close(self, window: &Window) -> bool;
}

/// Which bit patterns of a lane are too close to a midpoint of an element type, where patterns can tell:
/// in the range where the type has its full precision, a midpoint is a pattern of the dropped bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The first pattern that is too close.
    first: u64,
    /// Ones for those of the dropped bits that are 0 from `first` on: a power of two of patterns.
    mask: u64,
}

impl Window {
    /// The window of an element type in a lane, or nothing outside its normal range or for a large error;
    /// `roundings` are the lane's own, in units in its last place.
    #[inline(always)]
    pub fn new<T: Rounded, L: Working>(tolerance: &Tolerance, roundings: f64) -> Option<Self> {
        let normal =
            tolerance.least >= power_of_two(T::EXPONENTS.0 + 1) && tolerance.greatest <= power_of_two(T::EXPONENTS.1);
        // A unit in the last place is at least 2^-(FRACTION + 1) of the value.
        let units = tolerance.slack / tolerance.least * (2u64 << L::FRACTION) as f64 + roundings;
        Self::of_units::<T, L>(units).filter(|_| normal)
    }

    /// The window for values that are 0 or of the normal range, for an error in units in the lane's last place;
    /// nothing for a large one.
    #[inline(always)]
    pub fn of_units<T: Rounded, L: Working>(units: f64) -> Option<Self> {
        let dropped = L::FRACTION - T::FRACTION;
        let midpoint = 1u64 << (dropped - 1);
        let usable = units < midpoint as f64 / 2.0;
        let units = units.min(midpoint as f64).ceil() as u64;
        let patterns = (2 * units + 1).next_power_of_two();
        usable.then(|| Self { first: midpoint - units, mask: (1 << dropped) - patterns })
    }
}

impl Window {
    /// How to round doubles of one sign to `f32` by their bits.
    pub fn bit_rounding(&self, negative: bool) -> BitRounding {
        const DROPPED: u32 = <f64 as Working>::FRACTION - <f32 as Working>::FRACTION;
        // The difference of the exponents' biases; bit 31 of an f32 is its sign.
        let bias = (1023 - 127) << <f64 as Working>::FRACTION;
        let sign = u64::from(negative) << (31 + DROPPED);
        let addend = (1u64 << DROPPED).wrapping_sub(self.first).wrapping_sub(bias).wrapping_add(sign);
        BitRounding { addend, mask: self.mask }
    }

    /// How to round singles of one sign to a 16-bit type by their bits.
    pub fn narrow_rounding<T: Rounded>(&self, negative: bool) -> NarrowRounding {
        let dropped = <f32 as Working>::FRACTION - T::FRACTION;
        // The difference of the exponents' biases, and so of the bits they take.
        let bias = ((T::EXPONENTS.0 - <f32 as Rounded>::EXPONENTS.0) as u32) << <f32 as Working>::FRACTION;
        let shift = 16 - dropped;
        let sign = if shift > 0 && negative { 1 << (31 - shift) } else { 0 };
        let addend = (1_u32 << dropped).wrapping_sub(self.first as u32).wrapping_sub(bias).wrapping_add(sign);
        NarrowRounding { addend, mask: self.mask as u32, shift }
    }
}

macro_rules! impl_lane {
    ($float:ty, $bits:ty, $least:expr) => {
        impl Working for $float {
            const FRACTION: u32 = <$float>::MANTISSA_DIGITS - 1;
            const LEAST: f64 = $least;
            const CENTRED: [Self; LONG] = {
                let mut lanes = [0.0; LONG];
                let mut lane = 0;
                while lane < LONG {
                    lanes[lane] = lane as $float - (LONG - 1) as $float * 0.5;
                    lane += 1;
                }
                lanes
            };
            #[inline(always)]
            fn narrowed(value: f64) -> Self {
                value as Self
            }
            #[inline(always)]
            fn widened(self) -> f64 {
                self.into()
            }
            #[inline(always)]
            fn multiply_add<S: Simd>(self, factor: Self, term: Self) -> Self {
                // Without the instruction a fused multiply-add would be a library call per value.
                if S::FUSED { self.mul_add(factor, term) } else { self * factor + term }
            }
            #[inline(always)]
            fn is_close(self, window: &Window) -> bool {
                self.to_bits().wrapping_sub(window.first as $bits) & window.mask as $bits == 0
            }
        }
    };
}

// In 2^-149, the distance of subnormal numbers, times the fourth power of half a piece's columns, and 2^28 times that.
impl_lane!(f32, u32, 1.0 / (1_u128 << 97) as f64);
impl_lane!(f64, u64, 0.0);
