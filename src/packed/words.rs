//! 64-bit integers as two words, low word first.

/// A 64-bit integer as two words.
#[must_use]
pub const fn words(n: u64) -> [u32; 2] {
    [n as u32, (n >> 32) as u32]
}

/// The integer that two words represent.
#[must_use]
pub const fn integer(words: [u32; 2]) -> u64 {
    (words[1] as u64) << 32 | words[0] as u64
}
