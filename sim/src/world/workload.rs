//! Workloads: what owns pods, and the revisions of what their pods are made of.

use std::sync::Arc;

use kubevitals_proto::labels::Labels;
use kubevitals_proto::time::Timestamp;

use super::catalog::{App, Container, Kind, image};
use super::hash::{hash, hex64, stream, suffix, uid};
use super::service::Service;
use super::template::PodTemplate;

/// A deployment, statefulset or daemonset.
#[derive(Debug)]
pub(crate) struct Workload {
    pub(crate) app: &'static App,
    pub(crate) namespace: Arc<str>,
    pub(crate) uid: String,
    pub(crate) seed: u64,
    pub(crate) created: Timestamp,
    /// How many pods it should have.
    pub(crate) replicas: u32,
    /// Whether an autoscaler is responsible for it.
    pub(crate) autoscaled: bool,
    /// What changes: under the engine's lock only, so that counts and objects agree.
    pub(crate) revision: Arc<Revision>,
    /// How many of its pods are ready.
    pub(crate) ready: u32,
    /// Earlier revisions' replicasets, which stay with no replicas.
    pub(crate) retired: Vec<Arc<Revision>>,
    /// How many of its pods are of the current revision.
    pub(crate) updated: u32,
    /// Whether a rollout is under way.
    pub(crate) rolling: bool,
    /// The requests that it serves, if it does.
    pub(crate) service: Option<Service>,
}

impl Workload {
    pub(crate) fn new(
        seed: u64,
        app: &'static App,
        namespace: Arc<str>,
        created: Timestamp,
        revised: Timestamp,
        metrics_port: Option<u16>,
    ) -> Self {
        let seed = hash(seed, stream(app.name) ^ stream(&namespace));
        let uid = uid(hash(seed, 1));
        let revision = Revision::new(seed, app, &namespace, &uid, 1, revised, metrics_port);
        let revision = Arc::new(revision);
        Self {
            app,
            namespace,
            uid,
            seed,
            created,
            replicas: 0,
            autoscaled: false,
            revision,
            ready: 0,
            retired: Vec::new(),
            updated: 0,
            rolling: false,
            service: None,
        }
    }

    /// The revision after the current one, made at `at`.
    pub(crate) fn next_revision(&self, at: Timestamp) -> Revision {
        let number = self.revision.number + 1;
        let port = self.revision.template.metrics_port;
        Revision::new(
            self.seed,
            self.app,
            &self.namespace,
            &self.uid,
            number,
            at,
            port,
        )
    }

    /// The name of the `ordinal`-th pod. Successive pods of an ordinal differ by their `nonce`.
    pub(crate) fn pod_name(&self, ordinal: u32, nonce: u64) -> String {
        let tail = || suffix(hash(self.seed, nonce ^ stream("pod")), 5);
        match self.app.kind {
            Kind::Deployment => format!("{}-{}", self.revision.owner_name, tail()),
            Kind::StatefulSet => format!("{}-{ordinal}", self.app.name),
            Kind::DaemonSet => format!("{}-{}", self.app.name, tail()),
        }
    }
}

/// One version of a workload's pod template. Pods share it.
#[derive(Debug)]
pub(crate) struct Revision {
    pub(crate) app: &'static App,
    pub(crate) namespace: Arc<str>,
    pub(crate) number: u32,
    pub(crate) created: Timestamp,
    /// The pod-template-hash, or the controller-revision-hash.
    pub(crate) template_hash: String,
    /// What the pods' ownerReference names: the replicaset of a deployment, else the workload.
    pub(crate) owner_name: String,
    pub(crate) owner_uid: String,
    /// The workload's own seed: replicas share the time of day at which they are busy.
    pub(crate) seed: u64,
    pub(crate) labels: Labels,
    pub(crate) template: PodTemplate,
}

impl Revision {
    fn new(
        seed: u64,
        app: &'static App,
        namespace: &Arc<str>,
        workload_uid: &str,
        number: u32,
        created: Timestamp,
        metrics_port: Option<u16>,
    ) -> Self {
        let h = hash(seed, 100 + u64::from(number));
        let template_hash = suffix(h, 10);
        let (owner_name, owner_uid) = match app.kind {
            Kind::Deployment => (format!("{}-{template_hash}", app.name), uid(h)),
            Kind::StatefulSet | Kind::DaemonSet => (app.name.to_owned(), workload_uid.to_owned()),
        };
        let hash_label = match app.kind {
            Kind::Deployment => ("pod-template-hash", template_hash.clone()),
            Kind::StatefulSet | Kind::DaemonSet => (
                "controller-revision-hash",
                format!("{}-{template_hash}", app.name),
            ),
        };
        let labels = Labels::from_iter([
            ("app", app.name.to_owned()),
            ("app.kubernetes.io/name", app.name.to_owned()),
            hash_label,
            ("tier", tier(app).to_owned()),
        ]);
        let template = PodTemplate::new(app, number, (&owner_name, &owner_uid), metrics_port);
        Self {
            app,
            namespace: namespace.clone(),
            number,
            created,
            template_hash,
            owner_name,
            owner_uid,
            seed,
            labels,
            template,
        }
    }

    /// The image of a container in this revision.
    pub(crate) fn image(&self, container: &Container) -> String {
        image(container, self.number)
    }

    /// The image's digest, which differs by image and not by node.
    pub(crate) fn image_id(&self, container: &Container) -> String {
        let image = self.image(container);
        let name = image.split(':').next().unwrap_or_default();
        format!("{name}@sha256:{}", hex64(stream(&image)))
    }
}

fn tier(app: &App) -> &'static str {
    match (app.kind, app.namespace) {
        (Kind::DaemonSet, _) => "node",
        (Kind::StatefulSet, _) => "data",
        (Kind::Deployment, "shop") => "frontend",
        (Kind::Deployment, _) => "backend",
    }
}
