// Receives a number from the command stream into device memory, without a queue write or an additional buffer.
//
// A caller's device may lack the feature of immediates, but always has dynamic offsets. Each of seven offsets selects a
// byte in a table of all byte values, and an eighth selects the number to write.

@group(0) @binding(0) var<storage, read_write> lrgrid_recorded: array<vec2<u32>, 2>;
@group(0) @binding(1) var<uniform> lrgrid_place_of: u32;
@group(0) @binding(2) var<uniform> lrgrid_byte0: u32;
@group(0) @binding(3) var<uniform> lrgrid_byte1: u32;
@group(0) @binding(4) var<uniform> lrgrid_byte2: u32;
@group(0) @binding(5) var<uniform> lrgrid_byte3: u32;
@group(0) @binding(6) var<uniform> lrgrid_byte4: u32;
@group(0) @binding(7) var<uniform> lrgrid_byte5: u32;
@group(0) @binding(8) var<uniform> lrgrid_byte6: u32;

@compute @workgroup_size(1)
fn lrgrid_record() {
    let low = lrgrid_byte0 | (lrgrid_byte1 << 8u) | (lrgrid_byte2 << 16u) | (lrgrid_byte3 << 24u);
    let high = lrgrid_byte4 | (lrgrid_byte5 << 8u) | (lrgrid_byte6 << 16u);
    lrgrid_recorded[lrgrid_place_of & 1u] = vec2<u32>(low, high);
}
