//! The metadata of this API's objects: their UID, their owner, and the labels that they copy.

use std::sync::LazyLock;

use kubevitals_proto::labels::Labels;
use kubevitals_proto::vitals::{Incident, OwnerReference};
use uuid::Uuid;

use super::builder::VitalsBuilder;

/// The namespace of the UIDs of this API's objects.
static NAMESPACE: LazyLock<Uuid> =
    LazyLock::new(|| Uuid::new_v5(&Uuid::NAMESPACE_DNS, b"kubevitals.io"));

/// The UID of an object of this API: a UUID version 5 of its kind, namespace and name, and of the UID of its Pod or
/// Node. It is the same at every replica and after every restart, unique, and different from the UID of the Pod or
/// Node.
pub(super) fn uid(kind: &str, namespace: &str, name: &str, of: &str) -> String {
    // None of these strings can contain a slash.
    let text = [kind, namespace, name, of].join("/");
    Uuid::new_v5(&NAMESPACE, text.as_bytes()).to_string()
}

/// The Pod or Node as the owner of its vitals and incidents; empty if its UID is unknown.
///
/// Argo CD prunes only objects without an owner, whatever their labels are (`isRoot` in its cluster cache); it shows
/// the others below their owner. `controller` is not set: a Pod does not manage its vitals, and clients that follow
/// controllers would think so. `blockOwnerDeletion` is not set: the vitals must not delay a deletion. The garbage
/// collector watches only kinds that can be deleted, so it ignores these references.
pub(super) fn owner(kind: &'static str, name: &str, uid: &str) -> Vec<OwnerReference> {
    if uid.is_empty() {
        return Vec::new();
    }
    vec![OwnerReference {
        api_version: "v1".into(),
        kind: kind.into(),
        name: name.to_owned(),
        uid: uid.to_owned(),
    }]
}

/// Labels by which deployment tools find the objects that they change and delete.
const CLAIMS: [&str; 2] = ["app.kubernetes.io/instance", "app.kubernetes.io/managed-by"];

/// The domains of such tools' labels: `kustomize.toolkit.fluxcd.io` is of `fluxcd.io`.
const DOMAINS: [&str; 9] = [
    "addonmanager.kubernetes.io",
    "applyset.kubernetes.io",
    "argocd.argoproj.io",
    "configmanagement.gke.io",
    "configsync.gke.io",
    "fleet.cattle.io",
    "fluxcd.io",
    "kapp.k14s.io",
    "objectset.rio.cattle.io",
];

/// The labels that an object copies from its Pod or Node: all but those by which a tool would claim it. Label selectors
/// use all labels of the Pod or Node.
pub(super) fn labels(of: &Labels) -> Labels {
    if !of.iter().any(|(key, _)| claims(key)) {
        return of.clone();
    }
    of.iter().filter(|(key, _)| !claims(key)).collect()
}

fn claims(key: &str) -> bool {
    if CLAIMS.contains(&key) {
        return true;
    }
    let Some((domain, _)) = key.split_once('/') else {
        return false;
    };
    DOMAINS.iter().any(|suffix| {
        let before = domain.strip_suffix(suffix);
        before.is_some_and(|before| before.is_empty() || before.ends_with('.'))
    })
}

impl VitalsBuilder {
    /// Adds the metadata of the API to an incident.
    pub fn incident(incident: &Incident) -> Incident {
        let mut object = incident.clone();
        let (meta, involved) = (&mut object.metadata, &incident.involved);
        meta.uid = uid("Incident", &meta.namespace, &meta.name, &involved.uid);
        meta.labels = labels(&meta.labels);
        let kind = match involved.kind.as_str() {
            "Node" => "Node",
            _ => "Pod",
        };
        meta.owner_references = owner(kind, &involved.name, &involved.uid);
        object
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const POD: &str = "dbe5842e-0978-4422-a9fa-8026a53c65dd";

    #[test]
    fn uids_are_of_version_5_stable_and_unique() {
        let web = uid("PodVitals", "shop", "web-1", POD);
        // A fixed value: it must not change between versions of the server.
        assert_eq!(web, "b9ea90b5-a952-5c1f-99b5-442f8a7670ea");
        let all = [
            web,
            POD.to_owned(),
            uid("PodVitals", "shop", "web-2", POD),
            uid("PodVitals", "bank", "web-1", POD),
            uid("PodVitals", "shop", "web-1", "another"),
            uid("PodVitals", "shop", "web-1", ""),
            uid("NodeVitals", "shop", "web-1", POD),
            uid("Incident", "shop", "web-1", POD),
            uid("Incident", "shop", "web-1-0011223344", POD),
        ];
        let unique: HashSet<&String> = all.iter().collect();
        assert_eq!(unique.len(), all.len());
        let versions = all.iter().filter(|uid| *uid != POD);
        for version in versions.map(|uid| Uuid::parse_str(uid).unwrap().get_version_num()) {
            assert_eq!(version, 5);
        }
    }

    #[test]
    fn labels_of_deployment_tools_are_not_copied() {
        for (key, is_copied) in [
            ("app", true),
            ("app.kubernetes.io/name", true),
            ("app.kubernetes.io/part-of", true),
            ("pod-template-hash", true),
            ("topology.kubernetes.io/zone", true),
            ("instance", true),
            ("workflows.argoproj.io/workflow", true),
            ("notfluxcd.io/name", true),
            ("fluxcd.io", true),
            ("app.kubernetes.io/instance", false),
            ("app.kubernetes.io/managed-by", false),
            ("argocd.argoproj.io/instance", false),
            ("argocd.argoproj.io/anything", false),
            ("kustomize.toolkit.fluxcd.io/name", false),
            ("helm.toolkit.fluxcd.io/namespace", false),
            ("fluxcd.io/sync-gc-mark", false),
            ("kapp.k14s.io/app", false),
            ("applyset.kubernetes.io/part-of", false),
            ("objectset.rio.cattle.io/hash", false),
        ] {
            let own = Labels::from_iter([(key, "x"), ("tier", "front")]);
            let copied = labels(&own);
            assert_eq!(copied.get(key).is_some(), is_copied, "{key}");
            assert_eq!(copied.get("tier"), Some("front"), "{key}");
        }
        let own = Labels::from_iter([("app", "web")]);
        assert!(labels(&own).is_shared(), "nothing to leave out: no copy");
    }

    #[test]
    fn each_incident_has_its_own_uid_and_its_object_as_owner() {
        let of = |name: &str, kind: &str, uid: &str| {
            let mut plain = Incident::default();
            plain.metadata.name = name.to_owned();
            plain.metadata.namespace = "shop".to_owned();
            plain.metadata.uid = uid.to_owned();
            plain.involved.kind = kind.to_owned();
            plain.involved.name = "web-1".to_owned();
            plain.involved.uid = uid.to_owned();
            VitalsBuilder::incident(&plain).metadata
        };
        let (first, second) = (of("web-1-aa", "Pod", POD), of("web-1-bb", "Pod", POD));
        assert_ne!(first.uid, second.uid);
        assert_eq!(first.uid, of("web-1-aa", "Pod", POD).uid);
        for meta in [&first, &second] {
            assert_ne!(meta.uid, POD);
            let owner = &meta.owner_references[0];
            assert_eq!(
                (&*owner.kind, &*owner.name, &*owner.uid),
                ("Pod", "web-1", POD)
            );
        }
        assert_eq!(of("n1-aa", "Node", POD).owner_references[0].kind, "Node");
        assert!(of("web-1-aa", "Pod", "").owner_references.is_empty());
        // An object is never its own owner.
        assert_ne!(first.owner_references[0].uid, first.uid);
    }
}
