//! The settings and their defaults.

use std::collections::BTreeMap;

use clap::ValueEnum;

use crate::input::KeyMap;
use crate::model::{Field, SourceKind, Thresholds, View};
use crate::view::theme::{Depth, Ground, Theme};

/// The background for which colours are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum ThemeChoice {
    /// From the terminal (COLORFGBG), else dark.
    #[default]
    Auto,
    /// Light text on dark.
    Dark,
    /// Dark text on light.
    Light,
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

/// All settings.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The background.
    pub theme: ThemeChoice,
    /// The number of colours.
    pub colors: Colors,
    /// Whether to draw ASCII only; none: the locale decides.
    pub ascii: Option<bool>,
    /// The most frames in a second.
    pub fps: u16,
    /// Whether the mouse is used.
    pub mouse: bool,
    /// Whether the terminal's bell rings when an incident starts.
    pub bell: bool,
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
    /// Groups of contexts, for `--contexts`.
    pub groups: BTreeMap<String, Vec<String>>,
    /// The changed key bindings: the id of a binding and its keys.
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
            allow_actions: false,
            protected: Vec::new(),
            source: SourceChoice::default(),
            time_zone: TimeZoneChoice::default(),
            view: View::Overview,
            spans: vec![300, 900, 1_800, 3_600],
            span: 900,
            thresholds: Thresholds::default(),
            columns: BTreeMap::new(),
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
        };
        Theme::new(depth, ground, self.ascii.unwrap_or(detected.is_ascii()))
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
