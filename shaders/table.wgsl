// Entry points that fill a table, one per element type.

@compute @workgroup_size(LRGRID_WORKGROUP_SIZE)
fn lrgrid_table_f32(
    @builtin(local_invocation_index) lane: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
) {
    lrgrid_fill(LRGRID_F32, lane, workgroup.x + workgroup.y * workgroups.x);
}

@compute @workgroup_size(LRGRID_WORKGROUP_SIZE)
fn lrgrid_table_f16(
    @builtin(local_invocation_index) lane: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
) {
    lrgrid_fill(LRGRID_F16, lane, workgroup.x + workgroup.y * workgroups.x);
}

@compute @workgroup_size(LRGRID_WORKGROUP_SIZE)
fn lrgrid_table_bf16(
    @builtin(local_invocation_index) lane: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
) {
    lrgrid_fill(LRGRID_BF16, lane, workgroup.x + workgroup.y * workgroups.x);
}
