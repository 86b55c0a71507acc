//! The applications that run in a simulated cluster.

mod apps;
mod parts;

pub(crate) use apps::{APPS, DAEMONS, GPU_APPS};

use super::load::Profile;

/// The controller of an application's pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Deployment,
    StatefulSet,
    DaemonSet,
}

/// The role of a container in its pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Runs to its end before the others start.
    Init,
    /// An init container that is restarted and stays.
    Sidecar,
    /// Runs for as long as the pod.
    Main,
}

/// How the kubelet probes a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProbeHandler {
    Http(&'static str),
    Tcp,
    Exec(&'static [&'static str]),
}

/// One probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Probe {
    pub(crate) handler: ProbeHandler,
    /// Seconds between attempts.
    pub(crate) period: u32,
    /// Failures in a row that count.
    pub(crate) failures: u32,
}

/// A container of an application.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Container {
    pub(crate) name: &'static str,
    pub(crate) image: &'static str,
    pub(crate) role: Role,
    pub(crate) port: u16,
    pub(crate) profile: Profile,
    /// Requests: millicores and mebibytes; 0 for none.
    pub(crate) requests: (u32, u32),
    /// Limits: millicores and mebibytes; 0 for none.
    pub(crate) limits: (u32, u32),
    pub(crate) liveness: Option<Probe>,
    pub(crate) readiness: Option<Probe>,
    pub(crate) startup: Option<Probe>,
    /// How many GPUs it has.
    pub(crate) gpus: u32,
}

impl Container {
    /// Whether cAdvisor would sample it less often.
    pub(crate) fn is_idle(&self) -> bool {
        self.profile.cpu < 1e6
    }
}

/// An application.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct App {
    pub(crate) name: &'static str,
    pub(crate) namespace: &'static str,
    pub(crate) kind: Kind,
    /// Replicas in a small cluster; a daemonset has one a node.
    pub(crate) replicas: u32,
    /// The target of the autoscaler: CPU utilization in percent of the request; 0 for no autoscaler.
    pub(crate) autoscaled: u32,
    pub(crate) containers: &'static [Container],
}

/// The exporter of the GPUs of its node.
pub(crate) const GPU_EXPORTER: &str = "dcgm-exporter";

impl App {
    /// The container that serves HTTP requests, of a deployment that does.
    pub(crate) fn serving(&self) -> Option<&'static Container> {
        let is_http = |c: &&Container| {
            let probe = c.readiness.map(|it| it.handler);
            c.role == Role::Main && matches!(probe, Some(ProbeHandler::Http(_)))
        };
        let serves = self.kind == Kind::Deployment && self.namespace != "kube-system";
        self.containers.iter().find(is_http).filter(|_| serves)
    }

    /// The container that exposes metrics where pods do.
    pub(crate) fn exposing(&self) -> Option<&'static Container> {
        let exporter = (self.name == GPU_EXPORTER).then(|| self.containers.first());
        exporter.unwrap_or_else(|| self.serving())
    }

    /// Whether its pods need a GPU.
    pub(crate) fn needs_gpu(&self) -> bool {
        self.containers.iter().any(|c| c.gpus > 0)
    }
}

/// A container's image at a revision: its tag has one more part for each rollout.
pub(crate) fn image(container: &Container, revision: u32) -> String {
    // What comes with the platform is not the application's to change.
    let own = container.role == Role::Main;
    match revision {
        n if own && n > 1 => format!("{}-r{n}", container.image),
        _ => container.image.to_owned(),
    }
}

/// The containers that belong in `spec.initContainers`.
pub(crate) fn is_init(container: &Container) -> bool {
    container.role != Role::Main
}

#[cfg(test)]
mod tests {
    use super::parts::{MI, MILLI};
    use super::*;
    use crate::world::load::Load;

    fn all() -> impl Iterator<Item = (&'static App, &'static Container)> {
        let apps = DAEMONS.iter().chain(APPS);
        apps.flat_map(|a| a.containers.iter().map(move |c| (a, c)))
    }

    #[test]
    fn no_container_exceeds_its_limit_without_a_fault() {
        for (app, c) in all().filter(|(_, c)| c.role != Role::Init) {
            let (cpu, memory) = (f64::from(c.limits.0) * MILLI, f64::from(c.limits.1) * MI);
            let peak = Load::peak_cpu(&c.profile);
            let most = c.profile.memory * 1.3 * 1.075 * (1.0 + c.profile.creep);
            for (peak, limit) in [(peak, cpu), (most, memory)] {
                let within = limit == 0.0 || peak <= limit;
                assert!(within, "{}/{}: {peak} of {limit}", app.name, c.name);
            }
        }
    }

    #[test]
    fn requests_are_within_limits() {
        for (app, c) in all() {
            for (request, limit) in [(c.requests.0, c.limits.0), (c.requests.1, c.limits.1)] {
                assert!(limit == 0 || request <= limit, "{}/{}", app.name, c.name);
            }
        }
    }

    #[test]
    fn a_pod_has_one_and_a_half_containers_on_average() {
        let of = |apps: &[App]| -> Vec<f64> {
            apps.iter()
                .map(|a| a.containers.iter().filter(|c| c.role != Role::Init).count() as f64)
                .collect()
        };
        let (daemons, apps) = (of(DAEMONS), of(APPS));
        let weights: Vec<f64> = APPS.iter().map(|a| f64::from(a.replicas)).collect();
        let mean = apps.iter().zip(&weights).map(|(c, w)| c * w).sum::<f64>()
            / weights.iter().sum::<f64>();
        let node = daemons.iter().sum::<f64>() + 27.0 * mean;
        assert!((42.0..48.0).contains(&node), "{node}");
    }
}
