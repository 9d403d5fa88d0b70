// Entry points that fill a table, one per element type: a thread writes 16 bytes of one row.

const LRGRID_WORKGROUP_SIZE: u32 = 64u;

// The part of a table that one dispatch fills.
struct LrgridTile {
    // Step of the first column and distance to the next, where the steps are a progression.
    start: vec2<u32>,
    stride: vec2<u32>,
    // First program, number of rows and of columns.
    program_first: u32,
    rows: u32,
    columns: u32,
    // Threads per row: the row's pitch in units of 16 bytes.
    groups: u32,
    // 1 where the steps come from lrgrid_steps.
    listed: u32,
    // Keeps the record a multiple of 8 bytes.
    padding: u32,
}

@group(0) @binding(4) var<storage, read> lrgrid_steps: array<vec2<u32>>;
@group(0) @binding(5) var<uniform> lrgrid_tile: LrgridTile;
@group(0) @binding(6) var<storage, read_write> lrgrid_table: array<vec4<u32>>;

// The step of a column; columns past the last stand in the padding and repeat it.
fn lrgrid_column_step(index: u32) -> vec2<u32> {
    let column = min(index, lrgrid_tile.columns - 1u);
    if (lrgrid_tile.listed != 0u) {
        return lrgrid_steps[column];
    }
    return lrgrid_add64(lrgrid_tile.start, lrgrid_multiply64(lrgrid_tile.stride, vec2<u32>(column, 0u)));
}

// Index of the thread in the tile; dispatches of many workgroups have two dimensions.
fn lrgrid_thread(id: vec3<u32>, workgroups: vec3<u32>) -> u32 {
    return id.x + id.y * workgroups.x * LRGRID_WORKGROUP_SIZE;
}

@compute @workgroup_size(LRGRID_WORKGROUP_SIZE)
fn lrgrid_table_f32(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
) {
    let thread = lrgrid_thread(id, workgroups);
    let row = thread / lrgrid_tile.groups;
    if (row >= lrgrid_tile.rows) {
        return;
    }
    let column = (thread - row * lrgrid_tile.groups) * 4u;
    var cursor = lrgrid_cursor();
    var words = vec4<u32>();
    for (var i = 0u; i < 4u; i++) {
        let value = lrgrid_program_value(&cursor, lrgrid_tile.program_first + row, lrgrid_column_step(column + i));
        words[i] = lrgrid_f32_bits(value);
    }
    lrgrid_table[thread] = words;
}

@compute @workgroup_size(LRGRID_WORKGROUP_SIZE)
fn lrgrid_table_f16(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
) {
    let thread = lrgrid_thread(id, workgroups);
    let row = thread / lrgrid_tile.groups;
    if (row >= lrgrid_tile.rows) {
        return;
    }
    let column = (thread - row * lrgrid_tile.groups) * 8u;
    var cursor = lrgrid_cursor();
    var words = vec4<u32>();
    for (var i = 0u; i < 8u; i++) {
        let value = lrgrid_program_value(&cursor, lrgrid_tile.program_first + row, lrgrid_column_step(column + i));
        words[i >> 1u] |= lrgrid_f16_bits(value) << ((i & 1u) * 16u);
    }
    lrgrid_table[thread] = words;
}

@compute @workgroup_size(LRGRID_WORKGROUP_SIZE)
fn lrgrid_table_bf16(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
) {
    let thread = lrgrid_thread(id, workgroups);
    let row = thread / lrgrid_tile.groups;
    if (row >= lrgrid_tile.rows) {
        return;
    }
    let column = (thread - row * lrgrid_tile.groups) * 8u;
    var cursor = lrgrid_cursor();
    var words = vec4<u32>();
    for (var i = 0u; i < 8u; i++) {
        let value = lrgrid_program_value(&cursor, lrgrid_tile.program_first + row, lrgrid_column_step(column + i));
        words[i >> 1u] |= lrgrid_bf16_bits(value) << ((i & 1u) * 16u);
    }
    lrgrid_table[thread] = words;
}
