//! Correct rounding by its definition: the nearest of the neighbours, the even one of two as near.

use half::{bf16, f16};
use lrgrid::Element;
use lrgrid::double_double::DoubleDouble;

/// An element type as the tests need it.
pub trait Tested: Element {
    /// Its bits.
    fn bits(self) -> u64;
    /// The bits of its infinity, and the exponent of the power of two it stands for when rounding.
    const INFINITY: (u64, i32);
    fn of_bits(bits: u64) -> Self;
}

macro_rules! tested {
    ($type:ty, $bits:ty, $infinity:expr, $exponent:expr) => {
        impl Tested for $type {
            fn bits(self) -> u64 {
                u64::from(self.to_bits())
            }
            const INFINITY: (u64, i32) = ($infinity, $exponent);
            fn of_bits(bits: u64) -> Self {
                Self::from_bits(bits as $bits)
            }
        }
    };
}
tested!(f32, u32, 0x7f80_0000, 128);
tested!(f16, u16, 0x7c00, 16);
tested!(bf16, u16, 0x7f80, 128);

/// The magnitude that bits stand for, infinity being the number after the largest.
fn magnitude<T: Tested>(bits: u64) -> DoubleDouble {
    let (infinity, exponent) = T::INFINITY;
    if bits >= infinity { DoubleDouble::from(2f64.powi(exponent)) } else { T::of_bits(bits).to_f64().into() }
}

/// The correctly rounded value, found by bisection over the bit patterns.
pub fn rounded<T: Tested>(value: DoubleDouble) -> T {
    let (infinity, _) = T::INFINITY;
    let sign = if value.high().is_sign_negative() { T::from_f64(-0.0).bits() } else { 0 };
    let target = value.abs();
    let (mut below, mut above) = (0, infinity);
    while above - below > 1 {
        let middle = (below + above) / 2;
        if magnitude::<T>(middle) <= target { below = middle } else { above = middle }
    }
    let (to_below, to_above) = (target - magnitude::<T>(below), magnitude::<T>(above) - target);
    let up = to_above < to_below || (to_above == to_below && below % 2 == 1);
    T::of_bits(sign | if up { above } else { below })
}

#[test]
fn the_oracle_knows_ties_and_neighbours() {
    let tie = 1.0 + 2f64.powi(-24);
    assert_eq!(rounded::<f32>(tie.into()), 1.0);
    assert_eq!(rounded::<f32>(DoubleDouble::exact_sum(tie, 1e-20)), 1.0 + f32::EPSILON);
    assert_eq!(rounded::<f32>(3.5e38.into()), f32::INFINITY);
    assert_eq!(rounded::<f16>(65_519.0.into()), f16::MAX);
    assert_eq!(rounded::<f16>(65_520.0.into()), f16::INFINITY);
    assert_eq!(rounded::<bf16>(257.0.into()).to_f32(), 256.0);
    assert!(rounded::<f32>((-1e-60).into()).is_sign_negative());
    for bits in [0, 1, 2, 0x3ff, 0x400, 0x3c00, 0x7bff] {
        assert_eq!(rounded::<f16>(f16::of_bits(bits).to_f64().into()).bits(), bits);
    }
}
