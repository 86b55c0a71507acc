//! The metadata of objects of this API: an identity of their own, and who owns them.

use std::sync::LazyLock;

use kubevitals_proto::labels::Labels;
use kubevitals_proto::vitals::{Incident, OwnerReference};
use uuid::Uuid;

/// Under this namespace our objects' UIDs are made.
static NAMESPACE: LazyLock<Uuid> =
    LazyLock::new(|| Uuid::new_v5(&Uuid::NAMESPACE_DNS, b"kubevitals.io"));

/// The UID of an object of ours: a UUID version 5 of its kind, its namespace, its name, and the UID of what it tells of.
/// So it is the same at every replica and after every restart, no two objects have the same one, and none has the pod's
/// or the node's own.
pub(super) fn uid(kind: &str, namespace: &str, name: &str, of: &str) -> String {
    // None of them can have a slash in it.
    let text = [kind, namespace, name, of].join("/");
    Uuid::new_v5(&NAMESPACE, text.as_bytes()).to_string()
}

/// The Pod or Node that an object tells of, as its owner; none where its UID is not known.
///
/// With an owner an object is nobody's root: Argo CD shows it under the Pod and never takes it for a resource that an
/// application has too many, whatever labels it has. The owner is no controller: a Pod makes nothing, and clients take
/// what has a controller for its part (`kubectl describe`, evictions). Nothing blocks the owner's deletion. The garbage
/// collector does not look at kinds that cannot be deleted, so to it none of this says anything.
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

/// Labels by which tools know what is theirs to change and to delete.
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

/// A pod's or node's labels as our object of it has them: without those by which a tool would take it for its own.
/// Selectors look at all labels of the pod or node.
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
    DOMAINS.iter().any(|known| {
        let before = domain.strip_suffix(known);
        before.is_some_and(|before| before.is_empty() || before.ends_with('.'))
    })
}

/// An incident as it is told: with metadata of its own.
pub(super) fn incident(incident: &Incident) -> Incident {
    let mut told = incident.clone();
    let (meta, involved) = (&mut told.metadata, &incident.involved);
    meta.uid = uid("Incident", &meta.namespace, &meta.name, &involved.uid);
    meta.labels = labels(&meta.labels);
    let kind = match involved.kind.as_str() {
        "Node" => "Node",
        _ => "Pod",
    };
    meta.owner_references = owner(kind, &involved.name, &involved.uid);
    told
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const POD: &str = "dbe5842e-0978-4422-a9fa-8026a53c65dd";

    #[test]
    fn uids_are_of_version_5_stable_and_unique() {
        let web = uid("PodVitals", "shop", "web-1", POD);
        // Written down: it must not change from one version of the server to the next.
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
    fn labels_by_which_tools_claim_objects_are_left_out() {
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
            let told = labels(&own);
            assert_eq!(told.get(key).is_some(), is_copied, "{key}");
            assert_eq!(told.get("tier"), Some("front"), "{key}");
        }
        let own = Labels::from_iter([("app", "web")]);
        assert!(labels(&own).is_shared(), "nothing to leave out: no copy");
    }

    #[test]
    fn each_incident_has_a_uid_of_its_own_and_the_owner_that_it_befell() {
        let of = |name: &str, kind: &str, uid: &str| {
            let mut told = Incident::default();
            told.metadata.name = name.to_owned();
            told.metadata.namespace = "shop".to_owned();
            told.metadata.uid = uid.to_owned();
            told.involved.kind = kind.to_owned();
            told.involved.name = "web-1".to_owned();
            told.involved.uid = uid.to_owned();
            incident(&told).metadata
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
