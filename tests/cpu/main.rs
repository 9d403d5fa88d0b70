//! The CPU engine: every value is the correctly rounded one, however it was computed.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod bits;
#[path = "../common/cases.rs"]
#[expect(dead_code, reason = "the programs are judged by one bound here, whatever their curve")]
mod common;
mod oracle;
mod programs;
mod shared;
mod short;
mod values;

/// Whether the long versions were asked for.
fn exhaustive() -> bool {
    std::env::var_os("LRGRID_EXHAUSTIVE").is_some_and(|value| value == "1")
}

/// A small generator (SplitMix64), so that a printed seed is all it takes to repeat a run.
struct Random(u64);

impl Random {
    fn seeded() -> Self {
        let seed = std::env::var("LRGRID_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(|| {
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(1, |now| now.as_nanos() as u64)
        });
        println!("LRGRID_SEED={seed}");
        Self(seed)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % limit
    }
}
