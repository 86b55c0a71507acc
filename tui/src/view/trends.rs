//! The usage history of rows and of the cluster, for charts and sparklines.

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{History, HistoryStore, Point, Quantiles, Series};

use ratatui::layout::Rect;

use super::canvas::{Canvas, cells, left_of, right_of};
use super::chart::{Chart, Cursor};
use super::scale;
use super::sparkline::{cell_of, sparkline};
use super::theme::Ink;
use crate::input::{Span, Target};
use crate::model::row::{Container, PodRow, Row as _};
use crate::model::{Key, Name, Resource, State, Subject, Time, View, cluster_key, format};

/// Returns the mouse target of a chart over the displayed span.
pub(super) fn target(state: &State) -> Target {
    let (since, until) = state.shown_span();
    Target::Time(Span {
        since,
        until,
        live: state.time == Time::Live,
    })
}

/// A series of steps over the displayed span, the latest last. `None` is a gap.
pub(super) type Steps = Vec<Option<u64>>;

/// The most steps at the end that are left out because they are incomplete. A node that does not report hides no more.
const MAX_UNFINISHED: usize = 3;

/// Returns the history of a row of a table, as far as the dashboard stores it.
pub(super) fn of_table_row(
    state: &State,
    view: View,
    key: &Key,
    resource: Resource,
    steps: u16,
) -> Steps {
    match view {
        View::Workloads | View::Namespaces => {
            let sums = state.group_trends.steps(key, steps.into());
            let sums = sums.into_iter().flatten();
            sums.map(|step| step.get(resource)).collect()
        }
        View::Containers => {
            let pod = Key::new(&key.namespace, &key.name);
            let row = state.world().pods.get(&pod);
            match row.filter(|row| row.containers.len() == 1) {
                Some(_) => of_row(state, &pod, resource, steps),
                None => of_row(state, key, resource, steps),
            }
        }
        _ => of_row(state, key, resource, steps),
    }
}

/// Returns the history of an object, as far as the dashboard stores it.
pub(super) fn of_row(state: &State, key: &Key, resource: Resource, steps: u16) -> Steps {
    held(state, key, resource, steps, state.shown_span())
}

/// Returns the history of an object one span before the displayed one.
pub(super) fn earlier(state: &State, key: &Key, resource: Resource, steps: u16) -> Steps {
    let (since, until) = state.shown_span();
    let before = since.plus_nanos(since.since(until));
    held(state, key, resource, steps, (before, since))
}

fn held(
    state: &State,
    key: &Key,
    resource: Resource,
    steps: u16,
    (since, until): (Timestamp, Timestamp),
) -> Steps {
    let Some(trend) = state.trends.get(key) else {
        return Vec::new();
    };
    let steps = trend.held_steps(since, until, steps.into());
    steps.into_iter().map(|step| step.get(resource)).collect()
}

/// Returns the history of the cluster: from the source, or else the dashboard's own.
pub(super) fn of_cluster(state: &State, resource: Resource, steps: u16) -> Steps {
    let Some(mut steps_drawn) = of_subject(state, &Subject::Cluster, resource) else {
        return of_row(state, &cluster_key(), resource, steps);
    };
    // In the last steps some nodes have not reported yet, so that usage would seem lower.
    let newest = state.live.cluster.usage_time;
    if let (Some(newest), Some(history)) = (newest, state.histories.get(&Subject::Cluster)) {
        let step = history.span.step.0.max(1);
        let whole = newest.since(history.span.since) / step;
        let whole = usize::try_from(whole).unwrap_or(0);
        let last = steps_drawn.len().saturating_sub(MAX_UNFINISHED);
        steps_drawn
            .iter_mut()
            .skip(whole.max(last))
            .for_each(|step| *step = None);
    }
    steps_drawn
}

/// Returns the history of a node: from the source, or else the dashboard's own.
pub(super) fn of_node(state: &State, node: &Name, resource: Resource, steps: u16) -> Steps {
    let of_source = of_subject(state, &Subject::Node(Name::clone(node)), resource);
    of_source.unwrap_or_else(|| of_row(state, &Key::named(node), resource, steps))
}

/// Returns the history of a pod or container: from the source, or else the dashboard's own.
pub(super) fn of_pod(
    state: &State,
    pod: &PodRow,
    container: Option<&Container>,
    resource: Resource,
    steps: u16,
) -> Steps {
    let key = pod.key();
    if let Some(history) = history(state, &Subject::Pod(key.clone())) {
        return match container {
            None => values(&history.total, resource).collect(),
            Some(container) => {
                let mut steps = vec![None; history.total.points.len()];
                // A pod that was created again under its name has several series.
                for series in of_container(history, container) {
                    for (step, value) in steps.iter_mut().zip(values(series, resource)) {
                        *step = step.or(value);
                    }
                }
                steps
            }
        };
    }
    of_row(state, &own_key(pod, container), resource, steps)
}

/// Returns the key under which the dashboard stores the history of a pod or container.
pub(super) fn own_key(pod: &PodRow, container: Option<&Container>) -> Key {
    match container {
        Some(container) if pod.containers.len() > 1 => pod.key().part(&container.name),
        _ => pod.key(),
    }
}

fn of_container<'a>(
    history: &'a History,
    container: &'a Container,
) -> impl Iterator<Item = &'a Series> {
    let series = history.containers.iter();
    series.filter(|series| *series.name == *container.name)
}

fn values(series: &Series, resource: Resource) -> impl Iterator<Item = Option<u64>> {
    points(&series.points, resource)
}

fn points(points: &[Option<Point>], resource: Resource) -> impl Iterator<Item = Option<u64>> {
    let value = move |point: &Point| match resource {
        Resource::Cpu => point.cpu,
        Resource::Memory => point.memory,
    };
    points.iter().map(move |point| point.as_ref().map(value))
}

/// Returns the history of a subject, if it has arrived and covers the displayed span.
fn history<'a>(state: &'a State, subject: &Subject) -> Option<&'a History> {
    const SLACK: i64 = 60_000_000_000;
    let history = state.histories.get(subject)?;
    let (since, until) = state.shown_span();
    let slack = history.span.step.0.max(SLACK);
    let near = |arrived: i64, shown: i64| (arrived - shown).abs() <= slack;
    let shown = near(history.span.since.0, since.0) && near(history.span.until.0, until.0);
    shown.then_some(history)
}

/// Returns the time at which the history of a subject changes from the engine to the memory of the source.
fn seam(state: &State, subject: &Subject) -> Option<Timestamp> {
    match &*history(state, subject)?.sources {
        [engine, memory] if engine.source == HistoryStore::Engine => Some(memory.since),
        _ => None,
    }
}

/// Returns the quantiles of a pod or container, over the same time as [`of_pod`].
pub(super) fn quantiles(
    state: &State,
    pod: &PodRow,
    container: Option<&Container>,
    resource: Resource,
) -> Option<Quantiles> {
    let history = history(state, &Subject::Pod(pod.key()))?;
    let series = match container {
        None => &history.total,
        // Quantiles of several series cannot be combined.
        Some(container) => {
            let mut series = of_container(history, container);
            series.next().filter(|_| series.next().is_none())?
        }
    };
    match resource {
        Resource::Cpu => series.cpu,
        Resource::Memory => series.memory,
    }
}

/// Returns the history of a subject from the source, if it has arrived and covers the displayed span.
fn of_subject(state: &State, subject: &Subject, resource: Resource) -> Option<Steps> {
    let history = history(state, subject)?;
    Some(match history.estimate.as_slice() {
        [] => values(&history.total, resource).collect(),
        // The estimate fills in for a lost node, so that the line continues.
        estimate => points(estimate, resource).collect(),
    })
}

/// Returns the labels of both edges of a chart: their distance from the displayed time, or that time itself at the end
/// of the chart.
fn edge_labels(state: &State) -> [String; 2] {
    let (since, until) = state.shown_span();
    let at = state.shown_time();
    let before = format!("-{}", format::age(since, at));
    match state.time {
        Time::Live => [before, "now".to_owned()],
        _ if until > at => [before, format!("+{}", format::age(at, until))],
        _ => [before, state.clock(at)],
    }
}

/// Returns the step of a time. `None` if it is outside of the chart.
pub(super) fn step_of(state: &State, time: Timestamp, steps: usize) -> Option<usize> {
    let (since, until) = state.shown_span();
    let (span, offset) = (until.since(since).max(1), time.since(since));
    let at = i128::from(offset) * i128::try_from(steps).unwrap_or(0) / i128::from(span);
    let at = usize::try_from(at)
        .ok()
        .filter(|_| (0..=span).contains(&offset))?;
    // The end itself belongs to the last step.
    steps.checked_sub(1).map(|last| at.min(last))
}

/// Returns the step and the text of the time to which the mouse points, or else of the displayed time. `None` if charts
/// end there.
fn cursor(state: &State, steps: usize) -> Option<(usize, String)> {
    if let Some(at) = state.pointed {
        return Some((step_of(state, at, steps)?, state.clock(at)));
    }
    let at = state.shown_time();
    let is_within = state.charts_end.is_some_and(|end| at < end);
    let step = step_of(state, at, steps).filter(|_| is_within)?;
    Some((step, state.clock(at)))
}

/// Returns the value of a series at the time to which the mouse points. The outer option is `None` if it points to none.
pub(super) fn value_at(state: &State, points: &[Option<u64>]) -> Option<Option<u64>> {
    let step = step_of(state, state.pointed?, points.len())?;
    Some(points.get(step).copied().flatten())
}

/// Draws a chart over the displayed span, which responds to the mouse. Adds the times, and the seam of the subject's
/// history. Returns whether every line has its label.
pub(super) fn draw_chart(
    canvas: &mut Canvas<'_>,
    area: Rect,
    state: &State,
    chart: Chart<'_>,
    subject: &Subject,
) -> bool {
    let [left, right] = edge_labels(state);
    let steps = chart.points.len();
    let cursor = cursor(state, steps);
    let cursor = cursor.as_ref();
    let seam = seam(state, subject).and_then(|at| step_of(state, at, steps));
    let chart = Chart {
        seam,
        cursor: cursor.map(|(step, label)| Cursor { step: *step, label }),
        edge_labels: [&left, &right],
        ..chart
    };
    let labelled = chart.render(area, canvas.buffer, canvas.theme);
    if let Some(plot) = chart.plot(area) {
        canvas.hit(plot, target(state));
    }
    labelled
}

/// Draws a sparkline into a row, with the displayed time marked in it.
pub(super) fn draw(
    canvas: &mut Canvas<'_>,
    area: Rect,
    state: &State,
    steps: &[Option<u64>],
    (resource, full): (Resource, Option<u64>),
) {
    let space = usize::from(area.width);
    let full = scale::full(resource, full, steps);
    let line = sparkline(steps, space, full, &canvas.theme.signs.heights);
    canvas.text(area, &line, resource.into());
    let cursor = cursor(state, steps.len());
    if let Some(at) = cursor.and_then(|(step, _)| cell_of(step, steps.len(), space)) {
        canvas.patch(left_of(right_of(area, cells(at)), 1), Ink::Bar);
    }
}
