// The entry points that fill a table: per element type, by blocks or value by value.

@compute @workgroup_size(LRGRID_WORKGROUP_SIZE)
fn lrgrid_blocks_f32(
    @builtin(local_invocation_index) lane: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
) {
    lrgrid_fill_blocks(LRGRID_F32, lane, workgroup.x + workgroup.y * workgroups.x);
}

@compute @workgroup_size(LRGRID_WORKGROUP_SIZE)
fn lrgrid_values_f32(
    @builtin(local_invocation_index) lane: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
) {
    lrgrid_fill_values(LRGRID_F32, (workgroup.x + workgroup.y * workgroups.x) * LRGRID_WORKGROUP_SIZE + lane);
}

@compute @workgroup_size(LRGRID_WORKGROUP_SIZE)
fn lrgrid_blocks_f16(
    @builtin(local_invocation_index) lane: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
) {
    lrgrid_fill_blocks(LRGRID_F16, lane, workgroup.x + workgroup.y * workgroups.x);
}

@compute @workgroup_size(LRGRID_WORKGROUP_SIZE)
fn lrgrid_values_f16(
    @builtin(local_invocation_index) lane: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
) {
    lrgrid_fill_values(LRGRID_F16, (workgroup.x + workgroup.y * workgroups.x) * LRGRID_WORKGROUP_SIZE + lane);
}

@compute @workgroup_size(LRGRID_WORKGROUP_SIZE)
fn lrgrid_blocks_bf16(
    @builtin(local_invocation_index) lane: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
) {
    lrgrid_fill_blocks(LRGRID_BF16, lane, workgroup.x + workgroup.y * workgroups.x);
}

@compute @workgroup_size(LRGRID_WORKGROUP_SIZE)
fn lrgrid_values_bf16(
    @builtin(local_invocation_index) lane: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
) {
    lrgrid_fill_values(LRGRID_BF16, (workgroup.x + workgroup.y * workgroups.x) * LRGRID_WORKGROUP_SIZE + lane);
}
