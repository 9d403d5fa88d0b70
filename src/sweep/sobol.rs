//! The Sobol sequence with Owen's scrambling; any point is computable from its index.
//!
//! Direction numbers (Joe & Kuo 2008) and the scrambling hash (Burley 2020) are those of the crate `sobol_burley`,
//! whose own sequence ends after 2^16 points; here the recurrence of the direction vectors continues it.

use std::sync::Arc;

use sobol_burley::NUM_DIMENSIONS;
use sobol_burley::parts::{owen_scramble_rev, sobol_rev};

/// The most parameters a Sobol sweep may have.
pub(super) const MAX_DIMENSIONS: usize = NUM_DIMENSIONS as usize;

/// Number of direction vectors taken from the crate.
const GIVEN: usize = 16;

/// One dimension of the sequence.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Dimension {
    vectors: Arc<[u32; 32]>,
    scramble: u32,
}

impl Dimension {
    /// The point at an index below 2^32, as a fraction of 2^32.
    pub(super) fn at(&self, index: u32) -> u32 {
        let mut rest = index;
        let mut point = 0;
        while rest != 0 {
            point ^= self.vectors[rest.trailing_zeros() as usize];
            rest &= rest - 1;
        }
        owen_scramble_rev(point.reverse_bits(), self.scramble).reverse_bits()
    }
}

/// The first dimensions, each scrambled by one of these words.
pub(super) fn dimensions(scrambles: &[u32]) -> Vec<Dimension> {
    // The first dimension is van der Corput's, the others have a polynomial each.
    let polynomials = std::iter::once(None).chain(primitive_polynomials().map(Some));
    let of = |((dimension, polynomial), &scramble)| Dimension { vectors: vectors(dimension, polynomial), scramble };
    (0..NUM_DIMENSIONS).zip(polynomials).zip(scrambles).map(of).collect()
}

fn vectors(dimension: u32, polynomial: Option<Polynomial>) -> Arc<[u32; 32]> {
    let mut vectors = [0; 32];
    for (k, vector) in vectors.iter_mut().enumerate().take(GIVEN) {
        *vector = sobol_rev((1_u32 << k).reverse_bits(), dimension).reverse_bits();
    }
    for k in GIVEN..32 {
        vectors[k] = polynomial.map_or(1 << (31 - k), |polynomial| polynomial.next(&vectors[..k]));
    }
    Arc::new(vectors)
}

/// A primitive polynomial over the field of two elements.
#[derive(Clone, Copy, Debug)]
struct Polynomial {
    degree: usize,
    /// Bit n is the coefficient of x^n.
    bits: u32,
}

impl Polynomial {
    /// The next direction vector, by the recurrence.
    fn next(self, before: &[u32]) -> u32 {
        let nth_last = |n: usize| before[before.len() - n];
        let oldest = nth_last(self.degree);
        let middle = (1..self.degree).filter(|k| self.bits >> (self.degree - k) & 1 == 1);
        middle.fold(oldest ^ oldest >> self.degree, |sum, k| sum ^ nth_last(k))
    }

    /// Whether the polynomial is primitive: the powers of x reach every nonzero element before they return to 1.
    fn is_primitive(self) -> bool {
        let (mut power, mut order) = (1_u32, 0_u32);
        loop {
            power <<= 1;
            if power >> self.degree & 1 == 1 {
                power ^= self.bits;
            }
            order += 1;
            if power <= 1 {
                return power == 1 && order == (1 << self.degree) - 1;
            }
        }
    }
}

/// Primitive polynomials in ascending order, which is that of Joe and Kuo's dimensions.
fn primitive_polynomials() -> impl Iterator<Item = Polynomial> {
    (1..GIVEN).flat_map(|degree| {
        let middles = 0..1_u32 << (degree - 1);
        middles
            .map(move |middle| Polynomial { degree, bits: 1 << degree | middle << 1 | 1 })
            .filter(|polynomial| polynomial.is_primitive())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recurrence_yields_the_librarys_own_vectors() {
        let polynomials: Vec<Polynomial> = primitive_polynomials().take(MAX_DIMENSIONS - 1).collect();
        assert_eq!(polynomials.len(), MAX_DIMENSIONS - 1);
        for (dimension, polynomial) in (1..).zip(polynomials) {
            let vectors = vectors(dimension, Some(polynomial));
            for k in polynomial.degree..GIVEN {
                assert_eq!(polynomial.next(&vectors[..k]), vectors[k], "vector {k} of dimension {dimension}");
            }
        }
    }

    #[test]
    fn every_dimension_is_stratified_at_every_power_of_two() {
        let scrambles: Vec<u32> = (0..40).map(|n: u32| n.wrapping_mul(0x9e37_79b9) ^ 0x5bd1_e995).collect();
        for dimension in dimensions(&scrambles) {
            for bits in [1, 4, 10, 17] {
                // The second run of 2^bits points too: any such run has one point in each interval.
                for first in [0, 1 << bits] {
                    let mut hit = vec![false; 1 << bits];
                    (first..first + (1 << bits)).for_each(|index| {
                        hit[(dimension.at(index) >> (32 - bits)) as usize] = true;
                    });
                    assert!(hit.iter().all(|&hit| hit), "{bits} bits from {first}");
                }
            }
        }
    }

    #[test]
    fn pairs_of_dimensions_are_stratified_beyond_the_librarys_length() {
        // The first two dimensions are a net of quality 0: one point in each box of area 2^-18.
        let pair = dimensions(&[0x1234_5678, 0x9abc_def0]);
        let mut hit = vec![false; 1 << 18];
        for index in 0..1 << 18 {
            let [x, y] = [0, 1].map(|n| pair[n].at(index) >> (32 - 9));
            hit[(x << 9 | y) as usize] = true;
        }
        assert!(hit.iter().all(|&hit| hit));
    }
}
