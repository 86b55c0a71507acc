//! A picker: a list that is searched by parts of a name.

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

use super::action::Edit;
use super::line::Line;
use super::name::Name;
use super::position::moved;

/// What a picker chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// Namespaces; several can be chosen.
    Namespaces,
    /// A context of the kubeconfig.
    Contexts,
    /// A command.
    Commands,
    /// A container.
    Containers,
    /// A port of a container, or one that is typed.
    Ports,
    /// What to do with the selected row.
    Menu,
    /// A bookmark.
    Bookmarks,
    /// A saved filter, or the name of a new one.
    Filters,
    /// By what the map groups pods; any text is the key of a label.
    MapBy,
}

/// A note beside a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// The id of the binding whose key does the same.
    Key(&'static str),
    /// A remark.
    Remark(String),
    /// Why the entry cannot be chosen.
    Unavailable(String),
}

/// An entry of a picker.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Item {
    /// The name, which is searched.
    pub name: Name,
    /// Other names, which are searched only as a whole.
    pub aliases: Vec<&'static str>,
    /// The key that does the same; empty if there is none.
    pub key: String,
    /// A description, which is searched last.
    pub about: String,
}

impl From<Name> for Item {
    fn from(name: Name) -> Self {
        Self {
            name,
            ..Self::default()
        }
    }
}

/// How well an entry matches a search. The largest is the best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// The description matches.
    About(u32),
    /// Parts of the name match.
    Name(u32),
    /// The name or an alias is the search.
    Exact,
}

/// A searchable list. The best match is first.
#[derive(Debug, Clone)]
pub struct Picker {
    /// What the picker chooses.
    pub choice: Choice,
    /// The search.
    pub line: Line,
    /// Why the line cannot be used.
    pub wrong: Option<String>,
    /// All entries.
    items: Vec<Item>,
    /// A note beside each entry; none if there are fewer.
    notes: Vec<Note>,
    /// The chosen names.
    pub selected: Vec<Name>,
    matches: Vec<usize>,
    cursor: usize,
    /// Whether the cursor was moved since the search changed.
    is_moved: bool,
    /// What is before an entry's name in the command that it stands for: `ns `.
    pub(super) prefix: String,
    /// The place in the history of the text in the line.
    pub(super) recalled: Option<usize>,
}

impl Picker {
    /// A picker that lists all entries.
    #[must_use]
    pub fn new(choice: Choice, items: Vec<Item>, selected: Vec<Name>) -> Self {
        let mut picker = Self {
            choice,
            line: Line::default(),
            wrong: None,
            items: Vec::new(),
            notes: Vec::new(),
            selected,
            matches: Vec::new(),
            cursor: 0,
            is_moved: false,
            prefix: String::new(),
            recalled: None,
        };
        picker.list(items, "");
        picker
    }

    /// The picker with a note beside each entry.
    #[must_use]
    pub fn with_notes(mut self, notes: Vec<Note>) -> Self {
        self.notes = notes;
        self
    }

    /// The note beside a matching entry.
    #[must_use]
    pub fn note(&self, at: usize) -> Option<&Note> {
        self.notes.get(*self.matches.get(at)?)
    }

    /// The matching entries, best match first, each with whether it is chosen.
    pub fn matches(&self) -> Vec<(&Item, bool)> {
        let items = self.matches.iter().filter_map(|at| self.items.get(*at));
        items
            .map(|item| (item, self.selected.contains(&item.name)))
            .collect()
    }

    /// The position of the cursor among the matching entries.
    #[must_use]
    pub const fn cursor(&self) -> usize {
        self.cursor
    }

    /// Whether the user has moved the cursor since the search changed.
    #[must_use]
    pub const fn is_moved(&self) -> bool {
        self.is_moved
    }

    /// The name at the cursor.
    #[must_use]
    pub fn current(&self) -> Option<&Name> {
        let item = self.items.get(*self.matches.get(self.cursor)?)?;
        Some(&item.name)
    }

    /// Moves the cursor by this many rows.
    pub fn move_by(&mut self, rows: i32) {
        self.cursor = moved(self.cursor, rows, self.matches.len());
        self.is_moved = true;
    }

    /// Moves the cursor to a position, if there is an entry.
    pub fn go_to(&mut self, at: usize) {
        if at < self.matches.len() {
            self.cursor = at;
            self.is_moved = true;
        }
    }

    /// Chooses the name at the cursor, or no longer.
    pub fn toggle(&mut self) {
        let Some(current) = self.current().cloned() else {
            return;
        };
        match self
            .selected
            .iter()
            .position(|selected| *selected == current)
        {
            Some(at) => drop(self.selected.remove(at)),
            None => self.selected.push(current),
        }
    }

    /// Edits the search and updates the matching entries.
    pub fn edit(&mut self, edit: &Edit) {
        self.line.edit(edit);
        self.recalled = None;
        let search = self.line.text().to_owned();
        self.find(&search);
    }

    /// Replaces the entries, and lists those that match a search.
    pub(super) fn list(&mut self, items: Vec<Item>, search: &str) {
        self.items = items;
        self.find(search);
    }

    fn find(&mut self, search: &str) {
        self.cursor = 0;
        self.is_moved = false;
        self.wrong = None;
        let pattern = Pattern::parse(search, CaseMatching::Smart, Normalization::Smart);
        let mut matcher = Matcher::new(Config::DEFAULT);
        let mut buffer = Vec::new();
        let mut score = |text: &str| pattern.score(Utf32Str::new(text, &mut buffer), &mut matcher);
        let mut rank = |item: &Item| {
            if item.aliases.contains(&search) || *item.name == *search {
                return Some(Rank::Exact);
            }
            let name = score(&item.name).map(Rank::Name);
            name.or_else(|| score(&item.about).map(Rank::About))
        };
        let mut ranks: Vec<(Rank, usize)> = (0..)
            .zip(&self.items)
            .filter_map(|(at, item)| Some((rank(item)?, at)))
            .collect();
        ranks.sort_by(|(a, at), (b, other)| b.cmp(a).then(at.cmp(other)));
        self.matches = ranks.into_iter().map(|(_, at)| at).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<Name> {
        names.iter().map(|name| Name::from(*name)).collect()
    }

    fn items(all: &[&str]) -> Vec<Item> {
        names(all).into_iter().map(Item::from).collect()
    }

    fn visible(picker: &Picker) -> Vec<&str> {
        picker
            .matches()
            .iter()
            .map(|(item, _)| &*item.name)
            .collect()
    }

    #[test]
    fn the_search_narrows_the_list() {
        let all = items(&["default", "kube-system", "payments", "shop"]);
        let mut picker = Picker::new(Choice::Namespaces, all, Vec::new());
        assert_eq!(
            visible(&picker),
            ["default", "kube-system", "payments", "shop"]
        );
        picker.move_by(10);
        assert_eq!(picker.current().map(|name| &**name), Some("shop"));
        picker.edit(&Edit::Insert("ksy".to_owned()));
        assert_eq!(visible(&picker), ["kube-system"]);
        assert_eq!(picker.cursor(), 0);
        picker.toggle();
        assert_eq!(picker.selected, names(&["kube-system"]));
        picker.edit(&Edit::Insert("zzz".to_owned()));
        picker.toggle();
        picker.move_by(1);
        assert_eq!((picker.current(), picker.selected.len()), (None, 1));
    }

    #[test]
    fn whole_names_are_before_parts_and_parts_before_descriptions() {
        let item = |name: &str, aliases: &[&'static str], about: &str| Item {
            name: name.into(),
            aliases: aliases.to_vec(),
            about: about.to_owned(),
            ..Item::default()
        };
        let all = vec![
            item("pause", &[], "pause, or continue"),
            item("copy", &[], "copy the name of the pod"),
            item("incidents", &["inc"], ""),
            item("pods", &["po"], "pods"),
            item("only-this-namespace", &[], ""),
        ];
        for (search, expected) in [
            ("po", &["pods", "copy"][..]),
            ("pod", &["pods", "copy"]),
            ("inc", &["incidents"]),
            ("nspc", &["only-this-namespace"]),
            ("xyz", &[]),
        ] {
            let mut picker = Picker::new(Choice::Commands, all.clone(), Vec::new());
            picker.edit(&Edit::Insert(search.to_owned()));
            let listed = visible(&picker);
            assert!(listed.starts_with(expected), "{search}: {listed:?}");
        }
    }
}
