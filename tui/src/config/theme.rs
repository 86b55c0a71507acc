//! Parses colours: a file of a theme, and the table `palette` of the configuration.

use std::collections::BTreeMap;

use toml::Spanned;

use super::error::Wrong;
use super::reader::{Reader, choice, color, read};
use super::settings::ThemeChoice;
use crate::view::palette::Palette;

/// Colours by the names of their inks.
pub(super) type Colors = BTreeMap<Spanned<String>, Spanned<toml::Value>>;

/// The name of the entry of a file that names the theme with the other colours.
const BASE: &str = "base";

/// Parses a theme's file: the theme on which it is based, and its colours.
pub(super) fn parse(text: &str) -> Result<(ThemeChoice, Palette), Vec<Wrong>> {
    read(text, |reader, mut colors: Colors| {
        let base = colors.keys().find(|name| name.get_ref() == BASE).cloned();
        let base = base.and_then(|name| colors.remove(&name));
        let base = reader.value(base, ThemeChoice::default(), |value| {
            choice(BASE, value.as_str().unwrap_or_default())
        });
        (base, reader.palette(&colors))
    })
}

impl Reader<'_> {
    /// Converts colours.
    pub(super) fn palette(&mut self, colors: &Colors) -> Palette {
        let mut palette = Palette::NONE;
        for (name, value) in colors {
            if let Some(color) = self.convert(value, color)
                && let Err(unknown) = palette.set(name.get_ref(), color)
            {
                self.wrong(name, unknown);
            }
        }
        palette
    }
}
