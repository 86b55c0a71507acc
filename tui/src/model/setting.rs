//! Settings that the user changes in the dashboard, and that are persisted in the configuration file.

use super::field::Field;
use super::name::Name;
use super::view::View;

/// A changed setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Setting {
    /// A bookmark: its name and the command that shows its place. Without a command it is removed.
    Bookmark(Name, Option<String>),
    /// A saved filter: its name and its text. Without a text it is removed.
    Filter(Name, Option<String>),
    /// The columns of a view, in order. Without columns the width decides.
    Columns(View, Option<Vec<Field>>),
    /// The name of the theme.
    Theme(Name),
}

impl Setting {
    /// The bookmark or filter under another name.
    #[must_use]
    pub fn named(self, name: Name) -> Self {
        match self {
            Self::Bookmark(_, command) => Self::Bookmark(name, command),
            Self::Filter(_, filter) => Self::Filter(name, filter),
            other => other,
        }
    }
}
