//! Applies messages to the state.

use std::sync::Arc;

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::History;

use super::requests::requests;
use super::time;
use crate::model::batch::{Batch, Readings};
use crate::model::effect::{Effect, SourceRequest};
use crate::model::message::{Link, Message, Subject};
use crate::model::name::Key;
use crate::model::part::{Outcome, Part, PartState, SourceKind};
use crate::model::row::{IncidentRow, Row};
use crate::model::state::{Notice, State};
use crate::model::table::{Table, Version};
use crate::model::trend::Trends;
use crate::model::world::{World, cluster_key};

/// The seconds between two requests for data that the source does not send by itself.
const REQUEST_SECONDS: i64 = 10;

/// Applies a message to the state. Returns the work for the main loop.
pub fn apply(state: &mut State, message: Message) -> Vec<Effect> {
    match message {
        Message::Tick(now) => return tick(state, now),
        Message::Source(kind, why) => return source(state, kind, why),
        Message::Link(link) => {
            log_link(state, &link);
            state.link = link;
        }
        Message::Part(part, outcome) => take_outcome(state, part, outcome),
        Message::Only(namespace) => state.only = namespace,
        Message::Pods(batch) => {
            record(&mut state.trends, &batch, |pod| {
                (pod.key(), pod.usage_time(), pod.usage)
            });
            let apart = state.has_separate_usage();
            state.live.apply_pods(batch, apart);
            let context = state.context();
            let pods = &state.live.pods;
            state.acknowledgements.follow(
                |key| pods.get(key).map(Arc::as_ref),
                state.now,
                context.thresholds,
            );
        }
        Message::Nodes(batch) => {
            record(&mut state.trends, &batch, |node| {
                (node.key(), node.usage_time(), node.usage)
            });
            let apart = state.has_separate_usage();
            state.live.apply_nodes(batch, apart);
        }
        Message::Rows(rows) => rows.apply(&mut state.live),
        Message::Incidents(batch) => return incidents(state, batch),
        Message::Replicas(changes) => {
            for (key, replicas) in changes {
                match replicas {
                    Some(replicas) => drop(state.live.replicas.insert(key, replicas)),
                    None => drop(state.live.replicas.remove(&key)),
                }
            }
            state.live.pods_changed();
        }
        Message::Availability(all) => {
            state.live.availability = all.into_iter().collect();
            state.live.pods_changed();
        }
        Message::Jobs(batch) => state.live.apply_jobs(batch),
        Message::Usage(readings) => {
            let Readings { nodes, pods } = readings;
            if let Some(nodes) = nodes {
                state.live.apply_node_usage(nodes, &mut state.trends);
            }
            if let Some(pods) = pods {
                state.live.apply_pod_usage(pods, &mut state.trends);
            }
            drop_stale_trends(state);
            // The source may send no totals. Then they are the sums of nodes and pods.
            if !state.live.has_source_totals {
                let sums_of_nodes = state.has_separate_usage();
                state.live.derive(state.screen().view, sums_of_nodes);
                record_cluster(state);
            }
        }
        Message::Trends(trends) => {
            for (key, readings) in trends {
                state.trends.begin_with(&key, &readings);
            }
        }
        Message::Cluster(cluster) => {
            state.live.cluster = cluster;
            record_cluster(state);
            state.live.has_source_totals = true;
        }
        Message::Extent(extent) => state.live.extent = extent,
        Message::Clusters(all) => {
            state.live.members = Table::of(all.rows);
            state.live.member_incidents = Table::of(all.incidents);
            state.parts.insert(Part::Clusters, PartState::Live);
        }
        Message::Namespaces(names) => state.all_namespaces = names,
        Message::History(subject, history) => {
            // The number of histories that are stored.
            const MAX_HISTORIES: usize = 8;
            if state.histories.len() >= MAX_HISTORIES && !state.histories.contains_key(&subject) {
                state
                    .histories
                    .retain(|subject, _| *subject == Subject::Cluster);
            }
            let why = |history: &History| history.absent.as_ref().map(|it| it.message.clone());
            let before = state.histories.get(&subject).and_then(|it| why(it));
            if let Some(why) = why(&history).filter(|why| before.as_ref() != Some(why)) {
                state.say(time::only_memory(&why), true);
            }
            state.histories.insert(subject, history);
        }
        Message::Detail(key, detail) => {
            for screen in &mut state.stack {
                if screen.pod() == Some(&key) {
                    screen.detail = Some(detail.clone());
                    screen.no_detail = None;
                }
            }
        }
        Message::Facts(scope, facts) => {
            for screen in &mut state.stack {
                if screen.scope == scope {
                    screen.facts = Some(facts.clone());
                }
            }
        }
        Message::NoDetail(key, why) => {
            for screen in &mut state.stack {
                if screen.pod() == Some(&key) {
                    screen.no_detail = Some(why.clone());
                }
            }
        }
        Message::Past(past) => return time::apply_past(state, *past),
        Message::NoPast(at, why) => return time::refused(state, at, why),
    }
    Vec::new()
}

/// Applies incidents. A new open incident rings the bell if the settings say so. The incidents of the first batch are
/// not new.
fn incidents(state: &mut State, batch: Batch<IncidentRow>) -> Vec<Effect> {
    let incidents = &state.live.incidents;
    let is_new = |row: &IncidentRow| row.is_open() && incidents.get(&row.key()).is_none();
    let any_is_new = batch.rows().any(is_new);
    let were_known = incidents.version() != Version::default();
    World::apply_batch(&mut state.live.incidents, batch);
    if state.settings.bell && were_known && any_is_new {
        return vec![Effect::Bell];
    }
    Vec::new()
}

/// Switches to another source. Data stays on the screen until the new source replaces it.
fn source(state: &mut State, kind: SourceKind, why: String) -> Vec<Effect> {
    let text = format!("source {kind}: {why}");
    state.messages.add(state.now, &text, false);
    let before = state.source.replace((kind, why));
    let has_totals = kind == SourceKind::Vitals;
    let is_same = before.is_some_and(|(before, _)| (before == SourceKind::Vitals) == has_totals);
    if is_same {
        return Vec::new();
    }
    if !has_totals {
        state.live.has_source_totals = false;
        state.live.extent = None;
    }
    state.live.source_changed();
    state
        .parts
        .retain(|part, state| state.has_answered() && Part::of_source(kind).contains(part));
    state.requested_at = Timestamp::default();
    let interest = SourceRequest::Interest(Box::new(state.interest.clone()));
    let nodes = SourceRequest::Nodes(state.nodes_on_screen);
    vec![Effect::Request(interest), Effect::Request(nodes)]
}

/// Adds a message if the connection is lost or restored.
fn log_link(state: &mut State, link: &Link) {
    match (&state.link, link) {
        (Link::Lost { why: before, .. }, Link::Lost { why, .. }) if before == why => {}
        (_, Link::Lost { why, .. }) => {
            let text = format!("the cluster does not answer: {why}");
            state.messages.add(state.now, &text, true);
        }
        (Link::Lost { since, .. }, Link::Up) => {
            let age = crate::model::format::age(*since, state.now);
            let text = format!("the cluster answers again, after {age}");
            state.messages.add(state.now, &text, false);
        }
        _ => {}
    }
}

/// Adds a message if a part fails for a new reason or is available again.
fn log_part(state: &mut State, part: Part, outcome: &Outcome) {
    let before = state.parts.get(&part).and_then(PartState::failure);
    let (text, bad) = match (before, outcome) {
        (Some((before, _)), Outcome::Failed { why, .. }) if before.text == why.text => return,
        (_, Outcome::Failed { why, .. }) => (format!("{part}: {}", why.text), true),
        (Some(_), Outcome::Succeeded) => (format!("{part}: available again"), false),
        _ => return,
    };
    state.messages.add(state.now, &text, bad);
}

/// Applies the outcome of a request for a part.
fn take_outcome(state: &mut State, part: Part, outcome: Outcome) {
    log_part(state, part, &outcome);
    let failed = matches!(outcome, Outcome::Failed { .. });
    if part == Part::OtherPods && !failed {
        state.parts.remove(&part);
        return;
    }
    // Without the cluster's totals, sums of all pods are better than nothing; sums of some pods are not.
    if part == Part::Cluster && failed && state.live.extent.is_none() {
        state.live.has_source_totals = false;
        state.live.pods_changed();
    }
    if state.link == Link::Connecting && outcome == Outcome::Succeeded {
        state.link = Link::Up;
    }
    let now = state.now;
    state.parts.entry(part).or_default().take(outcome, now);
}

/// Adds the cluster's usage to its trend.
fn record_cluster(state: &mut State) {
    let cluster = &state.live.cluster;
    if let Some(usage_time) = cluster.usage_time {
        state
            .trends
            .push(&cluster_key(), usage_time, cluster.estimate());
    }
}

/// Adds usage of rows to their trends.
fn record<R>(
    trends: &mut Trends,
    batch: &Batch<R>,
    reading: impl Fn(&R) -> (Key, Option<Timestamp>, crate::model::Amounts),
) {
    for (key, usage_time, usage) in batch.rows().map(reading) {
        if let Some(usage_time) = usage_time {
            trends.push(&key, usage_time, usage);
        }
    }
}

/// Removes trends of deleted objects once there are twice as many trends as rows, and trends of containers without a
/// reading in the last hour once there is no space for others. Until pods and nodes are loaded, no object counts as
/// deleted: trends may arrive before the objects.
fn drop_stale_trends(state: &mut State) {
    let is_loading = |part: &Part| matches!(state.part(*part), PartState::Loading { .. });
    if [Part::Pods, Part::Nodes].iter().any(is_loading) {
        return;
    }
    let rows = state.live.pods.len() + state.live.nodes.len() + 1;
    if state.trends.has_max_containers() {
        let hour_ago = state.now.plus_nanos(-3_600 * 1_000_000_000);
        state.trends.retain_containers_since(hour_ago);
    }
    if state.trends.count() > rows * 2 + 64 {
        let live = &state.live;
        let cluster = cluster_key();
        state.trends.retain(|key| {
            let key = Key::new(&key.namespace, &key.name);
            key == cluster || live.pods.get(&key).is_some() || live.nodes.get(&key).is_some()
        });
    }
}

fn tick(state: &mut State, now: Timestamp) -> Vec<Effect> {
    state.now = now;
    state.notice = state.notice.take().and_then(|notice| {
        let ticks = notice.ticks.checked_sub(1)?;
        Some(Notice { ticks, ..notice })
    });
    if now.since(state.requested_at) >= REQUEST_SECONDS * 1_000_000_000 {
        drop_stale_trends(state);
        if state.has_separate_usage() {
            state.live.expire(now);
        }
        return requests(state);
    }
    Vec::new()
}
