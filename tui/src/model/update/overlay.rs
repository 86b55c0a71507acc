//! Applies actions to the open overlay.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::model::action::Action;
use crate::model::columns::{default_fields, insert};
use crate::model::effect::Effect;
use crate::model::field::Field;
use crate::model::map::MapBy;
use crate::model::name::Name;
use crate::model::picker::{Choice, Picker};
use crate::model::position::moved;
use crate::model::state::{Overlay, State};

/// Applies an action to the open overlay. Returns the action if it is not for the overlay.
pub(super) fn act(state: &mut State, action: Action) -> Result<Vec<Effect>, Action> {
    let columns = state.screen().view.columns().len();
    let Some(overlay) = &mut state.overlay else {
        return Err(action);
    };
    match (overlay, action) {
        (_, Action::Back)
        | (Overlay::Help(..), Action::Help)
        | (Overlay::Columns(_), Action::Columns | Action::Enter) => {
            state.overlay = None;
        }
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
            *cursor = moved(*cursor, rows, columns);
        }
        (Overlay::Columns(cursor), Action::Page(pages)) => {
            *cursor = moved(*cursor, pages.saturating_mul(10), columns);
        }
        (Overlay::Columns(cursor), Action::Toggle) => {
            let at = *cursor;
            toggle_column(state, at);
        }
        (Overlay::Columns(cursor), Action::Choose(at)) if at < columns => {
            *cursor = at;
            toggle_column(state, at);
        }
        (Overlay::Columns(_), Action::Reset) => {
            let view = state.screen().view;
            state.settings.columns.remove(&view);
            state.column_order.remove(&view);
        }
        (Overlay::Picker(picker), Action::Move(rows) | Action::Scroll(rows)) => {
            picker.move_by(rows)
        }
        (Overlay::Picker(picker), Action::Page(pages)) => picker.move_by(pages.saturating_mul(10)),
        (Overlay::Picker(picker), Action::First) => picker.move_by(i32::MIN),
        (Overlay::Picker(picker), Action::Last) => picker.move_by(i32::MAX),
        (Overlay::Picker(picker), Action::Edit(edit)) => picker.edit(&edit),
        (Overlay::Picker(picker), Action::Toggle) => picker.toggle(),
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
                return Ok(picked(state, &picker));
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

/// Turns a column on or off. It keeps its position. Columns that identify the row stay.
fn toggle_column(state: &mut State, at: usize) {
    let view = state.screen().view;
    let columns = &view.columns();
    let Some(column) = columns.get(at) else {
        return;
    };
    if column.is_identity() {
        let text = format!(
            "{} identifies the row and cannot be turned off",
            column.title
        );
        state.say(text, false);
        return;
    }
    let visible = state
        .settings
        .columns
        .entry(view)
        .or_insert_with(|| default_fields(columns));
    let order = state.column_order.entry(view).or_insert_with(|| {
        let mut order = visible.clone();
        for column in columns {
            insert(&mut order, columns, column.field);
        }
        order
    });
    let is_visible = |field: &Field| visible.contains(field) != (*field == column.field);
    *visible = order.iter().copied().filter(is_visible).collect();
}

/// Opens a picker.
pub(super) fn open(state: &mut State, choice: Choice) {
    let picker = match choice {
        Choice::MapBy => Picker::new(choice, groupings(state), Vec::new()),
        Choice::Contexts => {
            let current = Name::from(state.session.context.as_str());
            Picker::new(choice, state.session.contexts.clone(), vec![current])
        }
        Choice::Namespaces => {
            let mut names: Vec<Name> = state.all_namespaces.clone();
            names.extend(state.namespaces.iter().cloned());
            // Without permission to list namespaces, their names come from the pods.
            let mut last: Option<&Name> = None;
            for pod in state.live.pods.rows() {
                if last != Some(&pod.namespace) {
                    names.push(Arc::clone(&pod.namespace));
                    last = Some(&pod.namespace);
                }
            }
            names.sort();
            names.dedup();
            names.insert(0, all_namespaces());
            Picker::new(choice, names, state.namespaces.clone())
        }
    };
    state.overlay = Some(Overlay::Picker(picker));
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

fn picked(state: &mut State, picker: &Picker) -> Vec<Effect> {
    match picker.choice {
        Choice::MapBy => {
            if let Some(text) = picker.current() {
                state.map.by = MapBy::parse(text);
            }
            Vec::new()
        }
        Choice::Contexts => match picker.current() {
            Some(context) if **context == *state.session.context => Vec::new(),
            Some(context) => vec![Effect::Connect(Arc::clone(context))],
            None => Vec::new(),
        },
        Choice::Namespaces => {
            let all = all_namespaces();
            let before = &state.namespaces;
            // If marks have changed they are the choice, else the name at the cursor.
            let selected = if picker.selected != *before && !picker.selected.contains(&all) {
                picker.selected.clone()
            } else {
                picker
                    .current()
                    .cloned()
                    .into_iter()
                    .filter(|name| *name != all)
                    .collect()
            };
            if let (true, Some(limit)) = (selected.is_empty(), &state.session.namespace) {
                let text = format!("only {limit} is loaded: start without --namespace for others");
                state.say(text, false);
            }
            state.namespaces = selected;
            Vec::new()
        }
    }
}
