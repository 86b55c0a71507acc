//! Authentication, authorization, and the record of requests.

use k8s_openapi::api::core::v1::Node;
use kube::api::{Api as Resources, ListParams};
use kubevitals_sim::identity::{Attributes, Rule, SERVER_ACCOUNT, Subject, UserInfo};
use serde_json::{Value, json};

use crate::harness::{Api, get, send};

async fn review(client: &kube::Client, path: &str, spec: Value) -> Value {
    let request = http::Request::post(path).header("content-type", "application/json");
    let answer = send(client, request, &json!({"spec": spec}).to_string()).await;
    assert_eq!(answer.code, 201, "{}", answer.text);
    answer.json()
}

#[tokio::test]
async fn unknown_users_are_refused_with_a_reason() {
    let api = Api::start().await;
    let unknown = get(&api.with_token("nonsense").await, "/api/v1/nodes").await;
    assert_eq!(
        (unknown.code, unknown.json()["message"].clone()),
        (401, json!("Unauthorized"))
    );
    let jane = api.of(UserInfo::new("jane", ["dev"])).await;
    let refused = get(&jane, "/api/v1/nodes").await;
    assert_eq!(refused.code, 403);
    assert_eq!(
        refused.json()["message"],
        r#"nodes is forbidden: User "jane" cannot list resource "nodes" in API group "" at the cluster scope"#
    );
    api.identities.grant(
        Subject::Group("dev".into()),
        Rule::resources(&["list"], "", &["pods"]).in_namespace("prod"),
    );
    assert_eq!(get(&jane, "/api/v1/namespaces/prod/pods").await.code, 200);
    assert_eq!(get(&jane, "/api/v1/pods").await.code, 403);
    assert_eq!(get(&jane, "/metrics").await.code, 403);
}

#[tokio::test]
async fn without_credentials_one_is_anonymous() {
    let api = Api::start().await;
    let yaml = api
        .server
        .kubeconfig()
        .yaml("nobody", &kubevitals_sim::apiserver::Credentials::Token(""));
    let anonymous =
        crate::harness::client(&yaml.replace("    token: \"\"\n", "    username: \"\"\n")).await;
    assert_eq!(get(&anonymous, "/readyz").await.code, 200);
    let refused = get(&anonymous, "/api/v1/nodes").await;
    assert_eq!(refused.code, 403);
    assert!(
        refused.text.contains("system:anonymous"),
        "{}",
        refused.text
    );
}

#[tokio::test]
async fn a_token_that_is_rotated_stops_being_valid() {
    let api = Api::start().await;
    let server = UserInfo::service_account(SERVER_ACCOUNT.0, SERVER_ACCOUNT.1);
    let old = api.identities.mint_token(server.clone());
    let client = api.with_token(&old).await;
    assert_eq!(get(&client, "/api/v1/nodes").await.code, 200);
    let new = api.identities.mint_token(server);
    api.identities.remove_token(&old);
    assert_eq!(get(&client, "/api/v1/nodes").await.code, 401);
    assert_eq!(
        get(&api.with_token(&new).await, "/api/v1/nodes").await.code,
        200
    );
}

#[tokio::test]
async fn requests_are_recorded() {
    let api = Api::start().await;
    let user = UserInfo::service_account(SERVER_ACCOUNT.0, SERVER_ACCOUNT.1);
    let name = user.username.clone();
    let client = api.of(user).await;
    let nodes: Resources<Node> = Resources::all(client.clone());
    nodes.list(&ListParams::default()).await.unwrap();
    let watched = "/api/v1/namespaces/kube-system/configmaps?watch=1&timeoutSeconds=1&fieldSelector=metadata.name%3Dextension-apiserver-authentication";
    assert_eq!(get(&client, watched).await.code, 200);
    let seen: Vec<Attributes> = api.identities.requests_seen(&name).into_iter().collect();
    let expected = [
        Attributes::resource("list", "", "nodes"),
        Attributes::resource("watch", "", "configmaps").in_namespace("kube-system"),
    ];
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn reviews_return_the_user_and_the_decision() {
    let api = Api::start().await;
    let server = UserInfo::service_account(SERVER_ACCOUNT.0, SERVER_ACCOUNT.1);
    let client = api.of(server).await;
    let token = api.identities.mint_token(UserInfo::new("jane", ["dev"]));
    let path = "/apis/authentication.k8s.io/v1/tokenreviews";
    let known = review(&client, path, json!({"token": token})).await;
    assert_eq!(known["status"]["authenticated"], true);
    assert_eq!(
        known["status"]["user"],
        json!({"username": "jane", "groups": ["dev", "system:authenticated"]})
    );
    let unknown = review(&client, path, json!({"token": "x"})).await;
    assert!(
        unknown["status"].get("authenticated").is_none() && unknown["status"]["error"].is_string()
    );

    api.identities.grant(
        Subject::User("jane".into()),
        Rule::resources(&["get"], "metrics.k8s.io", &["pods"]),
    );
    let path = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
    let ask = |verb: &str| json!({"user": "jane", "groups": ["dev"], "resourceAttributes": {"verb": verb, "group": "metrics.k8s.io", "resource": "pods", "namespace": "a", "name": "x"}});
    assert_eq!(
        review(&client, path, ask("get")).await["status"]["allowed"],
        true
    );
    assert_eq!(
        review(&client, path, ask("list")).await["status"]["allowed"],
        false
    );
    let of_path = json!({"user": "jane", "groups": ["system:authenticated"], "nonResourceAttributes": {"verb": "get", "path": "/apis/x"}});
    assert_eq!(
        review(&client, path, of_path).await["status"]["allowed"],
        true
    );
}

#[tokio::test]
async fn an_administrator_may_ask_as_another() {
    let api = Api::start().await;
    let admin = api.admin().await;
    let as_jane = |path: &str| http::Request::get(path).header("impersonate-user", "jane");
    assert_eq!(send(&admin, as_jane("/api/v1/nodes"), "").await.code, 403);
    assert_eq!(send(&admin, as_jane("/apis"), "").await.code, 200);
    let jane = api.of(UserInfo::new("jane", [])).await;
    let request = http::Request::get("/apis").header("impersonate-user", "admin");
    let refused = send(&jane, request, "").await;
    assert_eq!(refused.code, 403);
    assert!(
        refused.text.contains("cannot impersonate resource"),
        "{}",
        refused.text
    );
}
