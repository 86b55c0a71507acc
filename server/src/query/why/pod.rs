//! The chain of a pod.

use std::sync::Arc;

use kubevitals_proto::why::{Container, StepName};
use kubevitals_proto::words::capital;

use super::chain::{Chain, Outcome, add_ready, add_scraped, not_ready, with_next_scrape};
use super::explain::{self, Explanation};
use super::final_steps::{add_fresh, add_incomplete, age_of_scrape, freshness, nothing_yet};
use super::findings::Findings;
use super::node::add_node;
use super::not_running;
use crate::cluster::{Pod, PodKey, State};
use crate::query::readiness::Unready;
use crate::query::sources::Sources;
use crate::store::Absent;

pub(super) fn follow_pod(
    sources: &Sources,
    chain: &mut Chain,
    found: &mut Findings,
    namespace: &str,
    name: &str,
) -> Outcome {
    if !sources.watches.pods.synced() {
        return not_ready(chain, Unready::Pods);
    }
    let key = PodKey {
        namespace: Arc::from(namespace),
        name: Arc::from(name),
    };
    let pods = sources.cluster.pods();
    let Some(pod) = pods.get(&key) else {
        chain.fail(StepName::Known, "the API server has no such pod");
        return Outcome::new(
            "unknown",
            format!("There is no pod {namespace}/{name}."),
            "check the name and the namespace: kubectl get pods -A",
        );
    };
    chain.ok(StepName::Known, "the API server has it");
    if let Some((reason, Explanation { what, hint })) = not_running::phase(pod) {
        let phase = pod.phase.as_str();
        chain.fail(StepName::Running, format!("its phase is {phase}"));
        return Outcome::new(reason, format!("{what}."), hint);
    }
    let started = pod
        .started()
        .map(|at| format!("; its kubelet took it over at {}", at.to_rfc3339_seconds()))
        .unwrap_or_default();
    let nothing_runs = not_running::pod(pod).map(|Explanation { what, hint }| {
        let what = format!("{what}; nothing runs, so nothing is measured");
        not_running(Explanation { what, hint })
    });
    add_running(chain, pod, &format!("its phase is Running{started}"));
    let Some(node_name) = &pod.node else {
        chain.fail(StepName::Node, "it is bound to no node");
        return Outcome::new(
            "unbound",
            "It is bound to no node.",
            "look with kubectl describe pod: the scheduler has not found a node for it",
        );
    };
    let nodes = sources.cluster.nodes();
    let node = match add_node(sources, chain, &nodes, node_name) {
        Ok(node) => node,
        Err(outcome) => return outcome,
    };
    add_ready(chain, node);
    let trouble = add_scraped(sources, chain, node);
    let cells = sources.store.cells();
    let Some(latest) = cells.get(node_name).and_then(|cell| cell.latest()) else {
        return trouble.unwrap_or_else(|| nothing_yet(node));
    };
    let Some((at, reported)) = latest.find(namespace, name) else {
        chain.fail(
            StepName::Reported,
            format!(
                "it is not in node {node_name}'s last answer{}",
                age_of_scrape(sources, &latest)
            ),
        );
        return nothing_runs
            .or(trouble)
            .unwrap_or_else(|| not_reported(sources, pod, node_name));
    };
    chain.ok(
        StepName::Reported,
        format!(
            "it is in node {node_name}'s last answer{}",
            age_of_scrape(sources, &latest)
        ),
    );
    let rates = match &reported.rates {
        Ok(rates) => rates,
        Err(absent) => {
            found.containers = latest
                .incomplete_containers(at)
                .iter()
                .map(|container| of_container(pod, &container.name, container.absent.as_ref()))
                .collect();
            let outcome = match idle_container(pod, absent) {
                Some(words) => {
                    chain.fail(StepName::Whole, words.what.clone());
                    not_running(words)
                }
                None => add_incomplete(sources, chain, node_name, "container ", absent),
            };
            // The next scrape would help, but scrapes fail.
            return trouble.unwrap_or(outcome);
        }
    };
    chain.ok(StepName::Whole, "all its containers have what a rate needs");
    let whole = latest.pod(namespace, name, sources.retention, sources.now());
    if let Ok((_, containers)) = whole {
        let whole = containers
            .iter()
            .map(|container| of_container(pod, &container.name, None));
        found.containers = whole.collect();
    }
    match add_fresh(sources, chain, &latest, rates.arrived, trouble) {
        Ok(outcome) => {
            found.freshness = Some(freshness(sources, rates.at, rates.window, rates.arrived));
            outcome
        }
        // The last samples are of the time when a container ran.
        Err(outcome) => nothing_runs.unwrap_or(outcome),
    }
}

/// The outcome for a pod that its kubelet does not report.
fn not_reported(sources: &Sources, pod: &Pod, node: &str) -> Outcome {
    let record = sources.stats.records().get(node);
    let requested = record.and_then(|record| {
        record.read(|history| history.last.as_ref().map(|last| last.began.wall))
    });
    if pod
        .started()
        .zip(requested)
        .is_some_and(|(started, requested)| started >= requested)
    {
        return Outcome::new(
            "just_started",
            "It was started after its node was last asked.",
            with_next_scrape(sources, node, "wait for the next scrape"),
        );
    }
    let Explanation { what, hint } = explain::absent("it", &Absent::NotReported);
    let hint = with_next_scrape(sources, node, hint);
    Outcome::new("not_reported", format!("{}.", capital(&what)), hint)
}

/// Adds the step for the containers: a warning if one does not run and has not completed.
fn add_running(chain: &mut Chain, pod: &Pod, phase: &str) {
    let idle = pod.containers().find(|(spec, status)| {
        let completed = matches!(&status.state, State::Terminated(ended) if ended.exit_code == 0);
        spec.role.stays() && status.is_reported() && !status.is_running() && !completed
    });
    let words =
        idle.and_then(|(spec, status)| Some((spec, not_running::container(pod, spec, status)?)));
    match words {
        Some((spec, Explanation { what, .. })) => chain.warn(
            StepName::Running,
            format!("{phase}; container {} {what}", spec.name),
        ),
        None => chain.ok(StepName::Running, phase),
    }
}

/// Why the container does not run whose reading is incomplete. None if it runs.
fn idle_container(pod: &Pod, absent: &Absent) -> Option<Explanation> {
    let (Absent::Incomplete { container, .. } | Absent::NoRate { container, .. }) = absent else {
        return None;
    };
    let (spec, status) = pod.container(container.as_deref()?)?;
    let Explanation { what, hint } =
        not_running::container(pod, spec, status).filter(|_| status.is_reported())?;
    let what = format!("container {} {what}", spec.name);
    Some(Explanation { what, hint })
}

fn not_running(Explanation { what, hint }: Explanation) -> Outcome {
    Outcome::new("not_running", format!("{}.", capital(&what)), hint)
}

fn of_container(pod: &Pod, name: &str, absent: Option<&Absent>) -> Container {
    let message = absent.map(|absent| {
        let idle = idle_container(pod, absent);
        idle.unwrap_or_else(|| explain::absent("it", absent)).what
    });
    Container {
        name: name.to_owned(),
        whole: absent.is_none(),
        lack: absent.map(Absent::reason).unwrap_or_default().to_owned(),
        message: message.unwrap_or_default(),
    }
}
