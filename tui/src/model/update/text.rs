//! Opens text pages, and applies actions and messages to the open one.

use kubevitals_proto::time::Timestamp;

use super::overlay;
use crate::model::action::{Action, TextAction};
use crate::model::direct::{DirectRequest, Document, ReadRequest, Topic};
use crate::model::effect::Effect;
use crate::model::line::Line;
use crate::model::log::{LogBatch, LogRequest, LogTarget};
use crate::model::name::Name;
use crate::model::object::Selected;
use crate::model::picker::Choice;
use crate::model::row::ContainerState;
use crate::model::state::{Choosing, State};
use crate::model::text_page::{Content, DocumentPage, LogPage, TextPage, TextPosition};
use crate::model::time::Time;

/// The most containers of a pod whose logs are shown together without a choice.
const MAX_TOGETHER: usize = 16;

/// The most logs that are followed at once.
const MAX_STREAMS: usize = 50;

/// How long before a past time its log begins, in nanoseconds.
const BEFORE: i64 = 30_000_000_000;

/// The longest text that is copied as a whole, in bytes: what a clipboard sequence can carry.
const MAX_COPY: usize = 64 << 10;

/// Applies an action to the open text page. Returns the action if it is not for it.
pub(super) fn act(state: &mut State, action: Action) -> Result<Vec<Effect>, Action> {
    let (width, height) = state.text_size();
    let Some(page) = &mut state.text else {
        return Err(action);
    };
    if page.is_searching {
        return search(state, action);
    }
    let page_rows = i64::try_from(height.saturating_sub(1).max(1)).unwrap_or(1);
    match action {
        Action::Back => return Ok(close(state)),
        Action::Move(rows) | Action::Scroll(rows) => page.scroll(rows.into(), width, height),
        Action::Page(pages) => page.scroll(i64::from(pages) * page_rows, width, height),
        Action::First => page.place = TextPosition::Line(page.numbers().start, 0),
        Action::Last => {
            page.place = TextPosition::End;
            if page.logs().is_none() {
                let (number, row) = page.top(width, height);
                page.place = TextPosition::Line(number, row);
            }
        }
        Action::Text(action) => return Ok(text_action(state, action)),
        Action::Filter => {
            page.is_searching = true;
            page.search = Line::default();
            page.found = None;
        }
        Action::Copy => return Ok(copy(state)),
        Action::Logs(_) | Action::Read(_) => {
            let selected = page.selected();
            return Ok(match selected {
                Some(selected) => again(state, &selected, action),
                None => Vec::new(),
            });
        }
        action => return Err(action),
    }
    Ok(Vec::new())
}

/// Applies an action while the search is edited.
fn search(state: &mut State, action: Action) -> Result<Vec<Effect>, Action> {
    let (width, height) = state.text_size();
    let Some(page) = &mut state.text else {
        return Err(action);
    };
    match action {
        Action::Edit(edit) => {
            page.search.edit(&edit);
            page.found = None;
        }
        Action::Enter => {
            page.is_searching = false;
            find(state, true);
        }
        Action::Back => {
            page.is_searching = false;
            page.search = Line::default();
            page.found = None;
        }
        Action::Move(rows) | Action::Scroll(rows) => page.scroll(rows.into(), width, height),
        action @ (Action::Quit
        | Action::Suspend
        | Action::Redraw
        | Action::Resize(..)
        | Action::Say(_)) => {
            return Err(action);
        }
        _ => {}
    }
    Ok(Vec::new())
}

fn find(state: &mut State, forwards: bool) {
    let (width, height) = state.text_size();
    let Some(page) = &mut state.text else { return };
    let search = page.search.text().to_owned();
    if !page.find(forwards, width, height) {
        let text = match search.as_str() {
            "" => "there is no search: / starts one".to_owned(),
            search => format!("{search:?} is not on this page"),
        };
        state.say(text, false);
    }
}

fn text_action(state: &mut State, action: TextAction) -> Vec<Effect> {
    let (width, height) = state.text_size();
    let Some(page) = &mut state.text else {
        return Vec::new();
    };
    match action {
        TextAction::Wrap => {
            page.wraps = !page.wraps;
            page.shift = 0;
        }
        TextAction::Shift(columns) => {
            page.wraps = false;
            page.shift = page.shift.saturating_add_signed(columns);
        }
        TextAction::Follow => match page.place {
            TextPosition::End => {
                let (number, row) = page.top(width, height);
                page.place = TextPosition::Line(number, row);
            }
            TextPosition::Line(..) => page.place = TextPosition::End,
        },
        TextAction::Next(forwards) => find(state, forwards),
        TextAction::Containers => return containers(state),
        TextAction::Again => {
            let DocumentPage { object, what, .. } = match &page.content {
                Content::Document(document) => document,
                Content::Logs(_) => return Vec::new(),
            };
            let request = ReadRequest {
                id: page.id,
                object: object.clone(),
                what: *what,
            };
            return vec![Effect::Direct(DirectRequest::Read(request))];
        }
        TextAction::Times | TextAction::Pretty | TextAction::Fold => match &mut page.content {
            Content::Logs(logs) if action == TextAction::Times => logs.times = !logs.times,
            Content::Logs(logs) if action == TextAction::Pretty => logs.pretty = !logs.pretty,
            Content::Document(document) if action == TextAction::Fold => {
                document.is_unfolded = !document.is_unfolded;
            }
            _ => {}
        },
    }
    Vec::new()
}

/// Opens the list of the containers of the logs.
fn containers(state: &mut State) -> Vec<Effect> {
    let selected = state.text.as_ref().and_then(|page| page.selected());
    let Some(selected) = selected.filter(|_| {
        state
            .text
            .as_ref()
            .is_some_and(|page| page.logs().is_some())
    }) else {
        return Vec::new();
    };
    let is_previous = state
        .text
        .as_ref()
        .and_then(|page| page.logs())
        .is_some_and(|logs| logs.request.previous);
    choose(state, &selected, is_previous);
    Vec::new()
}

/// Opens the list of the containers of an object, for their logs.
fn choose(state: &mut State, selected: &Selected, previous: bool) {
    let all = Selected {
        container: None,
        ..selected.clone()
    };
    let mut names: Vec<_> = state
        .log_targets(&all)
        .into_iter()
        .map(|target| target.container)
        .collect();
    names.sort();
    names.dedup();
    state.choosing = Some(Choosing::Logs(all, previous));
    overlay::open_names(state, Choice::Containers, names);
}

/// Opens the logs of the chosen container.
pub(super) fn chosen(
    state: &mut State,
    selected: Selected,
    previous: bool,
    container: &Name,
) -> Vec<Effect> {
    let targets = state.log_targets(&selected).into_iter();
    let targets = targets
        .filter(|target| target.container == *container)
        .collect();
    let selected = Selected {
        container: Some(container.clone()),
        ..selected
    };
    open_logs(state, selected, targets, previous)
}

/// Closes the page. No stream of logs stays open.
fn close(state: &mut State) -> Vec<Effect> {
    let Some(page) = state.text.take() else {
        return Vec::new();
    };
    let request = page
        .logs()
        .map(|_| Effect::Direct(DirectRequest::Logs(None)));
    request.into_iter().collect()
}

/// Opens another text page of the same object.
fn again(state: &mut State, selected: &Selected, action: Action) -> Vec<Effect> {
    match action {
        Action::Logs(previous) => logs(state, selected, previous),
        Action::Read(what) => read(state, Some(selected), what),
        _ => Vec::new(),
    }
}

/// Opens the logs of an object, those of the previous incarnation if requested.
pub(super) fn logs(state: &mut State, selected: &Selected, previous: bool) -> Vec<Effect> {
    let targets = state.log_targets(selected);
    if targets.is_empty() {
        let object = selected.object.text();
        state.say(
            format!("{object} has no logs: select a pod, a container or a workload with pods"),
            true,
        );
        return Vec::new();
    }
    let is_one_pod = targets
        .windows(2)
        .all(|pair| matches!(pair, [a, b] if a.pod == b.pod));
    if is_one_pod && targets.len() > MAX_TOGETHER {
        choose(state, selected, previous);
        return Vec::new();
    }
    open_logs(state, selected.clone(), targets, previous)
}

fn open_logs(
    state: &mut State,
    selected: Selected,
    mut targets: Vec<LogTarget>,
    previous: bool,
) -> Vec<Effect> {
    let left_out = targets.len().saturating_sub(MAX_STREAMS);
    targets.truncate(MAX_STREAMS);
    let moment = (state.time != Time::Live && !previous).then(|| state.shown_time());
    let is_gone = moment.is_some_and(|at| {
        targets
            .iter()
            .any(|target| started_after(state, target, at))
    });
    let request = LogRequest {
        id: next_id(state),
        targets,
        previous: previous || is_gone,
        since: moment.map(|at| at.plus_nanos(-BEFORE)),
    };
    let mut page = LogPage::new(selected.object, selected.container, request.clone());
    page.left_out = left_out;
    page.jump = moment;
    state.text = Some(Box::new(TextPage::new(request.id, Content::Logs(page))));
    vec![Effect::Direct(DirectRequest::Logs(Some(request)))]
}

/// Whether the present incarnation of a container started after a time.
fn started_after(state: &State, target: &LogTarget, at: Timestamp) -> bool {
    state.container(target).is_some_and(|container| {
        let started = Timestamp::from_secs(container.since_seconds.into());
        container.state == ContainerState::Running && started > at
    })
}

/// Opens a document about an object, or about all.
pub(super) fn read(state: &mut State, selected: Option<&Selected>, what: Topic) -> Vec<Effect> {
    if selected.is_none() && what != Topic::Events {
        state.say("nothing is selected", false);
        return Vec::new();
    }
    let mut effects = close(state);
    let request = ReadRequest {
        id: next_id(state),
        object: selected.map(|selected| selected.object.clone()),
        what,
    };
    let page = DocumentPage {
        object: request.object.clone(),
        what,
        document: None,
        is_unfolded: false,
        failure: None,
    };
    state.text = Some(Box::new(TextPage::new(request.id, Content::Document(page))));
    effects.push(Effect::Direct(DirectRequest::Read(request)));
    effects
}

/// An id for a request.
pub(super) const fn next_id(state: &mut State) -> u64 {
    state.last_request += 1;
    state.last_request
}

/// Copies the whole page, or what is on the screen if it is too long.
fn copy(state: &mut State) -> Vec<Effect> {
    let (width, height) = state.text_size();
    let Some(page) = &state.text else {
        return Vec::new();
    };
    let all = page.numbers();
    let bytes: usize = all.clone().map(|number| page.text(number).len() + 1).sum();
    let (text, what) = if bytes <= MAX_COPY {
        let lines: Vec<&str> = all.map(|number| page.text(number)).collect();
        (lines.join("\n"), "the page")
    } else {
        let mut numbers: Vec<u64> = page
            .visible(width, height)
            .iter()
            .map(|row| row.number)
            .collect();
        numbers.dedup();
        let lines: Vec<&str> = numbers.iter().map(|number| page.text(*number)).collect();
        (lines.join("\n"), "the lines on the screen")
    };
    state.say(format!("copied {what}"), false);
    vec![Effect::Copy(text)]
}

/// Applies lines of logs.
pub(super) fn apply_logs(state: &mut State, batch: LogBatch) {
    let (width, height) = state.text_size();
    let Some(page) = state.text.as_mut().filter(|page| page.id == batch.id) else {
        return;
    };
    let Content::Logs(logs) = &mut page.content else {
        return;
    };
    let inserted = logs.add(batch);
    if let (Some((at, count)), TextPosition::Line(number, row)) = (inserted, page.place)
        && number >= at
    {
        page.place = TextPosition::Line(number + count, row);
    }
    if let Some((at, count)) = inserted {
        page.found = page
            .found
            .map(|number| if number >= at { number + count } else { number });
    }
    let arrived = logs.jump.and_then(|at| logs.ring.at_time(at));
    if let Some(number) = arrived {
        logs.jump = None;
        page.place = TextPosition::Line(number, 0);
        page.scroll(-i64::try_from(height / 3).unwrap_or(0), width, height);
    } else if logs.jump.is_some() && !logs.ring.is_empty() {
        page.place = TextPosition::End;
    }
}

/// Applies a document, or why there is none.
pub(super) fn apply_document(state: &mut State, id: u64, result: Result<Document, String>) {
    let Some(page) = state.text.as_mut().filter(|page| page.id == id) else {
        return;
    };
    let Content::Document(page) = &mut page.content else {
        return;
    };
    match result {
        Ok(document) => {
            page.document = Some(document);
            page.failure = None;
        }
        Err(why) => page.failure = Some(why),
    }
}

/// Follows pods of a workload that are new.
pub(super) fn follow_new_pods(state: &mut State) -> Vec<Effect> {
    let selected = state.text.as_ref().and_then(|page| {
        let is_live = page.logs().is_some_and(LogPage::is_live);
        page.selected()
            .filter(|selected| is_live && selected.object.kind.is_workload())
    });
    let Some(selected) = selected else {
        return Vec::new();
    };
    let targets = state.log_targets(&selected).into_iter();
    let targets: Vec<LogTarget> = targets
        .filter(|target| {
            selected
                .container
                .as_ref()
                .is_none_or(|name| *name == target.container)
        })
        .collect();
    let Some(Content::Logs(logs)) = state.text.as_mut().map(|page| &mut page.content) else {
        return Vec::new();
    };
    let space = MAX_STREAMS.saturating_sub(logs.request.targets.len());
    let new: Vec<LogTarget> = targets
        .into_iter()
        .filter(|target| !logs.request.targets.contains(target))
        .take(space)
        .collect();
    if !logs.extend(new) {
        return Vec::new();
    }
    vec![Effect::Direct(DirectRequest::Logs(Some(
        logs.request.clone(),
    )))]
}

impl TextPage {
    /// The object of the page.
    fn selected(&self) -> Option<Selected> {
        match &self.content {
            Content::Logs(logs) => Some(Selected {
                object: logs.object.clone(),
                container: logs.container.clone(),
            }),
            Content::Document(page) => page.object.clone().map(|object| Selected {
                object,
                container: None,
            }),
        }
    }
}

impl State {
    /// The width and height of the text of a text page.
    #[must_use]
    pub fn text_size(&self) -> (usize, usize) {
        let has_search = self
            .text
            .as_ref()
            .is_some_and(|page| page.is_searching || !page.search.text().is_empty());
        let has_failure = self
            .text
            .as_ref()
            .is_some_and(|page| page.failure().is_some());
        let other = 3 + u16::from(has_search) + u16::from(has_failure);
        let height = self.size.height.saturating_sub(other).max(1);
        (self.size.width.into(), height.into())
    }
}
