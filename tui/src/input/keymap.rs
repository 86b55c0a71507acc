//! The effective key bindings: the table, with the changes of the configuration.

use std::collections::HashMap;
use std::fmt::Write;

use super::bindings::{BINDINGS, Binding, Section};
use super::key::{Key, KeyError};
use crate::model::{Action, Bound, Edit, Mode};

/// Maps bindings to keys, and keys to bindings.
#[derive(Debug, Clone)]
pub struct KeyMap {
    /// The keys of each binding, in the order of [`BINDINGS`].
    keys: Vec<Vec<Key>>,
    /// The index of the binding, by mode and key.
    by_key: HashMap<(Mode, Key), usize>,
}

/// An invalid change of the key bindings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyMapError {
    /// The binding does not exist.
    #[error("unknown action {0:?}; `vitals config show` lists all actions")]
    Unknown(String),
    /// One of the keys does not exist.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A key has two bindings in one mode.
    #[error("{key} is bound to both {one} and {other}")]
    Twice {
        /// The key.
        key: String,
        /// The id of one binding.
        one: &'static str,
        /// The id of the other.
        other: &'static str,
    },
}

impl Default for KeyMap {
    fn default() -> Self {
        // A test checks that the table is valid.
        Self::new::<&str>(&[]).unwrap_or_else(|_| Self {
            keys: Vec::new(),
            by_key: HashMap::new(),
        })
    }
}

impl KeyMap {
    /// Applies `changes` to the table: the id of a binding, and the keys that replace its keys. No keys disable a
    /// binding.
    ///
    /// # Errors
    /// The id of the invalid change, and the reason.
    pub fn new<S: AsRef<str>>(changes: &[(String, Vec<S>)]) -> Result<Self, (String, KeyMapError)> {
        for (id, _) in changes {
            if !BINDINGS.iter().any(|binding| binding.id == id) {
                return Err((id.clone(), KeyMapError::Unknown(id.clone())));
            }
        }
        let mut map = Self {
            keys: Vec::with_capacity(BINDINGS.len()),
            by_key: HashMap::new(),
        };
        for (index, binding) in BINDINGS.iter().enumerate() {
            let blamed = |error: KeyMapError| (binding.id.to_owned(), error);
            let changed = changes.iter().rev().find(|(id, _)| id == binding.id);
            let keys = match changed {
                Some((_, keys)) => parse_keys(keys.iter().map(AsRef::as_ref)),
                None => parse_keys(binding.keys.iter().copied()),
            };
            let keys = keys.map_err(|error| blamed(error.into()))?;
            for key in &keys {
                let before = map.by_key.insert((binding.mode, *key), index);
                if let Some(one) = before.filter(|one| *one != index) {
                    let one = BINDINGS.get(one).map_or("", |binding| binding.id);
                    // The change causes the conflict, not the default.
                    let is_changed = |id: &str| changes.iter().any(|(changed, _)| changed == id);
                    let to_blame = if is_changed(binding.id) {
                        binding.id
                    } else {
                        one
                    };
                    let twice = KeyMapError::Twice {
                        key: key.to_string(),
                        one,
                        other: binding.id,
                    };
                    return Err((to_blame.to_owned(), twice));
                }
            }
            map.keys.push(keys);
        }
        Ok(map)
    }

    /// Returns the action of a key in a mode. A character without a binding is inserted into the open line.
    pub fn action(&self, mode: Mode, key: Key) -> Option<Action> {
        let own = self.by_key.get(&(mode, key));
        // The map has the keys of other views, except where it has its own.
        let shared = || self.by_key.get(&(Mode::Browse, key));
        let index = own.or_else(|| shared().filter(|_| mode == Mode::Map));
        if let Some(index) = index {
            return BINDINGS.get(*index).map(|binding| binding.action.clone());
        }
        match (mode, key.character()) {
            (Mode::Filter | Mode::Pick, Some(c)) => Some(Action::Edit(Edit::Insert(c.to_string()))),
            _ => None,
        }
    }

    /// Whether a binding has a key with Alt.
    #[must_use]
    pub fn has_alt(&self) -> bool {
        self.keys.iter().flatten().any(|key| key.has_alt())
    }

    /// Iterates over all bindings with their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&'static Binding, &[Key])> {
        BINDINGS.iter().zip(self.keys.iter().map(Vec::as_slice))
    }

    /// Returns the first key of a binding, for hints such as `? help`. `None` for a disabled one.
    pub fn key(&self, id: &str) -> Option<Key> {
        let (_, keys) = self.iter().find(|(binding, _)| binding.id == id)?;
        keys.first().copied()
    }

    /// Returns the bindings as commands, except those that only move the cursor or open the palette.
    pub fn commands(&self) -> Vec<Bound> {
        self.iter()
            .filter(|(binding, _)| binding.mode == Mode::Browse && binding.section != Section::Move)
            .filter(|(binding, _)| binding.action != Action::Palette)
            .map(|(binding, keys)| Bound {
                id: binding.id,
                key: keys.first().map(Key::to_string).unwrap_or_default(),
                help: binding.help,
                action: binding.action.clone(),
            })
            .collect()
    }

    /// Returns the help: for each section its keys and help texts.
    pub fn help(&self) -> Vec<(Section, Vec<(String, &'static str)>)> {
        let lines = |section| {
            self.iter()
                .filter(|(binding, keys)| binding.section == section && !keys.is_empty())
                .map(|(binding, keys)| (names(keys).join(" "), binding.help))
                .collect()
        };
        Section::ALL
            .into_iter()
            .map(|section| (section, lines(section)))
            .collect()
    }

    /// Renders the tables of docs/dashboard.md.
    pub fn markdown(&self) -> String {
        let mut text = String::new();
        for section in Section::ALL {
            // Writing to a string cannot fail.
            let _ = write!(
                text,
                "\n### {}\n\n| Keys | What they do | In the configuration |\n|---|---|---|\n",
                section.title()
            );
            for (binding, keys) in self
                .iter()
                .filter(|(binding, _)| binding.section == section)
            {
                let keys = names(keys).join("` `");
                let Binding { help, id, .. } = binding;
                let _ = writeln!(text, "| `{keys}` | {help} | `{id}` |");
            }
        }
        text
    }
}

fn parse_keys<'a>(keys: impl Iterator<Item = &'a str>) -> Result<Vec<Key>, KeyError> {
    keys.map(str::parse).collect()
}

fn names(keys: &[Key]) -> Vec<String> {
    keys.iter().map(Key::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossterm::event::{KeyCode, KeyModifiers};
    use std::collections::HashSet;

    fn changed(changes: &[(&str, &[&str])]) -> Result<KeyMap, String> {
        let changes: Vec<(String, Vec<&str>)> = changes
            .iter()
            .map(|(id, keys)| ((*id).to_owned(), keys.to_vec()))
            .collect();
        KeyMap::new(&changes).map_err(|(id, error)| format!("{id}: {error}"))
    }

    fn pressed(map: &KeyMap, mode: Mode, key: &str) -> Option<Action> {
        map.action(mode, key.parse().unwrap())
    }

    #[test]
    fn the_table_is_valid() {
        let map = changed(&[]).unwrap();
        assert_eq!(map.keys.len(), BINDINGS.len());
        let ids: HashSet<_> = BINDINGS.iter().map(|binding| binding.id).collect();
        assert_eq!(ids.len(), BINDINGS.len(), "two bindings of one id");
        for binding in BINDINGS.iter() {
            assert!(
                !binding.keys.is_empty() && !binding.help.is_empty(),
                "{}",
                binding.id
            );
        }
    }

    #[test]
    fn keys_do_what_their_table_documents() {
        let map = KeyMap::default();
        for (mode, key, action) in [
            (Mode::Browse, "q", Some(Action::Quit)),
            (Mode::Browse, "space", Some(Action::Pause)),
            (Mode::Browse, "left", Some(Action::Step(-1))),
            (Mode::Browse, "z", Some(Action::TimeZone)),
            (Mode::Browse, "Z", None),
            (
                Mode::Filter,
                "q",
                Some(Action::Edit(Edit::Insert("q".to_owned()))),
            ),
            (Mode::Filter, "ctrl-w", Some(Action::Edit(Edit::DeleteWord))),
            (Mode::Filter, "ctrl-x", None),
            (Mode::Pick, "space", Some(Action::Toggle)),
            (
                Mode::Pick,
                "j",
                Some(Action::Edit(Edit::Insert("j".to_owned()))),
            ),
            (Mode::Help, "q", Some(Action::Back)),
        ] {
            assert_eq!(pressed(&map, mode, key), action, "{key} in {mode:?}");
        }
        assert_eq!(
            map.action(
                Mode::Browse,
                Key::new(KeyCode::Char('?'), KeyModifiers::SHIFT)
            ),
            Some(Action::Help)
        );
    }

    #[test]
    fn the_configuration_replaces_keys() {
        let map = changed(&[("quit", &["Q"]), ("help", &["q", "f2"]), ("copy", &[])]).unwrap();
        assert_eq!(pressed(&map, Mode::Browse, "Q"), Some(Action::Quit));
        assert_eq!(pressed(&map, Mode::Browse, "q"), Some(Action::Help));
        assert_eq!(pressed(&map, Mode::Browse, "?"), None);
        assert_eq!(pressed(&map, Mode::Browse, "y"), None);
        assert_eq!(
            map.key("quit").map(|key| key.to_string()).as_deref(),
            Some("Q")
        );
        assert_eq!(map.key("copy"), None);
    }

    #[test]
    fn invalid_bindings_are_refused() {
        for (changes, expected) in [
            (
                &[("fly", &["f"][..])][..],
                "fly: unknown action \"fly\"; `vitals config show` lists all actions",
            ),
            (
                &[("quit", &["hyper-q"])],
                "quit: \"hyper-q\" is not a key: use a character, or a name like ctrl-c, shift-tab, enter, left, pgdn or f1",
            ),
            (
                &[("down", &["q"])],
                "down: q is bound to both down and quit",
            ),
            (
                &[("quit", &["j"])],
                "quit: j is bound to both down and quit",
            ),
        ] {
            assert_eq!(changed(changes).unwrap_err(), expected);
        }
    }

    #[test]
    fn the_documentation_has_the_same_table() {
        let text = include_str!("../../../docs/dashboard.md");
        let (_, after) = text.split_once("<!-- keys -->\n").unwrap();
        let (table, _) = after.split_once("<!-- end of keys -->").unwrap();
        let expected = KeyMap::default().markdown();
        assert!(
            table == expected,
            "what stands between the comments in docs/dashboard.md is to be:\n{expected}"
        );
    }

    #[test]
    fn the_help_lists_every_binding() {
        let help = KeyMap::default().help();
        let lines: usize = help.iter().map(|(_, lines)| lines.len()).sum();
        assert_eq!(lines, BINDINGS.len());
        assert_eq!(help[0].1[0], ("down j".to_owned(), "move one row down"));
    }
}
