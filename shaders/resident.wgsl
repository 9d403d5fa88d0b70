// Kernels that write into the caller's buffers, for steps in device memory.
//
// Rows are programs. The number of columns follows from the size of a binding, so bindings must have exactly the
// needed size.

const LRGRID_RESIDENT_WORKGROUP: u32 = 64u;
// Columns per thread.
const LRGRID_RUN: u32 = 4u;

// First step and stride.
@group(1) @binding(0) var<storage, read_write> lrgrid_progression: array<vec2<u32>, 2>;
// f32 values, row-major [program, column].
@group(1) @binding(1) var<storage, read_write> lrgrid_rates: array<u32>;
// One step for all programs, or one per program.
@group(1) @binding(2) var<storage, read_write> lrgrid_counters: array<vec2<u32>>;

fn lrgrid_thread(workgroup: vec3<u32>, workgroups: vec3<u32>, lane: u32) -> u32 {
    return (workgroup.x + workgroup.y * workgroups.x) * LRGRID_RESIDENT_WORKGROUP + lane;
}

// The index of a program's counter.
fn lrgrid_counter(program: u32) -> u32 {
    return select(program, 0u, arrayLength(&lrgrid_counters) == 1u);
}

// Fills up to LRGRID_RUN columns of a row with the values from `start` on; column c is stored at (first + c) & mask.
fn lrgrid_fill(program: u32, start: vec2<u32>, stride: vec2<u32>, columns: u32, column: u32, first: u32, mask: u32) {
    let end = min(columns, column + LRGRID_RUN);
    var step = lrgrid_add64(start, lrgrid_multiply64(stride, vec2<u32>(column, 0u)));
    var i = column;
    while (i < end) {
        // A place is valid for as many columns as it has room for.
        let place = lrgrid_place(program, step);
        var distance = vec2<u32>(0u, 0u);
        while (i < end && lrgrid_less64(distance, place.room)) {
            let value = lrgrid_value_from(place, lrgrid_shift_left64(distance, 6u)).value;
            lrgrid_rates[program * columns + ((first + i) & mask)] = lrgrid_f32_bits(value);
            i++;
            step = lrgrid_add64(step, stride);
            distance = lrgrid_add64(distance, stride);
        }
    }
}

// Every program at every step of the progression.
@compute @workgroup_size(64)
fn lrgrid_evaluate(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let programs = lrgrid_block[LRGRID_BLOCK_COUNT];
    let columns = arrayLength(&lrgrid_rates) / programs;
    let runs = (columns + LRGRID_RUN - 1u) / LRGRID_RUN;
    let thread = lrgrid_thread(workgroup, workgroups, lane);
    let program = thread / runs;
    if (program < programs) {
        let column = (thread - program * runs) * LRGRID_RUN;
        lrgrid_fill(program, lrgrid_progression[0], lrgrid_progression[1], columns, column, 0u, 0xffffffffu);
    }
}

// Every program at the next steps, as many as the ring has columns: step s is stored at s & (columns - 1).
@compute @workgroup_size(64)
fn lrgrid_look_ahead(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let programs = lrgrid_block[LRGRID_BLOCK_COUNT];
    let columns = arrayLength(&lrgrid_rates) / programs;
    let runs = (columns + LRGRID_RUN - 1u) / LRGRID_RUN;
    let thread = lrgrid_thread(workgroup, workgroups, lane);
    let program = thread / runs;
    if (program < programs) {
        let column = (thread - program * runs) * LRGRID_RUN;
        let step = lrgrid_counters[lrgrid_counter(program)];
        lrgrid_fill(program, step, vec2<u32>(1u, 0u), columns, column, step.x, columns - 1u);
    }
}

// Increments a program's own step; a shared step is incremented after all programs have read it.
fn lrgrid_count_own(program: u32) {
    if (arrayLength(&lrgrid_counters) > 1u) {
        lrgrid_counters[program] = lrgrid_add64(lrgrid_counters[program], vec2<u32>(1u, 0u));
    }
}

// Every program at its counter's step.
@compute @workgroup_size(64)
fn lrgrid_advance(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let program = lrgrid_thread(workgroup, workgroups, lane);
    if (program < lrgrid_block[LRGRID_BLOCK_COUNT]) {
        let lr = lrgrid_value(program, lrgrid_counters[lrgrid_counter(program)]);
        lrgrid_rates[program] = lrgrid_f32_bits(lr);
        lrgrid_count_own(program);
    }
}

// Adds one to every step.
@compute @workgroup_size(64)
fn lrgrid_increment(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let index = lrgrid_thread(workgroup, workgroups, lane);
    if (index < arrayLength(&lrgrid_counters)) {
        lrgrid_counters[index] = lrgrid_add64(lrgrid_counters[index], vec2<u32>(1u, 0u));
    }
}
