//! The settings and their defaults.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::ValueEnum;

use crate::input::KeyMap;
use crate::model::{Field, SourceKind, Thresholds, View};
use crate::view::palette::{self, Palette};
use crate::view::theme::{Depth, Ground, Theme};

/// The theme: the colours of the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum ThemeChoice {
    /// From the terminal (COLORFGBG), else dark.
    #[default]
    Auto,
    /// Light text on dark.
    Dark,
    /// Dark text on light.
    Light,
    /// Catppuccin's dark colours.
    CatppuccinMocha,
    /// Catppuccin's light colours.
    CatppuccinLatte,
    /// Solarized on dark.
    SolarizedDark,
    /// Solarized on light.
    SolarizedLight,
    /// Nord's cold colours.
    Nord,
    /// As much contrast as possible.
    HighContrast,
    /// Blue and orange in place of green and red.
    Deuteranopia,
}

impl ThemeChoice {
    /// The colours of the theme; `None` for those that follow the terminal.
    const fn palette(self) -> Option<&'static Palette> {
        Some(match self {
            Self::Auto | Self::Dark | Self::Light => return None,
            Self::CatppuccinMocha => &palette::CATPPUCCIN_MOCHA,
            Self::CatppuccinLatte => &palette::CATPPUCCIN_LATTE,
            Self::SolarizedDark => &palette::SOLARIZED_DARK,
            Self::SolarizedLight => &palette::SOLARIZED_LIGHT,
            Self::Nord => &palette::NORD,
            Self::HighContrast => &palette::HIGH_CONTRAST,
            Self::Deuteranopia => &palette::DEUTERANOPIA,
        })
    }
}

/// The name of the theme with the colours of the configuration.
const OWN_THEME: &str = "own";

/// The name of a value in flags and in the file.
pub(crate) fn value_name(value: impl ValueEnum) -> String {
    value
        .to_possible_value()
        .map(|value| value.get_name().to_owned())
        .unwrap_or_default()
}

/// The number of colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Colors {
    /// As many as the terminal supports (NO_COLOR, COLORTERM, TERM).
    #[default]
    Auto,
    /// 24 bits.
    True,
    /// xterm's 256.
    #[value(name = "256")]
    Indexed,
    /// The terminal's own sixteen.
    #[value(name = "16")]
    Sixteen,
    /// None.
    None,
}

/// The source of the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum SourceChoice {
    /// kubevitals.io if the cluster has it, else metrics.k8s.io, else no metrics.
    #[default]
    Auto,
    /// kubevitals.io.
    Vitals,
    /// metrics.k8s.io, with the client's own history.
    Metrics,
    /// No metrics: requests, limits, probes and restarts alone.
    None,
}

impl SourceChoice {
    /// The required kind of source; `None` for the best one.
    #[must_use]
    pub const fn kind(self) -> Option<SourceKind> {
        match self {
            Self::Auto => None,
            Self::Vitals => Some(SourceKind::Vitals),
            Self::Metrics => Some(SourceKind::Metrics),
            Self::None => Some(SourceKind::None),
        }
    }
}

/// The time zone of times of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum TimeZoneChoice {
    /// UTC, as Kubernetes writes them.
    #[default]
    Utc,
    /// The zone of this machine (TZ, /etc/localtime).
    Local,
}

/// How the terminal notifies the user of a new incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Notify {
    /// Not at all.
    #[default]
    Off,
    /// Its bell rings.
    Bell,
    /// It shows a notification of the desktop (OSC 9).
    Osc9,
}

/// All settings.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The theme.
    pub theme: ThemeChoice,
    /// The file that the theme comes from.
    pub theme_file: Option<PathBuf>,
    /// Own colours in place of the theme's.
    pub palette: Palette,
    /// The number of colours.
    pub colors: Colors,
    /// Whether to draw ASCII only; none: the locale decides.
    pub ascii: Option<bool>,
    /// The most frames in a second.
    pub fps: u16,
    /// Whether the mouse is used.
    pub mouse: bool,
    /// How the terminal notifies the user when an incident starts.
    pub notify: Notify,
    /// Whether the cluster may be changed.
    pub allow_actions: bool,
    /// The contexts, or patterns of contexts, in which nothing may be changed.
    pub protected: Vec<String>,
    /// The source of the data.
    pub source: SourceChoice,
    /// The time zone of times of day.
    pub time_zone: TimeZoneChoice,
    /// The first view.
    pub view: View,
    /// The selectable spans, in seconds, shortest first.
    pub spans: Vec<u32>,
    /// The first span, in seconds; one of `spans`.
    pub span: u32,
    /// The parts of a limit at which usage is high and too high.
    pub thresholds: Thresholds,
    /// The columns of each view, in order; absent views choose columns by the width.
    pub columns: BTreeMap<View, Vec<Field>>,
    /// Bookmarks: their names and the commands that show their places.
    pub bookmarks: BTreeMap<String, String>,
    /// Saved filters, by their names.
    pub filters: BTreeMap<String, String>,
    /// The filters with which views open: names of `filters`.
    pub default_filters: BTreeMap<View, String>,
    /// Groups of contexts, for `--contexts`.
    pub groups: BTreeMap<String, Vec<String>>,
    /// The changed key bindings: the id of a binding and its keys.
    pub keys: Vec<(String, Vec<String>)>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            theme: ThemeChoice::default(),
            theme_file: None,
            palette: Palette::NONE,
            colors: Colors::default(),
            ascii: None,
            fps: 60,
            mouse: true,
            notify: Notify::Off,
            allow_actions: false,
            protected: Vec::new(),
            source: SourceChoice::default(),
            time_zone: TimeZoneChoice::default(),
            view: View::Overview,
            spans: vec![300, 900, 1_800, 3_600],
            span: 900,
            thresholds: Thresholds::default(),
            columns: BTreeMap::new(),
            bookmarks: BTreeMap::new(),
            filters: BTreeMap::new(),
            default_filters: BTreeMap::new(),
            groups: BTreeMap::new(),
            keys: Vec::new(),
        }
    }
}

impl Settings {
    /// The theme. The environment decides what the settings leave open.
    pub fn theme(&self, env: impl Fn(&str) -> Option<String>) -> Theme {
        let detected = Theme::detect(env);
        let depth = match self.colors {
            Colors::Auto => detected.depth,
            Colors::True => Depth::True,
            Colors::Indexed => Depth::Indexed,
            Colors::Sixteen => Depth::Sixteen,
            Colors::None => Depth::None,
        };
        let ground = match self.theme {
            ThemeChoice::Auto => detected.ground,
            ThemeChoice::Dark => Ground::Dark,
            ThemeChoice::Light => Ground::Light,
            _ => detected.ground,
        };
        let theme = Theme::new(depth, ground, self.ascii.unwrap_or(detected.is_ascii()));
        let of_theme = self.theme.palette().copied().unwrap_or_default();
        theme.with(&of_theme.with(&self.palette))
    }

    /// The name of the theme, in the list of themes.
    pub fn theme_name(&self) -> String {
        match self.has_own_colors() {
            false => value_name(self.theme),
            true => OWN_THEME.to_owned(),
        }
    }

    /// Whether the configuration has own colours.
    pub fn has_own_colors(&self) -> bool {
        self.palette != Palette::NONE
    }

    /// The names of all themes.
    pub fn theme_names(&self) -> Vec<String> {
        let own = self.has_own_colors().then(|| OWN_THEME.to_owned());
        let named = ThemeChoice::value_variants().iter().copied();
        own.into_iter().chain(named.map(value_name)).collect()
    }

    /// These settings with the theme of a name. `None` if there is none.
    #[must_use]
    pub fn with_theme(&self, name: &str) -> Option<Self> {
        if name == self.theme_name() {
            return Some(self.clone());
        }
        Some(Self {
            theme: ThemeChoice::from_str(name, true).ok()?,
            theme_file: None,
            palette: Palette::NONE,
            ..self.clone()
        })
    }

    /// The key bindings. They were checked when they were parsed, so the defaults only replace impossible ones.
    pub fn key_map(&self) -> KeyMap {
        KeyMap::new(&self.keys).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_take_precedence_over_the_environment() {
        let env = |name: &str| match name {
            "NO_COLOR" => Some("1".to_owned()),
            "LANG" => Some("C.UTF-8".to_owned()),
            _ => None,
        };
        let usual = Settings::default().theme(env);
        assert_eq!((usual.depth, usual.is_ascii()), (Depth::None, false));
        let set = Settings {
            colors: Colors::Indexed,
            theme: ThemeChoice::Light,
            ascii: Some(true),
            ..Settings::default()
        };
        let theme = set.theme(env);
        assert_eq!(
            (theme.depth, theme.ground, theme.is_ascii()),
            (Depth::Indexed, Ground::Light, true)
        );
    }

    #[test]
    fn the_default_span_is_one_of_the_spans() {
        let usual = Settings::default();
        assert!(usual.spans.contains(&usual.span) && usual.spans.is_sorted());
    }
}
