//! How far each backend may be from the reference: the one table that the checks and the tests hold to.

use crate::double_double::DoubleDouble;
use crate::element::{Dtype, Element};
use crate::engine::Backend;
use crate::program::{Program, Segment, Stage, Track};
use crate::ulp::{in_units_of, spacing_exponent};

/// The most units in the last place that a backend may be off, and why.
#[must_use]
pub const fn bound(backend: Backend, dtype: Dtype) -> f64 {
    match (backend, dtype) {
        // The formula to 100 bits, rounded once; this much for the formula's own last bits.
        (Backend::Reference, _) => 0.500_001,
        // Parameters of 64 bits: a long exponential magnifies what they lack by its octaves.
        (_, Dtype::F64) => 1.0,
        // Correct rounding, of parameters of 64 bits.
        (Backend::Auto | Backend::Cpu, Dtype::F32 | Dtype::F16 | Dtype::Bf16) => 0.500_001,
        // What WGSL lets a driver do to the sum that a block's values are.
        (Backend::Gpu, Dtype::F32) => 2.0,
        // The same, rounded to fewer bits.
        (Backend::Gpu, Dtype::F16 | Dtype::Bf16) => 0.51,
    }
}

/// The most units in the last place that an `f64` of a program may be off.
///
/// The one place for compositions that cannot be within 1.
#[must_use]
pub fn f64_bound(_program: &Program) -> f64 {
    1.0
}

/// [`bound`] for one program.
#[must_use]
pub fn bound_of(program: &Program, backend: Backend, dtype: Dtype) -> f64 {
    match (backend, dtype) {
        (Backend::Auto | Backend::Cpu, Dtype::F64) => f64_bound(program),
        _ => bound(backend, dtype),
    }
}

/// What is allowed for the values of one schedule.
pub(super) struct Allowance {
    pub bound: f64,
    /// The exponent of what is allowed in relation to the largest value, where parts of opposite sign cancel.
    coarse: Option<i32>,
}

impl Allowance {
    pub fn new<T: Element>(bound: f64, backend: Backend, cancels: bool, exact: &[DoubleDouble]) -> Self {
        let sizes = exact.iter().map(|value| value.high().abs()).filter(|size| size.is_finite());
        let largest = sizes.fold(0.0_f64, f64::max);
        let coarse = match backend {
            Backend::Reference => None,
            Backend::Gpu => Some(spacing_exponent(T::DTYPE, largest)),
            // Parameters have 64 bits: 2^-60 of the largest value, whatever the result's type.
            Backend::Auto | Backend::Cpu => Some(spacing_exponent(Dtype::F64, largest) - 8),
        };
        Self { bound, coarse: coarse.filter(|_| cancels) }
    }

    /// How far `got` is off, so that it may be off by the bound: in units in the last place, or where parts of opposite
    /// sign cancel in a unit of the largest value that stands for as many.
    pub fn distance<T: Element>(&self, got: T, exact: DoubleDouble) -> f64 {
        let spacing = spacing_exponent(T::DTYPE, exact.high());
        match self.coarse {
            Some(coarse) if f64::from(coarse - spacing) > self.bound.log2() => {
                in_units_of(coarse, got, exact) * self.bound
            }
            _ => in_units_of(spacing, got, exact),
        }
    }

    /// Whether a distance is allowed.
    pub fn permits(&self, distance: f64) -> bool {
        distance <= self.bound
    }
}

/// Whether parts of opposite sign may cancel.
pub(super) fn cancels(program: &Program) -> bool {
    let opposed = |segment: &Segment| segment.base.high() * segment.amplitude.high() < 0.0;
    program.segments().any(opposed) || program.stages.iter().any(terms_cancel)
}

/// Whether a stage's offset and what is added to it may be of opposite sign, or the tracks of a sum.
fn terms_cancel(stage: &Stage) -> bool {
    let signs = |track: &Track| {
        let numbers = track.segments.iter().flat_map(|segment| [segment.base.high(), segment.amplitude.high()]);
        numbers.fold((false, false), |(below, above), number| (below || number < 0.0, above || number > 0.0))
    };
    let (offset, scale) = (stage.offset.high(), stage.scale.high());
    let (below, above) = stage.tracks.iter().map(signs).fold((false, false), |a, b| (a.0 || b.0, a.1 || b.1));
    if stage.summed && below && above {
        return true;
    }
    offset != 0.0 && (offset * scale < 0.0 || below)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cancels_is_held_to_the_largest_value() {
        let exact = [1.0, 1e-6, 0.0].map(DoubleDouble::from);
        let cancels = Allowance::new::<f32>(2.0, Backend::Gpu, true, &exact);
        let off = |allowance: &Allowance, got: f32, exact: f64| allowance.distance(got, exact.into());
        // One spacing of the largest value is as much as the bound.
        assert_eq!(off(&cancels, f32::EPSILON, 0.0), 2.0);
        assert_eq!(off(&cancels, 1.0 + f32::EPSILON, 1.0), 1.0);
        assert!(cancels.permits(off(&cancels, f32::EPSILON, 0.0)) && !cancels.permits(off(&cancels, 3e-7, 0.0)));
        let plain = Allowance::new::<f32>(2.0, Backend::Gpu, false, &exact);
        assert!(off(&plain, f32::EPSILON, 0.0) > 1e30 && off(&plain, 1e-6_f32.next_up(), 1e-6) < 2.0);
        let huge = Allowance::new::<f64>(1.0, Backend::Cpu, true, &[1e300.into()]);
        assert!(huge.permits(huge.distance(1e280, 0.0.into())) && !huge.permits(huge.distance(1e283, 0.0.into())));
        assert!(!huge.permits(huge.distance(f64::NAN, 0.0.into())));
        assert!(!huge.permits(huge.distance(f64::NAN, f64::NAN.into())));
    }
}
