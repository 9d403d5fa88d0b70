// Blocks: ranges of columns of one row that are evaluated by a single polynomial.
//
// A workgroup processes eight blocks at a time. Eight threads evaluate a block's curve, in integers, at seven
// nodes and at one check point. If the interpolating polynomial agrees at the check point, they write the
// block's values in floating point. Otherwise the block is divided: where a span ends, or into eight parts,
// down to eight columns, of which each thread evaluates one.
//
// Error bound: 2 ULP on any driver. A value is the sum of a line and a remainder. Every intermediate result of
// the line is exact in f32, so fusing, reordering and rounding modes do not affect it. The remainder is at most
// an eighth of the value; lrgrid_opaque prevents compilers from combining the two. So the rounding of the sum
// contributes 1/2 ULP (1 if a driver rounds towards zero), that of the remainder 3/8 (3/4), and the
// interpolation about 1/8. Values near the subnormal range, which may be flushed, are computed one by one.

const LRGRID_GROUP: u32 = 8u;
// Columns of the smallest block.
const LRGRID_OCTET: u32 = 8u;
// Octets in the largest block (an octet is eight columns).
const LRGRID_MAX_OCTETS: u32 = 256u;
// A round pushes at most 72 parts, each at most a third of its block, above 8 blocks that were cut off. So
// there are at most six such layers, one per size.
const LRGRID_STACK: u32 = 1024u;

// Polynomials are in units of 1024 columns: a power of two keeps the line exact.
const LRGRID_UNIT: f32 = 0.0009765625;

// How the values of a block are computed.
const LRGRID_CUT: u32 = 0u;
const LRGRID_SINGLE: u32 = 1u;
const LRGRID_CONSTANT: u32 = 2u;
const LRGRID_POLYNOMIAL: u32 = 3u;

// Blocks to process: the index of its initial block, the first octet within that, the number of octets.
var<workgroup> lrgrid_stack: array<u32, LRGRID_STACK>;
var<workgroup> lrgrid_top: atomic<u32>;
// Number of blocks cut off in this round, which go below the parts.
var<workgroup> lrgrid_cut_off: atomic<u32>;
var<workgroup> lrgrid_stack_height: u32;
// Per thread: the number at its node, with its bounds; the remainder after subtracting the line.
var<workgroup> lrgrid_nodes: array<vec4<u32>, LRGRID_WORKGROUP_SIZE>;
var<workgroup> lrgrid_rests: array<vec2<u32>, LRGRID_WORKGROUP_SIZE>;
// Per thread: a coefficient, or the bits of a value.
var<workgroup> lrgrid_words: array<u32, LRGRID_WORKGROUP_SIZE>;
// Per block: whether its polynomial failed.
var<workgroup> lrgrid_failed: array<atomic<u32>, LRGRID_GROUP>;

// The identity, opaque to compilers.
fn lrgrid_opaque(value: vec4<f32>) -> vec4<f32> {
    return bitcast<vec4<f32>>(bitcast<vec4<u32>>(value) ^ vec4<u32>(lrgrid_tile.zero));
}

// 2^exponent, for exponents of normal numbers.
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

// The polynomial of a block.
struct LrgridPolynomial {
    // The line's centre and slope, and half the block's length.
    line: vec3<f32>,
    // The remainder: its constant and its other coefficients.
    constant: f32,
    odd: vec3<f32>,
    even: vec3<f32>,
}

fn lrgrid_coefficient(leader: u32, power: u32) -> f32 {
    return bitcast<f32>(lrgrid_words[leader + power]);
}

fn lrgrid_load_polynomial(leader: u32, line: vec3<f32>) -> LrgridPolynomial {
    let odd = vec3<f32>(lrgrid_coefficient(leader, 1u), lrgrid_coefficient(leader, 3u), lrgrid_coefficient(leader, 5u));
    let even = vec3<f32>(lrgrid_coefficient(leader, 2u), lrgrid_coefficient(leader, 4u), lrgrid_coefficient(leader, 6u));
    return LrgridPolynomial(line, lrgrid_coefficient(leader, 0u), odd, even);
}

// Four values of a block, the first at `z` units from its middle.
fn lrgrid_four(block: LrgridPolynomial, z: f32) -> vec4<f32> {
    let x = vec4<f32>(z, z + LRGRID_UNIT, z + 2.0 * LRGRID_UNIT, z + 3.0 * LRGRID_UNIT);
    var rest = block.even.z * x + block.odd.z;
    rest = rest * x + block.even.y;
    rest = rest * x + block.odd.y;
    rest = rest * x + block.even.x;
    rest = rest * x + block.odd.x;
    rest = rest * x + block.constant;
    return lrgrid_opaque(block.line.y * x + block.line.x) + lrgrid_opaque(rest);
}

// Writes the words of a polynomial block that belong to one of its eight threads; `first` is the block's first.
fn lrgrid_write_polynomial(format: u32, block: LrgridPolynomial, small: bool, member: u32, first: u32, words: u32) {
    for (var word = member; word < words; word += LRGRID_GROUP) {
        if (format == LRGRID_F32) {
            let z = f32(word) * (4.0 * LRGRID_UNIT) - block.line.z;
            lrgrid_table[first + word] = bitcast<vec4<u32>>(lrgrid_four(block, z));
        } else {
            let z = f32(word) * (8.0 * LRGRID_UNIT) - block.line.z;
            let low = lrgrid_halves(format, lrgrid_four(block, z), small);
            let high = lrgrid_halves(format, lrgrid_four(block, z + 4.0 * LRGRID_UNIT), small);
            lrgrid_table[first + word] = vec4<u32>(low.xz, high.xz) | (vec4<u32>(low.yw, high.yw) << vec4<u32>(16u));
        }
    }
}

// The same for a constant block.
fn lrgrid_write_constant(format: u32, bits: u32, member: u32, first: u32, words: u32) {
    let value = vec4<u32>(select(bits | (bits << 16u), bits, format == LRGRID_F32));
    for (var word = member; word < words; word += LRGRID_GROUP) {
        lrgrid_table[first + word] = value;
    }
}

// The same for an octet whose values its threads have evaluated one by one.
fn lrgrid_write_octet(format: u32, leader: u32, member: u32, first: u32, words: u32) {
    if (member < words) {
        var value: vec4<u32>;
        for (var i = 0u; i < 4u; i++) {
            if (format == LRGRID_F32) {
                value[i] = lrgrid_words[leader + member * 4u + i];
            } else {
                value[i] = lrgrid_words[leader + 2u * i] | (lrgrid_words[leader + 2u * i + 1u] << 16u);
            }
        }
        lrgrid_table[first + member] = value;
    }
}

fn lrgrid_entry(origin: u32, first: u32, octets: u32) -> u32 {
    return (origin << 28u) | (first << 14u) | octets;
}

fn lrgrid_push(origin: u32, first: u32, octets: u32) {
    if (octets != 0u) {
        lrgrid_stack[atomicAdd(&lrgrid_top, 1u)] = lrgrid_entry(origin, first, octets);
    }
}

// The start of the `i`-th of eight parts: of equal length, or shorter towards one end.
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

fn lrgrid_fill_blocks(format: u32, lane: u32, workgroup: u32) {
    let blocks = max(lrgrid_tile.rows * lrgrid_tile.row_blocks, workgroup * LRGRID_GROUP);
    let row_octets = (lrgrid_tile.columns + LRGRID_OCTET - 1u) / LRGRID_OCTET;
    let group = lane / LRGRID_GROUP;
    let member = lane % LRGRID_GROUP;
    let node = LRGRID_NODES[member];
    if (lane < LRGRID_GROUP && workgroup * LRGRID_GROUP + lane < blocks) {
        let first = ((workgroup * LRGRID_GROUP + lane) % lrgrid_tile.row_blocks) * LRGRID_MAX_OCTETS;
        lrgrid_stack[lane] = lrgrid_entry(lane, 0u, min(LRGRID_MAX_OCTETS, row_octets - first));
    }
    if (lane == 0u) {
        atomicStore(&lrgrid_top, min(blocks - workgroup * LRGRID_GROUP, LRGRID_GROUP));
    }
    loop {
        workgroupBarrier();
        if (lane == 0u) {
            lrgrid_stack_height = atomicLoad(&lrgrid_top);
            atomicStore(&lrgrid_cut_off, 0u);
        }
        let height = workgroupUniformLoad(&lrgrid_stack_height);
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
        let octet = (block - row * lrgrid_tile.row_blocks) * LRGRID_MAX_OCTETS + first;
        var how = select(LRGRID_CUT, LRGRID_SINGLE, octets == 1u);
        // Number of octets before the next boundary.
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
                // A product or sum of several varying tracks may exceed a bound between two nodes.
                let sure = place.moving < 2u || lrgrid_stages[place.stage].clamped == 0u;
                // The part before the boundary must be large enough to pay.
                if (sure && (inside == octets || (inside >= 2u && inside * 8u >= octets))) {
                    how = select(LRGRID_CONSTANT, LRGRID_POLYNOMIAL, place.moving != 0u);
                    let last = (inside * LRGRID_OCTET - 1u) * node;
                    distance = lrgrid_multiply64(lrgrid_tile.stride, vec2<u32>(last, 0u));
                } else {
                    inside = octets;
                }
            }
            let found = lrgrid_value_from(place, distance);
            let sign = select(0u, 0x80000000u, found.value.negative);
            let exponent = bitcast<u32>(found.value.exponent);
            lrgrid_nodes[lane] = vec4<u32>(sign | found.bounds, exponent, found.value.mantissa);
            lrgrid_words[lane] = lrgrid_bits(format, found.value);
        }
        var below = height - taken;
        if (member == 0u) {
            atomicStore(&lrgrid_failed[group], 0u);
            if (busy && inside + 1u < octets) {
                below += atomicAdd(&lrgrid_cut_off, 1u);
            }
        }
        // All threads have read the stack.
        workgroupBarrier();
        if (lane == 0u) {
            atomicStore(&lrgrid_top, height - taken + atomicLoad(&lrgrid_cut_off));
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
            // The remainders to 30 bits, again with a common scale.
            var any = vec2<u32>(1u, 0u);
            for (var i = 0u; i < LRGRID_GROUP; i++) {
                any |= lrgrid_magnitude64(lrgrid_rests[leader + i]);
            }
            let lift = lrgrid_leading_zeros64(any);
            var sum = vec2<u32>(0u, 0u);
            var weights = LRGRID_WEIGHTS;
            for (var i = 0u; i < 7u; i++) {
                let weight = weights[member * 7u + i];
                sum = lrgrid_add64(sum, lrgrid_weighted(lrgrid_rests[leader + i], lift, weight));
            }
            if (member == 7u) {
                sum = lrgrid_subtract64(sum, lrgrid_weighted(lrgrid_rests[lane], lift, 1 << 27u));
            }
            let size = lrgrid_magnitude64(sum);
            let zeros = lrgrid_leading_zeros64(size);
            // Required: the remainder is below an eighth of the least value, its last coefficient is at most 8 ULP,
            // and the error at the check point is at most 1/8 ULP.
            var failed = !alike || spread > 2u || lift < 6u + spread;
            failed = failed || greatest > 80 || least < -80 || (format == LRGRID_F16 && greatest > 15);
            failed = failed || (member == 6u && zeros + lift < 25u + spread);
            failed = failed || (member == 7u && zeros + lift < 36u + spread);
            if (failed) {
                atomicStore(&lrgrid_failed[group], 1u);
            }
            // Rescale from [-1, 1] over the block to units of 1024 columns.
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
                // If the values approach zero, use shorter parts towards that end.
                let rises = bitcast<i32>(lrgrid_nodes[leader].y) < bitcast<i32>(lrgrid_nodes[leader + 6u].y);
                let towards = select(0u, select(2u, 1u, rises), polynomial && spread > 2u);
                let part = lrgrid_part(member, inside, towards);
                lrgrid_push(origin, first + part, lrgrid_part(member + 1u, inside, towards) - part);
            }
            if (member == 0u) {
                // The octet with the boundary, and the columns after it.
                lrgrid_push(origin, first + inside, min(octets - inside, 1u));
                if (inside + 1u < octets) {
                    lrgrid_stack[below] = lrgrid_entry(origin, first + inside + 1u, octets - inside - 1u);
                }
            }
            let octet_words = LRGRID_OCTET / lrgrid_width(format);
            let begin = octet * octet_words;
            let words = min((octet + inside) * octet_words, lrgrid_tile.groups) - begin;
            let first_word = row * lrgrid_tile.groups + begin;
            switch how {
                case LRGRID_POLYNOMIAL: {
                    let unit = select(1.0, -1.0, (own.x & 0x80000000u) != 0u) * lrgrid_power_of_two(greatest - 24);
                    let half = f32(columns - 1u) * (0.5 * LRGRID_UNIT);
                    let line = vec3<f32>(f32(centre) * unit, f32(slope) * 2048.0 * unit, half);
                    let small = least < -13;
                    lrgrid_write_polynomial(
                        format, lrgrid_load_polynomial(leader, line), small, member, first_word, words,
                    );
                }
                case LRGRID_CONSTANT: {
                    lrgrid_write_constant(format, lrgrid_words[leader], member, first_word, words);
                }
                case LRGRID_SINGLE: {
                    lrgrid_write_octet(format, leader, member, first_word, words);
                }
                default: {
                    // Its parts are on the stack.
                }
            }
        }
    }
}

// The magnitude at a node in 2^(greatest - 62).
fn lrgrid_node_magnitude(lane: u32, greatest: i32) -> vec2<u32> {
    let number = lrgrid_nodes[lane];
    return lrgrid_shift_right64(number.zw, u32(clamp(2 + greatest - bitcast<i32>(number.y), 2, 63)));
}

// A remainder, scaled to 30 bits, times a weight.
fn lrgrid_weighted(rest: vec2<u32>, lift: u32, weight: i32) -> vec2<u32> {
    let scaled = lrgrid_shift_left64(lrgrid_magnitude64(rest), lift).y >> 2u;
    let product = lrgrid_product32(scaled, u32(abs(weight)));
    return select(product, lrgrid_negate64(product), lrgrid_is_negative64(rest) != (weight < 0));
}
