//! The state of health, and the changes that it receives. The caller passes the current time, so the engine is
//! deterministic.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use kubevitals_proto::kubelet::probes::ProbeScrape;
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::Meta;

use super::announcements::{Announcement, Announcements};
use super::changes::Change;
use super::container_index::ContainerIndex;
use super::facts::PodFacts;
use super::incident_record::IncidentId;
use super::incidents::Incidents;
use super::limits::Limits;
use super::pod_events::{EventKind, classify};
use super::pod_versions::PodVersions;
use super::probe_counters::Counters;
use super::review_context::{ReviewContext, Totals};
use super::rules::node::LostNodes;
use super::terminations::{finished, in_status, is_static};
use super::thresholds::{EVENT_RETENTION, LOOK_BACK, RESTORE_TIMEOUT, SECOND};
use super::unmatched_events::{Unmatched, is_about};
use super::usage_history::UsageHistory;
use crate::cluster::{Cluster, Event, Node, Phase, Pod, PodKey, Uid};

/// The health of a cluster.
#[derive(Debug)]
pub(super) struct Engine {
    /// The current objects. A change of a pod arrives before they contain it.
    pub(super) cluster: Arc<Cluster>,
    usage: Arc<dyn UsageHistory>,
    pub(super) pods: HashMap<Uid, PodFacts>,
    pub(super) incidents: Incidents,
    pub(super) announcements: Announcements,
    pub(super) counters: Counters,
    pub(super) nodes: LostNodes,
    pub(super) log: PodVersions,
    pub(super) totals: Totals,
    pub(super) limits: Limits,
    /// The node incidents that were open when the server stopped.
    pub(super) restored_nodes: HashMap<String, IncidentId>,
    /// The time at which a snapshot was restored.
    pub(super) restored_at: Option<Timestamp>,
    /// Events about pods that the watch has not reported yet.
    pub(super) unmatched: Unmatched,
    /// The time up to which the engine is informed: the last change of a pod or node, or when the newest merged
    /// snapshot was written.
    pub(super) as_of: Timestamp,
    wakes: BTreeSet<(Timestamp, Uid)>,
    /// The time of the last removal of old data.
    cleaned: Timestamp,
}

/// The time between two removals of old data.
const CLEANUP_INTERVAL: i64 = 60 * SECOND;

impl Engine {
    pub(super) fn new(cluster: Arc<Cluster>, usage: Arc<dyn UsageHistory>, limits: Limits) -> Self {
        Self {
            cluster,
            usage,
            pods: HashMap::new(),
            incidents: Incidents::new(limits),
            announcements: Announcements::default(),
            counters: Counters::default(),
            nodes: LostNodes::default(),
            log: PodVersions::new(limits.versions),
            totals: Totals::default(),
            limits,
            restored_nodes: HashMap::new(),
            restored_at: None,
            unmatched: Unmatched::default(),
            as_of: Timestamp(i64::MIN),
            wakes: BTreeSet::new(),
            cleaned: Timestamp(0),
        }
    }

    /// Stores or removes the last announcement about an incident.
    pub(super) fn announce(&mut self, of: &Meta, announcement: Option<Announcement>) {
        if self
            .announcements
            .set(&of.namespace, &of.name, announcement)
        {
            self.incidents.changes.record(Change::Announced);
        }
    }

    /// Applies a created, changed or deleted pod.
    pub(super) fn pod(
        &mut self,
        before: Option<&Arc<Pod>>,
        after: Option<&Arc<Pod>>,
        now: Timestamp,
    ) {
        self.as_of = self.as_of.max(now);
        if let Some(before) = before {
            self.log.record(before, now);
        }
        let same = |before: &&Arc<Pod>| after.is_some_and(|after| after.uid == before.uid);
        let (before, replaced) = match before {
            Some(before) if same(&before) => (Some(before), None),
            other => (None, other),
        };
        if let Some(deleted) = replaced {
            self.delete(deleted, now);
        }
        if let Some(pod) = after {
            self.update(before, pod, now);
            for event in self.unmatched.take(pod, now) {
                self.event_of(event, Some(pod), now);
            }
        }
    }

    fn update(&mut self, before: Option<&Arc<Pod>>, pod: &Arc<Pod>, now: Timestamp) {
        self.nodes.count(pod, &mut self.incidents);
        if !self.pods.contains_key(&pod.uid)
            && (is_healthy(before.map(|it| &**it), pod, now) || !self.admit(pod, now))
        {
            return;
        }
        self.with(pod.uid, now, |facts, context| {
            facts.apply_pod(before.map(|it| &**it), pod, context);
        });
    }

    /// Adds facts about a pod, unless the limit is reached.
    fn admit(&mut self, pod: &Pod, now: Timestamp) -> bool {
        if self.pods.len() >= self.limits.pods {
            self.totals.dropped_pods += 1;
            return false;
        }
        let facts = PodFacts::new(pod.key.clone(), pod.uid, now);
        self.pods.insert(pod.uid, facts);
        true
    }

    fn delete(&mut self, pod: &Arc<Pod>, now: Timestamp) {
        self.nodes.forget(pod);
        if !self.pods.contains_key(&pod.uid) {
            return;
        }
        self.with(pod.uid, now, |facts, context| {
            let by = Timestamp::from_secs(pod.deleted_seconds.into());
            let at = if pod.deleted_seconds > 0 {
                context.now.min(by)
            } else {
                context.now
            };
            facts.end_all(at, "the pod was deleted", context);
            facts.deleted = Some(context.now);
        });
    }

    /// Applies a created, changed or deleted node.
    pub(super) fn node(
        &mut self,
        before: Option<&Arc<Node>>,
        after: Option<&Arc<Node>>,
        now: Timestamp,
    ) {
        self.as_of = self.as_of.max(now);
        let Some(node) = after else {
            if let Some(before) = before {
                self.nodes.delete(&before.name, now, &mut self.incidents);
                self.counters.remove(&before.name);
            }
            return;
        };
        let was_lost = self.nodes.is_lost(&node.name);
        let restored = self.restored_nodes.remove(&*node.name);
        let back = self.nodes.apply(node, restored, now, &mut self.incidents);
        if was_lost != self.nodes.is_lost(&node.name) {
            let on_node = self.on(&node.name);
            if !was_lost {
                for pod in on_node
                    .iter()
                    .filter_map(|uid| self.pods.get(uid)?.pod.clone())
                {
                    self.nodes.count(&pod, &mut self.incidents);
                }
            }
            for uid in on_node {
                self.with(uid, now, |facts, context| facts.review(context));
            }
        }
        // Pods that are not ready although their node is ready again have another problem.
        for pod in back {
            self.update(None, &pod, now);
        }
    }

    /// The pods on a node that have facts.
    fn on(&self, node: &str) -> Vec<Uid> {
        let on_node = |facts: &PodFacts| {
            let pod = facts.pod.as_ref();
            facts.deleted.is_none() && pod.is_some_and(|pod| pod.node.as_deref() == Some(node))
        };
        let all = self.pods.iter().filter(|(_, facts)| on_node(facts));
        all.map(|(uid, _)| *uid).collect()
    }

    /// Applies a new or repeated Event about a pod.
    pub(super) fn event(&mut self, event: &Event, now: Timestamp) {
        let facts = self.pods.get(&event.pod_uid);
        let existing = facts.and_then(|facts| facts.pod.clone());
        let pod = existing
            .filter(|pod| pod.key == event.pod)
            .or_else(|| self.cluster.pods().get(&event.pod).cloned());
        self.event_of(event.clone(), pod.as_ref(), now);
    }

    /// Applies an Event about a pod, which the watch may not have reported yet.
    fn event_of(&mut self, mut event: Event, pod: Option<&Arc<Pod>>, now: Timestamp) {
        let Some(event_kind) = classify(&event) else {
            return;
        };
        // An Event without a UID may be about a deleted pod of the same name.
        if !event.pod_uid.is_some() || now.since(event.last) > LOOK_BACK {
            return;
        }
        // It may be about an earlier or a later pod of this name.
        let Some(pod) = pod.filter(|pod| is_about(&event, pod)) else {
            self.unmatched.push(event, now);
            return;
        };
        if event_kind.is_from_kubelet() && !is_of_its_kubelet(&event, pod) {
            self.totals.refused_events += 1;
            return;
        }
        event.last = event.last.min(now);
        event.first = event.first.min(event.last);
        if !self.pods.contains_key(&pod.uid) {
            let age = now.since(event.last);
            let started = is_reason(event_kind, age) && self.start(pod, now);
            if !started {
                return;
            }
        }
        self.with(pod.uid, now, |facts, context| {
            facts.apply_event(&event, event_kind, context);
        });
    }

    /// Starts facts about a pod whose own state is healthy, because an Event or a counter reports a problem.
    fn start(&mut self, pod: &Arc<Pod>, now: Timestamp) -> bool {
        if !self.admit(pod, now) {
            return false;
        }
        self.with(pod.uid, now, |facts, context| {
            facts.apply_pod(Some(pod), pod, context);
            // Otherwise the facts would be dropped at once.
            facts.wake_at(now.plus_nanos(SECOND));
        });
        true
    }

    /// The names of a pod's open incidents, and of the one about its failure.
    pub(super) fn incidents_of(&self, pod: &Pod) -> Vec<String> {
        let facts = self.pods.get(&pod.uid);
        let open = facts.into_iter().flat_map(|facts| &facts.open);
        let failed = pod.phase == Phase::Failed;
        let failure = failed.then(|| self.incidents.failure_of(pod.uid)).flatten();
        let of_node = pod.node.as_ref();
        let of_node = of_node.and_then(|node| self.nodes.incident_of(node, pod.uid));
        let all = open.map(|open| open.id).chain(failure).chain(of_node);
        let mut names = Vec::new();
        for incident in all.filter_map(|id| self.incidents.visible_for(id)) {
            if !names.contains(&incident.metadata.name) {
                names.push(incident.metadata.name.clone());
            }
        }
        names
    }

    /// Applies the counters of a node's probes.
    pub(super) fn probes(&mut self, node: &Arc<str>, scrape: &ProbeScrape<'_>, now: Timestamp) {
        for (key, uid) in self.counters.apply(node, scrape, now) {
            if self.pods.contains_key(&uid) {
                continue;
            }
            let key = PodKey::new(&*key.namespace, &*key.pod);
            // A kubelet counts the probes of its own pods only.
            let is_on_node = |pod: &&Arc<Pod>| {
                pod.node.as_ref() == Some(node) && (pod.uid == uid || is_static(pod))
            };
            if let Some(pod) = self.cluster.pods().get(&key).filter(is_on_node)
                && !self.pods.contains_key(&pod.uid)
            {
                self.start(pod, now);
            }
        }
        for uid in self.on(node) {
            self.with(uid, now, |facts, context| {
                facts.apply_counters(node, context)
            });
        }
    }

    /// Does the work that is due at `now`.
    pub(super) fn tick(&mut self, now: Timestamp) {
        self.incidents.flush();
        while let Some((at, uid)) = self.wakes.first().copied() {
            if at > now {
                break;
            }
            self.wakes.remove(&(at, uid));
            self.with(uid, now, |facts, context| {
                let was_restored = facts.pod.is_none() && !facts.open.is_empty();
                if was_restored && now.since(facts.since) >= RESTORE_TIMEOUT {
                    facts.end_all(now, "the pod was gone when this server came back", context);
                }
                facts.review(context);
            });
        }
        if self.nodes.due().is_some_and(|due| due <= now) {
            self.nodes.tick(now, &mut self.incidents);
        }
        if self
            .restored_at
            .is_some_and(|at| now.since(at) >= RESTORE_TIMEOUT)
        {
            self.restored_at = None;
            for (_, id) in std::mem::take(&mut self.restored_nodes) {
                self.incidents.end(id, now);
            }
        }
        if now.since(self.cleaned) >= CLEANUP_INTERVAL {
            self.cleaned = now;
            self.incidents.drop_old(now);
            let incidents = &self.incidents;
            self.announcements.retain(|name| incidents.has(name));
            let retention = i64::try_from(self.limits.history.as_nanos()).unwrap_or(i64::MAX);
            self.log.drop_before(now.plus_nanos(-retention));
            self.sweep(now);
        }
    }

    /// Restores facts about a pod. The pod is reviewed at `by`, unless the watch reports it earlier.
    pub(super) fn restore(&mut self, mut facts: PodFacts, by: Timestamp) {
        facts.wake = Some(by);
        self.wakes.insert((by, facts.uid));
        self.pods.insert(facts.uid, facts);
    }

    /// Removes the facts about a pod.
    pub(super) fn take_out(&mut self, uid: Uid) -> Option<PodFacts> {
        let facts = self.pods.remove(&uid)?;
        if let Some(wake) = facts.wake {
            self.wakes.remove(&(wake, uid));
        }
        Some(facts)
    }

    /// The time at which [`Self::tick`] has work.
    pub(super) fn due(&self) -> Timestamp {
        let wake = self.wakes.first().map(|(at, _)| *at);
        let cleanup = self.cleaned.plus_nanos(CLEANUP_INTERVAL);
        let behind = self.incidents.is_behind().then_some(self.cleaned);
        [wake, self.nodes.due(), behind]
            .into_iter()
            .flatten()
            .fold(cleanup, Timestamp::min)
    }

    /// Drops old restarts.
    fn sweep(&mut self, now: Timestamp) {
        let idle: Vec<Uid> = self.pods.keys().copied().collect();
        for uid in idle {
            self.with(uid, now, |facts, context| {
                let retention = LOOK_BACK.max(context.incidents.retention());
                for container in &mut facts.containers {
                    let old =
                        |at: Option<Timestamp>| at.is_some_and(|at| now.since(at) > retention);
                    container
                        .restarts
                        .retain(|restart| !old(restart.ended.finished));
                }
            });
        }
    }

    /// Changes the facts about a pod, and drops them if they are no longer needed.
    pub(super) fn with(
        &mut self,
        uid: Uid,
        now: Timestamp,
        change: impl FnOnce(&mut PodFacts, &mut ReviewContext<'_>),
    ) {
        let Some(mut facts) = self.pods.remove(&uid) else {
            return;
        };
        let was = facts.wake;
        let before = self.incidents.changes.version();
        let failing = facts.failing();
        let mut context = ReviewContext {
            now,
            incidents: &mut self.incidents,
            counters: &self.counters,
            nodes: &self.nodes,
            usage: &*self.usage,
            totals: &mut self.totals,
        };
        change(&mut facts, &mut context);
        if self.incidents.changes.version() != before || facts.failing() != failing {
            self.incidents
                .changes
                .record(Change::Pod(facts.key.clone()));
        }
        let keep_until = facts.keep_until(now);
        if let Some(until) = keep_until
            && facts.wake.is_none_or(|wake| wake > until)
        {
            facts.wake = Some(until);
        }
        if let Some(was) = was {
            self.wakes.remove(&(was, uid));
        }
        if facts.wake.is_none() && facts.is_idle() {
            return;
        }
        if let Some(wake) = facts.wake {
            self.wakes.insert((wake, uid));
        }
        self.pods.insert(uid, facts);
    }
}

/// Whether an Event may be from the kubelet that runs this pod.
fn is_of_its_kubelet(event: &Event, pod: &Pod) -> bool {
    let host = &event.host;
    let same = |node: &Arc<str>| host.is_empty() || node == host;
    &*event.component == "kubelet" && pod.node.as_ref().is_none_or(same)
}

/// Whether an Event of this age is a reason to store facts about a pod whose own state is healthy.
fn is_reason(event_kind: EventKind, age: i64) -> bool {
    let event_kind = matches!(
        event_kind,
        EventKind::Unhealthy(_) | EventKind::Killing(_) | EventKind::Pull | EventKind::Evicted
    );
    event_kind && age <= EVENT_RETENTION
}

/// Whether a pod needs no facts.
fn is_healthy(before: Option<&Pod>, pod: &Pod, now: Timestamp) -> bool {
    if pod.phase == Phase::Succeeded
        || (pod.phase == Phase::Failed && before.is_some_and(|it| it.phase == Phase::Failed))
    {
        return true;
    }
    let restarted = ContainerIndex::enumerate(pod.containers()).any(|(index, (spec, status))| {
        let existing = before.and_then(|before| index.of(&before.containers));
        match existing {
            Some(existing) => {
                let stays = pod.stays_ended(spec);
                status.terminations(stays) > existing.terminations(stays)
            }
            None => in_status(status)
                .any(|(_, ended)| finished(ended).is_some_and(|at| now.since(at) <= LOOK_BACK)),
        }
    });
    pod.ready.status && !restarted
}
