// Places: the state of a program that a range of steps has in common.

const LRGRID_MAX_TRACKS: u32 = 4u;

// The state of a program at a step: segments and motions, common to a range of steps, and the phase counts.
struct LrgridPlace {
    program: u32,
    stage: u32,
    // Per track:
    segments: array<u32, LRGRID_MAX_TRACKS>,
    counts: array<vec2<u32>, LRGRID_MAX_TRACKS>,
    motions: array<u32, LRGRID_MAX_TRACKS>,
    // Number of tracks that vary.
    moving: u32,
    // Number of steps from this one on for which only the phase counts of varying tracks change, by 1 per step.
    room: vec2<u32>,
}

// A track's index in a place. It is constant if there is only one track, because arrays that are indexed dynamically
// are kept in memory.
fn lrgrid_slot(track: u32) -> u32 {
    return select(0u, track, lrgrid_uses(LRGRID_USES_PRODUCT));
}

fn lrgrid_place(program: u32, step: vec2<u32>) -> LrgridPlace {
    var place: LrgridPlace;
    place.program = program;
    let found = lrgrid_program(program);
    let tick = lrgrid_tick(found, step);
    place.stage = tick.stage;
    place.room = tick.room;
    let stage = lrgrid_stage(tick.stage);
    for (var i = 0u; i < stage.track_count; i++) {
        let track = lrgrid_track_place(found, lrgrid_track(stage.track_first + i), tick.since);
        // Within one tick of a slower clock all values are constant.
        let motion = select(track.phase.motion, LRGRID_STILL, tick.slow);
        place.segments[lrgrid_slot(i)] = track.segment;
        place.counts[lrgrid_slot(i)] = track.phase.count;
        place.motions[lrgrid_slot(i)] = motion;
        place.moving += select(1u, 0u, motion == LRGRID_STILL);
        if (!tick.slow) {
            place.room = lrgrid_least64(place.room, track.phase.room);
        }
    }
    return place;
}

// The value of a program to about 30 bits, `distance` 64ths of a step after its place, within the place's room.
fn lrgrid_value_from(place: LrgridPlace, distance: vec2<u32>) -> LrgridBounded {
    let program = lrgrid_program(place.program);
    let stage = lrgrid_stage(place.stage);
    var joined = lrgrid_unjoined(program, stage);
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
                // The count is constant.
            }
        }
        // The count is in 64ths.
        let number = lrgrid_normalized(false, 58, count);
        joined = lrgrid_join(program, stage, joined, i, place.segments[lrgrid_slot(i)], number);
    }
    return lrgrid_stage_value(program, stage, joined);
}
