//! Applies messages to the state.

use std::sync::Arc;

use kubevitals_proto::time::Timestamp;

use super::ask::ask;
use super::time;
use crate::model::batch::Batch;
use crate::model::effect::{Ask, Effect};
use crate::model::message::{Link, Message, Subject};
use crate::model::name::Key;
use crate::model::part::{Outcome, Part, PartState, SourceKind};
use crate::model::row::{IncidentRow, Row};
use crate::model::state::{Notice, State};
use crate::model::table::{Change, Version};
use crate::model::trend::Trends;
use crate::model::world::{World, cluster_key};

/// The seconds between two requests for data that the source does not send by itself.
const ASK_SECONDS: i64 = 10;

/// Applies a message to the state. Returns the work for the main loop.
pub fn apply(state: &mut State, message: Message) -> Vec<Effect> {
    match message {
        Message::Tick(now) => return tick(state, now),
        Message::Source(kind, why) => return source(state, kind, why),
        Message::Link(link) => {
            note_link(state, &link);
            state.link = link;
        }
        Message::Part(part, outcome) => take_outcome(state, part, outcome),
        Message::Only(namespace) => state.only = namespace,
        Message::Pods(batch) => {
            note(&mut state.trends, &batch, |pod| {
                (pod.key(), pod.measured(), pod.usage)
            });
            let apart = state.usage_apart();
            state.live.take_pods(batch, apart);
            let context = state.context();
            let pods = &state.live.pods;
            state.acknowledgements.follow(
                |key| pods.get(key).map(Arc::as_ref),
                state.now,
                context.thresholds,
            );
        }
        Message::Nodes(batch) => {
            note(&mut state.trends, &batch, |node| {
                (node.key(), node.measured(), node.usage)
            });
            let apart = state.usage_apart();
            state.live.take_nodes(batch, apart);
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
        Message::Jobs(batch) => state.live.take_jobs(batch),
        Message::Usage(readings) => {
            state.live.take_readings(&readings);
            for node in &readings.nodes {
                state
                    .trends
                    .push(&Key::named(&node.name), node.at, node.usage);
            }
            for pod in &readings.pods {
                let usage = pod.containers.iter().map(|container| container.usage).sum();
                let key = Key::new(&pod.namespace, &pod.name);
                state.trends.push(&key, pod.at, usage);
                // The only container of a pod has the same trend as the pod.
                let known = state
                    .live
                    .pods
                    .get(&key)
                    .map_or(0, |pod| pod.containers.len());
                if known.max(pod.containers.len()) > 1 {
                    for container in &pod.containers {
                        let key = key.clone().part(&container.name);
                        state.trends.push(&key, pod.at, container.usage);
                    }
                }
            }
            forget_what_is_gone(state);
            note_cluster(state);
        }
        Message::Trends(trends) => {
            for (key, readings) in trends {
                state.trends.begin_with(&key, &readings);
            }
        }
        Message::Cluster(cluster) => {
            if let Some(measured) = cluster.measured {
                state
                    .trends
                    .push(&cluster_key(), measured, cluster.estimate());
            }
            state.live.cluster = cluster;
            state.live.cluster_told = true;
        }
        Message::Extent(extent) => state.live.extent = extent,
        Message::Namespaces(names) => state.all_namespaces = names,
        Message::History(subject, history) => {
            // The number of histories that are stored.
            const KEPT: usize = 8;
            if state.histories.len() >= KEPT && !state.histories.contains_key(&subject) {
                state
                    .histories
                    .retain(|subject, _| *subject == Subject::Cluster);
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
        Message::NoDetail(key, why) => {
            for screen in &mut state.stack {
                if screen.pod() == Some(&key) {
                    screen.no_detail = Some(why.clone());
                }
            }
        }
        Message::Past(past) => return time::arrived(state, *past),
        Message::NoPast(at, why) => return time::refused(state, at, why),
    }
    Vec::new()
}

/// Applies incidents. A new open incident rings the bell if the settings say so. The incidents of the first batch are
/// not new.
fn incidents(state: &mut State, batch: Batch<IncidentRow>) -> Vec<Effect> {
    let known = &state.live.incidents;
    let is_new = |row: &IncidentRow| row.is_open() && known.get(&row.key()).is_none();
    let any_is_new = match &batch {
        Batch::All(rows) => rows.iter().any(is_new),
        Batch::Some(changes) => changes
            .iter()
            .any(|change| matches!(change, Change::Put(row) if is_new(row))),
    };
    let were_known = known.version() != Version::default();
    World::take(&mut state.live.incidents, batch);
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
    let tells_of_cluster = kind == SourceKind::Vitals;
    let is_same =
        before.is_some_and(|(before, _)| (before == SourceKind::Vitals) == tells_of_cluster);
    if is_same {
        return Vec::new();
    }
    if !tells_of_cluster {
        state.live.cluster_told = false;
        state.live.extent = None;
    }
    state.live.source_changed();
    state
        .parts
        .retain(|part, state| state.has_answered() && Part::of_source(kind).contains(part));
    state.asked = Timestamp::default();
    vec![Effect::Ask(Ask::Interest(Box::new(state.interest.clone())))]
}

/// Adds a message if the connection is lost or restored.
fn note_link(state: &mut State, link: &Link) {
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
fn note_part(state: &mut State, part: Part, outcome: &Outcome) {
    let before = state.parts.get(&part).and_then(PartState::failure);
    let (text, bad) = match (before, outcome) {
        (Some((before, _)), Outcome::Failed { why, .. }) if before.text == why.text => return,
        (_, Outcome::Failed { why, .. }) => (format!("{part}: {}", why.text), true),
        (Some(_), Outcome::Answered) => (format!("{part}: available again"), false),
        _ => return,
    };
    state.messages.add(state.now, &text, bad);
}

/// Applies the outcome of a request for a part.
fn take_outcome(state: &mut State, part: Part, outcome: Outcome) {
    note_part(state, part, &outcome);
    let failed = matches!(outcome, Outcome::Failed { .. });
    if part == Part::OtherPods && !failed {
        state.parts.remove(&part);
        return;
    }
    // Without the cluster's totals, sums of all pods are better than nothing; sums of some pods are not.
    if part == Part::Cluster && failed && state.live.extent.is_none() {
        state.live.cluster_told = false;
        state.live.pods_changed();
    }
    if state.link == Link::Connecting && outcome == Outcome::Answered {
        state.link = Link::Up;
    }
    let now = state.now;
    state.parts.entry(part).or_default().take(outcome, now);
}

/// Adds the sums of nodes and pods to the cluster's trend, if the source sends no totals.
fn note_cluster(state: &mut State) {
    if state.live.cluster_told {
        return;
    }
    state.live.derive(state.screen().view, state.usage_apart());
    let cluster = &state.live.cluster;
    if let Some(measured) = cluster.measured {
        state
            .trends
            .push(&cluster_key(), measured, cluster.estimate());
    }
}

/// Adds usage of rows to their trends.
fn note<R: Row>(
    trends: &mut Trends,
    batch: &Batch<R>,
    reading: impl Fn(&R) -> (Key, Option<Timestamp>, crate::model::Amounts),
) {
    let mut push = |row: &R| {
        let (key, measured, usage) = reading(row);
        if let Some(measured) = measured {
            trends.push(&key, measured, usage);
        }
    };
    match batch {
        Batch::All(rows) => {
            rows.iter().for_each(&mut push);
        }
        Batch::Some(changes) => {
            for change in changes {
                if let Change::Put(row) = change {
                    push(row);
                }
            }
        }
    }
}

/// Removes trends of deleted objects once there are twice as many trends as rows. Until pods and nodes are loaded, no
/// object counts as deleted: trends may arrive before the objects.
fn forget_what_is_gone(state: &mut State) {
    let waits = |part: &Part| matches!(state.part(*part), PartState::Asking { .. });
    if [Part::Pods, Part::Nodes].iter().any(waits) {
        return;
    }
    let rows = state.live.pods.len() + state.live.nodes.len() + 1;
    if state.trends.len() > rows * 2 + 64 || state.trends.has_no_room_for_containers() {
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
    if now.since(state.asked) >= ASK_SECONDS * 1_000_000_000 {
        forget_what_is_gone(state);
        if state.usage_apart() {
            state.live.expire(now);
        }
        return ask(state);
    }
    Vec::new()
}
