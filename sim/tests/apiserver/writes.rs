//! Leases, secrets and apiservices can be written.

use kubevitals_sim::objects::Resource;
use serde_json::{Value, json};

use crate::harness::{Answer, Api, send};

async fn write(
    client: &kube::Client,
    method: &str,
    path: &str,
    kind: &str,
    body: &Value,
) -> Answer {
    send(
        client,
        http::Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", kind),
        &body.to_string(),
    )
    .await
}

const JSON: &str = "application/json";
const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/default/leases";

#[tokio::test]
async fn a_lease_update_needs_the_latest_version() {
    let api = Api::start().await;
    let client = api.admin().await;
    let lease =
        |holder: &str| json!({"metadata": {"name": "l"}, "spec": {"holderIdentity": holder}});
    let created = write(&client, "POST", LEASES, JSON, &lease("a")).await;
    assert_eq!(
        (created.code, created.json()["kind"].clone()),
        (201, json!("Lease"))
    );
    assert_eq!(
        write(&client, "POST", LEASES, JSON, &lease("b"))
            .await
            .json()["reason"],
        "AlreadyExists"
    );
    let mut update = created.json();
    update["spec"]["holderIdentity"] = json!("b");
    let path = format!("{LEASES}/l");
    assert_eq!(write(&client, "PUT", &path, JSON, &update).await.code, 200);
    let stale = write(&client, "PUT", &path, JSON, &update).await;
    assert_eq!(
        (stale.code, stale.json()["reason"].clone()),
        (409, json!("Conflict"))
    );
    let stored = api
        .store
        .get(Resource::Leases, Some("default"), "l")
        .unwrap()
        .to_value(Resource::Leases);
    assert_eq!(stored["spec"]["holderIdentity"], "b");
    assert_eq!(stored["metadata"]["uid"], created.json()["metadata"]["uid"]);
}

#[tokio::test]
async fn an_apiservice_is_patched() {
    let api = Api::start().await;
    let client = api.admin().await;
    let path = "/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.metrics.k8s.io";
    let patch = json!({"spec": {"caBundle": "QQ==", "insecureSkipTLSVerify": null}});
    let patched = write(
        &client,
        "PATCH",
        path,
        "application/merge-patch+json",
        &patch,
    )
    .await
    .json();
    assert_eq!(patched["spec"]["caBundle"], "QQ==");
    assert!(patched["spec"].get("insecureSkipTLSVerify").is_none());
    assert_eq!(patched["spec"]["group"], "metrics.k8s.io");
    let unknown = write(&client, "PATCH", path, "text/plain", &patch).await;
    assert_eq!(unknown.code, 415);
}

#[tokio::test]
async fn an_apply_creates_and_a_delete_removes_once() {
    let api = Api::start().await;
    let client = api.admin().await;
    let path = "/api/v1/namespaces/kube-system/secrets/ca";
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "ca"}, "data": {"k": "dg=="}});
    let kind = "application/apply-patch+yaml";
    assert_eq!(write(&client, "PATCH", path, kind, &secret).await.code, 201);
    assert_eq!(write(&client, "PATCH", path, kind, &secret).await.code, 200);
    assert_eq!(
        write(&client, "DELETE", path, JSON, &json!({}))
            .await
            .json()["status"],
        "Success"
    );
    assert_eq!(
        write(&client, "DELETE", path, JSON, &json!({})).await.code,
        404
    );
}
