//! The rules that every cluster has, and those of the server's manifests.

use super::{Rule, SERVER_ACCOUNT, Subject};

/// The rules a cluster starts with.
pub(super) fn rules() -> Vec<(Subject, Rule)> {
    let mut rules = everyone();
    let (namespace, name) = SERVER_ACCOUNT;
    let server = Subject::service_account(namespace, name);
    rules.extend(manifests(namespace).map(|rule| (server.clone(), rule)));
    rules
}

/// Health for all, discovery and reviews of oneself for the authenticated.
fn everyone() -> Vec<(Subject, Rule)> {
    let group = |name: &str| Subject::Group(name.to_owned());
    let authenticated = || group("system:authenticated");
    let health = Rule::paths(&["/healthz", "/livez", "/readyz", "/version", "/version/"]);
    let create = |group, resources| Rule::resources(&["create"], group, resources);
    let self_access = ["selfsubjectaccessreviews", "selfsubjectrulesreviews"];
    #[rustfmt::skip] // one rule a line: a table
    let rules = [
        (group("system:unauthenticated"), health.clone()),
        (authenticated(), health),
        (authenticated(), Rule::paths(&["/api", "/api/*", "/apis", "/apis/*", "/openapi", "/openapi/*"])),
        (authenticated(), create("authorization.k8s.io", &self_access)),
        (authenticated(), create("authentication.k8s.io", &["selfsubjectreviews"])),
    ];
    rules.to_vec()
}

/// What `deploy/components/export` grants the server's account besides, for what leaves the server.
pub(super) fn exports() -> [(Subject, Rule); 3] {
    let (namespace, name) = SERVER_ACCOUNT;
    let leases = |verbs: &[&str]| {
        Rule::resources(verbs, "coordination.k8s.io", &["leases"]).in_namespace(namespace)
    };
    let rules = [
        leases(&["create"]),
        leases(&["get", "update"]).named(&["vitals-server"]),
        Rule::resources(&["list"], "autoscaling", &["horizontalpodautoscalers"]),
    ];
    rules.map(|rule| (Subject::service_account(namespace, name), rule))
}

/// What `deploy/components/custom-metrics` grants the server's account besides, for pods' own metrics.
pub(super) fn pod_metrics() -> [(Subject, Rule); 2] {
    let (namespace, name) = SERVER_ACCOUNT;
    let rules = [
        Rule::resources(
            &["list", "watch"],
            "autoscaling",
            &["horizontalpodautoscalers"],
        ),
        Rule::resources(&["list"], "", &["services"]),
    ];
    rules.map(|rule| (Subject::service_account(namespace, name), rule))
}

/// What `deploy/base` grants the server's account; a test of the server compares the two.
#[rustfmt::skip] // one rule a line: a table
fn manifests(namespace: &str) -> [Rule; 11] {
    let api_services = ["v1.metrics.k8s.io", "v1alpha1.kubevitals.io", "v1beta1.metrics.k8s.io"];
    let authentication = ["extension-apiserver-authentication"];
    [
        Rule::resources(&["list", "watch"], "", &["nodes", "pods", "events"]),
        Rule::resources(&["list", "watch"], "batch", &["jobs"]),
        Rule::resources(&["get"], "", &["nodes/metrics", "nodes/stats"]),
        Rule::resources(&["create"], "authentication.k8s.io", &["tokenreviews"]),
        Rule::resources(&["create"], "authorization.k8s.io", &["subjectaccessreviews"]),
        Rule::paths(&["/state/v1"]),
        Rule::resources(&["list"], "discovery.k8s.io", &["endpointslices"]).in_namespace(namespace),
        Rule::resources(&["get", "patch"], "apiregistration.k8s.io", &["apiservices"]).named(&api_services),
        Rule::resources(&["list", "watch"], "", &["configmaps"]).named(&authentication).in_namespace("kube-system"),
        Rule::resources(&["get", "update"], "", &["secrets"]).named(&["vitals-server-ca"]).in_namespace(namespace),
        Rule::resources(&["get", "update"], "", &["configmaps"]).named(&["vitals-server-ca", "vitals-server-incidents"]).in_namespace(namespace),
    ]
}
