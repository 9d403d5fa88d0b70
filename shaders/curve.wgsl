// The curves' shapes: twin of src/curve.rs, in the same order.

// The shape of a segment's curve at phase w.
fn lrgrid_shape(segment: LrgridSegment, w: LrgridNumber) -> LrgridNumber {
    let a = lrgrid_unpack(segment.a);
    var phase = w;
    switch segment.kind & LRGRID_KIND_MASK {
        case LRGRID_HOLD: {
            return lrgrid_one();
        }
        case LRGRID_LINEAR: {
            return phase;
        }
        case LRGRID_POWER, LRGRID_COSINE_POWER: {
            phase = lrgrid_bent(w, lrgrid_unpack(segment.b));
            if ((segment.kind & LRGRID_KIND_MASK) == LRGRID_COSINE_POWER) {
                phase = lrgrid_sin_squared_half_pi(phase);
            }
            return lrgrid_powf(phase, a);
        }
        case LRGRID_COSINE: {
            return lrgrid_sin_squared_half_pi(phase);
        }
        case LRGRID_COSINE_EXPONENTIAL: {
            return lrgrid_exp2_m1(lrgrid_multiply(a, lrgrid_sin_squared_half_pi(phase)));
        }
        case LRGRID_EXPONENTIAL: {
            return lrgrid_exp2(phase);
        }
        case LRGRID_LOGISTIC: {
            return lrgrid_reciprocal(lrgrid_add(lrgrid_one(), lrgrid_exp2(lrgrid_add(a, phase))));
        }
        case LRGRID_RATIONAL_FALLING: {
            return lrgrid_reciprocal(lrgrid_add(lrgrid_one(), phase));
        }
        case LRGRID_RATIONAL_RISING: {
            return lrgrid_multiply(phase, lrgrid_reciprocal(lrgrid_add(lrgrid_one(), phase)));
        }
        default: {
            return lrgrid_zero();
        }
    }
}

// `1 − (1 − w)^warp`, accurate near w = 0; `w` itself where warp is 1.
fn lrgrid_bent(w: LrgridNumber, warp: LrgridNumber) -> LrgridNumber {
    if (lrgrid_is_one(warp) || lrgrid_is_zero(w)) {
        return w;
    }
    if (w.exponent > 0) {
        return lrgrid_one();
    }
    return lrgrid_negate(lrgrid_exp2_m1(lrgrid_multiply(warp, lrgrid_log2_1m(w))));
}
