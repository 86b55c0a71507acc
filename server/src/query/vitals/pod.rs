//! Pods.

use kubevitals_proto::units::{Bytes, Nanocores};
use kubevitals_proto::vitals::{
    API_VERSION, Absence, ContainerVitals, LastRestart, Meta, PodVitals, Workload,
};

use super::amounts::{amounts, network, pressure, ratios};
use super::container::{container, set_usage};
use super::resize::{of_container, of_pod};
use super::usage::{ContainerUsage, UsageSample};
use super::{NodeContext, VitalsBuilder, absence, meta};
use crate::cluster::{self, Pod, Summary};
use crate::store::{Absent, Latest};

impl VitalsBuilder {
    /// A pod's.
    pub fn pod(&mut self, pod: &Pod) -> PodVitals {
        let met = pod.node.as_ref().map(|node| self.node_context(node));
        let Summary { line, containers } = pod.summary();
        let restarts_in_all = u64::from(line.restarts);
        let (namespace, name, uid) = (&*pod.key.namespace, &*pod.key.name, pod.uid.to_string());
        let mut vitals = PodVitals {
            kind: "PodVitals".to_owned(),
            api_version: API_VERSION.to_owned(),
            metadata: Meta {
                name: name.to_owned(),
                namespace: namespace.to_owned(),
                uid: meta::uid("PodVitals", namespace, name, &uid),
                resource_version: String::new(),
                creation_timestamp: pod.created(),
                deletion_timestamp: cluster::time(pod.deleted_seconds),
                labels: meta::labels(&pod.labels),
                owner_references: meta::owner("Pod", name, &uid),
            },
            phase: pod.phase.as_str().to_owned(),
            message: line.message.unwrap_or_default().to_owned(),
            status: line.status.into_owned(),
            ready: pod.ready.status,
            ready_since: cluster::time(pod.ready.since_seconds),
            ready_containers: line.ready,
            total_containers: containers,
            node_name: pod.node.as_deref().unwrap_or_default().to_owned(),
            workload: pod
                .workload(|job| self.jobs.get(job))
                .map(|(kind, name)| Workload {
                    kind: kind.to_owned(),
                    name: name.to_owned(),
                }),
            start_time: pod.started(),
            requests: amounts(pod.in_force().requests()),
            limits: amounts(pod.in_force().bound()),
            resize: pod.resize().map(|resize| of_pod(resize, &pod.template)),
            ..PodVitals::default()
        };
        let lost = met.as_ref().is_some_and(|met| met.lost);
        vitals.containers = pod
            .containers()
            .zip(self.restarts(pod))
            .map(|((spec, status), restarts)| container(spec, status, restarts, lost))
            .collect();
        if let Some(resize) = pod.resize() {
            let each = vitals.containers.iter_mut().zip(&pod.template.containers);
            for (container, spec) in each {
                container.resize = of_container(resize.state, spec, container);
            }
        }
        let restarts = vitals.containers.iter().map(|it| it.restarts.recent);
        vitals.restarts.recent = restarts.sum();
        vitals.restarts.count = restarts_in_all;
        vitals.restarts.last = last_restart(&vitals.containers);
        match &self.as_of {
            Some(as_of) => vitals.incidents = as_of.incidents_of_pod(&pod.key),
            None => {
                vitals.incidents = self.health.open_of_pod(pod);
                vitals.probes = self.health.probe_statuses(pod);
            }
        }
        vitals.trend = self.pod_trend(pod);
        match &met {
            Some(met) => {
                self.pod_usage(&mut vitals, pod, met);
                extras(&mut vitals, pod, met);
            }
            None => silent(
                &mut vitals,
                pod,
                absence::not_running(pod)
                    .filter(|_| pod.phase.is_over())
                    .unwrap_or_else(absence::no_node),
            ),
        }
        vitals
    }

    /// What a pod uses, if that is known.
    pub fn used(&mut self, pod: &Pod) -> Option<(Nanocores, Bytes)> {
        let met = self.node_context(pod.node.as_ref()?);
        if absence::not_running(pod).is_some() {
            return None;
        }
        if self.as_of.is_some() {
            let past = met.past.as_ref()?.pod(&pod.key, pod.uid)?;
            return past.together().map(|used| (used.cpu, used.memory));
        }
        let latest = met.latest.as_ref()?;
        let (namespace, name) = (&*pod.key.namespace, &*pod.key.name);
        let (_, containers) = latest.pod(namespace, name, self.retention, self.now).ok()?;
        let cpu = containers.iter().map(|container| container.cpu).sum();
        let memory = containers.iter().map(|container| container.memory).sum();
        Some((cpu, memory))
    }

    /// What the pod and its containers use, or why that is not known.
    fn pod_usage(&self, vitals: &mut PodVitals, pod: &Pod, met: &NodeContext) {
        if let Some(absent) = absence::not_running(pod) {
            return silent(vitals, pod, absent);
        }
        if self.as_of.is_some() {
            let past = met.past.as_ref();
            return match past.and_then(|past| past.pod(&pod.key, pod.uid)) {
                Some(used) => tell(vitals, pod, &used, &absence::not_remembered()),
                None => silent(vitals, pod, absence::not_remembered()),
            };
        }
        let (namespace, name) = (&*pod.key.namespace, &*pod.key.name);
        let Some(latest) = &met.latest else {
            let nothing_runs = absence::nothing_runs(pod);
            let why = nothing_runs.unwrap_or_else(|| self.unanswered("its node", met));
            return silent(vitals, pod, why);
        };
        match latest.pod(namespace, name, self.retention, self.now) {
            Ok((rates, containers)) => {
                let each = containers.iter();
                let used = each
                    .map(|it| (&it.name, UsageSample::latest(it, &rates)))
                    .collect();
                let unseen = absence::lacking("it", &Absent::NotReported);
                tell(vitals, pod, &ContainerUsage(used), &unseen);
                let of_pod = latest.find(namespace, name);
                let of_pod = of_pod.map(|(_, pod)| pod.swap).filter(|swap| swap.0 > 0);
                if let (Some(usage), Some(swap)) = (&mut vitals.usage, of_pod) {
                    usage.swap = Some(usage.swap.unwrap_or_default().max(swap.into()));
                }
            }
            Err(absent) => {
                let nothing_runs = absence::nothing_runs(pod);
                let why = nothing_runs.unwrap_or_else(|| of_incomplete(pod, &absent));
                silent(vitals, pod, why);
                incomplete(vitals, pod, latest);
            }
        }
    }
}

/// Says what the pod and its containers used; `unseen` is why one that runs is not among them.
fn tell(vitals: &mut PodVitals, pod: &Pod, used: &ContainerUsage<'_>, unseen: &Absence) {
    let Some(all) = used.together() else {
        return silent(vitals, pod, unseen.clone());
    };
    let template = pod.in_force();
    vitals.usage = Some(all.to_api());
    vitals.ratios = ratios(all.cpu, all.memory, template.requests(), template.bound());
    for (told, (spec, status)) in vitals.containers.iter_mut().zip(pod.containers()) {
        match used.of(&spec.name) {
            Some(its) => set_usage(told, spec, its),
            None => {
                let idle = absence::idle("it", pod, spec, status);
                told.absent = idle.or_else(|| Some(unseen.clone()));
            }
        }
    }
}

/// The pod has no usage, for this reason; nor have its containers, each for its own if it has one.
fn silent(vitals: &mut PodVitals, pod: &Pod, absent: Absence) {
    for (told, (spec, status)) in vitals.containers.iter_mut().zip(pod.containers()) {
        let idle = absence::idle("it", pod, spec, status);
        told.absent = idle.or_else(|| Some(absent.clone()));
    }
    vitals.absent = Some(absent);
}

/// Says what each running container of an incomplete pod lacks.
fn incomplete(vitals: &mut PodVitals, pod: &Pod, latest: &Latest) {
    let Some((at, _)) = latest.find(&pod.key.namespace, &pod.key.name) else {
        return;
    };
    for state in latest.incomplete_containers(at) {
        let mut running = vitals.containers.iter_mut().zip(&pod.containers);
        let running = running.find(|(told, status)| {
            *told.name == *state.name && (status.is_running() || !status.is_told())
        });
        if let Some((told, _)) = running {
            told.absent = Some(match &state.absent {
                Some(absent) => absence::lacking("it", absent),
                None => absence::pod_not_whole(),
            });
        }
    }
}

/// What a pod lacks, which is what its first container does that lacks something.
fn of_incomplete(pod: &Pod, absent: &Absent) -> Absence {
    match absent {
        Absent::Incomplete {
            container: Some(name),
            ..
        }
        | Absent::NoRate {
            container: Some(name),
            ..
        } => {
            let whom = format!("container {name}");
            let container = pod.container(name).filter(|(_, status)| status.is_told());
            let idle = container.and_then(|(spec, status)| absence::idle(&whom, pod, spec, status));
            idle.unwrap_or_else(|| absence::lacking(&whom, absent))
        }
        Absent::Incomplete { .. } | Absent::NoRate { .. } | Absent::Stale | Absent::NotReported => {
            absence::lacking("it", absent)
        }
    }
}

/// What `/stats/summary` tells of the pod, for as long as it runs.
fn extras(vitals: &mut PodVitals, pod: &Pod, met: &NodeContext) {
    let runs = absence::not_running(pod).is_none();
    let extra = met.extra.as_ref().filter(|_| runs);
    let Some(extra) = extra.and_then(|extra| extra.pod(&pod.key.namespace, &pod.key.name)) else {
        return;
    };
    // Older than the usage: only where `/metrics/resource` has none.
    if let Some(usage) = vitals.usage.as_mut().filter(|usage| usage.swap.is_none()) {
        usage.swap = extra.swap().map(Into::into);
    }
    vitals.ephemeral_storage = extra.ephemeral_storage().map(Into::into);
    vitals.network = extra.network().map(network);
    vitals.pressure = pressure(extra.pressure());
    vitals.processes = extra.processes().map(u64::from);
}

/// The last restart of all of them.
fn last_restart(containers: &[ContainerVitals]) -> Option<LastRestart> {
    let all = containers.iter().filter_map(|it| it.restarts.last.as_ref());
    all.max_by_key(|last| last.ended.finished).cloned()
}
