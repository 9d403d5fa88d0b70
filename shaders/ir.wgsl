// The records of a batch: twin of src/packed/layout.rs and src/packed/number.rs. A test compares them.
//
// 64-bit integers are two words, low word first. The ids of curves are made from the table in src/curve/table.rs.

const LRGRID_EXPONENT_BIAS: i32 = 16384;
const LRGRID_SIGN_BIT: u32 = 0x80000000u;

const LRGRID_KIND_MASK: u32 = 0xffu;
const LRGRID_FLAG_REVERSED: u32 = 0x100u;
const LRGRID_FLAG_QUANTUM: u32 = 0x200u;
const LRGRID_FLAG_LEAD: u32 = 0x400u;

const LRGRID_REPEAT_NONE: u32 = 0u;
const LRGRID_REPEAT_RESTART: u32 = 1u;
const LRGRID_REPEAT_REFLECT: u32 = 2u;

// Bits of LRGRID_USED, the curves and features that the batch uses: bit n for curve n, and the features below.
// A pipeline specialised to few of them is shorter.
//
// Curves whose phase is bent.
const LRGRID_USES_WARP: u32 = 16u;
// Stairs or slower clocks.
const LRGRID_USES_QUANTUM: u32 = 17u;
const LRGRID_USES_REPETITION: u32 = 18u;
const LRGRID_USES_CLAMP: u32 = 19u;
// Divisions of 2^32 and more.
const LRGRID_USES_LONG_DIVISION: u32 = 20u;
// Stages of several tracks.
const LRGRID_USES_PRODUCT: u32 = 21u;
// Phase counts with a fraction.
const LRGRID_USES_LEAD: u32 = 22u;
// Stages that add their tracks.
const LRGRID_USES_SUM: u32 = 23u;

fn lrgrid_uses(feature: u32) -> bool {
    return (LRGRID_USED & (1u << feature)) != 0u;
}

// `± 0.mantissa · 2^exponent`: sign and biased exponent, then the mantissa.
struct LrgridPackedNumber {
    head: u32,
    high: u32,
    low: u32,
}

struct LrgridSegment {
    start: vec2<u32>,
    length: vec2<u32>,
    quantum: vec2<u32>,
    origin: vec2<u32>,
    rate: LrgridPackedNumber,
    a: LrgridPackedNumber,
    b: LrgridPackedNumber,
    kind: u32,
    // Residual of the rate, in 2^-64 units in the last place, as a signed integer.
    rate_rest: vec2<u32>,
}

// Bits of doubles, and residuals of their magnitudes in 2^-32 units in the last place.
struct LrgridHeight {
    base: vec2<u32>,
    amplitude: vec2<u32>,
    base_rest: i32,
    amplitude_rest: i32,
}

struct LrgridTrack {
    advance: vec2<u32>,
    period: vec2<u32>,
    segment_first: u32,
    segment_count: u32,
    repetition: u32,
    clamped: u32,
    lower: LrgridPackedNumber,
    upper: LrgridPackedNumber,
}

struct LrgridStage {
    start: vec2<u32>,
    quantum: vec2<u32>,
    track_first: u32,
    track_count: u32,
    height: u32,
    scaled: u32,
    lower: LrgridPackedNumber,
    upper: LrgridPackedNumber,
    clamped: u32,
    summed: u32,
}

struct LrgridProgram {
    stage_first: u32,
    stage_count: u32,
    segment_first: u32,
    segment_count: u32,
    height_first: u32,
    height_count: u32,
}
