// Blocks: runs of columns of one row that a single polynomial carries.
//
// A workgroup takes eight blocks at a time. Eight threads each evaluate a block's curve, exactly and in
// integers, at seven nodes and at a point that only checks; where the polynomial through the nodes meets the
// check, all threads write its values in floating point. Where it does not, the block is cut: where a span
// ends, else in eight, down to eight columns, of which each thread evaluates one.
//
// What a driver does to floating point costs less than a unit in the last place. A value is the sum of two
// words: a straight line whose every intermediate result is exact in f32, so that fusing, reordering and
// rounding modes cannot touch it, and the rest, at most an eighth of the value. The sum is all there is to
// round; lrgrid_opaque keeps compilers from mixing the two.

const LRGRID_WORKGROUP_SIZE: u32 = 64u;
const LRGRID_GROUP: u32 = 8u;
// Columns of the smallest block.
const LRGRID_OCTET: u32 = 8u;
// Blocks never overlap, so there are no more of them than octets in a workgroup's first eight.
const LRGRID_STACK: u32 = 1024u;
// Octets in the largest block.
const LRGRID_MAX_OCTETS: u32 = 128u;

// Polynomials count in 1024 columns: a power of two keeps the line exact.
const LRGRID_UNIT: f32 = 0.0009765625;

const LRGRID_F32: u32 = 0u;
const LRGRID_F16: u32 = 1u;
const LRGRID_BF16: u32 = 2u;

// How a block's values come about.
const LRGRID_CUT: u32 = 0u;
const LRGRID_SINGLE: u32 = 1u;
const LRGRID_CONSTANT: u32 = 2u;
const LRGRID_POLYNOMIAL: u32 = 3u;

// The part of a table that one dispatch fills.
struct LrgridTile {
    // Step of the first column and distance to the next, where the steps are a progression.
    start: vec2<u32>,
    stride: vec2<u32>,
    // First program, number of rows and of columns.
    program_first: u32,
    rows: u32,
    columns: u32,
    // The row's pitch in units of 16 bytes.
    groups: u32,
    // 1 where the steps come from lrgrid_steps.
    listed: u32,
    // Octets per block at first, and such blocks per row.
    block_octets: u32,
    row_blocks: u32,
    // 0, which no compiler knows.
    zero: u32,
}

@group(0) @binding(4) var<storage, read> lrgrid_steps: array<vec2<u32>>;
@group(0) @binding(5) var<uniform> lrgrid_tile: LrgridTile;
@group(0) @binding(6) var<storage, read_write> lrgrid_table: array<vec4<u32>>;

// Blocks to do: which of the first eight it is part of, first octet within that, number of octets.
var<workgroup> lrgrid_stack: array<u32, LRGRID_STACK>;
var<workgroup> lrgrid_top: atomic<u32>;
var<workgroup> lrgrid_height: u32;
// Per thread: the number at its node, with its bounds; what the line leaves of it.
var<workgroup> lrgrid_nodes: array<vec4<u32>, LRGRID_WORKGROUP_SIZE>;
var<workgroup> lrgrid_rests: array<vec2<u32>, LRGRID_WORKGROUP_SIZE>;
// Per thread: a coefficient, or the bits of a value.
var<workgroup> lrgrid_words: array<u32, LRGRID_WORKGROUP_SIZE>;
// Per block: how, first word of the table, number of words; centre, slope, half its length; whether it failed.
var<workgroup> lrgrid_plans: array<vec3<u32>, LRGRID_GROUP>;
var<workgroup> lrgrid_lines: array<vec3<f32>, LRGRID_GROUP>;
var<workgroup> lrgrid_failed: array<atomic<u32>, LRGRID_GROUP>;

// The step of a column; those past the last stand in the padding.
fn lrgrid_column_step(column: u32) -> vec2<u32> {
    if (lrgrid_tile.listed != 0u) {
        return lrgrid_steps[min(column, lrgrid_tile.columns - 1u)];
    }
    return lrgrid_add64(lrgrid_tile.start, lrgrid_multiply64(lrgrid_tile.stride, vec2<u32>(column, 0u)));
}

fn lrgrid_bits(format: u32, value: LrgridNumber) -> u32 {
    switch format {
        case LRGRID_F16: {
            return lrgrid_f16_bits(value);
        }
        case LRGRID_BF16: {
            return lrgrid_bf16_bits(value);
        }
        default: {
            return lrgrid_f32_bits(value);
        }
    }
}

// The same word, of which compilers know nothing.
fn lrgrid_opaque(value: vec4<f32>) -> vec4<f32> {
    return bitcast<vec4<f32>>(bitcast<vec4<u32>>(value) ^ vec4<u32>(lrgrid_tile.zero));
}

// Twice the next power of two down: 2^exponent, for exponents of normal numbers.
fn lrgrid_power_of_two(exponent: i32) -> f32 {
    return bitcast<f32>(u32(exponent + 127) << 23u);
}

fn lrgrid_negate64(a: vec2<u32>) -> vec2<u32> {
    return lrgrid_subtract64(vec2<u32>(0u, 0u), a);
}

fn lrgrid_is_negative64(a: vec2<u32>) -> bool {
    return (a.y & 0x80000000u) != 0u;
}

fn lrgrid_magnitude64(a: vec2<u32>) -> vec2<u32> {
    return select(a, lrgrid_negate64(a), lrgrid_is_negative64(a));
}

// Bits of half-width values from those of f32, to nearest, for normal results.
fn lrgrid_halves(format: u32, values: vec4<f32>, subnormal: bool) -> vec4<u32> {
    let bits = bitcast<vec4<u32>>(values);
    if (format == LRGRID_BF16) {
        return (bits + 0x7fffu + ((bits >> vec4<u32>(16u)) & vec4<u32>(1u))) >> vec4<u32>(16u);
    }
    let sign = (bits >> vec4<u32>(16u)) & vec4<u32>(0x8000u);
    let magnitude = bits & vec4<u32>(0x7fffffffu);
    if (!subnormal) {
        // The exponent's bias is less by 112.
        let even = (magnitude >> vec4<u32>(13u)) & vec4<u32>(1u);
        return sign | ((magnitude + 0xfffu + even - 0x38000000u) >> vec4<u32>(13u));
    }
    // Below 2^-14 the spacing stays 2^-24.
    let exponent = magnitude >> vec4<u32>(23u);
    let drop = 13u + min(max(vec4<u32>(113u), exponent) - exponent, vec4<u32>(12u));
    let mantissa = (magnitude & vec4<u32>(0x7fffffu)) | vec4<u32>(0x800000u);
    let even = (mantissa >> drop) & vec4<u32>(1u);
    let kept = (mantissa + (vec4<u32>(1u) << (drop - 1u)) - 1u + even) >> drop;
    return sign | (((max(exponent, vec4<u32>(113u)) - 113u) << vec4<u32>(10u)) + kept);
}

// Four values of a polynomial block, the first at `z` units from its middle.
fn lrgrid_polynomial(group: u32, line: vec3<f32>, z: f32) -> vec4<f32> {
    let x = vec4<f32>(z, z + LRGRID_UNIT, z + 2.0 * LRGRID_UNIT, z + 3.0 * LRGRID_UNIT);
    let first = group * LRGRID_GROUP;
    var rest = vec4<f32>(bitcast<f32>(lrgrid_words[first + 6u]));
    rest = rest * x + bitcast<f32>(lrgrid_words[first + 5u]);
    rest = rest * x + bitcast<f32>(lrgrid_words[first + 4u]);
    rest = rest * x + bitcast<f32>(lrgrid_words[first + 3u]);
    rest = rest * x + bitcast<f32>(lrgrid_words[first + 2u]);
    rest = rest * x + bitcast<f32>(lrgrid_words[first + 1u]);
    rest = rest * x + bitcast<f32>(lrgrid_words[first]);
    return lrgrid_opaque(line.y * x + line.x) + lrgrid_opaque(rest);
}

// Writes the blocks that are settled, all threads together.
fn lrgrid_write(format: u32, lane: u32, blocks: u32) {
    for (var group = 0u; group < blocks; group++) {
        let plan = lrgrid_plans[group];
        if ((plan.x & 3u) == LRGRID_POLYNOMIAL) {
            let line = lrgrid_lines[group];
            for (var word = lane; word < plan.z; word += LRGRID_WORKGROUP_SIZE) {
                var words: vec4<u32>;
                if (format == LRGRID_F32) {
                    words = bitcast<vec4<u32>>(lrgrid_polynomial(group, line, f32(word) * (4.0 * LRGRID_UNIT) - line.z));
                } else {
                    let z = f32(word) * (8.0 * LRGRID_UNIT) - line.z;
                    let small = (plan.x & 4u) != 0u;
                    let low = lrgrid_halves(format, lrgrid_polynomial(group, line, z), small);
                    let high = lrgrid_halves(format, lrgrid_polynomial(group, line, z + 4.0 * LRGRID_UNIT), small);
                    words = vec4<u32>(low.xz, high.xz) | (vec4<u32>(low.yw, high.yw) << vec4<u32>(16u));
                }
                lrgrid_table[plan.y + word] = words;
            }
        } else if (plan.x == LRGRID_CONSTANT) {
            var bits = lrgrid_words[group * LRGRID_GROUP];
            if (format != LRGRID_F32) {
                bits |= bits << 16u;
            }
            for (var word = lane; word < plan.z; word += LRGRID_WORKGROUP_SIZE) {
                lrgrid_table[plan.y + word] = vec4<u32>(bits);
            }
        }
    }
}

// Words of 16 bytes per octet.
fn lrgrid_octet_words(format: u32) -> u32 {
    return select(1u, 2u, format == LRGRID_F32);
}

// Writes the octet that a group's threads have evaluated one by one.
fn lrgrid_write_octet(format: u32, lane: u32) {
    let member = lane % LRGRID_GROUP;
    let plan = lrgrid_plans[lane / LRGRID_GROUP];
    if (plan.x != LRGRID_SINGLE || member >= plan.z) {
        return;
    }
    let first = lane - member;
    var words: vec4<u32>;
    if (format == LRGRID_F32) {
        for (var i = 0u; i < 4u; i++) {
            words[i] = lrgrid_words[first + member * 4u + i];
        }
    } else {
        for (var i = 0u; i < 4u; i++) {
            words[i] = lrgrid_words[first + 2u * i] | (lrgrid_words[first + 2u * i + 1u] << 16u);
        }
    }
    lrgrid_table[plan.y + member] = words;
}

fn lrgrid_push(origin: u32, first: u32, octets: u32) {
    if (octets != 0u) {
        lrgrid_stack[atomicAdd(&lrgrid_top, 1u)] = (origin << 28u) | (first << 14u) | octets;
    }
}

// Where the `i`-th of eight parts begins: even, or ever shorter towards one end.
fn lrgrid_part(i: u32, octets: u32, towards: u32) -> u32 {
    if (towards == 0u) {
        return octets * i / 8u;
    }
    // Powers of 2/3 in 2^-16.
    var shares = array<u32, 9>(0u, 3836u, 5754u, 8631u, 12945u, 19418u, 29127u, 43691u, 65536u);
    if (towards == 1u) {
        return (octets * shares[i]) >> 16u;
    }
    return octets - ((octets * shares[8u - i]) >> 16u);
}

fn lrgrid_fill(format: u32, lane: u32, workgroup: u32) {
    let blocks = lrgrid_tile.rows * lrgrid_tile.row_blocks;
    let width = select(8u, 4u, format == LRGRID_F32);
    let row_octets = (lrgrid_tile.columns + LRGRID_OCTET - 1u) / LRGRID_OCTET;
    let group = lane / LRGRID_GROUP;
    let member = lane % LRGRID_GROUP;
    let node = LRGRID_NODES[member];
    if (lane < LRGRID_GROUP && workgroup * LRGRID_GROUP + lane < blocks) {
        let first = ((workgroup * LRGRID_GROUP + lane) % lrgrid_tile.row_blocks) * lrgrid_tile.block_octets;
        lrgrid_push(lane, 0u, min(lrgrid_tile.block_octets, row_octets - first));
    }
    loop {
        workgroupBarrier();
        if (lane == 0u) {
            lrgrid_height = atomicLoad(&lrgrid_top);
        }
        let height = workgroupUniformLoad(&lrgrid_height);
        if (height == 0u) {
            break;
        }
        let taken = min(height, LRGRID_GROUP);
        let busy = group < taken;
        let entry = lrgrid_stack[height - 1u - min(group, taken - 1u)];
        let origin = entry >> 28u;
        let first = (entry >> 14u) & 0x3fffu;
        let octets = entry & 0x3fffu;
        let block = workgroup * LRGRID_GROUP + origin;
        let row = block / lrgrid_tile.row_blocks;
        let octet = (block - row * lrgrid_tile.row_blocks) * lrgrid_tile.block_octets + first;
        var how = select(LRGRID_CUT, LRGRID_SINGLE, octets == 1u);
        // Octets before the next boundary.
        var inside = octets;
        if (busy) {
            let column = octet * LRGRID_OCTET + select(0u, member, how == LRGRID_SINGLE);
            let place = lrgrid_place(lrgrid_tile.program_first + row, lrgrid_column_step(column));
            var distance = vec2<u32>(0u, 0u);
            if (how != LRGRID_SINGLE) {
                let last = lrgrid_multiply64(lrgrid_tile.stride, vec2<u32>(octets * LRGRID_OCTET - 1u, 0u));
                if (!lrgrid_less64(last, place.room)) {
                    let whole = lrgrid_subtract64(place.room, vec2<u32>(1u, 0u));
                    inside = (lrgrid_divide64(whole, lrgrid_tile.stride).quotient.x + 1u) / LRGRID_OCTET;
                }
                // What is cut off must be worth it.
                if (inside == octets || (inside >= 2u && inside * 8u >= octets)) {
                    how = select(LRGRID_CONSTANT, LRGRID_POLYNOMIAL, place.moves);
                    let last = (inside * LRGRID_OCTET - 1u) * node;
                    distance = lrgrid_multiply64(lrgrid_tile.stride, vec2<u32>(last, 0u));
                } else {
                    inside = octets;
                }
            }
            let found = lrgrid_value(place, distance);
            let sign = select(0u, 0x80000000u, found.value.negative);
            let exponent = bitcast<u32>(found.value.exponent);
            lrgrid_nodes[lane] = vec4<u32>(sign | found.bounds, exponent, found.value.mantissa);
            lrgrid_words[lane] = lrgrid_bits(format, found.value);
        }
        if (member == 0u) {
            atomicStore(&lrgrid_failed[group], 0u);
        }
        workgroupBarrier();
        // The stack is read; what follows may push.
        if (lane == 0u) {
            atomicStore(&lrgrid_top, height - taken);
        }

        // A common scale for the nodes: magnitudes in 2^(greatest - 62).
        let leader = lane - member;
        let own = lrgrid_nodes[lane];
        var greatest = bitcast<i32>(own.y);
        var least = greatest;
        var alike = true;
        for (var i = 0u; i < LRGRID_GROUP; i++) {
            let other = lrgrid_nodes[leader + i];
            greatest = max(greatest, bitcast<i32>(other.y));
            least = min(least, bitcast<i32>(other.y));
            alike = alike && other.x == own.x;
        }
        let spread = u32(clamp(greatest - least, 0, 63));
        let columns = inside * LRGRID_OCTET;
        var centre = 0u;
        var slope = 0i;
        let polynomial = busy && how == LRGRID_POLYNOMIAL;
        if (polynomial) {
            let magnitude = lrgrid_node_magnitude(lane, greatest);
            let start = lrgrid_node_magnitude(leader, greatest);
            let end = lrgrid_node_magnitude(leader + 6u, greatest);
            // The line through the ends: its centre in 2^(greatest - 24), its slope per column in twice that.
            centre = (lrgrid_add64(start, end).y + 64u) >> 7u;
            let rise = lrgrid_subtract64(end, start).y;
            slope = bitcast<i32>(rise) / i32((columns - 1u) * 128u);
            let line = (i32(centre) << 6u) + ((slope * (i32(node) - 32) * i32(columns - 1u)) << 1u);
            lrgrid_rests[lane] = lrgrid_subtract64(magnitude, vec2<u32>(0u, bitcast<u32>(line)));
        }
        workgroupBarrier();

        if (polynomial) {
            // The rests to 30 bits, a common scale again.
            var any = vec2<u32>(1u, 0u);
            for (var i = 0u; i < LRGRID_GROUP; i++) {
                any |= lrgrid_magnitude64(lrgrid_rests[leader + i]);
            }
            let lift = lrgrid_leading_zeros64(any);
            var sum = vec2<u32>(0u, 0u);
            for (var i = 0u; i < 7u; i++) {
                let weight = LRGRID_WEIGHTS[member * 7u + i];
                sum = lrgrid_add64(sum, lrgrid_weighted(lrgrid_rests[leader + i], lift, weight));
            }
            if (member == 7u) {
                sum = lrgrid_subtract64(sum, lrgrid_weighted(lrgrid_rests[lane], lift, 1 << 27u));
            }
            let size = lrgrid_magnitude64(sum);
            let zeros = lrgrid_leading_zeros64(size);
            // The rest below an eighth of the least value; its last coefficient worth 8 units in the last place,
            // and the check missed by an eighth of one, at most.
            var failed = !alike || spread > 2u || lift < 6u + spread;
            failed = failed || greatest > 100 || least < -80 || (format == LRGRID_F16 && greatest > 15);
            failed = failed || (member == 6u && zeros + lift < 25u + spread);
            failed = failed || (member == 7u && zeros + lift < 36u + spread);
            if (failed) {
                atomicStore(&lrgrid_failed[group], 1u);
            }
            // From [-1, 1] over the block to units of 1024 columns.
            let scale = 2.0 / (f32(columns - 1u) * LRGRID_UNIT);
            let negative = lrgrid_is_negative64(sum) != ((own.x & 0x80000000u) != 0u);
            var coefficient = bitcast<f32>(lrgrid_f32_bits(lrgrid_normalized(negative, greatest + 9 - i32(lift), size)));
            for (var i = 0u; i < member; i++) {
                coefficient *= scale;
            }
            lrgrid_words[lane] = bitcast<u32>(coefficient);
        }
        workgroupBarrier();

        if (busy) {
            if (polynomial && atomicLoad(&lrgrid_failed[group]) != 0u) {
                how = LRGRID_CUT;
            }
            if (how == LRGRID_CUT) {
                // Where the value nears zero, parts become shorter with it.
                let rises = bitcast<i32>(lrgrid_nodes[leader].y) < bitcast<i32>(lrgrid_nodes[leader + 6u].y);
                let towards = select(0u, select(2u, 1u, rises), polynomial && spread > 2u);
                let part = lrgrid_part(member, inside, towards);
                lrgrid_push(origin, first + part, lrgrid_part(member + 1u, inside, towards) - part);
            }
            if (member == 0u) {
                // The octet with the boundary, and what follows.
                lrgrid_push(origin, first + inside, min(octets - inside, 1u));
                lrgrid_push(origin, first + inside + 1u, max(octets - inside, 1u) - 1u);
                let begin = octet * lrgrid_octet_words(format);
                let end = min((octet + inside) * lrgrid_octet_words(format), lrgrid_tile.groups);
                let small = how == LRGRID_POLYNOMIAL && least < -13;
                let plan = vec2<u32>(how | select(0u, 4u, small), row * lrgrid_tile.groups + begin);
                lrgrid_plans[group] = vec3<u32>(plan, end - begin);
                if (how == LRGRID_POLYNOMIAL) {
                    let unit = select(1.0, -1.0, (own.x & 0x80000000u) != 0u) * lrgrid_power_of_two(greatest - 24);
                    let half = f32(columns - 1u) * (0.5 * LRGRID_UNIT);
                    lrgrid_lines[group] = vec3<f32>(f32(centre) * unit, f32(slope) * 2048.0 * unit, half);
                }
            }
        }
        workgroupBarrier();
        lrgrid_write(format, lane, taken);
        if (busy) {
            lrgrid_write_octet(format, lane);
        }
    }
}

// The magnitude at a node in 2^(greatest - 62).
fn lrgrid_node_magnitude(lane: u32, greatest: i32) -> vec2<u32> {
    let number = lrgrid_nodes[lane];
    return lrgrid_shift_right64(number.zw, u32(clamp(2 + greatest - bitcast<i32>(number.y), 2, 63)));
}

// A rest, brought to 30 bits, times a weight.
fn lrgrid_weighted(rest: vec2<u32>, lift: u32, weight: i32) -> vec2<u32> {
    let scaled = lrgrid_shift_left64(lrgrid_magnitude64(rest), lift).y >> 2u;
    let product = lrgrid_product32(scaled, u32(abs(weight)));
    return select(product, lrgrid_negate64(product), lrgrid_is_negative64(rest) != (weight < 0));
}
