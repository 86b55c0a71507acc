//! The engine: what it is fed with, and what it keeps. Pure; the time is told with everything that it is told.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use kubevitals_proto::kubelet::probes::ProbeScrape;
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::ProbeKind;

use super::Limits;
use super::changes::Change;
use super::counters::{Counters, ProbeId};
use super::facts::{Kill, PodFacts, Streak};
use super::incidents::{IncidentId, Incidents};
use super::life::{ends, finished, is_static, running_since};
use super::log::Log;
use super::nodes::LostNodes;
use super::notes::{Telling, read};
use super::past::Past;
use super::rules::{LOOK_BACK, NOTES_KEPT, SECOND, WELL_AFTER};
use super::scene::{Scene, Totals};
use crate::cluster::{Event, Node, Pod, PodKey, Uid};

/// A pod by its namespace and name, as the cluster has it now.
pub(super) type Find<'a> = &'a dyn Fn(&PodKey) -> Option<Arc<Pod>>;

/// What is known of the health of a cluster.
#[derive(Debug)]
pub(super) struct Engine {
    pub(super) pods: HashMap<Uid, PodFacts>,
    pub(super) incidents: Incidents,
    pub(super) counters: Counters,
    pub(super) nodes: LostNodes,
    pub(super) log: Log,
    pub(super) totals: Totals,
    pub(super) limits: Limits,
    /// Node incidents that were going on when the server was last stopped.
    pub(super) restored_nodes: HashMap<String, IncidentId>,
    /// When it was taken in what was known before.
    pub(super) restored_at: Option<Timestamp>,
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
            log: Log::new(limits.versions),
            totals: Totals::default(),
            limits,
            restored_nodes: HashMap::new(),
            restored_at: None,
            wakes: BTreeSet::new(),
            aged: Timestamp(0),
        }
    }

    /// A pod is new, changed or gone.
    pub(super) fn pod(
        &mut self,
        before: Option<&Arc<Pod>>,
        after: Option<&Arc<Pod>>,
        past: &dyn Past,
        now: Timestamp,
    ) {
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
        }
    }

    fn seen(&mut self, before: Option<&Arc<Pod>>, pod: &Arc<Pod>, past: &dyn Past, now: Timestamp) {
        self.nodes.count(pod, &mut self.incidents);
        if !self.pods.contains_key(&pod.uid)
            && (is_well(before.map(|it| &**it), pod, now) || !self.admit(pod, now))
        {
            return;
        }
        self.with(pod.uid, past, now, |facts, scene| {
            facts.tell(before.map(|it| &**it), pod, scene);
        });
    }

    /// A place for a pod's facts, unless there are too many.
    fn admit(&mut self, pod: &Arc<Pod>, now: Timestamp) -> bool {
        self.rumour(&pod.key, pod.uid, now)
    }

    fn rumour(&mut self, key: &PodKey, uid: Uid, now: Timestamp) -> bool {
        if self.pods.len() >= self.limits.pods {
            self.totals.dropped_pods += 1;
            return false;
        }
        let facts = PodFacts::rumoured(key.clone(), uid, now);
        self.pods.insert(uid, facts);
        true
    }

    fn gone(&mut self, pod: &Arc<Pod>, past: &dyn Past, now: Timestamp) {
        self.nodes.forget(pod);
        if !self.pods.contains_key(&pod.uid) {
            return;
        }
        self.with(pod.uid, past, now, |facts, scene| {
            let by = Timestamp::from_secs(pod.deleted_seconds.into());
            let at = if pod.deleted_seconds > 0 {
                scene.now.min(by)
            } else {
                scene.now
            };
            facts.end_all(at, "the pod was deleted", scene);
            facts.gone = Some(scene.now);
        });
    }

    /// A node is new, changed or gone.
    pub(super) fn node(
        &mut self,
        before: Option<&Arc<Node>>,
        after: Option<&Arc<Node>>,
        past: &dyn Past,
        now: Timestamp,
    ) {
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
                self.with(uid, past, now, |facts, scene| facts.review(scene));
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
    pub(super) fn event(&mut self, event: &Event, find: Find<'_>, past: &dyn Past, now: Timestamp) {
        let Some(telling) = read(event) else { return };
        let mut uid = event.pod_uid;
        // An event that does not say of which pod of that name it is may be about one that is long gone.
        if !uid.is_some() || now.since(event.last) > LOOK_BACK {
            return;
        }
        if !self.pods.contains_key(&uid) {
            let pod = find(&event.pod);
            match &pod {
                // The kubelet has a UID of its own for a pod of its own manifests.
                Some(pod) if is_static(pod) && pod.created().is_none_or(|it| it <= event.last) => {
                    uid = pod.uid;
                }
                // The successor of the pod that it is about has nothing to do with it.
                Some(pod) if pod.uid != uid => return,
                _ => {}
            }
            let known = self.pods.contains_key(&uid);
            if !known && !self.hear_of((event, uid), telling, pod.as_ref(), past, now) {
                return;
            }
        }
        self.with(uid, past, now, |facts, scene| {
            facts.hear(event, telling, scene);
        });
    }

    /// Whether an event is reason enough to keep facts of a pod.
    fn hear_of(
        &mut self,
        (event, uid): (&Event, Uid),
        telling: Telling,
        pod: Option<&Arc<Pod>>,
        past: &dyn Past,
        now: Timestamp,
    ) -> bool {
        let telling = matches!(
            telling,
            Telling::Unhealthy(_) | Telling::Killing(_) | Telling::Pull | Telling::Evicted
        );
        if !telling || now.since(event.last) > NOTES_KEPT {
            return false;
        }
        match pod {
            Some(pod) => self.look_into(pod, past, now),
            None => self.rumour(&event.pod, uid, now),
        }
    }

    /// Begins facts of a pod that looks well, for something is told that does not show in it.
    fn look_into(&mut self, pod: &Arc<Pod>, past: &dyn Past, now: Timestamp) -> bool {
        if !self.rumour(&pod.key, pod.uid, now) {
            return false;
        }
        self.with(pod.uid, past, now, |facts, scene| {
            facts.tell(Some(pod), pod, scene);
            // Or it would be dropped at once for being well.
            facts.wake_at(now.plus_nanos(SECOND));
        });
        true
    }

    /// The counters of a node's probes, as its kubelet gave them.
    pub(super) fn probes(
        &mut self,
        node: &Arc<str>,
        scrape: &ProbeScrape<'_>,
        find: Find<'_>,
        past: &dyn Past,
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
            let pod = find(&key).filter(|pod| pod.uid == uid || is_static(pod));
            if let Some(pod) = pod.filter(|pod| !self.pods.contains_key(&pod.uid)) {
                self.look_into(&pod, past, now);
            }
        }
        for uid in self.on(node) {
            self.with(uid, past, now, |facts, scene| facts.count(node, scene));
        }
    }

    /// Does what is due though nothing happened.
    pub(super) fn tick(&mut self, past: &dyn Past, now: Timestamp) {
        while let Some((at, uid)) = self.wakes.first().copied() {
            if at > now {
                break;
            }
            self.wakes.remove(&(at, uid));
            self.with(uid, past, now, |facts, scene| {
                let was_restored = facts.pod.is_none() && !facts.open.is_empty();
                if was_restored && now.since(facts.since) >= RETURN {
                    facts.end_all(now, "the pod was gone when this server came back", scene);
                }
                facts.review(scene);
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

    /// When [`Self::tick`] has something to do.
    pub(super) fn due(&self) -> Timestamp {
        let wake = self.wakes.first().map(|(at, _)| *at);
        let ageing = self.aged.plus_nanos(AGEING);
        [wake, self.nodes.due()]
            .into_iter()
            .flatten()
            .fold(ageing, Timestamp::min)
    }

    /// Drops what is no longer of use of pods that nothing wakes.
    fn sweep(&mut self, past: &dyn Past, now: Timestamp) {
        let idle: Vec<Uid> = self.pods.keys().copied().collect();
        for uid in idle {
            self.with(uid, past, now, |facts, scene| {
                let kept = LOOK_BACK.max(scene.incidents.kept());
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
    fn with(
        &mut self,
        uid: Uid,
        past: &dyn Past,
        now: Timestamp,
        change: impl FnOnce(&mut PodFacts, &mut Scene<'_>),
    ) {
        let Some(mut facts) = self.pods.remove(&uid) else {
            return;
        };
        let was = facts.wake;
        let before = self.incidents.changes.version();
        let failing = facts.failing();
        let mut scene = Scene {
            now,
            incidents: &mut self.incidents,
            counters: &self.counters,
            nodes: &self.nodes,
            past,
            totals: &mut self.totals,
        };
        change(&mut facts, &mut scene);
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

/// Whether there is nothing to know of a pod but what it says itself.
fn is_well(before: Option<&Pod>, pod: &Pod, now: Timestamp) -> bool {
    use crate::cluster::Phase;
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

impl PodFacts {
    /// Takes in a pod as it is now.
    pub(super) fn tell(&mut self, before: Option<&Pod>, pod: &Arc<Pod>, scene: &mut Scene<'_>) {
        if self.pod.is_none() {
            self.meet(before, pod, scene.now);
        }
        self.bury(pod, scene);
        self.take(before, pod, scene.now);
        // The counters may have told before the status did.
        self.decide(pod, scene);
        self.review(scene);
    }

    /// Takes in an event.
    fn hear(&mut self, event: &Event, telling: Telling, scene: &mut Scene<'_>) {
        let Some((more, before)) = self.notes.hear(event, telling) else {
            return;
        };
        let c = event.container.as_deref().and_then(|name| self.index(name));
        let pod = self.pod.clone();
        match (telling, c) {
            (Telling::Unhealthy(kind), Some(c)) => {
                let going = pod.as_ref().is_some_and(|pod| pod.deleted_seconds > 0);
                if !going || kind == ProbeKind::Readiness {
                    self.attempt_failed(c, kind, event, more, scene.now);
                }
            }
            (Telling::Killing(kind), Some(c)) => {
                if let Some(facts) = self.containers.get_mut(c) {
                    facts.kill = Some(Kill {
                        kind,
                        at: event.last,
                        before,
                        times: more,
                    });
                }
                if let Some(pod) = &pod {
                    self.attribute(pod, c, scene);
                }
            }
            _ => {}
        }
        self.review(scene);
    }

    fn attempt_failed(
        &mut self,
        c: usize,
        kind: ProbeKind,
        event: &Event,
        more: u32,
        now: Timestamp,
    ) {
        let Some((facts, spec, status)) = self.pod.as_ref().and_then(|pod| self.container(pod, c))
        else {
            return;
        };
        let (Some(running), Some(probe)) = (running_since(status), probe_of(spec, kind)) else {
            return;
        };
        let period = i64::from(probe.period) * SECOND;
        let stale = now.since(event.last) > (3 * period).max(60 * SECOND);
        // What it says of an earlier incarnation, or from before it succeeded again, is over.
        if event.last <= running || stale {
            return;
        }
        // A container that has never been ready has failed ever since the event was first told of it.
        let never = kind == ProbeKind::Readiness && facts.was_ready.is_none();
        let all = facts.streaks.of(kind).is_none()
            && event.first >= running
            && (never || more == event.count);
        let (failures, since) = if all {
            (event.count, event.first)
        } else {
            (more, event.last)
        };
        let streak = Streak {
            since: Some(since),
            last: event.last,
            heard: failures,
            counted: 0,
            message: event.message.clone(),
        };
        if let Some(facts) = self.containers.get_mut(c) {
            facts.streaks.failed(kind, streak);
        }
    }

    /// Takes in what the counters of its node tell.
    fn count(&mut self, node: &str, scene: &mut Scene<'_>) {
        let Some(pod) = self.pod.clone() else { return };
        for (c, (spec, status)) in pod.containers().enumerate() {
            for kind in [
                ProbeKind::Liveness,
                ProbeKind::Readiness,
                ProbeKind::Startup,
            ] {
                let Some(seen) = scene.counters.of(node, ProbeId::of(&pod, &spec.name, kind))
                else {
                    continue;
                };
                let Some(facts) = self.containers.get_mut(c) else {
                    continue;
                };
                let over = match kind {
                    ProbeKind::Startup => status.started,
                    // That the kubelet counts it as ready is the truth; that an attempt failed is told all the same.
                    ProbeKind::Readiness | ProbeKind::Liveness => false,
                };
                // What failed before this incarnation started is not its own.
                let earlier = facts
                    .running
                    .is_none_or(|running| running.since(seen.from) > 0);
                if seen.failed == 0 && seen.succeeded > 0 {
                    facts.streaks.end(kind, seen.to);
                } else if seen.failed > 0 && !over && !earlier {
                    facts
                        .streaks
                        .counted(kind, seen.failed, seen.succeeded == 0, seen.to);
                }
            }
        }
        self.decide(&pod, scene);
        self.review(scene);
    }

    /// The probes that fail: when this changes, something else is said of the pod.
    fn failing(&self) -> Vec<(bool, bool, bool)> {
        let failing = |facts: &super::facts::ContainerFacts| {
            let fails = |kind| facts.streaks.of(kind).is_some();
            (
                fails(ProbeKind::Liveness),
                fails(ProbeKind::Readiness),
                fails(ProbeKind::Startup),
            )
        };
        self.containers.iter().map(failing).collect()
    }

    /// Until when this is kept for what may still come.
    fn keep_until(&self, now: Timestamp) -> Option<Timestamp> {
        let notes = self.notes.fresh_until(now);
        let rumour = self.since.plus_nanos(NOTES_KEPT);
        let restored = self.since.plus_nanos(RETURN);
        let flapped = self.containers.iter().filter_map(|facts| facts.flapped);
        let flapped = flapped.map(|flapped| flapped.at.plus_nanos(WELL_AFTER));
        let flapped = flapped.filter(|until| *until > now).min();
        match &self.pod {
            None if !self.open.is_empty() => Some(restored.max(now.plus_nanos(SECOND))),
            None => (rumour > now).then_some(rumour),
            Some(_) if self.gone.is_some() => None,
            Some(_) => notes.into_iter().chain(flapped).min(),
        }
    }

    /// Whether nothing is worth keeping.
    fn is_idle(&self) -> bool {
        let quiet = |facts: &super::facts::ContainerFacts| {
            facts.restarts.is_empty() && facts.streaks.is_empty() && facts.being_killed().is_none()
        };
        let done = match (&self.pod, self.gone) {
            (_, Some(_)) | (None, None) => true,
            (Some(pod), None) => pod.phase.is_over() || pod.deleted_seconds > 0 || pod.ready.status,
        };
        done && self.open.is_empty() && self.containers.iter().all(quiet)
    }
}

/// A container's probe of this kind.
pub(super) fn probe_of(
    spec: &crate::cluster::ContainerSpec,
    kind: ProbeKind,
) -> Option<&crate::cluster::Probe> {
    match kind {
        ProbeKind::Liveness => spec.liveness.as_ref(),
        ProbeKind::Readiness => spec.readiness.as_ref(),
        ProbeKind::Startup => spec.startup.as_ref(),
    }
}
