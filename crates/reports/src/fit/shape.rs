//! The 15 shapes that a piece of a logged curve may have, `base + amplitude·shape(x)`, built on the curves.

use lrgrid::curve::Curve;
use lrgrid::double_double::DoubleDouble;
use lrgrid::schedule::{
    Clock, Constant, Cosine, CosinePower, CosinePowerForm, Exponential, InversePower, InverseSqrt, InverseTime, KDecay,
    KDecayForm, Linear, Logistic, NormalizedExponential, Polynomial, Rex, Scale, Schedule,
};

/// A kind of shape; its parameters follow in the order of [`Shape::value`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Shape {
    /// A constant.
    Hold,
    /// A line.
    Line,
    /// 2^(−p0·x), a decay to 0.
    Exponential,
    /// Half a cosine of length p0, from its step p1 on.
    Cosine,
    /// Inverse square root: (1 + x/p0)^−½.
    InverseSqrt,
    /// (1 + x/p0)^−p1.
    InversePower,
    /// (1 − x/p0)^p1.
    Power,
    /// 2^(−p0·x), a decay to a base.
    ExponentialTo,
    /// 1/(1 + x/p0), a decay to a base.
    InverseTime,
    /// A reflected exponential of length p0.
    Rex,
    /// Half a cosine of length p0 to the power p1.
    CosinePower,
    /// A sigmoid, p0 per step, half way at p1.
    Logistic,
    /// Half a cosine of length p0 in (x/p0)^p1: cosine k-decay.
    BentCosine,
    /// (1 − (x/p0)^p1)^p2: polynomial k-decay.
    BentPower,
    /// An exponential of order 2^p1 of half a cosine of length p0.
    CosineExponential,
}

impl Shape {
    /// Every shape, the simplest first.
    pub const ALL: [Self; 15] = [
        Self::Hold,
        Self::Line,
        Self::Exponential,
        Self::InverseSqrt,
        Self::Rex,
        Self::Cosine,
        Self::InversePower,
        Self::Power,
        Self::ExponentialTo,
        Self::InverseTime,
        Self::CosinePower,
        Self::BentCosine,
        Self::CosineExponential,
        Self::Logistic,
        Self::BentPower,
    ];

    /// The name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hold => "constant",
            Self::Line => "linear",
            Self::Exponential => "exponential",
            Self::Cosine => "cosine",
            Self::InverseSqrt => "inverse_sqrt",
            Self::InversePower => "inverse_power",
            Self::Power => "polynomial",
            Self::ExponentialTo => "normalized_exponential",
            Self::InverseTime => "inverse_time",
            Self::Rex => "rex",
            Self::CosinePower => "cosine_power",
            Self::Logistic => "logistic",
            Self::BentCosine => "k_decay",
            Self::BentPower => "k_decay (polynomial)",
            Self::CosineExponential => "cosine_power (exponential)",
        }
    }

    /// The number of its parameters.
    #[must_use]
    pub const fn parameters(self) -> usize {
        match self {
            Self::Hold | Self::Line => 0,
            Self::Exponential | Self::InverseSqrt | Self::ExponentialTo | Self::InverseTime | Self::Rex => 1,
            Self::Cosine
            | Self::InversePower
            | Self::Power
            | Self::CosinePower
            | Self::Logistic
            | Self::BentCosine
            | Self::CosineExponential => 2,
            Self::BentPower => 3,
        }
    }

    /// Whether it decays to 0 and hence has no base.
    #[must_use]
    pub const fn without_base(self) -> bool {
        matches!(self, Self::Exponential | Self::InverseSqrt | Self::InversePower)
    }

    /// Degrees of freedom: parameters, amplitude and base.
    #[must_use]
    pub const fn freedom(self) -> usize {
        self.parameters() + if self.without_base() || matches!(self, Self::Hold) { 1 } else { 2 }
    }

    /// The shape at `x ≥ 0` steps after its start.
    #[must_use]
    pub fn value(self, p: &[f64], x: f64) -> f64 {
        let shape = |curve: Curve, phase: f64| curve.shape::<f64>(DoubleDouble::from(phase));
        // The remaining fraction, from 1 to 0.
        let left = |gone: f64, length: f64| ((length - gone) / length).clamp(0.0, 1.0);
        match self {
            Self::Hold => 0.0,
            Self::Line => x,
            Self::Exponential | Self::ExponentialTo => shape(Curve::Exponential, -p[0] * x),
            Self::Cosine => shape(Curve::Cosine, left(x + p[1], p[0])),
            Self::InverseSqrt => (1.0 + x / p[0]).powf(-0.5),
            Self::InversePower => (1.0 + x / p[0]).powf(-p[1]),
            Self::Power => shape(Curve::Power { exponent: p[1], warp: 1.0 }, left(x, p[0])),
            Self::InverseTime => shape(Curve::Rational { rising: false }, x / p[0]),
            // (1 − t)/(½ + ½(1 − t)) is twice w/(1 + w).
            Self::Rex => 2.0 * shape(Curve::Rational { rising: true }, left(x, p[0])),
            Self::CosinePower => shape(Curve::CosinePower { exponent: p[1], warp: 1.0 }, left(x, p[0])),
            Self::Logistic => shape(Curve::Logistic { offset: DoubleDouble::from(-p[0] * p[1]) }, p[0] * x),
            Self::BentCosine => shape(Curve::CosinePower { exponent: 1.0, warp: p[1] }, left(x, p[0])),
            Self::BentPower => shape(Curve::Power { exponent: p[2], warp: p[1] }, left(x, p[0])),
            Self::CosineExponential => {
                let octaves = DoubleDouble::from(p[1]);
                shape(Curve::CosineExponential { octaves }, left(x, p[0])) / (p[1].exp2() - 1.0)
            }
        }
    }

    /// Starting points of a search, for a piece of `length` steps.
    #[must_use]
    pub fn grid(self, length: f64) -> Vec<Vec<f64>> {
        let lengths = [0.5, 0.75, 0.95, 1.0, 1.15, 1.6, 3.0, 8.0].map(|share| share * length);
        let powers = [0.5, 1.0, 1.7, 3.0];
        let pairs = |seconds: &[f64]| lengths.iter().flat_map(|&l| seconds.iter().map(move |&s| vec![l, s])).collect();
        match self {
            Self::Hold | Self::Line => vec![vec![]],
            Self::Exponential | Self::ExponentialTo => {
                [-3.0, -0.5, 0.2, 1.0, 4.0, 12.0, 30.0].map(|octaves| vec![octaves / length]).into()
            }
            Self::Cosine => {
                let part = |l: f64| [0.0, 0.1, 0.4, 0.75].map(|share| vec![l, share * l]);
                lengths.into_iter().flat_map(part).collect()
            }
            Self::InverseSqrt | Self::InverseTime => {
                [1e-3, 1e-2, 0.1, 0.5, 2.0, 10.0].map(|share| vec![share * length]).into()
            }
            Self::InversePower => {
                let part = |l: f64| powers.map(|power| vec![l, power]);
                [1e-3, 1e-2, 0.1, 0.5, 2.0].map(|share| share * length).into_iter().flat_map(part).collect()
            }
            Self::Rex => lengths.map(|l| vec![l]).into(),
            Self::Power | Self::CosinePower | Self::BentCosine => pairs(&powers),
            Self::Logistic => {
                let part = |steep: f64| [0.15, 0.3, 0.5, 0.7, 0.9].map(|middle| vec![steep / length, middle * length]);
                [4.0, 12.0, 30.0, 60.0].into_iter().flat_map(part).collect()
            }
            Self::CosineExponential => pairs(&[1e-4, 1.0, 3.0, 6.0]),
            Self::BentPower => {
                // Includes 2, the most common k.
                let bends = [0.5, 1.0, 1.7, 2.0, 3.0];
                let part = |l: f64| bends.into_iter().flat_map(move |k| powers.map(|power| vec![l, k, power]));
                lengths.into_iter().flat_map(part).collect()
            }
        }
    }

    /// Whether a parameter is positive, and hence searched by its logarithm.
    #[must_use]
    pub const fn is_positive(self, parameter: usize) -> bool {
        !matches!((self, parameter), (Self::Exponential | Self::ExponentialTo, 0) | (Self::Cosine | Self::Logistic, 1))
    }

    /// The schedule `base + amplitude·shape` over `steps` steps.
    #[must_use]
    pub fn schedule(self, p: &[f64], base: f64, amplitude: f64, steps: u64) -> Schedule {
        let (start, end) = (base + amplitude * self.value(p, 0.0), base);
        // The value at the start of the whole shape, of which the piece may begin later.
        let whole = base + amplitude;
        let length = p.first().map_or(1, |length| length.round().max(1.0) as u64);
        // A length that is not an integer becomes an integer length on a slower clock.
        let on_clock = |schedule: Schedule, ahead: f64| -> Schedule {
            let divisor = p[0] / length as f64;
            if divisor == 1.0 && ahead == 0.0 {
                return schedule;
            }
            Clock { multiplier: 1.0, ahead, divisor, of: Box::new(schedule) }.into()
        };
        match self {
            Self::Hold => Constant { value: base }.into(),
            Self::Line => Linear { start, end: base + amplitude * steps as f64, steps: steps.max(1) }.into(),
            Self::Exponential => {
                Exponential { start, decay_rate: (-p[0]).exp2(), decay_steps: 1, staircase: false }.into()
            }
            Self::Cosine => on_clock(Cosine { start: whole, end, steps: length }.into(), p[1]),
            Self::InverseSqrt if p[0] == p[0].round() => {
                InverseSqrt { start: start * p[0].sqrt(), timescale: 1, shift: p[0] as u64 }.into()
            }
            Self::InverseSqrt => InversePower { start, timescale: p[0], power: 0.5, staircase: false }.into(),
            Self::InversePower => InversePower { start, timescale: p[0], power: p[1], staircase: false }.into(),
            Self::Power if p[1] == 1.0 => on_clock(Linear { start, end, steps: length }.into(), 0.0),
            Self::Power => on_clock(Polynomial { start, end, steps: length, power: p[1] }.into(), 0.0),
            Self::ExponentialTo => {
                let (steps, last) = (steps.max(1), base + amplitude * self.value(p, steps as f64));
                NormalizedExponential { start, end: last, steps, ratio: (-p[0] * steps as f64).exp2() }.into()
            }
            Self::InverseTime => {
                let of = InverseTime { start: amplitude, decay_rate: 1.0 / p[0], decay_steps: 1, staircase: false };
                if base == 0.0 { of.into() } else { Scale { by: 1.0, of: Box::new(of.into()), offset: base }.into() }
            }
            Self::Rex => on_clock(Rex { start, end, steps: length }.into(), 0.0),
            Self::CosinePower => {
                let form = CosinePowerForm::Normalized;
                on_clock(CosinePower { start, end, steps: length, power: p[1], form }.into(), 0.0)
            }
            Self::CosineExponential => {
                let form = CosinePowerForm::Exponential;
                on_clock(CosinePower { start, end, steps: length, power: p[1].exp2(), form }.into(), 0.0)
            }
            Self::Logistic => {
                let steps = steps.max(1);
                let (steepness, midpoint) = (p[0] * steps as f64 * std::f64::consts::LN_2, p[1] / steps as f64);
                Logistic { start: whole, end, steps, steepness, midpoint }.into()
            }
            Self::BentCosine => {
                let form = KDecayForm::Cosine;
                on_clock(KDecay { start, end, steps: length, k: p[1], form, power: 1.0 }.into(), 0.0)
            }
            Self::BentPower => {
                let form = KDecayForm::Polynomial;
                on_clock(KDecay { start, end, steps: length, k: p[1], form, power: p[2] }.into(), 0.0)
            }
        }
    }
}
