//! The curves on many phases at once: the vector twin of [`Curve::shape`], in `f64`, with bounds on its error.

mod arithmetic;
mod exponential;
mod logarithm;
mod sine;

pub use arithmetic::{exact_sum, multiply_add, nearest_integer, product_rest};

use crate::cpu::simd::Simd;
use crate::curve::Curve;
use exponential::{EXP2_M1_ROUNDINGS, EXP2_ROUNDINGS, exp2, exp2_m1};
use logarithm::{BENT_ROUNDINGS, bent, power, power_roundings};
use sine::{SINE_SQUARED_ROUNDINGS, sin_squared_half_pi};

/// Phases, each the sum of an `f64` and what its rounding left over.
#[derive(Clone, Copy, Debug)]
pub struct Phases<const N: usize> {
    /// The phases.
    pub high: [f64; N],
    /// The rest, at most 2^-52 of them; known to 2^-104 of the phase.
    pub low: [f64; N],
}

/// Writes the shape at every phase, and returns a bound on the relative error of each in units of 2^-53.
///
/// Shapes below 1e-290 may be off by as much instead; beyond 1e290 they are only known to be large. A phase
/// that [`crate::program`] cannot produce may give NaN, which tells nothing.
#[inline(always)]
pub fn shapes<const N: usize, S: Simd>(curve: &Curve, phases: &Phases<N>, out: &mut [f64; N]) -> f64 {
    let Phases { high, low } = phases;
    match *curve {
        Curve::Hold => {
            *out = [1.0; N];
            0.0
        }
        Curve::Linear => {
            *out = *high;
            1.0
        }
        Curve::Power { exponent, warp } => {
            if warp == 1.0 {
                return powers::<N, S>(high, low, 0.0, exponent, out);
            }
            let mut bases = [0.0; N];
            for i in 0..N {
                bases[i] = bent::<S>(high[i], low[i], warp);
            }
            powers::<N, S>(&bases, &[0.0; N], BENT_ROUNDINGS, exponent, out)
        }
        Curve::Cosine => {
            for i in 0..N {
                out[i] = sin_squared_half_pi::<S>(high[i]);
            }
            SINE_SQUARED_ROUNDINGS
        }
        Curve::CosinePower { exponent, warp } => {
            let mut bases = [0.0; N];
            if warp == 1.0 {
                for i in 0..N {
                    bases[i] = sin_squared_half_pi::<S>(high[i]);
                }
                return powers::<N, S>(&bases, &[0.0; N], SINE_SQUARED_ROUNDINGS, exponent, out);
            }
            for i in 0..N {
                bases[i] = sin_squared_half_pi::<S>(bent::<S>(high[i], low[i], warp));
            }
            // The sine's bound has the rounding of its argument, twice, in it.
            let roundings = SINE_SQUARED_ROUNDINGS + 2.0 * (BENT_ROUNDINGS - 1.0);
            powers::<N, S>(&bases, &[0.0; N], roundings, exponent, out)
        }
        Curve::CosineExponential { octaves } => {
            let (octaves, rest) = (octaves.high(), octaves.low());
            for i in 0..N {
                let sine = sin_squared_half_pi::<S>(high[i]);
                let product = octaves * sine;
                out[i] = exp2_m1::<S>(product, product_rest::<S>(octaves, sine, product) + rest * sine);
            }
            // The condition number of 2^x − 1 is at most 1 + x·ln 2, and at most 1 below 0.
            SINE_SQUARED_ROUNDINGS * (1.0 + 0.7 * octaves.max(0.0)) + EXP2_M1_ROUNDINGS
        }
        Curve::Exponential => {
            for i in 0..N {
                out[i] = exp2::<S>(high[i], low[i]);
            }
            EXP2_ROUNDINGS
        }
        Curve::ExponentialMinusOne => {
            for i in 0..N {
                out[i] = exp2_m1::<S>(high[i], low[i]).abs();
            }
            EXP2_M1_ROUNDINGS
        }
        Curve::Logistic { offset } => {
            let (offset, rest) = (offset.high(), offset.low());
            for i in 0..N {
                let (sum, left) = exact_sum(offset, high[i]);
                out[i] = 1.0 / (1.0 + exp2::<S>(sum, left + (rest + low[i])));
            }
            // And the sum's and the quotient's.
            EXP2_ROUNDINGS + 2.0
        }
        Curve::Rational { rising } => {
            for i in 0..N {
                let above = if rising { high[i] } else { 1.0 };
                out[i] = above / (1.0 + high[i]);
            }
            // The phase's, the sum's and the quotient's, that of the phase twice at most.
            4.0
        }
    }
}

/// `base^exponent`, from the error that the bases come with beyond `low`.
#[inline(always)]
fn powers<const N: usize, S: Simd>(
    high: &[f64; N],
    low: &[f64; N],
    roundings: f64,
    exponent: f64,
    out: &mut [f64; N],
) -> f64 {
    // These few need no logarithm. They leave `low` out, which is one rounding more.
    let plain = (roundings + 1.0) * exponent.abs();
    if exponent == 0.0 {
        *out = [1.0; N];
        return 0.0;
    } else if exponent == 1.0 {
        *out = *high;
        return plain;
    } else if exponent == 2.0 {
        for i in 0..N {
            out[i] = high[i] * high[i];
        }
        return plain + 1.0;
    } else if exponent == 3.0 {
        for i in 0..N {
            out[i] = high[i] * high[i] * high[i];
        }
        return plain + 2.0;
    } else if exponent == 0.5 {
        for i in 0..N {
            out[i] = high[i].sqrt();
        }
        return plain + 1.0;
    } else if exponent == -0.5 {
        for i in 0..N {
            out[i] = 1.0 / high[i].sqrt();
        }
        return plain + 2.0;
    }
    for i in 0..N {
        out[i] = power::<S>(high[i], low[i], exponent);
    }
    roundings * exponent.abs() + power_roundings(exponent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::simd::{Kernel, Level};
    use crate::double_double::DoubleDouble;

    /// [`shapes`] as a kernel.
    struct Shapes<'a, const N: usize> {
        curve: &'a Curve,
        phases: &'a Phases<N>,
        out: &'a mut [f64; N],
    }

    impl<const N: usize> Kernel for Shapes<'_, N> {
        type Output = f64;

        #[inline(always)]
        fn run<S: Simd>(self, _: S) -> f64 {
            shapes::<N, S>(self.curve, self.phases, self.out)
        }
    }

    const N: usize = 16;

    /// A curve, and the phases it is used at.
    fn curves() -> Vec<(Curve, f64)> {
        let mut curves = vec![(Curve::Hold, 1.0), (Curve::Linear, 1e9), (Curve::Cosine, 1.0)];
        for exponent in [0.0, 0.3, 0.5, 1.0, 1.7, 2.0, 3.0, 9.5, 40.0, 300.0] {
            for warp in [1.0, 1e-3, 0.4, 0.9, 3.0, 50.0] {
                if exponent > 100.0 && warp < 1.0 {
                    // All of it underflows.
                    continue;
                }
                curves.push((Curve::Power { exponent, warp }, 1.0));
                curves.push((Curve::CosinePower { exponent, warp }, 1.0));
            }
            curves.push((Curve::Power { exponent, warp: 1.0 }, 1e6));
        }
        curves.extend([-0.5, -1.0, -0.3].map(|exponent| (Curve::Power { exponent, warp: 1.0 }, 1e12)));
        curves.extend(
            [0.1, 3.3, 40.0, 700.0, -0.2, -30.0, -800.0]
                .map(|octaves| (Curve::CosineExponential { octaves: octaves.into() }, 1.0)),
        );
        curves.extend([1.0, -1.0, 900.0, -900.0].map(|most| (Curve::Exponential, most)));
        curves.extend([1e-6, 1.0, -1.0, 900.0, -900.0].map(|most| (Curve::ExponentialMinusOne, most)));
        for offset in [-30.0, -0.5, 0.0, 4.0, 1e3] {
            let offset = DoubleDouble::from(offset) / DoubleDouble::from(3.0);
            curves.extend([40.0, -40.0, 700.0].map(|most| (Curve::Logistic { offset }, most)));
        }
        curves.extend([true, false].map(|rising| (Curve::Rational { rising }, 1e4)));
        curves
    }

    /// Phases up to `most`: random ones, quotients of steps, both ends and where a logarithm changes its exponent.
    fn phases(most: f64, random: &mut u64) -> Vec<DoubleDouble> {
        let mut next = || {
            *random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *random >> 11
        };
        let whole = 1_u64 << 53;
        let mut units: Vec<DoubleDouble> = Vec::new();
        for count in [1, 2, 3, whole / 2, whole / 2 + 1, whole - 2, whole - 1] {
            units.push(DoubleDouble::from(count) / DoubleDouble::from(whole - 1));
        }
        for edge in [0.5, std::f64::consts::FRAC_1_SQRT_2, 1.0 - std::f64::consts::FRAC_1_SQRT_2] {
            units.extend([edge.next_down(), edge, edge.next_up()].map(DoubleDouble::from));
        }
        units.push(DoubleDouble::ONE);
        while units.len() < 512 {
            let scale = DoubleDouble::from(1u64 << (next() % 50));
            units.push(DoubleDouble::from(next()) / DoubleDouble::from(whole) / scale);
            let length = 1 + next() % (1 << (1 + next() % 52));
            units.push(DoubleDouble::from(next() % (length + 1)) / DoubleDouble::from(length));
            // As close to 1 as a whole step can be, and further off.
            let off = DoubleDouble::from((1 + next() % 999) << (next() % 43));
            units.push(DoubleDouble::ONE - off / DoubleDouble::from(whole));
        }
        units.into_iter().map(|unit| unit * most).collect()
    }

    /// The largest error over its bound, and the largest bound.
    fn worst(curve: &Curve, phases: &[DoubleDouble], shapes: impl Fn(&Phases<N>, &mut [f64; N]) -> f64) -> (f64, f64) {
        let (mut worst, mut largest) = (0f64, 0f64);
        for chunk in phases.chunks_exact(N) {
            let lanes =
                Phases { high: std::array::from_fn(|i| chunk[i].high()), low: std::array::from_fn(|i| chunk[i].low()) };
            let mut out = [0.0; N];
            let roundings = shapes(&lanes, &mut out);
            largest = largest.max(roundings);
            for (phase, got) in chunk.iter().zip(out) {
                let exact: DoubleDouble = curve.shape(*phase);
                if exact.high() > 1e290 {
                    assert!(got > 1e290, "{got:e} at {phase:?} of {curve:?}");
                    continue;
                }
                let error = ((DoubleDouble::from(got) - exact).abs().high() - 1e-290).max(0.0);
                let units = if error == 0.0 { 0.0 } else { error / exact.high().abs() * (1u64 << 53) as f64 };
                assert!(units <= roundings, "{units} roundings of {roundings} at {phase:?} of {curve:?}");
                worst = worst.max(units / roundings.max(f64::MIN_POSITIVE));
            }
        }
        (worst, largest)
    }

    #[test]
    fn shapes_are_within_their_bounds_at_every_level() {
        let seed = std::env::var("LRGRID_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_124);
        println!("LRGRID_SEED={seed}");
        let mut random = seed;
        for (curve, most) in curves() {
            let mut phases = phases(most, &mut random);
            // A negative power never meets 0.
            let pole = matches!(curve, Curve::Power { exponent, .. } if exponent < 0.0);
            phases.retain(|phase| !pole || phase.high() > 0.0);
            let (mut tightest, mut largest) = (0f64, 0f64);
            for level in Level::available() {
                let (part, bound) =
                    worst(&curve, &phases, |phases, out| level.run(Shapes { curve: &curve, phases, out }));
                println!("{curve:?} to {most} at {level:?}: {part:.3} of {bound:.1} roundings");
                (tightest, largest) = (tightest.max(part), largest.max(bound));
            }
            // A bound of 0 or 1 is as small as one can be.
            assert!(largest <= 1.0 || tightest > 0.1, "a bound {tightest} times the worst error of {curve:?} is loose");
        }
    }

    #[test]
    fn zero_and_one_are_met_exactly() {
        for level in Level::available() {
            for (exponent, warp) in [(0.4, 1.0), (1.7, 1.0), (0.3, 2.5), (1.0, 0.2), (7.7, 0.05)] {
                for curve in [Curve::Power { exponent, warp }, Curve::CosinePower { exponent, warp }, Curve::Cosine] {
                    let mut out = [f64::NAN; 2];
                    let phases = Phases { high: [0.0, 1.0], low: [0.0; 2] };
                    level.run(Shapes { curve: &curve, phases: &phases, out: &mut out });
                    assert_eq!(out.map(f64::to_bits), [0, 1f64.to_bits()], "{curve:?} at {level:?}");
                }
            }
        }
    }

    #[test]
    fn what_is_too_small_for_a_logarithm_is_not_told() {
        let curve = Curve::Power { exponent: 0.01, warp: 1.0 };
        let mut out = [0.0; 1];
        let phases = Phases { high: [1e-310], low: [0.0] };
        Level::BASELINE.run(Shapes { curve: &curve, phases: &phases, out: &mut out });
        assert!(out[0].is_nan());
    }
}
