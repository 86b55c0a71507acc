//! The spec that the pods of one workload share.

use std::sync::Arc;

use super::bounds::Bounds;
use super::intern::Interner;
use super::port::WireContainerPort;
use super::probe::{Probe, WireProbe};
use super::protobuf::message;
use super::resources::{Resources, WireRequirements, WireResources, amounts};
use crate::vitals::ProbeKind;
pub use crate::vitals::Role;

/// The part of a pod's spec that is used.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct PodTemplate {
    /// Its containers, init containers (sidecars among them) first, in the spec's order.
    pub containers: Box<[ContainerSpec]>,
    /// The requests of the pod as a whole (`spec.resources`), which replace those of its containers.
    pub requests: Resources,
    /// The limits of the pod as a whole.
    pub limits: Resources,
    /// The resources that the pod needs besides its containers (`spec.overhead`).
    pub overhead: Resources,
    /// Whether containers never restart, whatever their exit codes: `restartPolicy: Never`. Sidecars restart anyway.
    pub never_restarts: bool,
}

/// The part of a container's spec that is used.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ContainerSpec {
    /// The name.
    pub name: Arc<str>,
    /// The image, as the spec names it.
    pub image: Arc<str>,
    /// The role in the pod.
    pub role: Role,
    /// The requests.
    pub requests: Resources,
    /// The limits.
    pub limits: Resources,
    /// Restarts it when it fails.
    pub liveness: Option<Probe>,
    /// Takes the pod out of its services while it fails.
    pub readiness: Option<Probe>,
    /// Delays the other probes until it succeeds.
    pub startup: Option<Probe>,
}

/// Implements the bounds of a struct with the fields `requests` and `limits`.
macro_rules! bounds {
    ($($type:ty),*) => {$(
        impl $type {
            pub(super) fn bounds(&self) -> Bounds {
                Bounds {
                    requests: self.requests,
                    limits: self.limits,
                }
            }

            pub(super) fn set(&mut self, bounds: Bounds) {
                (self.requests, self.limits) = (bounds.requests, bounds.limits);
            }
        }
    )*};
}
bounds!(PodTemplate, ContainerSpec);

impl Role {
    /// Whether it is one of `spec.initContainers`.
    pub fn is_init(self) -> bool {
        matches!(self, Self::Init | Self::Sidecar)
    }

    /// Whether it runs for as long as the pod does.
    pub fn stays(self) -> bool {
        matches!(self, Self::Sidecar | Self::App)
    }
}

impl ContainerSpec {
    /// Whether it requests or limits something else than `has`, by more than rounding.
    pub fn is_resized(&self, has: &Self) -> bool {
        self.bounds().differs(has.bounds())
    }

    /// The probes, in the order in which the kubelet runs them after the start.
    pub fn probes(&self) -> impl Iterator<Item = (ProbeKind, &Probe)> {
        let all = [
            ProbeKind::Startup,
            ProbeKind::Liveness,
            ProbeKind::Readiness,
        ];
        all.into_iter()
            .filter_map(|kind| Some((kind, self.probe(kind)?)))
    }

    /// The probe of this kind.
    pub fn probe(&self, kind: ProbeKind) -> Option<&Probe> {
        match kind {
            ProbeKind::Liveness => self.liveness.as_ref(),
            ProbeKind::Readiness => self.readiness.as_ref(),
            ProbeKind::Startup => self.startup.as_ref(),
        }
    }
}

impl PodTemplate {
    /// The requests that the scheduler counts for a pod: `PodRequests` of k8s.io/component-helpers/resource. They are the
    /// sum of apps and sidecars, or the largest init container with the sidecars started before it, if that is more.
    /// Requests of the pod as a whole replace both. The overhead is added.
    pub fn requests(&self) -> Resources {
        self.requests.or(self.sum(|container| container.requests)) + self.overhead
    }

    /// The limits that `kubectl describe node` adds up for a pod: `PodLimits`, by the same rule. A container without a limit
    /// adds nothing, so a pod may use more: see [`Self::bound`].
    pub fn limits(&self) -> Resources {
        self.limited(self.sum(|container| container.limits))
    }

    /// The maximum usage of a pod after its init containers: the limits of each resource that every app and sidecar, or the
    /// pod as a whole, limits.
    pub fn bound(&self) -> Resources {
        let mut staying = self.containers.iter().filter(|it| it.role.stays());
        let first = staying.next().map(|it| it.limits).unwrap_or_default();
        let bounded = staying.fold(first, |limits, container| {
            (limits + container.limits)
                .where_set(limits)
                .where_set(container.limits)
        });
        self.limited(bounded)
    }

    /// Adds the overhead to the limits that exist.
    fn limited(&self, of_containers: Resources) -> Resources {
        let limits = self.limits.or(of_containers);
        limits + self.overhead.where_set(limits)
    }

    fn sum(&self, amounts: impl Fn(&ContainerSpec) -> Resources) -> Resources {
        let (mut together, mut sidecars, mut largest) = (
            Resources::default(),
            Resources::default(),
            Resources::default(),
        );
        for container in &self.containers {
            let its = amounts(container);
            match container.role {
                Role::App => together = together + its,
                Role::Sidecar => {
                    together = together + its;
                    sidecars = sidecars + its;
                    largest = largest.max(sidecars);
                }
                Role::Init => largest = largest.max(its + sidecars),
            }
        }
        together.max(largest)
    }
}

message! {
    /// A pod's spec on the wire.
    pub(super) struct WireSpec {
        pub(super) node_name: String = 10,
        init_containers: Vec<Option<WireContainer>> = 20,
        containers: Vec<Option<WireContainer>> = 2,
        resources: Option<WireRequirements> = 40,
        overhead: Option<WireResources> = 32,
        restart_policy: String = 3,
        pub(super) host_network: bool = 11,
    }

    struct WireContainer {
        name: String = 1,
        image: String = 2,
        restart_policy: String = 24,
        resources: Option<WireRequirements> = 8,
        liveness_probe: Option<WireProbe> = 10,
        readiness_probe: Option<WireProbe> = 11,
        startup_probe: Option<WireProbe> = 22,
        ports: Vec<Option<WireContainerPort>> = 6,
    }
}

impl WireSpec {
    /// The ports of the containers that stay, sidecars included.
    pub(super) fn ports(&self) -> impl Iterator<Item = &WireContainerPort> {
        let containers = self.containers.iter().chain(&self.init_containers);
        containers
            .flatten()
            .flat_map(|it| it.ports.iter().flatten())
    }

    /// Converts the part that pods of one workload share.
    pub(super) fn convert(&self, names: &Interner) -> PodTemplate {
        let inits = self.init_containers.iter().flatten().map(|container| {
            let role = if container.restart_policy == "Always" {
                Role::Sidecar
            } else {
                Role::Init
            };
            container.convert(role, names)
        });
        let apps = self.containers.iter().flatten();
        let apps = apps.map(|container| container.convert(Role::App, names));
        let pod = self.resources.as_ref();
        PodTemplate {
            containers: inits.chain(apps).collect(),
            requests: amounts(pod.and_then(|pod| pod.requests.as_ref())),
            limits: amounts(pod.and_then(|pod| pod.limits.as_ref())),
            overhead: amounts(self.overhead.as_ref()),
            never_restarts: self.restart_policy == "Never",
        }
    }
}

impl WireContainer {
    fn convert(&self, role: Role, names: &Interner) -> ContainerSpec {
        let resources = self.resources.as_ref();
        let probe = |probe: &Option<WireProbe>| probe.as_ref().map(WireProbe::convert);
        ContainerSpec {
            name: names.intern(&self.name),
            image: names.intern(&self.image),
            role,
            requests: amounts(resources.and_then(|it| it.requests.as_ref())),
            limits: amounts(resources.and_then(|it| it.limits.as_ref())),
            liveness: probe(&self.liveness_probe),
            readiness: probe(&self.readiness_probe),
            startup: probe(&self.startup_probe),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::units::{Bytes, Nanocores};

    use super::*;

    fn template(spec: serde_json::Value) -> PodTemplate {
        serde_json::from_value::<WireSpec>(spec)
            .unwrap()
            .convert(&Interner::default())
    }

    fn container(cpu: &str, always: bool) -> serde_json::Value {
        let mut container =
            serde_json::json!({"name": "c", "resources": {"requests": {"cpu": cpu}}});
        if always {
            container["restartPolicy"] = "Always".into();
        }
        container
    }

    /// Cases of the scheduler's own tests, in cores: inits (s: sidecar) | apps = request.
    #[test]
    fn requests_are_those_of_the_scheduler() {
        for (inits, apps, expected) in [
            ("", "1 2", 3),
            ("2 1", "1", 2),
            ("5", "1 2", 5),
            ("s1", "1", 2),
            ("s1 2", "1", 3),
            ("2 s1", "1", 2),
            ("4 s1 2", "1", 4),
            ("s1 s2 4", "1", 7),
            ("s2 4 s1", "1 1", 6),
        ] {
            let inits: Vec<_> = inits
                .split_whitespace()
                .map(|init| container(init.trim_start_matches('s'), init.starts_with('s')))
                .collect();
            let apps: Vec<_> = apps
                .split_whitespace()
                .map(|app| container(app, false))
                .collect();
            let template = template(
                serde_json::json!({"initContainers": inits, "containers": apps, "overhead": {"cpu": "250m"}}),
            );
            let expected = expected * 1_000_000_000 + 250_000_000;
            assert_eq!(
                template.requests().cpu,
                Some(Nanocores(expected)),
                "{template:?}"
            );
            assert_eq!(template.requests().memory, None);
        }
    }

    #[test]
    fn pod_level_resources_replace_those_of_the_containers() {
        let template = template(serde_json::json!({
            "resources": {"requests": {"cpu": "3"}, "limits": {"memory": "8"}}, "overhead": {"memory": "1"},
            "containers": [{"name": "a", "resources": {"requests": {"cpu": "1", "memory": "2"}, "limits": {"cpu": "4"}}},
                {"name": "b"}],
        }));
        assert_eq!(template.requests().cpu, Some(Nanocores(3_000_000_000)));
        assert_eq!(template.requests().memory, Some(Bytes(3)));
        assert_eq!(template.limits().cpu, Some(Nanocores(4_000_000_000)));
        assert_eq!(template.bound().cpu, None, "b may take what there is");
        assert_eq!(template.bound().memory, Some(Bytes(9)));
    }

    #[test]
    fn a_pod_is_bounded_in_what_every_container_that_stays_is() {
        let limit = |name: &str, memory: Option<&str>| match memory {
            Some(memory) => {
                serde_json::json!({"name": name, "resources": {"limits": {"memory": memory}}})
            }
            None => serde_json::json!({"name": name}),
        };
        let spec = |init, one, other| serde_json::json!({"initContainers": [limit("i", init)], "containers": [limit("a", one), limit("b", other)]});
        let bound = |spec| template(spec).bound().memory;
        assert_eq!(bound(spec(None, Some("1"), Some("2"))), Some(Bytes(3)));
        assert_eq!(bound(spec(Some("9"), Some("1"), Some("2"))), Some(Bytes(3)));
        assert_eq!(bound(spec(Some("9"), Some("1"), None)), None);
        assert_eq!(bound(serde_json::json!({})), None);
    }

    #[test]
    fn a_container_that_makes_no_sense_costs_only_itself() {
        let template = template(serde_json::json!({
            "initContainers": "none", "containers": [7, {"name": "a", "resources": [], "livenessProbe": "often"}],
        }));
        assert_eq!(template.containers.len(), 1);
        assert_eq!(&*template.containers[0].name, "a");
        assert!(template.containers[0].liveness.is_none());
    }
}
