// Constants of math.wgsl. Written by scripts/make_shader_constants.py: change that instead.
// Fixed point with 32 (64) fraction bits; where a series alternates, the magnitudes.

// (2^x - 1)/x on [0, 1]; off by 2^-37.7 at most.
const LRGRID_EXP2_0: u32 = 0xb17217f8u;
const LRGRID_EXP2_1: u32 = 0x3d7f7c01u;
const LRGRID_EXP2_2: u32 = 0x0e35843cu;
const LRGRID_EXP2_3: u32 = 0x027656e6u;
const LRGRID_EXP2_4: u32 = 0x00575c45u;
const LRGRID_EXP2_5: u32 = 0x000a2454u;
const LRGRID_EXP2_6: u32 = 0x0000f206u;
const LRGRID_EXP2_7: u32 = 0x00001e45u;
// (1 - 2^-x)/x on [0, 1]; off by 2^-38.6 at most.
const LRGRID_EXP2_FALLING_0: u32 = 0xb17217f8u;
const LRGRID_EXP2_FALLING_1: u32 = 0x3d7f7bfeu;
const LRGRID_EXP2_FALLING_2: u32 = 0x0e358450u;
const LRGRID_EXP2_FALLING_3: u32 = 0x02765492u;
const LRGRID_EXP2_FALLING_4: u32 = 0x00575e97u;
const LRGRID_EXP2_FALLING_5: u32 = 0x000a10e7u;
const LRGRID_EXP2_FALLING_6: u32 = 0x0000f6f0u;
const LRGRID_EXP2_FALLING_7: u32 = 0x00001059u;
// -log2(1 - x/16)/(2 x/16) on [0, 1]; off by 2^-38.0 at most.
const LRGRID_LOG2_1M_0: u32 = 0xb8aa3b29u;
const LRGRID_LOG2_1M_1: u32 = 0x05c551dau;
const LRGRID_LOG2_1M_2: u32 = 0x003d8e07u;
const LRGRID_LOG2_1M_3: u32 = 0x0002e2dfu;
const LRGRID_LOG2_1M_4: u32 = 0x00002488u;
const LRGRID_LOG2_1M_5: u32 = 0x00000244u;
// (log2(1 + z) - z/ln 2 + z^2/(2 ln 2))/z^3, z = x/8, on [0, 8 (2^(1/8) - 1)]; off by 2^-40.5 at most.
const LRGRID_LOG2_0: u32 = 0x7b1c2771u;
const LRGRID_LOG2_1: u32 = 0x0b8aa3b2u;
const LRGRID_LOG2_2: u32 = 0x012776bdu;
const LRGRID_LOG2_3: u32 = 0x001ec6c2u;
const LRGRID_LOG2_4: u32 = 0x00034b10u;
const LRGRID_LOG2_5: u32 = 0x00005a01u;
const LRGRID_LOG2_6: u32 = 0x000007c8u;
// (pi^2/4 - sin^2(pi/2 sqrt t)/t)/(4 t), t = x/2, on [0, 1/2]; off by 2^-43.9 at most.
const LRGRID_SINE_0: u32 = 0x81e0f840u;
const LRGRID_SINE_1: u32 = 0x155d3c7eu;
const LRGRID_SINE_2: u32 = 0x01e1f506u;
const LRGRID_SINE_3: u32 = 0x001a6d17u;
const LRGRID_SINE_4: u32 = 0x0000fcccu;
const LRGRID_SINE_5: u32 = 0x000006a6u;
const LRGRID_SINE_0_LOW: u32 = 0xdac47fa3u;
// pi^2/16.
const LRGRID_SINE_LEADING_HIGH: u32 = 0x9de9e64du;
const LRGRID_SINE_LEADING_LOW: u32 = 0xf22ef2d2u;
// 1/ln 2 - 1.
const LRGRID_LOG2_LINEAR_HIGH: u32 = 0x71547652u;
const LRGRID_LOG2_LINEAR_LOW: u32 = 0xb82fe177u;
// 1/(2 ln 2).
const LRGRID_LOG2_SQUARE_HIGH: u32 = 0xb8aa3b29u;
const LRGRID_LOG2_SQUARE_LOW: u32 = 0x5c17f0bcu;
// 2^(-1/8).
const LRGRID_ROOT_1_HIGH: u32 = 0xeac0c6e7u;
const LRGRID_ROOT_1_LOW: u32 = 0xdd24392fu;
const LRGRID_ROOT_1_FROM: u32 = 0x8b95c1e4u;
// 2^(-2/8).
const LRGRID_ROOT_2_HIGH: u32 = 0xd744fccau;
const LRGRID_ROOT_2_LOW: u32 = 0xd69d6af4u;
const LRGRID_ROOT_2_FROM: u32 = 0x9837f052u;
// 2^(-3/8).
const LRGRID_ROOT_3_HIGH: u32 = 0xc5672a11u;
const LRGRID_ROOT_3_LOW: u32 = 0x5506daddu;
const LRGRID_ROOT_3_FROM: u32 = 0xa5fed6aau;
// 2^(-4/8).
const LRGRID_ROOT_4_HIGH: u32 = 0xb504f333u;
const LRGRID_ROOT_4_LOW: u32 = 0xf9de6484u;
const LRGRID_ROOT_4_FROM: u32 = 0xb504f334u;
// 2^(-5/8).
const LRGRID_ROOT_5_HIGH: u32 = 0xa5fed6a9u;
const LRGRID_ROOT_5_LOW: u32 = 0xb15138eau;
const LRGRID_ROOT_5_FROM: u32 = 0xc5672a12u;
// 2^(-6/8).
const LRGRID_ROOT_6_HIGH: u32 = 0x9837f051u;
const LRGRID_ROOT_6_LOW: u32 = 0x8db8a96fu;
const LRGRID_ROOT_6_FROM: u32 = 0xd744fccbu;
// 2^(-7/8).
const LRGRID_ROOT_7_HIGH: u32 = 0x8b95c1e3u;
const LRGRID_ROOT_7_LOW: u32 = 0xea8bd6e7u;
const LRGRID_ROOT_7_FROM: u32 = 0xeac0c6e8u;
