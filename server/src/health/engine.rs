//! The engine: what it is fed with, and what it keeps. Pure; the time is told with everything that it is told.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use kubevitals_proto::kubelet::probes::ProbeScrape;
use kubevitals_proto::time::Timestamp;

use super::Limits;
use super::changes::Change;
use super::facts::PodFacts;
use super::incidents::{IncidentId, Incidents};
use super::nodes::LostNodes;
use super::pod_events::{EventKind, read};
use super::pod_versions::PodVersions;
use super::probe_counters::Counters;
use super::review_context::{ReviewContext, Totals};
use super::terminations::{ends, finished, is_static};
use super::thresholds::{EVENT_RETENTION, LOOK_BACK, SECOND};
use super::unmatched_events::{Unmatched, is_about};
use super::usage_history::UsageHistory;
use crate::cluster::{Event, Node, Phase, Pod, PodKey, Uid};

/// A pod by its namespace and name, as the cluster has it now.
pub(super) type Find<'a> = &'a dyn Fn(&PodKey) -> Option<Arc<Pod>>;

/// What is known of the health of a cluster.
#[derive(Debug)]
pub(super) struct Engine {
    pub(super) pods: HashMap<Uid, PodFacts>,
    pub(super) incidents: Incidents,
    pub(super) counters: Counters,
    pub(super) nodes: LostNodes,
    pub(super) log: PodVersions,
    pub(super) totals: Totals,
    pub(super) limits: Limits,
    /// Node incidents that were going on when the server was last stopped.
    pub(super) restored_nodes: HashMap<String, IncidentId>,
    /// When it was taken in what was known before.
    pub(super) restored_at: Option<Timestamp>,
    /// Events about pods that are not known yet.
    pub(super) unmatched: Unmatched,
    /// The time up to which the engine is informed: the last change of a pod or node, or when the newest merged snapshot
    /// was written.
    pub(super) as_of: Timestamp,
    wakes: BTreeSet<(Timestamp, Uid)>,
    aged: Timestamp,
}

/// What is over is looked through this often.
const AGEING: i64 = 60 * SECOND;

/// Pods that were restored and do not show up in so long are gone.
pub(super) const RETURN: i64 = 120 * SECOND;

impl Engine {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            pods: HashMap::new(),
            incidents: Incidents::new(limits),
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
            aged: Timestamp(0),
        }
    }

    /// A pod is new, changed or gone.
    pub(super) fn pod(
        &mut self,
        before: Option<&Arc<Pod>>,
        after: Option<&Arc<Pod>>,
        past: &dyn UsageHistory,
        now: Timestamp,
    ) {
        self.as_of = self.as_of.max(now);
        if let Some(before) = before {
            self.log.was(before, now);
        }
        let same = |before: &&Arc<Pod>| after.is_some_and(|after| after.uid == before.uid);
        let (before, replaced) = match before {
            Some(before) if same(&before) => (Some(before), None),
            other => (None, other),
        };
        if let Some(gone) = replaced {
            self.gone(gone, past, now);
        }
        if let Some(pod) = after {
            self.seen(before, pod, past, now);
            for event in self.unmatched.take(pod, now) {
                self.event(&event, &|_| Some(Arc::clone(pod)), past, now);
            }
        }
    }

    fn seen(
        &mut self,
        before: Option<&Arc<Pod>>,
        pod: &Arc<Pod>,
        past: &dyn UsageHistory,
        now: Timestamp,
    ) {
        self.nodes.count(pod, &mut self.incidents);
        if !self.pods.contains_key(&pod.uid)
            && (is_well(before.map(|it| &**it), pod, now) || !self.admit(pod, now))
        {
            return;
        }
        self.with(pod.uid, past, now, |facts, context| {
            facts.tell(before.map(|it| &**it), pod, context);
        });
    }

    /// A place for a pod's facts, unless there are too many.
    fn admit(&mut self, pod: &Pod, now: Timestamp) -> bool {
        if self.pods.len() >= self.limits.pods {
            self.totals.dropped_pods += 1;
            return false;
        }
        let facts = PodFacts::new(pod.key.clone(), pod.uid, now);
        self.pods.insert(pod.uid, facts);
        true
    }

    fn gone(&mut self, pod: &Arc<Pod>, past: &dyn UsageHistory, now: Timestamp) {
        self.nodes.forget(pod);
        if !self.pods.contains_key(&pod.uid) {
            return;
        }
        self.with(pod.uid, past, now, |facts, context| {
            let by = Timestamp::from_secs(pod.deleted_seconds.into());
            let at = if pod.deleted_seconds > 0 {
                context.now.min(by)
            } else {
                context.now
            };
            facts.end_all(at, "the pod was deleted", context);
            facts.gone = Some(context.now);
        });
    }

    /// A node is new, changed or gone.
    pub(super) fn node(
        &mut self,
        before: Option<&Arc<Node>>,
        after: Option<&Arc<Node>>,
        past: &dyn UsageHistory,
        now: Timestamp,
    ) {
        self.as_of = self.as_of.max(now);
        let Some(node) = after else {
            if let Some(before) = before {
                self.nodes.gone(&before.name, now, &mut self.incidents);
                self.counters.forget(&before.name);
            }
            return;
        };
        let was_lost = self.nodes.is_lost(&node.name);
        let restored = self.restored_nodes.remove(&*node.name);
        let back = self.nodes.take(node, restored, now, &mut self.incidents);
        if was_lost != self.nodes.is_lost(&node.name) {
            let on_it = self.on(&node.name);
            if !was_lost {
                for pod in on_it
                    .iter()
                    .filter_map(|uid| self.pods.get(uid)?.pod.clone())
                {
                    self.nodes.count(&pod, &mut self.incidents);
                }
            }
            for uid in on_it {
                self.with(uid, past, now, |facts, context| facts.review(context));
            }
        }
        // Those that are not ready though their node is again have something else.
        for pod in back {
            self.seen(None, &pod, past, now);
        }
    }

    /// The pods on a node of which something is known.
    fn on(&self, node: &str) -> Vec<Uid> {
        let on_it = |facts: &PodFacts| {
            let pod = facts.pod.as_ref();
            facts.gone.is_none() && pod.is_some_and(|pod| pod.node.as_deref() == Some(node))
        };
        let all = self.pods.iter().filter(|(_, facts)| on_it(facts));
        all.map(|(uid, _)| *uid).collect()
    }

    /// An event about a pod was written or repeated.
    pub(super) fn event(
        &mut self,
        event: &Event,
        find: Find<'_>,
        past: &dyn UsageHistory,
        now: Timestamp,
    ) {
        let Some(event_kind) = read(event) else {
            return;
        };
        // An event that does not say of which pod of that name it is may be about one that is long gone.
        if !event.pod_uid.is_some() || now.since(event.last) > LOOK_BACK {
            return;
        }
        let told = self
            .pods
            .get(&event.pod_uid)
            .and_then(|facts| facts.pod.clone());
        let Some(pod) = told
            .filter(|pod| pod.key == event.pod)
            .or_else(|| find(&event.pod))
        else {
            self.unmatched.push(event.clone(), now);
            return;
        };
        if !is_about(event, &pod) {
            // Of the pod before, or of the one to come.
            self.unmatched.push(event.clone(), now);
            return;
        }
        if event_kind.is_the_kubelets() && !is_of_its_kubelet(event, &pod) {
            self.totals.refused_events += 1;
            return;
        }
        let mut event = event.clone();
        event.last = event.last.min(now);
        event.first = event.first.min(event.last);
        if !self.pods.contains_key(&pod.uid) {
            let age = now.since(event.last);
            let begun = is_reason(event_kind, age) && self.look_into(&pod, past, now);
            if !begun {
                return;
            }
        }
        self.with(pod.uid, past, now, |facts, context| {
            facts.hear(&event, event_kind, context);
        });
    }

    /// Begins facts of a pod that looks well, for something is told that does not show in it.
    fn look_into(&mut self, pod: &Arc<Pod>, past: &dyn UsageHistory, now: Timestamp) -> bool {
        if !self.admit(pod, now) {
            return false;
        }
        self.with(pod.uid, past, now, |facts, context| {
            facts.tell(Some(pod), pod, context);
            // Or it would be dropped at once for being well.
            facts.wake_at(now.plus_nanos(SECOND));
        });
        true
    }

    /// Names of the incidents of a pod: those that go on, and the one that tells why it failed.
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

    /// The counters of a node's probes, as its kubelet gave them.
    pub(super) fn probes(
        &mut self,
        node: &Arc<str>,
        scrape: &ProbeScrape<'_>,
        find: Find<'_>,
        past: &dyn UsageHistory,
        now: Timestamp,
    ) {
        let risen = self.counters.look(node, scrape, now).into_iter();
        let risen: Vec<(PodKey, Uid)> = risen
            .map(|(key, uid)| {
                let key = PodKey {
                    namespace: Arc::from(&*key.namespace),
                    name: Arc::from(&*key.pod),
                };
                (key, uid)
            })
            .collect();
        for (key, uid) in risen {
            if self.pods.contains_key(&uid) {
                continue;
            }
            // A kubelet counts the probes of its own pods only.
            let is_its = |pod: &Arc<Pod>| {
                pod.node.as_ref() == Some(node) && (pod.uid == uid || is_static(pod))
            };
            if let Some(pod) = find(&key).filter(is_its)
                && !self.pods.contains_key(&pod.uid)
            {
                self.look_into(&pod, past, now);
            }
        }
        for uid in self.on(node) {
            self.with(uid, past, now, |facts, context| facts.count(node, context));
        }
    }

    /// Does what is due though nothing happened.
    pub(super) fn tick(&mut self, past: &dyn UsageHistory, now: Timestamp) {
        self.incidents.flush();
        while let Some((at, uid)) = self.wakes.first().copied() {
            if at > now {
                break;
            }
            self.wakes.remove(&(at, uid));
            self.with(uid, past, now, |facts, context| {
                let was_restored = facts.pod.is_none() && !facts.open.is_empty();
                if was_restored && now.since(facts.since) >= RETURN {
                    facts.end_all(now, "the pod was gone when this server came back", context);
                }
                facts.review(context);
            });
        }
        if self.nodes.due().is_some_and(|due| due <= now) {
            self.nodes.tick(now, &mut self.incidents);
        }
        if self.restored_at.is_some_and(|at| now.since(at) >= RETURN) {
            self.restored_at = None;
            for (_, id) in std::mem::take(&mut self.restored_nodes) {
                self.incidents.end(id, now);
            }
        }
        if now.since(self.aged) >= AGEING {
            self.aged = now;
            self.incidents.age(now);
            let kept = i64::try_from(self.limits.history.as_nanos()).unwrap_or(i64::MAX);
            self.log.age(now.plus_nanos(-kept));
            self.sweep(past, now);
        }
    }

    /// Puts back what was known of a pod; it is looked at again by then, if it does not show up before.
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

    /// When [`Self::tick`] has something to do.
    pub(super) fn due(&self) -> Timestamp {
        let wake = self.wakes.first().map(|(at, _)| *at);
        let ageing = self.aged.plus_nanos(AGEING);
        let behind = self.incidents.is_behind().then_some(self.aged);
        [wake, self.nodes.due(), behind]
            .into_iter()
            .flatten()
            .fold(ageing, Timestamp::min)
    }

    /// Drops what is no longer of use of pods that nothing wakes.
    fn sweep(&mut self, past: &dyn UsageHistory, now: Timestamp) {
        let idle: Vec<Uid> = self.pods.keys().copied().collect();
        for uid in idle {
            self.with(uid, past, now, |facts, context| {
                let kept = LOOK_BACK.max(context.incidents.kept());
                for container in &mut facts.containers {
                    let old = |at: Option<Timestamp>| at.is_some_and(|at| now.since(at) > kept);
                    container
                        .restarts
                        .retain(|restart| !old(restart.ended.finished));
                }
            });
        }
    }

    /// Does something with what is known of a pod, and drops it if nothing worth keeping is left.
    pub(super) fn with(
        &mut self,
        uid: Uid,
        past: &dyn UsageHistory,
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
            past,
            totals: &mut self.totals,
        };
        change(&mut facts, &mut context);
        if self.incidents.changes.version() != before || facts.failing() != failing {
            self.incidents.changes.note(Change::Pod(facts.key.clone()));
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

/// Whether an event is of the kubelet that runs this pod, as far as it says whose it is.
fn is_of_its_kubelet(event: &Event, pod: &Pod) -> bool {
    let host = &event.host;
    let same = |node: &Arc<str>| host.is_empty() || node == host;
    &*event.component == "kubelet" && pod.node.as_ref().is_none_or(same)
}

/// Whether an event of this age is reason enough to keep facts of a pod that looks well.
fn is_reason(event_kind: EventKind, age: i64) -> bool {
    let event_kind = matches!(
        event_kind,
        EventKind::Unhealthy(_) | EventKind::Killing(_) | EventKind::Pull | EventKind::Evicted
    );
    event_kind && age <= EVENT_RETENTION
}

/// Whether there is nothing to know of a pod but what it says itself.
fn is_well(before: Option<&Pod>, pod: &Pod, now: Timestamp) -> bool {
    if pod.phase == Phase::Succeeded
        || (pod.phase == Phase::Failed && before.is_some_and(|it| it.phase == Phase::Failed))
    {
        return true;
    }
    let restarted = pod.containers().enumerate().any(|(c, (spec, status))| {
        let known = before.and_then(|before| before.containers.get(c));
        match known {
            Some(known) => {
                let stays = pod.stays_ended(spec);
                status.ends(stays) > known.ends(stays)
            }
            None => ends(status)
                .any(|(_, ended)| finished(ended).is_some_and(|at| now.since(at) <= LOOK_BACK)),
        }
    });
    pod.ready.status && !restarted
}
