// The shapes of the curves: twin of src/curve.rs, in the same order.

// The shape of a segment's curve at a phase count.
fn lrgrid_shape(segment: LrgridSegment, count: LrgridNumber) -> LrgridNumber {
    let a = lrgrid_unpack(segment.a);
    var phase = lrgrid_phase(segment, count);
    switch segment.kind & LRGRID_KIND_MASK {
        case LRGRID_HOLD: {
            phase = lrgrid_one();
        }
        case LRGRID_LINEAR: {
            // The phase itself.
        }
        case LRGRID_POWER, LRGRID_COSINE_POWER: {
            if (lrgrid_uses(LRGRID_POWER) || lrgrid_uses(LRGRID_COSINE_POWER)) {
                if (lrgrid_uses(LRGRID_USES_WARP)) {
                    phase = lrgrid_bent(segment, count, phase);
                }
                if (lrgrid_uses(LRGRID_COSINE_POWER) && (segment.kind & LRGRID_KIND_MASK) == LRGRID_COSINE_POWER) {
                    phase = lrgrid_sin_squared_half_pi(phase);
                }
                phase = lrgrid_powf(phase, a);
            }
        }
        case LRGRID_COSINE: {
            if (lrgrid_uses(LRGRID_COSINE)) {
                phase = lrgrid_sin_squared_half_pi(phase);
            }
        }
        case LRGRID_COSINE_EXPONENTIAL: {
            if (lrgrid_uses(LRGRID_COSINE_EXPONENTIAL)) {
                phase = lrgrid_exp2_m1(lrgrid_multiply(a, lrgrid_sin_squared_half_pi(phase)));
            }
        }
        case LRGRID_EXPONENTIAL: {
            if (lrgrid_uses(LRGRID_EXPONENTIAL)) {
                phase = lrgrid_exp2(phase);
            }
        }
        case LRGRID_EXPONENTIAL_MINUS_ONE: {
            if (lrgrid_uses(LRGRID_EXPONENTIAL_MINUS_ONE)) {
                phase = lrgrid_magnitude(lrgrid_exp2_m1(phase));
            }
        }
        case LRGRID_LOGISTIC: {
            if (lrgrid_uses(LRGRID_LOGISTIC)) {
                phase = lrgrid_reciprocal(lrgrid_add(lrgrid_one(), lrgrid_exp2(lrgrid_add(a, phase))));
            }
        }
        case LRGRID_RATIONAL_FALLING: {
            if (lrgrid_uses(LRGRID_RATIONAL_FALLING)) {
                phase = lrgrid_reciprocal(lrgrid_add(lrgrid_one(), phase));
            }
        }
        case LRGRID_RATIONAL_RISING: {
            if (lrgrid_uses(LRGRID_RATIONAL_RISING)) {
                phase = lrgrid_multiply(phase, lrgrid_reciprocal(lrgrid_add(lrgrid_one(), phase)));
            }
        }
        default: {
            phase = lrgrid_zero();
        }
    }
    return phase;
}

// `1 − (1 − w)^warp` for the phase w of a phase count, accurate near both ends; `w` itself if warp is 1.
fn lrgrid_bent(segment: LrgridSegment, count: LrgridNumber, w: LrgridNumber) -> LrgridNumber {
    let warp = lrgrid_unpack(segment.b);
    if (lrgrid_is_one(warp) || lrgrid_is_zero(w)) {
        return w;
    }
    if (w.exponent <= -4) {
        return lrgrid_negate(lrgrid_exp2_m1(lrgrid_multiply(warp, lrgrid_log2_1m(w))));
    }
    let left = lrgrid_phase_left(segment, count);
    // Rounding may move the last phase slightly below or above 1.
    if (left.exponent < -96 || (w.exponent > 0 && left.exponent == 0)) {
        return lrgrid_one();
    }
    return lrgrid_negate(lrgrid_exp2_m1(lrgrid_multiply(warp, lrgrid_log2(left))));
}
