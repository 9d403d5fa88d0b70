//! Which runs of segments a batch has had lately, so that programs of one timing share theirs.

use std::ops::Range;

use super::{PackedSegment, integer};

/// Runs that are remembered: more than the timings a sweep mostly goes round in, and few enough for the cache.
const SLOTS: usize = 1 << 10;

/// Where the runs of the last few timings lie. What is forgotten is stored again: that takes room, and changes no value.
#[derive(Debug)]
pub struct Runs {
    /// Where the last run with each hash lies.
    slots: Box<[Range<u32>; SLOTS]>,
}

impl Default for Runs {
    fn default() -> Self {
        Self { slots: Box::new([const { 0..0 }; SLOTS]) }
    }
}

impl Runs {
    /// Where a run lies in a table, at whose end it is put if it is not known.
    pub fn place(&mut self, run: &[PackedSegment], table: &mut Vec<PackedSegment>) -> u32 {
        let slot = &mut self.slots[hash(run)];
        let known = table.get(slot.start as usize..slot.end as usize);
        if known != Some(run) || run.is_empty() {
            *slot = table.len() as u32..(table.len() + run.len()) as u32;
            table.extend_from_slice(run);
        }
        slot.start
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.slots.fill(0..0);
    }
}

/// A slot for a run.
fn hash(run: &[PackedSegment]) -> usize {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    const _: () = assert!(size_of::<PackedSegment>().is_multiple_of(size_of::<u64>()));
    let (pairs, _) = bytemuck::cast_slice::<_, u32>(run).as_chunks::<2>();
    let mix = |hash: u64, pair: &[u32; 2]| (hash.rotate_left(5) ^ integer(*pair)).wrapping_mul(ODD);
    let hash = pairs.iter().fold(run.len() as u64, mix);
    (hash >> (u64::BITS - SLOTS.trailing_zeros())) as usize
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
        // Two hashes may be the same.
        let stored = table.len() / 2;
        assert!((100..120).contains(&stored), "{stored}");
        // A part of a run is another run.
        assert_eq!(runs.place(&run(5)[..1], &mut table) as usize, 2 * stored);
        runs.clear();
        assert_eq!(runs.place(&run(5), &mut table) as usize, 2 * stored + 1);
        assert_eq!(runs.place(&[], &mut table) as usize, table.len());
    }
}
