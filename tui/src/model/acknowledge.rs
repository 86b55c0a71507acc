//! Acknowledgements of pods and incidents. An acknowledged object needs no attention until it fails again.

use std::collections::HashMap;

use kubevitals_proto::time::Timestamp;

use super::attention::{Attention, attention};
use super::name::{Key, Name};
use super::row::{IncidentRow, NodeRow, PodRow, Row};
use super::tone::Thresholds;

/// The number of acknowledgements that are stored. Beyond it the oldest one is dropped.
const MAX_ACKNOWLEDGED: usize = 2_000;

/// The acknowledgements of a session.
#[derive(Debug, Clone, Default)]
pub struct Acknowledgements {
    marks: HashMap<Subject, (u64, Mark)>,
    /// Increases with every change, so that lists made from an older version are made again.
    version: u64,
}

/// The object that is acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Subject {
    Pod(Key),
    Incident(Key),
    Node(Name),
}

/// The state of the object when it was acknowledged. If any of these has increased, it has failed again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark {
    /// The hash of the pod's UID: another pod of the same name is not acknowledged.
    uid: u64,
    /// Restarts of the pod, or the incident's count.
    count: u64,
    /// The time of the last restart, or when the incident was last seen.
    last: Option<Timestamp>,
    /// The attention that the pod needed.
    attention: Option<Attention>,
}

impl Mark {
    fn of_pod(pod: &PodRow, attention: Option<Attention>) -> Self {
        Self {
            uid: pod.uid,
            count: pod.restarts.count.into(),
            last: pod.restarts.finished(),
            attention,
        }
    }

    /// A node is worse if it is no longer ready, or has more conditions.
    fn of_node(node: &NodeRow) -> Self {
        let conditions = u64::try_from(node.conditions.len()).unwrap_or(u64::MAX);
        Self {
            uid: 0,
            count: if node.ready { conditions } else { u64::MAX },
            last: None,
            attention: None,
        }
    }

    fn of_incident(row: &IncidentRow) -> Self {
        Self {
            uid: 0,
            count: row.incident.count,
            last: Some(row.incident.last_seen.max(row.last())),
            attention: None,
        }
    }

    /// Whether nothing has happened since the acknowledgement.
    fn holds(&self, now: &Self) -> bool {
        self.uid == now.uid
            && now.count <= self.count
            && now.last <= self.last
            && now.attention <= self.attention
    }
}

impl Acknowledgements {
    /// Increases with every change.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// Whether the pod is acknowledged and its state is no worse since.
    #[must_use]
    pub fn has_pod(&self, pod: &PodRow, attention: Option<Attention>) -> bool {
        !self.marks.is_empty() && self.has(&Subject::Pod(pod.key()), &Mark::of_pod(pod, attention))
    }

    /// Whether the incident is acknowledged and has not happened again.
    #[must_use]
    pub fn has_incident(&self, row: &IncidentRow) -> bool {
        !self.marks.is_empty() && self.has(&Subject::Incident(row.key()), &Mark::of_incident(row))
    }

    /// Whether the node is acknowledged and its state is no worse since.
    #[must_use]
    pub fn has_node(&self, node: &NodeRow) -> bool {
        let subject = || Subject::Node(Name::clone(&node.name));
        !self.marks.is_empty() && self.has(&subject(), &Mark::of_node(node))
    }

    fn has(&self, subject: &Subject, now: &Mark) -> bool {
        let found = self.marks.get(subject);
        found.is_some_and(|(_, mark)| mark.holds(now))
    }

    /// Acknowledges a pod, or withdraws its acknowledgement. Returns whether it is acknowledged now.
    pub fn toggle_pod(&mut self, pod: &PodRow, attention: Option<Attention>) -> bool {
        self.toggle(Subject::Pod(pod.key()), Mark::of_pod(pod, attention))
    }

    /// Acknowledges an incident, or withdraws its acknowledgement. Returns whether it is acknowledged now.
    pub fn toggle_incident(&mut self, row: &IncidentRow) -> bool {
        self.toggle(Subject::Incident(row.key()), Mark::of_incident(row))
    }

    /// Acknowledges a pod of a problem.
    pub fn add_pod(&mut self, pod: &PodRow, attention: Option<Attention>) {
        self.add(Subject::Pod(pod.key()), Mark::of_pod(pod, attention));
    }

    /// Acknowledges an incident of a problem.
    pub fn add_incident(&mut self, row: &IncidentRow) {
        self.add(Subject::Incident(row.key()), Mark::of_incident(row));
    }

    /// Acknowledges a node.
    pub fn add_node(&mut self, node: &NodeRow) {
        let subject = Subject::Node(Name::clone(&node.name));
        self.add(subject, Mark::of_node(node));
    }

    fn toggle(&mut self, subject: Subject, now: Mark) -> bool {
        self.version += 1;
        if self.has(&subject, &now) {
            self.marks.remove(&subject);
            return false;
        }
        self.add(subject, now);
        true
    }

    fn add(&mut self, subject: Subject, now: Mark) {
        self.version += 1;
        if self.marks.len() >= MAX_ACKNOWLEDGED {
            let ages = self.marks.iter().map(|(subject, (at, _))| (*at, subject));
            if let Some((_, oldest)) = ages.min_by_key(|(at, _)| *at) {
                let oldest = oldest.clone();
                self.marks.remove(&oldest);
            }
        }
        self.marks.insert(subject, (self.version, now));
    }

    /// Drops the acknowledgements of nodes that have recovered.
    pub fn follow_nodes(&mut self, node: impl Fn(&Name) -> bool) {
        let before = self.marks.len();
        self.marks
            .retain(|subject, _| !matches!(subject, Subject::Node(name) if node(name)));
        self.version += u64::from(self.marks.len() != before);
    }

    /// Lowers the acknowledged attention of pods that have recovered: a pod that recovers and fails again needs
    /// attention.
    pub fn follow<'a>(
        &mut self,
        pod: impl Fn(&Key) -> Option<&'a PodRow>,
        now: Timestamp,
        thresholds: Thresholds,
    ) {
        for (subject, (_, mark)) in &mut self.marks {
            if let Subject::Pod(key) = subject
                && let Some(pod) = pod(key)
            {
                mark.attention = mark.attention.min(attention(pod, now, thresholds));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(name: &str, restarts: u32) -> PodRow {
        let mut pod = PodRow {
            namespace: "shop".into(),
            name: Name::from(name),
            status: "Running".into(),
            ready: true,
            ..PodRow::default()
        };
        pod.restarts.count = restarts;
        pod.restarts.recent = restarts;
        pod
    }

    fn attention_of(pod: &PodRow) -> Option<Attention> {
        attention(pod, Timestamp::from_secs(1_000), Thresholds::default())
    }

    fn has(acknowledgements: &Acknowledgements, pod: &PodRow) -> bool {
        acknowledgements.has_pod(pod, attention_of(pod))
    }

    #[test]
    fn a_pod_is_acknowledged_until_it_happens_again() {
        type Change = (&'static str, bool, fn(&mut PodRow));
        let changes: [Change; 7] = [
            ("as it was", true, |_| {}),
            ("more usage", true, |pod| pod.usage_seconds = 9),
            ("another restart", false, |pod| pod.restarts.count += 1),
            ("a probe fails", false, |pod| pod.probes.failing = 1),
            ("it crashes", false, |pod| {
                pod.status = "CrashLoopBackOff".into()
            }),
            ("another pod of the name", false, |pod| pod.uid = 7),
            ("it is not ready", false, |pod| pod.ready = false),
        ];
        for (what, still, change) in changes {
            let mut acknowledgements = Acknowledgements::default();
            let mut pod = pod("web", 1);
            assert!(acknowledgements.toggle_pod(&pod, attention_of(&pod)));
            change(&mut pod);
            assert_eq!(has(&acknowledgements, &pod), still, "{what}");
        }
    }

    #[test]
    fn a_pod_that_recovers_and_fails_again_needs_attention() {
        let mut acknowledgements = Acknowledgements::default();
        let mut failing = pod("web", 0);
        failing.probes.failing = 1;
        let well = pod("web", 0);
        acknowledgements.toggle_pod(&failing, attention_of(&failing));
        let mut follow = |pod: &PodRow| {
            let now = Timestamp::from_secs(1_000);
            acknowledgements.follow(|_| Some(pod), now, Thresholds::default());
            has(&acknowledgements, pod)
        };
        assert!(follow(&failing), "it still fails");
        assert!(follow(&well));
        assert!(!follow(&failing), "it fails again");
    }

    #[test]
    fn acknowledging_twice_undoes_it_and_the_oldest_is_evicted() {
        let mut acknowledgements = Acknowledgements::default();
        let pods: Vec<PodRow> = (0..=MAX_ACKNOWLEDGED)
            .map(|at| pod(&format!("web-{at}"), 1))
            .collect();
        for pod in &pods {
            assert!(acknowledgements.toggle_pod(pod, attention_of(pod)));
        }
        assert_eq!(acknowledgements.marks.len(), MAX_ACKNOWLEDGED);
        assert!(!has(&acknowledgements, &pods[0]));
        assert!(has(&acknowledgements, &pods[1]));
        assert!(!acknowledgements.toggle_pod(&pods[1], attention_of(&pods[1])));
        assert!(!has(&acknowledgements, &pods[1]));
    }
}
