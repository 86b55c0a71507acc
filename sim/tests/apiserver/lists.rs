//! Lists, gets and discovery.

use futures::StreamExt;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api as Resources, ListParams};
use kubevitals_sim::objects::Resource;
use serde_json::json;

use crate::fixtures::{many_pods, namespace, node, pod};
use crate::harness::{Api, get, get_as};

const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

#[tokio::test]
async fn pages_show_the_cluster_as_it_was_at_the_first_one() {
    let api = Api::start().await;
    many_pods(&api.store, 25);
    let pods: Resources<Pod> = Resources::all(api.admin().await);
    let first = pods.list(&ListParams::default().limit(10)).await.unwrap();
    assert_eq!(first.items.len(), 10);
    assert_eq!(first.metadata.remaining_item_count, Some(15));
    api.store.delete(Resource::Pods, Some("default"), "p015");
    api.store
        .apply(Resource::Pods, pod("default", "p0155", "late"));
    let mut names: Vec<String> = first
        .items
        .into_iter()
        .filter_map(|p| p.metadata.name)
        .collect();
    let mut token = first.metadata.continue_;
    while let Some(next) = token.take() {
        let page = pods
            .list(&ListParams::default().limit(10).continue_token(&next))
            .await
            .unwrap();
        assert_eq!(
            page.metadata.resource_version,
            first.metadata.resource_version
        );
        names.extend(page.items.into_iter().filter_map(|p| p.metadata.name));
        token = page.metadata.continue_;
    }
    assert_eq!(
        names,
        (0..25).map(|i| format!("p{i:03}")).collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn an_expired_page_is_gone_and_offers_to_go_on_inconsistently() {
    let api = Api::start().await;
    many_pods(&api.store, 5);
    let client = api.admin().await;
    let first = get(&client, "/api/v1/pods?limit=2").await.json();
    let next = |list: &serde_json::Value| {
        format!(
            "/api/v1/pods?limit=2&continue={}",
            list["metadata"]["continue"].as_str().unwrap()
        )
    };
    api.server.expire_watches();
    let gone = get(&client, &next(&first)).await;
    assert_eq!(
        (gone.code, gone.json()["reason"].clone()),
        (410, json!("Expired"))
    );
    let rest = get(&client, &next(&gone.json())).await.json();
    assert_eq!(rest["items"][0]["metadata"]["name"], "p002");
}

#[tokio::test]
async fn versions_are_honoured() {
    let api = Api::start().await;
    many_pods(&api.store, 3);
    let client = api.admin().await;
    let version = get(&client, "/api/v1/pods?limit=1").await.json()["metadata"]["resourceVersion"]
        .as_str()
        .unwrap()
        .to_owned();
    api.store.delete(Resource::Pods, Some("default"), "p000");
    let names = |list: serde_json::Value| list["items"].as_array().unwrap().len();
    let exact = format!("/api/v1/pods?resourceVersion={version}&resourceVersionMatch=Exact");
    assert_eq!(names(get(&client, &exact).await.json()), 3);
    assert_eq!(
        names(get(&client, "/api/v1/pods?resourceVersion=0").await.json()),
        2
    );
    let future = get(&client, "/api/v1/pods?resourceVersion=999999").await;
    assert_eq!(
        (
            future.code,
            future.json()["details"]["causes"][0]["reason"].clone()
        ),
        (504, json!("ResourceVersionTooLarge"))
    );
}

#[tokio::test]
async fn selectors_and_namespaces_narrow_a_list() {
    let api = Api::start().await;
    for (namespace, name, app) in [
        ("a", "x", "web"),
        ("a", "y", "db"),
        ("a-b", "z", "web"),
        ("b", "x", "web"),
    ] {
        api.store.apply(Resource::Pods, pod(namespace, name, app));
    }
    let mut pending = pod("b", "w", "web");
    pending["status"]["phase"] = json!("Pending");
    pending["spec"]["nodeName"] = json!("");
    api.store.apply(Resource::Pods, pending);
    let client = api.admin().await;
    for (path, expected) in [
        ("/api/v1/pods", "a-b/z a/x a/y b/w b/x"),
        ("/api/v1/namespaces/a/pods", "a/x a/y"),
        ("/api/v1/namespaces/none/pods", ""),
        ("/api/v1/pods?labelSelector=app%3Dweb", "a-b/z a/x b/w b/x"),
        ("/api/v1/pods?labelSelector=app+notin+(web)", "a/y"),
        (
            "/api/v1/pods?fieldSelector=spec.nodeName%3Dn1,status.phase!%3DPending",
            "a-b/z a/x a/y b/x",
        ),
        (
            "/api/v1/pods?fieldSelector=metadata.name%3Dx,metadata.namespace%3Db",
            "b/x",
        ),
        ("/api/v1/namespaces/b/pods?labelSelector=app&limit=1", "b/w"),
    ] {
        let list = get(&client, path).await.json();
        let names: Vec<String> = list["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|p| {
                format!(
                    "{}/{}",
                    p["metadata"]["namespace"].as_str().unwrap(),
                    p["metadata"]["name"].as_str().unwrap()
                )
            })
            .collect();
        assert_eq!(names.join(" "), expected, "{path}");
    }
    for bad in [
        "labelSelector=a+b",
        "fieldSelector=spec.foo%3D1",
        "fieldSelector=x",
        "limit=x",
        "continue=x",
    ] {
        let answer = get(&client, &format!("/api/v1/pods?{bad}")).await;
        assert_eq!(
            (answer.code, answer.json()["reason"].clone()),
            (400, json!("BadRequest")),
            "{bad}"
        );
    }
}

#[tokio::test]
async fn a_long_list_is_whole() {
    let api = Api::start().await;
    many_pods(&api.store, 900);
    let list = get(&api.admin().await, "/api/v1/pods").await;
    assert!(list.text.len() > 200_000);
    assert_eq!(list.json()["items"].as_array().unwrap().len(), 900);
}

#[tokio::test]
async fn kube_rs_reads_typed_objects() {
    let api = Api::start().await;
    api.store
        .apply(Resource::Pods, pod("default", "web", "web"));
    let pods: Resources<Pod> = Resources::namespaced(api.admin().await, "default");
    let web = pods.get("web").await.unwrap();
    assert_eq!(web.spec.unwrap().node_name.as_deref(), Some("n1"));
    assert!(web.metadata.uid.is_some() && web.metadata.resource_version.is_some());
    assert!(matches!(pods.get("nope").await, Err(kube::Error::Api(status)) if status.code == 404));
}

#[tokio::test]
async fn metadata_and_tables_are_negotiated() {
    let api = Api::start().await;
    api.store
        .apply(Resource::Pods, pod("default", "web", "web"));
    let client = api.admin().await;
    let pods: Resources<Pod> = Resources::all(client.clone());
    let metadata = pods.list_metadata(&ListParams::default()).await.unwrap();
    assert_eq!(metadata.items[0].metadata.name.as_deref(), Some("web"));

    let table = get_as(&client, "/api/v1/pods", TABLE).await.json();
    assert_eq!(table["kind"], "Table");
    assert_eq!(table["columnDefinitions"][1]["name"], "Ready");
    assert_eq!(
        table["rows"][0]["cells"],
        json!([
            "web", "1/1", "Running", "0", "10m", "10.0.0.1", "n1", "<none>", "<none>"
        ])
    );
    assert_eq!(table["rows"][0]["object"]["kind"], "PartialObjectMetadata");
    assert!(table["rows"][0]["object"].get("spec").is_none());
    let one = get_as(
        &client,
        "/api/v1/namespaces/default/pods/web?includeObject=Object",
        TABLE,
    )
    .await
    .json();
    assert_eq!(one["rows"][0]["object"]["spec"]["nodeName"], "n1");

    // Lists and watches are served in protobuf; no client here requests one object in it.
    let protobuf = get_as(
        &client,
        "/api/v1/namespaces/default/pods/web",
        "application/vnd.kubernetes.protobuf",
    )
    .await;
    assert_eq!(
        (protobuf.code, protobuf.json()["reason"].clone()),
        (406, json!("NotAcceptable"))
    );
}

#[tokio::test]
async fn missing_objects_are_refused_with_the_message_of_kubernetes() {
    let api = Api::start().await;
    let client = api.admin().await;
    let missing = get(&client, "/apis/apps/v1/namespaces/default/deployments/web").await;
    assert_eq!(missing.code, 404);
    assert_eq!(
        missing.json()["message"],
        "deployments.apps \"web\" not found"
    );
    for path in [
        "/api/v1/gizmos",
        "/apis/apps/v2/deployments",
        "/nope",
        "/api/v1/pods/web",
        "/api/v1/namespaces/a/nodes",
        "/api/v1/nodes/a/b",
    ] {
        let answer = get(&client, path).await;
        assert_eq!(answer.code, 404, "{path}");
        assert_eq!(
            answer.json()["message"],
            "the server could not find the requested resource",
            "{path}"
        );
    }
    let post = crate::harness::send(&client, http::Request::post("/api/v1/nodes"), "{}").await;
    assert_eq!(
        (post.code, post.json()["reason"].clone()),
        (405, json!("MethodNotAllowed"))
    );
}

#[tokio::test]
async fn legacy_and_aggregated_discovery_agree() {
    let api = Api::start().await;
    let client = api.admin().await;
    let accept =
        "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";
    let mut aggregated = std::collections::BTreeSet::new();
    for root in ["/api", "/apis"] {
        let answer = get_as(&client, root, accept).await;
        assert!(
            answer.content_type.contains("as=APIGroupDiscoveryList"),
            "{}",
            answer.content_type
        );
        for group in answer.json()["items"].as_array().unwrap() {
            for version in group["versions"].as_array().unwrap() {
                for resource in version["resources"].as_array().into_iter().flatten() {
                    let group = group["metadata"]["name"].as_str().unwrap_or_default();
                    aggregated.insert(format!(
                        "{group}/{}/{}",
                        version["version"].as_str().unwrap(),
                        resource["resource"].as_str().unwrap()
                    ));
                }
            }
        }
    }
    let mut old = std::collections::BTreeSet::new();
    for resource in client
        .list_core_api_resources("v1")
        .await
        .unwrap()
        .resources
    {
        old.insert(format!("/v1/{}", resource.name));
    }
    for group in client.list_api_groups().await.unwrap().groups {
        for version in group
            .versions
            .iter()
            .filter(|_| group.name != "metrics.k8s.io")
        {
            for resource in client
                .list_api_group_resources(&version.group_version)
                .await
                .unwrap()
                .resources
            {
                old.insert(format!("{}/{}", version.group_version, resource.name));
            }
        }
    }
    assert_eq!(old, aggregated);
    assert!(
        old.contains("apps/v1/deployments")
            && old.contains("/v1/pods")
            && old.contains("authorization.k8s.io/v1/subjectaccessreviews")
    );
}

#[tokio::test]
async fn version_and_health_endpoints_answer() {
    let api = Api::start().await;
    let client = api.admin().await;
    assert_eq!(client.apiserver_version().await.unwrap().minor, "36");
    for path in ["/healthz", "/livez", "/readyz"] {
        assert_eq!(get(&client, path).await.text, "ok");
    }
}

#[tokio::test]
async fn a_snapshot_is_not_disturbed_by_what_happens_meanwhile() {
    let api = Api::start().await;
    api.store.apply(Resource::Namespaces, namespace("a"));
    api.store.apply(Resource::Nodes, node("n1"));
    let before = api.store.snapshot(Resource::Nodes);
    api.store.apply(Resource::Nodes, node("n2"));
    assert_eq!(
        (before.len(), api.store.snapshot(Resource::Nodes).len()),
        (1, 2)
    );
    let chunks: Vec<_> = futures::stream::iter(before.range(None, None))
        .collect()
        .await;
    assert_eq!(chunks.len(), 1);
}
