//! The recent past of rows and of the cluster, as charts and sparklines take it.

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{History, Point, Quantiles, Series};

use ratatui::layout::Rect;

use super::canvas::{Canvas, cells, right_of};
use super::scale;
use super::sparkline::{cell_of, sparkline};
use super::theme::Ink;
use crate::input::{Span, Target};
use crate::model::row::{Container, PodRow, Row as _};
use crate::model::{Key, Resource, State, Subject, Time, cluster_key, format};

/// What a chart of the span that is shown is for the mouse.
pub(super) fn target(state: &State) -> Target {
    let (since, until) = state.shown_span();
    Target::Time(Span {
        since,
        until,
        live: state.time == Time::Live,
    })
}

/// A series of steps over the span that is shown, the latest last; nothing in a gap.
pub(super) type Steps = Vec<Option<u64>>;

/// For how long a reading holds where steps are shorter than readings are apart, in seconds. A longer gap is drawn as
/// one.
const PATIENCE_SECONDS: u32 = 95;

/// At most so many of the last steps are not drawn for being unfinished: a node that does not tell holds no more back.
const UNFINISHED: usize = 3;

/// The past of a row, as far as the dashboard has kept it.
pub(super) fn of_row(state: &State, key: &Key, resource: Resource, steps: u16) -> Steps {
    let (since, until) = state.shown_span();
    let Some(trend) = state.trends.get(key) else {
        return Vec::new();
    };
    let amounts = trend.steps(since, until, usize::from(steps));
    let step_seconds = (state.span_seconds() / u32::from(steps).max(1)).max(1);
    let held = PATIENCE_SECONDS / step_seconds;
    let mut last = None;
    let mut since_last = held + 1;
    let mut drawn = Vec::with_capacity(amounts.len());
    for step in amounts {
        let value = step.get(resource);
        if value.is_some() {
            (last, since_last) = (value, 0);
        } else {
            since_last += 1;
        }
        drawn.push(if since_last <= held { last } else { None });
    }
    drawn
}

/// The past of the cluster: as the source remembers it, or else as it was kept.
pub(super) fn of_cluster(state: &State, resource: Resource, steps: u16) -> Steps {
    let Some(mut told) = of_subject(state, &Subject::Cluster, resource) else {
        return of_row(state, &cluster_key(), resource, steps);
    };
    // A step of which some nodes are still to report would look as if less were used.
    let newest = state.live.cluster.usage_time;
    if let (Some(newest), Some(history)) = (newest, state.histories.get(&Subject::Cluster)) {
        let step = history.span.step.0.max(1);
        let whole = newest.since(history.span.since) / step;
        let whole = usize::try_from(whole).unwrap_or(0);
        let last = told.len().saturating_sub(UNFINISHED);
        told.iter_mut()
            .skip(whole.max(last))
            .for_each(|step| *step = None);
    }
    told
}

/// The past of a pod, or of one of its containers: as the source remembers it, or else as the dashboard has kept it.
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
                // A pod that was made anew under its name has one for each time.
                for series in of_container(history, container) {
                    for (step, value) in steps.iter_mut().zip(values(series, resource)) {
                        *step = step.or(value);
                    }
                }
                steps
            }
        };
    }
    match container {
        Some(container) if pod.containers.len() > 1 => {
            of_row(state, &key.part(&container.name), resource, steps)
        }
        _ => of_row(state, &key, resource, steps),
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

/// The history of a subject, if it has arrived and is of the span that is shown.
fn history<'a>(state: &'a State, subject: &Subject) -> Option<&'a History> {
    const SLACK: i64 = 60_000_000_000;
    let history = state.histories.get(subject)?;
    let (since, until) = state.shown_span();
    let near = |arrived: i64, shown: i64| (arrived - shown).abs() <= SLACK;
    let shown = near(history.span.since.0, since.0) && near(history.span.until.0, until.0);
    shown.then_some(history)
}

/// The quantiles of a pod, or of one of its containers, over the same time as [`of_pod`].
pub(super) fn quantiles(
    state: &State,
    pod: &PodRow,
    container: Option<&Container>,
    resource: Resource,
) -> Option<Quantiles> {
    let history = history(state, &Subject::Pod(pod.key()))?;
    let series = match container {
        None => &history.total,
        // Quantiles of several series do not come to quantiles of them together.
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

/// The past of a subject as the source remembers it, if it has arrived and is of the span that is shown.
fn of_subject(state: &State, subject: &Subject, resource: Resource) -> Option<Steps> {
    let history = history(state, subject)?;
    Some(match history.estimate.as_slice() {
        [] => values(&history.total, resource).collect(),
        // Where a node is lost, the line goes on.
        estimate => points(estimate, resource).collect(),
    })
}

/// What is written under both ends of a chart: how far they are from the time that is shown; that time itself where the
/// chart ends at it.
pub(super) fn ends(state: &State) -> [String; 2] {
    let (since, until) = state.shown_span();
    let at = state.shown_time();
    let before = format!("-{}", format::age(since, at));
    match state.time {
        Time::Live => [before, "now".to_owned()],
        _ if until > at => [before, format!("+{}", format::age(at, until))],
        _ => [before, state.clock(at)],
    }
}

/// In which of so many steps a time is; none if it is not within the charts.
pub(super) fn step_of(state: &State, time: Timestamp, steps: usize) -> Option<usize> {
    let (since, until) = state.shown_span();
    let (span, offset) = (until.since(since).max(1), time.since(since));
    let at = i128::from(offset) * i128::try_from(steps).unwrap_or(0) / i128::from(span);
    let at = usize::try_from(at)
        .ok()
        .filter(|_| (0..=span).contains(&offset))?;
    // What happened at the very end is in the last step.
    steps.checked_sub(1).map(|last| at.min(last))
}

/// The time that is shown, as charts mark it: its step of so many, and how it is written. None if charts end there.
pub(super) fn moment(state: &State, steps: usize) -> Option<(usize, String)> {
    let at = state.shown_time();
    let is_within = state.charts_end.is_some_and(|end| at < end);
    let step = step_of(state, at, steps).filter(|_| is_within)?;
    Some((step, state.clock(at)))
}

/// Draws a sparkline into a row, against what fills it, and the time that is shown in it.
pub(super) fn draw(
    canvas: &mut Canvas<'_>,
    area: Rect,
    state: &State,
    steps: &[Option<u64>],
    (resource, full): (Resource, Option<u64>),
) {
    let room = usize::from(area.width);
    let full = scale::full(resource, full, steps);
    let line = sparkline(steps, room, full, &canvas.theme.signs.heights);
    canvas.text(area, &line, resource.into());
    let moment = moment(state, steps.len());
    if let Some(at) = moment.and_then(|(step, _)| cell_of(step, steps.len(), room)) {
        let rest = right_of(area, cells(at));
        let width = rest.width.min(1);
        canvas.patch(Rect { width, ..rest }, Ink::Bar);
    }
}
