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

/// The longest span in seconds that is usually in the source's memory.
const LONGEST_OF_MEMORY: u32 = 3_600;

/// The requests for the data of the current view that the source does not send by itself.
pub(super) fn requests(state: &mut State) -> Vec<Effect> {
    let Some((kind, _)) = state.source else {
        return Vec::new();
    };
    state.requested_at = state.now;
    let state = &*state;
    let mut requests: Vec<SourceRequest> = Vec::new();
    let (since, until) = state.shown_span();
    let history = |subject: Subject| {
        let request = SourceRequest::History {
            subject: subject.clone(),
            since,
            until,
            steps: STEPS,
        };
        (!is_recent(state, &subject)).then_some(request)
    };
    if kind == SourceKind::Vitals {
        requests.extend(history(Subject::Cluster));
    }
    if let Some(key) = state.screen().pod() {
        let at = (state.time != Time::Live).then(|| state.shown_time());
        // Details stay as they were when the user paused; the source has no newer ones of that time.
        let stays = matches!(state.time, Time::Paused(_)) && state.screen().detail.is_some();
        if !stays {
            requests.push(SourceRequest::Detail(key.clone(), at));
        }
        if kind == SourceKind::Vitals {
            requests.extend(history(Subject::Pod(key.clone())));
            requests.push(SourceRequest::OwnMetrics {
                pod: key.clone(),
                since,
                until,
                steps: STEPS,
            });
        }
    }
    let scope = &state.screen().scope;
    if scope.has_facts() {
        requests.push(SourceRequest::Facts(scope.clone()));
    }
    if let Scope::Node(name) = scope
        && kind == SourceKind::Vitals
    {
        requests.extend(history(Subject::Node(Arc::clone(name))));
    }
    requests.into_iter().map(Effect::Request).collect()
}

/// Whether the history of a long span need not be requested again: it is an engine's work, and ends less than half a step
/// from the displayed span.
fn is_recent(state: &State, subject: &Subject) -> bool {
    if state.span_seconds() <= LONGEST_OF_MEMORY {
        return false;
    }
    let (since, until) = state.shown_span();
    state.histories.get(subject).is_some_and(|history| {
        let span = &history.span;
        let near = |at: i64| at.saturating_abs() < span.step.0 / 2;
        near(span.since.since(since)) && near(span.until.since(until))
    })
}
