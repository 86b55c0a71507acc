//! Series of pods and their containers, as kube-state-metrics has them, and what only the server knows: the status of
//! each probe, the cause of each container's last restart, the workload.

use std::sync::Arc;

use kubevitals_proto::vitals::{ProbeKind, ProbeStatus};

use super::node::amounts_of;
use super::usage::seconds;
use super::{Family, Label, Out, flag};
use crate::cluster::{ContainerSpec, ContainerStatus, Jobs, Phase, Pod, Resources, Role, State};
use crate::health::{ContainerIndex, Health, Restart};

/// What health knows about a pod.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct PodHealth {
    /// Container, kind and status.
    probes: Box<[(Box<str>, ProbeKind, ProbeStatus)]>,
    /// The last restart of each container that has restarted.
    restarts: Box<[(Box<str>, Restart)]>,
}

/// What the series of a pod are made of.
#[derive(Debug)]
pub(crate) struct PodSubject {
    pub(crate) pod: Arc<Pod>,
    pub(crate) jobs: Arc<Jobs>,
    pub(crate) health: PodHealth,
}

impl PodHealth {
    /// What health knows about this pod now.
    pub(crate) fn of(health: &Health, pod: &Pod) -> Self {
        let has_probes = pod
            .template
            .containers
            .iter()
            .any(|it| it.probes().next().is_some());
        let probes = if has_probes {
            health.probe_statuses(pod)
        } else {
            Vec::new()
        };
        let probes = probes.into_iter();
        let restarts = ContainerIndex::enumerate(pod.containers.iter())
            .zip(&pod.template.containers)
            .filter(|((_, status), _)| status.restarts > 0 || status.last.is_some())
            .filter_map(|((index, _), spec)| {
                Some((Box::from(&*spec.name), health.last_restart(pod, index)?))
            });
        Self {
            probes: probes
                .map(|probe| (probe.container.into(), probe.kind, probe.status))
                .collect(),
            restarts: restarts.collect(),
        }
    }

    /// Whether there is nothing to know.
    pub(crate) fn is_empty(&self) -> bool {
        self.probes.is_empty() && self.restarts.is_empty()
    }
}

/// Those that do not need [`PodSubject::health`].
pub(crate) static PODS: &[Family<PodSubject>] = &[
    Family::gauge(
        "kube_pod_info",
        "Information about a pod; the value is 1",
        |it, out| {
            let owner = it.pod.owner.as_deref();
            it.write(
                &[
                    ("created_by_kind", owner.map_or("", |it| &*it.kind)),
                    ("created_by_name", owner.map_or("", |it| &*it.name)),
                    ("node", it.pod.node.as_deref().unwrap_or_default()),
                ],
                1.0,
                out,
            );
        },
    ),
    Family::gauge(
        "kube_pod_owner",
        "The controller of a pod; the value is 1",
        |it, out| {
            let owner = it.pod.owner.as_deref();
            it.write(
                &[
                    ("owner_is_controller", owner.map_or("", |_| "true")),
                    ("owner_kind", owner.map_or("", |it| &*it.kind)),
                    ("owner_name", owner.map_or("", |it| &*it.name)),
                ],
                1.0,
                out,
            );
        },
    ),
    Family::gauge(
        "kubevitals_pod_workload",
        "The workload of a pod: the Deployment of its ReplicaSet, the CronJob of its Job, or its controller; the value is 1",
        |it, out| {
            if let Some((kind, name)) = it.pod.workload(|job| it.jobs.get(job)) {
                it.write(&[("workload", name), ("workload_kind", kind)], 1.0, out);
            }
        },
    ),
    Family::gauge(
        "kube_pod_created",
        "Creation of the pod, in seconds since the Unix epoch",
        |it, out| it.time(it.pod.created_seconds, out),
    ),
    Family::gauge(
        "kube_pod_start_time",
        "Time when the kubelet accepted the pod, in seconds since the Unix epoch",
        |it, out| it.time(it.pod.started_seconds, out),
    ),
    Family::gauge(
        "kube_pod_deletion_timestamp",
        "Deletion time of a pod that is being deleted, in seconds since the Unix epoch",
        |it, out| it.time(it.pod.deleted_seconds, out),
    ),
    Family::gauge(
        "kube_pod_status_phase",
        "The phase of the pod: 1 for the one that it is in",
        |it, out| {
            for phase in Phase::ALL {
                let is = flag(it.pod.phase == phase);
                it.write(&[("phase", phase.as_str())], is, out);
            }
        },
    ),
    Family::gauge(
        "kube_pod_status_reason",
        "The reason in the status of the pod, such as Evicted; the value is 1",
        |it, out| {
            if let Some(reason) = it.pod.reason() {
                it.write(&[("reason", reason)], 1.0, out);
            }
        },
    ),
    Family::gauge(
        "kube_pod_status_ready",
        "Whether the pod is ready: 1 for the status of its condition Ready",
        |it, out| {
            for (condition, is) in [("true", true), ("false", false)] {
                let is = flag(it.pod.ready.status == is);
                it.write(&[("condition", condition)], is, out);
            }
        },
    ),
    Family::gauge(
        "kube_pod_container_info",
        "Information about a container; the value is 1",
        |it, out| {
            it.each(Role::App, out, |spec, _, out| {
                out(&[("image", &spec.image)], 1.0)
            })
        },
    ),
    Family::gauge(
        "kube_pod_container_resource_requests",
        "The requests of a container",
        |it, out| it.resources(out, |spec| spec.requests),
    ),
    Family::gauge(
        "kube_pod_container_resource_limits",
        "The limits of a container",
        |it, out| it.resources(out, |spec| spec.limits),
    ),
    Family::counter(
        "kube_pod_container_status_restarts_total",
        "The restarts of a container",
        |it, out| {
            it.each(Role::App, out, |_, status, out| {
                out(&[], f64::from(status.restarts))
            });
        },
    ),
    Family::counter(
        "kube_pod_init_container_status_restarts_total",
        "The restarts of an init container or sidecar",
        |it, out| {
            it.each(Role::Init, out, |_, status, out| {
                out(&[], f64::from(status.restarts))
            });
        },
    ),
    Family::gauge(
        "kube_pod_container_status_ready",
        "Whether the container is ready",
        |it, out| {
            it.each(Role::App, out, |_, status, out| {
                out(&[], flag(status.ready))
            })
        },
    ),
    Family::gauge(
        "kube_pod_container_status_running",
        "Whether the container runs",
        |it, out| {
            it.each(Role::App, out, |_, status, out| {
                out(&[], flag(status.is_running()))
            })
        },
    ),
    Family::gauge(
        "kube_pod_container_status_waiting",
        "Whether the container waits",
        |it, out| {
            let waits = |status: &ContainerStatus| matches!(status.state, State::Waiting(_));
            it.each(Role::App, out, |_, status, out| {
                out(&[], flag(waits(status)))
            });
        },
    ),
    Family::gauge(
        "kube_pod_container_status_terminated",
        "Whether the container has ended",
        |it, out| {
            let ended = |status: &ContainerStatus| matches!(status.state, State::Terminated(_));
            it.each(Role::App, out, |_, status, out| {
                out(&[], flag(ended(status)))
            });
        },
    ),
    Family::gauge(
        "kube_pod_container_status_waiting_reason",
        "Why the container waits; the value is 1",
        |it, out| {
            it.each(Role::App, out, |_, status, out| {
                if let Some(reason) = status.waiting_reason() {
                    out(&[("reason", reason)], 1.0);
                }
            });
        },
    ),
    Family::gauge(
        "kube_pod_container_status_terminated_reason",
        "Why the container has ended; the value is 1",
        |it, out| {
            it.each(Role::App, out, |_, status, out| {
                if let State::Terminated(ended) = &status.state
                    && let Some(reason) = ended.reason.as_deref()
                {
                    out(&[("reason", reason)], 1.0);
                }
            });
        },
    ),
    Family::gauge(
        "kube_pod_container_status_last_terminated_reason",
        "Why the run of the container before this one has ended; the value is 1",
        |it, out| {
            it.each(Role::App, out, |_, status, out| {
                let last = status.last.as_ref();
                if let Some(reason) = last.and_then(|ended| ended.reason.as_deref()) {
                    out(&[("reason", reason)], 1.0);
                }
            });
        },
    ),
    Family::gauge(
        "kube_pod_container_status_last_terminated_exitcode",
        "The exit code of the run of the container before this one",
        |it, out| {
            it.each(Role::App, out, |_, status, out| {
                if let Some(ended) = &status.last {
                    out(&[], f64::from(ended.exit_code));
                }
            });
        },
    ),
    Family::gauge(
        "kube_pod_container_status_last_terminated_timestamp",
        "The end of the run of the container before this one, in seconds since the Unix epoch",
        |it, out| {
            it.each(Role::App, out, |_, status, out| {
                if let Some(ended) = status.last.as_ref().filter(|it| it.finished_seconds > 0) {
                    out(&[], f64::from(ended.finished_seconds));
                }
            });
        },
    ),
];

/// Those that need [`PodSubject::health`].
pub(crate) static POD_HEALTH: &[Family<PodSubject>] = &[
    Family::gauge(
        "kubevitals_probe_status",
        "The status of a probe; the value is 1",
        |it, out| {
            for (container, kind, status) in &it.health.probes {
                let labels = [
                    ("container", &**container),
                    ("probe", kind.as_str()),
                    ("status", status.as_str()),
                ];
                it.write(&labels, 1.0, out);
            }
        },
    ),
    Family::gauge(
        "kubevitals_container_last_restart_timestamp_seconds",
        "The termination before the last restart of a container, in seconds since the Unix epoch, with its cause",
        |it, out| {
            for (container, restart) in &it.health.restarts {
                let Some(finished) = restart.ended.finished else {
                    continue;
                };
                let exit_code = restart.ended.exit_code.to_string();
                let labels = [
                    ("cause", restart.cause.as_str()),
                    ("certainty", restart.certainty.as_str()),
                    ("container", &**container),
                    ("exit_code", &*exit_code),
                    ("reason", &*restart.ended.reason),
                ];
                it.write(&labels, seconds(finished), out);
            }
        },
    ),
];

/// The most labels of a pod's series.
const MAX_LABELS: usize = 10;

impl PodSubject {
    /// Writes a sample with these labels and those of the pod.
    fn write(&self, labels: &[Label<'_>], value: f64, out: &mut Out<'_>) {
        let uid = self.pod.uid.to_string();
        self.write_with(&uid, labels, value, out);
    }

    fn write_with(&self, uid: &str, labels: &[Label<'_>], value: f64, out: &mut Out<'_>) {
        let own = [
            ("namespace", &*self.pod.key.namespace),
            ("pod", &*self.pod.key.name),
            ("uid", uid),
        ];
        let mut all = [("", ""); MAX_LABELS];
        let given = own.iter().chain(labels);
        let mut len = 0;
        for (slot, label) in all.iter_mut().zip(given) {
            *slot = *label;
            len += 1;
        }
        out(all.get(..len).unwrap_or_default(), value);
    }

    fn time(&self, seconds: u32, out: &mut Out<'_>) {
        if seconds > 0 {
            self.write(&[], f64::from(seconds), out);
        }
    }

    /// Writes the samples of each container that is an app, or of each init container and sidecar. kube-state-metrics has
    /// families of their own for these.
    fn each(
        &self,
        role: Role,
        out: &mut Out<'_>,
        write: impl Fn(&ContainerSpec, &ContainerStatus, &mut Out<'_>),
    ) {
        let uid = self.pod.uid.to_string();
        let containers = self.pod.containers();
        for (spec, status) in containers.filter(|(spec, _)| spec.role.is_init() == role.is_init()) {
            if !status.is_reported() {
                continue;
            }
            write(spec, status, &mut |labels, value| {
                let mut all = [("", ""); 3];
                all[0] = ("container", &*spec.name);
                let mut len = 1;
                for (slot, label) in all.iter_mut().skip(1).zip(labels) {
                    *slot = *label;
                    len += 1;
                }
                let all = all.get(..len).unwrap_or_default();
                self.write_with(&uid, all, value, out);
            });
        }
    }

    fn resources(&self, out: &mut Out<'_>, amounts: impl Fn(&ContainerSpec) -> Resources) {
        let node = self.pod.node.as_deref().unwrap_or_default();
        let uid = self.pod.uid.to_string();
        for (spec, _) in self.pod.containers() {
            if spec.role.is_init() {
                continue;
            }
            for (resource, unit, value) in amounts_of(amounts(spec)) {
                let labels = [
                    ("container", &*spec.name),
                    ("node", node),
                    ("resource", resource),
                    ("unit", unit),
                ];
                self.write_with(&uid, &labels, value, out);
            }
        }
    }
}
