//! Applies messages to the state.

use std::sync::Arc;

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::History;

use super::outlook;
use super::requests::requests;
use super::{drains, handover, text, time};
use crate::model::amount::Amounts;
use crate::model::batch::{Batch, Readings};
use crate::model::effect::{Effect, SourceRequest};
use crate::model::message::{Link, Message, Subject};
use crate::model::name::Key;
use crate::model::part::{Outcome, Part, PartState, SourceKind};
use crate::model::row::{IncidentRow, PodRow, Row};
use crate::model::state::{Notice, State};
use crate::model::table::{Table, Version};
use crate::model::trend::Trends;
use crate::model::world::{World, cluster_key};

/// The seconds between two requests for data that the source does not send by itself.
const REQUEST_SECONDS: i64 = 10;

/// The least seconds between two notifications.
const NOTIFY_SECONDS: i64 = 10;

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
            let containers = batch.rows().filter(|pod| pod.containers.len() > 1);
            for pod in containers.filter(|_| !apart) {
                record_containers(&mut state.trends, pod);
            }
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
            let nodes = &state.live.nodes;
            state.acknowledgements.follow_nodes(|name| {
                let node = nodes.get(&Key::named(name));
                node.is_none_or(|node| {
                    node.ready && node.conditions.is_empty() && node.usage.cpu.is_known()
                })
            });
        }
        Message::Rows(rows) => rows.apply(&mut state.live),
        Message::Incidents(batch) => return incidents(state, batch),
        Message::Replicas(changes) => {
            for (key, replicas) in changes {
                match replicas {
                    Some(replicas) => {
                        let before = state.live.replicas.insert(key.clone(), replicas);
                        if before.is_some_and(|before| before.desired != replicas.desired) {
                            state.marked_changes.push(key, state.now);
                        }
                    }
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
        Message::OwnMetrics(key, metrics) => {
            for screen in &mut state.stack {
                if screen.pod() == Some(&key) {
                    screen.own_metrics = Some(metrics.clone());
                }
            }
        }
        Message::Volumes(change) => state.live.apply_volumes(change),
        Message::Before(past) => outlook::apply_before(state, *past),
        Message::NoBefore(at) => outlook::refused(state, at),
        Message::Past(past) => return time::apply_past(state, *past),
        Message::NoPast(at, why) => return time::refused(state, at, why),
        Message::Logs(batch) => text::apply_logs(state, *batch),
        Message::Document(id, result) => {
            handover::apply_ports(state, id, &result);
            text::apply_document(state, id, *result);
        }
        Message::Done(text, bad) => state.say(text, bad),
        Message::Draining(node, progress) => drains::continues(state, node, progress),
        Message::Drained(node, text, bad) => drains::ended(state, &node, text, bad),
    }
    Vec::new()
}

/// Applies incidents. A new open incident notifies the user if the settings say so. The incidents of the first batch, and
/// those from before the start, are not new.
fn incidents(state: &mut State, batch: Batch<IncidentRow>) -> Vec<Effect> {
    let incidents = &state.live.incidents;
    let is_new = |row: &&IncidentRow| {
        let began = row.incident.began;
        row.is_open() && began >= state.started && incidents.get(&row.key()).is_none()
    };
    let new: Vec<&IncidentRow> = batch.rows().filter(is_new).collect();
    let text = new.first().map(|row| match new.len() {
        1 => format!("{}: {}, {}", row.who(), row.reason(), row.cause()),
        count => format!("{count} new incidents"),
    });
    let is_due = state.now.since(state.notified_at) >= NOTIFY_SECONDS * 1_000_000_000;
    let is_wanted = state.settings.notify && incidents.version() != Version::default() && is_due;
    World::apply_batch(&mut state.live.incidents, batch);
    match text.filter(|_| is_wanted) {
        Some(text) => {
            state.notified_at = state.now;
            vec![Effect::Notify(text)]
        }
        None => Vec::new(),
    }
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
    let volumes = SourceRequest::Volumes(state.volumes_on_screen);
    vec![
        Effect::Request(interest),
        Effect::Request(nodes),
        Effect::Request(volumes),
    ]
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
    reading: impl Fn(&R) -> (Key, Option<Timestamp>, Amounts),
) {
    for (key, usage_time, usage) in batch.rows().map(reading) {
        if let Some(usage_time) = usage_time {
            trends.push(&key, usage_time, usage);
        }
    }
}

/// Adds usage of the containers of a pod to their trends. The only container of a pod has the same trend as the pod.
fn record_containers(trends: &mut Trends, pod: &PodRow) {
    let Some(usage_time) = pod.usage_time() else {
        return;
    };
    for container in &pod.containers {
        if container.usage != Amounts::default() {
            let key = pod.key().part(&container.name);
            trends.push(&key, usage_time, container.usage);
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
    let mut effects = text::follow_new_pods(state);
    state.notice = state.notice.take().and_then(|notice| {
        let ticks = notice.ticks.checked_sub(1)?;
        Some(Notice { ticks, ..notice })
    });
    outlook::collect(state);
    effects.extend(outlook::requests(state));
    if now.since(state.requested_at) >= REQUEST_SECONDS * 1_000_000_000 {
        drop_stale_trends(state);
        if state.has_separate_usage() {
            state.live.expire(now);
        }
        effects.extend(requests(state));
    }
    effects
}
