//! Updates the map, and applies actions to it.

use std::sync::Arc;

use super::open::open;
use super::overlay;
use super::places::push;
use super::requests::requests;
use crate::model::action::{Action, Edit, MapAction};
use crate::model::effect::Effect;
use crate::model::map::{
    Basis, Direction, GroupKind, Groups, Layout, MapBy, MapObject, Spot, ZONE_LABELS, Zoom,
};
use crate::model::name::{Key, Workload};
use crate::model::picker::Choice;
use crate::model::position::moved;
use crate::model::scope::Scope;
use crate::model::screen::Screen;
use crate::model::state::State;
use crate::model::view::View;

/// Updates groups, cursor and scroll position. Nothing is grouped again if its inputs are unchanged. The groups are
/// dropped while the map is not on the screen.
pub(super) fn refresh(state: &mut State) {
    if !state.shows_map() {
        state.map.groups = None;
        state.map.matching = None;
        state.map.basis = None;
        return;
    }
    let (width, height) = state.map_area();
    let now = state.status_time();
    let thresholds = state.settings.thresholds;
    let world = state.frozen.as_ref().unwrap_or(&state.live);
    let map = &mut state.map;
    let basis = Basis {
        pods: world.pods.version(),
        nodes: world.nodes.version(),
        by: map.by.clone(),
        size: map.size,
        namespaces: state.namespaces.clone(),
        thresholds,
        minute: now.as_secs() / 60,
    };
    if map.groups.is_none() || map.basis.as_ref() != Some(&basis) {
        map.groups = Some(Arc::new(Groups::of(world, &basis, now)));
        map.basis = Some(basis);
    }
    if state
        .stack
        .last()
        .is_none_or(|screen| screen.view != View::Map)
    {
        map.matching = None;
        return;
    }
    map.place_cursor(&world.pods, (width, height));
    map.scroll_to_cursor(width, height);
    let list = state.stack.last().map(|screen| &screen.list);
    map.matching = list.filter(|list| !list.filter.is_empty()).map(|list| {
        let mut matching = vec![false; world.pods.len()];
        for at in &list.order {
            let at = usize::try_from(*at).ok();
            if let Some(matches) = at.and_then(|at| matching.get_mut(at)) {
                *matches = true;
            }
        }
        matching
    });
}

/// Applies an action to the map. Returns the action if the map is not on the screen, or does nothing else with it than
/// other views.
pub(super) fn act(state: &mut State, action: Action) -> Result<Vec<Effect>, Action> {
    if state.screen().view != View::Map {
        return Err(action);
    }
    match action {
        Action::Enter => return Ok(enter(state)),
        Action::Map(action) => return Ok(act_on_map(state, action)),
        Action::Move(lines) => step(state, lines, Direction::Up, Direction::Down),
        Action::Page(pages) => {
            let (_, height) = state.map_area();
            let page = i32::from(height.saturating_sub(1).max(1));
            let lines = pages.saturating_mul(page);
            move_by(state, lines);
        }
        Action::Scroll(lines) => scroll(state, lines),
        Action::First => {
            state.map.selected = None;
            state.map.away = None;
        }
        Action::Last => move_by(state, i32::MAX),
        // Positions of a list, which the map does not have.
        Action::Select(..) | Action::Open(..) | Action::Focus(_) => {}
        action => return Err(action),
    }
    Ok(Vec::new())
}

fn act_on_map(state: &mut State, action: MapAction) -> Vec<Effect> {
    match action {
        MapAction::Across(cells) => step(state, cells, Direction::Left, Direction::Right),
        MapAction::NextBy => match state.map.by.next() {
            Some(by) => state.map.by = by,
            None => overlay::open(state, Choice::MapBy),
        },
        MapAction::NextSize => state.map.size = state.map.size.next(),
        MapAction::Zoom(by) => zoom(state, by),
        MapAction::Select(x, y) => {
            if let Some(spot) = pointed(state, x, y) {
                select(state, spot);
            }
        }
        MapAction::Open(x, y) => {
            if pointed(state, x, y).is_some_and(|spot| state.map.cursor == Some(spot)) {
                return enter(state);
            }
        }
        MapAction::Point(x, y) => {
            let spot = pointed(state, x, y);
            let pods = &state.world().pods;
            state.map.pointed = spot.and_then(|spot| state.map.object(spot, pods));
        }
        MapAction::PointNowhere => state.map.pointed = None,
    }
    Vec::new()
}

/// The layout on the screen.
fn layout(state: &State) -> Option<Layout<'_>> {
    let (width, height) = state.map_area();
    state.map.layout(width, height)
}

fn pointed(state: &State, x: u16, y: u16) -> Option<Spot> {
    let line = state.map.top.saturating_add(u32::from(y));
    layout(state)?.spot_at(x, line)
}

fn select(state: &mut State, spot: Spot) {
    let world = state.frozen.as_ref().unwrap_or(&state.live);
    state.map.select(spot, &world.pods);
}

/// Moves the cursor by cells. Each step depends on the one before.
fn step(state: &mut State, by: i32, back: Direction, forth: Direction) {
    let direction = if by < 0 { back } else { forth };
    let Some((layout, cursor)) = layout(state).zip(state.map.cursor) else {
        return;
    };
    // More steps than this leave the map anyway.
    let steps = by.unsigned_abs().min(layout.lines().saturating_add(1));
    let to = (0..steps).fold(cursor, |spot, _| layout.step(spot, direction));
    select(state, to);
    state.map.follows = true;
}

/// Moves the cursor by lines of the screen, to the nearest cell there.
fn move_by(state: &mut State, lines: i32) {
    let Some((layout, cursor)) = layout(state).zip(state.map.cursor) else {
        return;
    };
    let Some((x, line)) = layout.position(cursor) else {
        return;
    };
    let last = layout.lines().saturating_sub(1);
    let line = line.saturating_add_signed(lines).min(last);
    // The end of the map is its last cell.
    let x = if lines == i32::MAX { u16::MAX } else { x };
    if let Some(spot) = layout.nearest(x, line) {
        select(state, spot);
        state.map.follows = true;
    }
}

/// Scrolls by lines. The cursor moves if it would leave the screen.
fn scroll(state: &mut State, lines: i32) {
    let (_, height) = state.map_area();
    let Some((layout, cursor)) = layout(state).zip(state.map.cursor) else {
        return;
    };
    let Some((x, line)) = layout.position(cursor) else {
        return;
    };
    let height = u32::from(height.max(1));
    let most = layout.lines().saturating_sub(height);
    let top = state.map.top.saturating_add_signed(lines).min(most);
    let within = line.clamp(top, top + height - 1);
    let spot = layout.nearest(x, within).filter(|_| within != line);
    if let Some(spot) = spot {
        select(state, spot);
    }
    state.map.top = top;
    state.map.follows = false;
}

/// Shows more of each group, or less.
fn zoom(state: &mut State, by: i32) {
    let Some(zoom) = layout(state).map(|layout| layout.zoom) else {
        return;
    };
    let at = Zoom::ALL.iter().position(|other| *other == zoom);
    let at = moved(at.unwrap_or(0), by, Zoom::ALL.len());
    state.map.zoom = Zoom::ALL.get(at).copied();
    state.map.follows = true;
}

/// Opens the selected object: the page of a pod, or the pods of a group. In a summary, shows more of the group.
fn enter(state: &mut State) -> Vec<Effect> {
    let is_summary = layout(state).is_some_and(|layout| layout.zoom == Zoom::Summary);
    let map = &state.map;
    let object = map
        .cursor
        .and_then(|spot| map.object(spot, &state.world().pods));
    let Some(object) = object else {
        return Vec::new();
    };
    if is_summary {
        zoom(state, 1);
        return Vec::new();
    }
    match object {
        MapObject::Pod(key) => open(state, Scope::Pod(key).into()),
        MapObject::Group(kind, key) => open_group(state, kind, &key),
    }
}

/// Opens the pods of a group; those of a zone through its nodes.
fn open_group(state: &mut State, kind: GroupKind, key: &Key) -> Vec<Effect> {
    let scope = match (kind, &state.map.by) {
        (GroupKind::Alike, MapBy::Node) => Some(Scope::Node(Arc::clone(&key.name))),
        (GroupKind::Alike, MapBy::Namespace) => Some(Scope::Namespace(Arc::clone(&key.name))),
        (GroupKind::Alike, MapBy::Workload) => Some(Scope::Workload(
            Arc::clone(&key.namespace),
            Workload::new(Arc::clone(&key.part), Arc::clone(&key.name)),
        )),
        _ => None,
    };
    if let Some(scope) = scope {
        return open(state, scope.into());
    }
    let (view, filter) = filter_of(state, kind, key);
    let mut screen = Screen::new(view, Scope::All);
    screen.list.line.edit(&Edit::Insert(filter));
    screen.list.read_filter();
    push(state, screen);
    requests(state)
}

/// The view and the filter that show a group without a scope of its own.
fn filter_of(state: &State, kind: GroupKind, key: &Key) -> (View, String) {
    let nodes = state.world().nodes.rows();
    match (kind, &state.map.by) {
        (GroupKind::Unscheduled, _) => (View::Pods, "node=\"\" phase=Pending".to_owned()),
        (GroupKind::Alike, MapBy::Zone) => {
            let is_of = |label: &&str| {
                let mut nodes = nodes.iter();
                nodes.any(|node| node.labels.get(label) == Some(&*key.name))
            };
            let label = ZONE_LABELS.into_iter().find(is_of).unwrap_or_default();
            (View::Nodes, format!("-l {label}={}", key.name))
        }
        (GroupKind::Alike, MapBy::Label(label)) => {
            let mut pods = state.world().pods.rows().iter();
            let is_of_pods = pods.any(|pod| pod.labels.get(label) == Some(&*key.name));
            let view = if is_of_pods { View::Pods } else { View::Nodes };
            (view, format!("-l {label}={}", key.name))
        }
        (_, MapBy::Zone) => {
            let labels = ZONE_LABELS.map(|label| format!("!{label}"));
            (View::Nodes, format!("-l {}", labels.join(",")))
        }
        (_, MapBy::Label(label)) => (View::Pods, format!("-l !{label}")),
        (_, MapBy::Workload) => (View::Pods, "workload=\"\"".to_owned()),
        (_, MapBy::Node | MapBy::Namespace) => (View::Pods, "node=\"\"".to_owned()),
    }
}
