// The part of a table that a dispatch fills, and evaluation value by value: for short rows and listed steps.

const LRGRID_WORKGROUP_SIZE: u32 = 64u;

const LRGRID_F32: u32 = 0u;
const LRGRID_F16: u32 = 1u;
const LRGRID_BF16: u32 = 2u;

// The part of a table that one dispatch fills.
struct LrgridTile {
    // Step of the first column and distance to the next, if the steps are a progression.
    start: vec2<u32>,
    stride: vec2<u32>,
    // First program, number of rows and of columns.
    program_first: u32,
    rows: u32,
    columns: u32,
    // The row's pitch in units of 16 bytes.
    groups: u32,
    // 1 if the steps are a list, in lrgrid_steps.
    listed: u32,
    // Blocks per row before any is divided.
    row_blocks: u32,
    // Keeps the record a multiple of 8 bytes.
    padding: u32,
    // 0, but not a constant for the compiler.
    zero: u32,
}

@group(0) @binding(5) var<storage, read> lrgrid_steps: array<vec2<u32>>;
@group(0) @binding(6) var<uniform> lrgrid_tile: LrgridTile;
@group(0) @binding(7) var<storage, read_write> lrgrid_table: array<vec4<u32>>;

// Values in 16 bytes.
fn lrgrid_width(format: u32) -> u32 {
    return select(8u, 4u, format == LRGRID_F32);
}

// The step of a column; columns past the last are padding.
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

// Writes 16 bytes of one row per thread, each value computed exactly.
fn lrgrid_fill_values(format: u32, thread: u32) {
    let row = thread / lrgrid_tile.groups;
    if (row >= lrgrid_tile.rows) {
        return;
    }
    let program = lrgrid_tile.program_first + row;
    let width = lrgrid_width(format);
    let column = (thread - row * lrgrid_tile.groups) * width;
    var words = vec4<u32>();
    var step = lrgrid_column_step(column);
    var i = 0u;
    while (i < width) {
        // A place is valid for as many columns as it has room for.
        let start = step;
        let place = lrgrid_place(program, start);
        var distance = vec2<u32>(0u, 0u);
        // Listed steps need not ascend.
        while (i < width && !lrgrid_less64(step, start) && lrgrid_less64(distance, place.room)) {
            let bits = lrgrid_bits(format, lrgrid_value_from(place, lrgrid_shift_left64(distance, 6u)).value);
            if (format == LRGRID_F32) {
                words[i] = bits;
            } else {
                words[i >> 1u] |= bits << ((i & 1u) * 16u);
            }
            i++;
            step = lrgrid_column_step(column + i);
            distance = lrgrid_subtract64(step, start);
        }
    }
    lrgrid_table[thread] = words;
}
