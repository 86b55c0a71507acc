//! Which pods are looked for: those of which something is told, of a workload, that are well or not.

use std::collections::HashSet;
use std::sync::Arc;

use kubevitals_proto::needle::Needle;

use super::VitalsBuilder;
use super::as_of::goes_on;
use crate::cluster::{ContainerStatus, Phase, Pod, PodKey, State};

/// For how long after its last restart a pod is not taken to be healthy, in seconds.
const RESTART_SECONDS: i64 = 3_600;

/// The labels that name an application, the one that counts first.
const APP: [&str; 3] = ["app.kubernetes.io/name", "app", "k8s-app"];

impl VitalsBuilder {
    /// Whether a word is in one of the texts that are told of a pod: its namespace, name, node, STATUS, application and
    /// workload, the names of its containers and what they do, and why it was restarted last.
    pub fn mentions(&self, pod: &Pod, word: &Needle) -> bool {
        let is_in = |text: &str| word.is_in(text);
        // What is looked for is a name, mostly; what has to be worked out comes last.
        if is_in(&pod.key.name) || is_in(&pod.key.namespace) {
            return true;
        }
        if pod.node.as_deref().is_some_and(is_in) {
            return true;
        }
        let workload = pod.workload(|job| self.jobs.get(job));
        if workload.is_some_and(|(kind, name)| is_in(name) || is_in(kind)) {
            return true;
        }
        let app = APP.iter().find_map(|label| pod.labels.get(label));
        if app.is_some_and(is_in) {
            return true;
        }
        if pod
            .containers()
            .any(|(spec, status)| is_in(&spec.name) || is_in(does(status)))
        {
            return true;
        }
        is_in(&pod.summary().line.status) || self.was_restarted_for(pod, word)
    }

    fn was_restarted_for(&self, pod: &Pod, word: &Needle) -> bool {
        if pod.containers.iter().all(|status| status.last.is_none()) {
            return false;
        }
        let restarts = self.restarts(pod).into_iter();
        let lasts = restarts.filter_map(|restarts| restarts.last);
        let last = lasts.max_by_key(|last| last.ended.finished);
        last.is_some_and(|last| {
            let ended = Some((last.ended.exit_code, last.ended.reason.as_str()));
            word.is_in(&last.cause.in_words(ended))
        })
    }

    /// Whether this workload made a pod.
    pub fn is_of_workload(&self, pod: &Pod, kind: &str, name: &str) -> bool {
        pod.workload(|job| self.jobs.get(job)) == Some((kind, name))
    }

    /// Whether a pod is well: it has done what it was for; or it is ready, was not restarted within the last hour, and
    /// no incident of it goes on.
    pub fn is_healthy(&self, pod: &Pod) -> bool {
        if pod.phase == Phase::Succeeded {
            return true;
        }
        let since = self
            .at()
            .plus_nanos(-RESTART_SECONDS * 1_000_000_000)
            .as_secs();
        let ended_of_late = |status: &ContainerStatus| {
            let last = status.last.as_deref();
            last.is_some_and(|last| i64::from(last.finished_seconds) > since)
        };
        pod.ready.status
            && !pod.containers.iter().any(ended_of_late)
            && !self.afflicted().contains(&pod.key)
    }

    /// What incidents that go on are of; looked up once for all pods.
    fn afflicted(&self) -> &HashSet<PodKey> {
        self.afflicted.get_or_init(|| {
            let (incidents, _) = self.health.incidents();
            let going_on = incidents
                .iter()
                .map(|told| &*told.incident)
                .filter(|incident| goes_on(incident, self.at()));
            going_on
                .map(|incident| PodKey {
                    namespace: Arc::from(incident.involved.namespace.as_str()),
                    name: Arc::from(incident.involved.name.as_str()),
                })
                .collect()
        })
    }
}

/// What a container does, in a word.
fn does(status: &ContainerStatus) -> &str {
    match &status.state {
        State::Waiting(_) => status.waiting_reason().unwrap_or("Waiting"),
        State::Running { .. } => "Running",
        State::Terminated(ended) => ended.reason.as_deref().unwrap_or("Terminated"),
    }
}
