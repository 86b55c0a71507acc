//! Workloads without their pods, and autoscalers.

use super::problem::{Basis, Object, Problem, Severity};
use super::rule::Rule;
use crate::model::format;
use crate::model::row::{HpaRow, Row as _, WorkloadRow};
use crate::model::tone::Tone;
use crate::model::world::World;

/// Adds workloads that have fewer pods than they should have, and autoscalers that cannot scale.
pub(super) fn check(world: &World, basis: &Basis<'_>, problems: &mut Vec<Problem>) {
    let workloads = world.workloads.rows().iter();
    let workloads = workloads.filter(|row| basis.has_namespace(&row.namespace));
    problems.extend(workloads.filter_map(|row| missing(row)));
    let hpas = world.hpas.rows().iter();
    let hpas = hpas.filter(|hpa| basis.has_namespace(&hpa.namespace));
    problems.extend(hpas.filter_map(|hpa| limited(hpa)));
}

/// A workload without some of its pods: their creation fails, for example because of a quota.
fn missing(row: &WorkloadRow) -> Option<Problem> {
    let desired = row.replicas?.desired;
    let pods = row.all.pods.saturating_sub(row.all.over);
    let severity = match pods {
        pods if pods >= desired => return None,
        0 => Severity::Critical,
        _ => Severity::Warning,
    };
    Some(Problem {
        severity,
        rule: Rule::PodsMissing,
        object: Object::new(&row.workload.kind, &row.key()),
        message: format!("has {pods} of {}", format::count(desired, "pod")),
        since: None,
    })
}

/// An autoscaler that cannot scale, or no further although its metrics require it.
fn limited(hpa: &HpaRow) -> Option<Problem> {
    let limited = hpa.limited.as_ref()?;
    if !matches!(hpa.limited_tone(), Tone::Warn | Tone::Bad) {
        return None;
    }
    let what = if limited.broken {
        format!("cannot scale: {}", limited.reason)
    } else {
        format!("has {}, its maximum", format::count(hpa.max, "replica"))
    };
    let message = match &*limited.message {
        "" => what,
        message => format!("{what}: {message}"),
    };
    Some(Problem {
        severity: Severity::Warning,
        rule: Rule::Hpa,
        object: Object::new("HorizontalPodAutoscaler", &hpa.key()),
        message,
        since: None,
    })
}
