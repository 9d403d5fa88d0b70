// Soft float: sign, exponent and a 64-bit mantissa; the unpacked form of LrgridPackedNumber.
//
// Drivers may fuse, reorder and flush floating point in WGSL, but not integers. So every value is computed
// from words, and has the same bits on every device.

// `± 0.mantissa · 2^exponent` with the mantissa's top bit set; zero has mantissa 0 and LRGRID_ZERO_EXPONENT.
struct LrgridNumber {
    negative: bool,
    exponent: i32,
    mantissa: vec2<u32>,
}

// Below every other exponent, so that sums and comparisons need no special case for zero.
const LRGRID_ZERO_EXPONENT: i32 = -0x10000000;
// Exponents beyond this count as infinite.
const LRGRID_LARGEST_EXPONENT: i32 = 0x100000;

fn lrgrid_zero() -> LrgridNumber {
    return LrgridNumber(false, LRGRID_ZERO_EXPONENT, vec2<u32>(0u, 0u));
}

fn lrgrid_one() -> LrgridNumber {
    return LrgridNumber(false, 1, vec2<u32>(0u, 0x80000000u));
}

fn lrgrid_infinity() -> LrgridNumber {
    return LrgridNumber(false, LRGRID_LARGEST_EXPONENT, vec2<u32>(0u, 0x80000000u));
}

fn lrgrid_is_zero(a: LrgridNumber) -> bool {
    return a.mantissa.y == 0u;
}

fn lrgrid_is_one(a: LrgridNumber) -> bool {
    return !a.negative && a.exponent == 1 && a.mantissa.y == 0x80000000u && a.mantissa.x == 0u;
}

fn lrgrid_negate(a: LrgridNumber) -> LrgridNumber {
    return LrgridNumber(!a.negative, a.exponent, a.mantissa);
}

fn lrgrid_magnitude(a: LrgridNumber) -> LrgridNumber {
    return LrgridNumber(false, a.exponent, a.mantissa);
}

// A number from a mantissa whose top bits may be 0.
fn lrgrid_normalized(negative: bool, exponent: i32, mantissa: vec2<u32>) -> LrgridNumber {
    if ((mantissa.x | mantissa.y) == 0u) {
        return lrgrid_zero();
    }
    let lift = lrgrid_leading_zeros64(mantissa);
    return LrgridNumber(negative, exponent - i32(lift), lrgrid_shift_left64(mantissa, lift));
}

fn lrgrid_from_integer(n: vec2<u32>) -> LrgridNumber {
    return lrgrid_normalized(false, 64, n);
}

// The number n · 2^-64.
fn lrgrid_from_fraction(n: vec2<u32>) -> LrgridNumber {
    return lrgrid_normalized(false, 0, n);
}

fn lrgrid_unpack(packed: LrgridPackedNumber) -> LrgridNumber {
    if (packed.high == 0u) {
        return lrgrid_zero();
    }
    let exponent = i32(packed.head & 0x7fffffffu) - LRGRID_EXPONENT_BIAS;
    return LrgridNumber((packed.head & LRGRID_SIGN_BIT) != 0u, exponent, vec2<u32>(packed.low, packed.high));
}

// The number given by a double's bits and a residual.
fn lrgrid_from_double(bits: vec2<u32>, rest: i32) -> LrgridNumber {
    let negative = (bits.y & LRGRID_SIGN_BIT) != 0u;
    let exponent = i32((bits.y >> 20u) & 0x7ffu);
    if (exponent == 0) {
        // Subnormal, or zero.
        return lrgrid_normalized(negative, -1010, vec2<u32>(bits.x, bits.y & 0xfffffu));
    }
    let mantissa = lrgrid_shift_left64(vec2<u32>(bits.x, (bits.y & 0xfffffu) | 0x100000u), 11u);
    // A unit in the last place of the double is 2^11 here.
    let more = (rest >> 21u) + ((rest >> 20u) & 1);
    let whole = lrgrid_add64(mantissa, vec2<u32>(bitcast<u32>(more), select(0u, 0xffffffffu, more < 0)));
    return lrgrid_normalized(negative, exponent - 1022, whole);
}

// Relative error at most 2^-61; exact if a factor is 1.
fn lrgrid_multiply(a: LrgridNumber, b: LrgridNumber) -> LrgridNumber {
    if (lrgrid_is_zero(a) || lrgrid_is_zero(b)) {
        return lrgrid_zero();
    }
    let negative = a.negative != b.negative;
    if (a.mantissa.y == 0x80000000u && a.mantissa.x == 0u) {
        return LrgridNumber(negative, a.exponent + b.exponent - 1, b.mantissa);
    }
    if (b.mantissa.y == 0x80000000u && b.mantissa.x == 0u) {
        return LrgridNumber(negative, a.exponent + b.exponent - 1, a.mantissa);
    }
    let mantissa = lrgrid_high64(a.mantissa, b.mantissa);
    if (mantissa.y >= 0x80000000u) {
        return LrgridNumber(negative, a.exponent + b.exponent, mantissa);
    }
    return LrgridNumber(negative, a.exponent + b.exponent - 1, lrgrid_shift_left64(mantissa, 1u));
}

// Whether |a| < |b|.
fn lrgrid_smaller(a: LrgridNumber, b: LrgridNumber) -> bool {
    return a.exponent < b.exponent || (a.exponent == b.exponent && lrgrid_less64(a.mantissa, b.mantissa));
}

fn lrgrid_less(a: LrgridNumber, b: LrgridNumber) -> bool {
    if (a.negative != b.negative) {
        return a.negative && !(lrgrid_is_zero(a) && lrgrid_is_zero(b));
    }
    if (a.negative) {
        return lrgrid_smaller(b, a);
    }
    return lrgrid_smaller(a, b);
}

// Error at most 2^-63 of the larger term.
fn lrgrid_add(first: LrgridNumber, second: LrgridNumber) -> LrgridNumber {
    var a = first;
    var b = second;
    if (lrgrid_smaller(a, b)) {
        a = second;
        b = first;
    }
    let shift = a.exponent - b.exponent;
    if (shift > 63) {
        return a;
    }
    let addend = lrgrid_shift_right64(b.mantissa, u32(shift));
    if (a.negative != b.negative) {
        return lrgrid_normalized(a.negative, a.exponent, lrgrid_subtract64(a.mantissa, addend));
    }
    let sum = lrgrid_add64(a.mantissa, addend);
    if (lrgrid_less64(sum, a.mantissa)) {
        let half = lrgrid_shift_right64(sum, 1u);
        return LrgridNumber(a.negative, a.exponent + 1, vec2<u32>(half.x, half.y | 0x80000000u));
    }
    return LrgridNumber(a.negative, a.exponent, sum);
}

// 1/a with a relative error of at most 2^-30; exact for powers of two.
fn lrgrid_reciprocal(a: LrgridNumber) -> LrgridNumber {
    if (a.mantissa.y == 0x80000000u && a.mantissa.x == 0u) {
        return LrgridNumber(a.negative, 2 - a.exponent, a.mantissa);
    }
    // With d = 0.mantissa in [1/2, 1): a seed r of 15 bits, not above 1/d, in 1.31 fixed point.
    let d = a.mantissa.y;
    let seed = (0xffffffffu / ((d >> 16u) + 1u)) << 15u;
    // e = 1 - d r, and 1/d = r (1 + e + e^2 + ..) with e below 2^-13: two terms leave 2^-39.
    let product = lrgrid_product32(d, seed);
    let e = ((0x80000000u - product.y) << 1u) - (product.x >> 31u);
    let result = seed + lrgrid_high32(seed, e + lrgrid_high32(e, e));
    // Correction for the low word of d: 1/(d + x) = 1/d (1 - x/d), x below 2^-32.
    let correction = lrgrid_high32(lrgrid_high32(result, a.mantissa.x), result) >> 31u;
    // Truncation may leave the quotient just below its range.
    return LrgridNumber(a.negative, 1 - a.exponent, vec2<u32>(0u, max(result - correction, 0x80000000u)));
}

// A number as `whole + fraction / 2^32`, the fraction never negative.
struct LrgridFixed {
    whole: i32,
    fraction: u32,
}

// Rounded to the nearest 2^-32; bounded by LRGRID_LARGEST_EXPONENT.
fn lrgrid_fixed(a: LrgridNumber) -> LrgridFixed {
    if (a.exponent > 20) {
        return LrgridFixed(select(LRGRID_LARGEST_EXPONENT, -LRGRID_LARGEST_EXPONENT, a.negative), 0u);
    }
    if (a.exponent < -32) {
        return LrgridFixed(0, 0u);
    }
    // One bit more than needed, for rounding.
    let twice = lrgrid_shift_right64(a.mantissa, u32(31 - a.exponent));
    let rounded = lrgrid_shift_right64(lrgrid_add64(twice, vec2<u32>(1u, 0u)), 1u);
    if (a.negative) {
        let negated = lrgrid_subtract64(vec2<u32>(0u, 0u), rounded);
        return LrgridFixed(bitcast<i32>(negated.y), negated.x);
    }
    return LrgridFixed(bitcast<i32>(rounded.y), rounded.x);
}

// The bits of the nearest value, ties to even, of an IEEE type with this many significant bits and
// `exponent_bits` exponent bits, including subnormal numbers; infinity if the number is too large.
fn lrgrid_round(a: LrgridNumber, significant_bits: u32, exponent_bits: u32) -> u32 {
    let fraction_bits = significant_bits - 1u;
    let sign = select(0u, 1u << (fraction_bits + exponent_bits), a.negative);
    let infinity = ((1u << exponent_bits) - 1u) << fraction_bits;
    let bias = (1 << (exponent_bits - 1u)) - 2;
    // Biased exponent; subnormal numbers lose one bit for each unit below 1.
    let exponent = clamp(a.exponent, -0x10000, 0x10000) + bias;
    let drop = min(32 - i32(significant_bits) + max(1 - exponent, 0), 33);
    if (lrgrid_is_zero(a) || drop > 32) {
        return sign;
    }
    var kept = 0u;
    var rest = a.mantissa.y;
    if (drop < 32) {
        kept = a.mantissa.y >> u32(drop);
        rest = a.mantissa.y << u32(32 - drop);
    }
    let above_half = rest > 0x80000000u || (rest == 0x80000000u && (a.mantissa.x != 0u || (kept & 1u) == 1u));
    kept += select(0u, 1u, above_half);
    if (exponent > 1) {
        // The mantissa's top bit adds 1 to the exponent field, as does a carry out of the mantissa.
        kept = select(kept + (u32(exponent - 1) << fraction_bits), infinity, exponent >= (1 << exponent_bits));
    }
    return sign | min(kept, infinity);
}

fn lrgrid_f32_bits(a: LrgridNumber) -> u32 {
    return lrgrid_round(a, 24u, 8u);
}

fn lrgrid_f16_bits(a: LrgridNumber) -> u32 {
    return lrgrid_round(a, 11u, 5u);
}

fn lrgrid_bf16_bits(a: LrgridNumber) -> u32 {
    return lrgrid_round(a, 8u, 8u);
}
