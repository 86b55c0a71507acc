//! What can be set, and what is usual.

use std::collections::BTreeMap;

use clap::ValueEnum;

use crate::input::KeyMap;
use crate::model::{Field, Thresholds, View};
use crate::view::theme::{Depth, Ground, Theme};

/// On which ground the palette is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum ThemeChoice {
    /// As the terminal says (COLORFGBG), or dark.
    #[default]
    Auto,
    /// Light text on dark.
    Dark,
    /// Dark text on light.
    Light,
}

/// How many colours are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Colors {
    /// As many as the terminal has (NO_COLOR, COLORTERM, TERM).
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

/// Where data come from.
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

/// In which zone times of day are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum TimeZoneChoice {
    /// UTC, as Kubernetes writes them.
    #[default]
    Utc,
    /// The zone of this machine (TZ, /etc/localtime).
    Local,
}

/// Everything that can be set.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// For which ground.
    pub theme: ThemeChoice,
    /// With how many colours.
    pub colors: Colors,
    /// Whether only ASCII is drawn; nothing: as the locale says.
    pub ascii: Option<bool>,
    /// How often the screen is drawn at most, in frames a second.
    pub fps: u16,
    /// Whether the mouse is listened to.
    pub mouse: bool,
    /// Whether the terminal's bell rings when an incident begins.
    pub bell: bool,
    /// Where data come from.
    pub source: SourceChoice,
    /// In which zone times of day are written.
    pub time_zone: TimeZoneChoice,
    /// Which view is shown first.
    pub view: View,
    /// The spans that can be chosen, in seconds, shortest first.
    pub spans: Vec<u32>,
    /// The span at first, in seconds; one of `spans`.
    pub span: u32,
    /// From where on a part of a limit is much, and too much.
    pub thresholds: Thresholds,
    /// Which columns a view shows, in this order; those that are not here: by the width there is.
    pub columns: BTreeMap<View, Vec<Field>>,
    /// What keys do, where it is not usual: the id of a binding and its keys.
    pub keys: Vec<(String, Vec<String>)>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            theme: ThemeChoice::default(),
            colors: Colors::default(),
            ascii: None,
            fps: 60,
            mouse: true,
            bell: false,
            source: SourceChoice::default(),
            time_zone: TimeZoneChoice::default(),
            view: View::Overview,
            spans: vec![300, 900, 1_800, 3_600],
            span: 900,
            thresholds: Thresholds::default(),
            columns: BTreeMap::new(),
            keys: Vec::new(),
        }
    }
}

impl Settings {
    /// The theme, where the settings leave it open as the environment says.
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
        };
        Theme::new(depth, ground, self.ascii.unwrap_or(detected.is_ascii()))
    }

    /// What keys do. They were looked at when they were read, so the usual ones stand in only for what cannot be.
    pub fn key_map(&self) -> KeyMap {
        KeyMap::new(&self.keys).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_settings_hold_over_the_environment() {
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
    fn the_usual_span_can_be_chosen() {
        let usual = Settings::default();
        assert!(usual.spans.contains(&usual.span) && usual.spans.is_sorted());
    }
}
