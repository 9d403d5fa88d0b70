//! The packed block: the five tables in one array of bytes, for shaders that bind one buffer (`shaders/packed.wgsl`).

use super::{Batch, PackedHeight, PackedProgram, PackedSegment, PackedStage, PackedTrack};

/// The block's first word: `LRG3` as bytes, the layout's name and version.
pub const BLOCK_MAGIC: u32 = u32::from_le_bytes(*b"LRG3");

/// Words of the block's header.
pub const BLOCK_HEADER_WORDS: usize = 8;

const WORD: usize = size_of::<u32>();

/// The number of records of each kind that a block has, or has room for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BlockCounts {
    /// Programs.
    pub programs: usize,
    /// Stages.
    pub stages: usize,
    /// Tracks.
    pub tracks: usize,
    /// Segments.
    pub segments: usize,
    /// Heights.
    pub heights: usize,
}

/// Byte offsets of a block's tables from its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockLayout {
    /// The programs, immediately after the header.
    pub programs: usize,
    /// The stages.
    pub stages: usize,
    /// The tracks.
    pub tracks: usize,
    /// The segments.
    pub segments: usize,
    /// The heights.
    pub heights: usize,
    /// The size of the whole block in bytes.
    pub size: usize,
}

impl BlockLayout {
    /// The layout of a block with room for these records; `None` if its words would exceed 32-bit indices.
    #[must_use]
    pub fn of(counts: BlockCounts) -> Option<Self> {
        let programs = BLOCK_HEADER_WORDS * WORD;
        let stages = counts.programs.checked_mul(size_of::<PackedProgram>())?.checked_add(programs)?;
        let tracks = counts.stages.checked_mul(size_of::<PackedStage>())?.checked_add(stages)?;
        let segments = counts.tracks.checked_mul(size_of::<PackedTrack>())?.checked_add(tracks)?;
        let heights = counts.segments.checked_mul(size_of::<PackedSegment>())?.checked_add(segments)?;
        let size = counts.heights.checked_mul(size_of::<PackedHeight>())?.checked_add(heights)?;
        u32::try_from(size / WORD).ok().map(|_| Self { programs, stages, tracks, segments, heights, size })
    }

    /// The header of a block with this number of programs.
    #[must_use]
    pub fn header(&self, programs: usize) -> [u32; BLOCK_HEADER_WORDS] {
        let word = |bytes: usize| (bytes / WORD) as u32;
        [
            BLOCK_MAGIC,
            programs as u32,
            word(self.programs),
            word(self.stages),
            word(self.tracks),
            word(self.segments),
            word(self.heights),
            word(self.size),
        ]
    }
}

impl Batch {
    /// The number of records of each kind in the batch.
    #[must_use]
    pub fn counts(&self) -> BlockCounts {
        BlockCounts {
            programs: self.programs().len(),
            stages: self.stages().len(),
            tracks: self.tracks().len(),
            segments: self.segments().len(),
            heights: self.heights().len(),
        }
    }

    /// The size of the batch as one block, in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        BlockLayout::of(self.counts()).map_or(0, |layout| layout.size)
    }

    /// The batch as one block of bytes, little-endian: what the WGSL of [`wgsl::library`](crate::wgsl::library) reads.
    ///
    /// A header of 32 bytes, then the tables of programs (24 bytes each), stages (64), tracks (56), segments (80) and
    /// heights (24) without gaps. `docs/block.md` has every field with its offset; the length is a multiple of 4.
    ///
    /// ```
    /// use lrgrid::{Batch, program::Program};
    ///
    /// let batch = Batch::from_programs([&Program::hold(3e-4)])?;
    /// let bytes = batch.as_bytes();
    /// assert_eq!(&bytes[..4], b"LRG3");
    /// assert_eq!(bytes[4..8], 1_u32.to_le_bytes(), "one program");
    /// assert_eq!(bytes.len(), 32 + 24 + 64 + 56 + 80 + 24);
    /// # Ok::<(), lrgrid::error::EvaluateError>(())
    /// ```
    #[must_use]
    pub fn as_bytes(&self) -> Vec<u8> {
        // The builder rejects a batch whose block would have no layout.
        let Some(layout) = BlockLayout::of(self.counts()) else { return Vec::new() };
        let header = layout.header(self.len());
        let tables: [&[u8]; 6] = [
            bytemuck::cast_slice(&header),
            bytemuck::cast_slice(self.programs()),
            bytemuck::cast_slice(self.stages()),
            bytemuck::cast_slice(self.tracks()),
            bytemuck::cast_slice(self.segments()),
            bytemuck::cast_slice(self.heights()),
        ];
        let mut bytes = tables.concat();
        if cfg!(target_endian = "big") {
            bytes.chunks_exact_mut(WORD).for_each(<[u8]>::reverse);
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_that_words_cannot_index_has_no_layout() {
        let most = BlockCounts { heights: (u32::MAX as usize - 8) / 6, ..BlockCounts::default() };
        assert!(BlockLayout::of(most).is_some());
        assert!(BlockLayout::of(BlockCounts { heights: most.heights + 1, ..most }).is_none());
        assert!(BlockLayout::of(BlockCounts { tracks: usize::MAX, ..most }).is_none());
    }
}
