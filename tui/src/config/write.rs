//! Writes the configuration as text: the settings in effect, or a template.

use std::collections::BTreeMap;
use std::fmt::Write;

use clap::ValueEnum;
use kubevitals_proto::duration::GoDuration;

use super::settings::{Settings, ThemeChoice, value_name};
use crate::input::BINDINGS;
use crate::model::View;
use crate::view::palette;

/// Writes the settings in effect as a file with the same meaning.
pub fn show(settings: &Settings) -> String {
    Writer {
        text: String::new(),
        comment: "",
        explain: false,
    }
    .write(settings)
}

/// Writes a file with an explanation of every setting. All lines are comments, so it changes nothing until it is
/// edited.
pub fn template() -> String {
    Writer {
        text: "# The configuration of `vitals`. All values are the defaults: remove the # from those that you change.\n"
            .to_owned(),
        comment: "# ",
        explain: true,
    }
    .write(&Settings::default())
}

struct Writer {
    text: String,
    /// The prefix of each setting.
    comment: &'static str,
    /// Whether explanations are written.
    explain: bool,
}

impl Writer {
    fn write(mut self, settings: &Settings) -> String {
        let themes = ThemeChoice::value_variants().iter().copied();
        let themes: Vec<String> = themes.map(value_name).collect();
        self.about(&format!(
            "The theme: {}, or a file of colours, like \"mine.toml\". auto is dark or light, as the terminal is.",
            themes.join(", ")
        ));
        let file = settings.theme_file.as_ref();
        let theme = file.map_or_else(
            || value_name(settings.theme),
            |file| file.display().to_string(),
        );
        self.set("theme", &quoted(&theme));
        self.about("Colours: auto, true (24 bits), 256, 16 or none.");
        self.set("colors", &quoted(&value_name(settings.colors)));
        self.about("Whether to draw ASCII only. If absent, the locale decides.");
        match settings.ascii {
            Some(ascii) => self.set("ascii", &ascii.to_string()),
            None if self.explain => self.set("ascii", "false"),
            None => {}
        }
        self.about("The most frames in a second. Use few for slow links.");
        self.set("fps", &settings.fps.to_string());
        self.about("Whether the mouse is used. If false, the terminal selects text.");
        self.set("mouse", &settings.mouse.to_string());
        self.about("How the terminal notifies you when an incident starts: off, bell, or osc9 (a notification of the desktop).");
        self.set("notify", &quoted(&value_name(settings.notify)));
        self.about("Whether the cluster may be changed: restart, scale, delete pods, cordon and drain nodes.");
        self.set("allow-actions", &settings.allow_actions.to_string());
        self.about(
            "The contexts in which nothing may be changed in any case. * stands for anything.",
        );
        self.set("protected", &list(&settings.protected));
        self.about(
            "The source of the data: auto, vitals (kubevitals.io), metrics (metrics.k8s.io) or none.",
        );
        self.set("source", &quoted(&value_name(settings.source)));
        let views = View::SWITCHABLE.map(view_name);
        self.about(&format!("The first view: {}.", views.join(", ")));
        self.set("view", &quoted(&view_name(settings.view)));
        self.about("The time zone of times of day: utc, or local (TZ, /etc/localtime).");
        self.set("time-zone", &quoted(&value_name(settings.time_zone)));
        self.about("The spans that [ and ] select, and the first one. From 1m to 24h.");
        let spans: Vec<String> = settings.spans.iter().map(|span| span_text(*span)).collect();
        self.set("spans", &list(&spans));
        self.set("span", &quoted(&span_text(settings.span)));
        self.table("thresholds");
        self.about("The percentages of a limit at which usage is high, and too high.");
        self.set("warn", &percent(settings.thresholds.warn));
        self.set("bad", &percent(settings.thresholds.bad));
        self.palette(settings);
        self.columns(settings);
        self.saved(settings);
        self.groups(settings);
        self.keys(settings);
        self.text
    }

    fn palette(&mut self, settings: &Settings) {
        self.table("palette");
        self.about(
            "Own colours in place of the theme's: \"#rrggbb\", 0 to 255, or a name like \"lightblue\".",
        );
        let palette = match self.explain {
            true => palette::NORD,
            // The file has them.
            false if settings.theme_file.is_some() => return,
            false => settings.palette,
        };
        for (name, color) in palette.colors() {
            self.set(name, &quoted(&color.to_string()));
        }
    }

    fn columns(&mut self, settings: &Settings) {
        self.table("columns");
        self.about(
            "The columns of each view, in order. If absent, the width decides. The columns are:",
        );
        for view in View::SWITCHABLE {
            let all = view.columns();
            let fields: Vec<&str> = match settings.columns.get(&view) {
                Some(fields) => fields.iter().map(|field| field.name()).collect(),
                None if self.explain => all.iter().map(|column| column.field.name()).collect(),
                None => continue,
            };
            self.set(&view_name(view), &list(&fields));
        }
    }

    fn saved(&mut self, settings: &Settings) {
        self.table("bookmarks");
        self.about("Bookmarks: commands of the palette that show a place. B and ' in the dashboard write and use them.");
        if self.explain {
            self.set("\"shop at night\"", "\"pods -n shop restarts>0\"");
        }
        self.texts(&settings.bookmarks);
        self.table("filters");
        self.about("Saved filters. f in the dashboard writes and uses them.");
        if self.explain {
            self.set("busy", "\"cpu>500m\"");
        }
        self.texts(&settings.filters);
        self.table("default-filters");
        self.about("The saved filter with which a view opens.");
        if self.explain {
            self.set("pods", "\"busy\"");
        }
        for (view, filter) in &settings.default_filters {
            self.set(&view_name(*view), &quoted(filter));
        }
    }

    fn texts(&mut self, texts: &BTreeMap<String, String>) {
        for (name, text) in texts {
            self.set(&quoted(name), &quoted(text));
        }
    }

    fn groups(&mut self, settings: &Settings) {
        self.table("groups");
        self.about("Groups of contexts. With --contexts and the name of a group, the dashboard shows them together.");
        if self.explain {
            self.set("shops", &list(&["shop-eu", "shop-us"]));
        }
        for (name, contexts) in &settings.groups {
            self.set(&quoted(name), &list(contexts));
        }
    }

    fn keys(&mut self, settings: &Settings) {
        self.table("keys");
        self.about("The keys of each action. A key is a character, or a name like ctrl-c, shift-tab, enter, left, pgdn or f1.");
        for binding in BINDINGS.iter() {
            let changed = settings.keys.iter().rev().find(|(id, _)| id == binding.id);
            let keys = match changed {
                Some((_, keys)) => list(keys),
                None => list(binding.keys),
            };
            self.set(binding.id, &keys);
        }
    }

    // Writing to a string cannot fail.

    fn about(&mut self, text: &str) {
        if self.explain {
            let _ = writeln!(self.text, "\n# {text}");
        }
    }

    fn table(&mut self, name: &str) {
        let _ = writeln!(self.text, "\n[{name}]");
    }

    fn set(&mut self, name: &str, value: &str) {
        let _ = writeln!(self.text, "{}{name} = {value}", self.comment);
    }
}

/// The name of a view in flags and in the file.
pub(crate) fn view_name(view: View) -> String {
    view.title().to_lowercase()
}

/// A basic string of TOML. The values have no control characters.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn list(texts: &[impl AsRef<str>]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| quoted(text.as_ref())).collect();
    format!("[{}]", texts.join(", "))
}

/// `15m`, not Go's `15m0s`.
fn span_text(seconds: u32) -> String {
    let text = GoDuration::from_secs(seconds.into()).to_string();
    let short = text
        .strip_suffix("m0s")
        .map_or(text.clone(), |minutes| format!("{minutes}m"));
    short
        .strip_suffix("h0m")
        .map_or(short.clone(), |hours| format!("{hours}h"))
}

fn percent(part: f64) -> String {
    // Rounds to thousandths of a percent, which hides floating-point errors.
    let percent = (part * 100_000.0).round() / 1_000.0;
    percent.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::file::parse;
    use crate::config::{Colors, Notify, SourceChoice, ThemeChoice, TimeZoneChoice};
    use crate::model::{Field, Thresholds};
    use crate::view::palette::Palette;
    use ratatui::style::Color;

    #[test]
    fn the_template_has_the_defaults() {
        let template = template();
        assert_eq!(parse(&template).unwrap(), Settings::default());
        let taken: String = template
            .lines()
            .map(|line| match line.strip_prefix("# ") {
                Some(set) if set.contains(" = ") => format!("{set}\n"),
                _ => format!("{line}\n"),
            })
            .collect();
        let settings = parse(&taken).unwrap();
        let usual = Settings {
            ascii: Some(false),
            palette: settings.palette,
            columns: settings.columns.clone(),
            bookmarks: settings.bookmarks.clone(),
            filters: settings.filters.clone(),
            default_filters: settings.default_filters.clone(),
            groups: settings.groups.clone(),
            keys: settings.keys.clone(),
            ..Settings::default()
        };
        assert_eq!(settings, usual);
        assert_eq!(settings.columns.len(), View::SWITCHABLE.len());
        assert_eq!(settings.keys.len(), BINDINGS.len());
    }

    #[test]
    fn parsing_the_written_settings_restores_them() {
        let settings = Settings {
            theme: ThemeChoice::HighContrast,
            theme_file: None,
            palette: {
                let mut palette = Palette::NONE;
                palette.set("good", Color::Rgb(1, 2, 255)).unwrap();
                palette.set("bad", Color::Indexed(9)).unwrap();
                palette
            },
            colors: Colors::Indexed,
            ascii: Some(true),
            fps: 3,
            mouse: false,
            notify: Notify::Osc9,
            allow_actions: true,
            protected: vec!["prod*".to_owned()],
            source: SourceChoice::None,
            view: View::Hpas,
            time_zone: TimeZoneChoice::Local,
            spans: vec![90, 3_600, 5_400],
            span: 5_400,
            thresholds: Thresholds {
                warn: 0.29,
                bad: 0.575,
            },
            columns: [(View::Pods, vec![Field::Name, Field::MemoryOfLimit])].into(),
            bookmarks: [("a \"b\"".to_owned(), "pods -n shop name=\"x\"".to_owned())].into(),
            filters: [("busy".to_owned(), "cpu>1.0".to_owned())].into(),
            default_filters: [(View::Pods, "busy".to_owned())].into(),
            groups: [("shops".to_owned(), vec!["eu".to_owned()])].into(),
            keys: vec![("quit".to_owned(), vec!["\"".to_owned(), "\\".to_owned()])],
        };
        let mut read = parse(&show(&settings)).unwrap();
        // All keys are written; the defaults count as absent.
        read.keys.retain(|(id, _)| id == "quit");
        assert_eq!(read, settings);
    }

    #[test]
    fn spans_are_short() {
        for (seconds, text) in [
            (60, "1m"),
            (90, "1m30s"),
            (900, "15m"),
            (3_600, "1h"),
            (5_400, "1h30m"),
            (86_400, "24h"),
        ] {
            assert_eq!(span_text(seconds), text);
        }
    }
}
