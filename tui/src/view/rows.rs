//! Finds out why a table has no rows.

use super::empty::Empty;
use crate::model::{Link, Part, PartState, SourceKind, State, Time, View, format};

/// Returns why a table has no rows, and the keys that help.
pub(super) fn emptiness(state: &State) -> Empty {
    let view = state.screen().view;
    let part = view.info().part;
    let has_answered = state.has_answered(part);
    if state.session.context.is_empty() && !state.session.contexts.is_empty() {
        return Empty::calm("No context is selected").press("context", "choose a context");
    }
    if let (Link::Lost { why, again, .. }, false) = (&state.link, has_answered) {
        let wait = again.map_or_else(String::new, |again| {
            format!("\nNext retry in {}", format::age(state.now, again))
        });
        return failure(format!("Cannot reach the cluster: {why}{wait}"));
    }
    let failing = state.failing();
    if let Some(failing) = failing.iter().find(|failing| failing.part == part) {
        return failure(super::troubles::line(failing, state));
    }
    if let PartState::Loading {
        progress: Some(progress),
    } = state.part(part)
    {
        return Empty::calm(match progress.total {
            Some(total) => format!("Loading {part}: {} of {total}", progress.done),
            None => format!("Loading {part}: {}", progress.done),
        });
    }
    if state.link == Link::Connecting {
        return Empty::calm("Connecting to the cluster").press("context", "choose another context");
    }
    if let (View::Incidents, Some((kind, _))) = (view, &state.source)
        && *kind != SourceKind::Vitals
    {
        return Empty::calm(format!(
            "Incidents need vitals-server in the cluster; the source is {kind}"
        ));
    }
    if !has_answered {
        return Empty::calm(format!("Waiting for {part}"));
    }
    if part == Part::Pods && state.is_awaited() {
        return Empty::calm("Waiting for the server");
    }
    if view == View::Probes && state.screen().list.filter.is_empty() {
        return probes(state);
    }
    let what = view.info().rows;
    if !state.screen().list.filter.is_empty() {
        return Empty::calm(format!("No {what} match the filter"))
            .press("clear-filter", "remove the filter");
    }
    if view == View::Overview {
        return Empty::calm("No problems");
    }
    let namespaces = state.namespace_text();
    match namespaces.strip_prefix("ns ") {
        Some(namespaces) if view != View::Nodes => {
            Empty::calm(format!("No {what} in namespace {namespaces}"))
                .press("namespace", "choose another namespace")
        }
        _ => Empty::calm(format!("No {what}")),
    }
}

/// Why no probe is listed without a filter.
fn probes(state: &State) -> Empty {
    if state.world().probes.is_empty() {
        return match state.time {
            Time::Past { .. } => {
                Empty::calm("Probe status at this time is not stored; incidents are stored")
                    .press("incidents", "show the incidents")
            }
            _ => Empty::calm("No container has a probe"),
        };
    }
    Empty::calm(
        "No probe is failing, pending or unknown\nThe filter probe=passing shows those that pass",
    )
    .press("filter", "filter")
}

/// A failure, with the keys that help.
fn failure(why: String) -> Empty {
    let bad = true;
    Empty {
        bad,
        ..Empty::calm(why)
    }
    .press("context", "choose another context")
    .press("messages", "show the last messages")
}
