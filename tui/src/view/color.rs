//! Distances between colours, and the nearest colour that a terminal has.
//!
//! A library for colours would bring many color spaces and macros for these few formulas.

use ratatui::style::Color;

/// Red, green and blue, from 0 to 255.
pub(super) type Rgb = [u8; 3];

/// CIE L*a*b* with the white of daylight (D65).
type Lab = [f64; 3];

/// The first sixteen colours as xterm shows them.
const SIXTEEN: [u32; 16] = [
    0x00_00_00, 0xcd_00_00, 0x00_cd_00, 0xcd_cd_00, 0x00_00_ee, 0xcd_00_cd, 0x00_cd_cd, 0xe5_e5_e5,
    0x7f_7f_7f, 0xff_00_00, 0x00_ff_00, 0xff_ff_00, 0x5c_5c_ff, 0xff_00_ff, 0x00_ff_ff, 0xff_ff_ff,
];

/// The names of the first sixteen colours.
const NAMES: [Color; 16] = [
    Color::Black,
    Color::Red,
    Color::Green,
    Color::Yellow,
    Color::Blue,
    Color::Magenta,
    Color::Cyan,
    Color::Gray,
    Color::DarkGray,
    Color::LightRed,
    Color::LightGreen,
    Color::LightYellow,
    Color::LightBlue,
    Color::LightMagenta,
    Color::LightCyan,
    Color::White,
];

/// Returns the components of a colour; `None` for the terminal's default.
pub(super) fn rgb(color: Color) -> Option<Rgb> {
    let index = match color {
        Color::Rgb(r, g, b) => return Some([r, g, b]),
        Color::Indexed(index) => index,
        named => {
            let at = NAMES.iter().position(|name| *name == named)?;
            u8::try_from(at).ok()?
        }
    };
    Some(indexed(index))
}

/// The components of one of xterm's 256 colours.
fn indexed(index: u8) -> Rgb {
    if let Some(rgb) = SIXTEEN.get(usize::from(index)) {
        let [_, r, g, b] = rgb.to_be_bytes();
        return [r, g, b];
    }
    let Some(gray) = index.checked_sub(232) else {
        // A cube of six levels.
        let cube = index.saturating_sub(16);
        let level = |digit: u8| if digit == 0 { 0 } else { 55 + digit * 40 };
        return [cube / 36, cube / 6 % 6, cube % 6].map(level);
    };
    [8 + gray * 10; 3]
}

/// Returns the nearest of xterm's colours from 16 on: the first sixteen differ between terminals. The lightness counts
/// more than the hue, because the contrast follows from it.
pub(super) fn nearest_indexed(color: Rgb) -> Color {
    let wanted = lab(color);
    let candidates = 16..=u8::MAX;
    let nearest = candidates.min_by(|a, b| {
        let weighted = |[l, a, b]: Lab| [l * 2.0, a, b];
        let far = |index: u8| distance(weighted(lab(indexed(index))), weighted(wanted));
        far(*a).total_cmp(&far(*b))
    });
    Color::Indexed(nearest.unwrap_or(u8::MAX))
}

/// Returns the nearest of the sixteen named colours. The hue decides, because these colours are more saturated than
/// most.
pub(super) fn nearest_named(color: Rgb) -> Color {
    let [lightness, a, b] = lab(color);
    let is_gray = |a: f64, b: f64| a.hypot(b) < 18.0;
    let far = |[l2, a2, b2]: Lab| {
        let apart = (b.atan2(a) - b2.atan2(a2)).to_degrees().rem_euclid(360.0);
        let hue = if is_gray(a, b) {
            0.0
        } else {
            apart.min(360.0 - apart)
        };
        hue + (lightness - l2).abs() / 4.0
    };
    let candidates = (0..16)
        .zip(NAMES)
        .map(|(index, name)| (lab(indexed(index)), name));
    let candidates = candidates.filter(|([_, a2, b2], _)| is_gray(*a2, *b2) == is_gray(a, b));
    let nearest = candidates.min_by(|(one, _), (other, _)| far(*one).total_cmp(&far(*other)));
    nearest.map_or(Color::Reset, |(_, name)| name)
}

/// Returns the contrast of two colours by WCAG 2, from 1 to 21.
#[cfg(test)]
pub(super) fn contrast(one: Rgb, other: Rgb) -> f64 {
    let luminance = |color: Rgb| {
        let [r, g, b] = color.map(linear);
        0.2126 * r + 0.7152 * g + 0.0722 * b
    };
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// Returns the distance of two colours as people see it: about 2 can just be seen.
fn distance(one: Lab, other: Lab) -> f64 {
    let [l, a, b] = one;
    let [l2, a2, b2] = other;
    (l - l2).hypot(a - a2).hypot(b - b2)
}

/// Converts a component from sRGB to linear light.
fn linear(component: u8) -> f64 {
    let part = f64::from(component) / 255.0;
    if part <= 0.04045 {
        part / 12.92
    } else {
        ((part + 0.055) / 1.055).powf(2.4)
    }
}

fn lab(color: Rgb) -> Lab {
    lab_of_linear(color.map(linear))
}

fn lab_of_linear([r, g, b]: [f64; 3]) -> Lab {
    let curve = |part: f64| {
        if part > 0.008_856 {
            part.cbrt()
        } else {
            part * 7.787 + 16.0 / 116.0
        }
    };
    let x = curve((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505);
    let y = curve(0.2126 * r + 0.7152 * g + 0.0722 * b);
    let z = curve((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089);
    [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
}

/// Returns the distance of two colours for a person without receptors for green (Viénot, Brettel and Mollon, 1999).
#[cfg(test)]
pub(super) fn distance_without_green(one: Rgb, other: Rgb) -> f64 {
    let seen = |color: Rgb| {
        let [r, g, b] = color.map(linear);
        lab_of_linear([
            0.292_75 * r + 0.707_25 * g,
            0.292_75 * r + 0.707_25 * g,
            -0.022_34 * r + 0.022_34 * g + b,
        ])
    };
    distance(seen(one), seen(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_contrast_is_that_of_wcag() {
        for (one, other, expected) in [
            ([0; 3], [255; 3], 21.0),
            ([255; 3], [255; 3], 1.0),
            ([0x77; 3], [255; 3], 4.48),
        ] {
            assert!((contrast(one, other) - expected).abs() < 0.01);
        }
    }

    #[test]
    fn the_nearest_colour_keeps_the_hue() {
        for (color, index, name) in [
            (0xff_00_00, 196, Color::LightRed),
            (0xff_7a_1a, 208, Color::LightRed),
            (0x4a_a8_ff, 75, Color::LightBlue),
            (0xa6_e3_a1, 150, Color::LightGreen),
            (0xff_ff_ff, 231, Color::White),
        ] {
            let rgb = rgb(Color::from_u32(color)).unwrap();
            assert_eq!(nearest_indexed(rgb), Color::Indexed(index), "{color:x}");
            assert_eq!(nearest_named(rgb), name, "{color:x}");
        }
    }
}
