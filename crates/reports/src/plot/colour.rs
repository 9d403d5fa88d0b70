//! Colours: a small palette of distinguishable colours, and a ramp for parameters and heat maps.

/// Red, green and blue.
pub type Rgb = [u8; 3];

/// One colour on a light and on a dark background.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    /// On a light background.
    pub light: Rgb,
    /// On a dark background.
    pub dark: Rgb,
}

const fn pair(light: u32, dark: u32) -> Pair {
    const fn rgb(hex: u32) -> Rgb {
        [(hex >> 16) as u8, (hex >> 8) as u8, hex as u8]
    }
    Pair { light: rgb(light), dark: rgb(dark) }
}

/// Colours of several schedules in one picture, in this order.
pub const SERIES: [Pair; 8] = [
    pair(0x1f_66b8, 0x6c_b2ff),
    pair(0xd1_4d0a, 0xff_9a5c),
    pair(0x1a_8754, 0x5f_d69b),
    pair(0xa0_2c8f, 0xe6_8fd8),
    pair(0x8a_6a00, 0xe3_c14a),
    pair(0x00_7f8c, 0x5a_d0dc),
    pair(0xb3_1f38, 0xff_8095),
    pair(0x5a_4fcf, 0xa9_a2ff),
];

/// Colours of texts and lines other than schedules.
pub const BACKGROUND: Pair = pair(0xff_ffff, 0x0d_1117);
/// Labels.
pub const TEXT: Pair = pair(0x24_292f, 0xd7_dde4);
/// Ticks and notes.
pub const MUTED: Pair = pair(0x65_6d76, 0x8d_96a0);
/// Lines of the grid.
pub const GRID: Pair = pair(0xe3_e6ea, 0x2a_3038);
/// Background of every other phase.
pub const BAND: Pair = pair(0xf5_f7f9, 0x15_1b23);

/// Nodes of the ramp: perceptually uniform, from dark blue to yellow, as matplotlib's viridis.
const RAMP: [Rgb; 9] = [
    [68, 1, 84],
    [71, 44, 122],
    [59, 81, 139],
    [44, 113, 142],
    [33, 144, 141],
    [39, 173, 129],
    [92, 200, 99],
    [170, 220, 50],
    [253, 231, 37],
];

/// The ramp's colour at 0 to 1.
#[must_use]
pub fn ramp(share: f64) -> Rgb {
    let share = if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) };
    let place = share * (RAMP.len() - 1) as f64;
    let corner = (place as usize).min(RAMP.len() - 2);
    let rest = place - corner as f64;
    let mix = |channel: usize| {
        let (from, to) = (f64::from(RAMP[corner][channel]), f64::from(RAMP[corner + 1][channel]));
        (from + (to - from) * rest).round() as u8
    };
    [mix(0), mix(1), mix(2)]
}

/// The ramp on a background, without the ends that would have too little contrast.
#[must_use]
pub fn ramp_line(share: f64) -> Pair {
    Pair { light: ramp(share * 0.88), dark: ramp(0.22 + share * 0.78) }
}

/// `#rrggbb`.
#[must_use]
pub fn hex(colour: Rgb) -> String {
    format!("#{:02x}{:02x}{:02x}", colour[0], colour[1], colour[2])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Contrast as WCAG 2 defines it.
    fn contrast(a: Rgb, b: Rgb) -> f64 {
        let luminance = |colour: Rgb| {
            let [r, g, b] = colour.map(|channel| {
                let share = f64::from(channel) / 255.0;
                if share <= 0.040_45 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
            });
            0.2126 * r + 0.7152 * g + 0.0722 * b
        };
        let (a, b) = (luminance(a) + 0.05, luminance(b) + 0.05);
        a.max(b) / a.min(b)
    }

    #[test]
    fn colours_stand_out_on_both_backgrounds() {
        for colour in SERIES.into_iter().chain([TEXT, MUTED]) {
            assert!(contrast(colour.light, BACKGROUND.light) >= 4.0, "{colour:?}");
            assert!(contrast(colour.dark, BACKGROUND.dark) >= 4.0, "{colour:?}");
        }
    }

    #[test]
    fn the_ramp_has_its_ends() {
        assert_eq!((ramp(0.0), ramp(1.0), ramp(-1.0), ramp(f64::NAN)), (RAMP[0], RAMP[8], RAMP[0], RAMP[0]));
    }
}
