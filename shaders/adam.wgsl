// Factors for fused Adam-style optimizers, computed in integers: twin of src/gpu/resident/adam.rs.

// The constants of one program, or of all.
struct LrgridAdam {
    log2_beta1: LrgridPackedNumber,
    log2_beta2: LrgridPackedNumber,
    weight_decay: LrgridPackedNumber,
}

// Bits of f32, and the step to which they belong.
struct LrgridAdamBlock {
    lr: u32,
    step_size: u32,
    inverse_root: u32,
    decay: u32,
    step: vec2<u32>,
}

@group(1) @binding(3) var<storage, read> lrgrid_adam: array<LrgridAdam>;
@group(1) @binding(4) var<storage, read_write> lrgrid_adam_blocks: array<LrgridAdamBlock>;

// 1 - beta^t, without cancellation where beta^t is near 1.
fn lrgrid_bias_correction(log2_beta: LrgridPackedNumber, t: LrgridNumber) -> LrgridNumber {
    return lrgrid_negate(lrgrid_exp2_m1(lrgrid_multiply(t, lrgrid_unpack(log2_beta))));
}

// The block of a program whose learning rate at this step is `lr`. Adam's t counts from 1: it is step + 1.
fn lrgrid_adam_block(program: u32, step: vec2<u32>, lr: LrgridNumber) -> LrgridAdamBlock {
    let parameters = lrgrid_adam[select(program, 0u, arrayLength(&lrgrid_adam) == 1u)];
    let t = lrgrid_from_integer(lrgrid_add64(step, vec2<u32>(1u, 0u)));
    // In a loop, because NVIDIA's compiler (580.159) crashes over two copies of the function beside the schedules.
    var corrections = array<LrgridNumber, 2>();
    for (var i = 0u; i < 2u; i++) {
        var log2_beta = parameters.log2_beta1;
        if (i == 1u) {
            log2_beta = parameters.log2_beta2;
        }
        corrections[i] = lrgrid_bias_correction(log2_beta, t);
    }
    let minus_half = LrgridNumber(true, 0, vec2<u32>(0u, 0x80000000u));
    let decayed = lrgrid_multiply(lr, lrgrid_unpack(parameters.weight_decay));
    return LrgridAdamBlock(
        lrgrid_f32_bits(lr),
        lrgrid_f32_bits(lrgrid_multiply(lr, lrgrid_reciprocal(corrections[0]))),
        lrgrid_f32_bits(lrgrid_powf(corrections[1], minus_half)),
        lrgrid_f32_bits(lrgrid_add(lrgrid_one(), lrgrid_negate(decayed))),
        step,
    );
}

// Every program at its step, and its block.
@compute @workgroup_size(64)
fn lrgrid_advance_adam(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let program = lrgrid_thread(workgroup, workgroups, lane);
    if (program < lrgrid_block[LRGRID_BLOCK_COUNT]) {
        let step = lrgrid_counters[lrgrid_counter(program)];
        let lr = lrgrid_value(program, step);
        lrgrid_rates[program] = lrgrid_f32_bits(lr);
        lrgrid_adam_blocks[program] = lrgrid_adam_block(program, step, lr);
        lrgrid_count_own(program);
    }
}
