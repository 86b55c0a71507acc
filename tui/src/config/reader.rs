//! Reads TOML, and collects all errors with their lines.

use clap::ValueEnum;
use ratatui::style::Color;
use serde::de::DeserializeOwned;
use toml::Spanned;

use super::error::Wrong;
use super::settings::value_name;
use super::write::view_name;
use crate::model::View;

/// Parses a text, and converts what it says.
pub(super) fn read<F: DeserializeOwned, T>(
    text: &str,
    convert: impl FnOnce(&mut Reader<'_>, F) -> T,
) -> Result<T, Vec<Wrong>> {
    let file: F = toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        vec![Wrong {
            line: line_of(text, at),
            message: error.message().trim().replace('\n', "; "),
        }]
    })?;
    let mut reader = Reader {
        text,
        wrong: Vec::new(),
    };
    let converted = convert(&mut reader, file);
    if reader.wrong.is_empty() {
        return Ok(converted);
    }
    reader.wrong.sort_by_key(|wrong| wrong.line);
    Err(reader.wrong)
}

fn line_of(text: &str, at: usize) -> usize {
    let before = text.as_bytes().get(..at).unwrap_or_default();
    before.iter().filter(|byte| **byte == b'\n').count() + 1
}

/// Converts all values and collects all errors.
pub(super) struct Reader<'a> {
    pub(super) text: &'a str,
    wrong: Vec<Wrong>,
}

impl Reader<'_> {
    pub(super) fn wrong<T>(&mut self, value: &Spanned<T>, message: impl Into<String>) {
        self.wrong.push(Wrong {
            line: line_of(self.text, value.span().start),
            message: message.into(),
        });
    }

    /// Converts a value, or stores the error.
    pub(super) fn convert<T, V>(
        &mut self,
        value: &Spanned<T>,
        convert: impl Fn(&T) -> Result<V, String>,
    ) -> Option<V> {
        convert(value.get_ref())
            .map_err(|message| self.wrong(value, message))
            .ok()
    }

    /// As `convert`; `usual` for an absent or invalid value.
    pub(super) fn value<T, V>(
        &mut self,
        value: Option<Spanned<T>>,
        usual: V,
        convert: impl Fn(&T) -> Result<V, String>,
    ) -> V {
        let value = value.and_then(|value| self.convert(&value, convert));
        value.unwrap_or(usual)
    }
}

pub(super) fn choice<T: ValueEnum>(name: &str, text: &str) -> Result<T, String> {
    T::from_str(text, true).map_err(|_| {
        let names = T::value_variants().iter().cloned().map(value_name);
        format!("{name} is {}, not {text:?}", either(names))
    })
}

/// Parses a colour.
pub(super) fn color(value: &toml::Value) -> Result<Color, String> {
    let (parsed, written) = match value {
        toml::Value::String(text) => (text.parse().ok(), format!("{text:?}")),
        toml::Value::Integer(index) => {
            let color = u8::try_from(*index).ok().map(Color::Indexed);
            (color, index.to_string())
        }
        other => (None, format!("a value of type {}", other.type_str())),
    };
    let parsed = parsed.filter(|color| *color != Color::Reset);
    parsed.ok_or_else(|| {
        format!("a colour is \"#rrggbb\", 0 to 255, or a name like lightblue, not {written}")
    })
}

/// Parses the name of a view.
pub(crate) fn view(name: &str) -> Result<View, String> {
    View::named(name).ok_or_else(|| format!("there is no view {name:?}: it is {}", view_names()))
}

/// The names of all views.
pub(crate) fn view_names() -> String {
    either(View::SWITCHABLE.iter().copied().map(view_name))
}

/// `a, b or c`.
pub(super) fn either(names: impl Iterator<Item = String>) -> String {
    let names: Vec<String> = names.collect();
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => names.concat(),
    }
}
