// The value of a program at a step: twin of src/program/evaluate.rs, in the same order.

// The nearest value within the bounds.
fn lrgrid_clamp(value: LrgridNumber, lower: LrgridPackedNumber, upper: LrgridPackedNumber) -> LrgridNumber {
    let least = lrgrid_unpack(lower);
    let greatest = lrgrid_unpack(upper);
    if (lrgrid_less(value, least)) {
        return least;
    }
    if (lrgrid_less(greatest, value)) {
        return greatest;
    }
    return value;
}

// The step within the first cycle that `step` repeats.
fn lrgrid_fold(track: LrgridTrack, step: vec2<u32>) -> vec2<u32> {
    if (!lrgrid_uses(LRGRID_USES_REPETITION)) {
        return step;
    }
    switch track.repetition {
        case LRGRID_REPEAT_RESTART: {
            return lrgrid_divide64(step, track.period).remainder;
        }
        case LRGRID_REPEAT_REFLECT: {
            // Before the first turn nothing is doubled, which the longest periods could not bear.
            if (!lrgrid_less64(track.period, step)) {
                return step;
            }
            let both_ways = lrgrid_shift_left64(track.period, 1u);
            let position = lrgrid_divide64(step, both_ways).remainder;
            if (lrgrid_less64(track.period, position)) {
                return lrgrid_subtract64(both_ways, position);
            }
            return position;
        }
        case LRGRID_REPEAT_NONE, default: {
            return step;
        }
    }
}

// The phase count at a step of the track's clock.
fn lrgrid_phase_count(segment: LrgridSegment, step: vec2<u32>) -> vec2<u32> {
    var k = lrgrid_subtract64(step, segment.start);
    if (lrgrid_uses(LRGRID_USES_QUANTUM) && (segment.kind & LRGRID_FLAG_QUANTUM) != 0u) {
        k = lrgrid_divide64(k, segment.quantum).quotient;
    }
    if (lrgrid_less64(segment.length, k)) {
        k = segment.length;
    }
    if ((segment.kind & LRGRID_FLAG_REVERSED) == 0u) {
        return lrgrid_add64(segment.origin, k);
    }
    if (lrgrid_less64(segment.origin, k)) {
        return vec2<u32>(0u, 0u);
    }
    return lrgrid_subtract64(segment.origin, k);
}

// The phase at a phase count.
fn lrgrid_phase(segment: LrgridSegment, count: vec2<u32>) -> LrgridNumber {
    var n = lrgrid_from_integer(count);
    if (lrgrid_uses(LRGRID_USES_LEAD) && (segment.kind & LRGRID_FLAG_LEAD) != 0u) {
        n = lrgrid_add(n, lrgrid_from_fraction(segment.quantum));
    }
    let phase = lrgrid_multiply(n, lrgrid_unpack(segment.rate));
    // The rate is rounded: n · (1/n) must still be 1.
    if (phase.mantissa.y == 0xffffffffu && phase.mantissa.x >= 0xfffffff0u) {
        return LrgridNumber(phase.negative, phase.exponent + 1, vec2<u32>(0u, 0x80000000u));
    }
    return phase;
}

// The value at a phase count.
fn lrgrid_value_at(segment: LrgridSegment, count: vec2<u32>) -> LrgridNumber {
    let base = lrgrid_unpack(segment.base);
    let amplitude = lrgrid_unpack(segment.amplitude);
    if ((segment.kind & LRGRID_KIND_MASK) == LRGRID_HOLD) {
        return lrgrid_add(base, amplitude);
    }
    let shape = lrgrid_shape(segment, lrgrid_phase(segment, count));
    return lrgrid_add(base, lrgrid_multiply(amplitude, shape));
}

// The index of the segment in force at a step of the track's own (folded) clock.
fn lrgrid_segment_at(first: u32, count: u32, step: vec2<u32>) -> u32 {
    var low = first;
    var high = first + count;
    // The first segment starts at 0, so it is in force until another one is.
    while (low + 1u < high) {
        let middle = (low + high) >> 1u;
        if (lrgrid_less64(step, lrgrid_segments[middle].start)) {
            high = middle;
        } else {
            low = middle;
        }
    }
    return low;
}

// The last segment looked up, which the next step mostly shares.
struct LrgridCursor {
    // The track it belongs to; no track's index at first.
    track: u32,
    // First step after the segment; all ones for the last.
    end: vec2<u32>,
    segment: LrgridSegment,
}

fn lrgrid_cursor() -> LrgridCursor {
    var cursor: LrgridCursor;
    cursor.track = 0xffffffffu;
    return cursor;
}

// Moves the cursor to the segment in force at a step of a track's own clock.
fn lrgrid_seek(cursor: ptr<function, LrgridCursor>, index: u32, first: u32, count: u32, step: vec2<u32>) {
    if ((*cursor).track == index && !lrgrid_less64(step, (*cursor).segment.start) && lrgrid_less64(step, (*cursor).end)) {
        return;
    }
    let found = lrgrid_segment_at(first, count, step);
    (*cursor).track = index;
    (*cursor).segment = lrgrid_segments[found];
    (*cursor).end = vec2<u32>(0xffffffffu, 0xffffffffu);
    if (found + 1u < first + count) {
        (*cursor).end = lrgrid_segments[found + 1u].start;
    }
}

// The value of a track at a step counted from the start of the stage.
fn lrgrid_track_value(cursor: ptr<function, LrgridCursor>, index: u32, segment_first: u32, since: vec2<u32>) -> LrgridNumber {
    let track = lrgrid_tracks[index];
    let step = lrgrid_fold(track, lrgrid_add64(since, track.advance));
    lrgrid_seek(cursor, index, segment_first + track.segment_first, track.segment_count, step);
    let value = lrgrid_value_at((*cursor).segment, lrgrid_phase_count((*cursor).segment, step));
    if (lrgrid_uses(LRGRID_USES_CLAMP) && track.clamped != 0u) {
        return lrgrid_clamp(value, track.lower, track.upper);
    }
    return value;
}

// The value of a stage at a step of the program's clock.
fn lrgrid_stage_value(cursor: ptr<function, LrgridCursor>, index: u32, segment_first: u32, tick: vec2<u32>) -> LrgridNumber {
    let stage = lrgrid_stages[index];
    let since = lrgrid_subtract64(tick, stage.start);
    let scale = lrgrid_unpack(stage.scale);
    var scaled = scale;
    for (var i = 0u; i < stage.track_count; i++) {
        let value = lrgrid_track_value(cursor, stage.track_first + i, segment_first, since);
        if (stage.summed == 0u) {
            scaled = lrgrid_multiply(scaled, value);
        } else if (i == 0u) {
            scaled = lrgrid_multiply(scale, value);
        } else {
            scaled = lrgrid_add(scaled, lrgrid_multiply(scale, value));
        }
    }
    let value = lrgrid_add(lrgrid_unpack(stage.offset), scaled);
    if (lrgrid_uses(LRGRID_USES_CLAMP) && stage.clamped != 0u) {
        return lrgrid_clamp(value, stage.lower, stage.upper);
    }
    return value;
}

// The index of the stage in force at a tick of the program's clock.
fn lrgrid_stage_at(first: u32, count: u32, tick: vec2<u32>) -> u32 {
    var low = first;
    var high = first + count;
    while (low + 1u < high) {
        let middle = (low + high) >> 1u;
        if (lrgrid_less64(tick, lrgrid_stages[middle].start)) {
            high = middle;
        } else {
            low = middle;
        }
    }
    return low;
}

// The value of a program at a step, to about 30 bits; the cursor is the program's own.
fn lrgrid_program_value(cursor: ptr<function, LrgridCursor>, program: u32, step: vec2<u32>) -> LrgridNumber {
    let found = lrgrid_programs[program];
    var tick = step;
    if (lrgrid_uses(LRGRID_USES_QUANTUM)) {
        tick = lrgrid_divide64(step, found.quantum).quotient;
    }
    let stage = lrgrid_stage_at(found.stage_first, found.stage_count, tick);
    return lrgrid_stage_value(cursor, stage, found.segment_first, tick);
}

// For shaders of your own: the value of a program at a step (low word first), rounded to f32.
fn lr_at(program: u32, step: vec2<u32>) -> f32 {
    var cursor = lrgrid_cursor();
    return bitcast<f32>(lrgrid_f32_bits(lrgrid_program_value(&cursor, program, step)));
}
