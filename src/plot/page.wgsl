
@group(0) @binding(4) var<storage, read> page_steps: array<vec2<u32>>;
@group(0) @binding(5) var<storage, read> page_rows: array<u32>;
@group(0) @binding(6) var<storage, read_write> page_values: array<f32>;

// One value per step and row.
@compute @workgroup_size(64)
fn page_values_at(@builtin(global_invocation_id) id: vec3<u32>) {
    let count = arrayLength(&page_values) / arrayLength(&page_rows);
    if (id.x < count) {
        page_values[id.y * count + id.x] = lr_at(page_rows[id.y], page_steps[id.x]);
    }
}
