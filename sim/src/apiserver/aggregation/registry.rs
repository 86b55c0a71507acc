//! APIService objects: what is aggregated.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::members::Members;
use crate::objects::{Precondition, Resource, Store};

/// The groups this project's server answers.
const OURS: [&str; 4] = [
    "metrics.k8s.io",
    "kubevitals.io",
    "custom.metrics.k8s.io",
    "external.metrics.k8s.io",
];

/// Whether a group is this project's: sent on even before an APIService exists for it.
pub(in super::super) fn is_ours(group: &str) -> bool {
    OURS.contains(&group)
}

/// An aggregated group version, as its APIService has it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in super::super) struct Registration {
    pub(in super::super) group: String,
    pub(in super::super) version: String,
    /// The name its server's certificate must have: `SERVICE.NAMESPACE.svc`.
    pub(super) server_name: String,
    /// What to verify the certificate with; without one it is not verified.
    pub(super) ca_pem: Option<String>,
    priority: i64,
}

impl Registration {
    /// As the peer's manifests have it: not verified.
    pub(super) fn default_for(group: &str, version: &str) -> Self {
        Self {
            group: group.to_owned(),
            version: version.to_owned(),
            server_name: "vitals-server.kube-system.svc".to_owned(),
            ca_pem: None,
            priority: 100,
        }
    }

    /// The one for a group version, if it is registered.
    pub(super) fn find(store: &Store, group: &str, version: &str) -> Option<Self> {
        let object = store.get(Resource::ApiServices, None, &format!("{version}.{group}"))?;
        Self::of(&object.to_value(Resource::ApiServices))
    }

    /// All of them: by group, the preferred version first.
    pub(super) fn all(store: &Store) -> Vec<Self> {
        let snapshot = store.snapshot(Resource::ApiServices);
        let objects = snapshot
            .range(None, None)
            .map(|(_, object)| object.to_value(Resource::ApiServices));
        let mut all: Vec<Self> = objects.filter_map(|object| Self::of(&object)).collect();
        // A stable version goes before an unfinished one of the same priority: "v1" sorts before "v1beta1".
        all.sort_by(|a, b| {
            (&a.group, -a.priority, &a.version).cmp(&(&b.group, -b.priority, &b.version))
        });
        all
    }

    fn of(object: &Value) -> Option<Self> {
        let service = object.str_at("/spec/service/name")?;
        let namespace = object.str_at("/spec/service/namespace")?;
        let ca_bundle = BASE64_STANDARD.decode(object.text("/spec/caBundle")).ok();
        let ca_pem = ca_bundle.and_then(|pem| String::from_utf8(pem).ok());
        Some(Self {
            group: object.str_at("/spec/group")?.to_owned(),
            version: object.str_at("/spec/version")?.to_owned(),
            server_name: format!("{service}.{namespace}.svc"),
            ca_pem: ca_pem.filter(|pem| !pem.is_empty()),
            priority: object.int("/spec/versionPriority"),
        })
    }

    /// Writes the APIService of this registration, if there is none.
    pub(in super::super) fn ensure(store: &Store, group: &str, version: &str) {
        let name = format!("{version}.{group}");
        if store.get(Resource::ApiServices, None, &name).is_some() {
            return;
        }
        let service = json!({"namespace": "kube-system", "name": "vitals-server", "port": 443});
        let spec = json!({
            "service": service, "group": group, "version": version, "insecureSkipTLSVerify": true,
            "groupPriorityMinimum": 100, "versionPriority": 100,
        });
        let object = json!({"metadata": {"name": name}, "spec": spec});
        store.apply(Resource::ApiServices, object);
    }

    /// Writes the APIService of a group version that the API server answers itself.
    pub(in super::super) fn ensure_local(store: &Store, group: &str, version: &str) {
        let condition = json!({
            "type": "Available", "status": "True", "reason": "Local",
            "message": "Local APIServices are always available", "lastTransitionTime": store.now(),
        });
        let spec = json!({"group": group, "version": version, "groupPriorityMinimum": 17000, "versionPriority": 15});
        let name = format!("{version}.{group}");
        let object = json!({"metadata": {"name": name}, "spec": spec, "status": {"conditions": [condition]}});
        store.apply(Resource::ApiServices, object);
    }

    /// Writes whether its server answers into the APIService's status, if that has changed.
    pub(super) fn report(&self, store: &Store, available: Result<(), (&str, &str)>) {
        let name = format!("{}.{}", self.version, self.group);
        let Some(present) = store.get(Resource::ApiServices, None, &name) else {
            return;
        };
        let mut object = present.to_value(Resource::ApiServices);
        let (status, reason, message) = match available {
            Ok(()) => ("True", "Passed", "all checks passed"),
            Err((reason, message)) => ("False", reason, message),
        };
        let is =
            |member: &str, text| object.text(&format!("/status/conditions/0/{member}")) == text;
        if is("status", status) && is("reason", reason) {
            return;
        }
        let condition = json!({
            "type": "Available", "status": status, "reason": reason, "message": message,
            "lastTransitionTime": store.now(),
        });
        object.put("status", json!({"conditions": [condition]}));
        let unchanged = Precondition::Version(present.resource_version());
        if let Err(error) = store.apply_if(Resource::ApiServices, object, unchanged) {
            tracing::debug!(name, %error, "APIService changed meanwhile; its status is written next time");
        }
    }
}
