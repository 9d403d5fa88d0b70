// Access to the batch's five tables, each with its own binding: for the kernels that fill tables.

// All curves and features by default; a specialised pipeline has fewer.
override LRGRID_USED: u32 = 0xffffffffu;

@group(0) @binding(0) var<storage, read> lrgrid_programs: array<LrgridProgram>;
@group(0) @binding(1) var<storage, read> lrgrid_stages: array<LrgridStage>;
@group(0) @binding(2) var<storage, read> lrgrid_tracks: array<LrgridTrack>;
@group(0) @binding(3) var<storage, read> lrgrid_segments: array<LrgridSegment>;
@group(0) @binding(4) var<storage, read> lrgrid_heights: array<LrgridHeight>;

fn lrgrid_program(index: u32) -> LrgridProgram {
    return lrgrid_programs[index];
}

fn lrgrid_stage(index: u32) -> LrgridStage {
    return lrgrid_stages[index];
}

fn lrgrid_quantum(stage: u32) -> vec2<u32> {
    return lrgrid_stages[stage].quantum;
}

fn lrgrid_stage_start(index: u32) -> vec2<u32> {
    return lrgrid_stages[index].start;
}

fn lrgrid_track(index: u32) -> LrgridTrack {
    return lrgrid_tracks[index];
}

fn lrgrid_segment(index: u32) -> LrgridSegment {
    return lrgrid_segments[index];
}

fn lrgrid_segment_start(index: u32) -> vec2<u32> {
    return lrgrid_segments[index].start;
}

fn lrgrid_height(index: u32) -> LrgridHeight {
    return lrgrid_heights[index];
}
