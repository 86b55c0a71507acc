//! Filters of pods: by a word in their texts, and by health.

use std::collections::HashSet;
use std::sync::Arc;

use kubevitals_proto::needle::Needle;

use super::as_of::is_open;
use super::builder::VitalsContext;
use super::restarts;
use crate::cluster::{ContainerStatus, Phase, Pod, PodKey, State};

/// The time after its last restart in which a pod is not healthy, in seconds.
const RESTART_SECONDS: i64 = 3_600;

/// The labels that name an application, by precedence.
const APP: [&str; 3] = ["app.kubernetes.io/name", "app", "k8s-app"];

/// Whether a text of a pod contains a word: its namespace, name, node, STATUS, application and workload, the names and
/// states of its containers, and the cause of its last restart.
pub(super) fn mentions(context: &VitalsContext, pod: &Pod, word: &Needle) -> bool {
    let is_in = |text: &str| word.is_in(text);
    // Most words are names; texts that must be computed come last.
    if is_in(&pod.key.name) || is_in(&pod.key.namespace) {
        return true;
    }
    if pod.node.as_deref().is_some_and(is_in) {
        return true;
    }
    let workload = pod.workload(|job| context.jobs.get(job));
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
    is_in(&pod.summary().status) || was_restarted_for(context, pod, word)
}

fn was_restarted_for(context: &VitalsContext, pod: &Pod, word: &Needle) -> bool {
    if pod.containers.iter().all(|status| status.last.is_none()) {
        return false;
    }
    let restarts = restarts::of_containers(context, pod).into_iter();
    let lasts = restarts.filter_map(|restarts| restarts.last);
    let last = lasts.max_by_key(|last| last.ended.finished);
    last.is_some_and(|last| {
        let ended = Some((last.ended.exit_code, last.ended.reason.as_str()));
        word.is_in(&last.cause.in_words(ended))
    })
}

/// Whether a pod has succeeded; or is ready, was not restarted within the last hour, and has no open incident.
pub(super) fn is_healthy(context: &VitalsContext, pod: &Pod) -> bool {
    if pod.phase == Phase::Succeeded {
        return true;
    }
    let since = context
        .at()
        .plus_nanos(-RESTART_SECONDS * 1_000_000_000)
        .as_secs();
    let ended_recently = |status: &ContainerStatus| {
        let last = status.last.as_deref();
        last.is_some_and(|last| i64::from(last.finished_seconds) > since)
    };
    pod.ready.status
        && !pod.containers.iter().any(ended_recently)
        && !pods_with_open_incidents(context).contains(&pod.key)
}

/// The objects with an open incident, computed once for all pods.
fn pods_with_open_incidents(context: &VitalsContext) -> &HashSet<PodKey> {
    context.with_open_incidents.get_or_init(|| {
        let (incidents, _) = context.sources.health.incidents();
        let open = incidents
            .iter()
            .map(|entry| &*entry.incident)
            .filter(|incident| is_open(incident, context.at()));
        open.map(|incident| PodKey {
            namespace: Arc::from(incident.involved.namespace.as_str()),
            name: Arc::from(incident.involved.name.as_str()),
        })
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
