//! The entries of the palette.

use super::words::{KINDS, OTHERS, THEME, aliases_of, has_alias};
use super::{Bound, Catalog};
use crate::model::action::Action;
use crate::model::name::Name;
use crate::model::picker::Item;
use crate::model::view::View;

/// The entries of the palette for a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entries<'a> {
    /// What is before an entry's name in the command that it stands for.
    pub prefix: String,
    /// All entries.
    pub items: Vec<Item>,
    /// What to search in them.
    pub search: &'a str,
}

impl Catalog<'_> {
    /// The entries for a line: commands, or the arguments of one.
    #[must_use]
    pub fn entries<'a>(&self, line: &'a str) -> Entries<'a> {
        let line = line.trim_start();
        let commands = |search| Entries {
            prefix: String::new(),
            items: self.commands(),
            search,
        };
        let Some((word, rest)) = line.split_once(char::is_whitespace) else {
            return commands(line);
        };
        let bound = self
            .bound
            .iter()
            .find(|bound| bound.id == word || has_alias(aliases_of(bound.id), word));
        let names = match bound.map(|bound| &bound.action) {
            Some(Action::Show(View::Namespaces) | Action::Namespaces) => self.namespaces,
            Some(Action::Contexts) => self.contexts,
            Some(Action::Filter | Action::Filters) => self.filters,
            Some(Action::Bookmarks) => self.bookmarks,
            None if word == THEME => self.themes,
            _ => return commands(word),
        };
        Entries {
            prefix: format!("{word} "),
            items: names.iter().cloned().map(Item::from).collect(),
            search: rest.trim_start(),
        }
    }

    fn commands(&self) -> Vec<Item> {
        let of_binding = |bound: &Bound| Item {
            name: bound.id.into(),
            aliases: aliases_of(bound.id).to_vec(),
            key: bound.key.clone(),
            about: match bound.action {
                Action::Show(view) => format!("show {}", view.info().help),
                _ => bound.help.to_owned(),
            },
        };
        let of_kind = |(name, aliases, kind): &(&'static str, &[&'static str], &str)| Item {
            name: Name::from(*name),
            aliases: aliases.to_vec(),
            key: String::new(),
            about: format!("show workloads of kind {kind}"),
        };
        let of_other = |(name, about): &(&str, &str)| Item {
            name: Name::from(*name),
            about: (*about).to_owned(),
            ..Item::default()
        };
        // Views and kinds are first: they are what users of k9s type.
        let is_view = |bound: &&Bound| matches!(bound.action, Action::Show(_));
        let (views, others): (Vec<&Bound>, Vec<&Bound>) = self.bound.iter().partition(is_view);
        let views = views.into_iter().map(of_binding);
        let others = others.into_iter().map(of_binding);
        views
            .chain(KINDS.iter().map(of_kind))
            .chain(others)
            .chain(OTHERS.iter().map(of_other))
            .collect()
    }
}
