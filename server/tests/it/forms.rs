//! Forms that the captures do not have: long lists in every form, gzip, conversions, failures in the requested form,
//! and cached documents.

use std::io::Read as _;

use flate2::read::GzDecoder;
use kubevitals_proto::metrics::{PodMetricsList, Version};
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::wire::envelope;
use kubevitals_sim::{Config, Faults, SimClock};
use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG,
    EXPIRES, HeaderMap, IF_NONE_MATCH, LOCATION, VARY,
};
use serde_json::Value;

use crate::harness::{Harness, wait_until};
use crate::owned::Protobuf as _;

const BASE: &str = "/apis/metrics.k8s.io/v1beta1";
const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";
const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io";

async fn cluster(pods: u32) -> Harness {
    let harness = Harness::start(Config {
        nodes: 2,
        pods_per_node: pods / 2,
        faults: Faults::None,
        clock: Some(SimClock::manual(Timestamp::from_secs(1_800_000_000))),
        ..Config::default()
    })
    .await;
    harness.first_step(2).await;
    harness.step(2).await;
    harness.step(2).await;
    wait_until("all pods are answered", async || {
        // Names are not unique across namespaces.
        let list = harness.json(&format!("{BASE}/pods")).await;
        list["items"].as_array().unwrap().len() == pods as usize
    })
    .await;
    harness
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: impl reqwest::header::AsHeaderName) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn unpacked(&self) -> Vec<u8> {
        assert_eq!(self.header(CONTENT_ENCODING), Some("gzip"));
        let mut body = Vec::new();
        GzDecoder::new(&*self.body).read_to_end(&mut body).unwrap();
        body
    }
}

async fn ask(
    harness: &Harness,
    path: &str,
    headers: &[(reqwest::header::HeaderName, &str)],
) -> Answer {
    // The client must not decompress the response.
    let client = reqwest::Client::builder()
        .tls_danger_accept_invalid_certs(true)
        .no_gzip();
    let url = format!("https://{}{path}", harness.server.local_addr());
    let mut request = client
        .build()
        .unwrap()
        .get(url)
        .bearer_auth(harness.token());
    for (name, value) in headers {
        let mut replaced = HeaderMap::new();
        replaced.insert(name, value.parse().unwrap());
        request = request.headers(replaced);
    }
    let response = request.send().await.expect("the server answers");
    Answer {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        body: response.bytes().await.expect("a whole body").to_vec(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_lists_are_equal_in_every_form() {
    // More objects than are visited at once, and than fit into one chunk.
    let harness = cluster(2500).await;
    let path = format!("{BASE}/pods");
    let json = ask(&harness, &path, &[(ACCEPT, "application/json")]).await;
    assert_eq!(json.header(CONTENT_LENGTH), None);
    let mut list: PodMetricsList = serde_json::from_slice(&json.body).unwrap();
    assert_eq!(list.items.len(), 2500);
    assert_eq!(json.body.last(), Some(&b'\n'));

    let pretty = ask(&harness, &format!("{path}?pretty=1"), &[]).await;
    assert_eq!(
        String::from_utf8(pretty.body.clone()).unwrap(),
        serde_json::to_string_pretty(&pretty.json()).unwrap()
    );

    let protobuf = ask(&harness, &path, &[(ACCEPT, PROTOBUF)]).await;
    assert_eq!(protobuf.header(CONTENT_TYPE), Some(PROTOBUF));
    assert_eq!(
        protobuf.header(CONTENT_LENGTH),
        Some(&*protobuf.body.len().to_string())
    );
    let mut read = PodMetricsList::from_protobuf(&protobuf.body).unwrap();
    for pod in list.items.iter_mut().chain(&mut read.items) {
        pod.metadata.creation_timestamp = None;
    }
    assert_eq!(read, list);

    let yaml = ask(&harness, &path, &[(ACCEPT, "application/yaml")]).await;
    assert_eq!(yaml.header(CONTENT_TYPE), Some("application/yaml"));
    let read: Value = serde_saphyr::from_str(std::str::from_utf8(&yaml.body).unwrap()).unwrap();
    assert_eq!(names(&read["items"], ""), names(&json.json()["items"], ""));
    assert_eq!(
        read["items"][7]["containers"],
        json.json()["items"][7]["containers"]
    );

    let table = ask(&harness, &path, &[(ACCEPT, TABLE)]).await.json();
    assert_eq!(
        names(&table["rows"], "/object"),
        names(&json.json()["items"], "")
    );
    let metadata = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io";
    let metadata = ask(&harness, &path, &[(ACCEPT, metadata)]).await.json();
    assert_eq!(
        names(&metadata["items"], ""),
        names(&json.json()["items"], "")
    );
    let metadata =
        "application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io";
    let metadata = ask(&harness, &path, &[(ACCEPT, metadata)]).await;
    assert_eq!(
        metadata.header(CONTENT_LENGTH),
        Some(&*metadata.body.len().to_string())
    );
    let unknown = envelope::unwrap(&metadata.body).unwrap();
    assert_eq!(
        (unknown.api_version, unknown.kind),
        ("meta.k8s.io/v1", "PartialObjectMetadataList")
    );

    // The compressed and the uncompressed body are equal.
    for accept in ["application/json", "application/yaml", PROTOBUF, TABLE] {
        let plain = ask(&harness, &path, &[(ACCEPT, accept)]).await;
        let packed = ask(
            &harness,
            &path,
            &[(ACCEPT, accept), (ACCEPT_ENCODING, "deflate, gzip")],
        )
        .await;
        assert_eq!(packed.header(VARY), Some("Accept-Encoding"), "{accept}");
        assert_eq!(packed.header(CONTENT_LENGTH), None, "{accept}");
        assert!(packed.body.len() * 3 < plain.body.len(), "{accept}");
        assert_eq!(packed.unpacked().len(), plain.body.len(), "{accept}");
    }
    let (of_few, gzip) = (
        format!("{path}?fieldSelector=metadata.name%3Dnobody"),
        (ACCEPT_ENCODING, "gzip"),
    );
    let short = ask(&harness, &of_few, &[gzip]).await;
    assert_eq!(
        (short.header(CONTENT_ENCODING), short.header(VARY)),
        (None, None)
    );
    assert_eq!(
        short.header(CONTENT_LENGTH),
        Some(&*short.body.len().to_string())
    );
}

fn names(items: &Value, object: &str) -> Vec<String> {
    let items = items.as_array().unwrap();
    let name = |item: &Value| {
        item.pointer(&format!("{object}/metadata/name"))
            .unwrap()
            .as_str()
            .unwrap()
            .to_owned()
    };
    items.iter().map(name).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn objects_are_converted_to_the_requested_form() {
    let harness = cluster(4).await;
    let pod = harness.json(&format!("{BASE}/pods")).await["items"][0]["metadata"].clone();
    let (namespace, name) = (
        pod["namespace"].as_str().unwrap(),
        pod["name"].as_str().unwrap(),
    );
    let one = format!("{BASE}/namespaces/{namespace}/pods/{name}");
    let many = format!("{BASE}/pods");
    let converted =
        |kind: &str, version: &str| format!("application/json;as={kind};v={version};g=meta.k8s.io");

    for (path, accept, kind, api_version) in [
        (&one, converted("Table", "v1"), "Table", "meta.k8s.io/v1"),
        (
            &one,
            converted("Table", "v1beta1"),
            "Table",
            "meta.k8s.io/v1beta1",
        ),
        (
            &one,
            converted("PartialObjectMetadata", "v1"),
            "PartialObjectMetadata",
            "meta.k8s.io/v1",
        ),
        (
            &many,
            converted("PartialObjectMetadataList", "v1beta1"),
            "PartialObjectMetadataList",
            "meta.k8s.io/v1beta1",
        ),
        (
            &many,
            format!("{PROTOBUF};as=Table;v=v1;g=meta.k8s.io,application/json"),
            "PodMetricsList",
            "metrics.k8s.io/v1beta1",
        ),
        (
            &one,
            "application/json;as=Other;v=v1;g=x, */*".to_owned(),
            "PodMetrics",
            "metrics.k8s.io/v1beta1",
        ),
    ] {
        let answer = ask(&harness, path, &[(ACCEPT, &accept)]).await;
        assert_eq!(
            (answer.status, answer.header(CONTENT_TYPE)),
            (200, Some("application/json")),
            "{accept}"
        );
        assert_eq!(
            (&answer.json()["kind"], &answer.json()["apiVersion"]),
            (&kind.into(), &api_version.into()),
            "{accept}"
        );
    }
    let row = async |include: &str| {
        let answer = ask(
            &harness,
            &format!("{one}?includeObject={include}"),
            &[(ACCEPT, TABLE)],
        )
        .await;
        answer.json()["rows"][0]["object"].clone()
    };
    assert_eq!(row("None").await, Value::Null);
    assert_eq!(row("Metadata").await["kind"], "PartialObjectMetadata");
    assert_eq!(
        row("Object").await["apiVersion"],
        Version::V1beta1.api_version()
    );

    for (path, accept, status, message) in [
        (
            &many,
            converted("PartialObjectMetadata", "v1"),
            406,
            "you requested PartialObjectMetadata, but the requested object is a list (*metrics.PodMetricsList)",
        ),
        (
            &one,
            converted("PartialObjectMetadataList", "v1"),
            406,
            "you requested PartialObjectMetadataList, but the requested object is not a list (*metrics.PodMetrics)",
        ),
        (
            &one,
            "application/json;as=Other;v=v1;g=x".to_owned(),
            406,
            "only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf",
        ),
        (
            &one,
            "text/html".to_owned(),
            406,
            "406: Not Acceptable\n\nAvailable representations: application/json, application/yaml, application/vnd.kubernetes.protobuf",
        ),
        (
            &format!("{many}?includeObject=All"),
            TABLE.to_owned(),
            400,
            "Unable to convert to Table as requested: includeObject: Invalid value: \"All\": must be 'Metadata', 'Object', 'None', or empty",
        ),
    ] {
        let answer = ask(&harness, path, &[(ACCEPT, &accept)]).await;
        assert_eq!(answer.status, status, "{accept}");
        assert_eq!(answer.json()["message"], message, "{accept}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failures_and_discovery_have_the_requested_form() {
    let harness = cluster(4).await;
    for (path, status, kind) in [
        (format!("{BASE}/nodes/nobody"), 404, "Status"),
        (format!("{BASE}/things"), 404, "Status"),
        (format!("{BASE}/pods?labelSelector=a+b"), 400, "Status"),
        (format!("{BASE}/pods?watch=1"), 405, "Status"),
        ("/apis".to_owned(), 200, "APIGroupList"),
        ("/apis/metrics.k8s.io".to_owned(), 200, "APIGroup"),
        (BASE.to_owned(), 200, "APIResourceList"),
    ] {
        let json = ask(&harness, &path, &[(ACCEPT, "application/json")]).await;
        assert_eq!(
            (json.status, &json.json()["kind"]),
            (status, &kind.into()),
            "{path}"
        );
        let yaml = ask(&harness, &path, &[(ACCEPT, "application/yaml")]).await;
        assert_eq!(
            (yaml.status, yaml.header(CONTENT_TYPE)),
            (status, Some("application/yaml")),
            "{path}"
        );
        let read: Value = serde_saphyr::from_str(std::str::from_utf8(&yaml.body).unwrap()).unwrap();
        assert_eq!(read, json.json(), "{path}");
        let protobuf = ask(
            &harness,
            &path,
            &[(ACCEPT, "application/vnd.kubernetes.protobuf, */*")],
        )
        .await;
        assert_eq!(
            (protobuf.status, protobuf.header(CONTENT_TYPE)),
            (status, Some(PROTOBUF)),
            "{path}"
        );
        assert_eq!(
            envelope::unwrap(&protobuf.body).unwrap().kind,
            kind,
            "{path}"
        );
        // kubectl accepts tables, and failures as they are.
        let accept = format!("{TABLE},application/json");
        let table = ask(&harness, &path, &[(ACCEPT, &accept)]).await;
        assert_eq!(
            (table.status, table.json()),
            (status, json.json()),
            "{path}"
        );
    }
    let aggregated =
        "application/vnd.kubernetes.protobuf;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
    let answer = ask(&harness, "/apis", &[(ACCEPT, aggregated)]).await;
    assert_eq!(answer.header(CONTENT_TYPE), Some(aggregated));
    assert_eq!(
        envelope::unwrap(&answer.body).unwrap().kind,
        "APIGroupDiscoveryList"
    );
    // Also as the last choice; a choice without a valid version does not count.
    let accept =
        "application/json,application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
    let answer = ask(&harness, "/apis", &[(ACCEPT, accept)]).await;
    assert_eq!(answer.json()["kind"], "APIGroupDiscoveryList");
    let accept = "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";
    let answer = ask(&harness, "/apis", &[(ACCEPT, accept)]).await;
    assert_eq!(answer.json()["kind"], "APIGroupList");
    // Some responses have one form only.
    for path in ["/", "/nothing", "/version"] {
        let answer = ask(&harness, path, &[(ACCEPT, "text/html")]).await;
        assert_eq!(
            answer.header(CONTENT_TYPE),
            Some("application/json"),
            "{path}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cached_openapi_documents_are_not_sent_again() {
    let harness = cluster(4).await;
    let index = ask(&harness, "/openapi/v3", &[]).await;
    for (path, document) in index.json()["paths"].as_object().unwrap() {
        let url = document["serverRelativeURL"].as_str().unwrap();
        let answer = ask(&harness, url, &[]).await;
        assert_eq!(answer.status, 200, "{url}");
        assert_eq!(answer.json()["openapi"], "3.0.0");
        assert_eq!(answer.header(CACHE_CONTROL), Some("public, immutable"));
        assert!(answer.header(EXPIRES).is_some());
        let hash = url.split_once('=').unwrap().1;
        assert_eq!(answer.header(ETAG), Some(&*format!("\"{hash}\"")));
        // An old URL redirects to the new one.
        let moved = harness.request("GET", &format!("/openapi/v3/{path}?hash=0"));
        let moved = moved.send().await.unwrap();
        assert_eq!(
            moved.url().to_string().split_once("/openapi").unwrap().1,
            url.split_once("/openapi").unwrap().1
        );
        assert_eq!(moved.headers().get(LOCATION), None);
    }
    for path in [
        "/openapi/v2",
        "/openapi/v3",
        "/openapi/v3/apis/metrics.k8s.io/v1",
    ] {
        let answer = ask(&harness, path, &[]).await;
        assert_eq!(
            (answer.status, answer.header(CACHE_CONTROL)),
            (200, Some("no-cache, private")),
            "{path}"
        );
        let tag = answer.header(ETAG).unwrap();
        let again = ask(&harness, path, &[(IF_NONE_MATCH, tag)]).await;
        assert_eq!(
            (again.status, again.header(ETAG), again.body.len()),
            (304, Some(tag), 0),
            "{path}"
        );
        let other = ask(&harness, path, &[(IF_NONE_MATCH, "\"other\"")]).await;
        assert_eq!(other.status, 200, "{path}");
    }
    let plain = ask(&harness, "/openapi/v2", &[]).await;
    let packed = ask(&harness, "/openapi/v2", &[(ACCEPT_ENCODING, "gzip")]).await;
    assert_eq!(packed.unpacked(), plain.body);
    // Protobuf is not available, but the JSON clause beside it is.
    let protobuf = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
    for (accept, status) in [
        (protobuf.to_owned(), 406),
        (format!("{protobuf},application/json"), 200),
        ("*/*".to_owned(), 200),
    ] {
        assert_eq!(
            ask(&harness, "/openapi/v2", &[(ACCEPT, &accept)])
                .await
                .status,
            status,
            "{accept}"
        );
    }
    let none = ask(&harness, "/openapi/v3/apis/nothing", &[]).await;
    assert_eq!(none.status, 404);
    assert!(none.json()["paths"].is_array());
}
