//! A curve at many places at once, all the nodes of a block, say: the vector twin of [`Sample`].

use super::dispatch::Kernel;
use super::lanes::{Phases, exact_sum, product_rest, shapes};
use super::sample::Sample;
use crate::double_double::DoubleDouble;
use crate::program::Segment;

/// How many samples are taken at a time: as many as fill whole vectors.
pub const SAMPLES: usize = 16;

/// A [`Sample`] at each of so many places.
#[derive(Clone, Debug)]
pub struct Samples {
    /// The approximations.
    pub values: [f64; SAMPLES],
    /// Sums of the absolute values of what was added up.
    pub magnitudes: [f64; SAMPLES],
    /// Bounds on the errors.
    pub slacks: [f64; SAMPLES],
}

impl Samples {
    /// The same everywhere.
    pub fn constant(sample: Sample) -> Self {
        Self {
            values: [sample.value; SAMPLES],
            magnitudes: [sample.magnitude; SAMPLES],
            slacks: [sample.slack; SAMPLES],
        }
    }

    /// One of them.
    #[inline(always)]
    pub fn at(&self, place: usize) -> Sample {
        Sample { value: self.values[place], magnitude: self.magnitudes[place], slack: self.slacks[place] }
    }

    /// Changes one of them.
    #[inline(always)]
    pub fn set(&mut self, place: usize, sample: Sample) {
        (self.values[place], self.magnitudes[place], self.slacks[place]) =
            (sample.value, sample.magnitude, sample.slack);
    }

    /// Adds a number.
    pub fn add(&mut self, term: Sample) {
        for place in 0..SAMPLES {
            self.set(place, term.plus(self.at(place)));
        }
    }
}

/// Multiplies samples by the values of a segment, at phase counts `middle + half · places[i]`.
pub struct MultiplyBySegment<'a> {
    /// The segment.
    pub segment: &'a Segment,
    /// The phase count at place 0.
    pub middle: DoubleDouble,
    /// Phase counts from there to place 1.
    pub half: DoubleDouble,
    /// Where.
    pub places: &'a [f64; SAMPLES],
    /// What is multiplied.
    pub samples: &'a mut Samples,
}

impl Kernel for MultiplyBySegment<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool, const STORE: usize>(self) {
        let segment = self.segment;
        let (middle, half) = (self.middle * segment.rate, self.half * segment.rate);
        let mut phases = Phases { high: [0.0; SAMPLES], low: [0.0; SAMPLES] };
        for (i, place) in self.places.iter().enumerate() {
            let product = half.high() * place;
            let rest = product_rest::<FUSED>(half.high(), *place, product) + half.low() * place;
            let (sum, left) = exact_sum(middle.high(), product);
            (phases.high[i], phases.low[i]) = exact_sum(sum, left + (rest + middle.low()));
        }
        let mut shape = [0.0; SAMPLES];
        let roundings = shapes::<SAMPLES, FUSED>(&segment.curve, &phases, &mut shape);
        for (i, shape) in shape.iter().enumerate() {
            let sample = self.samples.at(i).times(Sample::of_shape(segment, *shape, roundings));
            self.samples.set(i, sample);
        }
    }
}
