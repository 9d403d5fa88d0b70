// The functions of which curves are composed, twins of `Arithmetic` in src/curve.rs.
//
// Polynomials are evaluated in 0.32 fixed point on words; their coefficients are in constants.wgsl. Terms and
// factors of a polynomial have 64 bits.

// (2^x - 1)/x for a fraction x.
fn lrgrid_exp2_ratio(x: u32) -> u32 {
    var sum = LRGRID_EXP2_7;
    sum = LRGRID_EXP2_6 + lrgrid_high32(sum, x);
    sum = LRGRID_EXP2_5 + lrgrid_high32(sum, x);
    sum = LRGRID_EXP2_4 + lrgrid_high32(sum, x);
    sum = LRGRID_EXP2_3 + lrgrid_high32(sum, x);
    sum = LRGRID_EXP2_2 + lrgrid_high32(sum, x);
    sum = LRGRID_EXP2_1 + lrgrid_high32(sum, x);
    return LRGRID_EXP2_0 + lrgrid_high32(sum, x);
}

// (1 - 2^-x)/x for a fraction x.
fn lrgrid_exp2_falling_ratio(x: u32) -> u32 {
    var sum = LRGRID_EXP2_FALLING_7;
    sum = LRGRID_EXP2_FALLING_6 - lrgrid_high32(sum, x);
    sum = LRGRID_EXP2_FALLING_5 - lrgrid_high32(sum, x);
    sum = LRGRID_EXP2_FALLING_4 - lrgrid_high32(sum, x);
    sum = LRGRID_EXP2_FALLING_3 - lrgrid_high32(sum, x);
    sum = LRGRID_EXP2_FALLING_2 - lrgrid_high32(sum, x);
    sum = LRGRID_EXP2_FALLING_1 - lrgrid_high32(sum, x);
    return LRGRID_EXP2_FALLING_0 - lrgrid_high32(sum, x);
}

// 2^octaves. The whole octaves become the exponent, so the error does not grow with their number.
fn lrgrid_exp2(octaves: LrgridNumber) -> LrgridNumber {
    let fixed = lrgrid_fixed(octaves);
    // 2^x/2 = 1/2 + x ratio/2.
    let rise = lrgrid_shift_right64(lrgrid_product32(fixed.fraction, lrgrid_exp2_ratio(fixed.fraction)), 1u);
    return LrgridNumber(false, fixed.whole + 1, vec2<u32>(rise.x, rise.y | 0x80000000u));
}

// 2^a - 1, without cancellation near zero.
fn lrgrid_exp2_m1(a: LrgridNumber) -> LrgridNumber {
    if (a.exponent > 0) {
        return lrgrid_add(lrgrid_exp2(a), lrgrid_negate(lrgrid_one()));
    }
    let fraction = select(0u, a.mantissa.y >> u32(min(-a.exponent, 31)), a.exponent > -32);
    var ratio = 0u;
    if (a.negative) {
        ratio = lrgrid_exp2_falling_ratio(fraction);
    } else {
        ratio = lrgrid_exp2_ratio(fraction);
    }
    return lrgrid_multiply(a, lrgrid_normalized(false, 0, vec2<u32>(0u, ratio)));
}

// log2 of a number above 0; absolute error below 2^-39 for any number of octaves.
fn lrgrid_log2(a: LrgridNumber) -> LrgridNumber {
    // The mantissa is in [1, 2): divide by the eighth root 2^(eighths/8) below it.
    var eighths = 0u;
    var root = vec2<u32>(0u, 0u);
    let m = a.mantissa.y;
    if (m >= LRGRID_ROOT_1_FROM) { eighths = 1u; root = vec2<u32>(LRGRID_ROOT_1_LOW, LRGRID_ROOT_1_HIGH); }
    if (m >= LRGRID_ROOT_2_FROM) { eighths = 2u; root = vec2<u32>(LRGRID_ROOT_2_LOW, LRGRID_ROOT_2_HIGH); }
    if (m >= LRGRID_ROOT_3_FROM) { eighths = 3u; root = vec2<u32>(LRGRID_ROOT_3_LOW, LRGRID_ROOT_3_HIGH); }
    if (m >= LRGRID_ROOT_4_FROM) { eighths = 4u; root = vec2<u32>(LRGRID_ROOT_4_LOW, LRGRID_ROOT_4_HIGH); }
    if (m >= LRGRID_ROOT_5_FROM) { eighths = 5u; root = vec2<u32>(LRGRID_ROOT_5_LOW, LRGRID_ROOT_5_HIGH); }
    if (m >= LRGRID_ROOT_6_FROM) { eighths = 6u; root = vec2<u32>(LRGRID_ROOT_6_LOW, LRGRID_ROOT_6_HIGH); }
    if (m >= LRGRID_ROOT_7_FROM) { eighths = 7u; root = vec2<u32>(LRGRID_ROOT_7_LOW, LRGRID_ROOT_7_HIGH); }
    var quotient = a.mantissa;
    if (eighths != 0u) {
        quotient = lrgrid_high64(a.mantissa, root);
    }
    // z = quotient - 1 in [0, 0.0906), in 0.64.
    let z = lrgrid_shift_left64(vec2<u32>(quotient.x, quotient.y & 0x7fffffffu), 1u);
    let square = lrgrid_high64(z, z);
    // 8 z and 64 z^2, so that the polynomial's term uses its whole word.
    let x = lrgrid_shift_left64(z, 3u).y;
    var sum = LRGRID_LOG2_6;
    sum = LRGRID_LOG2_5 - lrgrid_high32(sum, x);
    sum = LRGRID_LOG2_4 - lrgrid_high32(sum, x);
    sum = LRGRID_LOG2_3 - lrgrid_high32(sum, x);
    sum = LRGRID_LOG2_2 - lrgrid_high32(sum, x);
    sum = LRGRID_LOG2_1 - lrgrid_high32(sum, x);
    sum = LRGRID_LOG2_0 - lrgrid_high32(sum, x);
    let cube = lrgrid_high32(lrgrid_shift_left64(square, 6u).y, x);
    let third = lrgrid_shift_right64(lrgrid_product32(cube, sum), 9u);
    // z/ln 2 - z^2/(2 ln 2) + third, in 0.64: below 1/8.
    let linear = lrgrid_add64(z, lrgrid_high64(z, vec2<u32>(LRGRID_LOG2_LINEAR_LOW, LRGRID_LOG2_LINEAR_HIGH)));
    let second = lrgrid_high64(square, vec2<u32>(LRGRID_LOG2_SQUARE_LOW, LRGRID_LOG2_SQUARE_HIGH));
    let rest = lrgrid_add64(lrgrid_subtract64(linear, second), third);
    // Whole octaves, eighths and rest in 16.48, as a signed integer.
    var octaves = lrgrid_shift_right64(rest, 16u);
    octaves = lrgrid_add64(octaves, vec2<u32>(0u, (bitcast<u32>(a.exponent - 1) << 16u) + (eighths << 13u)));
    let negative = (octaves.y & 0x80000000u) != 0u;
    if (negative) {
        octaves = lrgrid_subtract64(vec2<u32>(0u, 0u), octaves);
    }
    return lrgrid_normalized(negative, 16, octaves);
}

// log2(1 - a) for a in (0, 1/16), without cancellation near zero.
fn lrgrid_log2_1m(a: LrgridNumber) -> LrgridNumber {
    // x = 16 a as a fraction.
    let x = select(0u, a.mantissa.y >> u32(min(-4 - a.exponent, 31)), a.exponent > -36);
    var sum = LRGRID_LOG2_1M_5;
    sum = LRGRID_LOG2_1M_4 + lrgrid_high32(sum, x);
    sum = LRGRID_LOG2_1M_3 + lrgrid_high32(sum, x);
    sum = LRGRID_LOG2_1M_2 + lrgrid_high32(sum, x);
    sum = LRGRID_LOG2_1M_1 + lrgrid_high32(sum, x);
    sum = LRGRID_LOG2_1M_0 + lrgrid_high32(sum, x);
    return lrgrid_multiply(a, LrgridNumber(true, 1, vec2<u32>(0u, sum)));
}

// sin²(π/2 · a) for a in [0, 1].
fn lrgrid_sin_squared_half_pi(a: LrgridNumber) -> LrgridNumber {
    if (a.exponent > 0) {
        return lrgrid_one();
    }
    // Past the middle: 1 minus the squared sine of the rest.
    let folded = a.exponent == 0;
    var v = a;
    if (folded) {
        v = lrgrid_add(lrgrid_one(), lrgrid_negate(a));
    }
    if (lrgrid_is_zero(v)) {
        return lrgrid_one_or_zero(folded);
    }
    // t = v² in (0, 1/4]; x = 2 t as a fraction.
    let t = lrgrid_multiply(v, v);
    let wide = lrgrid_shift_right64(t.mantissa, u32(min(-1 - t.exponent, 63)));
    let x = wide.y;
    var sum = LRGRID_SINE_5;
    sum = LRGRID_SINE_4 - lrgrid_high32(sum, x);
    sum = LRGRID_SINE_3 - lrgrid_high32(sum, x);
    sum = LRGRID_SINE_2 - lrgrid_high32(sum, x);
    sum = LRGRID_SINE_1 - lrgrid_high32(sum, x);
    // The last steps in 64 bits, because octaves and exponents magnify errors made here.
    let last = lrgrid_subtract64(vec2<u32>(LRGRID_SINE_0_LOW, LRGRID_SINE_0), lrgrid_product32(sum, x));
    // sin²/(4 t) = π²/16 - t last.
    let correction = lrgrid_shift_right64(lrgrid_high64(wide, last), 1u);
    let leading = vec2<u32>(LRGRID_SINE_LEADING_LOW, LRGRID_SINE_LEADING_HIGH);
    let sine = lrgrid_multiply(t, lrgrid_normalized(false, 2, lrgrid_subtract64(leading, correction)));
    if (folded) {
        return lrgrid_add(lrgrid_one(), lrgrid_negate(sine));
    }
    return sine;
}

fn lrgrid_one_or_zero(one: bool) -> LrgridNumber {
    if (one) {
        return lrgrid_one();
    }
    return lrgrid_zero();
}

// a^exponent for a ≥ 0; 0^0 is 1.
fn lrgrid_powf(a: LrgridNumber, exponent: LrgridNumber) -> LrgridNumber {
    if (lrgrid_is_zero(exponent)) {
        return lrgrid_one();
    }
    if (lrgrid_is_zero(a)) {
        if (exponent.negative) {
            return lrgrid_infinity();
        }
        return lrgrid_zero();
    }
    if (lrgrid_is_one(exponent)) {
        return a;
    }
    return lrgrid_exp2(lrgrid_multiply(exponent, lrgrid_log2(a)));
}
