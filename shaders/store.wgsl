// A kernel that only stores, the limit for table kernels. Workgroups and their words are those of block.wgsl.

const LRGRID_STORE_WORDS: u32 = 4096u;

@group(0) @binding(0) var<uniform> lrgrid_stored: vec4<u32>;
@group(0) @binding(1) var<storage, read_write> lrgrid_target: array<vec4<u32>>;

@compute @workgroup_size(64)
fn lrgrid_store(
    @builtin(local_invocation_index) lane: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
) {
    let first = (workgroup.x + workgroup.y * workgroups.x) * LRGRID_STORE_WORDS;
    let end = min(first + LRGRID_STORE_WORDS, arrayLength(&lrgrid_target));
    for (var word = first + lane; word < end; word += 64u) {
        lrgrid_target[word] = lrgrid_stored;
    }
}
