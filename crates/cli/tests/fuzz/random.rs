//! Numbers that depend on a seed and a place only, so that any input can be made again by itself.

/// The testkit's random numbers, of one input of a run.
pub struct Random(lrgrid_testkit::Random);

impl Random {
    /// Of one input of a run.
    pub fn at(seed: u64, target: &str, index: u64) -> Self {
        let mut random = Self::of(seed);
        for part in target.bytes().map(u64::from).chain([index]) {
            random = Self::of(random.next() ^ part);
        }
        random
    }

    fn of(seed: u64) -> Self {
        Self(lrgrid_testkit::Random::of(seed))
    }

    pub fn next(&mut self) -> u64 {
        self.0.bits()
    }

    /// An integer below `end`, or 0.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    /// Whether something that happens once in so many times happens.
    pub fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub fn choose<'t, T>(&mut self, from: &'t [T]) -> &'t T {
        &from[self.below(from.len())]
    }

    pub fn bytes(&mut self, most: usize) -> Vec<u8> {
        (0..self.below(most + 1)).map(|_| self.next() as u8).collect()
    }
}
