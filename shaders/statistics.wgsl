// Reduces a table on the device: a workgroup per row and chunk of columns, in integers throughout.
//
// A chunk's greatest exponent defines the unit of its sums, so that they fit into 64 bits. The total truncation error
// is less than 2^-36 of the greatest value, or of its square.

const LRGRID_REDUCERS: u32 = 64u;
const LRGRID_CHUNK: u32 = 4096u;

const LRGRID_REDUCE_F32: u32 = 0u;
const LRGRID_REDUCE_F16: u32 = 1u;
const LRGRID_REDUCE_BF16: u32 = 2u;

struct LrgridReduction {
    rows: u32,
    columns: u32,
    // Distance between rows in words.
    pitch: u32,
    chunks: u32,
    format: u32,
    // Values with a greater key are counted.
    threshold: u32,
    padding: vec2<u32>,
}

struct LrgridPartial {
    // Sum in units of 2^(exponent − 176), in two's complement.
    sum: vec2<u32>,
    // Sum of squares in units of 2^(2·exponent − 303).
    squares: vec2<u32>,
    exponent: u32,
    // Keys of the extremes, and their first columns.
    min: u32,
    min_column: u32,
    max: u32,
    max_column: u32,
    last: u32,
    above: u32,
    padding: u32,
}

@group(0) @binding(4) var<storage, read> lrgrid_values: array<u32>;
@group(0) @binding(5) var<uniform> lrgrid_reduction: LrgridReduction;
@group(0) @binding(6) var<storage, read_write> lrgrid_partials: array<LrgridPartial>;

var<workgroup> lrgrid_mins: array<vec2<u32>, 64>;
var<workgroup> lrgrid_maxs: array<vec2<u32>, 64>;
// The greatest exponent, and the number of values above the threshold.
var<workgroup> lrgrid_counts: array<vec2<u32>, 64>;
var<workgroup> lrgrid_sums: array<vec4<u32>, 64>;

// The bits of the f32 equal to an f16.
fn lrgrid_widened(half: u32) -> u32 {
    let sign = (half & 0x8000u) << 16u;
    let exponent = (half >> 10u) & 31u;
    let fraction = half & 0x3ffu;
    if (exponent == 31u) {
        return sign | 0x7f800000u | (fraction << 13u);
    }
    if (exponent != 0u) {
        return sign | ((exponent + 112u) << 23u) | (fraction << 13u);
    }
    if (fraction == 0u) {
        return sign;
    }
    let shift = countLeadingZeros(fraction) - 21u;
    return sign | ((113u - shift) << 23u) | (((fraction << shift) & 0x3ffu) << 13u);
}

// The value at a column as the bits of an f32.
fn lrgrid_value_bits(row: u32, column: u32) -> u32 {
    let start = row * lrgrid_reduction.pitch;
    if (lrgrid_reduction.format == LRGRID_REDUCE_F32) {
        return lrgrid_values[start + column];
    }
    let half = (lrgrid_values[start + (column >> 1u)] >> ((column & 1u) * 16u)) & 0xffffu;
    if (lrgrid_reduction.format == LRGRID_REDUCE_BF16) {
        return half << 16u;
    }
    return lrgrid_widened(half);
}

// Maps values to integers in the same order; both zeros have one key.
fn lrgrid_key(bits: u32) -> u32 {
    if ((bits & 0x7fffffffu) == 0u) {
        return 0x80000000u;
    }
    return select(bits | 0x80000000u, ~bits, (bits >> 31u) == 1u);
}

// The biased exponent; subnormal values have that of the least normal ones.
fn lrgrid_value_exponent(bits: u32) -> u32 {
    return max((bits >> 23u) & 0xffu, 1u);
}

fn lrgrid_lesser(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
    return select(a, b, b.x < a.x || (b.x == a.x && b.y < a.y));
}

fn lrgrid_greater(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
    return select(a, b, b.x > a.x || (b.x == a.x && b.y < a.y));
}

// Shifts to the right by any number of bits.
fn lrgrid_lowered(a: vec2<u32>, bits: u32) -> vec2<u32> {
    return select(vec2<u32>(0u, 0u), lrgrid_shift_right64(a, bits & 63u), bits < 64u);
}

@compute @workgroup_size(64)
fn lrgrid_reduce(
    @builtin(local_invocation_index) lane: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
) {
    let index = workgroup.x + workgroup.y * workgroups.x;
    let row = index / lrgrid_reduction.chunks;
    let first = (index - row * lrgrid_reduction.chunks) * LRGRID_CHUNK;
    // Workgroups beyond the last chunk have nothing to do.
    let beyond = row >= lrgrid_reduction.rows;
    let end = select(min(first + LRGRID_CHUNK, lrgrid_reduction.columns), first, beyond);

    var least = vec2<u32>(0xffffffffu, 0xffffffffu);
    var greatest = vec2<u32>(0u, 0xffffffffu);
    var count = vec2<u32>(1u, 0u);
    for (var column = first + lane; column < end; column += LRGRID_REDUCERS) {
        let bits = lrgrid_value_bits(row, column);
        let key = lrgrid_key(bits);
        least = lrgrid_lesser(least, vec2<u32>(key, column));
        greatest = lrgrid_greater(greatest, vec2<u32>(key, column));
        count.x = max(count.x, lrgrid_value_exponent(bits));
        count.y += select(0u, 1u, key > lrgrid_reduction.threshold);
    }
    lrgrid_mins[lane] = least;
    lrgrid_maxs[lane] = greatest;
    lrgrid_counts[lane] = count;
    workgroupBarrier();
    for (var half = LRGRID_REDUCERS / 2u; half > 0u; half >>= 1u) {
        if (lane < half) {
            lrgrid_mins[lane] = lrgrid_lesser(lrgrid_mins[lane], lrgrid_mins[lane + half]);
            lrgrid_maxs[lane] = lrgrid_greater(lrgrid_maxs[lane], lrgrid_maxs[lane + half]);
            let a = lrgrid_counts[lane];
            let b = lrgrid_counts[lane + half];
            lrgrid_counts[lane] = vec2<u32>(max(a.x, b.x), a.y + b.y);
        }
        workgroupBarrier();
    }

    let exponent = lrgrid_counts[0].x;
    var sum = vec2<u32>(0u, 0u);
    var squares = vec2<u32>(0u, 0u);
    for (var column = first + lane; column < end; column += LRGRID_REDUCERS) {
        let bits = lrgrid_value_bits(row, column);
        let hidden = select(0x800000u, 0u, ((bits >> 23u) & 0xffu) == 0u);
        let mantissa = (bits & 0x7fffffu) | hidden;
        let below = exponent - lrgrid_value_exponent(bits);
        let term = lrgrid_lowered(lrgrid_shift_left64(vec2<u32>(mantissa, 0u), 26u), below);
        if ((bits >> 31u) == 1u) {
            sum = lrgrid_subtract64(sum, term);
        } else {
            sum = lrgrid_add64(sum, term);
        }
        let square = lrgrid_shift_left64(lrgrid_product32(mantissa, mantissa), 3u);
        squares = lrgrid_add64(squares, lrgrid_lowered(square, 2u * below));
    }
    lrgrid_sums[lane] = vec4<u32>(sum, squares);
    workgroupBarrier();
    for (var half = LRGRID_REDUCERS / 2u; half > 0u; half >>= 1u) {
        if (lane < half) {
            let a = lrgrid_sums[lane];
            let b = lrgrid_sums[lane + half];
            lrgrid_sums[lane] = vec4<u32>(lrgrid_add64(a.xy, b.xy), lrgrid_add64(a.zw, b.zw));
        }
        workgroupBarrier();
    }

    if (lane == 0u && !beyond) {
        var partial: LrgridPartial;
        partial.sum = lrgrid_sums[0].xy;
        partial.squares = lrgrid_sums[0].zw;
        partial.exponent = exponent;
        partial.min = lrgrid_mins[0].x;
        partial.min_column = lrgrid_mins[0].y;
        partial.max = lrgrid_maxs[0].x;
        partial.max_column = lrgrid_maxs[0].y;
        partial.last = lrgrid_key(lrgrid_value_bits(row, end - 1u));
        partial.above = lrgrid_counts[0].y;
        lrgrid_partials[index] = partial;
    }
}
