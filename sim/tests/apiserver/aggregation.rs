//! What another server answers through the API server.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http_body_util::BodyExt;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::Api as Resources;
use kubevitals_sim::identity::UserInfo;
use kubevitals_sim::objects::Resource;
use kubevitals_sim::pki::Authority;
use serde_json::{Value, json};

use crate::backend::{Backend, certificate};
use crate::harness::{Answer, Api, get, get_as, send, within};

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
const PODS: &str = "/apis/metrics.k8s.io/v1beta1/pods";

/// An API server with an aggregated server behind it.
async fn with_backend() -> (Api, Backend) {
    let api = Api::start().await;
    let backend = Backend::start(
        &certificate(&Authority::new("own").unwrap()),
        &api.pki.front_proxy().pem(),
    )
    .await;
    api.server.set_aggregated(Some(backend.addr));
    (api, backend)
}

/// The values of a header that reached the aggregated server.
fn header(answer: &Answer, name: &str) -> Vec<String> {
    let headers = answer.json()["headers"].clone();
    let named = headers
        .as_array()
        .unwrap()
        .iter()
        .filter(|h| h[0] == name)
        .map(|h| h[1].as_str().unwrap().to_owned());
    named.collect()
}

/// Freshness of a group version in aggregated discovery; `None` when it is not there.
async fn freshness(client: &kube::Client, group: &str, version: &str) -> Option<String> {
    let items = get_as(client, "/apis", AGGREGATED).await.json()["items"].clone();
    let group = items
        .as_array()?
        .iter()
        .find(|g| g["metadata"]["name"] == group)?;
    let version = group["versions"]
        .as_array()?
        .iter()
        .find(|v| v["version"] == version)?;
    version["freshness"].as_str().map(str::to_owned)
}

#[tokio::test]
async fn the_user_arrives_in_headers_behind_the_front_proxys_certificate() {
    let (api, _backend) = with_backend().await;
    let mut jane = UserInfo::new("jane", ["dev", "ops"]);
    jane.uid = "u-1".to_owned();
    jane.extra
        .insert("example.org/Scope".to_owned(), vec!["a".to_owned()]);
    let client = api.of(jane).await;
    let request = http::Request::get(format!("{PODS}?labelSelector=app%3Dweb"))
        .header("x-remote-user", "root")
        .header("x-remote-group", "system:masters")
        .header("x-remote-extra-forged", "1")
        .header("accept", "application/vnd.kubernetes.protobuf, */*");
    let answer = send(&client, request, "").await;
    assert_eq!(answer.code, 200, "{}", answer.text);
    assert_eq!(
        answer.json()["uri"],
        format!("{PODS}?labelSelector=app%3Dweb")
    );
    assert_eq!(answer.json()["certificate"], "front-proxy-client");
    assert_eq!(answer.json()["serverName"], "vitals-server.kube-system.svc");
    assert_eq!(header(&answer, "x-remote-user"), ["jane"]);
    assert_eq!(header(&answer, "x-remote-uid"), ["u-1"]);
    assert_eq!(
        header(&answer, "x-remote-group"),
        ["dev", "ops", "system:authenticated"]
    );
    assert_eq!(header(&answer, "x-remote-extra-example.org%2fscope"), ["a"]);
    assert_eq!(
        header(&answer, "accept"),
        ["application/vnd.kubernetes.protobuf, */*"]
    );
    for gone in ["authorization", "x-remote-extra-forged"] {
        assert!(header(&answer, gone).is_empty(), "{gone}");
    }
    let posted = send(&client, http::Request::post(PODS), "body").await;
    assert_eq!(
        (
            posted.json()["method"].clone(),
            posted.json()["body"].clone()
        ),
        (json!("POST"), json!("body"))
    );
}

#[tokio::test]
async fn an_answer_is_streamed_as_it_comes() {
    let (api, backend) = with_backend().await;
    let client = api.admin().await;
    let request = http::Request::get("/apis/kubevitals.io/v1alpha1/stream")
        .body(kube::client::Body::empty())
        .unwrap();
    let mut body = within(client.send(request)).await.unwrap().into_body();
    for line in ["one\n", "two\n"] {
        backend.lines.send(line.to_owned()).unwrap();
        let frame = within(body.frame()).await.unwrap().unwrap();
        assert_eq!(frame.into_data().unwrap(), line.as_bytes());
    }
}

#[tokio::test]
async fn without_a_server_it_is_unavailable() {
    let api = Api::start().await;
    let client = api.admin().await;
    let absent = get(&client, PODS).await;
    assert_eq!(
        (absent.code, absent.text.as_str()),
        (503, "service unavailable\n")
    );
    assert_eq!(
        freshness(&client, "metrics.k8s.io", "v1beta1")
            .await
            .as_deref(),
        Some("Stale")
    );
    let backend = Backend::start(
        &certificate(&Authority::new("own").unwrap()),
        &api.pki.front_proxy().pem(),
    )
    .await;
    let addr = backend.addr;
    drop(backend);
    api.server.set_aggregated(Some(addr));
    let unreachable = get(&client, PODS).await;
    assert_eq!(unreachable.code, 503);
    assert!(
        unreachable
            .text
            .starts_with("error trying to reach service: "),
        "{}",
        unreachable.text
    );
}

#[tokio::test]
async fn discovery_has_what_the_server_serves() {
    let (api, _backend) = with_backend().await;
    let client = api.admin().await;
    assert_eq!(
        freshness(&client, "metrics.k8s.io", "v1beta1")
            .await
            .as_deref(),
        Some("Current")
    );
    // The server listed this group, and an APIService for it was created.
    assert_eq!(
        freshness(&client, "kubevitals.io", "v1alpha1")
            .await
            .as_deref(),
        Some("Current")
    );
    let groups = client.list_api_groups().await.unwrap();
    assert!(groups.groups.iter().any(|g| g.name == "kubevitals.io"));
    let service = get(
        &client,
        "/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.metrics.k8s.io",
    )
    .await
    .json();
    assert_eq!(service["status"]["conditions"][0]["status"], "True");
    let openapi = get(&client, "/openapi/v3").await.json();
    assert_eq!(
        openapi["paths"]
            .as_object()
            .unwrap()
            .keys()
            .collect::<Vec<_>>(),
        ["apis/metrics.k8s.io/v1beta1"]
    );
    assert_eq!(
        get(&client, "/openapi/v3/apis/metrics.k8s.io/v1beta1?hash=1")
            .await
            .json()["method"],
        "GET"
    );
    api.server.set_aggregated(None);
    assert_eq!(
        freshness(&client, "metrics.k8s.io", "v1beta1")
            .await
            .as_deref(),
        Some("Stale")
    );
    let service = get(
        &client,
        "/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.metrics.k8s.io",
    )
    .await
    .json();
    assert_eq!(
        service["status"]["conditions"][0]["reason"],
        "MissingEndpoints"
    );
}

#[tokio::test]
async fn a_group_that_the_cluster_is_to_be_without_is_not_there() {
    let (api, _backend) = with_backend().await;
    let client = api.admin().await;
    api.server.set_without(&["metrics.k8s.io"]);
    assert_eq!(freshness(&client, "metrics.k8s.io", "v1beta1").await, None);
    assert_eq!(get(&client, PODS).await.code, 404);
    api.server.set_without(&[]);
    assert_eq!(
        freshness(&client, "metrics.k8s.io", "v1beta1").await,
        Some("Current".to_owned())
    );
}

#[tokio::test]
async fn a_ca_bundle_is_verified_against() {
    let api = Api::start().await;
    let client = api.admin().await;
    let own = Authority::new("own").unwrap();
    let backend = Backend::start(&certificate(&own), &api.pki.front_proxy().pem()).await;
    api.server.set_aggregated(Some(backend.addr));
    let set_bundle = |authority: &Authority| {
        let name = "v1beta1.metrics.k8s.io";
        let mut service: Value = api
            .store
            .get(Resource::ApiServices, None, name)
            .unwrap()
            .to_value(Resource::ApiServices);
        service["spec"]["caBundle"] = json!(BASE64_STANDARD.encode(authority.pem()));
        service["spec"]
            .as_object_mut()
            .unwrap()
            .remove("insecureSkipTLSVerify");
        api.store.apply(Resource::ApiServices, service);
    };
    set_bundle(&Authority::new("other").unwrap());
    let refused = get(&client, PODS).await;
    assert_eq!(refused.code, 503);
    assert!(refused.text.contains("certificate"), "{}", refused.text);
    set_bundle(&own);
    assert_eq!(get(&client, PODS).await.code, 200);
}

#[tokio::test]
async fn the_front_proxys_ca_rotates_in_two_steps() {
    let api = Api::start().await;
    let client = api.admin().await;
    let maps: Resources<ConfigMap> = Resources::namespaced(client.clone(), "kube-system");
    let published = || async {
        let data = maps
            .get("extension-apiserver-authentication")
            .await
            .unwrap()
            .data
            .unwrap();
        assert_eq!(
            data["requestheader-allowed-names"],
            r#"["front-proxy-client"]"#
        );
        assert_eq!(data["client-ca-file"], api.pki.cluster().pem());
        data["requestheader-client-ca-file"].clone()
    };
    let old = published().await;
    api.server.announce_requestheader_ca().unwrap();
    let both = published().await;
    assert!(both.starts_with(&old) && both.matches("BEGIN CERTIFICATE").count() == 2);
    let backend = Backend::start(&certificate(&Authority::new("own").unwrap()), &both).await;
    api.server.set_aggregated(Some(backend.addr));
    assert_eq!(get(&client, PODS).await.code, 200);
    api.server.rotate_requestheader_ca().unwrap();
    let new = published().await;
    assert!(both.ends_with(&new) && new != old);
    assert_eq!(get(&client, PODS).await.code, 200);
    // A server that believes the old one only no longer lets the front proxy in.
    let strict = Backend::start(&certificate(&Authority::new("own").unwrap()), &old).await;
    api.server.set_aggregated(Some(strict.addr));
    assert_eq!(get(&client, PODS).await.code, 503);
}
