//! What the state of a cluster contributes to the views of several clusters.

use kubevitals_proto::time::Timestamp;

use crate::model::attention::{Attention, attention};
use crate::model::liveness::Liveness;
use crate::model::members::Members;
use crate::model::message::Link;
use crate::model::name::Name;
use crate::model::row::{Health, IncidentRow, MemberIncidentRow, MemberRow};
use crate::model::state::State;
use crate::model::view::View;

impl Members {
    /// Adds a cluster. Its data is the current one, also while its state shows a past time.
    /// Times are converted to the clock of which `now` is the present: the clocks of clusters differ.
    pub fn add(&mut self, context: &Name, state: &mut State, now: Timestamp) {
        let apart = state.has_separate_usage();
        state.live.derive_sums(apart);
        let shift = now.since(state.now);
        self.rows.push(row(context, state, shift));
        let incidents = state.live.incidents.rows().iter();
        self.incidents
            .extend(incidents.map(|row| MemberIncidentRow {
                context: context.clone(),
                row: row.clone(),
                shift,
            }));
    }
}

/// The row of a cluster.
fn row(context: &Name, state: &State, shift: i64) -> MemberRow {
    let cluster = &state.live.cluster;
    let open = || {
        let rows = state.live.incidents.rows().iter();
        rows.filter(|row| row.is_open() && !state.acknowledgements.has_incident(row))
    };
    let has_incidents = cluster.incidents_open.is_some();
    let incidents = u32::try_from(open().count()).unwrap_or(u32::MAX);
    let unhealthy = unhealthy(state);
    let liveness = state.liveness_in(View::Overview);
    let health = match liveness {
        Liveness::Lost(_) | Liveness::Stale(_) => Health::Lost,
        Liveness::Connecting | Liveness::Loading => Health::Loading,
        _ if cluster.nodes_ready < cluster.nodes => Health::NodesNotReady,
        _ if incidents > 0 || unhealthy > 0 => Health::Unhealthy,
        Liveness::Partly => Health::PartlyLive,
        Liveness::Live => Health::Well,
    };
    let (why, since) = match (&state.link, liveness) {
        (Link::Lost { since, why, .. }, _) => (why.clone(), Some(*since)),
        (_, Liveness::Stale(since)) => (failure(state), since),
        _ => {
            let latest = open().max_by_key(|row| row.last());
            let oldest: Option<Timestamp> = open().map(|row| row.incident.began).min();
            let why = latest.map(|row| in_words(row));
            let why = why
                .or_else(|| nodes_not_ready(state))
                .unwrap_or_else(|| failure(state));
            (why, oldest)
        }
    };
    MemberRow {
        context: context.clone(),
        health,
        why,
        since: since.map(|since| since.plus_nanos(shift)),
        nodes: (cluster.nodes_ready, cluster.nodes),
        pods: (cluster.pods_ready, cluster.pods()),
        unhealthy,
        probes_failing: cluster.probes_failing,
        incidents: has_incidents.then_some(incidents),
        restarts: cluster.restarts,
        usage: cluster.usage,
        reporting: cluster.reporting,
        source: state.source.as_ref().map(|(kind, _)| *kind),
    }
}

/// `OOMKilled: shop/web-1 web`.
fn in_words(row: &IncidentRow) -> String {
    let separator = if row.namespace.is_empty() { "" } else { "/" };
    format!("{}: {}{separator}{}", row.cause(), row.namespace, row.who())
}

/// `1 of 3 nodes not ready`.
fn nodes_not_ready(state: &State) -> Option<String> {
    let cluster = &state.live.cluster;
    let lost = cluster.nodes.saturating_sub(cluster.nodes_ready);
    (lost > 0).then(|| format!("{lost} of {} nodes not ready", cluster.nodes))
}

/// The first part that fails, and why.
fn failure(state: &State) -> String {
    let failing = state.failing_in(View::Overview);
    let first = failing.first();
    first.map_or_else(String::new, |failing| {
        format!("{}: {}", failing.part, failing.why.text)
    })
}

/// The number of pods with a current problem that nobody has acknowledged.
fn unhealthy(state: &State) -> u32 {
    let thresholds = state.settings.thresholds;
    let pods = state.live.pods.rows().iter();
    let unhealthy = pods.filter(|pod| {
        let needs = attention(pod, state.now, thresholds).filter(|it| *it > Attention::Recent);
        needs.is_some() && !state.acknowledgements.has_pod(pod, needs)
    });
    u32::try_from(unhealthy.count()).unwrap_or(u32::MAX)
}
