//! The configuration as text: what holds, and a file to begin with.

use std::fmt::Write;

use clap::ValueEnum;
use kubevitals_proto::duration::GoDuration;

use super::settings::Settings;
use crate::input::BINDINGS;
use crate::model::View;

/// What holds, as a file that would say the same.
pub fn show(settings: &Settings) -> String {
    Writer {
        text: String::new(),
        comment: "",
        explain: false,
    }
    .write(settings)
}

/// A file in which everything is explained, and everything is a comment: it changes nothing until it is edited.
pub fn template() -> String {
    Writer {
        text: "# How `vitals` looks and answers. Everything here is as it is without this file:\n\
               # take the # away from what is to be otherwise.\n"
            .to_owned(),
        comment: "# ",
        explain: true,
    }
    .write(&Settings::default())
}

struct Writer {
    text: String,
    /// Before each setting.
    comment: &'static str,
    /// Whether it is told what can be set.
    explain: bool,
}

impl Writer {
    fn write(mut self, settings: &Settings) -> String {
        self.about("The background that the colours are made for: auto, dark or light.");
        self.set("theme", &quoted(&name(settings.theme)));
        self.about("Colours: auto, true (24 bits), 256, 16 or none.");
        self.set("colors", &quoted(&name(settings.colors)));
        self.about("Whether only ASCII is drawn. Without: as the locale says.");
        match settings.ascii {
            Some(ascii) => self.set("ascii", &ascii.to_string()),
            None if self.explain => self.set("ascii", "false"),
            None => {}
        }
        self.about("The most frames that are drawn in a second: few for slow links.");
        self.set("fps", &settings.fps.to_string());
        self.about("Whether the mouse is listened to. Without, the terminal selects text.");
        self.set("mouse", &settings.mouse.to_string());
        self.about("Whether the terminal's bell rings when an incident begins.");
        self.set("bell", &settings.bell.to_string());
        self.about(
            "Where data come from: auto, vitals (kubevitals.io), metrics (metrics.k8s.io) or none.",
        );
        self.set("source", &quoted(&name(settings.source)));
        let views: Vec<String> = View::SWITCHABLE
            .iter()
            .map(|view| view_name(*view))
            .collect();
        self.about(&format!("The view at first: {}.", views.join(", ")));
        self.set("view", &quoted(&view_name(settings.view)));
        self.about("The zone of times of day: utc, or local (TZ, /etc/localtime).");
        self.set("time-zone", &quoted(&name(settings.time_zone)));
        self.about("The spans that [ and ] go through, and the one at first. From 1m to 24h.");
        let spans: Vec<String> = settings.spans.iter().map(|span| span_text(*span)).collect();
        self.set("spans", &list(&spans));
        self.set("span", &quoted(&span_text(settings.span)));
        self.table("thresholds");
        self.about("From how many percent of a limit on a number is much, and too much.");
        self.set("warn", &percent(settings.thresholds.warn));
        self.set("bad", &percent(settings.thresholds.bad));
        self.columns(settings);
        self.keys(settings);
        self.text
    }

    fn columns(&mut self, settings: &Settings) {
        self.table("columns");
        self.about("Which columns a view shows, in this order. Without: as many as there is room for. There are:");
        for view in View::SWITCHABLE {
            let chosen = settings.columns.get(&view);
            let fields: Vec<String> = match chosen {
                Some(fields) => fields.iter().map(|field| field.name().to_owned()).collect(),
                None if self.explain => view
                    .columns()
                    .iter()
                    .map(|column| column.field.name().to_owned())
                    .collect(),
                None => continue,
            };
            self.set(&view_name(view), &list(&fields));
        }
    }

    fn keys(&mut self, settings: &Settings) {
        self.table("keys");
        self.about("What keys do. A key is a character, or a name like ctrl-c, shift-tab, enter, left, pgdn or f1.");
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

fn name(value: impl ValueEnum) -> String {
    value
        .to_possible_value()
        .map(|value| value.get_name().to_owned())
        .unwrap_or_default()
}

fn view_name(view: View) -> String {
    view.title().to_lowercase()
}

/// TOML's basic strings; what is written here has no control characters.
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
    // Thousandths of a percent are enough; without what floating point adds.
    let percent = (part * 100_000.0).round() / 1_000.0;
    percent.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::file::parse;
    use crate::config::{Colors, SourceChoice, ThemeChoice, TimeZoneChoice};
    use crate::model::{Field, Thresholds};

    #[test]
    fn the_template_changes_nothing_before_it_is_edited_nor_when_all_of_it_is_taken() {
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
            columns: settings.columns.clone(),
            keys: settings.keys.clone(),
            ..Settings::default()
        };
        assert_eq!(settings, usual);
        assert_eq!(settings.columns.len(), View::SWITCHABLE.len());
        assert_eq!(settings.keys.len(), BINDINGS.len());
    }

    #[test]
    fn what_is_shown_would_be_read_as_what_holds() {
        let settings = Settings {
            theme: ThemeChoice::Light,
            colors: Colors::Indexed,
            ascii: Some(true),
            fps: 3,
            mouse: false,
            bell: true,
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
            keys: vec![("quit".to_owned(), vec!["\"".to_owned(), "\\".to_owned()])],
        };
        let mut read = parse(&show(&settings)).unwrap();
        // All keys are shown; those that are usual are as good as none.
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
