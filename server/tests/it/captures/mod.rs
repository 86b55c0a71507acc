//! Repeats every captured request to a real metrics-server with the same data, and compares status, headers and body.

mod compare;
mod peer;
mod table;

use std::collections::BTreeSet;
use std::path::PathBuf;

use kubevitals_proto::wire::envelope;
use kubevitals_sim::identity::UserInfo;
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, HeaderMap, HeaderName, USER_AGENT};

use crate::harness::{Harness, client};
use table::{CASES, Case, Who};

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

/// The peer's response as text.
pub(crate) fn captured(name: &str) -> String {
    String::from_utf8(captured_bytes(name)).unwrap()
}

fn captured_bytes(name: &str) -> Vec<u8> {
    let path = folder().join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

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

/// Sends a captured request. Returns the status and the body after it has compared the status and the headers.
pub(crate) async fn as_captured(name: &str, request: reqwest::RequestBuilder) -> (u16, String) {
    let ours = request.send().await.expect("the server answers");
    let theirs = captured(&format!("{name}.headers"));
    let status = theirs.split(' ').nth(1).unwrap();
    assert_eq!(ours.status().as_str(), status, "{name}");
    compare_headers(name, ours.headers(), &theirs);
    let status = ours.status().as_u16();
    (status, ours.text().await.expect("a whole body"))
}

/// Compares the headers about the body and about caching.
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
            // Depends on the document or the time.
            "etag" => assert!(
                all[0].starts_with('"') && all[0].len() == their.len(),
                "{name}: {all:?}"
            ),
            "last-modified" | "date" => assert_eq!(all[0].len(), their.len(), "{name}: {all:?}"),
            "audit-id" => assert_eq!(all[0].len(), their.len(), "{name}: {all:?}"),
            // Go sends the length of a body that fits its buffer.
            "content-length" => {}
            // No client requests a range of a document.
            "accept-ranges" => assert!(all.is_empty(), "{name}"),
            // The kube-apiserver adds it for requests through it.
            "x-kubernetes-pf-flowschema-uid" | "x-kubernetes-pf-prioritylevel-uid" => {}
            _ => panic!("{name}: nobody has thought of {header}"),
        }
    }
    let is_listed = |header: &str| {
        theirs
            .lines()
            .any(|line| line.starts_with(&format!("{header}: ")))
    };
    for header in ours.keys().map(HeaderName::as_str) {
        // A length may be added; and 405 requires `Allow` (RFC 9110, 15.5.6), which the peer does not send.
        assert!(
            is_listed(header) || matches!(header, "content-length" | "allow"),
            "{name}: the peer has no {header}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn captured_requests_get_the_responses_of_the_peer() {
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
    // Every capture is used exactly once.
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
        let table = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
        let metadata = match path {
            "" => "application/json",
            "/nodes" | "/pods" => {
                "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
            }
            _ => "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io",
        };
        for accept in [
            "application/json",
            "application/yaml",
            table,
            metadata,
            "application/vnd.kubernetes.protobuf, */*",
        ] {
            let of = async |version: &str| {
                let path = format!("/apis/metrics.k8s.io/{version}{path}");
                let request = harness.request("GET", &path).header(ACCEPT, accept);
                let (status, body) = harness.send(request).await;
                assert_eq!(status, 200, "{path}");
                body
            };
            if accept.contains("protobuf") {
                // It contains times and lengths: only the kinds and versions of the envelopes are compared.
                let kind = |body: Vec<u8>, version: &str| {
                    let group_version = format!("metrics.k8s.io/{version}");
                    let unwrapped = envelope::unwrap(&body).expect("an envelope");
                    if !path.is_empty() {
                        assert_eq!(unwrapped.api_version, group_version, "{path}");
                    }
                    unwrapped.kind.to_owned()
                };
                assert_eq!(
                    kind(of("v1").await, "v1"),
                    kind(of("v1beta1").await, "v1beta1")
                );
                continue;
            }
            let of = async |version: &str| {
                let text = String::from_utf8(of(version).await).unwrap();
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
