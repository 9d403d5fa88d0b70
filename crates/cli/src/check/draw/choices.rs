//! The choices from which a random spec is generated: random numbers by their index, or the bytes of a fuzzer.

use rand_philox::philox4x32_10;

/// A source of choices. The least choice is always the plainest, and what is drawn from no more bytes.
#[derive(Clone, Debug)]
pub struct Choices<'b>(Source<'b>);

#[derive(Clone, Debug)]
enum Source<'b> {
    /// Philox4x32-10 with the seed as its key, at places of a stream of a number.
    Random { seed: u64, number: u64, stream: u32, place: u32 },
    /// The unread bytes of a fuzzer.
    Bytes(&'b [u8]),
}

impl Choices<'static> {
    /// The choices of one of a seed's specs: the same whatever else is drawn.
    #[must_use]
    pub fn seeded(seed: u64, number: u64) -> Self {
        Self::of_stream(seed, number, 0)
    }

    /// Choices of the same spec that do not depend on how many others were made.
    pub(crate) fn of_stream(seed: u64, number: u64, stream: u32) -> Self {
        Self(Source::Random { seed, number, stream, place: 0 })
    }
}

impl<'b> Choices<'b> {
    /// The choices that bytes stand for, so that a fuzzer that changes a byte changes a choice.
    #[must_use]
    pub fn from_bytes(bytes: &'b [u8]) -> Self {
        Self(Source::Bytes(bytes))
    }

    /// The next `count ≤ 8` bytes of a choice.
    fn bytes(&mut self, count: usize) -> u64 {
        match &mut self.0 {
            Source::Random { seed, number, stream, place } => {
                let halves = |word: u64| [word as u32, (word >> 32) as u32];
                let [low, high] = halves(*number);
                let [first, second, ..] = philox4x32_10([*place, *stream, low, high], halves(*seed));
                *place += 1;
                u64::from(first) | u64::from(second) << 32
            }
            Source::Bytes(rest) => {
                let (taken, left) = rest.split_at(count.min(rest.len()));
                *rest = left;
                taken.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte))
            }
        }
    }

    /// 64 bits.
    pub(crate) fn bits(&mut self) -> u64 {
        self.bytes(8)
    }

    /// An integer below `end`; 0 for none.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        match end {
            0 | 1 => 0,
            2..=256 => self.bytes(1) % end,
            _ => self.bits() % end,
        }
    }

    /// Whether something happens that does in so many of a hundred cases.
    pub(crate) fn percent(&mut self, of_hundred: u64) -> bool {
        // A byte of 0 is the plainest choice: no.
        self.below(100) >= 100 - of_hundred
    }

    /// In [0, 1).
    pub(crate) fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Even between two numbers.
    pub(crate) fn between(&mut self, least: f64, most: f64) -> f64 {
        least + self.unit() * (most - least)
    }

    /// Ten to a power that is even between two.
    pub(crate) fn power_of_ten(&mut self, least: f64, most: f64) -> f64 {
        10_f64.powf(self.between(least, most))
    }

    /// One of a few.
    pub(crate) fn pick<T: Copy, const N: usize>(&mut self, of: [T; N]) -> T {
        const { assert!(N > 0, "there must be something to pick") };
        of[self.below(N as u64) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_choices_and_what_is_missing_is_the_least() {
        let mut choices = Choices::from_bytes(&[3, 1, 2, 0, 0, 0, 0, 0, 0, 255]);
        assert_eq!((choices.below(5), choices.bits(), choices.below(1000)), (3, 513, 255));
        assert_eq!((choices.below(1000), choices.bits(), choices.percent(99)), (0, 0, false));
        assert!(Choices::from_bytes(&[99]).percent(1));
    }

    #[test]
    fn a_number_has_its_own_choices() {
        let draw = |seed, number| {
            (0..4)
                .map(|_| 0)
                .scan(Choices::seeded(seed, number), |choices, _: i32| Some(choices.bits()))
                .collect::<Vec<_>>()
        };
        assert_eq!(draw(1, 2), draw(1, 2));
        assert!(draw(1, 2) != draw(1, 3) && draw(1, 2) != draw(2, 2));
        let mut choices = Choices::seeded(7, 7);
        let units: Vec<f64> = (0..1000).map(|_| choices.unit()).collect();
        let mean = units.iter().sum::<f64>() / 1000.0;
        assert!((0.45..0.55).contains(&mean) && units.iter().all(|unit| (0.0..1.0).contains(unit)));
    }
}
