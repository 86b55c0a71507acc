//! Every request that a real metrics-server was sent, answered here for the same data: status, headers, body.

mod compare;
mod peer;

use std::collections::BTreeSet;
use std::path::PathBuf;

use kubevitals_sim::identity::UserInfo;
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, HeaderMap, USER_AGENT};

use crate::harness::{Harness, client};
use compare::Body;

fn folder() -> PathBuf {
    [
        env!("CARGO_MANIFEST_DIR"),
        "tests",
        "fixtures",
        "metrics-api",
    ]
    .iter()
    .collect()
}

/// What the peer answered, as text.
pub(crate) fn captured(name: &str) -> String {
    String::from_utf8(captured_bytes(name)).unwrap()
}

fn captured_bytes(name: &str) -> Vec<u8> {
    let path = folder().join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Who asks.
#[derive(Clone, Copy)]
enum Who {
    /// Somebody who may everything.
    Admin,
    /// Nobody that anyone knows.
    Nobody,
    /// Somebody with a token that is none.
    Garbled,
    /// An administrator, through the kube-apiserver.
    Aggregated,
}

struct Case {
    name: &'static str,
    method: &'static str,
    path: &'static str,
    accept: &'static str,
    who: Who,
    body: Body,
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

/// /statusz is a page about Kubernetes' component; /openapi/v3/ is empty at the peer. /debug, v1 and what is asked
/// of a node or pod are ours.
const PATHS: Body = Body::Paths {
    theirs: &["/openapi/v3/", "/statusz"],
    ours: &[
        "/apis/metrics.k8s.io/v1",
        "/debug/scrapes",
        "/debug/targets",
    ],
};

const CASES: [Case; 45] = [
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
    // Of pods, in spite of its name; and too short to be compressed.
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

async fn ask(harness: &Harness, case: &Case) -> reqwest::Response {
    let ours = format!("https://{}{}", harness.server.local_addr(), case.path);
    let request = match case.who {
        Who::Admin => harness.request(case.method, case.path),
        Who::Nobody => client(None).get(ours),
        Who::Garbled => client(None)
            .get(ours)
            .header(AUTHORIZATION, "Bearer nonsense"),
        Who::Aggregated => {
            let token = harness
                .cluster
                .identities()
                .mint_token(UserInfo::new("admin", ["system:masters"]));
            client(None)
                .get(format!("{}{}", harness.cluster.api_url(), case.path))
                .bearer_auth(token)
        }
    };
    let request = request
        .header(USER_AGENT, "curl/8.14")
        .header(ACCEPT, case.accept);
    let request = match case.name {
        "nodes_gzip" => request.header(ACCEPT_ENCODING, "gzip"),
        _ => request.header(ACCEPT_ENCODING, "identity"),
    };
    request.send().await.expect("the server answers")
}

/// Sends what the peer was sent; the status and the body, once the status and the headers are found to be the
/// peer's.
pub(crate) async fn as_captured(name: &str, request: reqwest::RequestBuilder) -> (u16, String) {
    let ours = request.send().await.expect("the server answers");
    let theirs = captured(&format!("{name}.headers"));
    let status = theirs.split(' ').nth(1).unwrap();
    assert_eq!(ours.status().as_str(), status, "{name}");
    compare_headers(name, ours.headers(), &theirs);
    let status = ours.status().as_u16();
    (status, ours.text().await.expect("a whole body"))
}

/// Compares the headers that say something of the body, or to whoever keeps it.
fn compare_headers(name: &str, ours: &HeaderMap, theirs: &str) {
    for (header, their) in theirs.lines().filter_map(|line| line.split_once(": ")) {
        let all: Vec<_> = ours
            .get_all(header)
            .iter()
            .map(|our| our.to_str().unwrap())
            .collect();
        match header {
            "content-type" | "x-content-type-options" | "vary" | "cache-control" => {
                assert!(all.contains(&their), "{name}: {header}: {all:?}");
            }
            // Of another document, or another moment.
            "etag" => assert!(
                all[0].starts_with('"') && all[0].len() == their.len(),
                "{name}: {all:?}"
            ),
            "last-modified" | "date" => assert_eq!(all[0].len(), their.len(), "{name}: {all:?}"),
            "audit-id" => assert_eq!(all[0].len(), their.len(), "{name}: {all:?}"),
            // Go tells the length of what is short enough to be in one buffer of its own.
            "content-length" => {}
            // Nobody asks for a part of a document.
            "accept-ranges" => assert!(all.is_empty(), "{name}"),
            // The kube-apiserver's own, when it was asked.
            "x-kubernetes-pf-flowschema-uid" | "x-kubernetes-pf-prioritylevel-uid" => {}
            _ => panic!("{name}: nobody has thought of {header}"),
        }
    }
    assert!(!ours.contains_key("content-encoding"), "{name}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_captured_request_is_answered_as_the_peer_answered_it() {
    let harness = peer::peers_cluster().await;
    for case in &CASES {
        let name = case.name;
        let theirs = captured(&format!("{name}.headers"));
        let ours = ask(&harness, case).await;
        let status = theirs.split(' ').nth(1).unwrap();
        assert_eq!(
            ours.status().as_str(),
            status,
            "{name}: {:?}",
            ours.text().await
        );
        compare_headers(name, ours.headers(), &theirs);
        let body = ours.bytes().await.expect("a whole body");
        case.body
            .compare(name, &body, &captured_bytes(&format!("{name}.body")));
    }
    // None is left out, and none is there twice.
    let captures = std::fs::read_dir(folder()).unwrap().filter_map(|file| {
        let name = file.unwrap().file_name().into_string().unwrap();
        name.strip_suffix(".headers").map(str::to_owned)
    });
    let captures: BTreeSet<_> = captures.collect();
    let cases: BTreeSet<_> = CASES.iter().map(|case| case.name.to_owned()).collect();
    assert_eq!(cases, captures);
    assert_eq!(cases.len(), CASES.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn v1_is_v1beta1_under_another_name() {
    let harness = peer::peers_cluster().await;
    for path in [
        "",
        "/nodes",
        "/nodes/lab",
        "/pods",
        "/namespaces/default/pods/flaky",
    ] {
        for accept in ["application/json", "application/yaml"] {
            let of = async |version: &str| {
                let path = format!("/apis/metrics.k8s.io/{version}{path}");
                let request = harness.request("GET", &path).header(ACCEPT, accept);
                let (status, body) = harness.send(request).await;
                assert_eq!(status, 200, "{path}");
                let text = String::from_utf8(body).unwrap();
                text.replace("metrics.k8s.io/v1beta1", "metrics.k8s.io/v1")
            };
            let creation = |text: String| {
                let mut parts = text.split("creationTimestamp").map(str::to_owned);
                let first = parts.next();
                let rest = parts.map(|part| part.chars().skip(25).collect());
                first.into_iter().chain(rest).collect::<Vec<String>>()
            };
            assert_eq!(
                creation(of("v1").await),
                creation(of("v1beta1").await),
                "{path}"
            );
        }
    }
}
