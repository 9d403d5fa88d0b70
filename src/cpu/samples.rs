//! A curve at many places at once, all the nodes of a block, say: the vector twin of [`Sample`].

use super::lanes::{Phases, exact_sum, product_rest, shapes};
use super::sample::Sample;
use super::simd::{Kernel, Simd};
use crate::double_double::DoubleDouble;
use crate::program::{Segment, Stage};

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

    /// The stage's values, once all of its tracks' are joined.
    pub fn of_stage(mut self, stage: &Stage) -> Self {
        for place in 0..SAMPLES {
            self.set(place, self.at(place).of_stage(stage));
        }
        self
    }
}

/// Joins the values of a segment, at phase counts `middle + half · places[i]`, to what there is of a stage.
pub struct JoinSegment<'a> {
    /// The stage.
    pub stage: &'a Stage,
    /// The segment of one of its tracks.
    pub segment: &'a Segment,
    /// The phase count at place 0.
    pub middle: DoubleDouble,
    /// Phase counts from there to place 1.
    pub half: DoubleDouble,
    /// Where.
    pub places: &'a [f64; SAMPLES],
    /// What there is of the stage.
    pub samples: &'a mut Samples,
}

impl Kernel for JoinSegment<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let segment = self.segment;
        let (middle, half) = (segment.phase(self.middle), self.half * segment.rate);
        let mut phases = Phases { high: [0.0; SAMPLES], low: [0.0; SAMPLES] };
        for (i, place) in self.places.iter().enumerate() {
            let product = half.high() * place;
            let rest = product_rest::<S>(half.high(), *place, product) + half.low() * place;
            let (sum, left) = exact_sum(middle.high(), product);
            (phases.high[i], phases.low[i]) = exact_sum(sum, left + (rest + middle.low()));
        }
        let mut shape = [0.0; SAMPLES];
        let roundings = shapes::<SAMPLES, S>(&segment.curve, &phases, &mut shape);
        for (i, shape) in shape.iter().enumerate() {
            let sample = self.samples.at(i).joined(self.stage, Sample::of_shape(segment, *shape, roundings));
            self.samples.set(i, sample);
        }
    }
}
