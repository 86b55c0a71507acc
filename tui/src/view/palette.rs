//! Palettes: the colours of the inks, of well-known themes and from the configuration.

use ratatui::style::Color;

use super::color::{nearest_indexed, nearest_named, rgb};
use super::ink::{Depth, Ground, Ink};

/// The name of the background beside those of the inks.
pub const BACKGROUND: &str = "background";

/// The colour of an ink.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Paint {
    color: Color,
    /// In a terminal with sixteen colours; `None` for the usual one, which has the terminal's own colours.
    of_sixteen: Option<Color>,
}

/// The colours of inks, in place of the usual ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Palette {
    /// Whether it is dark or light; `None` for both.
    pub ground: Option<Ground>,
    /// The background. Without one, it is the terminal's.
    pub background: Option<Color>,
    /// The colours, in the order of [`Ink::ALL`].
    inks: [Option<Paint>; Ink::ALL.len()],
}

impl Palette {
    /// No colours: the usual ones.
    pub const NONE: Self = Self {
        ground: None,
        background: None,
        inks: [None; Ink::ALL.len()],
    };

    /// The colour of an ink.
    pub fn ink(&self, ink: Ink) -> Option<Color> {
        let paint = self.inks.get(ink as usize).copied().flatten();
        paint.map(|paint| paint.color)
    }

    /// Sets the colour of an ink, or of the background, by its name.
    ///
    /// # Errors
    /// There is no ink of this name.
    pub fn set(&mut self, name: &str, color: Color) -> Result<(), String> {
        if name == BACKGROUND {
            self.background = Some(color);
            return Ok(());
        }
        let inks = Ink::ALL.iter().zip(&mut self.inks);
        let found = inks.into_iter().find(|((other, _), _)| *other == name);
        let Some((_, own)) = found else {
            let names = Ink::ALL.map(|(name, _)| name).join(", ");
            return Err(format!(
                "there is no colour {name:?}: there are {BACKGROUND}, {names}"
            ));
        };
        let of_sixteen = match color {
            Color::Rgb(..) => rgb(color).map(nearest_named),
            named => Some(named),
        };
        *own = Some(Paint { color, of_sixteen });
        Ok(())
    }

    /// The names and colours that are set.
    pub fn colors(&self) -> impl Iterator<Item = (&'static str, Color)> {
        let background = self.background.map(|color| (BACKGROUND, color));
        let inks = Ink::ALL.iter().zip(&self.inks);
        let inks = inks.filter_map(|((name, _), color)| Some((*name, (*color)?.color)));
        background.into_iter().chain(inks)
    }

    /// This palette with the colours that another one has.
    #[must_use]
    pub fn with(mut self, other: &Self) -> Self {
        self.background = other.background.or(self.background);
        for (own, other) in self.inks.iter_mut().zip(&other.inks) {
            *own = other.or(*own);
        }
        self
    }

    /// The palette with the nearest colours of a terminal. With sixteen colours the background is the terminal's.
    pub(super) fn at(&self, depth: Depth) -> Self {
        let near = |color: Color| match (depth, color, rgb(color)) {
            (Depth::None | Depth::Sixteen, ..) => None,
            (Depth::Indexed, Color::Rgb(..), Some(rgb)) => Some(nearest_indexed(rgb)),
            _ => Some(color),
        };
        let near_paint = |paint: Paint| match depth {
            Depth::Sixteen => paint.of_sixteen,
            _ => near(paint.color),
        };
        let with_color = |paint: Paint| {
            let color = near_paint(paint)?;
            Some(Paint { color, ..paint })
        };
        Self {
            background: self.background.and_then(near),
            inks: self.inks.map(|paint| paint.and_then(with_color)),
            ..*self
        }
    }
}

/// A palette with a background, and the colours in the order of [`Ink::ALL`].
const fn named(ground: Ground, background: u32, colors: [u32; Ink::ALL.len()]) -> Palette {
    let mut palette = Palette::NONE;
    palette.ground = Some(ground);
    palette.background = Some(Color::from_u32(background));
    let mut at = 0;
    #[expect(clippy::indexing_slicing, reason = "both have this length")]
    while at < Ink::ALL.len() {
        palette.inks[at] = Some(Paint {
            color: Color::from_u32(colors[at]),
            of_sixteen: None,
        });
        at += 1;
    }
    palette
}

/// Blue for what is good, and yellow and red for what is not, in sixteen colours.
#[expect(clippy::indexing_slicing, reason = "every ink has a place")]
const fn without_green(mut palette: Palette) -> Palette {
    if let Some(good) = &mut palette.inks[Ink::Good as usize] {
        good.of_sixteen = Some(Color::LightBlue);
    }
    palette
}

// The colours are those of the themes' authors. Where one has too little contrast for text, it is mixed with white or
// black until it has enough; a test checks that.

/// Catppuccin Mocha.
#[rustfmt::skip] // a row of inks: a table
pub const CATPPUCCIN_MOCHA: Palette = named(Ground::Dark, 0x1e_1e_2e, [
    0xcd_d6_f4, 0xa6_ad_c8, 0x58_5b_70, 0xcd_d6_f4, 0x89_b4_fa, 0xa6_e3_a1, 0xf9_e2_af, 0xf3_8b_a8, 0x74_c7_ec, 0xcb_a6_f7, 0x94_e2_d5, 0xfa_b3_87, 0xa6_ad_c8, 0x45_47_5a, 0x50_44_30,
]);

/// Catppuccin Latte.
#[rustfmt::skip] // a row of inks: a table
pub const CATPPUCCIN_LATTE: Palette = named(Ground::Light, 0xef_f1_f5, [
    0x4c_4f_69, 0x68_6b_80, 0xbc_c0_cc, 0x4c_4f_69, 0x1d_62_eb, 0x31_7b_21, 0x95_5f_13, 0xd2_0f_39, 0x18_77_88, 0x88_39_ef, 0x13_78_7d, 0xb9_49_08, 0x68_6b_80, 0xcc_d0_da, 0xf2_e0_b8,
]);

/// Solarized Dark.
#[rustfmt::skip] // a row of inks: a table
pub const SOLARIZED_DARK: Palette = named(Ground::Dark, 0x00_2b_36, [
    0x93_a1_a1, 0x83_94_96, 0x58_6e_75, 0xee_e8_d5, 0x3a_95_d6, 0x85_99_00, 0xb5_89_00, 0xe5_67_65, 0x2a_a1_98, 0x85_89_ce, 0x85_99_00, 0xd7_74_4c, 0x83_94_96, 0x07_36_42, 0x2e_37_20,
]);

/// Solarized Light.
#[rustfmt::skip] // a row of inks: a table
pub const SOLARIZED_LIGHT: Palette = named(Ground::Light, 0xfd_f6_e3, [
    0x58_6e_75, 0x5e_72_7a, 0x93_a1_a1, 0x07_36_42, 0x20_73_ae, 0x68_77_00, 0x8b_69_00, 0xd3_30_2d, 0x20_7c_75, 0x63_68_b4, 0x68_77_00, 0xc1_47_15, 0x5e_72_7a, 0xf4_ee_db, 0xf7_ed_ce,
]);

/// Nord.
#[rustfmt::skip] // a row of inks: a table
pub const NORD: Palette = named(Ground::Dark, 0x2e_34_40, [
    0xd8_de_e9, 0xae_b6_c4, 0x4c_56_6a, 0xec_ef_f4, 0x88_c0_d0, 0xa3_be_8c, 0xeb_cb_8b, 0xd0_8c_92, 0x81_a1_c1, 0xb7_93_b0, 0x8f_bc_bb, 0xd2_8c_76, 0xae_b6_c4, 0x43_4c_5e, 0x57_4f_3a,
]);

/// High contrast: at least 7 for all text.
#[rustfmt::skip] // a row of inks: a table
pub const HIGH_CONTRAST: Palette = named(Ground::Dark, 0x00_00_00, [
    0xff_ff_ff, 0xd0_d0_d0, 0x8a_8a_8a, 0xff_ff_ff, 0x8e_cb_ff, 0x5f_ff_87, 0xff_ff_5f, 0xff_87_87, 0x5f_ff_ff, 0xff_9b_ff, 0xb0_ff_b0, 0xff_b0_66, 0xd0_d0_d0, 0x00_40_a0, 0x5a_4a_00,
]);

/// Blue, yellow and orange in place of green, yellow and red: for people who see no green or red.
#[rustfmt::skip] // a row of inks: a table
pub const DEUTERANOPIA: Palette = without_green(named(Ground::Dark, 0x16_18_1d, [
    0xe4_e7_eb, 0xaa_b2_bd, 0x4b_55_63, 0xff_ff_ff, 0xb8_c7_ff, 0x4a_a8_ff, 0xf6_e2_7a, 0xff_7a_1a, 0x7f_d4_e8, 0xc9_a7_f0, 0x9f_b8_d9, 0xe0_9a_5a, 0xaa_b2_bd, 0x2f_3a_52, 0x47_3a_14,
]));

#[cfg(test)]
mod tests {
    use super::super::color::{contrast, distance_without_green};
    use super::*;

    const ALL: [(&str, Palette); 7] = [
        ("catppuccin-mocha", CATPPUCCIN_MOCHA),
        ("catppuccin-latte", CATPPUCCIN_LATTE),
        ("solarized-dark", SOLARIZED_DARK),
        ("solarized-light", SOLARIZED_LIGHT),
        ("nord", NORD),
        ("high-contrast", HIGH_CONTRAST),
        ("deuteranopia", DEUTERANOPIA),
    ];

    /// WCAG asks for 4.5, and for 7 of a theme with high contrast. Of 256 colours the nearest may have less.
    #[test]
    fn text_has_enough_contrast() {
        for (name, palette) in ALL {
            for (depth, least) in [(Depth::True, 4.5), (Depth::Indexed, 3.0)] {
                let least = match (name, depth) {
                    ("high-contrast", Depth::True) => 7.0,
                    _ => least,
                };
                let palette = palette.at(depth);
                let under = palette.background.and_then(rgb).unwrap();
                for (ink_name, ink) in Ink::ALL {
                    let color = palette.ink(ink).and_then(rgb).unwrap();
                    let text = palette.ink(Ink::Plain).and_then(rgb).unwrap();
                    let ratio = match ink {
                        Ink::Faint => continue,
                        ink if ink.is_background() => contrast(color, text),
                        _ => contrast(color, under),
                    };
                    assert!(ratio >= least, "{name} {depth:?} {ink_name}: {ratio:.2}");
                }
            }
        }
    }

    #[test]
    fn good_warn_and_bad_are_different_colours_in_every_terminal() {
        for (name, palette) in ALL {
            for depth in [Depth::True, Depth::Indexed] {
                let palette = palette.at(depth);
                let [good, warn, bad] =
                    [Ink::Good, Ink::Warn, Ink::Bad].map(|ink| palette.ink(ink));
                assert!(
                    good != warn && warn != bad && good != bad,
                    "{name} {depth:?}"
                );
            }
        }
    }

    #[test]
    fn without_green_the_deuteranopia_theme_keeps_its_colours_apart() {
        let apart = |palette: Palette| {
            let inks = [Ink::Good, Ink::Warn, Ink::Bad];
            let [good, warn, bad] = inks.map(|ink| palette.ink(ink).and_then(rgb).unwrap());
            [(good, warn), (warn, bad), (good, bad)]
                .map(|(one, other)| distance_without_green(one, other))
                .into_iter()
                .fold(f64::MAX, f64::min)
        };
        for depth in [Depth::True, Depth::Indexed] {
            let least = apart(DEUTERANOPIA.at(depth));
            assert!(least >= 20.0, "{depth:?}: {least}");
        }
        assert!(apart(CATPPUCCIN_MOCHA) < 20.0, "the test cannot fail");
    }
}
