//! Applies actions to the state.

use std::sync::Arc;

use super::interest::interest;
use super::open::open;
use super::places::{remember_filter, show, undo_filter};
use super::requests::requests;
use super::{
    acknowledge, columns, map, on_object, outlook, overlay, palette, panes, refresh, saved,
    sorting, text, time,
};
use crate::model::action::Action;
use crate::model::direct::Topic;
use crate::model::effect::{Effect, SourceRequest};
use crate::model::line::Line;
use crate::model::members::Entrance;
use crate::model::name::{Key, Name};
use crate::model::page::Page;
use crate::model::pane::Pane;
use crate::model::picker::Choice;
use crate::model::position::{moved, moved_round};
use crate::model::scope::Scope;
use crate::model::state::{Overlay, Size, State};
use crate::model::time::Time;
use crate::model::view::View;

/// Applies an action to the state. Returns the work for the main loop.
pub fn act(state: &mut State, action: Action) -> Vec<Effect> {
    // Actions refer to rows, so the list must be up to date.
    refresh(state);
    // Until the mouse moves again, charts show what the action shows.
    if !matches!(action, Action::Resize(..)) {
        state.pointed = None;
    }
    let mut effects = match overlay::act(state, action) {
        Ok(effects) => effects,
        Err(action) => match text::act(state, action) {
            Ok(effects) => effects,
            Err(action) if state.writing => edit_filter(state, action),
            Err(action) => browse(state, action),
        },
    };
    refresh(state);
    effects.extend(outlook::requests(state));
    effects.extend(send_interest(state));
    effects.extend(send_nodes_on_screen(state));
    effects.extend(send_volumes_on_screen(state));
    effects.extend(palette::preview(state));
    effects
}

/// Reports to the source whether volumes are on the screen, if that has changed.
fn send_volumes_on_screen(state: &mut State) -> Option<Effect> {
    let on_screen = state.screen().view == View::Volumes;
    let before = std::mem::replace(&mut state.volumes_on_screen, on_screen);
    (before != on_screen).then_some(Effect::Request(SourceRequest::Volumes(on_screen)))
}

/// Reports to the source whether nodes are on the screen, if that has changed.
fn send_nodes_on_screen(state: &mut State) -> Option<Effect> {
    let screen = state.screen();
    let on_screen = matches!(screen.view, View::Overview | View::Nodes | View::Map)
        || matches!(screen.scope, Scope::Node(_));
    let before = std::mem::replace(&mut state.nodes_on_screen, on_screen);
    (before != on_screen).then_some(Effect::Request(SourceRequest::Nodes(on_screen)))
}

/// Sends the interest to the source if it has changed. A past time with only some pods is requested again, because the
/// new interest may need other pods.
fn send_interest(state: &mut State) -> Vec<Effect> {
    let interest = interest(state);
    if state.interest == interest {
        return Vec::new();
    }
    state.interest = interest.clone();
    let mut effects = vec![Effect::Request(SourceRequest::Interest(Box::new(interest)))];
    if state.world().extent.is_some() {
        effects.extend(time::again(state));
    }
    effects
}

/// Applies an action while the filter is edited.
fn edit_filter(state: &mut State, action: Action) -> Vec<Effect> {
    match action {
        Action::Edit(edit) => {
            let list = &mut state.screen_mut().list;
            list.line.edit(&edit);
            list.read_filter();
        }
        Action::Enter if state.screen().list.wrong.is_none() => state.writing = false,
        Action::Back | Action::ClearFilter => clear_filter(state),
        action @ (Action::Move(_)
        | Action::Page(_)
        | Action::Scroll(_)
        | Action::Select(..)
        | Action::Open(..)
        | Action::Focus(_)
        | Action::Map(_)
        | Action::Show(_)
        | Action::Say(_)
        | Action::Resize(..)
        | Action::Quit
        | Action::Suspend
        | Action::Redraw) => {
            return browse(state, action);
        }
        _ => {}
    }
    Vec::new()
}

fn clear_filter(state: &mut State) {
    remember_filter(state);
    state.writing = false;
    let list = &mut state.screen_mut().list;
    list.line = Line::default();
    list.read_filter();
}

/// Applies an action while no overlay is open and the filter is not edited.
fn browse(state: &mut State, action: Action) -> Vec<Effect> {
    if state.screen().view.is_of_several_clusters() && action.is_of_time() {
        state.say("several clusters are shown as they are now", false);
        return Vec::new();
    }
    let action = match map::act(state, action) {
        Ok(effects) => return effects,
        Err(action) => action,
    };
    match action {
        Action::Quit => return vec![Effect::Quit],
        Action::Suspend => return vec![Effect::Suspend],
        Action::Redraw => return vec![Effect::Redraw],
        Action::Mouse => return vec![Effect::Mouse],
        Action::Resize(width, height) => state.size = Size { width, height },
        Action::Back => return back(state),
        Action::Enter => return enter(state),
        Action::Move(rows) if state.screen().view == View::Pod => select_container(state, rows),
        Action::Move(rows) if panes::cross(state, rows) => {}
        Action::Move(rows) | Action::Scroll(rows) => move_by(state, rows),
        Action::Container(at) => choose_container(state, at),
        Action::Page(pages) => {
            let page = state.list_height().saturating_sub(1).max(1);
            move_by(
                state,
                pages.saturating_mul(i32::try_from(page).unwrap_or(1)),
            );
        }
        Action::First => {
            // Without a selected object, the cursor stays on the first row.
            let screen = state.screen_mut();
            screen.focused_mut().1.select_first();
            screen.scroll = 0;
            screen.container = None;
        }
        Action::Last => move_by(state, i32::MAX),
        Action::Select(pane, row) => {
            if let Some(at) = pointed(state, pane, row) {
                state.screen_mut().panes.focus = pane;
                panes::select(state, at);
            }
        }
        Action::Open(pane, row) => {
            if pointed(state, pane, row).is_some() && state.screen().is_in(pane) {
                return enter(state);
            }
        }
        Action::Focus(pane) if state.panes().contains(&pane) => {
            state.screen_mut().panes.focus = pane;
        }
        Action::Focus(_) => {}
        Action::Show(view) if view.is_of_several_clusters() => return show_clusters(state, view),
        Action::Show(view) => return show(state, view),
        Action::NextView(by) => {
            if !panes::next(state, by) {
                let effects = show(state, next_view(state.screen().view, by));
                panes::enter(state, by);
                return effects;
            }
        }
        Action::NextSort(by) => {
            if sorting::is_possible(state) {
                state.screen_mut().list.sort = sorting::next(state, by);
            }
        }
        Action::SortBy(field) => sorting::by(state, field),
        Action::Reverse => {
            if sorting::is_possible(state) {
                let sort = &mut state.screen_mut().list.sort;
                *sort = sort.reversed();
            }
        }
        Action::Filter => {
            remember_filter(state);
            state.writing = state.screen().view != View::Pod;
            state.screen_mut().panes.focus = Pane::List;
        }
        Action::ClearFilter => clear_filter(state),
        Action::UndoFilter => undo_filter(state),
        Action::Filters => saved::open_filters(state),
        Action::Bookmark => saved::ask_bookmark(state),
        Action::Bookmarks => saved::open_bookmarks(state),
        Action::MoveColumn(field, onto) => columns::drag(state, field, onto),
        Action::KeepColumns => return columns::keep(state),
        Action::Say(text) => state.say(text, false),
        Action::EnterCluster(incident) => return enter_cluster(state, incident.as_ref()),
        Action::Edit(_)
        | Action::Toggle
        | Action::Complete
        | Action::Reset
        | Action::Choose(_)
        | Action::Remove
        | Action::MoveEntry(_)
        | Action::Map(_) => {}
        Action::Palette => palette::open(state),
        Action::Pause => return time::pause(state),
        Action::Step(steps) => return time::step(state, steps),
        Action::Hours(hours) => return time::jump(state, hours),
        Action::Seek(at) => return time::seek(state, at),
        Action::Oldest => {
            let oldest = time::oldest(state);
            return time::go(state, oldest);
        }
        Action::Live => return time::live(state),
        Action::Span(by) => {
            state.span = moved(state.span, by, state.spans().count());
            if let Time::Past { at, .. } = state.time {
                time::place_charts(state, at);
            }
            return requests(state);
        }
        Action::Help => {
            let is_new = std::mem::take(&mut state.is_new);
            let page = if is_new { Page::Tour } else { Page::Keys };
            state.overlay = Some(Overlay::Help(page, 0));
        }
        Action::LayOver => {
            let screen = state.screen();
            let next = state.laid_over.next(screen.view == View::Pod);
            let text = next.text(&screen.scope, state.span_seconds());
            state.laid_over = next;
            state.say(text, false);
        }
        Action::Point(at) => state.pointed = at,
        Action::Messages => state.overlay = Some(Overlay::Help(Page::Messages, 0)),
        Action::TimeZone => change_zone(state),
        Action::Columns if !matches!(state.screen().view, View::Pod | View::Map) => {
            columns::open(state);
        }
        Action::Columns => {}
        Action::Namespaces => overlay::open(state, Choice::Namespaces),
        Action::Contexts => overlay::open(state, Choice::Contexts),
        Action::OnlyThisNamespace => only_this_namespace(state),
        Action::Acknowledge => acknowledge::toggle(state),
        Action::Copy => {
            let Some(key) = state.current().or_else(|| state.screen().pod().cloned()) else {
                return Vec::new();
            };
            state.say(format!("copied {}", key.name), false);
            return vec![Effect::Copy(key.name.to_string())];
        }
        Action::Export(form) => return vec![Effect::Export(form)],
        action @ (Action::Logs(_)
        | Action::Read(_)
        | Action::Shell
        | Action::Forward
        | Action::Menu
        | Action::Change(_)) => match state.selected() {
            Some(selected) => return on_object::act(state, selected, action),
            None if state.screen().view.is_of_several_clusters() => {
                state.say("press enter to open the cluster first", false);
            }
            None if action == Action::Read(Topic::Events) => {
                return text::read(state, None, Topic::Events);
            }
            None => state.say("nothing is selected", false),
        },
        Action::Chosen(name) => return on_object::chosen(state, &name),
        Action::Text(_) => {}
    }
    Vec::new()
}

fn move_by(state: &mut State, rows: i32) {
    if state.screen().view == View::Pod {
        let screen = state.screen_mut();
        screen.scroll = overlay::scrolled(screen.scroll, rows);
        screen.follows = false;
        return;
    }
    let (_, list) = state.screen().focused();
    panes::select(state, moved(list.cursor, rows, list.order.len()));
}

/// The containers of the pod whose page is open.
fn containers(state: &State) -> Vec<Name> {
    let pod = state
        .screen()
        .pod()
        .and_then(|key| state.world().pods.get(key));
    let containers = pod.map_or(&[][..], |pod| &pod.containers);
    containers
        .iter()
        .map(|container| Arc::clone(&container.name))
        .collect()
}

/// Selects the container this many below the selected one. Above the first is the whole pod; beyond the last one the
/// page scrolls.
fn select_container(state: &mut State, rows: i32) {
    let containers = containers(state);
    let screen = state.screen();
    let selected = screen.container.as_ref();
    let selected = selected.and_then(|name| containers.iter().position(|other| other == name));
    // 0 is the whole pod.
    let at = selected.map_or(0, |at| at + 1);
    let was_scrolled = screen.scroll > 0 && !screen.follows;
    let to = i32::try_from(at).unwrap_or(0).saturating_add(rows);
    match usize::try_from(to) {
        Ok(to) if to <= containers.len() && !(rows < 0 && was_scrolled) => {
            let screen = state.screen_mut();
            screen.container = to.checked_sub(1).and_then(|at| containers.get(at)).cloned();
            screen.follows = screen.container.is_some();
            if screen.container.is_none() {
                screen.scroll = 0;
            }
        }
        _ => move_by(state, rows),
    }
}

/// Selects a container of a pod's page, or the whole pod if it is selected already.
fn choose_container(state: &mut State, at: usize) {
    let selected = containers(state).get(at).cloned();
    let screen = state.screen_mut();
    screen.container = selected.filter(|selected| screen.container.as_ref() != Some(selected));
}

/// The index in a pane's list of the row at this distance from the first visible row. `None` if there is no row.
fn pointed(state: &State, pane: Pane, row: u16) -> Option<usize> {
    if !state.panes().contains(&pane) {
        return None;
    }
    let screen = state.screen();
    let (_, list) = screen.pane(pane);
    let at = list.top.saturating_add(usize::from(row));
    (at < list.order.len()).then_some(at)
}

fn next_view(view: View, by: i32) -> View {
    match view {
        View::Clusters => return View::AllIncidents,
        View::AllIncidents => return View::Clusters,
        _ => {}
    }
    let views = View::SWITCHABLE;
    let at = views.iter().position(|other| *other == view).unwrap_or(2);
    let next = views.get(moved_round(at, by, views.len()));
    next.copied().unwrap_or(view)
}

/// Clears the filter, or else closes the current view.
fn back(state: &mut State) -> Vec<Effect> {
    if !state.screen().list.line.text().is_empty() && state.screen().view != View::Pod {
        clear_filter(state);
        return Vec::new();
    }
    if state.stack.len() <= 1 {
        if state.time != Time::Live {
            return time::live(state);
        }
        if !state.live.members.is_empty() {
            return show_clusters(state, View::Clusters);
        }
        return Vec::new();
    }
    let left = state.stack.pop();
    match left.and_then(|left| left.back_to) {
        Some(Time::Live) => time::live(state),
        Some(Time::Paused(at) | Time::Past { at, .. }) if at != state.shown_time() => {
            time::go(state, at)
        }
        _ => requests(state),
    }
}

/// Shows a view of several clusters, which is always of now.
fn show_clusters(state: &mut State, view: View) -> Vec<Effect> {
    if state.live.members.is_empty() {
        let text = "there is one cluster; start vitals with --contexts for several";
        state.say(text, false);
        return Vec::new();
    }
    let mut effects = match state.time {
        Time::Live => Vec::new(),
        _ => time::live(state),
    };
    effects.extend(show(state, view));
    effects.push(Effect::ReadClusters);
    effects
}

/// What the selected row of a view of several clusters opens.
fn entrance(view: View, key: Key) -> Entrance {
    match view {
        View::AllIncidents => Entrance {
            context: Arc::clone(&key.part),
            incident: Some(Key::new(&key.namespace, &key.name)),
        },
        _ => Entrance {
            context: key.name,
            incident: None,
        },
    }
}

/// Closes the views of several clusters, and opens an incident as `enter` does in the view of incidents.
fn enter_cluster(state: &mut State, incident: Option<&Key>) -> Vec<Effect> {
    state
        .stack
        .retain(|screen| !screen.view.is_of_several_clusters());
    let Some(key) = incident else {
        return requests(state);
    };
    let mut effects = show(state, View::Incidents);
    refresh(state);
    let height = state.list_height();
    let table = &state.live.incidents;
    let list = &mut state.stack.last_mut();
    let Some(list) = list.as_mut().map(|screen| &mut screen.list) else {
        return effects;
    };
    let Some(at) = list
        .order
        .iter()
        .position(|at| table.index_of(key) == Some(*at))
    else {
        state.say("this incident no longer exists", false);
        return effects;
    };
    list.select(at, table, height);
    effects.extend(enter(state));
    effects
}

/// Opens the selected row.
fn enter(state: &mut State) -> Vec<Effect> {
    let Some((view, key)) = state.cursor() else {
        return Vec::new();
    };
    if view == View::Pod {
        return Vec::new();
    }
    if view.is_of_several_clusters() {
        return vec![Effect::EnterCluster(entrance(view, key))];
    }
    let table = state.world().table(view);
    let Some(target) = table.index_of(&key).and_then(|at| table.open(at)) else {
        return Vec::new();
    };
    open(state, target)
}

/// Switches the time zone of all times and shows its name.
fn change_zone(state: &mut State) {
    state.settings.zone.toggle();
    let zone = state.settings.zone.name(state.now);
    state.say(format!("times are now in {zone}"), false);
}

/// Shows only the namespace of the selected row, or all namespaces again.
fn only_this_namespace(state: &mut State) {
    if !state.namespaces.is_empty() {
        state.namespaces.clear();
        return;
    }
    let selected = match state.current() {
        Some(key) if state.screen().view == View::Namespaces => Some(key.name),
        key => key.map(|key| key.namespace),
    };
    state.namespaces = selected
        .into_iter()
        .filter(|name| !name.is_empty())
        .collect();
}
