//! Applies actions to one object: what a key or an entry of a list does with it.

use super::{changes, handover, text};
use crate::model::action::Action;
use crate::model::effect::Effect;
use crate::model::name::Name;
use crate::model::object::Selected;
use crate::model::state::{Choosing, State};

/// Applies an action to an object.
pub(super) fn act(state: &mut State, selected: Selected, action: Action) -> Vec<Effect> {
    match action {
        Action::Logs(previous) => return text::logs(state, &selected, previous),
        Action::Read(topic) => return text::read(state, Some(&selected), topic),
        Action::Shell => handover::shell(state, selected),
        Action::Forward => return handover::forward(state, selected.object),
        Action::Menu => changes::open_menu(state, selected),
        Action::Change(change) => changes::ask(state, selected.object, change),
        _ => {}
    }
    Vec::new()
}

/// Uses the chosen entry of a list: an action on an object, a container or a port.
pub(super) fn chosen(state: &mut State, name: &Name) -> Vec<Effect> {
    match state.choosing.take() {
        Some(Choosing::Menu(selected)) => match changes::action_of(&selected, name) {
            Some(action) => act(state, selected, action),
            None => Vec::new(),
        },
        Some(Choosing::Logs(selected, previous)) => text::chosen(state, selected, previous, name),
        Some(Choosing::Shell(object)) => {
            handover::ask_shell(state, &object, Some(name));
            Vec::new()
        }
        Some(Choosing::Ports(object, _)) => {
            handover::forward_to(state, &object, name);
            Vec::new()
        }
        None => Vec::new(),
    }
}
