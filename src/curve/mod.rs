//! The ten curves that every schedule lowers to, each defined once and generic over the arithmetic.
//!
//! A curve is a pure shape over a phase `w`; a segment maps it to `base + amplitude · shape(w)`. Decays run on a
//! *reversed* phase, which counts down to 0 at the end. So every shape is evaluated near its small end without
//! subtraction, and keeps its relative accuracy to the last step. `cpu::lanes`, `shaders/curve.wgsl` and the HTML page
//! have twins of these shapes.

#[macro_use]
pub mod table;

use std::ops::{Add, Div, Mul, Sub};

use crate::double_double::{DoubleDouble, Extended};

/// The operations that a curve needs of a number type: `f64` is fast, [`DoubleDouble`] has about 106 bits, and
/// [`Extended`] also a wider range.
pub trait Arithmetic: Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self> {
    /// Converts, rounding to this type.
    fn from_double_double(value: DoubleDouble) -> Self;
    /// 2^octaves, without rounding `octaves` to this type first: that error would be magnified.
    fn exp2_of(octaves: DoubleDouble) -> Self;
    /// 2^self − 1 without cancellation near zero.
    fn exp2_m1(self) -> Self;
    /// log2(1 + self) without cancellation near zero.
    fn log2_1p(self) -> Self;
    /// sin²(π/2 · self) for self in [0, 1].
    fn sin_squared_half_pi(self) -> Self;
    /// self^exponent for self ≥ 0.
    fn powf(self, exponent: f64) -> Self;

    /// One.
    fn one() -> Self {
        Self::from_double_double(DoubleDouble::ONE)
    }
}

impl Arithmetic for DoubleDouble {
    fn from_double_double(value: DoubleDouble) -> Self {
        value
    }
    fn exp2_of(octaves: DoubleDouble) -> Self {
        octaves.exp2()
    }
    fn exp2_m1(self) -> Self {
        Self::exp2_m1(self)
    }
    fn log2_1p(self) -> Self {
        Self::log2_1p(self)
    }
    fn sin_squared_half_pi(self) -> Self {
        let sine = self.sin_half_pi();
        sine * sine
    }
    fn powf(self, exponent: f64) -> Self {
        Self::powf(self, Self::from(exponent))
    }
}

impl Arithmetic for Extended {
    fn from_double_double(value: DoubleDouble) -> Self {
        value.into()
    }
    fn exp2_of(octaves: DoubleDouble) -> Self {
        Self::exp2(octaves)
    }
    fn exp2_m1(self) -> Self {
        Self::exp2_m1(self)
    }
    fn log2_1p(self) -> Self {
        Self::log2_1p(self)
    }
    fn sin_squared_half_pi(self) -> Self {
        let sine = Self::from(self.rounded().sin_half_pi());
        sine * sine
    }
    fn powf(self, exponent: f64) -> Self {
        Self::powf(self, exponent.into())
    }
}

impl Arithmetic for f64 {
    fn from_double_double(value: DoubleDouble) -> Self {
        value.high()
    }
    fn exp2_of(octaves: DoubleDouble) -> Self {
        // Whole octaves are exact, so the error does not grow with their number.
        let whole = octaves.high().round();
        let fraction = (octaves.high() - whole) + octaves.low();
        DoubleDouble::from(fraction.exp2()).scaled_by_power_of_two(whole.clamp(-4000.0, 4000.0) as i32).high()
    }
    fn exp2_m1(self) -> Self {
        (self * std::f64::consts::LN_2).exp_m1()
    }
    fn log2_1p(self) -> Self {
        self.ln_1p() * std::f64::consts::LOG2_E
    }
    fn sin_squared_half_pi(self) -> Self {
        let sine = (self * std::f64::consts::FRAC_PI_2).sin();
        sine * sine
    }
    fn powf(self, exponent: f64) -> Self {
        Self::powf(self, exponent)
    }
}

/// A shape over the phase `w`, with its constants.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Curve {
    /// 1: constants, plateaus, stairs.
    Hold,
    /// `w`: warmup, linear decay, triangles.
    Linear,
    /// `g(w)^exponent`, where `g(w) = 1 − (1 − w)^warp` (just `w` for warp 1): polynomial, 1 − √t, inverse square root.
    Power {
        /// The exponent; of any sign, but not negative if the phase reaches 0.
        exponent: f64,
        /// The k of k-decay, which bends the phase; positive.
        warp: f64,
    },
    /// `sin²(π/2·w)`: cosine annealing, restarts, 1cycle.
    Cosine,
    /// `sin²(π/2·g(w))^exponent`, `g` as in [`Curve::Power`]: cosine power, k-decay.
    CosinePower {
        /// The exponent of the half cosine; positive.
        exponent: f64,
        /// The k of k-decay; positive.
        warp: f64,
    },
    /// `2^(octaves·sin²(π/2·w)) − 1`: sharpDARTS' cosine power annealing.
    CosineExponential {
        /// log2 of the exponential order; negative if the curve is traversed from its other end; not 0.
        octaves: DoubleDouble,
    },
    /// `2^w`, the phase counted in octaves: exponential, staircase, geometric warmup.
    Exponential,
    /// `|2^w − 1|`, the phase counted in octaves: an exponential between two given values.
    ExponentialMinusOne,
    /// `1/(1 + 2^(offset + w))`, the phase counted in octaves: tanh, sigmoid.
    Logistic {
        /// The position of the sigmoid's middle, in octaves before the origin.
        offset: DoubleDouble,
    },
    /// `1/(1 + w)` falling, `w/(1 + w)` rising: inverse time, REX.
    Rational {
        /// Whether the curve rises from 0.
        rising: bool,
    },
}

impl Curve {
    /// Whether the slope is infinite at phase 1.
    #[must_use]
    pub fn is_steep_at_one(&self) -> bool {
        matches!(*self, Self::Power { warp, .. } | Self::CosinePower { warp, .. } if warp < 1.0)
    }

    /// The shape at phase `1 − left`, accurate for curves that are steep at phase 1.
    pub fn shape_before_one<A: Arithmetic>(&self, left: DoubleDouble) -> A {
        let power = |warp: f64| A::one() - A::from_double_double(left).powf(warp);
        match *self {
            Self::Power { exponent, warp } => power(warp).powf(exponent),
            Self::CosinePower { exponent, warp } => power(warp).sin_squared_half_pi().powf(exponent),
            _ => self.shape(DoubleDouble::ONE - left),
        }
    }

    /// The shape at phase `w`. Finite for every phase that [`crate::program`] can produce.
    pub fn shape<A: Arithmetic>(&self, w: DoubleDouble) -> A {
        let phase = A::from_double_double(w);
        match *self {
            Self::Hold => A::one(),
            Self::Linear => phase,
            Self::Power { exponent, warp } => bent(w, warp, phase).powf(exponent),
            Self::Cosine => phase.sin_squared_half_pi(),
            Self::CosinePower { exponent, warp } => bent(w, warp, phase).sin_squared_half_pi().powf(exponent),
            Self::CosineExponential { octaves } => {
                (A::from_double_double(octaves) * phase.sin_squared_half_pi()).exp2_m1()
            }
            Self::Exponential => A::exp2_of(w),
            Self::ExponentialMinusOne if w < DoubleDouble::ZERO => {
                A::from_double_double(DoubleDouble::ZERO) - phase.exp2_m1()
            }
            Self::ExponentialMinusOne => phase.exp2_m1(),
            Self::Logistic { offset } => A::one() / (A::one() + A::exp2_of(offset + w)),
            Self::Rational { rising: false } => A::one() / (A::one() + phase),
            Self::Rational { rising: true } => phase / (A::one() + phase),
        }
    }
}

/// `1 − (1 − w)^warp`, accurate near w = 0; `w` itself where warp is 1.
fn bent<A: Arithmetic>(w: DoubleDouble, warp: f64, phase: A) -> A {
    if warp == 1.0 {
        return phase;
    }
    if w >= DoubleDouble::ONE {
        return A::one();
    }
    let zero = A::from_double_double(DoubleDouble::ZERO);
    let octaves = (zero - phase).log2_1p() * A::from_double_double(DoubleDouble::from(warp));
    zero - octaves.exp2_m1()
}
