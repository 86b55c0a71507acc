//! Filters of pods: by a word in their texts, and by health.

use std::collections::HashSet;

use kubevitals_proto::needle::Needle;

use super::as_of::is_open;
use super::builder::VitalsBuilder;
use super::restarts;
use crate::cluster::{ContainerStatus, Phase, Pod, PodKey, State};

/// The time after its last restart in which a pod is not healthy, in seconds.
const RESTART_SECONDS: i64 = 3_600;

/// The labels that name an application, by precedence.
const APP: [&str; 3] = ["app.kubernetes.io/name", "app", "k8s-app"];

impl VitalsBuilder {
    /// Whether a text of a pod contains a word: its namespace, name, node, STATUS, application and workload, the names and
    /// states of its containers, and the cause of its last restart.
    pub fn mentions(&self, pod: &Pod, word: &Needle) -> bool {
        let is_in = |text: &str| word.is_in(text);
        // Most words are names; texts that must be computed come last.
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
            .any(|(spec, status)| is_in(&spec.name) || is_in(state_word(status)))
        {
            return true;
        }
        is_in(&pod.summary().status) || was_restarted_for(self, pod, word)
    }

    /// Whether this workload created a pod.
    pub fn is_of_workload(&self, pod: &Pod, kind: &str, name: &str) -> bool {
        pod.workload(|job| self.jobs.get(job)) == Some((kind, name))
    }

    /// Whether a pod is healthy: it has succeeded; or it is ready, was not restarted within the last hour, and has no
    /// open incident.
    pub fn is_healthy(&self, pod: &Pod) -> bool {
        if pod.phase == Phase::Succeeded {
            return true;
        }
        let since = self
            .at()
            .plus_nanos(-RESTART_SECONDS * 1_000_000_000)
            .as_secs();
        let ended_recently = |status: &ContainerStatus| {
            let last = status.last.as_deref();
            last.is_some_and(|last| i64::from(last.finished_seconds) > since)
        };
        pod.ready.status
            && !pod.containers.iter().any(ended_recently)
            && !pods_with_open_incidents(self).contains(&pod.key)
    }
}

fn was_restarted_for(builder: &VitalsBuilder, pod: &Pod, word: &Needle) -> bool {
    if pod.containers.iter().all(|status| status.last.is_none()) {
        return false;
    }
    let restarts = restarts::of_containers(builder, pod).into_iter();
    let lasts = restarts.filter_map(|restarts| restarts.last);
    let last = lasts.max_by_key(|last| last.ended.finished);
    last.is_some_and(|last| {
        let ended = Some((last.ended.exit_code, last.ended.reason.as_str()));
        word.is_in(&last.cause.in_words(ended))
    })
}

/// The objects with an open incident, computed once for all pods.
fn pods_with_open_incidents(builder: &VitalsBuilder) -> &HashSet<PodKey> {
    builder.with_open_incidents.get_or_init(|| {
        let (incidents, _) = builder.sources.health.incidents();
        let open = incidents
            .iter()
            .map(|entry| &*entry.incident)
            .filter(|incident| is_open(incident, builder.at()));
        let involved = open.map(|incident| &incident.involved);
        involved
            .map(|it| PodKey::new(&*it.namespace, &*it.name))
            .collect()
    })
}

/// The state of a container in one word.
fn state_word(status: &ContainerStatus) -> &str {
    match &status.state {
        State::Waiting(_) => status.waiting_reason().unwrap_or("Waiting"),
        State::Running { .. } => "Running",
        State::Terminated(ended) => ended.reason.as_deref().unwrap_or("Terminated"),
    }
}
