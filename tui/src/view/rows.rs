//! The body of a view that is a table.

use ratatui::layout::Rect;

use super::canvas::Canvas;
use super::table;
use crate::model::{Link, Part, PartState, SourceKind, State, View};

pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, state: &State) {
    let world = state.world();
    match state.screen().view {
        View::Overview | View::Pods | View::Pod => {
            table::draw(canvas, area, state, world.pods.rows())
        }
        View::Nodes => table::draw(canvas, area, state, world.nodes.rows()),
        View::Containers => table::draw(canvas, area, state, world.containers.rows()),
        View::Workloads => table::draw(canvas, area, state, world.workloads.rows()),
        View::Namespaces => table::draw(canvas, area, state, world.namespaces.rows()),
        View::Hpas => table::draw(canvas, area, state, world.hpas.rows()),
        View::Incidents => table::draw(canvas, area, state, world.incidents.rows()),
    }
}

/// Why a table has no rows, in a sentence.
pub(super) fn emptiness(state: &State) -> String {
    let view = state.screen().view;
    let part = Part::of_view(view);
    let failing = state.failing();
    if let Some(failing) = failing.iter().find(|failing| failing.part == part) {
        return super::troubles::line(failing, state);
    }
    if let PartState::Asking {
        progress: Some(progress),
    } = state.part(part)
    {
        return match progress.total {
            Some(total) => format!("loading {part}: {} of {total}", progress.done),
            None => format!("loading {part}: {}", progress.done),
        };
    }
    if state.link == Link::Connecting {
        return "connecting to the cluster".to_owned();
    }
    if view == View::Incidents
        && state
            .source
            .as_ref()
            .is_some_and(|(kind, _)| *kind != SourceKind::Vitals)
    {
        return "incidents are told by source vitals alone: a cluster with vitals-server"
            .to_owned();
    }
    if !state.has_answered(part) {
        return format!("waiting for {part}");
    }
    if part == Part::Pods && state.is_awaited() {
        return "asking the server".to_owned();
    }
    if !state.screen().list.filter.is_empty() {
        return "nothing matches the filter".to_owned();
    }
    match view {
        View::Overview => super::overview::attention(state),
        View::Incidents => "nothing has gone wrong".to_owned(),
        View::Hpas => "there are no HPAs".to_owned(),
        _ => "there are none".to_owned(),
    }
}
