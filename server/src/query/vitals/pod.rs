//! PodVitals.

use kubevitals_proto::units::{Bytes, Nanocores};
use kubevitals_proto::vitals::{
    API_VERSION, Absence, ContainerVitals, LastRestart, Meta, PodVitals, Workload,
};

use super::amounts::{amounts, network, pressure, ratios};
use super::builder::{NodeContext, VitalsBuilder};
use super::container::{container, set_usage};
use super::resize::{of_container, of_pod};
use super::usage::{ContainerUsage, UsageSample};
use super::{absence, gpu, meta, restarts, stats, trend};
use crate::cluster::{self, Pod};
use crate::store::{Absent, ContainerLatest, Latest, PodRates};

impl VitalsBuilder {
    /// Builds the vitals of a pod.
    pub fn pod(&mut self, pod: &Pod) -> PodVitals {
        let node = pod.node.as_ref().map(|name| self.node_context(name));
        let line = pod.summary();
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
            total_containers: line.containers,
            node_name: pod.node.as_deref().unwrap_or_default().to_owned(),
            workload: pod
                .workload(|job| self.jobs.get(job))
                .map(|(kind, name)| Workload {
                    kind: kind.to_owned(),
                    name: name.to_owned(),
                }),
            start_time: pod.started(),
            deleted_at: self.deleted_at(pod),
            requests: amounts(pod.in_force().requests()),
            limits: amounts(pod.in_force().bound()),
            resize: pod.resize().map(|resize| of_pod(resize, &pod.template)),
            ..PodVitals::default()
        };
        let lost = node.as_ref().is_some_and(|node| node.lost);
        vitals.containers = pod
            .containers()
            .zip(restarts::of_containers(self, pod))
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
            Some(as_of) => vitals.incidents = as_of.incidents(namespace, name),
            None => {
                vitals.incidents = self.sources.health.open_of_pod(pod);
                vitals.probes = self.sources.health.probe_statuses(pod);
            }
        }
        vitals.trend = trend::of_pod(self, pod);
        stats::set_of_pod(self, &mut vitals, pod);
        gpu::set_of_pod(self, &mut vitals, pod);
        match &node {
            Some(node) => {
                set_pod_usage(self, &mut vitals, pod, node);
                extras(&mut vitals, pod, node);
            }
            None => set_absent(
                &mut vitals,
                pod,
                absence::not_running(pod)
                    .filter(|_| pod.phase.is_over())
                    .unwrap_or_else(absence::no_node),
            ),
        }
        vitals
    }

    /// The usage of a pod, without building its vitals.
    pub fn usage(&mut self, pod: &Pod) -> Option<(Nanocores, Bytes)> {
        let node = self.node_context(pod.node.as_ref()?);
        if absence::not_running(pod).is_some() {
            return None;
        }
        if self.as_of.is_some() {
            let past = node.past.as_ref()?.pod(&pod.key, pod.uid)?;
            return past.total().map(|used| (used.cpu, used.memory));
        }
        let latest = node.latest.as_ref()?;
        let latest = latest.pod(&pod.key, self.sources.retention, self.now);
        let (_, containers) = latest.ok()?;
        let cpu = containers.iter().map(|container| container.cpu).sum();
        let memory = containers.iter().map(|container| container.memory).sum();
        Some((cpu, memory))
    }
}

/// Sets the usage of the pod and its containers, or why it is absent.
fn set_pod_usage(builder: &VitalsBuilder, vitals: &mut PodVitals, pod: &Pod, node: &NodeContext) {
    if let Some(absent) = absence::not_running(pod) {
        return set_absent(vitals, pod, absent);
    }
    if builder.as_of.is_some() {
        let past = node.past.as_ref();
        return match past.and_then(|past| past.pod(&pod.key, pod.uid)) {
            Some(used) => set_usage_of_all(vitals, pod, &used, &absence::no_sample()),
            None => set_absent(vitals, pod, absence::no_sample()),
        };
    }
    let Some(latest) = &node.latest else {
        let nothing_runs = absence::nothing_runs(pod);
        let why = nothing_runs.unwrap_or_else(|| absence::unanswered("its node", node));
        return set_absent(vitals, pod, why);
    };
    let (retention, now) = (builder.sources.retention, builder.now);
    let set_latest = |vitals: &mut PodVitals, rates: &PodRates, containers: &[ContainerLatest]| {
        let each = containers.iter();
        let used = each
            .map(|it| (&it.name, UsageSample::latest(it, rates)))
            .collect();
        let unseen = absence::lacking("it", &Absent::NotReported);
        set_usage_of_all(vitals, pod, &ContainerUsage(used), &unseen);
    };
    match latest.pod(&pod.key, retention, now) {
        Ok((rates, containers)) => {
            set_latest(vitals, &rates, containers);
            let of_pod = latest.find(&pod.key);
            let of_pod = of_pod.map(|(_, pod)| pod.swap).filter(|swap| swap.0 > 0);
            if let (Some(usage), Some(swap)) = (&mut vitals.usage, of_pod) {
                usage.swap = Some(usage.swap.unwrap_or_default().max(swap.into()));
            }
        }
        Err(absent) => {
            let nothing_runs = absence::nothing_runs(pod);
            let found = latest.find(&pod.key).filter(|_| nothing_runs.is_none());
            if let Some((rates, containers)) =
                found.and_then(|(at, _)| latest.provisional_of(at, retention, now))
            {
                set_latest(vitals, &rates, containers);
                return mark_provisional(vitals);
            }
            let of_shard = || absence::shard("its node", node);
            let gone = (absent == Absent::Stale).then(of_shard).flatten();
            let why = nothing_runs.or(gone);
            let why = why.unwrap_or_else(|| of_incomplete(pod, &absent));
            set_absent(vitals, pod, why);
            incomplete(vitals, pod, latest);
        }
    }
}

/// Marks the usage of the pod and its containers as provisional.
fn mark_provisional(vitals: &mut PodVitals) {
    let containers = vitals.containers.iter_mut().map(|it| &mut it.usage);
    for usage in containers.chain([&mut vitals.usage]).flatten() {
        usage.provisional = true;
    }
}

/// Sets the usage of the pod and its containers. `unseen` is the reason for running containers without usage.
fn set_usage_of_all(
    vitals: &mut PodVitals,
    pod: &Pod,
    used: &ContainerUsage<'_>,
    unseen: &Absence,
) {
    let Some(all) = used.total() else {
        return set_absent(vitals, pod, unseen.clone());
    };
    let template = pod.in_force();
    vitals.usage = Some(all.to_api());
    vitals.ratios = ratios(all.cpu, all.memory, template.requests(), template.bound());
    for (container, (spec, status)) in vitals.containers.iter_mut().zip(pod.containers()) {
        match used.of(&spec.name) {
            Some(usage) => set_usage(container, spec, usage),
            None => {
                let idle = absence::idle("it", pod, spec, status);
                container.absent = idle.or_else(|| Some(unseen.clone()));
            }
        }
    }
}

/// Sets why the pod has no usage. Its containers have none either; a container that does not run has its own reason.
fn set_absent(vitals: &mut PodVitals, pod: &Pod, absent: Absence) {
    for (container, (spec, status)) in vitals.containers.iter_mut().zip(pod.containers()) {
        let idle = absence::idle("it", pod, spec, status);
        container.absent = idle.or_else(|| Some(absent.clone()));
    }
    vitals.absent = Some(absent);
}

/// Sets what each running container of an incomplete pod lacks.
fn incomplete(vitals: &mut PodVitals, pod: &Pod, latest: &Latest) {
    let Some((at, _)) = latest.find(&pod.key) else {
        return;
    };
    for state in latest.incomplete_containers(at) {
        let mut running = vitals.containers.iter_mut().zip(&pod.containers);
        let running = running.find(|(container, status)| {
            *container.name == *state.name && (status.is_running() || !status.is_reported())
        });
        if let Some((container, _)) = running {
            container.absent = Some(match &state.absent {
                Some(absent) => absence::lacking("it", absent),
                None => absence::pod_not_whole(),
            });
        }
    }
}

/// Why an incomplete pod has no usage: the reason of its first incomplete container.
fn of_incomplete(pod: &Pod, absent: &Absent) -> Absence {
    let Some(name) = absent.container() else {
        return absence::lacking("it", absent);
    };
    let subject = format!("container {name}");
    let container = pod.container(name);
    let container = container.filter(|(_, status)| status.is_reported());
    container
        .and_then(|(spec, status)| absence::idle(&subject, pod, spec, status))
        .unwrap_or_else(|| absence::lacking(&subject, absent))
}

/// Adds the data of `/stats/summary`, while the pod runs.
fn extras(vitals: &mut PodVitals, pod: &Pod, node: &NodeContext) {
    let runs = absence::not_running(pod).is_none();
    let extra = node.extra.as_ref().filter(|_| runs);
    let Some(extra) = extra.and_then(|extra| extra.pod(&pod.key)) else {
        return;
    };
    // Older than the usage, so it is used only where `/metrics/resource` has no swap.
    if let Some(usage) = vitals.usage.as_mut().filter(|usage| usage.swap.is_none()) {
        usage.swap = extra.swap().map(Into::into);
    }
    vitals.ephemeral_storage = extra.ephemeral_storage().map(Into::into);
    vitals.network = extra.network().map(network);
    vitals.pressure = pressure(extra.pressure());
    vitals.processes = extra.processes().map(u64::from);
}

/// The last restart of any container.
fn last_restart(containers: &[ContainerVitals]) -> Option<LastRestart> {
    let all = containers.iter().filter_map(|it| it.restarts.last.as_ref());
    all.max_by_key(|last| last.ended.finished).cloned()
}
