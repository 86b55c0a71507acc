//! Parses what the user has saved: bookmarks and filters.

use std::collections::BTreeMap;

use toml::Spanned;

use super::reader::{Reader, either, view};
use crate::model::View;
use crate::model::filter::Filter;

/// Texts with the names under which they are saved.
pub(super) type Saved = BTreeMap<Spanned<String>, Spanned<String>>;

impl Reader<'_> {
    /// Converts bookmarks. Whether their commands exist depends on the cluster, so the dashboard tells when one is used.
    pub(super) fn bookmarks(&mut self, bookmarks: &Saved) -> BTreeMap<String, String> {
        self.saved(bookmarks, |command| check("a command", command))
    }

    /// Converts filters.
    pub(super) fn filters(&mut self, filters: &Saved) -> BTreeMap<String, String> {
        self.saved(filters, |filter| {
            check("a filter", filter)?;
            let parsed = filter.parse::<Filter>();
            parsed.map(|_| ()).map_err(|error| error.to_string())
        })
    }

    /// Converts the filters with which views open.
    pub(super) fn default_filters(
        &mut self,
        of_views: &Saved,
        filters: &Saved,
    ) -> BTreeMap<View, String> {
        let names: Vec<&String> = filters.keys().map(Spanned::get_ref).collect();
        let mut converted = BTreeMap::new();
        for (name, filter) in of_views {
            let view = self.convert(name, |name| view(name));
            let filter = self.convert(filter, |filter| match names.contains(&filter) {
                true => Ok(filter.clone()),
                false => Err(no_filter(filter, &names)),
            });
            converted.extend(view.zip(filter));
        }
        converted
    }

    fn saved(
        &mut self,
        texts: &Saved,
        is_valid: impl Fn(&str) -> Result<(), String>,
    ) -> BTreeMap<String, String> {
        let mut saved = BTreeMap::new();
        for (name, text) in texts {
            let checked_name = self.convert(name, |name| check("a name", name));
            let checked_text = self.convert(text, |text| is_valid(text));
            if checked_name.is_some() && checked_text.is_some() {
                saved.insert(name.get_ref().clone(), text.get_ref().clone());
            }
        }
        saved
    }
}

/// Refuses what a line of the dashboard cannot have.
fn check(what: &str, text: &str) -> Result<(), String> {
    if text.is_empty() || text.trim() != text || text.contains(char::is_control) {
        return Err(format!(
            "{what} is not empty and has no blanks at its ends and no control characters, unlike {text:?}"
        ));
    }
    Ok(())
}

fn no_filter(name: &str, names: &[&String]) -> String {
    match names {
        [] => format!("there is no filter {name:?}: [filters] has none"),
        _ => {
            let names = either(names.iter().map(|name| (*name).clone()));
            format!("there is no filter {name:?}: it is {names}")
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::file::parse;
    use crate::model::View;

    #[test]
    fn bookmarks_filters_and_their_views_are_read() {
        let text = "bookmarks.\"my shop\" = \"pods -n shop\"\n[filters]\nbusy = \"cpu>1.0\"\n[default-filters]\nPods = \"busy\"\n";
        let settings = parse(text).unwrap();
        assert_eq!(settings.bookmarks["my shop"], "pods -n shop");
        assert_eq!(settings.filters["busy"], "cpu>1.0");
        assert_eq!(settings.default_filters[&View::Pods], "busy");
    }

    #[test]
    fn every_error_has_its_line() {
        for (text, line, message) in [
            ("[bookmarks]\na = 'x'\nb = ''", 3, "a command is not empty "),
            ("[bookmarks]\n' a' = 'pods'", 2, "a name is not empty "),
            (
                "[bookmarks]\n\"\\u001b[2J\" = 'pods'",
                2,
                "a name is not empty ",
            ),
            ("[bookmarks]\na = \"\\u0007\"", 2, "a command is not empty "),
            ("[bookmarks]\na = 3", 2, "invalid type: integer `3`, "),
            ("[filters]\na = 'cpu>fast'", 2, "cpu is compared with CPU"),
            (
                "[filters]\na = 'web'\n[default-filters]\npods = 'b'",
                4,
                "there is no filter \"b\": it is a",
            ),
            (
                "[default-filters]\npods = 'b'",
                2,
                "there is no filter \"b\": [filters] has none",
            ),
            (
                "filters.a = 'web'\n[default-filters]\npodz = 'a'",
                3,
                "there is no view \"podz\": ",
            ),
        ] {
            let wrong = parse(text).unwrap_err();
            assert_eq!((wrong.len(), wrong[0].line), (1, line), "{text}: {wrong:?}");
            assert!(wrong[0].message.starts_with(message), "{text}: {wrong:?}");
        }
    }
}
