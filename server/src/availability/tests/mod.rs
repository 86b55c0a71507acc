//! Availability from changes of pods.

mod gaps;
mod properties;
mod random;
mod rules;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kubevitals_proto::time::Timestamp;
use kubevitals_sim::SimClock;
use serde_json::{Value, json};

use super::{Availability, RETENTION, State, Totals, WorkloadAvailability, WorkloadKey};
use crate::cluster::testing::Reader;
use crate::cluster::{Observer as _, Pod};

/// The time at which tests start: a whole day.
const START: i64 = 1_800_057_600;

const HOUR: i64 = 3_600;

fn text(second: i64) -> String {
    Timestamp::from_secs(START + second).to_rfc3339_seconds()
}

/// A pod. Times are in seconds after [`START`].
#[derive(Debug, Clone)]
struct Spec {
    name: String,
    created: i64,
    ready: (bool, i64),
    /// The request to delete it. It has 30 s to end.
    deleted: Option<i64>,
    failed: bool,
    restarts: u32,
    terminated: Option<i64>,
    revision: &'static str,
    owner: &'static str,
}

impl Spec {
    /// A pod of the Deployment `web` that is not ready yet.
    fn new(name: &str, created: i64) -> Self {
        Self {
            name: name.to_owned(),
            created,
            ready: (false, created),
            deleted: None,
            failed: false,
            restarts: 0,
            terminated: None,
            revision: "1",
            owner: "ReplicaSet",
        }
    }

    fn ready(self, since: i64) -> Self {
        Self {
            ready: (true, since),
            ..self
        }
    }

    fn unready(self, since: i64) -> Self {
        Self {
            ready: (false, since),
            ..self
        }
    }

    fn deleted(self, at: i64) -> Self {
        Self {
            deleted: Some(at),
            ..self
        }
    }

    fn revision(self, revision: &'static str) -> Self {
        Self { revision, ..self }
    }

    fn json(&self) -> Value {
        let owner = match self.owner {
            "ReplicaSet" => format!("web-{}", self.revision),
            _ => "web".to_owned(),
        };
        let label = match self.owner {
            "ReplicaSet" => "pod-template-hash",
            _ => "controller-revision-hash",
        };
        let (ready, since) = self.ready;
        let status = if ready { "True" } else { "False" };
        let last = self.terminated.map(|at| {
            json!({"terminated": {"exitCode": 1, "reason": "Error", "startedAt": text(self.created),
                "finishedAt": text(at)}})
        });
        json!({
            "metadata": {
                "namespace": "shop", "name": self.name, "uid": format!("{}-{}", self.name, self.created),
                "labels": {label: self.revision}, "creationTimestamp": text(self.created),
                "deletionTimestamp": self.deleted.map(|at| text(at + 30)),
                "deletionGracePeriodSeconds": self.deleted.map(|_| 30),
                "ownerReferences": [{"apiVersion": "apps/v1", "kind": self.owner, "name": owner, "uid": "u",
                    "controller": true}],
            },
            "spec": {"nodeName": "n1", "containers": [{"name": "web"}]},
            "status": {
                "phase": if self.failed { "Failed" } else { "Running" }, "startTime": text(self.created),
                "conditions": [{"type": "Ready", "status": status, "lastTransitionTime": text(since)}],
                "containerStatuses": [{"name": "web", "restartCount": self.restarts, "ready": ready,
                    "lastState": last}],
            },
        })
    }
}

/// The availability of a cluster that a test changes.
struct TestCluster {
    availability: Arc<Availability>,
    reader: Reader,
    pods: BTreeMap<String, Arc<Pod>>,
    clock: SimClock,
}

impl TestCluster {
    /// A process that has listed an empty cluster at the second 0.
    fn new() -> Self {
        let mut cluster = Self::unlisted();
        cluster.list(0, &[]);
        cluster
    }

    fn unlisted() -> Self {
        let clock = SimClock::manual(Timestamp::from_secs(START));
        Self {
            availability: Availability::new(Arc::default(), clock.process(), RETENTION),
            reader: Reader::default(),
            pods: BTreeMap::new(),
            clock,
        }
    }

    /// A process that starts after this one, with the state that this one writes.
    fn restart(&self) -> Self {
        let clock = self.clock.clone();
        let next = Self {
            availability: Availability::new(Arc::default(), clock.process(), RETENTION),
            reader: Reader::default(),
            pods: BTreeMap::new(),
            clock,
        };
        for message in self.state() {
            next.availability.restore(&message).unwrap();
        }
        next
    }

    fn state(&self) -> Vec<Vec<u8>> {
        let mut messages = Vec::new();
        let written = self.availability.export(|message| {
            messages.push(message.to_vec());
            Ok::<_, ()>(())
        });
        written.unwrap();
        messages
    }

    fn set_time(&self, at: i64) {
        self.clock.set(Timestamp::from_secs(START + at));
    }

    /// A pod is reported at this time.
    fn see(&mut self, at: i64, pod: &Spec) {
        self.set_time(at);
        let after = self.reader.pod(pod.json());
        let before = self.pods.insert(pod.name.clone(), Arc::clone(&after));
        self.availability.pod(before.as_ref(), Some(&after));
    }

    /// A pod is gone.
    fn gone(&mut self, at: i64, name: &str) {
        self.set_time(at);
        let before = self.pods.remove(name);
        self.availability.pod(before.as_ref(), None);
    }

    /// A new list has these pods.
    fn list(&mut self, at: i64, pods: &[Spec]) {
        self.set_time(at);
        self.availability.pods_listing();
        let listed: BTreeMap<_, _> = pods
            .iter()
            .map(|pod| (pod.name.clone(), self.reader.pod(pod.json())))
            .collect();
        for (name, before) in &self.pods {
            if !listed.contains_key(name) {
                self.availability.pod(Some(before), None);
            }
        }
        for (name, after) in &listed {
            let before = self.pods.get(name);
            match before.filter(|before| before.uid != after.uid) {
                Some(replaced) => {
                    self.availability.pod(Some(replaced), None);
                    self.availability.pod(None, Some(after));
                }
                None => self.availability.pod(before, Some(after)),
            }
        }
        self.pods = listed;
        self.availability.pods_listed();
    }

    /// The watch is up to date at this time.
    fn quiet(&self, at: i64) {
        self.set_time(at);
        self.availability.pods_current();
    }

    /// The workload `web` at this time, over a span in seconds. The watch is up to date.
    fn web(&self, at: i64, span: i64) -> WorkloadAvailability {
        self.quiet(at);
        self.web_as_it_is(span)
    }

    fn web_as_it_is(&self, span: i64) -> WorkloadAvailability {
        let span = Duration::from_secs(span.unsigned_abs());
        let all = self.availability.workloads(Some("shop"), &[span]);
        all.into_iter().find(|it| *it.key.name == *"web").unwrap()
    }

    /// The seconds up, degraded, down, deliberate, off and unknown since the start, and the number of outages.
    fn sums(&self, at: i64) -> ([u64; 6], u64) {
        let web = self.web(at, at);
        (
            State::ALL.map(|state| web.totals[0].seconds(state)),
            web.totals[0].outages,
        )
    }
}

fn web() -> WorkloadKey {
    WorkloadKey {
        namespace: "shop".into(),
        kind: "Deployment".into(),
        name: "web".into(),
    }
}

/// The seconds down.
fn down(totals: &Totals) -> u64 {
    totals.seconds(State::Down)
}
