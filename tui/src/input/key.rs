//! A key, and its name in the help and the configuration.

use std::fmt;
use std::str::FromStr;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// A key with its modifiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    code: KeyCode,
    modifiers: KeyModifiers,
}

/// The error for a text that is not the name of a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a key: use a character, or a name like ctrl-c, shift-tab, enter, left, pgdn or f1"
)]
pub struct KeyError(String);

/// Names of keys. If a key has two, the first is the one displayed.
const NAMES: &[(&str, KeyCode)] = &[
    ("space", KeyCode::Char(' ')),
    ("enter", KeyCode::Enter),
    ("esc", KeyCode::Esc),
    ("tab", KeyCode::Tab),
    ("backspace", KeyCode::Backspace),
    ("delete", KeyCode::Delete),
    ("insert", KeyCode::Insert),
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
    ("up", KeyCode::Up),
    ("down", KeyCode::Down),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
    ("pgup", KeyCode::PageUp),
    ("pgdn", KeyCode::PageDown),
    ("return", KeyCode::Enter),
    ("escape", KeyCode::Esc),
    ("pageup", KeyCode::PageUp),
    ("pagedown", KeyCode::PageDown),
    ("del", KeyCode::Delete),
];

impl Key {
    /// Normalizes a key event. Some terminals report shift with `G`, some report back-tab for shift and tab.
    pub fn new(code: KeyCode, modifiers: KeyModifiers) -> Self {
        let supported = KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SHIFT;
        let modifiers = modifiers & supported;
        match code {
            KeyCode::BackTab => Self {
                code: KeyCode::Tab,
                modifiers: modifiers | KeyModifiers::SHIFT,
            },
            KeyCode::Char(c) if modifiers.contains(KeyModifiers::CONTROL) => Self {
                code: KeyCode::Char(c.to_ascii_lowercase()),
                modifiers: modifiers - KeyModifiers::SHIFT,
            },
            KeyCode::Char(_) => Self {
                code,
                modifiers: modifiers - KeyModifiers::SHIFT,
            },
            code => Self { code, modifiers },
        }
    }

    /// Whether Alt is one of the modifiers.
    pub const fn has_alt(self) -> bool {
        self.modifiers.contains(KeyModifiers::ALT)
    }

    /// Returns the character that the key inserts into a line, if any.
    pub fn character(self) -> Option<char> {
        match self.code {
            KeyCode::Char(c) if self.modifiers.is_empty() => Some(c),
            _ => None,
        }
    }
}

impl From<&KeyEvent> for Key {
    fn from(event: &KeyEvent) -> Self {
        Self::new(event.code, event.modifiers)
    }
}

impl FromStr for Key {
    type Err = KeyError;

    /// `q`, `G`, `ctrl-c`, `alt-x`, `shift-left`, `space`, `f1`; names in any case.
    fn from_str(text: &str) -> Result<Self, KeyError> {
        let wrong = || KeyError(text.to_owned());
        let (mut rest, mut modifiers) = (text, KeyModifiers::NONE);
        let prefixes = [
            ("ctrl-", KeyModifiers::CONTROL),
            ("alt-", KeyModifiers::ALT),
            ("shift-", KeyModifiers::SHIFT),
        ];
        while let Some((after, modifier)) = prefixes.iter().find_map(|(prefix, modifier)| {
            let (before, after) = rest.split_at_checked(prefix.len())?;
            (before.eq_ignore_ascii_case(prefix) && !after.is_empty()).then_some((after, *modifier))
        }) {
            rest = after;
            modifiers |= modifier;
        }
        let mut characters = rest.chars();
        let code = match (characters.next(), characters.next()) {
            (Some(c), None) if !c.is_control() && !c.is_whitespace() => KeyCode::Char(c),
            _ => named(rest).ok_or_else(wrong)?,
        };
        // Shift and a character is another character.
        if matches!(code, KeyCode::Char(_)) && modifiers.contains(KeyModifiers::SHIFT) {
            return Err(wrong());
        }
        Ok(Self::new(code, modifiers))
    }
}

fn named(name: &str) -> Option<KeyCode> {
    let name = name.to_ascii_lowercase();
    if let Some(code) = NAMES.iter().find(|(known, _)| *known == name) {
        return Some(code.1);
    }
    let number: u8 = name.strip_prefix('f')?.parse().ok()?;
    (1..=12).contains(&number).then_some(KeyCode::F(number))
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (modifier, name) in [
            (KeyModifiers::CONTROL, "ctrl-"),
            (KeyModifiers::ALT, "alt-"),
            (KeyModifiers::SHIFT, "shift-"),
        ] {
            if self.modifiers.contains(modifier) {
                f.write_str(name)?;
            }
        }
        if let Some((name, _)) = NAMES.iter().find(|(_, code)| *code == self.code) {
            return f.write_str(name);
        }
        match self.code {
            KeyCode::Char(c) => write!(f, "{c}"),
            KeyCode::F(number) => write!(f, "f{number}"),
            // Those without a name are never bound.
            code => write!(f, "{code:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_written_as_they_are_read() {
        let keys = "q G ? / - ctrl-c alt-x ctrl-alt-d shift-tab space enter esc left shift-right pgdn f1 f12 ä";
        for text in keys.split(' ') {
            assert_eq!(
                text.parse::<Key>().map(|key| key.to_string()),
                Ok(text.to_owned())
            );
        }
        for (text, same) in [
            ("Return", "enter"),
            ("PageDown", "pgdn"),
            ("CTRL-C", "ctrl-c"),
            ("F1", "f1"),
        ] {
            assert_eq!(text.parse::<Key>(), same.parse(), "{text}");
        }
        for text in [
            "", "ab", "ctrl-", "f0", "f13", "shift-a", "hyper-x", " ", "\u{1b}",
        ] {
            assert!(text.parse::<Key>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn all_reports_of_a_key_are_equal() {
        for (code, modifiers, text) in [
            (KeyCode::Char('G'), KeyModifiers::SHIFT, "G"),
            (KeyCode::BackTab, KeyModifiers::NONE, "shift-tab"),
            (KeyCode::BackTab, KeyModifiers::SHIFT, "shift-tab"),
            (
                KeyCode::Char('C'),
                KeyModifiers::CONTROL | KeyModifiers::SHIFT,
                "ctrl-c",
            ),
            (KeyCode::Left, KeyModifiers::SHIFT, "shift-left"),
        ] {
            assert_eq!(Key::new(code, modifiers).to_string(), text);
        }
    }
}
