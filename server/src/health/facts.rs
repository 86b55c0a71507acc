//! What is known of one pod that is, or lately was, not as it should be. Of a pod that is well nothing is kept.

use std::collections::VecDeque;
use std::sync::Arc;

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{Cause, Certainty, Ended, Involved, ProbeKind, Workload};

use super::incidents::{EvidenceKey, IncidentId};
use super::pod_events::PodEvents;
use super::tallies::Tally;
use super::terminations::{self, running_since};
use super::thresholds::{LOOK_BACK, LOOP_GAP};
use super::topic::Topic;
use crate::cluster::{ContainerSpec, ContainerStatus, Pod, PodKey, Uid};

/// Restarts that are remembered of one container.
const RESTARTS: usize = 16;

/// A pod.
#[derive(Debug)]
pub(super) struct PodFacts {
    pub(super) key: PodKey,
    pub(super) uid: Uid,
    /// As it was seen last; nothing while it has not been seen since this server's restart.
    pub(super) pod: Option<Arc<Pod>>,
    /// In the order of the pod's template.
    pub(super) containers: Vec<ContainerFacts>,
    pub(super) events: PodEvents,
    /// Its incidents that are not over.
    pub(super) open: Vec<Open>,
    /// Whether it has ever been ready.
    pub(super) was_ready: bool,
    /// When it was gone.
    pub(super) gone: Option<Timestamp>,
    /// When to look at it again though nothing happens.
    pub(super) wake: Option<Timestamp>,
    /// When these facts were begun.
    pub(super) since: Timestamp,
}

/// An incident that is not over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Open {
    pub(super) id: IncidentId,
    pub(super) topic: Topic,
}

/// A container.
#[derive(Debug, Default)]
pub(super) struct ContainerFacts {
    /// Its name, by which it is found again after this server's restart.
    pub(super) name: Arc<str>,
    /// The ends that have been told.
    pub(super) termination_count: u32,
    /// The latest of them, oldest first.
    pub(super) restarts: VecDeque<Restart>,
    /// Failures in a row of each kind of probe.
    pub(super) streaks: Streaks,
    /// What the kubelet said of killing it for a probe.
    pub(super) kill: Option<Kill>,
    /// Ends that Events count.
    pub(super) tallies: Vec<Tally>,
    /// Ends before it was first seen that no incident counts: so long ago as far as is known, or of an unknown time.
    pub(super) unclaimed: u32,
    /// Since when the incarnation that runs does so.
    pub(super) running: Option<Timestamp>,
    /// Since when that incarnation has been ready, at one time or another.
    pub(super) was_ready: Option<Timestamp>,
    /// The last incident about its readiness that is over: if it is not ready again soon, that goes on.
    pub(super) flapped: Option<Flapped>,
    /// The failed attempts that the incident about its readiness counts without those of the streak that goes on, and
    /// when the last of them was.
    pub(super) counted_before: Option<(u64, Timestamp)>,
}

/// An incident about readiness that is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Flapped {
    pub(super) id: IncidentId,
    pub(super) at: Timestamp,
}

/// Failures in a row, by kind of probe.
#[derive(Debug, Default)]
pub(super) struct Streaks {
    liveness: Option<Streak>,
    readiness: Option<Streak>,
    startup: Option<Streak>,
}

/// Failures of a probe in a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Streak {
    /// The first of them, where that is known.
    pub(super) since: Option<Timestamp>,
    /// The last one that is known of.
    pub(super) last: Timestamp,
    /// How many, as far as events told.
    pub(super) heard: u32,
    /// How many, as far as the kubelet's counters told.
    pub(super) counted: u32,
    /// How many more failed before those, of a container that was never ready: as far as events and as far as counters
    /// told.
    pub(super) before: (u32, u32),
    /// What the kubelet said of the last one.
    pub(super) message: Box<str>,
}

/// A kubelet's word that it kills a container for a probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kill {
    pub(super) kind: ProbeKind,
    pub(super) at: Timestamp,
}

/// An end of a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Restart {
    /// Its number: the first is 1.
    pub(super) nth: u32,
    pub(super) ended: Ended,
    pub(super) cause: Cause,
    pub(super) certainty: Certainty,
    /// The first failed attempt of the liveness or startup probe before it.
    pub(super) failing_since: Option<Timestamp>,
    /// Whether nothing that is still to come but an event could tell another cause.
    pub(super) decided: bool,
    /// Whether the counters tell that no probe failed as often as it takes.
    pub(super) refuted: bool,
    /// Ends before this one, and after the one before, of which nothing is known but that they were. They count in the
    /// same incident.
    pub(super) unknown_before: u32,
    pub(super) incident: IncidentId,
    /// When it was noticed.
    pub(super) noticed: Timestamp,
}

impl PodFacts {
    /// Of a pod of which nothing is known yet.
    pub(super) fn new(key: PodKey, uid: Uid, now: Timestamp) -> Self {
        Self {
            key,
            uid,
            pod: None,
            containers: Vec::new(),
            events: PodEvents::default(),
            open: Vec::new(),
            was_ready: false,
            gone: None,
            wake: None,
            since: now,
        }
    }

    /// Takes in a pod as it is now. `before` is what it was, if that was seen.
    pub(super) fn take(&mut self, before: Option<&Pod>, pod: &Arc<Pod>, now: Timestamp) {
        self.was_ready |= pod.ready.status || before.is_some_and(|before| before.ready.status);
        let ready_since = terminations::time(pod.ready.since_seconds).filter(|_| pod.ready.status);
        for (facts, status) in self.containers.iter_mut().zip(&pod.containers) {
            facts.take(status, ready_since, now);
        }
        self.pod = Some(Arc::clone(pod));
    }

    /// The first sight of a pod: what it went through before is told as far as it is fresh, and as far as its status and
    /// Events tell it.
    pub(super) fn meet(&mut self, before: Option<&Pod>, pod: &Pod, now: Timestamp) {
        let restored = std::mem::take(&mut self.containers);
        let statuses = pod.containers().enumerate();
        self.containers = statuses
            .map(|(c, (spec, status))| {
                if let Some(known) = restored.iter().find(|known| known.name == spec.name) {
                    return known.again();
                }
                let ends = status.ends(pod.stays_ended(spec));
                let (termination_count, unclaimed) =
                    match before.and_then(|before| before.containers.get(c)) {
                        Some(before) => (before.ends(pod.stays_ended(spec)), 0),
                        None => ends_before(pod, status, ends, now),
                    };
                ContainerFacts {
                    name: Arc::clone(&spec.name),
                    termination_count,
                    unclaimed,
                    ..ContainerFacts::default()
                }
            })
            .collect();
    }

    /// The incident about this that is not over.
    pub(super) fn open_on(&self, topic: Topic) -> Option<IncidentId> {
        let open = self.open.iter().find(|open| open.topic == topic);
        open.map(|open| open.id)
    }

    /// A container with its spec and status.
    pub(super) fn container<'p>(
        &self,
        pod: &'p Pod,
        c: usize,
    ) -> Option<(&ContainerFacts, &'p ContainerSpec, &'p ContainerStatus)> {
        let facts = self.containers.get(c)?;
        Some((
            facts,
            pod.in_force().containers.get(c)?,
            pod.containers.get(c)?,
        ))
    }

    /// Looks again no later than then.
    pub(super) fn wake_at(&mut self, at: Timestamp) {
        self.wake = Some(self.wake.map_or(at, |wake| wake.min(at)));
    }

    /// Which container has this name.
    pub(super) fn index(&self, container: &str) -> Option<usize> {
        let mut containers = self.containers.iter();
        containers.position(|facts| *facts.name == *container)
    }
}

/// Of a container that is first seen: how many of its ends are not told, and how many of those Events may yet tell of.
///
/// The rule is the same whenever a server starts. All ends are told of a pod that was made within the last hour, and of
/// a container that has ended so often that its ends are of one loop: as often, over the pod's life, as ends of one loop
/// come at least. Of others, the ends of the last hour are: those in the status, and those that Events count.
fn ends_before(pod: &Pod, status: &ContainerStatus, ends: u32, now: Timestamp) -> (u32, u32) {
    let fresh = |at: Option<Timestamp>| at.is_some_and(|at| now.since(at) <= LOOK_BACK);
    let told =
        terminations::ends(status).take_while(|(_, ended)| fresh(terminations::finished(ended)));
    let told = u32::try_from(told.count()).unwrap_or(u32::MAX);
    let looped = pod
        .created()
        .is_some_and(|created| i64::from(ends).saturating_mul(LOOP_GAP) >= now.since(created));
    if fresh(pod.created()) || (told > 0 && looped) {
        (0, 0)
    } else if told == 0 && terminations::ends(status).next().is_some() {
        (ends, 0)
    } else {
        let before = ends.saturating_sub(told);
        (before, before)
    }
}

/// GroupScope an incident of this pod befalls.
pub(super) fn involved(pod: &Pod, container: Option<usize>) -> Involved {
    let container = container.and_then(|c| pod.template.containers.get(c));
    Involved {
        kind: "Pod".to_owned(),
        namespace: pod.key.namespace.to_string(),
        name: pod.key.name.to_string(),
        uid: pod.uid.to_string(),
        container: container.map_or_else(String::new, |spec| spec.name.to_string()),
        node: pod.node.as_deref().unwrap_or_default().to_owned(),
        workload: workload(pod),
    }
}

/// What made it, as far as the pod itself tells. A ReplicaSet of a Deployment is the Deployment's.
fn workload(pod: &Pod) -> Option<Workload> {
    let owner = pod.owner.as_deref()?;
    let (kind, name) = match owner.deployment(&pod.labels) {
        Some(deployment) => ("Deployment", deployment),
        None => (&*owner.kind, &*owner.name),
    };
    Some(Workload {
        kind: kind.to_owned(),
        name: name.to_owned(),
    })
}

impl ContainerFacts {
    fn take(&mut self, status: &ContainerStatus, pod_ready: Option<Timestamp>, now: Timestamp) {
        let running = running_since(status);
        if running != self.running {
            // Another incarnation: nothing of what its probes said of the last one holds. The kubelet's word for
            // killing the last one is kept for its end.
            self.streaks = Streaks::default();
            self.was_ready = None;
            self.running = running;
        }
        if let Some(running) = running
            && status.ready
        {
            // The pod became ready with its last container; of the others it is not told when.
            let since = pod_ready.filter(|since| *since >= running);
            self.was_ready.get_or_insert(since.unwrap_or(running));
            self.streaks.end(ProbeKind::Readiness, now);
        }
        if status.started {
            self.streaks.clear(ProbeKind::Startup);
        }
    }

    /// What is kept of it over a restart of this server.
    fn again(&self) -> Self {
        Self {
            name: Arc::clone(&self.name),
            termination_count: self.termination_count,
            restarts: self.restarts.clone(),
            kill: self.kill,
            tallies: self.tallies.clone(),
            unclaimed: self.unclaimed,
            ..Self::default()
        }
    }

    pub(super) fn remember(&mut self, restart: Restart) {
        if self.restarts.len() >= RESTARTS {
            self.restarts.pop_front();
        }
        self.restarts.push_back(restart);
    }

    /// The kubelet's word for killing the incarnation that runs.
    pub(super) fn being_killed(&self) -> Option<Kill> {
        let running = self.running?;
        self.kill
            .filter(|kill| kill.at >= running && !self.is_spent(kill))
    }

    /// Whether that word was about an end that is known.
    pub(super) fn is_spent(&self, kill: &Kill) -> bool {
        let mut known = self.restarts.iter().rev();
        known.any(|restart| restart.certainty == Certainty::Direct && kill.explains(&restart.ended))
    }
}

impl Kill {
    /// Whether this is what was said before that end. The kubelet says it before it kills, by the clock by which the
    /// runtime tells of the end.
    pub(super) fn explains(&self, ended: &Ended) -> bool {
        let (Some(started), Some(finished)) = (ended.started, ended.finished) else {
            return false;
        };
        (started..=finished).contains(&self.at)
    }
}

impl Streaks {
    pub(super) fn of(&self, kind: ProbeKind) -> Option<&Streak> {
        match kind {
            ProbeKind::Liveness => self.liveness.as_ref(),
            ProbeKind::Readiness => self.readiness.as_ref(),
            ProbeKind::Startup => self.startup.as_ref(),
        }
    }

    fn of_mut(&mut self, kind: ProbeKind) -> &mut Option<Streak> {
        match kind {
            ProbeKind::Liveness => &mut self.liveness,
            ProbeKind::Readiness => &mut self.readiness,
            ProbeKind::Startup => &mut self.startup,
        }
    }

    /// So many more attempts failed, the last of them then.
    pub(super) fn failed(&mut self, kind: ProbeKind, more: Streak) {
        let streak = self.of_mut(kind);
        match streak {
            None => *streak = Some(more),
            Some(streak) => {
                streak.heard = streak.heard.saturating_add(more.heard);
                streak.since = streak.since.or(more.since);
                if more.last >= streak.last {
                    streak.last = more.last;
                    if !more.message.is_empty() {
                        streak.message = more.message;
                    }
                }
            }
        }
    }

    /// The counters tell of so many more that failed, as of then; `in_a_row` if none succeeded meanwhile.
    pub(super) fn counted(&mut self, kind: ProbeKind, failed: u32, in_a_row: bool, at: Timestamp) {
        let streak = self.of_mut(kind).get_or_insert_with(|| Streak::at(at));
        streak.counted = if in_a_row {
            streak.counted.saturating_add(failed)
        } else {
            // In which order they came is not told: at least the last one that failed counts.
            1
        };
        streak.last = streak.last.max(at);
    }

    /// The counters tell that all attempts ever have failed: so many before those that they are yet to tell of.
    pub(super) fn all_failed(&mut self, kind: ProbeKind, before: u32, at: Timestamp) {
        let streak = self.of_mut(kind).get_or_insert_with(|| Streak::at(at));
        if streak.before.1 == 0 {
            streak.before.1 = before;
        }
        streak.last = streak.last.max(at);
    }

    /// It succeeded then: what failed before is over.
    pub(super) fn end(&mut self, kind: ProbeKind, at: Timestamp) {
        let streak = self.of_mut(kind);
        if streak.as_ref().is_some_and(|streak| streak.last <= at) {
            *streak = None;
        }
    }

    pub(super) fn clear(&mut self, kind: ProbeKind) {
        *self.of_mut(kind) = None;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.liveness.is_none() && self.readiness.is_none() && self.startup.is_none()
    }
}

impl Streak {
    /// Of attempts that are yet to be counted.
    fn at(last: Timestamp) -> Self {
        Self {
            since: None,
            last,
            heard: 0,
            counted: 0,
            before: (0, 0),
            message: Box::default(),
        }
    }

    /// How many have failed in a row, as far as is known: each attempt is told by an event, of which some are lost, and
    /// by a counter, which is seen later.
    pub(super) fn failures(&self) -> u32 {
        let heard = self.heard.saturating_add(self.before.0);
        heard.max(self.counted.saturating_add(self.before.1))
    }

    /// How many of them were since this streak was first known of.
    pub(super) fn newly(&self) -> u32 {
        self.heard.max(self.counted)
    }
}

impl Restart {
    /// The keys of the evidence that is about this end.
    pub(super) fn keys(uid: Uid, c: usize, nth: u32) -> [EvidenceKey; 4] {
        [0_u8, 1, 2, 3].map(|part| EvidenceKey::of((uid, c, nth, part)))
    }

    /// How many ends this tells of: itself, and those before it of which nothing is known.
    pub(super) fn ends(&self) -> u64 {
        1 + u64::from(self.unknown_before)
    }
}
