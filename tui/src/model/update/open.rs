//! Opens views on top of others.

use super::places::push;
use super::requests::requests;
use super::time;
use crate::model::effect::Effect;
use crate::model::scope::{Open, Scope};
use crate::model::screen::Screen;
use crate::model::state::State;
use crate::model::view::View;

/// Opens the page of a pod, or the pods in a scope.
pub(super) fn open(state: &mut State, target: Open) -> Vec<Effect> {
    let view = match &target.scope {
        Scope::Pod(_) => View::Pod,
        Scope::Problem(problem) if problem.pods.is_empty() => View::Incidents,
        _ => View::Pods,
    };
    let mut screen = Screen::new(view, target.scope);
    screen.follows = target.container.is_some();
    screen.container = target.container;
    screen.back_to = target.time.is_some().then_some(state.time);
    push(state, screen);
    let mut effects = requests(state);
    if let Some(at) = target.time.flatten() {
        if at < time::limit(state) {
            let text = "the history does not reach back to the incident: this is the oldest time that is stored";
            state.say(text, false);
        }
        effects.extend(time::go(state, at));
    }
    effects
}
