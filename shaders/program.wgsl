// The value of a program at a step: twin of src/program/evaluate.rs, in the same order.

// All ones: never.
const LRGRID_FOREVER: vec2<u32> = vec2<u32>(0xffffffffu, 0xffffffffu);

// A step folded into the first cycle of a track.
struct LrgridFold {
    // The step within the first cycle.
    step: vec2<u32>,
    // Whether time runs backwards there.
    backwards: bool,
    // Number of steps from this one on in the same direction of the same cycle.
    room: vec2<u32>,
}

// Folds `step` into the first cycle.
fn lrgrid_fold(track: LrgridTrack, step: vec2<u32>) -> LrgridFold {
    if (!lrgrid_uses(LRGRID_USES_REPETITION)) {
        return LrgridFold(step, false, LRGRID_FOREVER);
    }
    switch track.repetition {
        case LRGRID_REPEAT_RESTART: {
            let position = lrgrid_divide64(step, track.period).remainder;
            return LrgridFold(position, false, lrgrid_subtract64(track.period, position));
        }
        case LRGRID_REPEAT_REFLECT: {
            var position = step;
            // Before the first turn the period is not doubled, which would overflow for the longest periods.
            if (lrgrid_less64(track.period, step)) {
                let both_ways = lrgrid_shift_left64(track.period, 1u);
                position = lrgrid_divide64(step, both_ways).remainder;
                if (lrgrid_less64(track.period, position)) {
                    let left = lrgrid_subtract64(both_ways, position);
                    return LrgridFold(left, true, left);
                }
            }
            let room = lrgrid_add64(lrgrid_subtract64(track.period, position), vec2<u32>(1u, 0u));
            return LrgridFold(position, false, room);
        }
        case LRGRID_REPEAT_NONE, default: {
            return LrgridFold(step, false, LRGRID_FOREVER);
        }
    }
}

// The motion of a phase count.
const LRGRID_STILL: u32 = 0u;
const LRGRID_UP: u32 = 1u;
const LRGRID_DOWN: u32 = 2u;

// A phase count and its motion.
struct LrgridPhase {
    count: vec2<u32>,
    // Constant, or changing by 1 per step, up or down.
    motion: u32,
    // Number of steps from this one on for which that holds.
    room: vec2<u32>,
}

// The phase count at a step of the track's clock.
fn lrgrid_phase_count(segment: LrgridSegment, step: vec2<u32>, backwards: bool) -> LrgridPhase {
    var k = lrgrid_subtract64(step, segment.start);
    var room = LRGRID_FOREVER;
    if (backwards) {
        room = lrgrid_add64(k, vec2<u32>(1u, 0u));
    }
    var motion = select(LRGRID_UP, LRGRID_DOWN, backwards);
    if (lrgrid_uses(LRGRID_USES_QUANTUM) && (segment.kind & LRGRID_FLAG_QUANTUM) != 0u) {
        let stair = lrgrid_divide64(k, segment.quantum);
        k = stair.quotient;
        motion = LRGRID_STILL;
        if (backwards) {
            room = lrgrid_add64(stair.remainder, vec2<u32>(1u, 0u));
        } else if (lrgrid_less64(k, segment.length)) {
            room = lrgrid_subtract64(segment.quantum, stair.remainder);
        }
    } else if ((segment.kind & LRGRID_KIND_MASK) == LRGRID_HOLD) {
        motion = LRGRID_STILL;
    } else if (lrgrid_less64(k, segment.length)) {
        if (!backwards) {
            room = lrgrid_subtract64(segment.length, k);
        }
    } else if (!backwards) {
        motion = LRGRID_STILL;
    } else if (lrgrid_less64(segment.length, k)) {
        motion = LRGRID_STILL;
        room = lrgrid_subtract64(k, segment.length);
    }
    if (lrgrid_less64(segment.length, k)) {
        k = segment.length;
    }
    if ((segment.kind & LRGRID_FLAG_REVERSED) == 0u) {
        return LrgridPhase(lrgrid_add64(segment.origin, k), motion, room);
    }
    motion = select(motion, 3u - motion, motion != LRGRID_STILL);
    if (lrgrid_less64(segment.origin, k)) {
        return LrgridPhase(vec2<u32>(0u, 0u), LRGRID_STILL, room);
    }
    if (motion == LRGRID_DOWN) {
        // The count stops at 0, even if the segment is longer.
        room = lrgrid_least64(room, lrgrid_add64(lrgrid_subtract64(segment.origin, k), vec2<u32>(1u, 0u)));
    }
    return LrgridPhase(lrgrid_subtract64(segment.origin, k), motion, room);
}

// The phase at a phase count, which need not be an integer.
fn lrgrid_phase(segment: LrgridSegment, count: LrgridNumber) -> LrgridNumber {
    var n = count;
    if (lrgrid_uses(LRGRID_USES_LEAD) && (segment.kind & LRGRID_FLAG_LEAD) != 0u) {
        n = lrgrid_add(n, lrgrid_from_fraction(segment.quantum));
    }
    let phase = lrgrid_multiply(n, lrgrid_unpack(segment.rate));
    // The rate is rounded, but n · (1/n) must be 1.
    if (phase.mantissa.y == 0xffffffffu && phase.mantissa.x >= 0xfffffff0u) {
        return LrgridNumber(phase.negative, phase.exponent + 1, vec2<u32>(0u, 0x80000000u));
    }
    return phase;
}

// 1 minus the phase at a phase count, for phases up to 1. The error is at most 2^-62 relative or 2^-104 absolute, since
// the rate has 106 bits.
fn lrgrid_phase_left(segment: LrgridSegment, count: LrgridNumber) -> LrgridNumber {
    let rate = lrgrid_unpack(segment.rate);
    // The phase in 0.128 fixed point; its two's complement is 1 minus the phase.
    var phase = lrgrid_product64(count.mantissa, rate.mantissa);
    let falling = (segment.rate_rest.y & LRGRID_SIGN_BIT) != 0u;
    var rest = vec4<u32>(lrgrid_high64(count.mantissa, segment.rate_rest), 0u, 0u);
    if (falling) {
        let size = lrgrid_subtract64(vec2<u32>(0u, 0u), segment.rate_rest);
        rest = lrgrid_negate128(vec4<u32>(lrgrid_high64(count.mantissa, size), 0u, 0u));
    }
    phase = lrgrid_shift128(lrgrid_add128(phase, rest), count.exponent + rate.exponent);
    if (lrgrid_uses(LRGRID_USES_LEAD) && (segment.kind & LRGRID_FLAG_LEAD) != 0u) {
        phase = lrgrid_add128(phase, lrgrid_shift128(lrgrid_product64(segment.quantum, rate.mantissa), rate.exponent));
    }
    let left = lrgrid_negate128(phase);
    let high = lrgrid_normalized(false, 0, left.zw);
    if (high.exponent <= -64) {
        return lrgrid_normalized(false, -64, left.xy);
    }
    // Shift in bits from the lower half.
    let lift = u32(-high.exponent);
    return LrgridNumber(false, high.exponent, lrgrid_shift128(left, i32(lift)).zw);
}

// The value of a segment with a given height at a phase count.
fn lrgrid_value_at(segment: LrgridSegment, height: LrgridHeight, count: LrgridNumber) -> LrgridNumber {
    let base = lrgrid_from_double(height.base, height.base_rest);
    let amplitude = lrgrid_from_double(height.amplitude, height.amplitude_rest);
    if ((segment.kind & LRGRID_KIND_MASK) == LRGRID_HOLD) {
        return lrgrid_add(base, amplitude);
    }
    let shape = lrgrid_shape(segment, count);
    return lrgrid_add(base, lrgrid_multiply(amplitude, shape));
}

// The index of the segment in force at a step of the track's own (folded) clock.
fn lrgrid_segment_at(first: u32, count: u32, step: vec2<u32>) -> u32 {
    var low = first;
    var high = first + count;
    // Binary search; the first segment starts at 0, so there is always one in force.
    while (low + 1u < high) {
        let middle = (low + high) >> 1u;
        if (lrgrid_less64(step, lrgrid_segment_start(middle))) {
            high = middle;
        } else {
            low = middle;
        }
    }
    return low;
}

// The index of the stage in force at a tick of the program's clock.
fn lrgrid_stage_at(first: u32, count: u32, tick: vec2<u32>) -> u32 {
    var low = first;
    var high = first + count;
    while (low + 1u < high) {
        let middle = (low + high) >> 1u;
        if (lrgrid_less64(tick, lrgrid_stage_start(middle))) {
            high = middle;
        } else {
            low = middle;
        }
    }
    return low;
}

// The clock of a program at a step.
struct LrgridTick {
    // The index of the stage in force, and the ticks since it began.
    stage: u32,
    since: vec2<u32>,
    // Whether the clock is slower than the steps: then values are constant within a tick.
    slow: bool,
    // Number of steps from this one on before the next tick of a slow clock, otherwise before the next stage.
    room: vec2<u32>,
}

fn lrgrid_tick(program: LrgridProgram, step: vec2<u32>) -> LrgridTick {
    var tick = step;
    var room = LRGRID_FOREVER;
    var slow = false;
    if (lrgrid_uses(LRGRID_USES_QUANTUM)) {
        let quantum = lrgrid_quantum(program.stage_first);
        let division = lrgrid_divide64(step, quantum);
        tick = division.quotient;
        slow = quantum.x != 1u || quantum.y != 0u;
        if (slow) {
            room = lrgrid_subtract64(quantum, division.remainder);
        }
    }
    let stage = lrgrid_stage_at(program.stage_first, program.stage_count, tick);
    if (!slow && stage + 1u < program.stage_first + program.stage_count) {
        room = lrgrid_subtract64(lrgrid_stage_start(stage + 1u), tick);
    }
    return LrgridTick(stage, lrgrid_subtract64(tick, lrgrid_stage_start(stage)), slow, room);
}

// The state of a track at a tick of its stage.
struct LrgridTrackPlace {
    // The segment in force, relative to the program's first.
    segment: u32,
    // Its phase count; the room is that of the whole track.
    phase: LrgridPhase,
}

fn lrgrid_track_place(program: LrgridProgram, track: LrgridTrack, since: vec2<u32>) -> LrgridTrackPlace {
    let folded = lrgrid_fold(track, lrgrid_add64(since, track.advance));
    let first = program.segment_first + track.segment_first;
    let index = lrgrid_segment_at(first, track.segment_count, folded.step);
    let phase = lrgrid_phase_count(lrgrid_segment(index), folded.step, folded.backwards);
    var room = lrgrid_least64(folded.room, phase.room);
    if (!folded.backwards && index + 1u < first + track.segment_count) {
        room = lrgrid_least64(room, lrgrid_subtract64(lrgrid_segment_start(index + 1u), folded.step));
    }
    return LrgridTrackPlace(index - program.segment_first, LrgridPhase(phase.count, phase.motion, room));
}

// A value, and the bounds that were in force in computing it.
struct LrgridBounded {
    value: LrgridNumber,
    bounds: u32,
}

// The nearest value within the bounds.
fn lrgrid_clamp(value: LrgridNumber, lower: LrgridPackedNumber, upper: LrgridPackedNumber) -> LrgridBounded {
    let least = lrgrid_unpack(lower);
    let greatest = lrgrid_unpack(upper);
    if (lrgrid_less(value, least)) {
        return LrgridBounded(least, 1u);
    }
    if (lrgrid_less(greatest, value)) {
        return LrgridBounded(greatest, 2u);
    }
    return LrgridBounded(value, 0u);
}

// The factor of a stage's tracks.
fn lrgrid_scale(program: LrgridProgram, stage: LrgridStage) -> LrgridNumber {
    if (stage.scaled == 0u) {
        return lrgrid_one();
    }
    let height = lrgrid_height(program.height_first + stage.height);
    return lrgrid_from_double(height.amplitude, height.amplitude_rest);
}

// The combination of a stage's tracks before the first of them: its scale, or 0 for a sum.
fn lrgrid_unjoined(program: LrgridProgram, stage: LrgridStage) -> LrgridBounded {
    if (lrgrid_uses(LRGRID_USES_SUM) && stage.summed != 0u) {
        return LrgridBounded(lrgrid_zero(), 0u);
    }
    return LrgridBounded(lrgrid_scale(program, stage), 0u);
}

// Combines the `i`-th track, at a phase count of one of the program's segments.
fn lrgrid_join(
    program: LrgridProgram,
    stage: LrgridStage,
    joined: LrgridBounded,
    i: u32,
    segment: u32,
    count: LrgridNumber,
) -> LrgridBounded {
    let height = lrgrid_height(program.height_first + segment);
    var factor = LrgridBounded(lrgrid_value_at(lrgrid_segment(program.segment_first + segment), height, count), 0u);
    if (lrgrid_uses(LRGRID_USES_CLAMP)) {
        let track = lrgrid_track(stage.track_first + i);
        if (track.clamped != 0u) {
            factor = lrgrid_clamp(factor.value, track.lower, track.upper);
        }
    }
    let bounds = (joined.bounds << 2u) | factor.bounds;
    if (lrgrid_uses(LRGRID_USES_SUM) && stage.summed != 0u) {
        return LrgridBounded(lrgrid_add(joined.value, factor.value), bounds);
    }
    return LrgridBounded(lrgrid_multiply(joined.value, factor.value), bounds);
}

// The value of a stage from its combined tracks.
fn lrgrid_stage_value(program: LrgridProgram, stage: LrgridStage, joined: LrgridBounded) -> LrgridBounded {
    var scaled = joined.value;
    if (lrgrid_uses(LRGRID_USES_SUM) && stage.summed != 0u) {
        scaled = lrgrid_multiply(lrgrid_scale(program, stage), scaled);
    }
    if (stage.scaled != 0u) {
        let height = lrgrid_height(program.height_first + stage.height);
        scaled = lrgrid_add(lrgrid_from_double(height.base, height.base_rest), scaled);
    }
    var value = LrgridBounded(scaled, 0u);
    if (lrgrid_uses(LRGRID_USES_CLAMP) && stage.clamped != 0u) {
        value = lrgrid_clamp(value.value, stage.lower, stage.upper);
    }
    return LrgridBounded(value.value, (joined.bounds << 2u) | value.bounds);
}

// The value of a program at a step, to about 30 bits. Unlike a place, it stores nothing per track, which would need
// arrays in memory.
fn lrgrid_value(program: u32, step: vec2<u32>) -> LrgridNumber {
    let found = lrgrid_program(program);
    let tick = lrgrid_tick(found, step);
    let stage = lrgrid_stage(tick.stage);
    var joined = lrgrid_unjoined(found, stage);
    for (var i = 0u; i < stage.track_count; i++) {
        let place = lrgrid_track_place(found, lrgrid_track(stage.track_first + i), tick.since);
        joined = lrgrid_join(found, stage, joined, i, place.segment, lrgrid_from_integer(place.phase.count));
    }
    return lrgrid_stage_value(found, stage, joined).value;
}

// The public function: the value of a program at a step (low word first), rounded to f32.
fn lr_at(program: u32, step: vec2<u32>) -> f32 {
    return bitcast<f32>(lrgrid_f32_bits(lrgrid_value(program, step)));
}
