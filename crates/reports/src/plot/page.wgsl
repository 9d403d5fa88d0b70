
@group(0) @binding(5) var<storage, read> page_steps: array<vec2<u32>>;
@group(0) @binding(6) var<storage, read> page_rows: array<u32>;
@group(0) @binding(7) var<storage, read_write> page_values: array<f32>;

// One value per step and row; how many steps there are stands before the rows.
@compute @workgroup_size(64)
fn page_values_at(@builtin(global_invocation_id) id: vec3<u32>) {
    let count = page_rows[0];
    if (id.x < count) {
        page_values[id.y * count + id.x] = lr_at(page_rows[id.y + 1u], page_steps[id.x]);
    }
}
