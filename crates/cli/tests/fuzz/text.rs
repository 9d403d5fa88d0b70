//! Changes to texts and bytes that know nothing of what they mean.

use super::random::Random;

/// The most bytes that one change takes or copies.
const MOST_BYTES: usize = 64;

/// Seeds, and the words of the languages that they are in.
pub struct Texts {
    seeds: Vec<Vec<u8>>,
    words: Vec<Vec<u8>>,
}

impl Texts {
    pub fn new(seeds: Vec<Vec<u8>>, words: Vec<Vec<u8>>) -> Self {
        Self { seeds, words }
    }

    /// A seed with a few changes.
    pub fn input(&self, random: &mut Random) -> Vec<u8> {
        let mut bytes = random.choose(&self.seeds).clone();
        self.change(&mut bytes, random);
        while random.one_in(2) {
            self.change(&mut bytes, random);
        }
        bytes
    }

    pub fn change(&self, bytes: &mut Vec<u8>, random: &mut Random) {
        let at = random.below(bytes.len() + 1);
        let end = (at + random.below(MOST_BYTES)).min(bytes.len());
        match random.below(8) {
            0 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            1 if at < bytes.len() => bytes[at] = random.next() as u8,
            2 => drop(bytes.drain(at..end)),
            3 => {
                let copy = bytes[at..end].to_vec();
                (0..=random.below(4)).for_each(|_| drop(bytes.splice(at..at, copy.iter().copied())));
            }
            4 => {
                let other = random.choose(&self.seeds);
                let from = random.below(other.len() + 1);
                let to = (from + random.below(4 * MOST_BYTES)).min(other.len());
                bytes.splice(at..end, other[from..to].iter().copied());
            }
            5 => number(bytes, at, random.choose::<Vec<u8>>(&self.words)),
            _ => drop(bytes.splice(at..at, random.choose(&self.words).iter().copied())),
        }
    }
}

/// Puts a word in the place of the next number.
fn number(bytes: &mut Vec<u8>, from: usize, word: &[u8]) {
    let is_part = |byte: &u8| byte.is_ascii_digit() || *byte == b'.';
    let Some(start) = bytes[from..].iter().position(is_part) else { return };
    let start = from + start;
    let end = bytes[start..].iter().position(|byte| !is_part(byte)).map_or(bytes.len(), |length| start + length);
    bytes.splice(start..end, word.iter().copied());
}
