// 64-bit integers as two words, low word first: WGSL has no 64-bit integers.

fn lrgrid_add64(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
    let low = a.x + b.x;
    return vec2<u32>(low, a.y + b.y + select(0u, 1u, low < a.x));
}

fn lrgrid_subtract64(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
    return vec2<u32>(a.x - b.x, a.y - b.y - select(0u, 1u, a.x < b.x));
}

fn lrgrid_less64(a: vec2<u32>, b: vec2<u32>) -> bool {
    return a.y < b.y || (a.y == b.y && a.x < b.x);
}

fn lrgrid_least64(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
    return select(b, a, lrgrid_less64(a, b));
}

// Shifts by 0 to 63 bits. Two shifts in sequence, because WGSL treats a shift by 32 as one by 0.
fn lrgrid_shift_left64(a: vec2<u32>, bits: u32) -> vec2<u32> {
    let few = bits & 31u;
    if (bits >= 32u) {
        return vec2<u32>(0u, a.x << few);
    }
    return vec2<u32>(a.x << few, (a.y << few) | ((a.x >> 1u) >> (31u - few)));
}

fn lrgrid_shift_right64(a: vec2<u32>, bits: u32) -> vec2<u32> {
    let few = bits & 31u;
    if (bits >= 32u) {
        return vec2<u32>(a.y >> few, 0u);
    }
    return vec2<u32>((a.x >> few) | ((a.y << 1u) << (31u - few)), a.y >> few);
}

fn lrgrid_leading_zeros64(a: vec2<u32>) -> u32 {
    return select(countLeadingZeros(a.y), 32u + countLeadingZeros(a.x), a.y == 0u);
}

// The full product of two words, from 16-bit halves.
fn lrgrid_product32(a: u32, b: u32) -> vec2<u32> {
    let a_low = a & 0xffffu;
    let a_high = a >> 16u;
    let b_low = b & 0xffffu;
    let b_high = b >> 16u;
    let first = a_high * b_low + ((a_low * b_low) >> 16u);
    let second = a_low * b_high + (first & 0xffffu);
    return vec2<u32>(a * b, a_high * b_high + (first >> 16u) + (second >> 16u));
}

// The upper word of a product: the product of two 0.32 fractions.
fn lrgrid_high32(a: u32, b: u32) -> u32 {
    return lrgrid_product32(a, b).y;
}

// The upper 64 bits of a product, at most 3 too small: the product of two 0.64 fractions.
fn lrgrid_high64(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
    let product = lrgrid_product32(a.y, b.y);
    let first = vec2<u32>(lrgrid_high32(a.y, b.x), 0u);
    let second = vec2<u32>(lrgrid_high32(a.x, b.y), 0u);
    return lrgrid_add64(lrgrid_add64(product, first), second);
}

// The lower 64 bits of a product.
fn lrgrid_multiply64(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
    let product = lrgrid_product32(a.x, b.x);
    return vec2<u32>(product.x, product.y + a.x * b.y + a.y * b.x);
}

// The full product, four words, low word first.
fn lrgrid_product64(a: vec2<u32>, b: vec2<u32>) -> vec4<u32> {
    let low = lrgrid_product32(a.x, b.x);
    let first = lrgrid_product32(a.x, b.y);
    let second = lrgrid_product32(a.y, b.x);
    let sum = lrgrid_add64(first, vec2<u32>(low.y, 0u));
    let middle = lrgrid_add64(second, vec2<u32>(sum.x, 0u));
    let carried = lrgrid_add64(vec2<u32>(sum.y, 0u), vec2<u32>(middle.y, 0u));
    let high = lrgrid_add64(lrgrid_product32(a.y, b.y), carried);
    return vec4<u32>(low.x, middle.x, high.x, high.y);
}

// 128-bit integers as four words, low word first.
fn lrgrid_add128(a: vec4<u32>, b: vec4<u32>) -> vec4<u32> {
    let low = lrgrid_add64(a.xy, b.xy);
    let carry = vec2<u32>(select(0u, 1u, lrgrid_less64(low, a.xy)), 0u);
    return vec4<u32>(low, lrgrid_add64(lrgrid_add64(a.zw, b.zw), carry));
}

fn lrgrid_negate128(a: vec4<u32>) -> vec4<u32> {
    return lrgrid_add128(~a, vec4<u32>(1u, 0u, 0u, 0u));
}

// Shifts left by up to 63 bits, or right if `bits` is negative.
fn lrgrid_shift128(a: vec4<u32>, bits: i32) -> vec4<u32> {
    if (bits == 0) {
        return a;
    }
    if (bits > 0) {
        let carried = lrgrid_shift_right64(a.xy, u32(64 - bits));
        return vec4<u32>(lrgrid_shift_left64(a.xy, u32(bits)), lrgrid_shift_left64(a.zw, u32(bits)) | carried);
    }
    if (bits <= -128) {
        return vec4<u32>(0u, 0u, 0u, 0u);
    }
    if (bits <= -64) {
        return vec4<u32>(lrgrid_shift_right64(a.zw, u32(-64 - bits)), 0u, 0u);
    }
    let carried = lrgrid_shift_left64(a.zw, u32(64 + bits));
    return vec4<u32>(lrgrid_shift_right64(a.xy, u32(-bits)) | carried, lrgrid_shift_right64(a.zw, u32(-bits)));
}

struct LrgridDivision {
    quotient: vec2<u32>,
    remainder: vec2<u32>,
}

// Quotient and remainder, for a divisor above 0.
fn lrgrid_divide64(a: vec2<u32>, b: vec2<u32>) -> LrgridDivision {
    if (lrgrid_less64(a, b)) {
        return LrgridDivision(vec2<u32>(0u, 0u), a);
    }
    if (a.y == 0u || !lrgrid_uses(LRGRID_USES_LONG_DIVISION)) {
        // The divisor is not above the dividend, so its high word is 0 too.
        let quotient = a.x / b.x;
        return LrgridDivision(vec2<u32>(quotient, 0u), vec2<u32>(a.x - quotient * b.x, 0u));
    }
    // Long division, one bit at a time: only steps beyond 2^32 come here.
    var quotient = vec2<u32>(0u, 0u);
    var remainder = a;
    var bit = lrgrid_leading_zeros64(b) - lrgrid_leading_zeros64(a);
    loop {
        let part = lrgrid_shift_left64(b, bit);
        quotient = lrgrid_shift_left64(quotient, 1u);
        if (!lrgrid_less64(remainder, part)) {
            remainder = lrgrid_subtract64(remainder, part);
            quotient.x |= 1u;
        }
        if (bit == 0u) {
            break;
        }
        bit -= 1u;
    }
    return LrgridDivision(quotient, remainder);
}
