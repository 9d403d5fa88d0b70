//! Random numbers from a seed that is printed.

/// SplitMix64: `LRGRID_SEED` sets its start, which is printed.
pub struct Random(u64);

impl Random {
    /// The random sequence of a seed.
    pub fn of(seed: u64) -> Self {
        Self(seed)
    }

    /// A different sequence every time, unless `LRGRID_SEED` is set.
    pub fn fresh() -> Self {
        let now = || std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let seed = std::env::var("LRGRID_SEED").ok().and_then(|seed| seed.parse().ok());
        let seed = seed.unwrap_or_else(|| now().map_or(1, |now| now.as_nanos() as u64));
        println!("LRGRID_SEED={seed}");
        Self(seed)
    }

    /// Always the same sequence, unless `LRGRID_SEED` is set.
    pub fn fixed() -> Self {
        let seed = std::env::var("LRGRID_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_124);
        println!("LRGRID_SEED={seed}");
        Self(seed)
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// An integer below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.bits() % end.max(1)
    }

    /// A number in [0, 1).
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / 2f64.powi(53)
    }

    /// A number that is uniform in the logarithm.
    pub fn log_uniform(&mut self, least: f64, most: f64) -> f64 {
        (least.ln() + self.unit() * (most / least).ln()).exp()
    }
}
