//! Numbers as text: the shortest digits that parse back to the same bits of their type.

use std::fmt::Write as _;

use lrgrid::element::{Dtype, Element};

/// Appends a value in the shortest digits that parse back to the same bits of its type.
///
/// Plain digits from 0.0001 up to 10^16, otherwise with an exponent; `inf`, `-inf` and `NaN` as they are.
///
/// ```
/// use lrgrid_tables::table::write_number;
///
/// let mut text = String::new();
/// write_number(&mut text, 0.1_f32 * 0.1);
/// write_number(&mut text, half::bf16::from_f32(-1e-7));
/// assert_eq!(text, "0.010000001-1e-7");
/// ```
pub fn write_number<T: Element>(text: &mut String, value: T) {
    let start = text.len();
    // Writing to a String cannot fail.
    let _ = match T::DTYPE {
        Dtype::F64 => write!(text, "{:?}", value.to_f64()),
        Dtype::F32 => write!(text, "{:?}", value.to_f64() as f32),
        Dtype::F16 | Dtype::Bf16 => write!(text, "{:?}", shortest(value)),
    };
    if text[start..].ends_with(".0") {
        text.truncate(text.len() - 2);
    }
}

/// The `f64` with the fewest digits that rounds to this 16-bit value.
fn shortest<T: Element>(value: T) -> f64 {
    let exact = value.to_f64();
    if exact == 0.0 || !exact.is_finite() {
        return exact;
    }
    // f16 needs at most 5 digits and bf16 at most 4: one before the point and up to four after it.
    for digits in 0..5 {
        let Ok(nearest) = format!("{exact:.digits$e}").parse::<f64>() else { continue };
        // Above a power of two the spacing doubles: if the nearest decimal does not round back, the next one away from
        // 0 may.
        let unit = 10f64.powi(exact.abs().log10().floor() as i32 - digits as i32);
        let further: Option<f64> = format!("{:.digits$e}", nearest + unit.copysign(exact)).parse().ok();
        let fits = |candidate: &f64| T::from_f64(*candidate) == value;
        if let Some(found) = [Some(nearest), further].into_iter().flatten().find(fits) {
            return found;
        }
    }
    exact
}

#[cfg(test)]
mod tests {
    use half::{bf16, f16};

    use super::*;

    fn text<T: Element>(value: T) -> String {
        let mut text = String::new();
        write_number(&mut text, value);
        text
    }

    #[test]
    fn ordinary_numbers_are_plain() {
        assert_eq!(text(0.001_f32), "0.001");
        assert_eq!(text(1.0_f64), "1");
        assert_eq!(text(0.0_f32), "0");
        assert_eq!(text(-0.0_f32), "-0");
        assert_eq!(text(0.000_3_f64), "0.0003");
        assert_eq!(text(0.000_03_f32), "3e-5");
        assert_eq!(text(1e300), "1e300");
        assert_eq!(text(f16::from_f32(0.1)), "0.1");
        assert_eq!(text(bf16::from_f32(3e-4)), "0.0003");
        assert_eq!(text(f32::INFINITY), "inf");
        assert_eq!(text(f16::NAN), "NaN");
    }

    /// Every value parses back, and no number with fewer digits does.
    fn every_value_is_shortest<T: Element>(from_bits: fn(u16) -> T) {
        for value in (0..=u16::MAX).map(from_bits).filter(|value| value.to_f64().is_finite()) {
            let written = text(value);
            let back: f64 = written.parse().unwrap();
            assert_eq!(T::from_f64(back), value, "{written}");
            assert_eq!(back.is_sign_negative(), value.to_f64().is_sign_negative(), "{written}");
            let digits = format!("{back:e}").bytes().take_while(|&c| c != b'e').filter(u8::is_ascii_digit).count();
            let exact = value.to_f64();
            if digits > 1 && exact != 0.0 {
                let unit = 10f64.powi(exact.abs().log10().floor() as i32 + 2 - digits as i32);
                for fewer in [(exact / unit).floor() * unit, (exact / unit).ceil() * unit] {
                    assert_ne!(T::from_f64(fewer), value, "{written} for {exact:e}: {fewer:e} is shorter");
                }
            }
        }
    }

    #[test]
    fn every_f16_reads_back() {
        every_value_is_shortest(f16::from_bits);
    }

    #[test]
    fn every_bf16_reads_back() {
        every_value_is_shortest(bf16::from_bits);
    }

    #[test]
    fn wide_types_read_back() {
        let mut bits = 0x9e37_79b9_7f4a_7c15_u64;
        for _ in 0..20_000 {
            bits = bits.wrapping_mul(0xd129_0683_1937_2c5d).wrapping_add(0x1405_7b7e_f767_814f);
            let (wide, narrow) = (f64::from_bits(bits), f32::from_bits((bits >> 32) as u32));
            if wide.is_finite() {
                assert_eq!(text(wide).parse::<f64>().unwrap().to_bits(), wide.to_bits());
            }
            if narrow.is_finite() {
                assert_eq!(text(narrow).parse::<f32>().unwrap().to_bits(), narrow.to_bits());
            }
        }
    }
}
