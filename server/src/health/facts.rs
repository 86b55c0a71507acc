//! The facts about an unhealthy pod. A healthy pod has none.

use std::collections::VecDeque;
use std::sync::Arc;

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{Cause, Certainty, Ended, Involved, ProbeKind, Workload};
use serde::{Deserialize, Serialize};

use super::container_index::ContainerIndex;
use super::incident_record::{EvidenceKey, IncidentId};
use super::pod_events::PodEvents;
use super::streaks::Streaks;
use super::tallies::Tally;
use super::terminations::{self, running_since};
use super::thresholds::{LOOK_BACK, LOOP_GAP};
use super::topic::Topic;
use crate::cluster::{ContainerSpec, ContainerStatus, Pod, PodKey, Uid};

/// The largest number of tallies of one container.
const MAX_TALLIES: usize = 8;

/// The largest number of stored restarts of one container.
pub(super) const MAX_RESTARTS: usize = 16;

/// The facts about a pod.
#[derive(Debug)]
pub(super) struct PodFacts {
    pub(super) key: PodKey,
    pub(super) uid: Uid,
    /// The last state of the pod; none after a restart of the server until the watch reports the pod.
    pub(super) pod: Option<Arc<Pod>>,
    /// The containers in the order of the pod's template.
    pub(super) containers: Vec<ContainerFacts>,
    pub(super) events: PodEvents,
    /// The pod's open incidents.
    pub(super) open: Vec<Open>,
    /// Whether it has ever been ready.
    pub(super) was_ready: bool,
    /// The time at which the pod was deleted.
    pub(super) deleted: Option<Timestamp>,
    /// The time of the next review if nothing happens.
    pub(super) wake: Option<Timestamp>,
    /// The time at which these facts were started.
    pub(super) since: Timestamp,
}

/// An open incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Open {
    pub(super) id: IncidentId,
    pub(super) topic: Topic,
}

/// The facts about a container. Those that are serialized outlive the process.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct ContainerFacts {
    /// The name, by which restored facts are matched.
    pub(super) name: Box<str>,
    /// The number of recorded terminations.
    #[serde(rename = "deaths")]
    pub(super) termination_count: u32,
    /// The latest restarts, oldest first.
    pub(super) restarts: VecDeque<Restart>,
    /// The kubelet's last kill for a probe.
    pub(super) kill: Option<Kill>,
    /// The numbers of terminations that Events count.
    #[serde(default)]
    pub(super) tallies: Vec<Tally>,
    /// Terminations of unknown time before the server first saw the container, which no incident counts.
    #[serde(default)]
    pub(super) unclaimed: u32,
    /// Failures in a row of each kind of probe.
    #[serde(skip)]
    pub(super) streaks: Streaks,
    /// The start of the running container.
    #[serde(skip)]
    pub(super) running: Option<Timestamp>,
    /// The time at which the running container first became ready.
    #[serde(skip)]
    pub(super) was_ready: Option<Timestamp>,
    /// The last ended incident about readiness. A failure soon after reopens it.
    #[serde(skip)]
    pub(super) ended_readiness: Option<EndedReadiness>,
    /// The failed attempts that the incident about readiness counts besides those of the current streak.
    #[serde(skip)]
    pub(super) counted_failures: Option<CountedFailures>,
}

/// An ended incident about readiness.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct EndedReadiness {
    pub(super) id: IncidentId,
    pub(super) at: Timestamp,
}

/// Failed attempts that an incident already counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CountedFailures {
    pub(super) failures: u64,
    /// The time of the last of them.
    pub(super) last: Timestamp,
}

/// A kill of a container for a probe, as reported by the kubelet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kill {
    pub(super) kind: ProbeKind,
    pub(super) at: Timestamp,
}

/// A termination of a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Restart {
    /// Its number among the container's terminations, from 1.
    pub(super) nth: u32,
    pub(super) ended: Ended,
    pub(super) cause: Cause,
    pub(super) certainty: Certainty,
    /// The first failed attempt of the liveness or startup probe before it.
    #[serde(rename = "failing")]
    pub(super) failing_since: Option<Timestamp>,
    /// Whether only an Event can still change the cause.
    pub(super) decided: bool,
    pub(super) incident: IncidentId,
    /// The time at which it was recorded.
    pub(super) noticed: Timestamp,
    /// Whether the counters show that no probe failed as often as its threshold.
    #[serde(default)]
    pub(super) refuted: bool,
    /// Unknown terminations between the one before and this one. They count in the same incident.
    #[serde(default, rename = "silent")]
    pub(super) unknown_before: u32,
}

impl PodFacts {
    /// No facts about a pod yet.
    pub(super) fn new(key: PodKey, uid: Uid, now: Timestamp) -> Self {
        Self {
            key,
            uid,
            pod: None,
            containers: Vec::new(),
            events: PodEvents::default(),
            open: Vec::new(),
            was_ready: false,
            deleted: None,
            wake: None,
            since: now,
        }
    }

    /// Sets the current state of the pod. `before` is its last state, if the watch reported one.
    pub(super) fn set_pod(&mut self, before: Option<&Pod>, pod: &Arc<Pod>, now: Timestamp) {
        self.was_ready |= pod.ready.status || before.is_some_and(|before| before.ready.status);
        let ready_since = terminations::ready_since(pod);
        for (facts, status) in self.containers.iter_mut().zip(&pod.containers) {
            facts.set_status(status, ready_since, now);
        }
        self.pod = Some(Arc::clone(pod));
    }

    /// Starts the facts about the containers of a pod that is seen for the first time. Earlier terminations count if
    /// they are recent, as far as the status and Events contain them.
    pub(super) fn start(&mut self, before: Option<&Pod>, pod: &Pod, now: Timestamp) {
        let restored = std::mem::take(&mut self.containers);
        let statuses = ContainerIndex::enumerate(pod.containers());
        self.containers = statuses
            .map(|(index, (spec, status))| {
                if let Some(existing) = restored
                    .iter()
                    .find(|existing| *existing.name == *spec.name)
                {
                    return existing.restored();
                }
                let count = status.terminations(pod.stays_ended(spec));
                let (termination_count, unclaimed) =
                    match before.and_then(|before| index.of(&before.containers)) {
                        Some(before) => (before.terminations(pod.stays_ended(spec)), 0),
                        None => terminations_before(pod, status, count, now),
                    };
                ContainerFacts {
                    name: Box::from(&*spec.name),
                    termination_count,
                    unclaimed,
                    ..ContainerFacts::default()
                }
            })
            .collect();
    }

    /// The open incident about a topic.
    pub(super) fn open_on(&self, topic: Topic) -> Option<IncidentId> {
        let open = self.open.iter().find(|open| open.topic == topic);
        open.map(|open| open.id)
    }

    /// A container with its spec and status.
    pub(super) fn container<'p>(
        &self,
        pod: &'p Pod,
        index: ContainerIndex,
    ) -> Option<(&ContainerFacts, &'p ContainerSpec, &'p ContainerStatus)> {
        let facts = index.of(&self.containers)?;
        Some((
            facts,
            index.of(&pod.in_force().containers)?,
            index.of(&pod.containers)?,
        ))
    }

    /// A restart of a container by its number.
    pub(super) fn restart(&self, index: ContainerIndex, nth: u32) -> Option<&Restart> {
        let mut restarts = index.of(&self.containers)?.restarts.iter();
        restarts.find(|restart| restart.nth == nth)
    }

    /// A restart of a container by its number.
    pub(super) fn restart_mut(&mut self, index: ContainerIndex, nth: u32) -> Option<&mut Restart> {
        let mut restarts = index.of_mut(&mut self.containers)?.restarts.iter_mut();
        restarts.find(|restart| restart.nth == nth)
    }

    /// Reviews the pod again at this time, or earlier.
    pub(super) fn wake_at(&mut self, at: Timestamp) {
        self.wake = Some(self.wake.map_or(at, |wake| wake.min(at)));
    }

    /// The index of the container with this name.
    pub(super) fn container_named(&self, container: &str) -> Option<ContainerIndex> {
        let mut containers = ContainerIndex::enumerate(self.containers.iter());
        let named = containers.find(|(_, facts)| *facts.name == *container);
        named.map(|(index, _)| index)
    }
}

/// For a container that is seen for the first time: the number of terminations that do not count, and how many of them
/// Events may still explain.
///
/// The rule does not depend on when the server starts. All terminations count if the pod was created within the last
/// hour, or if the container terminates as often as in a crash loop. Otherwise the terminations of the last hour count:
/// those in the status, and those that Events count.
fn terminations_before(
    pod: &Pod,
    status: &ContainerStatus,
    count: u32,
    now: Timestamp,
) -> (u32, u32) {
    let is_recent = |at: Option<Timestamp>| at.is_some_and(|at| now.since(at) <= LOOK_BACK);
    let recent = terminations::in_status(status)
        .take_while(|(_, ended)| is_recent(terminations::finished(ended)));
    let recent = u32::try_from(recent.count()).unwrap_or(u32::MAX);
    let looped = pod
        .created()
        .is_some_and(|created| i64::from(count).saturating_mul(LOOP_GAP) >= now.since(created));
    if is_recent(pod.created()) || (recent > 0 && looped) {
        (0, 0)
    } else if recent == 0 && terminations::in_status(status).next().is_some() {
        (count, 0)
    } else {
        let before = count.saturating_sub(recent);
        (before, before)
    }
}

/// GroupScope an incident of this pod befalls.
pub(super) fn involved(pod: &Pod, container: Option<ContainerIndex>) -> Involved {
    let container = container.and_then(|index| index.of(&pod.template.containers));
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

/// The workload of a pod, from the pod alone. The workload of a Deployment's ReplicaSet is the Deployment.
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
    /// Stores the tally of an Event. Above the limit the tally of the oldest Event is dropped.
    pub(super) fn add_tally(&mut self, tally: Tally) {
        if let Some(existing) = self.tallies.iter_mut().find(|it| it.event == tally.event) {
            existing.first = existing.first.min(tally.first);
            existing.last = existing.last.max(tally.last);
            existing.count = existing.count.max(tally.count);
            return;
        }
        if self.tallies.len() >= MAX_TALLIES
            && let Some(oldest) = (0..self.tallies.len())
                .min_by_key(|at| self.tallies.get(*at).map(|tally| tally.last))
        {
            self.tallies.remove(oldest);
        }
        self.tallies.push(tally);
        self.tallies.sort_by_key(|tally| (tally.kind, tally.first));
    }

    fn set_status(
        &mut self,
        status: &ContainerStatus,
        pod_ready: Option<Timestamp>,
        now: Timestamp,
    ) {
        let running = running_since(status);
        if running != self.running {
            // The container has restarted: its probes start again. The kubelet's kill stays until the termination.
            self.streaks = Streaks::default();
            self.was_ready = None;
            self.running = running;
        }
        if let Some(running) = running
            && status.ready
        {
            // The pod became ready with its last container; the times of the others are unknown.
            let since = pod_ready.filter(|since| *since >= running);
            self.was_ready.get_or_insert(since.unwrap_or(running));
            self.streaks.end(ProbeKind::Readiness, now);
        }
        if status.started {
            self.streaks.clear(ProbeKind::Startup);
        }
    }

    /// The facts that outlive a restart of the server.
    pub(super) fn restored(&self) -> Self {
        Self {
            name: self.name.clone(),
            termination_count: self.termination_count,
            restarts: self.restarts.clone(),
            kill: self.kill,
            tallies: self.tallies.clone(),
            unclaimed: self.unclaimed,
            ..Self::default()
        }
    }

    /// Stores a restart. Above the limit the oldest is dropped.
    pub(super) fn add_restart(&mut self, restart: Restart) {
        if self.restarts.len() >= MAX_RESTARTS {
            self.restarts.pop_front();
        }
        self.restarts.push_back(restart);
    }

    /// The kubelet's kill of the running container.
    pub(super) fn being_killed(&self) -> Option<Kill> {
        let running = self.running?;
        self.kill
            .filter(|kill| kill.at >= running && !self.is_spent(kill))
    }

    /// Whether a kill was about a recorded termination.
    pub(super) fn is_spent(&self, kill: &Kill) -> bool {
        let mut existing = self.restarts.iter().rev();
        existing
            .any(|restart| restart.certainty == Certainty::Direct && kill.explains(&restart.ended))
    }
}

impl Kill {
    /// Whether this kill led to a termination. The kubelet reports a kill before it, and the runtime uses the same
    /// clock.
    pub(super) fn explains(&self, ended: &Ended) -> bool {
        let (Some(started), Some(finished)) = (ended.started, ended.finished) else {
            return false;
        };
        (started..=finished).contains(&self.at)
    }
}

impl Restart {
    /// The keys of the evidence about a termination.
    pub(super) fn keys(uid: Uid, index: ContainerIndex, nth: u32) -> [EvidenceKey; 4] {
        [0_u8, 1, 2, 3].map(|part| EvidenceKey::of((uid, index, nth, part)))
    }

    /// The number of terminations: itself, and the unknown ones before it.
    pub(super) fn terminations(&self) -> u64 {
        1 + u64::from(self.unknown_before)
    }
}
