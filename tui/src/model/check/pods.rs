//! Pods that crash, do not start, do not end, fail probes or were restarted.

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::Cause;

use super::incidents::Explained;
use super::problem::{Basis, GRACE_SECONDS, Object, Problem, Severity};
use super::rule::Rule;
use crate::model::attention::{Attention, has_restarted, state_attention};
use crate::model::format;
use crate::model::name::Key;
use crate::model::row::{PodRow, Row as _, is_recent};
use crate::model::tone::{Thresholds, Tone};
use crate::model::world::World;

/// Adds the problems of pods. Those that an open incident or a node explains are left out.
pub(super) fn check(
    world: &World,
    basis: &Basis<'_>,
    explained: &Explained<'_>,
    problems: &mut Vec<Problem>,
) {
    for pod in world.pods.rows() {
        let is_checked = basis.has_namespace(&pod.namespace);
        let node = world.nodes.get(&Key::named(&pod.node));
        let is_lost = node.is_some_and(|node| !node.ready);
        if !is_checked || is_lost || explained.has_pod(pod) {
            continue;
        }
        problems.extend(problem(pod, basis));
    }
}

/// The problem of a pod, without what it uses.
fn problem(pod: &PodRow, basis: &Basis<'_>) -> Option<Problem> {
    let (rule, severity) = judged(pod, basis)?;
    let ooms = pod.containers.iter().filter(|container| {
        let last = container.restarts.last.as_deref();
        last.is_some_and(|last| {
            last.cause == Cause::OomKilled && is_recent(last.finished, basis.now)
        })
    });
    let (rule, container) = match rule {
        Rule::Restarted => match ooms.max_by_key(|oom| oom.restarts.finished()) {
            Some(oom) => (Rule::OomKilled, &*oom.name),
            None => (rule, ""),
        },
        rule => (rule, ""),
    };
    Some(Problem {
        severity,
        rule,
        object: Object::new("Pod", &pod.key()).container(container),
        message: message(pod, rule, basis.now),
        since: match rule {
            Rule::OomKilled | Rule::Restarted => pod.restarts.finished(),
            Rule::ProbeFailing => None,
            _ => changed(pod),
        },
    })
}

/// How severe the state of a pod is, with the usual grace.
pub(in crate::model) fn severity_of_pod(pod: &PodRow, now: Timestamp) -> Option<Severity> {
    let basis = Basis {
        now,
        thresholds: Thresholds::default(),
        grace_seconds: GRACE_SECONDS,
        namespaces: &[],
        rules: &[],
    };
    judged(pod, &basis).map(|(_, severity)| severity)
}

/// The rule and the severity of a pod's state.
fn judged(pod: &PodRow, basis: &Basis<'_>) -> Option<(Rule, Severity)> {
    let is_new = basis.is_in_grace(pod.created());
    Some(match state_attention(pod, basis.now)? {
        // A failed pod stays until it is deleted.
        Attention::Broken if pod.phase.is_over() => {
            let ended = changed(pod).or(pod.created());
            if !is_recent(ended, basis.now) {
                return None;
            }
            (Rule::PodFailed, Severity::Warning)
        }
        Attention::Broken => (Rule::PodBroken, Severity::Critical),
        Attention::Failing if is_new => (Rule::ProbeFailing, Severity::Warning),
        Attention::Failing => (Rule::ProbeFailing, Severity::Critical),
        Attention::Unsettled => {
            let last = changed(pod).max(pod.created());
            match (basis.is_in_grace(last), has_restarted(pod, basis.now)) {
                (false, _) => (Rule::PodUnsettled, Severity::Warning),
                // It is starting again.
                (true, true) => (Rule::Restarted, Severity::Warning),
                (true, false) => return None,
            }
        }
        Attention::Recent => (Rule::Restarted, Severity::Warning),
        Attention::NearLimit => return None,
    })
}

/// When a container that is not well came into its state.
pub(in crate::model) fn changed(pod: &PodRow) -> Option<Timestamp> {
    let containers = pod.containers.iter();
    let unwell = containers.filter(|container| container.tone() != Tone::Plain);
    unwell.filter_map(|container| container.since()).max()
}

fn message(pod: &PodRow, rule: Rule, now: Timestamp) -> String {
    let restarts = || pod.restarts.text(now);
    match rule {
        Rule::ProbeFailing => format!("probes: {}", pod.probes.text()),
        Rule::OomKilled | Rule::Restarted => format!("restarts: {}", restarts()),
        _ => {
            let mut text = pod.status.to_string();
            if !pod.ready && pod.total_containers > 0 {
                let (ready, all) = (pod.ready_containers, pod.total_containers);
                text.push_str(&format!(
                    ", {ready} of {} ready",
                    format::count(all, "container")
                ));
            }
            if pod.restarts.count > 0 {
                text.push_str(&format!(", restarts: {}", restarts()));
            }
            if let Some(message) = &pod.message {
                text.push_str(&format!(": {message}"));
            }
            text
        }
    }
}
