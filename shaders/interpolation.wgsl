// Interpolation in the nodes of a block. Written by scripts/make_shader_constants.py: change that instead.

// Where the nodes lie, in 64ths of the block; the last one is only compared with.
const LRGRID_NODES: array<u32, 8> = array<u32, 8>(0u, 4u, 16u, 32u, 48u, 60u, 64u, 55u);

// How much each node's value counts, in 2^-27: a row per power of x in [-1, 1], then the value at the last node.
const LRGRID_WEIGHTS: array<i32, 56> = array<i32, 56>(
    0, 0, 0, 134217728, 0, 0, 0,
    -73074096, 158659687, -265723987, 0, 265723987, -158659687, 73074096,
    73074096, -181325356, 531447973, -846393428, 531447973, -181325356, 73074096,
    387740103, -793298433, 612792051, 0, -612792051, 793298433, -387740103,
    -387740103, 906626780, -1225584102, 1413394850, -1225584102, 906626780, -387740103,
    -381774871, 634638746, -347068064, 0, 347068064, -634638746, 381774871,
    381774871, -725301424, 694136129, -701219150, 694136129, -725301424, 381774871,
    5123664, -10497463, 13137600, -22504114, 73195200, 107074121, -31311280,
);
