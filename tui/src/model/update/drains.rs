//! Applies the progress of drains, and cancels them.

use crate::model::action::Action;
use crate::model::direct::DirectRequest;
use crate::model::drains::DrainProgress;
use crate::model::effect::Effect;
use crate::model::name::Name;
use crate::model::state::{Overlay, State};

/// A drain has begun or is further.
pub(super) fn continues(state: &mut State, node: Name, progress: DrainProgress) {
    let is_new = !state.drains.contains_key(&node);
    let text = format!("draining Node {node}: {}", progress.text());
    let text = match &progress.waits_for {
        Some(pod) => format!("{text}, waiting for {pod}"),
        None => text,
    };
    let drain = state.drains.entry(Name::clone(&node)).or_default();
    drain.progress = progress;
    if is_new {
        state.messages.add(state.now, &text, false);
        if state.overlay.is_none() {
            state.overlay = Some(Overlay::Drain(node));
            return;
        }
    }
    if !is_on_screen(state, &node) {
        state.show(text, false);
    }
}

/// A drain has ended.
pub(super) fn ended(state: &mut State, node: &Name, text: String, bad: bool) {
    state.drains.remove(node);
    if is_on_screen(state, node) {
        state.overlay = None;
    }
    state.say(text, bad);
}

fn is_on_screen(state: &State, node: &Name) -> bool {
    matches!(&state.overlay, Some(Overlay::Drain(shown)) if shown == node)
}

/// Applies an action to the progress of a drain on the screen. Returns the action if it is not for it.
pub(super) fn act(state: &mut State, action: Action) -> Result<Vec<Effect>, Action> {
    let Some(Overlay::Drain(node)) = &state.overlay else {
        return Err(action);
    };
    match action {
        Action::Back => {
            let node = Name::clone(node);
            match state.drains.get_mut(&node) {
                Some(drain) if !drain.is_cancelled => {
                    drain.is_cancelled = true;
                    let request = DirectRequest::CancelDrain(node);
                    return Ok(vec![Effect::Direct(request)]);
                }
                _ => state.overlay = None,
            }
        }
        // It continues, and the last row shows how far it is.
        Action::Enter => state.overlay = None,
        action => return Err(action),
    }
    Ok(Vec::new())
}

/// Shows the progress of the drain of a node, if there is one.
pub(super) fn show(state: &mut State, node: &Name) -> bool {
    let is_draining = state.drains.contains_key(node);
    if is_draining {
        state.overlay = Some(Overlay::Drain(Name::clone(node)));
    }
    is_draining
}
