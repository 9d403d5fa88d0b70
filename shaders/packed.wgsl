// Access to the packed block, the batch's five tables in one array of words: twin of src/packed/block.rs.

// Number of words in the block's header.
const LRGRID_BLOCK_COUNT: u32 = 1u;
const LRGRID_BLOCK_PROGRAMS: u32 = 2u;
const LRGRID_BLOCK_STAGES: u32 = 3u;
const LRGRID_BLOCK_TRACKS: u32 = 4u;
const LRGRID_BLOCK_SEGMENTS: u32 = 5u;
const LRGRID_BLOCK_HEIGHTS: u32 = 6u;

// Number of words in each record.
const LRGRID_PROGRAM_WORDS: u32 = 6u;
const LRGRID_STAGE_WORDS: u32 = 16u;
const LRGRID_TRACK_WORDS: u32 = 14u;
const LRGRID_SEGMENT_WORDS: u32 = 20u;
const LRGRID_HEIGHT_WORDS: u32 = 6u;

@group(0) @binding(0) var<storage, read> lrgrid_block: array<u32>;

fn lrgrid_pair(at: u32) -> vec2<u32> {
    return vec2<u32>(lrgrid_block[at], lrgrid_block[at + 1u]);
}

fn lrgrid_packed_number(at: u32) -> LrgridPackedNumber {
    return LrgridPackedNumber(lrgrid_block[at], lrgrid_block[at + 1u], lrgrid_block[at + 2u]);
}

fn lrgrid_program(index: u32) -> LrgridProgram {
    let at = lrgrid_block[LRGRID_BLOCK_PROGRAMS] + index * LRGRID_PROGRAM_WORDS;
    return LrgridProgram(
        lrgrid_block[at],
        lrgrid_block[at + 1u],
        lrgrid_block[at + 2u],
        lrgrid_block[at + 3u],
        lrgrid_block[at + 4u],
        lrgrid_block[at + 5u],
    );
}

fn lrgrid_stage(index: u32) -> LrgridStage {
    let at = lrgrid_block[LRGRID_BLOCK_STAGES] + index * LRGRID_STAGE_WORDS;
    return LrgridStage(
        lrgrid_pair(at),
        lrgrid_pair(at + 2u),
        lrgrid_block[at + 4u],
        lrgrid_block[at + 5u],
        lrgrid_block[at + 6u],
        lrgrid_block[at + 7u],
        lrgrid_packed_number(at + 8u),
        lrgrid_packed_number(at + 11u),
        lrgrid_block[at + 14u],
        lrgrid_block[at + 15u],
    );
}

fn lrgrid_quantum(stage: u32) -> vec2<u32> {
    return lrgrid_pair(lrgrid_block[LRGRID_BLOCK_STAGES] + stage * LRGRID_STAGE_WORDS + 2u);
}

fn lrgrid_stage_start(index: u32) -> vec2<u32> {
    return lrgrid_pair(lrgrid_block[LRGRID_BLOCK_STAGES] + index * LRGRID_STAGE_WORDS);
}

fn lrgrid_track(index: u32) -> LrgridTrack {
    let at = lrgrid_block[LRGRID_BLOCK_TRACKS] + index * LRGRID_TRACK_WORDS;
    return LrgridTrack(
        lrgrid_pair(at),
        lrgrid_pair(at + 2u),
        lrgrid_block[at + 4u],
        lrgrid_block[at + 5u],
        lrgrid_block[at + 6u],
        lrgrid_block[at + 7u],
        lrgrid_packed_number(at + 8u),
        lrgrid_packed_number(at + 11u),
    );
}

fn lrgrid_segment(index: u32) -> LrgridSegment {
    let at = lrgrid_block[LRGRID_BLOCK_SEGMENTS] + index * LRGRID_SEGMENT_WORDS;
    return LrgridSegment(
        lrgrid_pair(at),
        lrgrid_pair(at + 2u),
        lrgrid_pair(at + 4u),
        lrgrid_pair(at + 6u),
        lrgrid_packed_number(at + 8u),
        lrgrid_packed_number(at + 11u),
        lrgrid_packed_number(at + 14u),
        lrgrid_block[at + 17u],
        lrgrid_pair(at + 18u),
    );
}

fn lrgrid_segment_start(index: u32) -> vec2<u32> {
    return lrgrid_pair(lrgrid_block[LRGRID_BLOCK_SEGMENTS] + index * LRGRID_SEGMENT_WORDS);
}

fn lrgrid_height(index: u32) -> LrgridHeight {
    let at = lrgrid_block[LRGRID_BLOCK_HEIGHTS] + index * LRGRID_HEIGHT_WORDS;
    return LrgridHeight(
        lrgrid_pair(at),
        lrgrid_pair(at + 2u),
        bitcast<i32>(lrgrid_block[at + 4u]),
        bitcast<i32>(lrgrid_block[at + 5u]),
    );
}
