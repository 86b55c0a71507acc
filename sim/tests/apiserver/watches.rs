//! Watches: order, selection, bookmarks, expiry.

use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api as Resources, PartialObjectMeta, WatchEvent, WatchParams};
use kube::runtime::watcher;
use kubevitals_sim::apiserver::{ApiServerConfig, ExpiredWatch};
use kubevitals_sim::objects::Resource;
use serde_json::{Value, json};

use crate::fixtures::{many_pods, pod};
use crate::harness::{Api, get, get_as, within};

/// A watch's lines until it ends.
async fn lines(client: &kube::Client, path: &str) -> Vec<Value> {
    lines_as(client, path, "application/json").await
}

async fn lines_as(client: &kube::Client, path: &str, accept: &str) -> Vec<Value> {
    get_as(client, path, accept)
        .await
        .text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// `TYPE name` of each event, `TYPE` for those without a name.
fn texts(events: &[Value]) -> Vec<String> {
    let text = |e: &Value| {
        format!(
            "{} {}",
            e["type"].as_str().unwrap(),
            e["object"]["metadata"]["name"].as_str().unwrap_or_default()
        )
    };
    events.iter().map(|e| text(e).trim().to_owned()).collect()
}

#[tokio::test]
async fn changes_come_once_and_in_order() {
    let api = Api::start().await;
    let client = api.admin().await;
    api.store
        .apply(Resource::Pods, pod("default", "old", "web"));
    let version = get(&client, "/api/v1/pods").await.json()["metadata"]["resourceVersion"]
        .as_str()
        .unwrap()
        .to_owned();
    let pods: Resources<Pod> = Resources::all(client);
    let mut watch = Box::pin(pods.watch(&WatchParams::default(), &version).await.unwrap());
    api.store
        .apply(Resource::Pods, pod("default", "new", "web"));
    api.store
        .apply(Resource::Pods, pod("default", "new", "web"));
    api.store.delete(Resource::Pods, Some("default"), "old");
    let mut seen = Vec::new();
    let mut versions = Vec::new();
    while seen.len() < 3 {
        let (kind, pod) = match within(watch.try_next()).await.unwrap().unwrap() {
            WatchEvent::Added(pod) => ("added", pod),
            WatchEvent::Modified(pod) => ("modified", pod),
            WatchEvent::Deleted(pod) => ("deleted", pod),
            WatchEvent::Bookmark(_) => continue,
            WatchEvent::Error(status) => panic!("{status:?}"),
        };
        seen.push(format!("{kind} {}", pod.metadata.name.unwrap()));
        versions.push(
            pod.metadata
                .resource_version
                .unwrap()
                .parse::<u64>()
                .unwrap(),
        );
    }
    assert_eq!(seen, ["added new", "modified new", "deleted old"]);
    assert!(versions.is_sorted() && versions[0] > version.parse().unwrap());
}

#[tokio::test]
async fn a_watch_without_a_version_begins_with_what_exists() {
    let api = Api::start().await;
    many_pods(&api.store, 3);
    api.store.apply(Resource::Pods, pod("other", "x", "web"));
    let events = lines(
        &api.admin().await,
        "/api/v1/namespaces/default/pods?watch=true&timeoutSeconds=1",
    )
    .await;
    assert_eq!(texts(&events), ["ADDED p000", "ADDED p001", "ADDED p002"]);
}

#[tokio::test]
async fn a_streamed_list_ends_with_its_bookmark() {
    let api = Api::start().await;
    many_pods(&api.store, 2);
    let path = "/api/v1/pods?watch=1&timeoutSeconds=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
    let events = lines(&api.admin().await, path).await;
    assert_eq!(
        texts(&events)[..3],
        ["ADDED p000", "ADDED p001", "BOOKMARK"]
    );
    assert_eq!(
        events[2]["object"]["metadata"]["annotations"]["k8s.io/initial-events-end"],
        "true"
    );
}

#[tokio::test]
async fn bookmarks_come_now_and_then_and_before_the_end() {
    let api = Api::start_with(ApiServerConfig {
        bookmark_interval: Duration::from_millis(200),
        ..ApiServerConfig::default()
    })
    .await;
    let version = api.store.resource_version();
    let client = api.admin().await;
    let path = format!(
        "/api/v1/pods?watch=true&timeoutSeconds=1&allowWatchBookmarks=true&resourceVersion={version}"
    );
    api.store
        .apply(Resource::Nodes, crate::fixtures::node("unrelated"));
    let events = lines(&client, &path).await;
    assert!(events.len() >= 2, "{events:?}");
    for event in &events {
        assert_eq!(event["type"], "BOOKMARK");
        // The version of a change elsewhere: a watch may resume from it.
        assert_eq!(
            event["object"]["metadata"]["resourceVersion"],
            (version + 1).to_string()
        );
    }
    let silent = lines(
        &client,
        &format!("/api/v1/pods?watch=true&timeoutSeconds=1&resourceVersion={version}"),
    )
    .await;
    assert_eq!(silent, Vec::<Value>::new());
}

#[tokio::test]
async fn objects_are_added_and_deleted_as_they_match_the_selector() {
    let api = Api::start().await;
    let version = api.store.resource_version();
    let labelled = |app| api.store.apply(Resource::Pods, pod("default", "a", app));
    labelled("db");
    labelled("web");
    let last = labelled("web");
    let left = labelled("db");
    labelled("cache");
    let path = format!(
        "/api/v1/pods?watch=true&timeoutSeconds=1&labelSelector=app%3Dweb&resourceVersion={version}"
    );
    let events = lines(&api.admin().await, &path).await;
    assert_eq!(texts(&events), ["ADDED a", "MODIFIED a", "DELETED a"]);
    assert_eq!(
        events[1]["object"]["metadata"]["resourceVersion"],
        last.to_string()
    );
    let deleted = &events[2]["object"]["metadata"];
    assert_eq!(
        (
            deleted["resourceVersion"].clone(),
            deleted["labels"]["app"].clone()
        ),
        (json!(left.to_string()), json!("web"))
    );
}

#[tokio::test]
async fn only_the_first_table_of_a_watch_has_column_definitions() {
    let api = Api::start().await;
    many_pods(&api.store, 2);
    let accept = "application/json;as=Table;v=v1;g=meta.k8s.io";
    let events = lines_as(
        &api.admin().await,
        "/api/v1/pods?watch=true&timeoutSeconds=1",
        accept,
    )
    .await;
    assert_eq!(events.len(), 2);
    assert_eq!(
        events[0]["object"]["columnDefinitions"][2]["name"],
        "Status"
    );
    assert_eq!(events[1]["object"]["columnDefinitions"], Value::Null);
    assert_eq!(events[1]["object"]["rows"][0]["cells"][0], "p001");
}

#[tokio::test]
async fn a_watch_from_an_expired_version_gets_an_error_event() {
    for (expired_watch, code) in [(ExpiredWatch::Event, 200), (ExpiredWatch::Http, 410)] {
        let api = Api::start_with(ApiServerConfig {
            expired_watch,
            ..ApiServerConfig::default()
        })
        .await;
        let version = api.store.resource_version();
        api.server.expire_watches();
        let answer = get(
            &api.admin().await,
            &format!("/api/v1/pods?watch=true&resourceVersion={version}"),
        )
        .await;
        assert_eq!(answer.code, code);
        let status = match code {
            200 => answer.json()["object"].clone(),
            _ => answer.json(),
        };
        assert_eq!(
            (status["code"].clone(), status["reason"].clone()),
            (json!(410), json!("Expired"))
        );
    }
}

#[tokio::test]
async fn an_open_watch_that_expires_ends_with_an_error_event() {
    let api = Api::start().await;
    let pods: Resources<Pod> = Resources::all(api.admin().await);
    let version = api.store.resource_version().to_string();
    let mut watch = Box::pin(pods.watch(&WatchParams::default(), &version).await.unwrap());
    api.store.apply(Resource::Pods, pod("default", "a", "web"));
    assert!(matches!(
        within(watch.try_next()).await.unwrap(),
        Some(WatchEvent::Added(_))
    ));
    api.server.expire_watches();
    assert!(
        matches!(within(watch.try_next()).await.unwrap(), Some(WatchEvent::Error(status)) if status.code == 410)
    );
    assert!(within(watch.try_next()).await.unwrap().is_none());
}

/// Follows a kube-rs watcher until it has shown `name`.
async fn until(
    watcher: &mut (impl futures::Stream<Item = watcher::Result<watcher::Event<Pod>>> + Unpin),
    name: &str,
) {
    loop {
        match within(watcher.next()).await.unwrap() {
            Ok(watcher::Event::Apply(pod) | watcher::Event::InitApply(pod))
                if pod.metadata.name.as_deref() == Some(name) =>
            {
                return;
            }
            // A watcher reports what broke and goes on by itself.
            Ok(_) | Err(_) => {}
        }
    }
}

#[tokio::test]
async fn a_kube_rs_watcher_survives_expiry_breaks_and_cuts() {
    for config in [
        watcher::Config::default().page_size(2),
        watcher::Config::default().streaming_lists(),
    ] {
        let api = Api::start().await;
        many_pods(&api.store, 5);
        let pods: Resources<Pod> = Resources::all(api.admin().await);
        let mut watcher = Box::pin(watcher(pods, config));
        until(&mut watcher, "p004").await;
        api.store
            .apply(Resource::Pods, pod("default", "after-list", "web"));
        until(&mut watcher, "after-list").await;
        api.server.expire_watches();
        api.store
            .apply(Resource::Pods, pod("default", "after-expiry", "web"));
        until(&mut watcher, "after-expiry").await;
        api.server.break_watches();
        api.store
            .apply(Resource::Pods, pod("default", "after-break", "web"));
        until(&mut watcher, "after-break").await;
        api.server.cut(true);
        // The watcher must notice before the server is back.
        while within(watcher.next()).await.unwrap().is_ok() {}
        api.store
            .apply(Resource::Pods, pod("default", "after-cut", "web"));
        api.server.cut(false);
        until(&mut watcher, "after-cut").await;
    }
}

#[tokio::test]
async fn metadata_alone_can_be_watched() {
    let api = Api::start().await;
    many_pods(&api.store, 1);
    let pods: Resources<PartialObjectMeta<Pod>> = Resources::all(api.admin().await);
    let config = watcher::Config::default().streaming_lists();
    let mut watcher = Box::pin(watcher(pods, config));
    let mut seen = Vec::new();
    while seen.len() < 2 {
        match within(watcher.next()).await.unwrap().unwrap() {
            watcher::Event::InitApply(object) | watcher::Event::Apply(object) => {
                seen.push(object.metadata.name.unwrap());
            }
            watcher::Event::InitDone => {
                api.store
                    .apply(Resource::Pods, pod("default", "late", "web"));
            }
            watcher::Event::Init | watcher::Event::Delete(_) => {}
        }
    }
    assert_eq!(seen, ["p000", "late"]);
}

#[tokio::test]
async fn many_watchers_miss_nothing() {
    let api = Api::start().await;
    let client = api.admin().await;
    let version = api.store.resource_version().to_string();
    let pods: Resources<Pod> = Resources::all(client);
    let mut watchers = Vec::new();
    for _ in 0..50 {
        let watch = pods.watch(&WatchParams::default(), &version).await.unwrap();
        watchers.push(tokio::spawn(async move {
            let mut watch = Box::pin(watch);
            let mut versions: Vec<u64> = Vec::new();
            while versions.len() < 200 {
                if let WatchEvent::Added(pod) | WatchEvent::Modified(pod) =
                    within(watch.try_next()).await.unwrap().unwrap()
                {
                    versions.push(pod.metadata.resource_version.unwrap().parse().unwrap());
                }
            }
            versions
        }));
    }
    let expected: Vec<u64> = (0..200)
        .map(|i| {
            api.store.apply(
                Resource::Pods,
                pod("default", &format!("p{}", i % 20), "web"),
            )
        })
        .collect();
    for watcher in watchers {
        assert_eq!(watcher.await.unwrap(), expected);
    }
}
