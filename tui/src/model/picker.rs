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
    /// By what the map groups pods; any text is the key of a label.
    MapBy,
}

/// A searchable list. The best match is first.
#[derive(Debug, Clone)]
pub struct Picker {
    /// What the picker chooses.
    pub choice: Choice,
    /// The search.
    pub line: Line,
    /// All names.
    items: Vec<Name>,
    /// The chosen names.
    pub selected: Vec<Name>,
    matches: Vec<usize>,
    cursor: usize,
}

impl Picker {
    /// A picker that lists all names.
    #[must_use]
    pub fn new(choice: Choice, items: Vec<Name>, selected: Vec<Name>) -> Self {
        let mut picker = Self {
            choice,
            line: Line::default(),
            items,
            selected,
            matches: Vec::new(),
            cursor: 0,
        };
        picker.find();
        picker
    }

    /// The matching names, best match first, each with whether it is chosen.
    pub fn matches(&self) -> impl ExactSizeIterator<Item = (&Name, bool)> {
        self.matches
            .iter()
            .filter_map(|at| self.items.get(*at))
            .map(|item| (item, self.selected.contains(item)))
            .collect::<Vec<_>>()
            .into_iter()
    }

    /// The position of the cursor among the matching names.
    #[must_use]
    pub const fn cursor(&self) -> usize {
        self.cursor
    }

    /// The name at the cursor.
    #[must_use]
    pub fn current(&self) -> Option<&Name> {
        self.items.get(*self.matches.get(self.cursor)?)
    }

    /// Moves the cursor by this many rows.
    pub fn move_by(&mut self, rows: i32) {
        self.cursor = moved(self.cursor, rows, self.matches.len());
    }

    /// Moves the cursor to a position, if there is a name.
    pub fn go_to(&mut self, at: usize) {
        if at < self.matches.len() {
            self.cursor = at;
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

    /// Edits the search and updates the matching names.
    pub fn edit(&mut self, edit: &Edit) {
        self.line.edit(edit);
        self.cursor = 0;
        self.find();
    }

    fn find(&mut self) {
        let pattern = Pattern::parse(self.line.text(), CaseMatching::Smart, Normalization::Smart);
        let mut matcher = Matcher::new(Config::DEFAULT);
        let mut buffer = Vec::new();
        let mut scores: Vec<(u32, usize)> = self
            .items
            .iter()
            .enumerate()
            .filter_map(|(at, item)| {
                let score = pattern.score(Utf32Str::new(item, &mut buffer), &mut matcher)?;
                Some((score, at))
            })
            .collect();
        scores.sort_by(|(a, at), (b, other)| b.cmp(a).then(at.cmp(other)));
        self.matches = scores.into_iter().map(|(_, at)| at).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<Name> {
        names.iter().map(|name| Name::from(*name)).collect()
    }

    fn visible(picker: &Picker) -> Vec<&str> {
        picker.matches().map(|(name, _)| &**name).collect()
    }

    #[test]
    fn the_search_narrows_the_list() {
        let all = names(&["default", "kube-system", "payments", "shop"]);
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
}
