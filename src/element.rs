//! The element types of tables.

use std::fmt;
use std::str::FromStr;

use half::{bf16, f16};

use crate::double_double::DoubleDouble;
use crate::error::UnknownName;

mod sealed {
    pub trait Sealed {}
    impl Sealed for f64 {}
    impl Sealed for f32 {}
    impl Sealed for half::f16 {}
    impl Sealed for half::bf16 {}
}

/// An element type, as a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dtype {
    /// IEEE 754 double precision; CPU only.
    F64,
    /// IEEE 754 single precision.
    F32,
    /// IEEE 754 half precision.
    F16,
    /// bfloat16: the upper half of an `f32`.
    Bf16,
}

impl Dtype {
    /// Every type, widest first.
    pub const ALL: [Self; 4] = [Self::F64, Self::F32, Self::F16, Self::Bf16];

    /// The name in specs and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::F64 => "f64",
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::Bf16 => "bf16",
        }
    }

    /// Bytes per value.
    #[must_use]
    pub const fn size(self) -> usize {
        match self {
            Self::F64 => 8,
            Self::F32 => 4,
            Self::F16 | Self::Bf16 => 2,
        }
    }

    /// Runs `work` with this type as its type parameter.
    pub fn choose<W: ForDtype>(self, work: W) -> W::Output {
        match self {
            Self::F64 => work.with::<f64>(),
            Self::F32 => work.with::<f32>(),
            Self::F16 => work.with::<f16>(),
            Self::Bf16 => work.with::<bf16>(),
        }
    }
}

impl fmt::Display for Dtype {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl FromStr for Dtype {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        UnknownName::find("element type", name, &Self::ALL, Self::name)
    }
}

/// Work that is generic over an element type chosen at run time.
pub trait ForDtype {
    /// The result of the work.
    type Output;

    /// Runs the work.
    fn with<T: Element>(self) -> Self::Output;
}

/// An element type of tables: `f64`, `f32`, [`half::f16`] or [`half::bf16`].
pub trait Element:
    sealed::Sealed + bytemuck::Pod + PartialEq + PartialOrd + Send + Sync + fmt::Debug + fmt::Display
{
    /// The type as a value.
    const DTYPE: Dtype;

    /// The nearest value of this type, ties to even, in one rounding.
    fn from_f64(value: f64) -> Self;

    /// The nearest value of this type to one known to 100 bits, ties to even, in one rounding.
    fn from_exact(value: DoubleDouble) -> Self {
        Self::from_f64(value.to_odd())
    }

    /// The same value, exactly.
    fn to_f64(self) -> f64;
}

impl Element for f64 {
    const DTYPE: Dtype = Dtype::F64;
    #[inline(always)]
    fn from_f64(value: f64) -> Self {
        value
    }
    fn from_exact(value: DoubleDouble) -> Self {
        value.high()
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        self
    }
}

impl Element for f32 {
    const DTYPE: Dtype = Dtype::F32;
    #[inline(always)]
    fn from_f64(value: f64) -> Self {
        value as f32
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        f64::from(self)
    }
}

/// Rounds to `f32` to odd (with a sticky last bit), so that rounding the result to a 16-bit type is correct.
#[inline(always)]
fn to_odd_f32(value: f64) -> f32 {
    let nearest = value as f32;
    let back = f64::from(nearest);
    if back == value || !nearest.is_finite() {
        return nearest;
    }
    let bits = nearest.to_bits();
    // Rounded away from zero: step back to the truncated neighbour.
    let truncated = if back.abs() > value.abs() { bits - 1 } else { bits };
    f32::from_bits(truncated | 1)
}

impl Element for f16 {
    const DTYPE: Dtype = Dtype::F16;
    #[inline(always)]
    fn from_f64(value: f64) -> Self {
        Self::from_f32(to_odd_f32(value))
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        f64::from(self)
    }
}

impl Element for bf16 {
    const DTYPE: Dtype = Dtype::Bf16;
    #[inline(always)]
    fn from_f64(value: f64) -> Self {
        Self::from_f32(to_odd_f32(value))
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        f64::from(self)
    }
}
