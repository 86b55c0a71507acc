//! The page of a workload.

use std::collections::BTreeMap;
use std::sync::Arc;

use kubevitals_proto::objects::{Budget, Rollout, RolloutState};
use kubevitals_proto::time::Timestamp;

use super::shared::{age, gpus, incidents, is_of_pods, pods, restarts, sums};
use crate::model::facts::{Fact, Facts, Objects};
use crate::model::format;
use crate::model::name::{Key, Name, Workload};
use crate::model::row::{HpaRow, Rollup, Row as _};
use crate::model::scope::Scope;
use crate::model::state::State;
use crate::model::tone::Tone;

/// The groups of facts, the most important ones first.
pub(super) fn groups(
    state: &State,
    namespace: &Name,
    workload: &Arc<Workload>,
    facts: Option<&Facts>,
) -> Vec<Vec<Fact>> {
    let scope = Scope::Workload(Name::clone(namespace), Arc::clone(workload));
    let (rollout, budgets) = match facts.map(|facts| &facts.objects) {
        Some(Objects::Workload(rollout, budgets)) => (Some(&**rollout), budgets.as_slice()),
        _ => (None, &[][..]),
    };
    let mut all = Rollup::default();
    for pod in pods(state, &scope) {
        all.add(pod);
    }
    let mut groups = vec![match rollout {
        Some(rollout) => replicas(rollout, state.now),
        None => vec![Fact::new(
            "",
            format!(
                "{} of {} ready",
                all.ready,
                format::count(all.pods - all.over, "pod")
            ),
        )],
    }];
    groups.extend(rollout.and_then(|rollout| stuck(rollout, state.now)));
    let of_pods = |incident: &_| is_of_pods(incident, state, &scope);
    groups.extend(incidents(state, |incident| {
        let involved = &incident.incident.involved;
        of_pods(incident)
            || (involved.kind == *workload.kind
                && involved.name == *workload.name
                && involved.namespace == **namespace)
    }));
    groups.extend(restarts(state, &scope));
    groups.extend(hpas(state, namespace, workload));
    groups.extend(budgets.iter().map(budget));
    let mut use_of_nodes = vec![spread(state, &scope)];
    use_of_nodes.extend(availability(state, namespace, workload));
    groups.push(use_of_nodes);
    groups.push(sums(all.usage, all.requests, all.limits));
    groups.extend(gpus(all.gpu).map(|gpus| vec![gpus]));
    groups.extend(rollout.map(version));
    groups
}

/// The rollout and the replicas.
fn replicas(rollout: &Rollout, now: Timestamp) -> Vec<Fact> {
    let (text, tone) = match &rollout.state {
        RolloutState::Complete => ("complete".to_owned(), Tone::Plain),
        RolloutState::Progressing(what) => (format!("progressing: {what}"), Tone::Warn),
        RolloutState::Stuck { reason, .. } => (format!("stuck: {reason}"), Tone::Bad),
        RolloutState::Paused => ("paused".to_owned(), Tone::Warn),
        RolloutState::Manual => (
            "pods are replaced when they are deleted".to_owned(),
            Tone::Plain,
        ),
    };
    let count = |label: &str, count: u32| {
        let tone = if count < rollout.desired {
            Tone::Warn
        } else {
            Tone::Plain
        };
        Fact::new(label, count.to_string()).tone(tone)
    };
    let progressed = rollout
        .progressed
        .map(|at| format!("{} ago", age(Some(at), now)));
    vec![
        Fact::new("rollout", text).tone(tone),
        Fact::new("desired", rollout.desired.to_string()),
        count("updated", rollout.updated),
        count("ready", rollout.ready),
        count("available", rollout.available),
        Fact::new("revision", &*rollout.revision),
        Fact::new("last progress", progressed.unwrap_or_default()),
    ]
}

/// Why a rollout is stuck.
fn stuck(rollout: &Rollout, now: Timestamp) -> Option<Vec<Fact>> {
    let RolloutState::Stuck { message, since, .. } = &rollout.state else {
        return None;
    };
    let since = since.map_or_else(String::new, |at| format!("for {}: ", age(Some(at), now)));
    Some(vec![
        Fact::new("stuck", format!("{since}{message}")).tone(Tone::Bad),
    ])
}

fn hpas(state: &State, namespace: &Name, workload: &Workload) -> Vec<Vec<Fact>> {
    let hpas = state.world().hpas.rows().iter();
    let hpas = hpas.filter(|hpa| {
        hpa.namespace == *namespace
            && hpa.target == workload.name
            && hpa.target_kind == workload.kind
    });
    hpas.map(|hpa| autoscaler(hpa)).collect()
}

fn autoscaler(hpa: &HpaRow) -> Vec<Fact> {
    let metrics: Vec<String> = hpa.metrics.iter().map(|metric| metric.text()).collect();
    let text = format!(
        "{} of {}-{}, {}",
        hpa.current,
        hpa.min,
        hpa.max,
        metrics.join(", ")
    );
    let mut facts = vec![Fact::new("autoscaler", text.trim_end_matches(", "))];
    if let Some(limited) = &hpa.limited {
        facts.push(Fact::new("limited", &*limited.reason).tone(hpa.limited_tone()));
    }
    facts
}

fn budget(budget: &Budget) -> Vec<Fact> {
    let disruptions = match budget.allowed {
        1 => "1 disruption allowed".to_owned(),
        allowed => format!("{allowed} disruptions allowed"),
    };
    let text = format!(
        "{} {}: {} healthy, {} required, {disruptions}",
        budget.name, budget.rule, budget.healthy, budget.desired
    );
    let tone = if budget.allowed == 0 {
        Tone::Warn
    } else {
        Tone::Plain
    };
    vec![Fact::new("PodDisruptionBudget", text).tone(tone)]
}

/// The nodes and the zones of the pods.
fn spread(state: &State, scope: &Scope) -> Fact {
    let world = state.world();
    let (mut nodes, mut zones) = (BTreeMap::<&Name, u32>::new(), BTreeMap::<&str, u32>::new());
    let placed = pods(state, scope).filter(|pod| !pod.node.is_empty() && !pod.phase.is_over());
    for pod in placed {
        *nodes.entry(&pod.node).or_default() += 1;
        let node = world.nodes.get(&Key::named(&pod.node));
        if let Some(zone) = node.map(|node| node.zone()).filter(|zone| !zone.is_empty()) {
            *zones.entry(zone).or_default() += 1;
        }
    }
    if nodes.is_empty() {
        return Fact::default();
    }
    let most = nodes.values().max().copied().unwrap_or_default();
    let zones: Vec<String> = zones
        .iter()
        .map(|(zone, pods)| format!("{zone} {pods}"))
        .collect();
    let zones = match zones.as_slice() {
        [] => String::new(),
        zones => format!(", zones {}", zones.join(" ")),
    };
    let text = match nodes.len() {
        1 => format!("1 node{zones}"),
        count => format!("{count} nodes, up to {most} each{zones}"),
    };
    Fact::new("spread", text)
}

/// The availability, if the source has sent it.
fn availability(state: &State, namespace: &Name, workload: &Workload) -> Vec<Fact> {
    let key = Key::new(namespace, &workload.name).part(&workload.kind);
    let Some(row) = state
        .world()
        .workloads
        .get(&key)
        .filter(|row| row.availability.is_some())
    else {
        return Vec::new();
    };
    let now = state.status_time();
    let text = |field| row.text(field, now).unwrap_or_default();
    let down = text(crate::model::field::Field::Down);
    let part = text(crate::model::field::Field::Availability);
    vec![Fact::new("available", format!("{part}, down {down}"))]
}

/// The strategy and the images.
fn version(rollout: &Rollout) -> Vec<Fact> {
    let images = rollout.images.iter();
    let images = images.map(|image| Fact::new("image", image));
    std::iter::once(Fact::new("strategy", &*rollout.strategy))
        .chain(images)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_of_a_rollout_has_a_severity() {
        let stuck = RolloutState::Stuck {
            reason: "ProgressDeadlineExceeded".to_owned(),
            message: "timed out".to_owned(),
            since: None,
        };
        for (state, text, tone) in [
            (RolloutState::Complete, "complete", Tone::Plain),
            (
                RolloutState::Progressing("1 of 3 updated".to_owned()),
                "progressing: 1 of 3 updated",
                Tone::Warn,
            ),
            (stuck, "stuck: ProgressDeadlineExceeded", Tone::Bad),
            (RolloutState::Paused, "paused", Tone::Warn),
        ] {
            let rollout = Rollout {
                state,
                desired: 3,
                updated: 1,
                ready: 3,
                available: 3,
                revision: String::new(),
                strategy: String::new(),
                images: Vec::new(),
                labels: BTreeMap::new(),
                progressed: None,
            };
            let facts = replicas(&rollout, Timestamp::default());
            let first = facts.first().unwrap();
            assert_eq!((&*first.text, first.tone), (text, tone));
        }
    }
}
