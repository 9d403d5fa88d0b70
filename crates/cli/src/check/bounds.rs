//! The error bound of each backend: the one table that the checks and the tests use.

use lrgrid::curve::Curve;
use lrgrid::double_double::{DoubleDouble, Extended};
use lrgrid::element::{Dtype, Element};
use lrgrid::engine::Backend;
use lrgrid::program::{Program, Segment, Stage, Track};
use lrgrid::ulp::{in_units_of, spacing_exponent};

/// The most units in the last place that a backend may be off, and why.
#[must_use]
pub const fn bound(backend: Backend, dtype: Dtype) -> f64 {
    match (backend, dtype) {
        // The formula to 100 bits, rounded once; this much for the formula's own last bits.
        (Backend::Reference, _) => 0.500_001,
        // Rounding, and as much again for what the heights (85 bits) and the curves (about 70) lack.
        (_, Dtype::F64) => 1.0,
        // Correct rounding, of parameters of 64 bits.
        (Backend::Auto | Backend::Cpu, Dtype::F32 | Dtype::F16 | Dtype::Bf16) => 0.500_001,
        // What WGSL lets a driver do to the sum that a block's values are.
        (Backend::Gpu, Dtype::F32) => 2.0,
        // The same, rounded to fewer bits.
        (Backend::Gpu, Dtype::F16 | Dtype::Bf16) => 0.51,
    }
}

/// What is allowed for the values of one schedule.
pub(super) struct Allowance {
    pub bound: f64,
    /// The exponent of what is allowed in relation to the largest terms, where terms of opposite sign cancel.
    coarse: Option<i32>,
}

impl Allowance {
    /// What is allowed where the terms that cancel are as large as `terms`; nothing where none do.
    pub fn new<T: Element>(bound: f64, backend: Backend, terms: Option<f64>) -> Self {
        let coarse = |terms| match backend {
            Backend::Reference => None,
            Backend::Gpu => Some(spacing_exponent(T::DTYPE, terms)),
            // Heights have 85 bits, the curves of an f64 about 70: 2^-60 of the largest term, whatever the result's type.
            Backend::Auto | Backend::Cpu => Some(spacing_exponent(Dtype::F64, terms) - 8),
        };
        Self { bound, coarse: terms.and_then(coarse) }
    }

    /// How far `got` is off, so that it may be off by the bound: in units in the last place, or where parts of opposite
    /// sign cancel in a unit of the largest value that stands for as many.
    pub fn distance<T: Element>(&self, got: T, exact: DoubleDouble) -> f64 {
        let spacing = spacing_exponent(T::DTYPE, exact.high());
        match self.coarse {
            Some(coarse) if f64::from(coarse - spacing) > self.bound.log2() => {
                let value = got.to_f64();
                // What is allowed may be beyond the type's range.
                let off = if value.is_finite() {
                    (DoubleDouble::from(value) - exact).abs().scaled_by_power_of_two(-coarse).high()
                } else {
                    in_units_of(coarse, got, exact)
                };
                off * self.bound
            }
            _ => in_units_of(spacing, got, exact),
        }
    }

    /// Whether a distance is allowed.
    pub fn permits(&self, distance: f64) -> bool {
        distance <= self.bound
    }
}

/// The size of the largest terms that a program adds up at some steps; nothing where none of opposite sign cancel.
pub(super) fn cancelling_terms(program: &Program, steps: impl Iterator<Item = u64>) -> Option<f64> {
    let opposed = |segment: &Segment| {
        segment.base.high().signum() != move_of(segment).signum() && segment.base != DoubleDouble::ZERO
    };
    let cancels = program.segments().any(opposed) || program.stages().iter().any(terms_cancel);
    let sizes = steps.map(|step| terms_at(program, step)).filter(|size| size.is_finite());
    cancels.then(|| sizes.fold(0.0_f64, f64::max))
}

/// A number of the sign of what a segment adds to its base.
fn move_of(segment: &Segment) -> f64 {
    match segment.curve {
        // The one curve whose shape may be below 0.
        Curve::CosineExponential { octaves } if octaves < DoubleDouble::ZERO => -segment.amplitude.high(),
        _ => segment.amplitude.high(),
    }
}

/// The sum of the sizes of all that is added up for the value at a step.
fn terms_at(program: &Program, step: u64) -> f64 {
    let tick = step / program.quantum();
    let stage = program.stage_at(tick);
    let of_track = |track: &Track| {
        let (at, _) = track.repetition.fold(tick - stage.start + track.advance);
        let segment = track.segment_at(at);
        let value: Extended = segment.value_at(segment.phase_count(at).into());
        let (base, clamped) = (Extended::from(segment.base), track.clamp.apply(value));
        if clamped == value { base.abs() + (value - base).abs() } else { clamped.abs() }
    };
    let tracks = stage.tracks.iter().map(of_track);
    let joined = if stage.summed {
        tracks.fold(Extended::ZERO, |sum, size| sum + size)
    } else {
        tracks.fold(Extended::ONE, |product, size| product * size)
    };
    (Extended::from(stage.offset).abs() + Extended::from(stage.scale).abs() * joined).high()
}

/// Whether a stage's offset and what is added to it may be of opposite sign, or the tracks of a sum.
fn terms_cancel(stage: &Stage) -> bool {
    let signs = |track: &Track| {
        let numbers = track.segments.iter().flat_map(|segment| [segment.base.high(), move_of(segment)]);
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
    fn what_cancels_is_held_to_the_largest_terms() {
        let cancels = Allowance::new::<f32>(2.0, Backend::Gpu, Some(1.0));
        let off = |allowance: &Allowance, got: f32, exact: f64| allowance.distance(got, exact.into());
        // One spacing of the largest value is as much as the bound.
        assert_eq!(off(&cancels, f32::EPSILON, 0.0), 2.0);
        assert_eq!(off(&cancels, 1.0 + f32::EPSILON, 1.0), 1.0);
        assert!(cancels.permits(off(&cancels, f32::EPSILON, 0.0)) && !cancels.permits(off(&cancels, 3e-7, 0.0)));
        let plain = Allowance::new::<f32>(2.0, Backend::Gpu, None);
        assert!(off(&plain, f32::EPSILON, 0.0) > 1e30 && off(&plain, 1e-6_f32.next_up(), 1e-6) < 2.0);
        let huge = Allowance::new::<f64>(1.0, Backend::Cpu, Some(1e300));
        assert!(huge.permits(huge.distance(1e280, 0.0.into())) && !huge.permits(huge.distance(1e283, 0.0.into())));
        assert!(!huge.permits(huge.distance(f64::NAN, 0.0.into())));
        assert!(!huge.permits(huge.distance(f64::NAN, f64::NAN.into())));
    }
}
