//! The page of a namespace.

use std::collections::HashMap;

use kubevitals_proto::objects::{LimitRange, Quota, QuotaResource};
use kubevitals_proto::quantity::Quantity;

use super::shared::{gpus, incidents, is_of_pods, pods, sums};
use crate::model::facts::{Fact, Facts, Objects};
use crate::model::format;
use crate::model::name::Name;
use crate::model::row::{PodRow, Rollup};
use crate::model::scope::Scope;
use crate::model::state::State;
use crate::model::tone::{Thresholds, Tone};

/// The number of workloads beside the use of a quota.
const LARGEST: usize = 3;

/// The groups of facts, the most important ones first.
pub(super) fn groups(state: &State, name: &Name, facts: Option<&Facts>) -> Vec<Vec<Fact>> {
    let scope = Scope::Namespace(Name::clone(name));
    let (quotas, ranges) = match facts.map(|facts| &facts.objects) {
        Some(Objects::Namespace(quotas, ranges)) => (quotas.as_slice(), ranges.as_slice()),
        _ => (&[][..], &[][..]),
    };
    let pods: Vec<&PodRow> = pods(state, &scope).collect();
    let mut all = Rollup::default();
    for pod in &pods {
        all.add(pod);
    }
    let running = all.pods - all.over;
    let unhealthy = running.saturating_sub(all.ready);
    let mut count = vec![Fact::new(
        "pods",
        format!("{} of {running} ready", all.ready),
    )];
    if unhealthy > 0 {
        count.push(Fact::new("not ready", unhealthy.to_string()).tone(Tone::Warn));
    }
    if all.failing > 0 {
        count.push(Fact::new("probes failing", all.failing.to_string()).tone(Tone::Bad));
    }
    count.push(Fact::new("restarts 1h", all.recent.to_string()));
    // Where one line is shown, it has the quota that is nearest to its limit.
    let mut limits = used(quotas, &pods, state.settings.thresholds).into_iter();
    let mut groups: Vec<Vec<Fact>> = limits.next().into_iter().collect();
    groups.push(count);
    groups.extend(limits);
    groups.extend(incidents(state, |incident| {
        let of_namespace = incident.incident.involved.namespace == **name;
        of_namespace || is_of_pods(incident, state, &scope)
    }));
    groups.push(sums(all.usage, all.requests, all.limits));
    groups.extend(gpus(all.gpu).map(|gpus| vec![gpus]));
    groups.extend(ranges.iter().map(range));
    if quotas.is_empty() && facts.is_some_and(|facts| facts.missing.is_empty()) {
        groups.push(vec![Fact::new("", "no ResourceQuota").tone(Tone::Dim)]);
    }
    groups
}

/// The use of each quota, those nearest to their limits first.
fn used(quotas: &[Quota], pods: &[&PodRow], thresholds: Thresholds) -> Vec<Vec<Fact>> {
    let mut all: Vec<(&Quota, &QuotaResource)> = quotas
        .iter()
        .flat_map(|quota| {
            quota
                .resources
                .iter()
                .map(move |resource| (quota, resource))
        })
        .collect();
    let part = |resource: &QuotaResource| resource.part().unwrap_or(0.0);
    all.sort_by(|(_, a), (_, b)| part(b).total_cmp(&part(a)).then(a.name.cmp(&b.name)));
    let several = quotas.len() > 1;
    all.into_iter()
        .map(|(quota, resource)| {
            let label = if several {
                format!("quota {} {}", quota.name, resource.name)
            } else {
                format!("quota {}", resource.name)
            };
            let part = resource.part();
            let tone = part.map_or(Tone::Dim, |part| thresholds.tone(part));
            let used = resource.used.map_or(format::UNKNOWN.to_owned(), |used| {
                quantity(&resource.name, used)
            });
            let hard = quantity(&resource.name, resource.hard);
            let percent = part.map_or(String::new(), |part| format!(" {}", format::percent(part)));
            let mut facts = vec![
                Fact::new(label, format!("{used} of {hard}{percent}"))
                    .tone(tone)
                    .bar(part),
            ];
            // A quota with scopes counts only some pods.
            if quota.scopes.is_empty() {
                facts.push(Fact::new("by", largest(&resource.name, pods)));
            } else {
                facts.push(Fact::new("of", quota.scopes.join(", ")));
            }
            facts
        })
        .collect()
}

/// An amount of a resource, in its unit.
fn quantity(resource: &str, quantity: Quantity) -> String {
    let is = |word: &str| resource.ends_with(word);
    if is("cpu") {
        format::cpu(quantity.to_nanocores())
    } else if is("memory") || is("storage") {
        format::bytes(quantity.to_bytes())
    } else {
        quantity.to_string()
    }
}

/// What a pod counts for a resource of a quota: nanocores, bytes or one. `None` if rows do not know.
#[expect(clippy::cast_precision_loss, reason = "amounts below 2^53 are exact")]
fn counts(resource: &str, pod: &PodRow) -> Option<f64> {
    let bounds = pod.bounds();
    let amount = match resource {
        "cpu" | "requests.cpu" => bounds.requests.cpu.get().map(|cpu| cpu.0),
        "limits.cpu" => bounds.limits.cpu.get().map(|cpu| cpu.0),
        "memory" | "requests.memory" => bounds.requests.memory.get().map(|memory| memory.0),
        "limits.memory" => bounds.limits.memory.get().map(|memory| memory.0),
        "pods" | "count/pods" => Some(1),
        _ => None,
    };
    amount.map(|amount| amount as f64)
}

/// The workloads that use most of a resource, with their parts of all use: `api 61%, web 30%`. A pod without a workload
/// stands for itself.
fn largest(resource: &str, pods: &[&PodRow]) -> String {
    let mut sums: HashMap<&str, f64> = HashMap::new();
    for pod in pods.iter().filter(|pod| !pod.phase.is_over()) {
        let name = pod
            .workload
            .as_deref()
            .map_or(&*pod.name, |workload| &workload.name);
        if let Some(amount) = counts(resource, pod) {
            *sums.entry(name).or_default() += amount;
        }
    }
    let all: f64 = sums.values().sum();
    let mut sums: Vec<(&str, f64)> = sums.into_iter().filter(|(_, sum)| *sum > 0.0).collect();
    sums.sort_by(|(name, sum), (other_name, other)| {
        other.total_cmp(sum).then(name.cmp(other_name))
    });
    let largest = sums.iter().take(LARGEST);
    let texts = largest.map(|(name, sum)| format!("{name} {}", format::percent(sum / all)));
    texts.collect::<Vec<_>>().join(", ")
}

fn range(range: &LimitRange) -> Vec<Fact> {
    let limits = range.limits.iter();
    let limits: Vec<String> = limits
        .map(|(word, amounts)| format!("{word} {amounts}"))
        .collect();
    vec![Fact::new(format!("each {}", range.kind), limits.join("; "))]
}

#[cfg(test)]
mod tests {
    use kubevitals_proto::units::{Bytes, Nanocores};

    use super::*;
    use crate::model::name::Workload;
    use crate::model::row::Phase;

    fn pod(workload: &str, millicores: u64, phase: Phase) -> PodRow {
        let mut pod = PodRow {
            workload: Some(Workload::new("Deployment", workload)),
            phase,
            ..PodRow::default()
        };
        pod.requests.cpu = Nanocores(millicores * 1_000_000).into();
        pod.requests.memory = Bytes(0).into();
        pod
    }

    fn quota(name: &str, resources: &[(&str, &str, Option<&str>)]) -> Quota {
        let resources = resources.iter().map(|(name, hard, used)| QuotaResource {
            name: (*name).to_owned(),
            hard: hard.parse().unwrap(),
            used: used.map(|used| used.parse().unwrap()),
        });
        Quota {
            name: name.to_owned(),
            scopes: Vec::new(),
            resources: resources.collect(),
        }
    }

    #[test]
    fn the_fullest_quota_is_first_and_names_what_uses_it() {
        let pods = [
            pod("web", 500, Phase::Running),
            pod("api", 1500, Phase::Running),
            pod("web", 500, Phase::Running),
            pod("done", 9000, Phase::Succeeded),
        ];
        let pods: Vec<&PodRow> = pods.iter().collect();
        let quotas = [quota(
            "team-a",
            &[
                ("pods", "10", Some("3")),
                ("requests.cpu", "2600m", Some("2500m")),
                ("requests.memory", "1Gi", None),
                ("requests.nvidia.com/gpu", "0", Some("0")),
            ],
        )];
        let lines = used(&quotas, &pods, Thresholds::default());
        let texts: Vec<Vec<&str>> = lines
            .iter()
            .map(|line| line.iter().map(|fact| &*fact.text).collect())
            .collect();
        assert_eq!(
            texts,
            [
                vec!["2500m of 2600m 96%", "api 60%, web 40%"],
                vec!["3 of 10 30%", "web 66%, api 33%"],
                vec!["- of 1Gi", ""],
                vec!["0 of 0", ""],
            ]
        );
        let tones: Vec<Tone> = lines.iter().map(|line| line[0].tone).collect();
        assert_eq!(tones, [Tone::Bad, Tone::Plain, Tone::Dim, Tone::Dim]);
    }

    #[test]
    fn several_quotas_have_their_names() {
        let quotas = [quota("a", &[("pods", "1", Some("0"))]), quota("b", &[])];
        let lines = used(&quotas, &[], Thresholds::default());
        assert_eq!(lines[0][0].label, "quota a pods");
    }
}
