//! A cache of the lists of segments that a batch stored last, so that programs of one timing share theirs.
//!
//! A *run* here is the consecutive segments of one program in the batch's table.

use std::ops::Range;

use super::{PackedSegment, integer};

/// Number of runs kept: more than the timings that a sweep usually alternates between, and few enough for the cache.
const SLOTS: usize = 1 << 10;

/// The places of the runs stored last. A run that was evicted is stored again: that takes space and changes no value.
#[derive(Debug)]
pub struct Runs {
    /// For each remainder of the hash, the last run stored.
    slots: Box<[Slot; SLOTS]>,
    /// The hashes of all runs stored in the table, in order.
    hashes: Vec<u64>,
}

#[derive(Clone, Debug)]
struct Slot {
    hash: u64,
    run: Range<u32>,
}

impl Slot {
    const EMPTY: Self = Self { hash: 0, run: 0..0 };
}

impl Default for Runs {
    fn default() -> Self {
        Self { slots: Box::new([Slot::EMPTY; SLOTS]), hashes: Vec::new() }
    }
}

impl Runs {
    /// The index of a run in a table; the run is appended if it is not in the cache.
    pub fn place(&mut self, run: &[PackedSegment], table: &mut Vec<PackedSegment>) -> u32 {
        self.place_hashed(hash(run), run, table)
    }

    /// As [`Runs::place`], for a run whose hash is known.
    pub fn place_hashed(&mut self, hash: u64, run: &[PackedSegment], table: &mut Vec<PackedSegment>) -> u32 {
        // An empty run has no place; index 0 stands for it.
        if run.is_empty() {
            return 0;
        }
        let slot = &mut self.slots[hash as usize % SLOTS];
        // Compare the hash first: reading the large table is slow.
        let known = slot.hash == hash && table.get(slot.run.start as usize..slot.run.end as usize) == Some(run);
        if !known {
            *slot = Slot { hash, run: table.len() as u32..(table.len() + run.len()) as u32 };
            table.extend_from_slice(run);
            self.hashes.push(hash);
        }
        slot.run.start
    }

    /// The hashes of the runs stored in the table, in order.
    pub fn hashes(&self) -> &[u64] {
        &self.hashes
    }

    /// Empties the cache.
    pub fn clear(&mut self) {
        self.slots.fill(Slot::EMPTY);
        self.hashes.clear();
    }
}

fn hash(run: &[PackedSegment]) -> u64 {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    const _: () = assert!(size_of::<PackedSegment>().is_multiple_of(size_of::<u64>()));
    let (pairs, _) = bytemuck::cast_slice::<_, u32>(run).as_chunks::<2>();
    let mix = |hash: u64, pair: &[u32; 2]| (hash.rotate_left(5) ^ integer(*pair)).wrapping_mul(ODD);
    // The upper bits are mixed better.
    pairs.iter().fold(run.len() as u64, mix).rotate_right(u64::BITS - SLOTS.trailing_zeros())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(length: u32) -> [PackedSegment; 2] {
        let segment = PackedSegment { length: [length, 0], ..bytemuck::Zeroable::zeroed() };
        [segment, PackedSegment { start: [length, 0], ..segment }]
    }

    #[test]
    fn what_comes_again_is_stored_once() {
        let (mut runs, mut table) = (Runs::default(), Vec::new());
        let first: Vec<u32> = (0..100).map(|length| runs.place(&run(length), &mut table)).collect();
        let again: Vec<u32> = (0..100).map(|length| runs.place(&run(length), &mut table)).collect();
        for (length, (&first, &again)) in first.iter().zip(&again).enumerate() {
            assert_eq!(table[first as usize..][..2], run(length as u32));
            assert_eq!(table[again as usize..][..2], run(length as u32));
        }
        // Two runs may have the same hash.
        let stored = table.len() / 2;
        assert!((100..120).contains(&stored), "{stored}");
        // A part of a run is a different run.
        assert_eq!(runs.place(&run(5)[..1], &mut table) as usize, 2 * stored);
        runs.clear();
        assert_eq!(runs.place(&run(5), &mut table) as usize, 2 * stored + 1);
        assert_eq!(runs.place(&[], &mut table), 0);
    }
}
