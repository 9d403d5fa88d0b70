//! Square roots, exponentials, logarithms, sines and powers of double-doubles.

use super::DoubleDouble;

pub(super) const LOG2_E: DoubleDouble = DoubleDouble { high: std::f64::consts::LOG2_E, low: 2.0355273740931033e-17 };
const HALF_PI: DoubleDouble = DoubleDouble { high: std::f64::consts::FRAC_PI_2, low: 6.123233995736766e-17 };

/// `1/k!` for k = 2 to 28: enough for sine on [0, π/4] and for the reduced exponential.
const INVERSE_FACTORIALS: [DoubleDouble; 27] = [
    DoubleDouble { high: 0.5, low: 0.0 },
    DoubleDouble { high: 0.16666666666666666, low: 9.25185853854297e-18 },
    DoubleDouble { high: 0.041666666666666664, low: 2.3129646346357427e-18 },
    DoubleDouble { high: 0.008333333333333333, low: 1.1564823173178714e-19 },
    DoubleDouble { high: 0.001388888888888889, low: -5.300543954373577e-20 },
    DoubleDouble { high: 0.0001984126984126984, low: 1.7209558293420705e-22 },
    DoubleDouble { high: 2.48015873015873e-05, low: 2.1511947866775882e-23 },
    DoubleDouble { high: 2.7557319223985893e-06, low: -1.858393274046472e-22 },
    DoubleDouble { high: 2.755731922398589e-07, low: 2.3767714622250297e-23 },
    DoubleDouble { high: 2.505210838544172e-08, low: -1.448814070935912e-24 },
    DoubleDouble { high: 2.08767569878681e-09, low: -1.20734505911326e-25 },
    DoubleDouble { high: 1.6059043836821613e-10, low: 1.2585294588752098e-26 },
    DoubleDouble { high: 1.1470745597729725e-11, low: 2.0655512752830745e-28 },
    DoubleDouble { high: 7.647163731819816e-13, low: 7.03872877733453e-30 },
    DoubleDouble { high: 4.779477332387385e-14, low: 4.399205485834081e-31 },
    DoubleDouble { high: 2.8114572543455206e-15, low: 1.6508842730861433e-31 },
    DoubleDouble { high: 1.5619206968586225e-16, low: 1.1910679660273754e-32 },
    DoubleDouble { high: 8.22063524662433e-18, low: 2.2141894119604265e-34 },
    DoubleDouble { high: 4.110317623312165e-19, low: 1.4412973378659527e-36 },
    DoubleDouble { high: 1.9572941063391263e-20, low: -1.3643503830087908e-36 },
    DoubleDouble { high: 8.896791392450574e-22, low: -7.911402614872376e-38 },
    DoubleDouble { high: 3.868170170630684e-23, low: -8.843177655482344e-40 },
    DoubleDouble { high: 1.6117375710961184e-24, low: -3.6846573564509766e-41 },
    DoubleDouble { high: 6.446950284384474e-26, low: -1.9330404233703465e-42 },
    DoubleDouble { high: 2.4795962632247976e-27, low: -1.2953730964765229e-43 },
    DoubleDouble { high: 9.183689863795546e-29, low: 1.4303150396787322e-45 },
    DoubleDouble { high: 3.279889237069838e-30, low: 1.5117542744029879e-46 },
];

/// Halvings of the exponential's argument, undone by squaring.
const EXP_HALVINGS: i32 = 8;
/// Taylor terms of the halved exponential: |y| < 0.0014, so the eleventh is below 2^-120.
const EXP_TERMS: usize = 10;

impl DoubleDouble {
    /// The square root; NaN for negative values.
    #[must_use]
    pub fn sqrt(self) -> Self {
        if self.high == 0.0 {
            return Self::ZERO;
        }
        let root = self.high.sqrt();
        let residual = self - Self::exact_product(root, root);
        Self::renormalized(root, residual.high / (2.0 * root))
    }

    /// 2^self.
    #[must_use]
    pub fn exp2(self) -> Self {
        if self.high >= 1025.0 {
            return Self { high: f64::INFINITY, low: 0.0 };
        }
        if self.high <= -1100.0 {
            return Self::ZERO;
        }
        let whole = self.high.round();
        let fraction = Self::exact_sum(self.high - whole, self.low);
        (fraction.small_exp2_m1() + Self::ONE).scaled_by_power_of_two(whole as i32)
    }

    /// 2^self − 1 without cancellation near zero.
    #[must_use]
    pub fn exp2_m1(self) -> Self {
        if self.high.abs() <= 0.5 { self.small_exp2_m1() } else { self.exp2() - Self::ONE }
    }

    /// 2^self − 1 for |self| at most about one half.
    pub(super) fn small_exp2_m1(self) -> Self {
        let y = (self * Self::LN_2).scaled_by_power_of_two(-EXP_HALVINGS);
        let mut sum = INVERSE_FACTORIALS[EXP_TERMS - 2];
        for term in INVERSE_FACTORIALS[..EXP_TERMS - 2].iter().rev() {
            sum = sum * y + *term;
        }
        let mut expm1 = (sum * y + Self::ONE) * y;
        for _ in 0..EXP_HALVINGS {
            expm1 = expm1 * expm1 + expm1 * 2.0;
        }
        expm1
    }

    /// log2(1 + self) without cancellation near zero; self above −1.
    #[must_use]
    pub fn log2_1p(self) -> Self {
        if self.high == 0.0 {
            return Self::ZERO;
        }
        if self.high <= -0.5 || self.high > 1.0 {
            return (self + Self::ONE).log2();
        }
        self.small_log2_1p()
    }

    /// log2(self) for a positive value.
    #[must_use]
    pub fn log2(self) -> Self {
        if self.high <= 0.0 || !self.high.is_finite() {
            return Self { high: self.high.log2(), low: 0.0 };
        }
        // Subnormal numbers have no exponent field: scale them first.
        let (value, lift) =
            if self.high < f64::MIN_POSITIVE { (self.scaled_by_power_of_two(64), 64) } else { (self, 0) };
        let mut exponent = value.exponent();
        if value.scaled_by_power_of_two(-exponent).high > std::f64::consts::SQRT_2 {
            exponent += 1;
        }
        let mantissa = value.scaled_by_power_of_two(-exponent);
        (mantissa - Self::ONE).small_log2_1p() + f64::from(exponent - lift)
    }

    /// log2(1 + self) on [−½, 1]: one Newton step on `2^y = 1 + self` from the `f64` logarithm.
    fn small_log2_1p(self) -> Self {
        if self.high == 0.0 {
            return Self::ZERO;
        }
        let guess = Self::from(self.high.ln_1p()) * LOG2_E;
        let inverse_m1 = (-guess).exp2_m1();
        let residual = self + inverse_m1 + self * inverse_m1;
        guess + (residual - residual * residual * 0.5) * LOG2_E
    }

    /// sin(π/2 · self) for self in [0, 1].
    #[must_use]
    pub fn sin_half_pi(self) -> Self {
        // Exact values at the ends, which are evaluated most often.
        if self == Self::ZERO || self == Self::ONE {
            return self;
        }
        if self.high > 0.5 { (Self::ONE - self).taylor_cosine() } else { self.taylor_sine() }
    }

    /// sin(π/2 · self) by its Taylor series, self in [0, ½].
    fn taylor_sine(self) -> Self {
        let x = self * HALF_PI;
        // x − x³/3! + x⁵/5! …: the odd factorials, at the odd indices of the table.
        x * Self::alternating_series(x * x, 1)
    }

    /// cos(π/2 · self) by its Taylor series, self in [0, ½].
    fn taylor_cosine(self) -> Self {
        let x = self * HALF_PI;
        Self::alternating_series(x * x, 0)
    }

    /// 1 − t/(2+p)! + t²/(4+p)! − …, for parity p.
    fn alternating_series(t: Self, parity: usize) -> Self {
        let mut sum = Self::ZERO;
        for term in INVERSE_FACTORIALS[parity..].iter().step_by(2).rev() {
            sum = (*term - sum) * t;
        }
        Self::ONE - sum
    }

    /// self^exponent for self ≥ 0; 0^0 is 1.
    #[must_use]
    pub fn powf(self, exponent: Self) -> Self {
        if exponent.high == 0.0 {
            return Self::ONE;
        }
        if self.high == 0.0 {
            return Self::from(if exponent.high > 0.0 { 0.0 } else { f64::INFINITY });
        }
        if exponent == Self::ONE {
            return self;
        }
        (self.log2() * exponent).exp2()
    }
}
