//! How values reach the table: with the processor's vector instructions, and past its cache where the
//! table is larger.

use bytemuck::Pod;

use super::simd::{Baseline, CACHE_LINE, Level, Simd, finish_streams};

/// Values that are copied at a time.
const GROUP: usize = 512;

/// The instructions to use, and where to write to.
#[derive(Clone, Copy, Debug)]
pub struct Writer {
    /// The vector instructions.
    pub level: Level,
    /// Whether whole cache lines go to memory past the cache.
    pub streaming: bool,
}

impl Writer {
    /// The same, but into the cache.
    pub fn cached(self) -> Self {
        Self { streaming: false, ..self }
    }

    /// To be called by a thread that has written, before others may read.
    pub fn finish(self) {
        if self.streaming {
            finish_streams();
        }
    }

    /// How many values of `out` come before the first that may be streamed.
    pub fn lead<T>(self, out: &[T]) -> usize {
        let misaligned = out.as_ptr().addr() % CACHE_LINE;
        if self.streaming && misaligned > 0 { ((CACHE_LINE - misaligned) / size_of::<T>()).min(out.len()) } else { 0 }
    }

    /// Writes one value everywhere.
    pub fn constant<T: Pod>(self, value: T, out: &mut [T]) {
        if !self.streaming || out.len() < 2 * GROUP {
            out.fill(value);
            return;
        }
        let (lead, rest) = out.split_at_mut(self.lead(out));
        lead.fill(value);
        let staged = [value; GROUP];
        let (groups, tail) = rest.as_chunks_mut::<GROUP>();
        groups.iter_mut().for_each(|group| Baseline.stream(&staged, group));
        Baseline.stream(&staged[..tail.len()], tail);
    }

    /// Repeats the first `period` values of `out` all over the rest.
    pub fn repeat<T: Pod>(self, period: usize, out: &mut [T]) {
        let mut filled = period;
        // With a group more than a cycle, every group is somewhere in one piece.
        let enough = if self.streaming { period + GROUP } else { out.len() };
        while filled < enough.min(out.len()) {
            let count = filled.min(enough.min(out.len()) - filled);
            // Whole cycles, but for the last time: what follows them is their beginning.
            out.copy_within(..count, filled);
            filled += count;
        }
        let (cycle, rest) = out.split_at_mut(filled);
        let lead = self.lead(rest);
        let (lead, groups) = rest.split_at_mut(lead);
        lead.copy_from_slice(&cycle[filled % period..][..lead.len()]);
        filled += lead.len();
        for group in groups.chunks_mut(GROUP) {
            Baseline.stream(&cycle[filled % period..][..group.len()], group);
            filled += group.len();
        }
    }
}
