//! Requests for data that the source does not send by itself.

use std::sync::Arc;

use crate::model::effect::{Effect, SourceRequest};
use crate::model::message::Subject;
use crate::model::part::SourceKind;
use crate::model::scope::Scope;
use crate::model::state::State;
use crate::model::time::Time;

/// The number of steps of a history.
const STEPS: u32 = 240;

/// The requests for the data of the current view that the source does not send by itself.
pub(super) fn requests(state: &mut State) -> Vec<Effect> {
    let Some((kind, _)) = state.source else {
        return Vec::new();
    };
    state.requested_at = state.now;
    let mut requests = Vec::new();
    let (since, until) = state.shown_span();
    let history = |subject| SourceRequest::History {
        subject,
        since,
        until,
        steps: STEPS,
    };
    if kind == SourceKind::Vitals {
        requests.push(history(Subject::Cluster));
    }
    if let Some(key) = state.screen().pod() {
        let at = (state.time != Time::Live).then(|| state.shown_time());
        // Details stay as they were when the user paused; the source has no newer ones of that time.
        let stays = matches!(state.time, Time::Paused(_)) && state.screen().detail.is_some();
        if !stays {
            requests.push(SourceRequest::Detail(key.clone(), at));
        }
        if kind == SourceKind::Vitals {
            requests.push(history(Subject::Pod(key.clone())));
        }
    } else if let Scope::Node(name) = &state.screen().scope
        && kind == SourceKind::Vitals
    {
        requests.push(history(Subject::Node(Arc::clone(name))));
    }
    requests.into_iter().map(Effect::Request).collect()
}
