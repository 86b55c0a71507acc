//! Bookmarks and saved filters.

use super::places::set_filter;
use crate::model::command::{Details, Place};
use crate::model::dialog::Dialog;
use crate::model::effect::Effect;
use crate::model::list::List;
use crate::model::name::Name;
use crate::model::picker::{Choice, Item, Picker};
use crate::model::scope::Scope;
use crate::model::setting::Setting;
use crate::model::state::{Overlay, State};
use crate::model::time::Time;
use crate::model::view::View;

/// The entry that saves the filter of the view.
fn save_this() -> Name {
    Name::from("(save this filter)")
}

/// Asks for the name of a bookmark of the place on the screen.
pub(super) fn ask_bookmark(state: &mut State) {
    let Some(place) = place(state) else {
        state.say("a view of several clusters cannot be bookmarked", false);
        return;
    };
    let command = place.to_string();
    let text = format!("The bookmark runs the command: {command}");
    let setting = Setting::Bookmark(Name::from(command.as_str()), Some(command));
    ask(state, "Bookmark", text, setting);
}

fn ask(state: &mut State, title: &str, text: String, setting: Setting) {
    let dialog = Dialog::store(title, text, setting);
    state.overlay = Some(Overlay::Dialog(Box::new(dialog)));
}

/// The place on the screen.
fn place(state: &State) -> Option<Place> {
    let screen = state.screen();
    if screen.view.is_of_several_clusters() {
        return None;
    }
    let list = &screen.list;
    let at = match state.time {
        Time::Live => None,
        Time::Paused(at) | Time::Past { at, .. } => Some(at),
    };
    let details = match screen.scope {
        // The palette has no commands for these lists of pods. It shows what they were opened from.
        Scope::Claim(..) | Scope::Problem(_) => Details::default(),
        _ if screen.view == View::Pod => Details::default(),
        Scope::All | Scope::Node(_) => Details {
            namespaces: Some(state.namespaces.clone()),
            ..in_list(screen.view, list)
        },
        _ => in_list(screen.view, list),
    };
    Some(Place {
        view: screen.view,
        scope: screen.scope.clone(),
        details: Details { at, ..details },
    })
}

/// The filter and the selected row of a list.
fn in_list(view: View, list: &List) -> Details {
    let has_rows = !matches!(view, View::Overview | View::Map);
    // A command is a line of words.
    let is_word = |name: &Name| !name.contains(char::is_whitespace);
    let selected = list.selected.as_ref();
    let selected = selected.filter(|key| has_rows && is_word(&key.name) && is_word(&key.part));
    let filter = list.line.text().trim();
    Details {
        selected: selected.cloned(),
        filter: list.wrong.is_none().then(|| filter.to_owned()),
        ..Details::default()
    }
}

/// Opens the list of bookmarks.
pub(super) fn open_bookmarks(state: &mut State) {
    if state.settings.bookmarks.is_empty() {
        let text = format!(
            "there are no bookmarks; {} makes one",
            key(state, "bookmark")
        );
        state.say(text, false);
        return;
    }
    let bookmarks = state.settings.bookmarks.iter();
    let items = bookmarks
        .map(|(name, command)| item(name, command))
        .collect();
    let picker = Picker::new(Choice::Bookmarks, items, Vec::new());
    state.overlay = Some(Overlay::Picker(picker));
}

/// Opens the list of saved filters. Above them is the filter of the view, if it is not one of them.
pub(super) fn open_filters(state: &mut State) {
    let screen = state.screen();
    if screen.view == View::Pod {
        state.say("this page has no filter", false);
        return;
    }
    let current = screen.list.line.text().trim().to_owned();
    let is_valid = screen.list.wrong.is_none();
    let filters = &state.settings.filters;
    let mut items: Vec<Item> = filters
        .iter()
        .map(|(name, text)| item(name, text))
        .collect();
    let same = filters.iter().filter(|(_, text)| **text == current);
    let same: Vec<Name> = same.map(|(name, _)| name.clone()).collect();
    if same.is_empty() && !current.is_empty() && is_valid {
        items.insert(0, item(&save_this(), &current));
    }
    if items.is_empty() {
        let (filter, filters) = (key(state, "filter"), key(state, "filters"));
        let text = format!(
            "there are no saved filters; {filter} filters the view, then {filters} saves it"
        );
        state.say(text, false);
        return;
    }
    state.overlay = Some(Overlay::Picker(Picker::new(Choice::Filters, items, same)));
}

/// The key of a binding, or the command if it has none.
fn key(state: &State, id: &str) -> String {
    let mut bound = state.settings.commands.iter();
    let key = bound.find(|bound| bound.id == id).map(|bound| &bound.key);
    let key = key.filter(|key| !key.is_empty());
    key.cloned().unwrap_or_else(|| format!(":{id}"))
}

fn item(name: &Name, about: &str) -> Item {
    Item {
        name: name.clone(),
        about: about.to_owned(),
        ..Item::default()
    }
}

/// Uses the chosen filter, or asks for a name of that of the view.
pub(super) fn choose_filter(state: &mut State, name: &Name) {
    if *name != save_this() {
        use_filter(state, name);
        return;
    }
    let filter = state.screen().list.line.text().trim().to_owned();
    let text = format!("The filter: {filter}");
    let setting = Setting::Filter(Name::from(filter.as_str()), Some(filter));
    ask(state, "Save the filter", text, setting);
}

/// Filters the view by a saved filter.
pub(super) fn use_filter(state: &mut State, name: &Name) {
    match state.settings.filters.get(name).cloned() {
        _ if state.screen().view == View::Pod => state.say("this page has no filter", false),
        Some(filter) => set_filter(state, filter),
        None => {}
    }
}

/// Removes the bookmark or filter at the cursor of the open list.
pub(super) fn remove(state: &mut State) -> Vec<Effect> {
    let Some(Overlay::Picker(picker)) = &mut state.overlay else {
        return Vec::new();
    };
    let (choice, at) = (picker.choice, picker.cursor());
    let Some(name) = picker.current().cloned() else {
        return Vec::new();
    };
    let setting = match choice {
        Choice::Bookmarks => Setting::Bookmark(name, None),
        Choice::Filters if name != save_this() => Setting::Filter(name, None),
        _ => return Vec::new(),
    };
    if let Setting::Filter(name, _) = &setting
        && let Some((view, _)) = state
            .settings
            .default_filters
            .iter()
            .find(|(_, it)| *it == name)
    {
        let text = format!(
            "{name:?} is the default filter of {} in the configuration",
            view.title()
        );
        state.say(text, true);
        return Vec::new();
    }
    let effects = store(state, setting);
    state.overlay = None;
    match choice {
        Choice::Bookmarks => open_bookmarks(state),
        _ => open_filters(state),
    }
    if let Some(Overlay::Picker(picker)) = &mut state.overlay {
        picker.move_by(i32::try_from(at).unwrap_or(i32::MAX));
    }
    effects
}

/// Whether a setting replaces another one of the same name.
pub(super) fn replaces(state: &State, setting: &Setting) -> bool {
    let (before, new) = match setting {
        Setting::Bookmark(name, text) => (state.settings.bookmarks.get(name), text),
        Setting::Filter(name, text) => (state.settings.filters.get(name), text),
        Setting::Columns(..) | Setting::Theme(_) => return false,
    };
    before.is_some() && before != new.as_ref()
}

/// Changes a setting, and persists it.
pub(super) fn store(state: &mut State, setting: Setting) -> Vec<Effect> {
    let settings = &mut state.settings;
    match &setting {
        Setting::Bookmark(name, Some(text)) => {
            drop(settings.bookmarks.insert(name.clone(), text.clone()));
        }
        Setting::Bookmark(name, None) => drop(settings.bookmarks.remove(name)),
        Setting::Filter(name, Some(text)) => {
            drop(settings.filters.insert(name.clone(), text.clone()));
        }
        Setting::Filter(name, None) => drop(settings.filters.remove(name)),
        Setting::Columns(view, Some(fields)) => {
            drop(settings.columns.insert(*view, fields.clone()));
        }
        Setting::Columns(view, None) => drop(settings.columns.remove(view)),
        Setting::Theme(name) => settings.theme = name.clone(),
    }
    vec![Effect::Persist(setting)]
}
