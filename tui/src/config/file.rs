//! Parses the configuration file: TOML, each value with its position.

use std::collections::BTreeMap;
use std::path::PathBuf;

use kubevitals_proto::duration::GoDuration;
use serde::Deserialize;
use toml::Spanned;

use super::error::Wrong;
use super::reader::{Reader, choice, read, view};
use super::saved::Saved;
use super::settings::{Notify, Settings, ThemeChoice};
use super::theme::Colors;
use super::write::view_name;
use crate::input::{KeyMap, KeyMapError};
use crate::model::{Field, Thresholds, View};

/// The file's content.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct File {
    theme: Option<Spanned<String>>,
    colors: Option<Spanned<String>>,
    ascii: Option<bool>,
    fps: Option<Spanned<i64>>,
    mouse: Option<bool>,
    bell: Option<bool>,
    notify: Option<Spanned<String>>,
    allow_actions: Option<bool>,
    protected: Option<Vec<String>>,
    source: Option<Spanned<String>>,
    view: Option<Spanned<String>>,
    time_zone: Option<Spanned<String>>,
    spans: Option<Spanned<Vec<Spanned<String>>>>,
    span: Option<Spanned<String>>,
    thresholds: Levels,
    palette: Colors,
    columns: BTreeMap<Spanned<String>, Vec<Spanned<String>>>,
    bookmarks: Saved,
    filters: Saved,
    default_filters: Saved,
    groups: BTreeMap<String, Spanned<Vec<String>>>,
    keys: BTreeMap<Spanned<String>, Vec<Spanned<String>>>,
}

/// Percent.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Levels {
    warn: Option<Spanned<f64>>,
    bad: Option<Spanned<f64>>,
}

/// Parses a file; absent settings have their defaults.
pub(super) fn parse(text: &str) -> Result<Settings, Vec<Wrong>> {
    read(text, |reader, file: File| reader.settings(file))
}

impl Reader<'_> {
    fn settings(&mut self, file: File) -> Settings {
        let usual = Settings::default();
        let theme_file = file.theme.as_ref().map(Spanned::get_ref);
        let theme_file = theme_file.filter(|text| is_file(text)).map(PathBuf::from);
        let spans = file.spans.and_then(|spans| self.spans(&spans));
        let spans = spans.unwrap_or(usual.spans);
        let first = spans.first().copied().unwrap_or(usual.span);
        let unset = if spans.contains(&usual.span) {
            usual.span
        } else {
            first
        };
        let span = self.value(file.span, unset, |text| {
            let seconds = span(text)?;
            if spans.contains(&seconds) {
                Ok(seconds)
            } else {
                Err(format!("span {text:?} is not one of the spans"))
            }
        });
        Settings {
            theme: self.value(file.theme, usual.theme, |text| theme(text)),
            theme_file,
            palette: self.palette(&file.palette),
            colors: self.value(file.colors, usual.colors, |text| choice("colors", text)),
            ascii: file.ascii,
            fps: self.value(file.fps, usual.fps, fps),
            mouse: file.mouse.unwrap_or(usual.mouse),
            notify: self.value(file.notify, of_bell(file.bell), |text| {
                choice("notify", text)
            }),
            allow_actions: file.allow_actions.unwrap_or(usual.allow_actions),
            protected: file.protected.unwrap_or(usual.protected),
            source: self.value(file.source, usual.source, |text| choice("source", text)),
            view: self.value(file.view, usual.view, |name| view(name)),
            time_zone: self.value(file.time_zone, usual.time_zone, |text| {
                choice("time-zone", text)
            }),
            span,
            spans,
            thresholds: self.thresholds(file.thresholds, usual.thresholds),
            columns: self.columns(&file.columns),
            bookmarks: self.bookmarks(&file.bookmarks),
            filters: self.filters(&file.filters),
            default_filters: self.default_filters(&file.default_filters, &file.filters),
            groups: self.groups(file.groups),
            keys: self.keys(&file.keys),
        }
    }

    fn spans(&mut self, spans: &Spanned<Vec<Spanned<String>>>) -> Option<Vec<u32>> {
        let texts = spans.get_ref();
        if texts.is_empty() {
            self.wrong(spans, "there must be at least one span");
            return None;
        }
        let seconds = texts
            .iter()
            .filter_map(|text| self.convert(text, |text| span(text)));
        let mut seconds: Vec<u32> = seconds.collect();
        seconds.sort_unstable();
        seconds.dedup();
        (seconds.len() == texts.len()).then_some(seconds)
    }

    fn thresholds(&mut self, levels: Levels, usual: Thresholds) -> Thresholds {
        let blamed = levels.bad.clone().or(levels.warn.clone());
        let warn = self.value(levels.warn, usual.warn, threshold);
        let bad = self.value(levels.bad, usual.bad, threshold);
        if let Some(value) = blamed.filter(|_| warn > bad) {
            self.wrong(&value, "warn is at most bad");
        }
        Thresholds { warn, bad }
    }

    fn columns(
        &mut self,
        tables: &BTreeMap<Spanned<String>, Vec<Spanned<String>>>,
    ) -> BTreeMap<View, Vec<Field>> {
        let mut columns = BTreeMap::new();
        for (name, fields) in tables {
            let Some(view) = self.convert(name, |name| view(name)) else {
                continue;
            };
            let fields = fields
                .iter()
                .filter_map(|field| self.convert(field, |name| column(view, name)));
            columns.insert(view, fields.collect());
        }
        columns
    }

    fn groups(
        &mut self,
        groups: BTreeMap<String, Spanned<Vec<String>>>,
    ) -> BTreeMap<String, Vec<String>> {
        for (name, contexts) in &groups {
            if contexts.get_ref().is_empty() {
                self.wrong(contexts, format!("the group {name:?} has no contexts"));
            }
        }
        let groups = groups.into_iter();
        let groups = groups.map(|(name, contexts)| (name, contexts.into_inner()));
        groups.collect()
    }

    fn keys(
        &mut self,
        keys: &BTreeMap<Spanned<String>, Vec<Spanned<String>>>,
    ) -> Vec<(String, Vec<String>)> {
        let changes: Vec<(String, Vec<String>)> = keys
            .iter()
            .map(|(id, keys)| {
                let keys = keys.iter().map(|key| key.get_ref().clone());
                (id.get_ref().clone(), keys.collect())
            })
            .collect();
        match KeyMap::new(&changes) {
            Ok(_) => changes,
            Err((id, error)) => {
                let blamed = keys.iter().find(|(name, _)| *name.get_ref() == id);
                // An invalid key has its own position.
                let position = match (&error, blamed) {
                    (KeyMapError::Key(_), Some((id, keys))) => keys
                        .iter()
                        .find(|key| key.get_ref().parse::<crate::input::Key>().is_err())
                        .or(Some(id)),
                    (_, blamed) => blamed.map(|(id, _)| id),
                };
                if let Some(position) = position {
                    self.wrong(position, error.to_string());
                }
                Vec::new()
            }
        }
    }
}

/// `bell = true` is an older name of `notify = "bell"`.
fn of_bell(bell: Option<bool>) -> Notify {
    match bell {
        Some(true) => Notify::Bell,
        _ => Notify::Off,
    }
}

/// The built-in theme of a name; the usual one for a file.
fn theme(text: &str) -> Result<ThemeChoice, String> {
    if is_file(text) {
        return Ok(ThemeChoice::default());
    }
    let named = choice("theme", text);
    named.map_err(|error: String| error.replace(", not ", ", or a file like mine.toml, not "))
}

/// Whether a theme is the path of a file.
fn is_file(theme: &str) -> bool {
    theme.ends_with(".toml")
}

fn fps(fps: &i64) -> Result<u16, String> {
    let frames = u16::try_from(*fps).ok();
    frames
        .filter(|fps| (1..=60).contains(fps))
        .ok_or_else(|| format!("fps is between 1 and 60, not {fps}"))
}

/// A duration of one minute to one day, in whole seconds.
fn span(text: &str) -> Result<u32, String> {
    let duration = text.parse::<GoDuration>().ok();
    duration
        .and_then(|duration| u32::try_from(duration.as_nanos() / 1_000_000_000).ok())
        .filter(|seconds| (60..=86_400).contains(seconds))
        .ok_or_else(|| format!("a span is between 1m and 24h, like 15m, not {text:?}"))
}

/// Converts a percentage to a fraction, within the limits of a threshold.
pub(crate) fn threshold(percent: &f64) -> Result<f64, String> {
    if (1.0..=1_000.0).contains(percent) {
        Ok(percent / 100.0)
    } else {
        Err(format!(
            "a threshold is between 1 and 1000 percent, not {percent}"
        ))
    }
}

fn column(view: View, name: &str) -> Result<Field, String> {
    let columns = view.columns();
    Field::named(name)
        .filter(|field| columns.iter().any(|column| column.field == *field))
        .ok_or_else(|| {
            let names: Vec<&str> = columns.iter().map(|column| column.field.name()).collect();
            let (view, names) = (view_name(view), names.join(", "));
            format!("{view} have no column {name:?}; they have {names}")
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Colors, SourceChoice, ThemeChoice, TimeZoneChoice};
    use proptest::prelude::*;

    #[test]
    fn everything_can_be_set() {
        let text = r#"
            theme = "light"
            colors = "256"
            ascii = true
            fps = 2
            mouse = false
            bell = true
            allow-actions = true
            protected = ["prod*"]
            source = "metrics"
            view = "pods"
            time-zone = "local"
            spans = ["1h", "5m"]
            span = "1h"
            [thresholds]
            warn = 50
            bad = 80.5
            [columns]
            pods = ["name", "mem", "ns"]
            [keys]
            quit = ["Q", "ctrl-q"]
        "#;
        let settings = parse(text).unwrap();
        assert_eq!(settings.theme, ThemeChoice::Light);
        assert_eq!(settings.colors, Colors::Indexed);
        assert_eq!(
            (
                settings.ascii,
                settings.fps,
                settings.mouse,
                settings.notify
            ),
            (Some(true), 2, false, Notify::Bell)
        );
        assert_eq!(
            (settings.allow_actions, settings.protected),
            (true, vec!["prod*".to_owned()])
        );
        assert_eq!(
            (settings.source, settings.view, settings.time_zone),
            (SourceChoice::Metrics, View::Pods, TimeZoneChoice::Local)
        );
        assert_eq!((settings.spans, settings.span), (vec![300, 3_600], 3_600));
        assert_eq!(
            settings.thresholds,
            Thresholds {
                warn: 0.5,
                bad: 0.805
            }
        );
        assert_eq!(
            settings.columns[&View::Pods],
            [Field::Name, Field::Memory, Field::Namespace]
        );
        assert_eq!(
            settings.keys,
            [("quit".to_owned(), vec!["Q".to_owned(), "ctrl-q".to_owned()])]
        );
        assert_eq!(parse("").unwrap(), Settings::default());
    }

    #[test]
    fn every_error_has_its_line() {
        for (text, line, message) in [
            (
                "fps = 5\ntheme = 'pink'",
                2,
                "theme is auto, dark, light, catppuccin-mocha, ",
            ),
            (
                "colors = \"8\"",
                1,
                "colors is auto, true, 256, 16 or none, not \"8\"",
            ),
            ("\n\nfps = 0", 3, "fps is between 1 and 60, not 0"),
            (
                "view = \"pod\"",
                1,
                "there is no view \"pod\": it is overview, nodes, pods, containers, workloads, namespaces, hpas, incidents, map, volumes or probes",
            ),
            (
                "spans = [\n\"5m\",\n\"5\"]",
                3,
                "a span is between 1m and 24h, like 15m, not \"5\"",
            ),
            ("spans = []", 1, "there must be at least one span"),
            ("span = \"7m\"", 1, "span \"7m\" is not one of the spans"),
            (
                "[thresholds]\nwarn = 0",
                2,
                "a threshold is between 1 and 1000 percent, not 0",
            ),
            ("[thresholds]\nwarn = 95", 2, "warn is at most bad"),
            (
                "[columns]\npods = [\"nmae\"]",
                2,
                "pods have no column \"nmae\"; they have ",
            ),
            (
                "[columns]\npodz = []",
                2,
                "there is no view \"podz\": it is overview, ",
            ),
            (
                "[keys]\ndown = [\"q\"]",
                2,
                "q is bound to both down and quit",
            ),
            ("[keys]\nfly = [\"f\"]", 2, "unknown action \"fly\"; "),
            (
                "[keys]\nquit = [\n\"Q\",\n\"shift-q\"]",
                4,
                "\"shift-q\" is not a key: ",
            ),
            (
                "fsp = 3",
                1,
                "unknown field `fsp`, expected one of `theme`, ",
            ),
            (
                "fps = \"fast\"",
                1,
                "invalid type: string \"fast\", expected i64",
            ),
            ("a = ", 1, ""),
        ] {
            let wrong = parse(text).unwrap_err();
            assert_eq!(wrong.len(), 1, "{wrong:?}");
            assert_eq!(wrong[0].line, line, "{text}");
            assert!(
                wrong[0].message.starts_with(message),
                "{text}: {}",
                wrong[0].message
            );
        }
    }

    proptest! {
        #[test]
        fn no_file_causes_a_panic(text in "\\PC*|([a-z]{1,6} = (\"[a-z0-9]*\"|[0-9.-]*|\\[\\])\n|\\[[a-z]*\\]\n)*") {
            let _ = parse(&text);
        }
    }
}
