//! Counter-based random numbers: without state, so that any point of a sweep can be computed alone.

use rand_philox::philox4x32_10;

/// The random numbers of one sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Random {
    seed: u64,
}

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// Four random words at an index of a stream: Philox4x32-10 (Salmon et al. 2011) with the seed as its key.
    fn words(self, stream: u64, place: u64) -> [u32; 4] {
        let halves = |number: u64| [number as u32, (number >> 32) as u32];
        let ([a, b], [c, d]) = (halves(place), halves(stream));
        philox4x32_10([a, b, c, d], halves(self.seed))
    }

    /// 64 random bits at an index of a stream.
    pub(super) fn bits(self, stream: u64, place: u64) -> u64 {
        let [low, high, ..] = self.words(stream, place);
        u64::from(low) | u64::from(high) << 32
    }

    /// 32 random bits for a stream as a whole, independent of those at its indices.
    pub(super) fn whole(self, stream: u64) -> u32 {
        self.words(stream, u64::MAX)[2]
    }
}

/// A number strictly between 0 and 1 from the upper 52 bits, in the middle of its interval of 2^-52.
pub(super) fn share(bits: u64) -> f64 {
    ((bits >> 12) as f64 + 0.5) * f64::EPSILON
}

/// The stream of a parameter: a hash of its name, so that adding or removing another parameter changes no value of it.
pub(super) fn stream(name: &str) -> u64 {
    // FNV-1a.
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_is_philox_with_random123s_known_answers() {
        let pi = Random::new(0x299f_31d0_a409_3822);
        let words = pi.words(0x0370_7344_1319_8a2e, 0x85a3_08d3_243f_6a88);
        assert_eq!(words, [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]);
        assert_eq!(Random::new(0).words(0, 0), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
    }

    #[test]
    fn shares_lie_between_0_and_1_and_never_on_them() {
        assert_eq!((share(0), share(u64::MAX)), (f64::EPSILON / 2.0, 1.0 - f64::EPSILON / 2.0));
    }

    #[test]
    fn streams_and_seeds_are_apart() {
        let numbers = |seed, name| (0..64).map(|place| Random::new(seed).bits(stream(name), place)).collect::<Vec<_>>();
        assert_ne!(numbers(1, "a"), numbers(1, "b"));
        assert_ne!(numbers(1, "a"), numbers(2, "a"));
        assert_eq!(numbers(1, "a"), numbers(1, "a"));
    }
}
