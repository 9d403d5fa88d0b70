//! Significant steps of a schedule: those at which errors would show.

use lrgrid::program::MAX_STEP;
use lrgrid::schedule::Schedule;

/// The seed `LRGRID_SEED`, or a fixed one; it is printed.
pub fn seed() -> u64 {
    let seed = std::env::var("LRGRID_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_124);
    println!("LRGRID_SEED={seed}");
    seed
}

/// Boundaries of the lowered form and of the schedule with their neighbours, and the first and last steps.
pub fn telling_steps(schedule: &Schedule) -> Vec<u64> {
    let program = schedule.lower().unwrap();
    let mut boundaries: Vec<u64> = vec![0, 1 << 24, MAX_STEP - 1];
    boundaries.extend(schedule.length());
    for stage in program.stages() {
        for segment in stage.tracks.iter().flat_map(|track| &track.segments) {
            let start = stage.start.saturating_add(segment.start);
            boundaries.push(start);
            boundaries.push(start.saturating_add(segment.length.saturating_mul(segment.quantum.unwrap_or(1))));
            boundaries.extend((1..4).map(|i| start.saturating_add(segment.quantum.unwrap_or(1).saturating_mul(i))));
        }
    }
    let mut steps: Vec<u64> = boundaries.iter().flat_map(|&b| [b.saturating_sub(1), b, b.saturating_add(1)]).collect();
    let mut state = seed();
    for boundary in boundaries.clone() {
        // A few random steps within each piece.
        for _ in 0..8 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            steps.push((state >> 11) % (boundary.min(MAX_STEP) + 2));
        }
    }
    // A schedule that ends has no values beyond its end.
    let last = schedule.last_step().unwrap_or(MAX_STEP).min(MAX_STEP);
    steps.retain(|&step| step <= last);
    steps.sort_unstable();
    steps.dedup();
    steps
}
