//! The captured requests, and how their responses are compared.

use super::compare::Body;

/// The client of a request.
#[derive(Clone, Copy)]
pub(super) enum Who {
    /// A user with all permissions.
    Admin,
    /// An anonymous user.
    Nobody,
    /// A user with an invalid token.
    Garbled,
    /// An administrator, through the kube-apiserver.
    Aggregated,
}

pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) accept: &'static str,
    pub(super) who: Who,
    pub(super) body: Body,
}

const fn get(name: &'static str, path: &'static str, body: Body) -> Case {
    Case {
        name,
        method: "GET",
        path,
        accept: "*/*",
        who: Who::Admin,
        body,
    }
}

const fn get_as(name: &'static str, path: &'static str, accept: &'static str, body: Body) -> Case {
    Case {
        accept,
        ..get(name, path, body)
    }
}

const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json";
const METADATA: &str = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io";
const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";
const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/// /statusz is a page about Kubernetes' component; /openapi/v3/ is empty at the peer. /debug, v1, kubevitals.io and what
/// replicas ask each other for are ours.
const PATHS: Body = Body::Paths {
    theirs: &["/openapi/v3/", "/statusz"],
    ours: &[
        "/apis/kubevitals.io",
        "/apis/kubevitals.io/v1alpha1",
        "/apis/metrics.k8s.io/v1",
        "/debug/scrapes",
        "/debug/targets",
        "/metrics/vitals",
        "/state/v1",
    ],
};

pub(super) const CASES: [Case; 45] = [
    get(
        "nodes_json",
        "/apis/metrics.k8s.io/v1beta1/nodes",
        Body::Json,
    ),
    get_as(
        "nodes_yaml",
        "/apis/metrics.k8s.io/v1beta1/nodes",
        "application/yaml",
        Body::Yaml,
    ),
    get_as(
        "nodes_proto",
        "/apis/metrics.k8s.io/v1beta1/nodes",
        PROTOBUF,
        Body::Nodes,
    ),
    get_as(
        "nodes_table",
        "/apis/metrics.k8s.io/v1beta1/nodes",
        TABLE,
        Body::Json,
    ),
    // A list of pods in spite of its name, and too short for compression.
    get(
        "nodes_gzip",
        "/apis/metrics.k8s.io/v1beta1/pods",
        Body::Json,
    ),
    get(
        "node_get",
        "/apis/metrics.k8s.io/v1beta1/nodes/lab",
        Body::Json,
    ),
    get("pods_json", "/apis/metrics.k8s.io/v1beta1/pods", Body::Json),
    get_as(
        "pods_proto",
        "/apis/metrics.k8s.io/v1beta1/pods",
        PROTOBUF,
        Body::Pods,
    ),
    get_as(
        "pods_table",
        "/apis/metrics.k8s.io/v1beta1/pods",
        TABLE,
        Body::Json,
    ),
    get_as(
        "pods_partialmeta",
        "/apis/metrics.k8s.io/v1beta1/pods",
        METADATA,
        Body::Json,
    ),
    get_as(
        "pods_empty_table",
        "/apis/metrics.k8s.io/v1beta1/namespaces/nothing/pods",
        TABLE,
        Body::Same,
    ),
    get(
        "pods_ns_json",
        "/apis/metrics.k8s.io/v1beta1/namespaces/default/pods",
        Body::Json,
    ),
    get(
        "pods_field_ns",
        "/apis/metrics.k8s.io/v1beta1/pods?fieldSelector=metadata.namespace%3Ddefault",
        Body::Json,
    ),
    get(
        "pods_label",
        "/apis/metrics.k8s.io/v1beta1/namespaces/default/pods?labelSelector=app%3Dweb",
        Body::Json,
    ),
    get(
        "pod_get",
        "/apis/metrics.k8s.io/v1beta1/namespaces/default/pods/flaky",
        Body::Json,
    ),
    get(
        "limit",
        "/apis/metrics.k8s.io/v1beta1/pods?limit=2",
        Body::Json,
    ),
    get(
        "pretty",
        "/apis/metrics.k8s.io/v1beta1/nodes?pretty=true",
        Body::Json,
    ),
    get(
        "node_404",
        "/apis/metrics.k8s.io/v1beta1/nodes/nope",
        Body::Same,
    ),
    get(
        "pod_404_unknown",
        "/apis/metrics.k8s.io/v1beta1/namespaces/default/pods/nope",
        Body::Same,
    ),
    get(
        "pod_404_nometrics",
        "/apis/metrics.k8s.io/v1beta1/namespaces/default/pods/crash",
        Body::Same,
    ),
    get(
        "pods_field_bad",
        "/apis/metrics.k8s.io/v1beta1/pods?fieldSelector=spec.nodeName%3Dlab",
        Body::Same,
    ),
    get(
        "pods_label_bad",
        "/apis/metrics.k8s.io/v1beta1/pods?labelSelector=a+b",
        Body::Same,
    ),
    get(
        "watch",
        "/apis/metrics.k8s.io/v1beta1/pods?watch=true",
        Body::Same,
    ),
    get_as(
        "accept_bad",
        "/apis/metrics.k8s.io/v1beta1/nodes",
        "application/xml",
        Body::Same,
    ),
    get("res_404", "/apis/metrics.k8s.io/v1beta1/things", Body::Same),
    Case {
        method: "POST",
        ..get(
            "post",
            "/apis/metrics.k8s.io/v1beta1/namespaces/default/pods",
            Body::Same,
        )
    },
    Case {
        method: "DELETE",
        ..get(
            "delete",
            "/apis/metrics.k8s.io/v1beta1/namespaces/default/pods/flaky",
            Body::Same,
        )
    },
    get("root", "/", PATHS),
    get("path_404", "/nope", PATHS),
    get("version", "/version", Body::Version),
    get("direct_apis", "/apis", Body::Discovery("/groups/0")),
    get("direct_group", "/apis/metrics.k8s.io", Body::Discovery("")),
    get(
        "direct_resources",
        "/apis/metrics.k8s.io/v1beta1",
        Body::Same,
    ),
    get_as(
        "direct_aggdisc",
        "/apis",
        AGGREGATED,
        Body::Discovery("/items/0"),
    ),
    get("openapi_v2", "/openapi/v2", Body::OpenApi),
    get("openapi_v3", "/openapi/v3", Body::Index),
    get(
        "openapi_v3_group",
        "/openapi/v3/apis/metrics.k8s.io/v1beta1",
        Body::OpenApi,
    ),
    get("livez", "/livez?verbose", Body::Same),
    get("livez_ping", "/livez/ping", Body::Same),
    get("readyz", "/readyz?verbose", Body::Same),
    get("healthz", "/healthz?verbose", Body::Same),
    Case {
        who: Who::Nobody,
        ..get("anon", "/apis/metrics.k8s.io/v1beta1/nodes", Body::Same)
    },
    Case {
        who: Who::Nobody,
        ..get("anon_healthz", "/healthz", Body::Same)
    },
    Case {
        who: Who::Garbled,
        ..get("badtoken", "/apis/metrics.k8s.io/v1beta1/nodes", Body::Same)
    },
    Case {
        who: Who::Aggregated,
        ..get(
            "agg_nodes",
            "/apis/metrics.k8s.io/v1beta1/nodes",
            Body::Json,
        )
    },
];
