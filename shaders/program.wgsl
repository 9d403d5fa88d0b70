// The value of a program at a step: twin of src/program/evaluate.rs, in the same order.

// All ones: what never ends.
const LRGRID_FOREVER: vec2<u32> = vec2<u32>(0xffffffffu, 0xffffffffu);

// Where a track's repetition has led.
struct LrgridFold {
    // The step within the first cycle.
    step: vec2<u32>,
    // Whether time runs backwards there.
    backwards: bool,
    // Steps from here on, this one included, that go on in the same direction of the same cycle.
    room: vec2<u32>,
}

// The step within the first cycle that `step` repeats.
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
            // Before the first turn nothing is doubled, which the longest periods could not bear.
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

// How a track moves along its segment.
const LRGRID_STILL: u32 = 0u;
const LRGRID_UP: u32 = 1u;
const LRGRID_DOWN: u32 = 2u;

// A phase count and how it goes on.
struct LrgridPhase {
    count: vec2<u32>,
    // Whether it stays, or moves by one per step, and which way.
    motion: u32,
    // Steps, this one included, for which that holds.
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
        // The count stops at 0, wherever the segment ends.
        room = lrgrid_least64(room, lrgrid_add64(lrgrid_subtract64(segment.origin, k), vec2<u32>(1u, 0u)));
    }
    return LrgridPhase(lrgrid_subtract64(segment.origin, k), motion, room);
}

// The phase at a phase count, which may lie between whole ones.
fn lrgrid_phase(segment: LrgridSegment, count: LrgridNumber) -> LrgridNumber {
    var n = count;
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
fn lrgrid_value_at(segment: LrgridSegment, count: LrgridNumber) -> LrgridNumber {
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

const LRGRID_MAX_TRACKS: u32 = 4u;

// Where a program stands at a step: all that a span of steps has in common, and the phase counts.
struct LrgridPlace {
    stage: u32,
    // Of each track.
    segments: array<u32, LRGRID_MAX_TRACKS>,
    counts: array<vec2<u32>, LRGRID_MAX_TRACKS>,
    motions: array<u32, LRGRID_MAX_TRACKS>,
    // How many of them move.
    moving: u32,
    // Steps, this one included, for which only moving phase counts change, by one per step.
    room: vec2<u32>,
}

// A track's index in a place, known beforehand where there is but one: arrays indexed at run time live in memory.
fn lrgrid_slot(track: u32) -> u32 {
    return select(0u, track, lrgrid_uses(LRGRID_USES_PRODUCT));
}

fn lrgrid_place(program: u32, step: vec2<u32>) -> LrgridPlace {
    var place: LrgridPlace;
    let found = lrgrid_program(program);
    var tick = step;
    place.room = LRGRID_FOREVER;
    var slow = false;
    if (lrgrid_uses(LRGRID_USES_QUANTUM)) {
        let division = lrgrid_divide64(step, found.quantum);
        tick = division.quotient;
        slow = found.quantum.x != 1u || found.quantum.y != 0u;
        if (slow) {
            place.room = lrgrid_subtract64(found.quantum, division.remainder);
        }
    }
    place.stage = lrgrid_stage_at(found.stage_first, found.stage_count, tick);
    if (!slow && place.stage + 1u < found.stage_first + found.stage_count) {
        place.room = lrgrid_subtract64(lrgrid_stage_start(place.stage + 1u), tick);
    }
    let stage = lrgrid_stage(place.stage);
    let since = lrgrid_subtract64(tick, stage.start);
    for (var i = 0u; i < stage.track_count; i++) {
        let track = lrgrid_track(stage.track_first + i);
        let folded = lrgrid_fold(track, lrgrid_add64(since, track.advance));
        let first = found.segment_first + track.segment_first;
        let index = lrgrid_segment_at(first, track.segment_count, folded.step);
        let phase = lrgrid_phase_count(lrgrid_segment(index), folded.step, folded.backwards);
        place.segments[lrgrid_slot(i)] = index;
        place.counts[lrgrid_slot(i)] = phase.count;
        // Within one tick of a slower clock nothing moves.
        place.motions[lrgrid_slot(i)] = select(phase.motion, LRGRID_STILL, slow);
        place.moving += select(1u, 0u, place.motions[lrgrid_slot(i)] == LRGRID_STILL);
        if (!slow) {
            place.room = lrgrid_least64(place.room, lrgrid_least64(folded.room, phase.room));
            if (!folded.backwards && index + 1u < first + track.segment_count) {
                let next = lrgrid_segment_start(index + 1u);
                place.room = lrgrid_least64(place.room, lrgrid_subtract64(next, folded.step));
            }
        }
    }
    return place;
}

// A value, and which of the bounds on its way to it were in force.
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

// The value of a program to about 30 bits, `distance` 64ths of a step past its place and within its room.
fn lrgrid_value(place: LrgridPlace, distance: vec2<u32>) -> LrgridBounded {
    var bounds = 0u;
    let stage = lrgrid_stage(place.stage);
    let scale = lrgrid_unpack(stage.scale);
    let summed = lrgrid_uses(LRGRID_USES_SUM) && stage.summed != 0u;
    var scaled = scale;
    if (summed) {
        scaled = lrgrid_zero();
    }
    for (var i = 0u; i < stage.track_count; i++) {
        var count = lrgrid_shift_left64(place.counts[lrgrid_slot(i)], 6u);
        switch place.motions[lrgrid_slot(i)] {
            case LRGRID_UP: {
                count = lrgrid_add64(count, distance);
            }
            case LRGRID_DOWN: {
                count = lrgrid_subtract64(count, distance);
            }
            default: {
                // It stays.
            }
        }
        // 64ths of a count.
        let number = lrgrid_normalized(false, 58, count);
        var factor = LrgridBounded(lrgrid_value_at(lrgrid_segment(place.segments[lrgrid_slot(i)]), number), 0u);
        if (lrgrid_uses(LRGRID_USES_CLAMP)) {
            let track = lrgrid_track(stage.track_first + i);
            if (track.clamped != 0u) {
                factor = lrgrid_clamp(factor.value, track.lower, track.upper);
            }
        }
        bounds = (bounds << 2u) | factor.bounds;
        if (summed) {
            scaled = lrgrid_add(scaled, factor.value);
        } else {
            scaled = lrgrid_multiply(scaled, factor.value);
        }
    }
    if (summed) {
        scaled = lrgrid_multiply(scale, scaled);
    }
    var value = LrgridBounded(lrgrid_add(lrgrid_unpack(stage.offset), scaled), 0u);
    if (lrgrid_uses(LRGRID_USES_CLAMP) && stage.clamped != 0u) {
        value = lrgrid_clamp(value.value, stage.lower, stage.upper);
    }
    return LrgridBounded(value.value, (bounds << 2u) | value.bounds);
}

// For shaders of your own: the value of a program at a step (low word first), rounded to f32.
fn lr_at(program: u32, step: vec2<u32>) -> f32 {
    return bitcast<f32>(lrgrid_f32_bits(lrgrid_value(lrgrid_place(program, step), vec2<u32>(0u, 0u)).value));
}
