//! The recent past of rows and of the cluster, as charts and sparklines take it.

use kubevitals_proto::vitals::{History, Quantiles};

use crate::input::{Span, Target};
use crate::model::{Key, Resource, State, Subject, Time, cluster_key};

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
        let value = match resource {
            Resource::Cpu => step.cpu.get().map(|cpu| cpu.0),
            Resource::Memory => step.memory.get().map(|memory| memory.0),
        };
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
    // A step of which some nodes are still to tell would look as if less were used.
    let (newest, history) = (
        state.world().cluster.measured,
        state.histories.get(&Subject::Cluster),
    );
    if let (Time::Live | Time::Paused(_), Some(newest), Some(history)) =
        (state.time, newest, history)
    {
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

/// The history of a subject, if it has arrived and is of the span that is shown.
fn history<'a>(state: &'a State, subject: &Subject) -> Option<&'a History> {
    const SLACK: i64 = 60_000_000_000;
    let history = state.histories.get(subject)?;
    let (since, until) = state.shown_span();
    let near = |arrived: i64, shown: i64| (arrived - shown).abs() <= SLACK;
    let shown = near(history.span.since.0, since.0) && near(history.span.until.0, until.0);
    shown.then_some(history)
}

/// The quantiles of a subject over the same span as [`of_subject`].
pub(super) fn quantiles(state: &State, subject: &Subject, resource: Resource) -> Option<Quantiles> {
    let total = &history(state, subject)?.total;
    match resource {
        Resource::Cpu => total.cpu,
        Resource::Memory => total.memory,
    }
}

/// The past of a subject as the source remembers it, if it has arrived and is of the span that is shown.
pub(super) fn of_subject(state: &State, subject: &Subject, resource: Resource) -> Option<Steps> {
    let history = history(state, subject)?;
    let points = history.total.points.iter().map(|point| {
        point.map(|point| match resource {
            Resource::Cpu => point.cpu,
            Resource::Memory => point.memory,
        })
    });
    Some(points.collect())
}
