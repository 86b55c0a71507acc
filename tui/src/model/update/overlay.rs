//! Applies actions to the open overlay.

use std::collections::BTreeSet;

use super::commands::go_to_bookmark;
use super::places::{connect, namespaces, select_namespaces};
use super::saved::{self, replaces, store};
use super::{columns, drains, palette};
use crate::model::action::{Action, Edit};
use crate::model::dialog::Answer;
use crate::model::effect::Effect;
use crate::model::map::MapBy;
use crate::model::name::Name;
use crate::model::picker::{Choice, Item, Note, Picker};
use crate::model::position::moved;
use crate::model::state::{Overlay, State};

/// Applies an action to the open overlay. Returns the action if it is not for the overlay.
pub(super) fn act(state: &mut State, action: Action) -> Result<Vec<Effect>, Action> {
    let action = match drains::act(state, action) {
        Ok(effects) => return Ok(effects),
        Err(action) => action,
    };
    let count = state.screen().view.columns().len();
    let Some(overlay) = &mut state.overlay else {
        return Err(action);
    };
    match (overlay, action) {
        (Overlay::Columns(_), Action::Back | Action::Columns | Action::Enter) => {
            state.overlay = None;
            return Ok(columns::keep(state));
        }
        (_, Action::Back) | (Overlay::Help(..), Action::Help) => state.overlay = None,
        (Overlay::Help(_, scroll), Action::Move(rows) | Action::Scroll(rows)) => {
            *scroll = scrolled(*scroll, rows)
        }
        (Overlay::Help(_, scroll), Action::Page(pages)) => {
            let page = i32::from(state.size.height.saturating_sub(4).max(1));
            *scroll = scrolled(*scroll, pages.saturating_mul(page));
        }
        (Overlay::Help(_, scroll), Action::First) => *scroll = 0,
        (Overlay::Help(page, scroll), Action::NextView(by)) => {
            *page = page.further(by);
            *scroll = 0;
        }
        (Overlay::Columns(cursor), Action::Move(rows) | Action::Scroll(rows)) => {
            *cursor = moved(*cursor, rows, count);
        }
        (Overlay::Columns(cursor), Action::Page(pages)) => {
            *cursor = moved(*cursor, pages.saturating_mul(10), count);
        }
        (Overlay::Columns(cursor), Action::Toggle | Action::Complete) => {
            let at = *cursor;
            columns::toggle(state, at);
        }
        (Overlay::Columns(cursor), Action::Choose(at)) if at < count => {
            *cursor = at;
            columns::toggle(state, at);
        }
        (Overlay::Columns(_), Action::MoveEntry(by)) => columns::move_by(state, by),
        (Overlay::Columns(_), Action::Reset) => columns::reset(state),
        (Overlay::Picker(_), Action::Remove) => return Ok(saved::remove(state)),
        (
            Overlay::Picker(Picker {
                choice: Choice::Commands,
                ..
            }),
            action,
        ) => {
            return palette::act(state, action);
        }
        (Overlay::Picker(picker), Action::Move(rows) | Action::Scroll(rows)) => {
            picker.move_by(rows)
        }
        (Overlay::Picker(picker), Action::Page(pages)) => picker.move_by(pages.saturating_mul(10)),
        (Overlay::Picker(picker), Action::First) => picker.move_by(i32::MIN),
        (Overlay::Picker(picker), Action::Last) => picker.move_by(i32::MAX),
        (Overlay::Picker(picker), Action::Edit(edit)) => picker.edit(&edit),
        (Overlay::Picker(picker), Action::Toggle | Action::Complete)
            if picker.choice == Choice::Namespaces =>
        {
            picker.toggle();
        }
        // One entry is chosen, so a blank is part of the search.
        (Overlay::Picker(picker), Action::Toggle) => picker.edit(&Edit::Insert(" ".to_owned())),
        (Overlay::Picker(picker), Action::Enter)
            if picker.choice == Choice::Ports && picker.current().is_none() =>
        {
            // Ports can be typed.
            let typed = Name::from(picker.line.text());
            state.overlay = None;
            return Err(Action::Chosen(typed));
        }
        (Overlay::Picker(picker), Action::Enter)
            if picker.choice == Choice::MapBy
                && picker.current().is_none()
                && !picker.line.text().trim().is_empty() =>
        {
            state.map.by = MapBy::parse(picker.line.text());
            state.overlay = None;
        }
        // No name matches.
        (Overlay::Picker(picker), Action::Enter | Action::Choose(_))
            if picker.current().is_none() => {}
        (Overlay::Picker(picker), Action::Choose(at)) if picker.cursor() != at => picker.go_to(at),
        (Overlay::Picker(_), Action::Enter | Action::Choose(_)) => {
            if let Some(Overlay::Picker(picker)) = state.overlay.take() {
                return picked(state, &picker);
            }
        }
        // In a name, blanks are characters.
        (Overlay::Dialog(dialog), Action::Toggle) => {
            if let Some(line) = &mut dialog.line {
                line.edit(&Edit::Insert(" ".to_owned()));
                dialog.wrong = None;
            }
        }
        (Overlay::Dialog(dialog), Action::Edit(edit)) => {
            if let Some(line) = &mut dialog.line {
                line.edit(&edit);
                dialog.wrong = None;
            }
        }
        (Overlay::Dialog(dialog), Action::Copy) => {
            let copied = dialog.copied();
            if copied.is_some() {
                state.say("copied the command", false);
            }
            return Ok(copied.map(Effect::Copy).into_iter().collect());
        }
        (Overlay::Dialog(_), Action::Enter) => {
            if let Some(Overlay::Dialog(dialog)) = state.overlay.take() {
                match dialog.accept() {
                    Answer::Done(effects) => return Ok(effects),
                    Answer::Ask(dialog) => state.overlay = Some(Overlay::Dialog(dialog)),
                    Answer::Store(mut dialog, setting) => {
                        if dialog.wrong.is_none() && replaces(state, &setting) {
                            dialog.wrong = Some("this name exists: enter replaces it".to_owned());
                            state.overlay = Some(Overlay::Dialog(dialog));
                        } else {
                            return Ok(store(state, setting));
                        }
                    }
                }
            }
        }
        (
            _,
            action @ (Action::Quit
            | Action::Suspend
            | Action::Redraw
            | Action::Say(_)
            | Action::Resize(..)),
        ) => return Err(action),
        _ => {}
    }
    Ok(Vec::new())
}

/// A scroll position this many rows further. The view limits it to the length of the page.
pub(super) fn scrolled(scroll: u16, rows: i32) -> u16 {
    let at = i32::from(scroll).saturating_add(rows);
    u16::try_from(at.max(0)).unwrap_or(u16::MAX)
}

/// Opens a picker.
pub(super) fn open(state: &mut State, choice: Choice) {
    let picker = match choice {
        Choice::MapBy => Picker::new(choice, items(groupings(state)), Vec::new()),
        Choice::Contexts => {
            let current = Name::from(state.session.context.as_str());
            Picker::new(choice, items(state.session.contexts.clone()), vec![current])
        }
        Choice::Namespaces => {
            let mut names = namespaces(state);
            names.insert(0, all_namespaces());
            Picker::new(choice, items(names), state.namespaces.clone())
        }
        Choice::Commands => Picker::new(choice, Vec::new(), Vec::new()),
        // These are opened with their names.
        Choice::Containers | Choice::Ports | Choice::Menu | Choice::Bookmarks | Choice::Filters => {
            return;
        }
    };
    state.overlay = Some(Overlay::Picker(picker));
}

fn items(names: Vec<Name>) -> Vec<Item> {
    names.into_iter().map(Item::from).collect()
}

/// The entry of the picker for all namespaces.
pub(crate) fn all_namespaces() -> Name {
    Name::from("(all namespaces)")
}

/// The words of groupings of the map: those without a label, then the keys of labels of pods and nodes.
fn groupings(state: &State) -> Vec<Name> {
    /// The most keys. A cluster has hundreds; a program that makes one for each pod must not make the list useless.
    const MOST_KEYS: usize = 2_000;
    let world = state.world();
    let pods = world.pods.rows().iter().map(|pod| &pod.labels);
    let nodes = world.nodes.rows().iter().map(|node| &node.labels);
    let mut keys: BTreeSet<&str> = BTreeSet::new();
    for labels in nodes.chain(pods) {
        if keys.len() >= MOST_KEYS {
            break;
        }
        keys.extend(labels.iter().map(|(key, _)| key));
    }
    let plain = MapBy::PLAIN.iter().map(|by| Name::from(&*by.text()));
    plain.chain(keys.into_iter().map(Name::from)).collect()
}

/// Opens a list of names.
pub(super) fn open_names(state: &mut State, choice: Choice, names: Vec<Name>) {
    open_noted(state, choice, names, Vec::new());
}

/// Opens a list of names with a note beside each.
pub(super) fn open_noted(state: &mut State, choice: Choice, names: Vec<Name>, notes: Vec<Note>) {
    let picker = Picker::new(choice, items(names), Vec::new()).with_notes(notes);
    state.overlay = Some(Overlay::Picker(picker));
}

/// Applies the choice of a list. Returns an action if the choice is one.
fn picked(state: &mut State, picker: &Picker) -> Result<Vec<Effect>, Action> {
    Ok(match (picker.choice, picker.current()) {
        (Choice::Containers | Choice::Ports | Choice::Menu, Some(name)) => {
            return Err(Action::Chosen(name.clone()));
        }
        (Choice::Bookmarks, Some(name)) => return go_to_bookmark(state, name),
        (Choice::Filters, Some(name)) => {
            saved::choose_filter(state, name);
            Vec::new()
        }
        (Choice::MapBy, Some(text)) => {
            state.map.by = MapBy::parse(text);
            Vec::new()
        }
        (Choice::Contexts, Some(context)) => connect(state, context),
        (Choice::Namespaces, current) => {
            let all = all_namespaces();
            let before = &state.namespaces;
            // If marks have changed they are the choice, else the name at the cursor.
            let selected = if picker.selected != *before && !picker.selected.contains(&all) {
                picker.selected.clone()
            } else {
                let current = current.cloned().into_iter();
                current.filter(|name| *name != all).collect()
            };
            select_namespaces(state, selected);
            Vec::new()
        }
        (_, None) | (Choice::Commands, _) => Vec::new(),
    })
}
